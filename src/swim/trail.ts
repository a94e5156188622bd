// What led to each verdict, for whoever asks later: a bounded record of what we saw and were told of members, in order.
// Four shelves, so that nobody can push out what we saw ourselves by telling us things: what stands on the first comes at the pace of our
// own probes, whatever strangers send; on the second stands what was told of the same members, and of whoever answered a probe of ours, on
// the third what was told of others, whom a stranger may have invented, on the fourth what was told of ourselves. On each shelf every
// member has a bounded part, and the member that was noted longest ago gives way first.
// Decides nothing, and is asked by nothing that decides. Source: ours; SWIM and Serf keep no such record.

/** Entries of the first shelf: a failed probe is about six of them. */
export const MAX_SEEN = 1024
/** Entries of the second, and of the third. On the fourth stands one member alone. */
export const MAX_TOLD = 512
/** Of each shelf, entries of one member. */
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
  /** Our own socket could not send our ping: the probe ended without a verdict. */
  | { readonly kind: 'unsent' }
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
  /** Nearly over, and few others accuse it: it was told once more. */
  | { readonly kind: 'last-ping' }
  /** `by` declared it dead, whom we hold for well: we asked it ourselves. */
  | { readonly kind: 'verdict-doubted'; readonly by: string; readonly incarnation: number }
  /** It answered that question after so long: the verdict is not believed. */
  | { readonly kind: 'verdict-refused'; readonly afterMs: number }
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
  /** Another accuses it too, the `confirmations`th beyond the first. `heardFrom` as above. */
  | {
      readonly kind: 'confirmed'
      readonly by: string
      readonly confirmations: number
      readonly endsInMs: number
      readonly heardFrom?: string
    }
  /** It denied. */
  | { readonly kind: 'refuted'; readonly incarnation: number }
  /** The verdict. `by` whom: ours where the time to deny was over, but for one in our name that we were told, `heardFrom` that address. */
  | { readonly kind: 'dead'; readonly by: string; readonly incarnation: number; readonly heardFrom?: string }
  /** Its own goodbye. */
  | { readonly kind: 'left'; readonly incarnation: number }
  /** Alive again after it was dead or had left. */
  | { readonly kind: 'back'; readonly incarnation: number; readonly address: string }
  /** Serf's announcement that it leaves: its own, or an operator's who forces it. */
  | { readonly kind: 'leave-announced'; readonly ltime: number }
  /** Taken off the list before its time, by an operator. */
  | { readonly kind: 'erased' }
  /** Of ourselves: what `by` says of us; an address where that bears no name. */
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

interface NotedStall extends Noted {
  /** The longest that a probe may have taken when it fell. */
  readonly probeMs: number
}

/** What is remembered of a member, oldest first. */
export interface Story {
  readonly entries: readonly TrailEntry[]
  /** Older ones that had to give way, as far as that is known: of a member of which nothing is left, it is not. */
  readonly forgotten: number
}

export interface TrailSetup {
  readonly selfName: string
  readonly probeIntervalMs: number
  /** Whether a member has ever answered a probe of ours: then nobody invented it. */
  hasAnswered(name: string): boolean
}

export class Trail {
  readonly #setup: TrailSetup
  readonly #seen = new Shelf(MAX_SEEN)
  readonly #toldOfSeen = new Shelf(MAX_TOLD)
  readonly #toldOfOthers = new Shelf(MAX_TOLD)
  readonly #toldOfUs = new Shelf(MAX_ENTRIES_PER_MEMBER)
  readonly #stalls: NotedStall[] = []
  #number = 0

  constructor(setup: TrailSetup) {
    this.#setup = setup
  }

  /** Entries held. */
  get size(): number {
    return this.#shelves.reduce((size, shelf) => size + shelf.size, this.#stalls.length)
  }

  /** What we found out ourselves: it comes at our own pace, or at that of this host's user. */
  saw(name: string, event: TrailEvent, now: number): void {
    this.#seen.add(name, this.#noted(event, now))
  }

  /** What we concluded at the end of a time that somebody else may have begun: ours to tell, but of whom a stranger may have invented it
   *  comes at the pace of the stranger. */
  concluded(name: string, event: TrailEvent, now: number): void {
    if (name === this.#setup.selfName || this.#isReal(name)) this.saw(name, event, now)
    else this.heard(name, event, now)
  }

  /** What somebody told us, be it true or not, and what follows from it. */
  heard(name: string, event: TrailEvent, now: number): void {
    this.#shelfOfTold(name).add(name, this.#noted(event, now))
  }

  /** We were not there for so long, until now. */
  stalled(lengthMs: number, health: number, now: number): void {
    const probeMs = this.#setup.probeIntervalMs * (health + 1)
    this.#stalls.push({ ...this.#noted({ kind: 'stalled', lengthMs, health }, now), probeMs })
    if (this.#stalls.length > MAX_STALLS) this.#stalls.shift()
  }

  /** All of one member, with the stalls of ours that fell into it; of ourselves all our stalls.
   *  @param isOpen it stands accused: more is to come */
  story(name: string, isOpen = false): Story {
    const own = this.#shelves.flatMap((shelf) => shelf.of(name)).sort((one, other) => one.number - other.number)
    const [first, last] = [own[0], own.at(-1)]
    const stalls = this.#stalls.filter((stall) => {
      if (name === this.#setup.selfName) return true
      if (first === undefined || last === undefined) return false
      return reaches(stall, first) && (isOpen || stall.number < last.number)
    })
    const all = [...own, ...stalls].sort((one, other) => one.number - other.number)
    return {
      entries: all.map(({ entry }) => entry),
      forgotten: this.#shelves.reduce((count, shelf) => count + shelf.forgotten(name), 0),
    }
  }

  #shelfOfTold(name: string): Shelf {
    if (name === this.#setup.selfName) return this.#toldOfUs
    return this.#isReal(name) ? this.#toldOfSeen : this.#toldOfOthers
  }

  /** Known by more than hearsay. */
  #isReal(name: string): boolean {
    return this.#seen.has(name) || this.#setup.hasAnswered(name)
  }

  get #shelves(): readonly Shelf[] {
    return [this.#seen, this.#toldOfSeen, this.#toldOfOthers, this.#toldOfUs]
  }

  #noted(event: TrailEvent, now: number): Noted {
    return { number: this.#number++, entry: Object.freeze({ ...event, atMs: now }) }
  }
}

/** Whether a stall fell into what begins with `first`: a probe leaves its first entry when it fails, and had begun before. */
function reaches(stall: NotedStall, first: Noted): boolean {
  return stall.number > first.number || first.entry.atMs - stall.entry.atMs <= stall.probeMs
}

/** A name as it is kept beside an entry: a stranger's is cut short. */
export function shortName(name: string): string {
  return name.length <= MAX_NAME_LENGTH ? name : `${name.slice(0, MAX_NAME_LENGTH - 1)}…`
}

interface Part {
  readonly noted: Noted[]
  forgotten: number
}

/** Entries by member, the one noted last at the end. */
class Shelf {
  readonly #maxEntries: number
  readonly #members = new Map<string, Part>()
  #size = 0

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries
  }

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

  add(name: string, noted: Noted): void {
    const part = this.#members.get(name) ?? { noted: [], forgotten: 0 }
    this.#members.delete(name)
    this.#members.set(name, part)
    part.noted.push(noted)
    this.#size++
    if (part.noted.length > MAX_ENTRIES_PER_MEMBER) this.#dropFirst(name, part)
    if (this.#size <= this.#maxEntries) return
    const oldest = this.#members.entries().next().value
    if (oldest !== undefined) this.#dropFirst(...oldest)
  }

  #dropFirst(name: string, part: Part): void {
    part.noted.shift()
    part.forgotten++
    this.#size--
    if (part.noted.length === 0) this.#members.delete(name)
  }
}
