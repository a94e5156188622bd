// Each checker is fed a lie by something that lies as a member, and the truth that is nearest to it, which it must let pass.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { utf8 } from '../../../src/base/bytes.ts'
import type { MembershipEvent } from '../../../src/events.ts'
import type { Status } from '../../../src/lifecycle.ts'
import type { Member, MemberState } from '../../../src/serf/members.ts'
import { InvariantError, type InvariantName } from '../../../src/sim/invariants.ts'
import { type Expected, MemberChecks } from '../../../src/sim/member-checks.ts'

const FORGET_MS = 30_000

/** A member that says what it is told to say. */
class Liar {
  status: Status = 'running'
  health = 0
  list: Member[] = [memberOf('us', 'alive', 1)]
  queues = { claims: 0, intents: 0, queries: 0, events: 0 }
  ltimes = { members: 1, events: 1, queries: 1 }
  now = 0
  absentMs = 0
  /** Whose verdict the last one was. */
  judge = 'third'
  readonly checks: MemberChecks

  constructor(more: Partial<Expected> = {}) {
    this.checks = new MemberChecks(this, {
      name: 'us',
      now: () => this.now,
      absentMs: () => this.absentMs,
      probeIntervalMs: 1000,
      suspicionMult: 4,
      suspicionMaxTimeoutMult: 6,
      addressOf: (name) => (name === 'ghost' ? undefined : addressOf(name)),
      names: () => 3,
      livesOf: () => 1,
      gossipToTheDeadMs: FORGET_MS,
      awarenessMaxMultiplier: 8,
      maxPacketBytes: 1400,
      maxQueueDepth: 16,
      minQueueDepth: 0,
      coalescePeriodMs: 0,
      ...more,
    })
    this.checks.look()
  }

  members(): readonly Member[] {
    return this.list
  }

  stats() {
    return { queues: this.queues, ltimes: this.ltimes }
  }

  explain() {
    const verdict = { kind: 'dead', by: this.judge, incarnation: 1, atMs: this.now, ageMs: 0 } as const
    return { entries: [verdict] }
  }

  /** Tells that `name` becomes so, holds it so, and is looked at. */
  become(type: Extract<MembershipEvent['type'], `member-${string}`>, state: MemberState, incarnation: number): this {
    this.tell(type, state, incarnation)
    return this.hold(state, incarnation)
  }

  tell(type: Extract<MembershipEvent['type'], `member-${string}`>, state: MemberState, incarnation = 1): this {
    const previous = this.list.find(({ name }) => name === 'other')
    const event = {
      type,
      member: memberOf('other', state, incarnation),
      ...(previous === undefined ? {} : { previous }),
    }
    this.checks.told(event as MembershipEvent)
    return this
  }

  hold(state: MemberState, incarnation = 1): this {
    this.list = [memberOf('us', 'alive', 1), memberOf('other', state, incarnation)]
    this.checks.look()
    return this
  }
}

function addressOf(name: string): string {
  return `10.0.0.${name.length}:7946`
}

function memberOf(name: string, state: MemberState, incarnation: number, more: Partial<Member> = {}): Member {
  const protocol = { min: 2, max: 5, current: 5 }
  const address = addressOf(name)
  const place = { address, host: address.slice(0, -5), port: 7946 }
  return { name, state, incarnation, tags: {}, rawTags: {}, isSelf: name === 'us', protocol, ...place, ...more }
}

function userEvent(name: string, ltime: number, payload = 'a'): MembershipEvent {
  return { type: 'user-event', name, payload: utf8(payload), ltime, coalesce: false, unpack: () => undefined }
}

function queryEvent(ltime: number): MembershipEvent {
  const more = { payload: utf8('a'), from: 'other', ltime, deadlineMs: 1, unpack: () => undefined, respond: () => {} }
  return { type: 'query', name: 'disk', ...more }
}

function violates(invariant: InvariantName, lie: () => unknown): void {
  assert.throws(
    lie,
    (error) => error instanceof InvariantError && error.invariant === invariant && error.observer === 'us',
  )
}

describe('incarnation-never-falls', () => {
  it('lets one rise, and fall once the member was held for gone as long as it takes to forget it', () => {
    const liar = new Liar().become('member-join', 'alive', 5).hold('alive', 6)
    liar.become('member-suspect', 'suspect', 6).become('member-dead', 'dead', 7)
    liar.now += FORGET_MS
    liar.become('member-join', 'alive', 1)
  })

  it('catches one that falls', () => {
    violates('incarnation-never-falls', () => new Liar().become('member-join', 'alive', 5).hold('alive', 4))
  })

  it('catches one that falls a millisecond before the member could be forgotten', () => {
    const liar = new Liar().become('member-join', 'alive', 5).become('member-dead', 'dead', 5)
    liar.now += FORGET_MS - 1
    violates('incarnation-never-falls', () => liar.become('member-join', 'alive', 1))
  })

  it('counts the time anew for one that came back meanwhile', () => {
    const liar = new Liar().become('member-join', 'alive', 5).become('member-dead', 'dead', 5)
    liar.now += FORGET_MS - 1
    liar.become('member-join', 'alive', 6).become('member-dead', 'dead', 6)
    liar.now += 2
    violates('incarnation-never-falls', () => liar.become('member-join', 'alive', 1))
  })
})

describe('suspicion-has-its-time', () => {
  /** Two hold each other, and one of them the other for suspect. */
  const suspecting = (): Liar => new Liar().become('member-join', 'alive', 1).become('member-suspect', 'suspect', 1)

  it('lets one come to a verdict in its time, later by as long as it was not there, and believe others at once', () => {
    // Of two there is nobody to confirm: the longest is the shortest.
    for (const [afterMs, absentMs, judge] of [
      [4000, 0, 'us'],
      [9000, 5000, 'us'],
      [10, 0, 'third'],
    ] as const) {
      const liar = suspecting()
      Object.assign(liar, { now: afterMs, absentMs, judge })
      liar.become('member-dead', 'dead', 1)
    }
  })

  it('catches a verdict of its own that comes too soon, or too late', () => {
    for (const [afterMs, absentMs] of [
      [3999, 0],
      [9000, 4990],
    ] as const) {
      const liar = suspecting()
      Object.assign(liar, { now: afterMs, absentMs, judge: 'us' })
      violates('suspicion-has-its-time', () => liar.become('member-dead', 'dead', 1))
    }
  })

  it('counts anew for one who denied', () => {
    const liar = suspecting()
    liar.judge = 'us'
    liar.now = 3000
    liar.become('member-recover', 'alive', 2).become('member-suspect', 'suspect', 2)
    liar.now = 6999
    violates('suspicion-has-its-time', () => liar.become('member-dead', 'dead', 2))
  })
})

describe('no-return-at-same-incarnation', () => {
  it('lets a higher one bring back who is dead or left, and deny a suspicion', () => {
    const liar = new Liar().become('member-join', 'alive', 1)
    liar.become('member-suspect', 'suspect', 1).become('member-recover', 'alive', 2)
    liar.become('member-dead', 'dead', 2).become('member-join', 'alive', 3)
    liar.become('member-left', 'left', 3).become('member-join', 'alive', 4)
  })

  it('lets one who was erased come back as it was', () => {
    const liar = new Liar().become('member-join', 'alive', 1).become('member-left', 'left', 1)
    liar.tell('member-reap', 'left')
    liar.list = [memberOf('us', 'alive', 1)]
    liar.checks.look()
    liar.become('member-join', 'alive', 1)
  })

  for (const [type, state] of [
    ['member-dead', 'dead'],
    ['member-left', 'left'],
  ] as const) {
    it(`catches one that is back from ${state} at the same`, () => {
      const liar = new Liar().become('member-join', 'alive', 3).become(type, state, 3)
      violates('no-return-at-same-incarnation', () => liar.become('member-join', 'alive', 3))
    })
  }

  it('catches a suspicion that ends without a denial', () => {
    const liar = new Liar().become('member-join', 'alive', 3).become('member-suspect', 'suspect', 3)
    violates('no-return-at-same-incarnation', () => liar.become('member-recover', 'alive', 3))
  })
})

describe('join-and-gone-alternate', () => {
  it('lets one that died be told to have left after all, and be erased', () => {
    const liar = new Liar().become('member-join', 'alive', 1).become('member-dead', 'dead', 1)
    liar.become('member-left', 'left', 1).tell('member-reap', 'left')
  })

  it('catches a second join, and a second death', () => {
    violates('join-and-gone-alternate', () => new Liar().become('member-join', 'alive', 1).tell('member-join', 'alive'))
    const dead = new Liar().become('member-join', 'alive', 1).become('member-dead', 'dead', 1)
    violates('join-and-gone-alternate', () => dead.tell('member-dead', 'dead'))
    const left = new Liar().become('member-join', 'alive', 1).become('member-left', 'left', 1)
    violates('join-and-gone-alternate', () => left.tell('member-dead', 'dead'))
  })

  it('catches news of one that is not there', () => {
    for (const type of ['member-suspect', 'member-dead', 'member-left', 'member-update', 'member-reap'] as const) {
      violates('join-and-gone-alternate', () => new Liar().tell(type, 'dead'))
    }
    const gone = new Liar().become('member-join', 'alive', 1).become('member-dead', 'dead', 1)
    violates('join-and-gone-alternate', () => gone.tell('member-update', 'dead'))
  })

  it('is not asked for where news is told together, and what came and went is hidden', () => {
    new Liar({ coalescePeriodMs: 1000 }).tell('member-dead', 'dead')
  })
})

describe('events-follow-each-other', () => {
  it('catches an event that begins where the last one did not end', () => {
    const liar = new Liar().become('member-join', 'alive', 1)
    liar.list = [memberOf('us', 'alive', 1), memberOf('other', 'suspect', 1)]
    violates('events-follow-each-other', () => liar.tell('member-dead', 'dead'))
  })

  it('catches a type that is not what became of the member', () => {
    violates('events-follow-each-other', () => new Liar().tell('member-join', 'suspect'))
    const liar = new Liar().become('member-join', 'alive', 1)
    violates('events-follow-each-other', () => liar.tell('member-suspect', 'alive'))
    const other = new Liar().become('member-join', 'alive', 1)
    violates('events-follow-each-other', () => other.tell('member-update', 'suspect'))
  })
})

describe('events-match-members', () => {
  it('catches a change that was not told, one that was told and is not, and one erased in silence', () => {
    violates('events-match-members', () => new Liar().become('member-join', 'alive', 1).hold('suspect'))
    violates('events-match-members', () => new Liar().hold('alive'))
    const liar = new Liar().become('member-join', 'alive', 1)
    liar.tell('member-dead', 'dead')
    violates('events-match-members', () => liar.hold('alive'))
    const erased = new Liar().become('member-join', 'alive', 1)
    erased.list = [memberOf('us', 'alive', 1)]
    violates('events-match-members', () => erased.checks.look())
  })

  it('is not asked for where news is held back', () => {
    new Liar({ coalescePeriodMs: 1000 }).hold('alive')
  })
})

describe('self-is-alive', () => {
  it('catches one that comes to hold nobody, not even itself', () => {
    const liar = new Liar().become('member-join', 'alive', 1)
    liar.list = []
    violates('self-is-alive', () => liar.checks.look())
  })

  it('lets one that was asked to leave be leaving and left to itself', () => {
    const liar = new Liar()
    liar.status = 'leaving'
    for (const state of ['leaving', 'left'] as const) {
      liar.list = [memberOf('us', state, 1)]
      liar.checks.look()
    }
  })

  it('looks at nobody who has not started, or is closed', () => {
    const liar = new Liar()
    liar.list = [memberOf('us', 'dead', 1)]
    for (const status of ['idle', 'closed'] as const) {
      liar.status = status
      liar.checks.look()
    }
  })

  it('catches one that is anything else while it runs, or dead while it leaves', () => {
    for (const state of ['suspect', 'leaving', 'left', 'dead'] as const) {
      const liar = new Liar()
      liar.list = [memberOf('us', state, 1)]
      violates('self-is-alive', () => liar.checks.look())
    }
    const leaving = new Liar()
    leaving.status = 'leaving'
    leaving.list = [memberOf('us', 'dead', 1)]
    violates('self-is-alive', () => leaving.checks.look())
  })

  it('catches one that takes another for itself, or nobody', () => {
    const liar = new Liar()
    liar.list = [memberOf('other', 'alive', 1, { isSelf: true })]
    violates('self-is-alive', () => liar.checks.look())
    const nobody = new Liar().become('member-join', 'alive', 1)
    nobody.list = [memberOf('other', 'alive', 1)]
    violates('self-is-alive', () => nobody.checks.look())
  })
})

it('self-is-not-told: catches an event about the one that tells it', () => {
  const member = memberOf('us', 'alive', 1)
  violates('self-is-not-told', () => new Liar().checks.told({ type: 'member-update', member, previous: member }))
})

it('members-are-where-they-are: catches who never was, and who is held to be elsewhere', () => {
  const ghost = new Liar()
  ghost.list = [memberOf('us', 'alive', 1), memberOf('ghost', 'alive', 1)]
  violates('members-are-where-they-are', () => ghost.checks.look())
  const moved = new Liar()
  moved.list = [memberOf('us', 'alive', 1), memberOf('other', 'alive', 1, { address: '10.0.0.9:7946' })]
  violates('members-are-where-they-are', () => moved.checks.look())
})

describe('told-once', () => {
  it('lets others pass: of another name, time or payload, or of another life', () => {
    let lives = 1
    const { checks } = new Liar({ livesOf: () => lives })
    for (const event of [userEvent('a', 1), userEvent('b', 1), userEvent('a', 2), userEvent('a', 1, 'b')])
      checks.told(event)
    checks.told(queryEvent(1))
    checks.told(queryEvent(2))
    lives++
    checks.told(queryEvent(1))
  })

  it('catches an event and a query that are delivered twice', () => {
    const { checks } = new Liar()
    checks.told(userEvent('a', 1))
    violates('told-once', () => checks.told(userEvent('a', 1)))
    checks.told(queryEvent(1))
    violates('told-once', () => checks.told(queryEvent(1)))
  })
})

it('lamport-never-falls: lets clocks stand and rise, and catches each that falls', () => {
  for (const kind of ['members', 'events', 'queries'] as const) {
    const liar = new Liar()
    liar.ltimes = { members: 7, events: 7, queries: 7 }
    liar.checks.look()
    liar.checks.look()
    liar.ltimes = { ...liar.ltimes, [kind]: 6 }
    violates('lamport-never-falls', () => liar.checks.look())
  }
})

describe('queues-within-bounds', () => {
  it('lets each queue be full', () => {
    const liar = new Liar()
    liar.queues = { claims: 3, intents: 16, queries: 16, events: 16 }
    liar.checks.look()
  })

  for (const [kind, most] of [
    ['claims', 3],
    ['intents', 16],
    ['queries', 16],
    ['events', 16],
  ] as const) {
    it(`catches one too many ${kind}`, () => {
      const liar = new Liar()
      liar.queues = { ...liar.queues, [kind]: most + 1 }
      violates('queues-within-bounds', () => liar.checks.look())
    })
  }

  it('counts by members where the depth is by members', () => {
    const liar = new Liar({ minQueueDepth: 1, maxQueueDepth: 0 }).become('member-join', 'alive', 1)
    liar.queues = { claims: 0, intents: 4, queries: 4, events: 4 }
    liar.checks.look()
    liar.queues = { claims: 0, intents: 4, queries: 5, events: 4 }
    violates('queues-within-bounds', () => liar.checks.look())
  })
})

it('packets-within-budget: lets a full packet go, and catches one byte more', () => {
  const { checks } = new Liar()
  checks.sent(new Uint8Array(1400))
  violates('packets-within-budget', () => checks.sent(new Uint8Array(1401)))
})

it('health-within-bounds: lets it be worst, and catches what is beyond, below or between', () => {
  const liar = new Liar()
  liar.health = 7
  liar.checks.look()
  for (const health of [8, -1, 0.5]) {
    liar.health = health
    violates('health-within-bounds', () => liar.checks.look())
  }
})
