// Holding news back (serf-behaviour §29). Courses of one member are tried one by one, then by chance against a host that believes what
// it is told.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { utf8 } from '../../../src/base/bytes.ts'
import { Coalescing } from '../../../src/serf/coalesce.ts'
import type { AnyMember, MemberState } from '../../../src/serf/members.ts'
import type { MemberNotice, SerfNotice } from '../../../src/serf/notices.ts'
import { resolveSerfOptions } from '../../../src/serf/options.ts'
import { event, HELD, knowing, log, told } from './held-support.ts'
import { addressOf, alive, dead, goodbye, leaveIntent, Mesh, suspect } from './support.ts'

describe('members', () => {
  it('SF-60: five joins in the window are told in one turn, in their order', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1, HELD)
    for (const number of [5, 2, 6, 3, 4]) {
      mesh.feed(us, alive(number))
      mesh.run(100)
    }
    assert.deepEqual(us.told(), [])
    assert.equal(us.serf.size, 6, 'the table has them at once')
    mesh.run(899)
    assert.deepEqual(us.told(), [])
    mesh.run(1)
    assert.deepEqual(
      us.toldInShort(),
      [5, 2, 6, 3, 4].map((number) => `member-join ghost-${number}`),
    )
  })

  it('SF-61: one that fails and is back in the window is no news', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, dead(2))
    mesh.feed(us, alive(2, 2))
    mesh.run(5000)
    assert.deepEqual(us.told(), [])
    assert.equal(us.stateOf('ghost-2'), 'alive')
  })

  it('one that fails and is back at another address, or with other tags, is', () => {
    const { mesh, us } = knowing()
    const { ip: addr, port } = addressOf(9)
    mesh.feed(us, goodbye(2), dead(3))
    mesh.feed(us, alive(2, 2, { addr, port }), alive(3, 2, log({ v: 'new' })))
    mesh.run(1000)
    const notices = us.told() as MemberNotice[]
    assert.deepEqual(
      notices.map(({ type, member, previous }) => [type, member.address, previous?.state, member.rawTags]),
      [
        ['member-join', '10.0.0.9:7946', 'alive', {}],
        ['member-update', '10.0.0.3:7946', 'alive', { v: 'new' }],
      ],
    )
  })

  it('SF-62: a join and an update in the window are exactly one join that carries the new tags', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1, HELD)
    mesh.feed(us, alive(2, 1, log({ v: 'old' })))
    mesh.feed(us, alive(2, 2, log({ v: 'new' })))
    mesh.run(5000)
    assert.deepEqual(told(us), ['ghost-2 join alive new'])
  })

  it('SF-62: of one that was told of as gone as well', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, dead(2))
    mesh.run(1000)
    assert.deepEqual(told(us), ['ghost-2 dead dead'])
    mesh.feed(us, alive(2, 2))
    mesh.feed(us, alive(2, 3, log({ v: 'new' })))
    mesh.run(1000)
    const [notice, ...rest] = us.told() as MemberNotice[]
    assert.deepEqual(
      [notice?.type, notice?.previous?.state, notice?.member.rawTags, rest],
      ['member-join', 'dead', { v: 'new' }, []],
    )
  })

  it('SF-63: an update is told exactly once, whatever else is told after it', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, alive(2, 2, log({ v: 'new' })))
    mesh.run(1000)
    assert.deepEqual(told(us), ['ghost-2 update alive new'])
    for (const more of [goodbye(3), alive(4), dead(4)]) {
      mesh.feed(us, more)
      mesh.run(1000)
    }
    assert.deepEqual(told(us), ['ghost-3 left left', 'ghost-4 join alive', 'ghost-4 dead dead'])
  })

  it('several updates in the window are one, from the first to the last', () => {
    const { mesh, us } = knowing()
    for (const version of [2, 3, 4]) mesh.feed(us, alive(2, version, log({ v: String(version) })))
    mesh.run(1000)
    const notices = us.told() as MemberNotice[]
    assert.deepEqual(
      notices.map(({ type, member, previous }) => [type, previous?.rawTags, member.rawTags]),
      [['member-update', {}, { v: '4' }]],
    )
  })

  it('SF-62: an update of one that nobody was told of is its join', () => {
    const coalescing = new Coalescing(resolveSerfOptions(HELD))
    const member = { name: 'm', state: 'alive', rawTags: { v: 'a' } } as unknown as AnyMember
    assert.ok(coalescing.holds({ type: 'member-update', member, previous: undefined }))
    assert.deepEqual(coalescing.layer('members').flush(), [{ type: 'member-join', member, previous: undefined }])
  })

  it('an update that was taken back in the window is told all the same, as Serf does', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, alive(2, 2, log({ v: 'a' })))
    mesh.feed(us, alive(2, 3))
    mesh.run(1000)
    assert.deepEqual(told(us), ['ghost-2 update alive'])
  })

  it('one that is gone, and was back in the window and is gone again, is no news', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, dead(2), goodbye(3))
    mesh.run(1000)
    assert.deepEqual(told(us), ['ghost-2 dead dead', 'ghost-3 left left'])
    mesh.feed(us, alive(2, 2), alive(3, 2))
    mesh.feed(us, dead(2, 2), goodbye(3, 2))
    mesh.run(5000)
    assert.deepEqual(told(us), [])
  })

  it('SF-65: off, as by default, everything is told at once, in the order of the state', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1)
    mesh.feed(us, alive(2), alive(2, 2, log({ v: 'new' })), suspect(2, 2), alive(2, 3, log({ v: 'new' })), dead(2, 3))
    assert.deepEqual(told(us), [
      'ghost-2 join alive',
      'ghost-2 update alive new',
      'ghost-2 suspect suspect new',
      'ghost-2 recover alive new',
      'ghost-2 dead dead new',
    ])
    mesh.tell(us, event(5, 'deploy', 'a'), event(6, 'deploy', 'b'))
    assert.deepEqual(told(us), ['user-event', 'user-event'])
    assert.equal(us.serf.isHoldingNews, false)
  })

  it('a suspicion that is refuted in the window is no news, and one that is not is told once', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, suspect(2), suspect(3))
    mesh.feed(us, alive(2, 2))
    mesh.run(1000)
    assert.deepEqual(told(us), ['ghost-3 suspect suspect'])
    mesh.feed(us, alive(3, 2))
    mesh.run(1000)
    assert.deepEqual(told(us), ['ghost-3 recover alive'])
  })

  it('one that is new and suspect is told of as new first, and what is told begins where the last ended', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1, HELD)
    mesh.feed(us, alive(2, 1, log({ v: 'a' })), suspect(2))
    mesh.run(1000)
    const [join, suspicion] = us.told() as MemberNotice[]
    assert.deepEqual([join?.type, join?.member.state, join?.previous], ['member-join', 'alive', undefined])
    assert.deepEqual([suspicion?.type, suspicion?.member.state], ['member-suspect', 'suspect'])
    assert.equal(suspicion?.previous, join?.member)
  })

  it('one that comes and goes in the window is told of as gone alone, as Serf does', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1, HELD)
    mesh.feed(us, alive(2), goodbye(2))
    mesh.run(1000)
    assert.deepEqual(told(us), ['ghost-2 left left'])
  })

  it('one whose leave is announced and done in the window has left, and one that is erased is erased', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 5))
    mesh.feed(us, goodbye(2), dead(3))
    mesh.run(1000)
    assert.deepEqual(told(us), ['ghost-2 left left', 'ghost-3 dead dead'])
    mesh.tell(us, leaveIntent('ghost-3', 6, true))
    mesh.run(1000)
    assert.deepEqual(told(us), ['ghost-3 reap left'])
  })

  it('who announces its leave and stays is leaving', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 5))
    mesh.run(1000)
    assert.deepEqual(told(us), ['ghost-2 leaving leaving'])
  })

  it('the snapshot has it at once', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1, { ...HELD, setup: { snapshot: { fileBytes: 0, rejoinAfterLeave: false } } })
    mesh.feed(us, alive(2))
    mesh.run(600)
    const told = us.told()
    assert.ok(told.every(({ type }) => type === 'snapshot'))
    const written = told.map((notice) => (notice.type === 'snapshot' ? Buffer.from(notice.bytes).toString() : ''))
    assert.match(written.join(''), /alive: ghost-2 10\.0\.0\.2:7946\n/)
    mesh.run(400)
    assert.ok(us.told().some(({ type }) => type === 'member-join'))
  })
})

describe('user events', () => {
  it('of one name the newest are told, all of that time; others wait beside them', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, event(5, 'deploy', 'a'), event(7, 'deploy', 'b'), event(6, 'deploy', 'c'), event(7, 'deploy', 'd'))
    mesh.tell(us, event(4, 'restart', 'e'))
    mesh.run(999)
    assert.deepEqual(us.told(), [])
    mesh.run(1)
    const events = us.told() as Extract<SerfNotice, { type: 'user-event' }>[]
    assert.deepEqual(
      events.map(({ name, ltime, payload }) => `${name} ${ltime} ${Buffer.from(payload)}`),
      ['deploy 7 b', 'deploy 7 d', 'restart 4 e'],
    )
    mesh.run(5000)
    assert.deepEqual(us.told(), [])
  })

  it('that were not sent to be coalesced are told at once, before older ones that wait', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, event(5, 'deploy'), event(6, 'deploy', '', false))
    const ltimes = () => us.told().map((notice) => (notice.type === 'user-event' ? notice.ltime : notice.type))
    assert.deepEqual(ltimes(), [6])
    mesh.run(1000)
    assert.deepEqual(ltimes(), [5])
  })

  it('our own wait as well', () => {
    const { mesh, us } = knowing()
    mesh.call(us, (serf, now) => serf.sendEvent('deploy', utf8('a'), true, now))
    assert.deepEqual(told(us), [])
    mesh.run(1000)
    assert.deepEqual(told(us), ['user-event'])
  })
})

// ---- by chance -----------------------------------------------------------------------------------------------------

const STATES = ['alive', 'suspect', 'leaving', 'left', 'dead'] as const
const isPresent = (state: MemberState): boolean => ['alive', 'suspect', 'leaving'].includes(state)

/** Where a member goes next: a state, other tags, another address, or off the list. */
const steps = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...STATES) },
  { weight: 2, arbitrary: fc.record({ tags: fc.constantFrom('a', 'b') }) },
  { weight: 1, arbitrary: fc.constant('elsewhere' as const) },
  { weight: 1, arbitrary: fc.constant('erased' as const) },
  { weight: 3, arbitrary: fc.constant('flush' as const) },
)

type Step = MemberState | { readonly tags: string } | 'elsewhere' | 'erased'

const KIND_OF = {
  alive: 'member-recover',
  suspect: 'member-suspect',
  leaving: 'member-leaving',
  left: 'member-left',
  dead: 'member-dead',
} as const

/** The notices that one step makes: as the delegate tells them, each beginning where the one before ended. */
function notices(
  was: AnyMember | undefined,
  step: Step,
  port: number,
): { now: AnyMember | undefined; told: MemberNotice[] } {
  const said = (type: MemberNotice['type'], member: AnyMember, previous = was): MemberNotice[] => [
    { type, member, previous },
  ]
  const fresh = {
    name: 'm',
    state: 'alive',
    rawTags: { v: 'a' },
    tags: { v: 'a' },
    address: 'x:1',
  } as unknown as AnyMember
  if (step === 'erased') {
    if (was === undefined || isPresent(was.state)) return { now: was, told: [] }
    return { now: undefined, told: said('member-reap', was) }
  }
  if (typeof step === 'object') {
    if (was === undefined || !isPresent(was.state) || was.rawTags.v === step.tags) return { now: was, told: [] }
    const now = { ...was, rawTags: { v: step.tags }, tags: { v: step.tags } }
    return { now, told: said('member-update', now) }
  }
  if (was === undefined || (!isPresent(was.state) && (step === 'alive' || step === 'elsewhere'))) {
    if (step !== 'alive' && step !== 'elsewhere') return { now: was, told: [] }
    const address = step === 'elsewhere' ? `x:${port}` : (was?.address ?? 'x:1')
    const now: AnyMember = { ...fresh, ...was, state: 'alive', address }
    return { now, told: said('member-join', now) }
  }
  if (step === 'elsewhere' || step === was.state) return { now: was, told: [] }
  if (!isPresent(was.state) && step !== 'left') return { now: was, told: [] }
  const now = { ...was, state: step }
  return { now, told: said(KIND_OF[step], now) }
}

/** Of one that is gone it is no news that it was back meanwhile, and where. */
function asBelieved(member: AnyMember | undefined): unknown {
  return member === undefined || isPresent(member.state) ? member : member.state
}

describe('any course', () => {
  it('leaves a host that believes what it is told with the truth, by steps that follow from each other', () => {
    const kinds = new Set<string>()
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 30 }), (course) => {
        const coalescing = new Coalescing(resolveSerfOptions(HELD))
        let now: AnyMember | undefined
        let believed: AnyMember | undefined
        for (const [at, step] of [...course, 'flush' as const].entries()) {
          if (step !== 'flush') {
            const next = notices(now, step, at + 2)
            now = next.now
            for (const notice of next.told) assert.ok(coalescing.holds(notice))
            continue
          }
          const told = coalescing.layer('members').flush() as MemberNotice[]
          assert.ok(new Set(told.map(({ type }) => type)).size === told.length, 'no kind twice')
          for (const [index, { type, member, previous }] of told.entries()) {
            kinds.add(type)
            // One change each.
            if (type === 'member-update') assert.equal(member.state, previous?.state)
            else if (
              previous !== undefined &&
              isPresent(previous.state) &&
              isPresent(member.state) &&
              type !== 'member-join'
            )
              assert.equal(member.rawTags, previous.rawTags)
            if (index > 0) assert.equal(previous, told[index - 1]?.member)
            else assert.deepEqual(asBelieved(previous), asBelieved(believed))
            believed = type === 'member-reap' ? undefined : member
          }
          assert.deepEqual(asBelieved(believed), asBelieved(now))
        }
      }),
      { numRuns: 5000 },
    )
    assert.equal(kinds.size, 8)
  })
})
