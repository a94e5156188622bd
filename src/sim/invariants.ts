// What must hold in every cluster, whatever happens to it: the names, what each says, and the error that tells of one that does not hold.
// Who looks at one member is member-checks.ts, at a whole cluster that has healed agreement.ts.

export type InvariantName =
  | 'incarnation-never-falls'
  | 'no-return-at-same-incarnation'
  | 'join-and-gone-alternate'
  | 'events-follow-each-other'
  | 'events-match-members'
  | 'suspicion-has-its-time'
  | 'self-is-alive'
  | 'self-is-not-told'
  | 'members-are-where-they-are'
  | 'told-once'
  | 'lamport-never-falls'
  | 'queues-within-bounds'
  | 'packets-within-budget'
  | 'health-within-bounds'
  | 'healed-cluster-agrees'
  | 'clocks-become-level'
  | 'calm-stays-calm'
  | 'news-reaches-all'
  | 'silence-is-noticed'
  | 'denial-is-heard'
  | 'calls-end'
  | 'nothing-throws'

/** Every invariant, and what it says. "Holds" is meant of one member, the observer, in one life: from its start to its end. */
export const INVARIANTS: Readonly<Record<InvariantName, string>> = {
  'incarnation-never-falls':
    'the incarnation at which an observer holds a member never falls, unless it held it for gone as long as it takes to forget it',
  'no-return-at-same-incarnation':
    'who is held for dead, left or suspect is alive again only with a higher incarnation; of one that is gone the observer may have forgotten it',
  'join-and-gone-alternate':
    'of each member an observer tells join first, then dead or left, then join again: what comes of a member that is not there is join alone',
  'events-follow-each-other':
    'what an event tells as before is what the one before told as after, and its type is what became of the member',
  'events-match-members': 'what the events told of each member is what members() says, after every step',
  'suspicion-has-its-time':
    'of its own suspicion an observer comes to a verdict no sooner than the shortest time for it, and no later than the longest of which it was there',
  'self-is-alive':
    'a member is alive to itself while it runs, is the only one that is itself, and leaves only when asked to',
  'self-is-not-told': 'no member event is about the observer itself',
  'members-are-where-they-are':
    'nobody is held who never was, or at another address than its own, or two at one address',
  'told-once': 'a user event is delivered once, and a query too',
  'lamport-never-falls': 'the Lamport clocks of a member never fall',
  'queues-within-bounds': 'what waits to be told stays within its bounds',
  'packets-within-budget': 'no packet is longer than maxPacketBytes, with all that sealing adds',
  'health-within-bounds': 'local health is a whole number from 0 to below awarenessMaxMultiplier',
  'healed-cluster-agrees':
    'once all faults are over, all that run hold each other for alive, as they are, and nobody else, within the bound of agreeWithinMs',
  'clocks-become-level':
    'in a cluster that agrees and has no faults exchanges bring all to one Lamport time of events, and one of queries, within 20 intervals of exchanges',
  'calm-stays-calm': 'in a cluster that agrees and has no faults nobody is suspected, lost or found',
  'news-reaches-all':
    'in a cluster that agrees and has no faults a user event reaches all, and a query more than half where retransmitMult is 4 or more',
  'silence-is-noticed':
    'in a cluster that agrees and has no other faults, a process that stands still is suspected within 2N + 1 probe intervals',
  'denial-is-heard':
    'one that goes on as soon as it is suspected is alive again to more than half, where the buddy system tells it, and dead to nobody meanwhile where retransmitMult is 4 or more',
  'calls-end': 'what a member was asked to do ends, in the time that it says',
  'nothing-throws': 'no task throws, no assertion fails, and nothing is left open behind a close',
}

/** An invariant does not hold. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
  readonly invariant: InvariantName
  /** The member that shows it, or `*`. */
  readonly observer: string

  constructor(invariant: InvariantName, observer: string, detail: string) {
    super(`${invariant}: ${observer}: ${detail}`)
    this.invariant = invariant
    this.observer = observer
  }
}

/** The error, or the one that is its cause, where it tells of an invariant. */
export function invariantErrorIn(error: unknown): InvariantError | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof InvariantError) return at
  return undefined
}
