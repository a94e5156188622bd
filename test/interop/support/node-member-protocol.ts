// What node-member.ts and node-member-client.ts say to each other over Node's IPC channel (JSON). Types, and the clock both stamp with.
import type { QueryOptions } from '../../../src/querying.ts'
import type { State } from './peer.ts'

export { monotonicMs } from './peer.ts'

export type Request = { readonly id: number } & (
  | { readonly verb: 'start' | 'members' | 'leave' | 'close' }
  | { readonly verb: 'join'; readonly seeds: readonly string[]; readonly ignoreOldEvents: boolean }
  /** The payload as base64. */
  | { readonly verb: 'event'; readonly name: string; readonly payload: string; readonly coalesce: boolean }
  | { readonly verb: 'ping'; readonly name: string }
  /** The payload as base64. */
  | { readonly verb: 'query'; readonly name: string; readonly payload: string; readonly options: QueryAsked }
  | { readonly verb: 'rtt'; readonly names: readonly [one: string, other?: string] }
  | { readonly verb: 'force-leave'; readonly name: string; readonly prune: boolean }
  | ({ readonly verb: 'block' } & Block)
  | { readonly verb: 'keys'; readonly operation: KeyVerb; readonly key?: string | undefined }
  | { readonly verb: 'set-tags'; readonly tags: Readonly<Record<string, string>> }
)

/** How a query is asked. */
export type QueryAsked = Omit<QueryOptions, 'signal'>

/** All that came for a query; payloads as base64. */
export interface QueryReport {
  readonly responses: readonly { readonly from: string; readonly payload: string }[]
  readonly acks: readonly string[]
  readonly outcome: string
}

export type KeyVerb = 'install' | 'use' | 'remove' | 'list'

/** What the members said of keys. */
export interface KeysReport {
  readonly members: number
  readonly answered: number
  /** How many members hold each key, and encrypt with each. */
  readonly keys: Readonly<Record<string, number>>
  readonly primaryKeys: Readonly<Record<string, number>>
}

/** How the event loop is blocked. */
export interface Block {
  readonly ms: number
  /** `busy`: a loop that keeps a core; `idle`: a wait that keeps none; `stopped`: SIGSTOP, and SIGCONT from a child of its own. */
  readonly how: 'busy' | 'idle' | 'stopped'
  /** `now`, or when the member has just sent the next ping of its own. */
  readonly when: 'now' | 'ping'
}

/** When the event loop stood still, monotonic milliseconds. */
export interface Blocked {
  readonly from: number
  readonly to: number
}

export interface MemberReport {
  readonly name: string
  readonly state: State
  readonly tags: Readonly<Record<string, string>>
  /** `host:port`, brackets around IPv6. */
  readonly address: string
}

/** A user event; its payload as base64. */
export interface Heard {
  readonly name: string
  readonly payload: string
  readonly ltime: number
  readonly coalesce: boolean
}

export type WatchedEvent =
  | 'member-join'
  | 'member-suspect'
  | 'member-recover'
  | 'member-dead'
  | 'member-leaving'
  | 'member-left'
  | 'member-update'
  | 'member-reap'

export type Spoken =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: string }
  | { readonly kind: 'event'; readonly at: number; readonly type: WatchedEvent; readonly member: MemberReport }
  | { readonly kind: 'user-event'; readonly at: number; readonly heard: Heard }
  | { readonly kind: 'closed'; readonly at: number; readonly reason: string }
  | { readonly kind: 'warning'; readonly at: number; readonly code: string; readonly warning: string }
  | {
      readonly kind: 'conflict'
      readonly at: number
      readonly name: string
      readonly address: string
      readonly claimedBy: string
    }
