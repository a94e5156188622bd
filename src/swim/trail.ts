// What led to each verdict, for whoever asks later: a bounded record of what we saw and were told of members, in order.
// Two shelves of one size, so that nobody can push out what we saw ourselves by telling us things: what stands on the first comes at the
// pace of our own probes, whatever strangers send. On each shelf every member has a bounded part, and the member that was noted longest
// ago gives way first. Decides nothing, and is asked by nothing that decides. Source: ours; SWIM and Serf keep no such record.

/** Entries of one shelf: a failed probe and its verdict are about six of them. */
export const MAX_ENTRIES = 1024
/** Of these, of one member. */
export const MAX_ENTRIES_PER_MEMBER = 32
/** Stalls of our own that are remembered. */
export const MAX_STALLS = 32
/** UTF-16 units of a name that is kept beside an entry. Ours have at most 128 bytes. */
const MAX_NAME_LENGTH = 128

/** What happened; of the member that it is about, where nothing else is said. */
export type TrailEvent =
  /** No answer to our ping in time, though for so long. */
  | { readonly kind: 'unanswered'; readonly timeoutMs: number; readonly health: number }
  /** The network refused our ping. */
  | { readonly kind: 'unsendable' }
  /** Others were asked to ping it. `overStream`: it was pinged over TCP too. */
  | { readonly kind: 'helpers-asked'; readonly helpers: readonly string[]; readonly overStream: boolean }
  /** A helper says that it got no answer either. */
  | { readonly kind: 'helper-nack'; readonly helper: string }
  | { readonly kind: 'stream-answered' }
  | { readonly kind: 'stream-failed'; readonly error: string }
  /** An answer, though it was late, came through a helper, or over TCP alone; also one in time, where the member stands accused. */
  | {
      readonly kind: 'answered'
      readonly afterMs: number
      readonly how: 'directly' | 'through-helper' | 'over-stream'
      readonly helper?: string
    }
  /** The time of the probe was over without an answer. `nacks` of the `nacksWanted` helpers said so too. */
  | { readonly kind: 'probe-failed'; readonly nacks: number; readonly nacksWanted: number; readonly health: number }
  /** Accused by `by`. It is dead in `endsInMs`, unless it denies; others can shorten that where `confirmationsWanted` is not 0.
   *  `heardFrom`: the address of whoever told us in an exchange, where the accusation is another's that became ours. */
  | {
      readonly kind: 'suspected'
      readonly by: string
      readonly incarnation: number
      readonly endsInMs: number
      readonly confirmationsWanted: number
      readonly heardFrom?: string
    }
  /** Another accuses it too, the `confirmations`th beyond the first. */
  | { readonly kind: 'confirmed'; readonly by: string; readonly confirmations: number; readonly endsInMs: number }
  /** It denied. */
  | { readonly kind: 'refuted'; readonly incarnation: number }
  /** The verdict. `by` whom: ours where the time to deny was over. */
  | { readonly kind: 'dead'; readonly by: string; readonly incarnation: number }
  /** Its own goodbye. */
  | { readonly kind: 'left'; readonly incarnation: number }
  /** Alive again after it was dead or had left. */
  | { readonly kind: 'back'; readonly incarnation: number; readonly address: string }
  /** Serf's announcement that it leaves: its own, or an operator's who forces it. */
  | { readonly kind: 'leave-announced'; readonly ltime: number }
  /** Taken off the list before its time, by an operator. */
  | { readonly kind: 'erased' }
  /** Of ourselves: what `by` says of us. */
  | {
      readonly kind: 'accused'
      readonly by: string
      readonly of: 'suspect' | 'dead' | 'alive'
      readonly incarnation: number
    }
  /** Of ourselves: we denied it. */
  | { readonly kind: 'denied'; readonly incarnation: number; readonly health: number }
  /** Of ourselves, and told in the story of everybody whom it fell into: we were not there. */
  | { readonly kind: 'stalled'; readonly lengthMs: number; readonly health: number }

/** One event, when it happened. */
export type TrailEntry = TrailEvent & {
  /** Monotonic milliseconds of the host. */
  readonly atMs: number
}

interface Noted {
  /** Counts all entries: what happened in one millisecond has an order too. */
  readonly number: number
  readonly entry: TrailEntry
}

/** What is remembered of a member, oldest first. */
export interface Story {
  readonly entries: readonly TrailEntry[]
  /** Older ones that had to give way, as far as that is known: of a member of which nothing is left, it is not. */
  readonly forgotten: number
}

export class Trail {
  readonly #selfName: string
  readonly #seen = new Shelf()
  readonly #told = new Shelf()
  readonly #stalls: Noted[] = []
  #number = 0

  constructor(selfName: string) {
    this.#selfName = selfName
  }

  /** Entries held. */
  get size(): number {
    return this.#seen.size + this.#told.size + this.#stalls.length
  }

  /** What we found out ourselves: it comes at our own pace, or at that of this host's user. */
  saw(name: string, event: TrailEvent, now: number): void {
    this.#seen.add(name, this.#noted(event, now))
  }

  /** What somebody told us, be it true or not. Members of whom we have found out something ourselves give way last. */
  heard(name: string, event: TrailEvent, now: number): void {
    this.#told.add(name, this.#noted(event, now), (other) => this.#seen.has(other))
  }

  /** What follows from what was found out or told before: it stands beside that. */
  concluded(name: string, event: TrailEvent, now: number): void {
    if (this.#seen.has(name)) this.saw(name, event, now)
    else this.heard(name, event, now)
  }

  /** We were not there for so long, until now. */
  stalled(lengthMs: number, health: number, now: number): void {
    this.#stalls.push(this.#noted({ kind: 'stalled', lengthMs, health }, now))
    if (this.#stalls.length > MAX_STALLS) this.#stalls.shift()
  }

  /** All of one member, with our stalls in between; of ourselves all our stalls. */
  story(name: string): Story {
    const own = [...this.#seen.of(name), ...this.#told.of(name)].sort((one, other) => one.number - other.number)
    const isSelf = name === this.#selfName
    const [first, last] = [own[0], own.at(-1)]
    const stalls = this.#stalls.filter(
      ({ number }) =>
        isSelf || (first !== undefined && last !== undefined && number > first.number && number < last.number),
    )
    const all = [...own, ...stalls].sort((one, other) => one.number - other.number)
    return {
      entries: all.map(({ entry }) => entry),
      forgotten: this.#seen.forgotten(name) + this.#told.forgotten(name),
    }
  }

  #noted(event: TrailEvent, now: number): Noted {
    return { number: this.#number++, entry: Object.freeze({ ...event, atMs: now }) }
  }
}

/** A name as it is kept beside an entry: a stranger's is cut short. */
export function shortName(name: string): string {
  return name.length <= MAX_NAME_LENGTH ? name : `${name.slice(0, MAX_NAME_LENGTH - 1)}…`
}

/** Entries by member, the one noted last at the end. */
class Shelf {
  readonly #members = new Map<string, { noted: Noted[]; forgotten: number }>()
  #size = 0

  get size(): number {
    return this.#size
  }

  has(name: string): boolean {
    return this.#members.has(name)
  }

  of(name: string): readonly Noted[] {
    return this.#members.get(name)?.noted ?? []
  }

  forgotten(name: string): number {
    return this.#members.get(name)?.forgotten ?? 0
  }

  /** @param isSpared members that give way only where no other can */
  add(name: string, noted: Noted, isSpared: (name: string) => boolean = () => false): void {
    const known = this.#members.get(name) ?? { noted: [], forgotten: 0 }
    this.#members.delete(name)
    this.#members.set(name, known)
    known.noted.push(noted)
    this.#size++
    if (known.noted.length > MAX_ENTRIES_PER_MEMBER) this.#dropFirst(name, known)
    else if (this.#size > MAX_ENTRIES) this.#dropOldest(isSpared)
  }

  #dropOldest(isSpared: (name: string) => boolean): void {
    let first: string | undefined
    for (const name of this.#members.keys()) {
      first ??= name
      if (isSpared(name)) continue
      first = name
      break
    }
    const known = first === undefined ? undefined : this.#members.get(first)
    if (first !== undefined && known !== undefined) this.#dropFirst(first, known)
  }

  #dropFirst(name: string, known: { noted: Noted[]; forgotten: number }): void {
    known.noted.shift()
    known.forgotten++
    this.#size--
    if (known.noted.length === 0) this.#members.delete(name)
  }
}
