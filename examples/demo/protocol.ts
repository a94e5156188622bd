// What the demo's processes say to each other: reports go up to main.ts, orders come down. Types only.

/** Where a member stands, in rollcall's words. Serf says `failed` for dead. */
export type State = 'alive' | 'suspect' | 'leaving' | 'left' | 'dead'

/** One member as another one sees it. */
export interface Sight {
  readonly name: string
  readonly state: State
  readonly role: string
  readonly address: string
}

export type Report =
  /** It listens. The pid is the member's own. */
  | { readonly kind: 'up'; readonly address: string; readonly pid: number }
  /** Its view of one member changed, as `seen` says. `was` is absent where it did not know that member. */
  | { readonly kind: 'sight'; readonly seen: string; readonly of: Sight; readonly was?: State }
  /** Something a person should know. */
  | { readonly kind: 'warning'; readonly text: string }

export type Order =
  /** Join the cluster of which this address is a member. */
  | { readonly verb: 'join'; readonly seed: string }
  /** Say goodbye, and end. */
  | { readonly verb: 'leave' }
  /** End without a word to the others. */
  | { readonly verb: 'close' }
