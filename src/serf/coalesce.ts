// News that is held back until a storm is over, and what a host is told of it then: what came of it (serf-behaviour §29). When that is stands
// in news.ts. What happened is in the tables at once, and in the snapshot. News of other kinds is told at once, and so may come before.
import type { AnyMember, MemberState } from './members.ts'
import type { MemberNotice, SerfNotice } from './notices.ts'
import type { SerfOptions } from './options.ts'

/** Members that wait, and user events: beyond it all of them are told at once. Names in both are strangers' choice. */
export const MAX_HELD_MEMBERS = 8192
export const MAX_HELD_EVENTS = 1024

type UserEventNotice = Extract<SerfNotice, { type: 'user-event' }>

/** News of one kind that waits. */
export interface Layer {
  readonly periodMs: number
  readonly quiescentMs: number
  readonly isFull: boolean
  /** Something came since the timers were set. */
  isTouched: boolean
  /** When the period that runs is over. */
  until: number | undefined
  /** All that waits, in order; nothing waits then. */
  flush(): SerfNotice[]
}

export type LayerName = 'members' | 'events'

/** What waits of one instance. */
export class Coalescing {
  readonly #members: MemberLayer
  readonly #events: EventLayer

  constructor(
    options: Pick<
      SerfOptions,
      'coalescePeriodMs' | 'quiescentPeriodMs' | 'userCoalescePeriodMs' | 'userQuiescentPeriodMs'
    >,
  ) {
    this.#members = new MemberLayer(options.coalescePeriodMs, options.quiescentPeriodMs)
    this.#events = new EventLayer(options.userCoalescePeriodMs, options.userQuiescentPeriodMs)
  }

  /** True where the notice waits: it comes again, or what came of it. */
  holds(notice: SerfNotice): boolean {
    if (notice.type === 'user-event') return this.#events.holds(notice)
    return isMemberNotice(notice) && this.#members.holds(notice)
  }

  layer(name: LayerName): Layer {
    return name === 'members' ? this.#members : this.#events
  }

  /** True if anything waits. */
  get isHolding(): boolean {
    return this.#members.until !== undefined || this.#events.until !== undefined
  }
}

// ---- members -------------------------------------------------------------------------------------------------------

/** Kinds that say whether somebody is there. The others tell of one that is. */
type Passage = 'member-join' | 'member-dead' | 'member-left' | 'member-reap'

const PASSAGES: readonly unknown[] = ['member-join', 'member-dead', 'member-left', 'member-reap'] satisfies Passage[]

/** What came to pass of one member. */
interface Course {
  /** As the host was last told; absent where it never was. */
  readonly before: AnyMember | undefined
  after: AnyMember
  /** The last of its kind. */
  passage: Passage | undefined
  /** As the last join found it. */
  joinedAs: MemberState
  isUpdated: boolean
}

class MemberLayer implements Layer {
  readonly periodMs: number
  readonly quiescentMs: number
  isTouched = false
  until: number | undefined
  /** By name, in the order of the first news. */
  #courses = new Map<string, Course>()

  constructor(periodMs: number, quiescentMs: number) {
    this.periodMs = periodMs
    this.quiescentMs = quiescentMs
  }

  get isFull(): boolean {
    return this.#courses.size >= MAX_HELD_MEMBERS
  }

  holds({ type, member, previous }: MemberNotice): boolean {
    if (this.periodMs === 0) return false
    let course = this.#courses.get(member.name)
    if (course === undefined) {
      course = { before: previous, after: member, passage: undefined, joinedAs: 'alive', isUpdated: false }
      this.#courses.set(member.name, course)
    }
    course.after = member
    if (isPassage(type)) course.passage = type
    if (type === 'member-join') course.joinedAs = member.state
    if (type === 'member-update') course.isUpdated = true
    this.isTouched = true
    return true
  }

  // Differs: Serf keeps what it has told, and tells the last update of each member again whenever anything else is told.
  flush(): MemberNotice[] {
    const courses = [...this.#courses.values()]
    this.#courses = new Map()
    return courses.flatMap((course) => [...storyOf(course)])
  }
}

/** What a host is told of a course, each notice beginning where the one before it ended: whether the member is there, its state, its tags.
 *  What came and went meanwhile is hidden, as with Serf, which tells the last kind alone, and not where that is the kind it told last.
 *  Differs: Serf tells only the update of a member that is new and has changed its tags, and never its join. */
function* storyOf(course: Course): Generator<MemberNotice> {
  const { before, after, joinedAs, isUpdated } = course
  const passage = before === undefined ? (course.passage ?? 'member-join') : course.passage
  let told = before
  let areTagsTold = false
  if (passage !== undefined && !isHidden(passage, before, after)) {
    const member = passage === 'member-join' ? withState(after, joinedAs) : after
    yield { type: passage, member, previous: told }
    told = member
    areTagsTold = true
  }
  if (told === undefined || !isPresent(told.state) || !isPresent(after.state)) return
  if (told.state !== after.state) {
    const member = Object.freeze({ ...after, tags: told.tags, rawTags: told.rawTags })
    yield { type: SAID_OF[after.state], member, previous: told }
    told = member
  }
  if (!areTagsTold && (isUpdated || !haveSameTags(told, after))) {
    yield { type: 'member-update', member: after, previous: told }
  }
}

/** Whether a host knows already, since it was told so before the course began.
 *  Differs: Serf says nothing of a member that was lost and is back at another address or with other tags before its loss was told. */
function isHidden(passage: Passage, before: AnyMember | undefined, after: AnyMember): boolean {
  switch (passage) {
    case 'member-join':
      return before !== undefined && isPresent(before.state) && before.address === after.address
    case 'member-dead':
      return before?.state === 'dead'
    case 'member-left':
      return before?.state === 'left'
    case 'member-reap':
      return false
  }
}

type Present = 'alive' | 'suspect' | 'leaving'

const SAID_OF = {
  alive: 'member-recover',
  suspect: 'member-suspect',
  leaving: 'member-leaving',
} as const satisfies Record<Present, MemberNotice['type']>

function isPresent(state: MemberState): state is Present {
  return Object.hasOwn(SAID_OF, state)
}

function isPassage(type: MemberNotice['type']): type is Passage {
  return PASSAGES.includes(type)
}

function isMemberNotice(notice: SerfNotice): notice is MemberNotice {
  return notice.type.startsWith('member-')
}

function withState(member: AnyMember, state: MemberState): AnyMember {
  return member.state === state ? member : Object.freeze({ ...member, state })
}

function haveSameTags({ rawTags: left }: AnyMember, { rawTags: right }: AnyMember): boolean {
  if (left === right) return true
  const names = Object.keys(left)
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name])
}

// ---- user events ---------------------------------------------------------------------------------------------------

/** Of those of one name that may be coalesced the newest are told: all of that time, since each may carry something else. */
class EventLayer implements Layer {
  readonly periodMs: number
  readonly quiescentMs: number
  isTouched = false
  until: number | undefined
  #latest = new Map<string, UserEventNotice[]>()
  #count = 0

  constructor(periodMs: number, quiescentMs: number) {
    this.periodMs = periodMs
    this.quiescentMs = quiescentMs
  }

  get isFull(): boolean {
    return this.#count >= MAX_HELD_EVENTS
  }

  holds(event: UserEventNotice): boolean {
    if (this.periodMs === 0 || !event.coalesce) return false
    this.isTouched = true
    const held = this.#latest.get(event.name) ?? []
    const heldLtime = held[0]?.ltime ?? -1
    if (event.ltime < heldLtime) return true
    if (event.ltime === heldLtime) {
      held.push(event)
      this.#count++
    } else {
      this.#latest.set(event.name, [event])
      this.#count += 1 - held.length
    }
    return true
  }

  flush(): UserEventNotice[] {
    const events = [...this.#latest.values()].flat()
    this.#latest = new Map()
    this.#count = 0
    return events
  }
}
