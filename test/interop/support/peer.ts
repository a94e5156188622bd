// What every witness of an interop scenario offers, whichever program runs behind it: a real `serf` agent or a Node process with
// one `Membership`. States and events carry the library's words; Serf's `failed` is `dead` here. Knows no process and no wire.

/** Whose code speaks. */
export type Kind = 'go' | 'node'

/** The program behind a peer: Debian's `serf agent`, our Go programs with the current Serf or with memberlist alone, our library. */
export type Program = 'agent' | 'serf' | 'memberlist' | 'node'

/** Serf shows no suspects, so a `go` peer never reports `suspect`. */
export type State = 'alive' | 'suspect' | 'leaving' | 'left' | 'dead'

/** One member as one peer sees it. */
export interface Sight {
  readonly state: State
  readonly tags: Readonly<Record<string, string>>
  /** `host:port`, brackets around IPv6. */
  readonly address: string
}

/** One entry of a peer's history, in the order in which the peer reported it. */
export interface Happening {
  /** Milliseconds of the machine's monotonic clock; for `go` the arrival of its log line. */
  readonly at: number
  /** `gone`: dead or left, memberlist alone does not say which. */
  readonly type: 'join' | 'suspect' | 'recover' | 'dead' | 'leaving' | 'left' | 'gone' | 'update' | 'reap'
  /** Whom it is about. */
  readonly name: string
}

/** A user event as a peer delivered it. */
export interface HeardEvent {
  /** As in a `Happening`. */
  readonly at: number
  readonly name: string
  /** An agent's log tells the name alone. */
  readonly payload?: Uint8Array
  readonly ltime?: number
  readonly coalesce?: boolean
}

export interface PeerOptions {
  readonly name: string
  /** Loopback address to bind, without port. Default `127.0.0.1`. */
  readonly host?: string
  readonly profile: 'lan' | 'wan' | 'local'
  readonly tags?: Readonly<Record<string, string>>
  /** A fixed port, for a peer that comes back at its old address. Default: a free one. */
  readonly port?: number
  /** `host:port` at which others are to reach it, in place of where it listens. */
  readonly advertise?: string
  /** The cluster's label; old agents know none. */
  readonly label?: string
  /** Base64 of 16, 24 or 32 bytes. */
  readonly secretKey?: string
  /** Seeds to join as part of the start; a start whose seeds all fail rejects. */
  readonly join?: readonly string[]
  /** A file by which it finds its way back. memberlist alone has none. */
  readonly snapshotPath?: string
  /** It finds its way back after a goodbye too. */
  readonly rejoinAfterLeave?: boolean
  /** A command that runs the program, such as `ip netns exec <name>`. Default: none. */
  readonly prefix?: readonly string[]
}

export interface Peer {
  readonly kind: Kind
  readonly program: Program
  readonly name: string
  /** What it is reached at, `host:port`. */
  readonly address: string
  /** The tags it should have, by what was asked of it. */
  readonly tags: Readonly<Record<string, string>>
  /** Until it leaves, is killed or stopped. */
  readonly isRunning: boolean
  /** Why it ended although nobody asked it to, or what else it did that no healthy member does. */
  readonly failure: string | undefined
  /** User events in the order of delivery; complete once it was stopped. */
  readonly userEvents: readonly HeardEvent[]
  /** What it reported so far; complete once it was stopped. */
  readonly history: readonly Happening[]
  /** Everyone it knows, itself included, in every state. Rejects when it does not answer in time. */
  view(): Promise<ReadonlyMap<string, Sight>>
  /** Rejects when no seed was reached. */
  join(seeds: readonly string[]): Promise<void>
  /** Replaces its tags. */
  setTags(tags: Readonly<Record<string, string>>): Promise<void>
  /** Declares a dead member left; with `prune` everyone forgets it. */
  forceLeave(name: string, options?: { readonly prune?: boolean }): Promise<void>
  /** How often it told that another address claims this name. */
  conflictsAbout(name: string): number
  /** Says goodbye and ends; resolves when the process is gone. */
  leave(): Promise<void>
  /** SIGKILL; resolves with the monotonic time of the signal when the process is gone. */
  kill(): Promise<number>
  /** Ends the process without goodbye, whatever state it is in. Idempotent, never rejects. */
  stop(): Promise<void>
  /** Its last lines, for a reader of a failed test. */
  tail(): string
}

/** Milliseconds on a clock that all processes of this machine share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Waits until `missing` says nothing is missing, asking again and again. Rejects after `withinMs` with what was missing last. */
export async function until(
  what: string,
  withinMs: number,
  missing: () => Promise<string | undefined> | string | undefined,
): Promise<void> {
  const start = monotonicMs()
  for (;;) {
    const reason = await askOnce(missing)
    if (reason === undefined) return
    const passedMs = monotonicMs() - start
    if (passedMs > withinMs) throw new Error(`not within ${Math.round(withinMs)} ms: ${what}. Missing: ${reason}`)
    await new Promise((resolve) => setTimeout(resolve, 40))
  }
}

async function askOnce(missing: () => Promise<string | undefined> | string | undefined): Promise<string | undefined> {
  try {
    return await missing()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
