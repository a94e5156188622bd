// Looks at one member through one of its lives, from outside: what it holds, what it tells, what it sends. Throws the first lie. Made to
// be asked after every step: what has not changed since, by identity, is not looked at again. Reads the member, changes nothing.
import type { MembershipEvent } from '../events.ts'
import type { Membership } from '../membership.ts'
import type { Member, MemberState } from '../serf/members.ts'
import { InvariantError, type InvariantName } from './invariants.ts'
import {
  isOwnVerdict,
  type SeenSuspicion,
  type SuspicionRules,
  seenSuspicion,
  wrongLength,
} from './suspicion-checks.ts'

/** What is looked at: a `Membership`, or something that lies as one. */
export type Observed = Pick<Membership, 'status' | 'health' | 'members'> & {
  stats(): Pick<ReturnType<Membership['stats']>, 'queues' | 'ltimes'>
  explain(name: string): Pick<ReturnType<Membership['explain']>, 'entries'>
}

/** What is known of the member beforehand: its options, and its world. */
export interface Expected extends SuspicionRules {
  readonly name: string
  /** The observer's own clock. */
  now(): number
  /** For how long the observer was not there when it was to be, until now. */
  absentMs(): number
  /** `host:port` of a member of that name; absent where there never was one. */
  addressOf(name: string): string | undefined
  /** How many there ever were, by name. */
  names(): number
  /** How many lives a member of that name has had: a query of a new one is another, though it be word for word the same. */
  livesOf(name: string): number
  readonly gossipToTheDeadMs: number
  readonly awarenessMaxMultiplier: number
  readonly maxPacketBytes: number
  readonly maxQueueDepth: number
  readonly minQueueDepth: number
  /** Above 0 members' news comes late, and not all of it. */
  readonly coalescePeriodMs: number
}

interface Held {
  view: Member
  /** Since when it has been dead or left without a break, on the observer's clock. */
  goneSince: number | undefined
  suspicion: SeenSuspicion | undefined
}

const KINDS = ['members', 'events', 'queries'] as const
/** Deliveries remembered; far more than a member's own memory holds. */
const MAX_DELIVERIES = 65_536

const BECOMES = {
  'member-join': ['alive', 'leaving'],
  'member-suspect': ['suspect'],
  'member-recover': ['alive'],
  'member-dead': ['dead'],
  'member-leaving': ['leaving'],
  'member-left': ['left'],
} as const satisfies Record<string, readonly MemberState[]>

export class MemberChecks {
  readonly #observed: Observed
  readonly #expected: Expected
  readonly #held = new Map<string, Held>()
  /** State of each member as the last event told it. */
  readonly #told = new Map<string, MemberState>()
  readonly #delivered = new Set<string>()
  #ltimes = { members: 0, events: 0, queries: 0 }
  #mostMembers = 0

  constructor(observed: Observed, expected: Expected) {
    this.#observed = observed
    this.#expected = expected
  }

  /** After every step. @throws InvariantError */
  look(): void {
    const { status } = this.#observed
    if (status === 'idle' || status === 'closed') return
    const members = this.#observed.members()
    if (this.#held.size === 0 && members.length === 0) return // it is just starting
    for (const member of members) {
      const held = this.#held.get(member.name)
      if (held?.view !== member) this.#lookAt(member, held, members)
    }
    if (members.length < this.#held.size) this.#forgetAllBut(members)
    this.#lookAtEvents(members)
    this.#lookAtNumbers(members.length)
  }

  /** An event, when it is told. @throws InvariantError */
  told(event: MembershipEvent): void {
    switch (event.type) {
      case 'user-event':
        this.#deliver(`event ${event.name} at ${event.ltime} ${hex(event.payload)}`)
        return
      case 'query': {
        const { name, from, ltime, payload } = event
        this.#deliver(`query ${name} of ${from}, in life ${this.#expected.livesOf(from)}, at ${ltime} ${hex(payload)}`)
        return
      }
      case 'conflict':
      case 'warning':
      case 'closed':
        return
      default:
        this.#toldOf(event)
    }
  }

  /** A packet, before it goes. @throws InvariantError */
  sent(packet: Uint8Array): void {
    const { maxPacketBytes } = this.#expected
    if (packet.length <= maxPacketBytes) return
    this.#fail('packets-within-budget', `a packet of ${packet.length} bytes, ${maxPacketBytes} are allowed`)
  }

  #lookAt(member: Member, held: Held | undefined, members: readonly Member[]): void {
    const now = this.#expected.now()
    const { name, state, incarnation } = member
    this.#checkPlace(member)
    if (member.isSelf) this.#checkSelf(member)
    const suspicion = this.#checkSuspicion(member, held, members)
    if (held === undefined) {
      this.#held.set(name, { view: member, goneSince: isGone(state) ? now : undefined, suspicion })
      return
    }
    held.suspicion = suspicion
    const { view, goneSince } = held
    const mayBeForgotten = goneSince !== undefined && now - goneSince >= this.#expected.gossipToTheDeadMs
    if (!mayBeForgotten) this.#checkIncarnation(view, member)
    held.view = member
    held.goneSince = isGone(state) ? (goneSince ?? now) : undefined
    if (isGone(state) && mayBeForgotten && incarnation < view.incarnation) held.goneSince = now
  }

  #checkIncarnation(before: Member, after: Member): void {
    const { name } = after
    const [was, is] = [before.incarnation, after.incarnation]
    if (is < was) this.#fail('incarnation-never-falls', `${name} was at ${was}, and is at ${is}`)
    const isBack = isGone(before.state) && !isGone(after.state)
    const isDenied = before.state === 'suspect' && after.state === 'alive'
    if ((isBack || isDenied) && is === was) {
      const change = `${before.state}, and is ${after.state}, at incarnation ${is}`
      this.#fail('no-return-at-same-incarnation', `${name} was ${change}`)
    }
  }

  /** Gives the suspicion of `after` as it is seen now. */
  #checkSuspicion(after: Member, held: Held | undefined, members: readonly Member[]): SeenSuspicion | undefined {
    const { view: before, suspicion: seen } = held ?? {}
    if (seen === undefined && after.state !== 'suspect') return undefined
    const now = this.#expected.now()
    const absentMs = this.#expected.absentMs()
    if (seen !== undefined && isGone(after.state) && this.#observed.status === 'running') {
      const { name } = after
      const wrong = wrongLength(seen, now, absentMs, this.#expected)
      if (wrong !== undefined && isOwnVerdict(this.#observed.explain(name), this.#expected.name, seen)) {
        this.#fail('suspicion-has-its-time', `its suspicion of ${name} ends in a verdict ${wrong}`)
      }
    }
    const least = members.reduce((count, { state }) => (isGone(state) ? count : count + 1), 0)
    const most = Math.max(this.#mostMembers, members.length)
    return seenSuspicion(seen, before, after, { earliestAt: now, latestAt: now, absentMs, least, most })
  }

  #checkPlace({ name, address }: Member): void {
    const own = this.#expected.addressOf(name)
    if (own === undefined) this.#fail('members-are-where-they-are', `${name} at ${address} never was`)
    if (own !== address)
      this.#fail('members-are-where-they-are', `${name} is held to be at ${address}, and is at ${own}`)
  }

  #checkSelf({ name, state }: Member): void {
    if (name !== this.#expected.name) this.#fail('self-is-alive', `it holds itself to be ${name}`)
    if (state === 'alive' || (this.#observed.status === 'leaving' && state !== 'dead' && state !== 'suspect')) return
    this.#fail('self-is-alive', `it is ${state} to itself, and ${this.#observed.status}`)
  }

  /** Who was erased from the list may come back as it was. */
  #forgetAllBut(members: readonly Member[]): void {
    const names = new Set(members.map(({ name }) => name))
    for (const name of this.#held.keys()) if (!names.has(name)) this.#held.delete(name)
  }

  #lookAtEvents(members: readonly Member[]): void {
    if (this.#expected.coalescePeriodMs > 0) return
    let others = 0
    for (const { name, state, isSelf } of members) {
      if (isSelf) continue
      others++
      const told = this.#told.get(name)
      if (told !== state)
        this.#fail('events-match-members', `${name} is ${state}, and was told to be ${told ?? 'nobody'}`)
    }
    if (others !== members.length - 1) this.#fail('self-is-alive', `it holds ${members.length - others} for itself`)
    if (this.#told.size === others) return
    const names = new Set(members.map(({ name }) => name))
    for (const name of this.#told.keys()) {
      if (!names.has(name)) this.#fail('events-match-members', `${name} is erased, and that was not told`)
    }
  }

  #lookAtNumbers(members: number): void {
    const { health } = this.#observed
    const { awarenessMaxMultiplier, maxQueueDepth, minQueueDepth } = this.#expected
    if (!Number.isInteger(health) || health < 0 || health >= awarenessMaxMultiplier) {
      this.#fail('health-within-bounds', `local health is ${health}, of ${awarenessMaxMultiplier}`)
    }
    const { queues, ltimes } = this.#observed.stats()
    for (const kind of KINDS) {
      const [was, is] = [this.#ltimes[kind], ltimes[kind]]
      if (is < was) this.#fail('lamport-never-falls', `the clock of ${kind} was at ${was}, and is at ${is}`)
    }
    this.#ltimes = ltimes
    this.#mostMembers = Math.max(this.#mostMembers, members)
    const depth = minQueueDepth > 0 ? Math.max(minQueueDepth, 2 * this.#mostMembers) : maxQueueDepth
    this.#checkQueue('claims', queues.claims, this.#expected.names())
    this.#checkQueue('intents', queues.intents, Math.max(depth, 2 * this.#mostMembers))
    this.#checkQueue('queries', queues.queries, depth)
    this.#checkQueue('events', queues.events, depth)
  }

  #checkQueue(kind: string, is: number, most: number): void {
    if (is > most) this.#fail('queues-within-bounds', `${is} ${kind} wait, ${most} are allowed`)
  }

  #toldOf({ type, member, previous }: Extract<MembershipEvent, { member: Member }>): void {
    const { name, state, isSelf } = member
    if (isSelf || name === this.#expected.name) this.#fail('self-is-not-told', `it tells ${type} of itself`)
    const last = this.#told.get(name)
    if (this.#expected.coalescePeriodMs === 0) this.#checkOrder(type, name, last)
    if (previous?.state !== last) {
      const told = `${type} of ${name}, which was ${previous?.state ?? 'nobody'}`
      this.#fail('events-follow-each-other', `it tells ${told}, after it was told to be ${last ?? 'nobody'}`)
    }
    const becomes: readonly MemberState[] | undefined =
      type in BECOMES ? BECOMES[type as keyof typeof BECOMES] : undefined
    // What is told together may have become something else on the way to being erased.
    const isOther = this.#expected.coalescePeriodMs === 0 && state !== previous?.state
    if (becomes !== undefined ? !becomes.includes(state) : isOther) {
      this.#fail('events-follow-each-other', `it tells ${type} of ${name}, which is ${state}`)
    }
    if (type === 'member-reap') this.#told.delete(name)
    else this.#told.set(name, state)
  }

  #checkOrder(type: string, name: string, last: MemberState | undefined): void {
    const isThere = last !== undefined && !isGone(last)
    const fits =
      type === 'member-join'
        ? !isThere
        : type === 'member-reap'
          ? last !== undefined
          : type === 'member-left'
            ? isThere || last === 'dead'
            : isThere
    if (!fits) this.#fail('join-and-gone-alternate', `it tells ${type} of ${name}, which was ${last ?? 'nobody'}`)
  }

  #deliver(what: string): void {
    if (this.#delivered.has(what)) this.#fail('told-once', `it delivers twice: ${what}`)
    if (this.#delivered.size >= MAX_DELIVERIES) this.#delivered.clear()
    this.#delivered.add(what)
  }

  #fail(invariant: InvariantName, detail: string): never {
    throw new InvariantError(invariant, this.#expected.name, detail)
  }
}

function isGone(state: MemberState): boolean {
  return state === 'dead' || state === 'left'
}

function hex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}
