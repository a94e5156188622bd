import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concat } from '../../../src/base/bytes.ts'
import { Deadlines } from '../../../src/base/deadlines.ts'
import { Random } from '../../../src/base/random.ts'
import { Broadcasts } from '../../../src/serf/broadcasts.ts'
import { Coalescing } from '../../../src/serf/coalesce.ts'
import { UserEvents } from '../../../src/serf/event-state.ts'
import { LamportClock } from '../../../src/serf/lamport-clock.ts'
import { SerfMembers, type SerfStatus } from '../../../src/serf/members.ts'
import type { SerfNotice } from '../../../src/serf/notices.ts'
import { resolveSerfOptions } from '../../../src/serf/options.ts'
import { newQueries } from '../../../src/serf/query-state.ts'
import { RecentIntents } from '../../../src/serf/recent-intents.ts'
import type { SerfState } from '../../../src/serf/state.ts'
import { SerfDelegate } from '../../../src/serf/swim-delegate.ts'
import { newRecord } from '../../../src/swim/claims.ts'
import type { MemberRecord } from '../../../src/swim/member.ts'
import { resolveSwimOptions } from '../../../src/swim/options.ts'
import { Outbox } from '../../../src/swim/outbox.ts'
import { Swim } from '../../../src/swim/swim.ts'
import { encodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import { encodeTags } from '../../../src/wire/tags.ts'
import {
  addressOf,
  alive,
  dead,
  exchange,
  goodbye,
  joinIntent,
  leaveIntent,
  Mesh,
  NONSENSE,
  suspect,
  VSN,
} from './support.ts'

describe('SF-10: what SWIM says of a member', () => {
  it('unknown, join: alive, with member-join', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1)
    mesh.feed(us, alive(2))
    assert.equal(us.stateOf('ghost-2'), 'alive')
    assert.deepEqual(us.toldInShort(), ['member-join ghost-2'])
  })

  it('unknown, goodbye or verdict: nothing', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1)
    mesh.feed(us, goodbye(2), dead(3), suspect(4))
    assert.equal(us.serf.size, 1)
    assert.deepEqual(us.told(), [])
  })

  it('alive, verdict: dead, with member-dead', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, dead(2))
    assert.equal(us.stateOf('ghost-2'), 'dead')
    assert.deepEqual(us.toldInShort(), ['member-dead ghost-2'])
  })

  it('alive, goodbye whose intent was lost: left at once, not dead', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, goodbye(2))
    assert.equal(us.stateOf('ghost-2'), 'left')
    assert.deepEqual(us.toldInShort(), ['member-left ghost-2'])
  })

  it('alive, update: new tags, with member-update', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, alive(2, 2, { meta: encodeTags({ role: 'log' }) }))
    assert.deepEqual(us.serf.member('ghost-2')?.tags, { role: 'log' })
    assert.deepEqual(us.toldInShort(), ['member-update ghost-2'])
  })

  it('leaving, goodbye or verdict: left, with member-left', () => {
    for (const gone of [goodbye(2), dead(2)]) {
      const { mesh, us } = knowing()
      mesh.tell(us, leaveIntent('ghost-2', 5))
      us.told()
      mesh.feed(us, gone)
      assert.equal(us.stateOf('ghost-2'), 'left')
      assert.deepEqual(us.toldInShort(), ['member-left ghost-2'])
    }
  })

  it('leaving, update: new tags, with member-update, and leaving still', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 5))
    us.told()
    mesh.feed(us, alive(2, 2, { meta: encodeTags({ role: 'log' }) }))
    assert.equal(us.stateOf('ghost-2'), 'leaving')
    assert.deepEqual(us.toldInShort(), ['member-update ghost-2'])
  })

  it('dead or left, join: alive again, with member-join and how it was', () => {
    for (const [gone, state] of [
      [dead(2), 'dead'],
      [goodbye(2), 'left'],
    ] as const) {
      const { mesh, us } = knowing()
      mesh.feed(us, gone)
      us.told()
      mesh.feed(us, alive(2, 2))
      assert.equal(us.stateOf('ghost-2'), 'alive')
      const [notice, ...more] = us.told()
      assert.ok(notice?.type === 'member-join' && more.length === 0)
      assert.equal(notice.previous?.state, state)
    }
  })

  it('dead, goodbye: left after all, with member-left and how it was', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, dead(2))
    us.told()
    mesh.feed(us, goodbye(2))
    assert.equal(us.stateOf('ghost-2'), 'left')
    const [notice, ...more] = us.told()
    assert.ok(notice?.type === 'member-left' && more.length === 0)
    assert.deepEqual([notice.member.name, notice.previous?.state], ['ghost-2', 'dead'])
  })

  it('left, goodbye or verdict again: nothing', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, goodbye(2))
    us.told()
    mesh.feed(us, goodbye(2), dead(2))
    assert.equal(us.stateOf('ghost-2'), 'left')
    assert.deepEqual(us.told(), [])
  })

  it('a rejoin does not lower the time of the last intent', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 7))
    mesh.feed(us, goodbye(2), alive(2, 2))
    us.told()
    mesh.tell(us, leaveIntent('ghost-2', 7))
    assert.equal(us.stateOf('ghost-2'), 'alive')
    mesh.tell(us, leaveIntent('ghost-2', 8))
    assert.equal(us.stateOf('ghost-2'), 'leaving')
  })

  // SWIM itself says none of these: it tells joins of those that were gone, and departures of those that were there.
  it('join from every status is alive, with member-join', () => {
    for (const status of ['alive', 'leaving', 'left', 'failed'] as const) {
      const { delegate, swimRecord, status: now, notices } = delegateKnowing(status)
      swimRecord.status = 'alive'
      delegate.memberJoined(swimRecord, 0)
      assert.equal(now(), 'alive', `from ${status}`)
      assert.deepEqual(notices(), ['member-join'])
    }
  })

  it('update of a member that is gone: new tags, with member-update', () => {
    for (const status of ['left', 'failed'] as const) {
      const { delegate, swimRecord, status: now, notices } = delegateKnowing(status)
      swimRecord.meta = encodeTags({ role: 'log' })
      delegate.memberUpdated(swimRecord, 0)
      assert.equal(now(), status)
      assert.deepEqual(notices(), ['member-update'])
    }
  })

  it('departure of a member that is gone already: nothing', () => {
    for (const status of ['left', 'failed'] as const) {
      const { delegate, swimRecord, status: now, notices } = delegateKnowing(status)
      swimRecord.status = 'dead'
      delegate.memberGone(swimRecord, 5)
      assert.equal(now(), status)
      assert.deepEqual(notices(), [])
    }
  })
})

describe('suspicions', () => {
  it('are told with how the member was, and so is their refutation', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, suspect(2))
    mesh.feed(us, alive(2, 2))
    const [suspected, recovered, ...more] = us.told()
    assert.ok(suspected?.type === 'member-suspect' && recovered?.type === 'member-recover' && more.length === 0)
    assert.deepEqual([suspected.previous?.state, suspected.member.state], ['alive', 'suspect'])
    assert.deepEqual([recovered.previous?.state, recovered.member.state], ['suspect', 'alive'])
    assert.equal(recovered.member.incarnation, 2)
  })

  it('of a member that is leaving are not told: its state stays the same', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 5))
    us.told()
    mesh.feed(us, suspect(2))
    mesh.feed(us, alive(2, 2))
    assert.equal(us.stateOf('ghost-2'), 'leaving')
    assert.deepEqual(us.told(), [])
  })

  it('a refutation that brings new tags is a recovery, and an update that begins where it ended', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, suspect(2))
    us.told()
    mesh.feed(us, alive(2, 2, { meta: encodeTags({ role: 'log' }) }))
    const notices = us.told()
    assert.deepEqual(
      notices.map(({ type }) => type),
      ['member-recover', 'member-update'],
    )
    const [recovered, updated] = notices
    assert.ok(recovered !== undefined && 'member' in recovered && updated !== undefined && 'member' in updated)
    assert.deepEqual([recovered.previous?.state, recovered.previous?.tags], ['suspect', {}])
    assert.deepEqual([recovered.member.state, recovered.member.tags], ['alive', {}])
    assert.equal(updated.previous, recovered.member)
    assert.deepEqual([updated.member.state, updated.member.tags], ['alive', { role: 'log' }])
    assert.equal(updated.member, us.serf.member('ghost-2'))
  })

  it('new tags in the refutation of a member that is leaving are an update', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 5))
    mesh.feed(us, suspect(2))
    us.told()
    mesh.feed(us, alive(2, 2, { meta: encodeTags({ role: 'log' }) }))
    assert.deepEqual(us.toldInShort(), ['member-update ghost-2'])
  })
})

describe('updates', () => {
  it('tell the tags before and after', () => {
    const { mesh, us } = knowing({ role: 'log' })
    mesh.feed(us, alive(2, 2, { meta: encodeTags({ role: 'web' }) }))
    const [notice] = us.told()
    assert.ok(notice?.type === 'member-update')
    assert.deepEqual([notice.previous?.tags, notice.member.tags], [{ role: 'log' }, { role: 'web' }])
  })

  it('that change nothing of the tags are not told, and yet taken', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, alive(2, 2, { vsn: Uint8Array.of(1, 5, 2, 2, 5, 4) }))
    assert.deepEqual(us.told(), [])
    assert.equal(us.serf.member('ghost-2')?.protocol.current, 4)
  })

  it('of tags that are no tags leave an empty list, and metadata without the magic byte is a role', () => {
    const { mesh, us } = knowing({ role: 'log' })
    mesh.feed(us, alive(2, 2, { meta: Uint8Array.of(0xff, 0xc1) }))
    assert.deepEqual(us.serf.member('ghost-2')?.tags, {})
    mesh.feed(us, alive(2, 3, { meta: new TextEncoder().encode('web') }))
    assert.deepEqual(us.serf.member('ghost-2')?.tags, { role: 'web' })
    assert.deepEqual(us.toldInShort(), ['member-update ghost-2', 'member-update ghost-2'])
  })
})

describe('ourselves', () => {
  it('are never the subject of a notice: not at the start, nor accused, nor with new tags, nor leaving', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, { type: 'suspect', node: 'us', incarnation: 1, from: 'ghost-2' })
    mesh.feed(us, { type: 'dead', node: 'us', incarnation: 9, from: 'ghost-2' })
    mesh.tell(us, leaveIntent('us', 50))
    mesh.call(us, (serf, now) => serf.setTags({ role: 'log' }, now))
    mesh.call(us, (serf, now) => serf.leave(now))
    mesh.run(30_000)
    const about = us.told().flatMap((notice) => ('member' in notice ? [notice.member.name] : []))
    assert.deepEqual(
      about.filter((name) => name === 'us'),
      [],
    )
    assert.equal(us.serf.local.state, 'left')
  })
})

describe('other news', () => {
  it('a user message larger than a packet, or an exchange in one, is a warning and is not read', () => {
    const { mesh, us } = knowing()
    const long = concat([encodeSerfMessage(leaveIntent('ghost-2', 5)), new Uint8Array(65_536)])
    const state = exchange({ ltime: 9, statusLtimes: { 'ghost-2': 7 }, leftMembers: ['ghost-2'] }).userState
    for (const payload of [long, state]) mesh.tell(us, payload)
    assert.deepEqual(
      us.told().map((notice) => (notice.type === 'warning' ? notice.code : notice.type)),
      ['message-invalid', 'message-invalid'],
    )
    assert.equal(us.stateOf('ghost-2'), 'alive')
  })

  it('a name claimed from elsewhere is a conflict, and the holder keeps it', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, alive(2, 9, { addr: addressOf(3).ip }))
    assert.deepEqual(us.told(), [
      { type: 'conflict', name: 'ghost-2', address: '10.0.0.2:7946', claimedBy: '10.0.0.3:7946' },
    ])
    assert.equal(us.serf.member('ghost-2')?.address, '10.0.0.2:7946')
  })

  it('a conflict is told again only after ten seconds, and of each name for itself', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, alive(4))
    us.told()
    const rival = (number: number) => alive(number, 9, { addr: addressOf(50).ip })
    mesh.feed(us, rival(2), rival(2), rival(4))
    assert.deepEqual(us.toldInShort(), ['conflict', 'conflict'])
    mesh.run(9999)
    mesh.feed(us, rival(2))
    assert.deepEqual(us.told(), [])
    mesh.run(1)
    mesh.feed(us, rival(2))
    assert.deepEqual(us.toldInShort(), ['conflict'])
  })

  it('bytes that are no Serf message are warnings and change nothing', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, NONSENSE, new Uint8Array(0))
    const codes = us.told().map((notice) => (notice.type === 'warning' ? notice.code : notice.type))
    assert.deepEqual(codes, ['message-invalid', 'message-invalid'])
    assert.equal(us.serf.size, 2)
  })

  it('an exchange that was to ignore old events is forgotten when it is over', () => {
    const { delegate, events } = delegateKnowing('alive')
    events.ignoring.add(7).add(8)
    delegate.exchangeDone(7, undefined)
    delegate.exchangeDone(8, 'refused')
    assert.equal(events.ignoring.size, 0)
  })

  it('a join intent alone makes no member', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1)
    mesh.tell(us, joinIntent('ghost-2', 4))
    assert.equal(us.serf.size, 1)
    assert.deepEqual(us.told(), [])
  })
})

/** A machine that knows ghost 2, with what it told of that taken away. */
function knowing(tags: Readonly<Record<string, string>> = {}) {
  const mesh = new Mesh()
  const us = mesh.add('us', 1)
  mesh.feed(us, alive(2, 1, { meta: encodeTags(tags) }))
  us.told()
  return { mesh, us }
}

/** A delegate alone, over a member of that status. */
function delegateKnowing(status: SerfStatus) {
  const outbox = new Outbox<SerfNotice>()
  const delegate = new SerfDelegate(() => state, 4)
  const swim = new Swim({
    options: resolveSwimOptions('lan', {}),
    name: 'us',
    address: addressOf(1),
    vsn: VSN,
    packetOverheadBytes: 5,
    random: new Random(1),
    delegate,
    outbox,
  })
  const state: SerfState = {
    name: 'us',
    options: resolveSerfOptions({}),
    swim,
    random: new Random(2),
    outbox,
    deadlines: new Deadlines(),
    members: new SerfMembers('us'),
    coordinates: undefined,
    clock: new LamportClock(),
    broadcasts: new Broadcasts(resolveSerfOptions({}), 1000),
    coalescing: new Coalescing(resolveSerfOptions({})),
    events: new UserEvents(),
    queries: newQueries(),
    recentIntents: new RecentIntents(),
    reconnect: { exchange: undefined, pauseMs: 0 },
    snapshot: undefined,
    keys: { keyring: undefined, isStaged: false, hasFile: false, waiting: [], isWriting: false },
    departure: undefined,
    isVoting: false,
    lastTicket: 0,
    prunedTold: 0,
  }
  const swimRecord: MemberRecord = newRecord('ghost-2', addressOf(2), 0)
  state.members.add({ name: 'ghost-2', swim: swimRecord, status, statusLtime: 0, goneAt: 0, conflictToldAt: -1 })
  return {
    delegate,
    events: state.events,
    swimRecord,
    status: () => state.members.get('ghost-2')?.status,
    notices: () => outbox.take().map((effect) => (effect.kind === 'notify' ? effect.notice.type : effect.kind)),
  }
}
