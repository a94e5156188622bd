import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_BYTES } from '../../../src/base/bytes.ts'
import { encodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import { query } from './query-support.ts'
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
  type Station,
  serfStateOf,
  suspect,
} from './support.ts'

describe('what we tell in an exchange', () => {
  it('is the time of every member, who left, and clocks of events and queries that stand at 1 where there were none', () => {
    const { mesh, us } = knowing(2, 3, 4)
    mesh.tell(us, joinIntent('ghost-2', 7), leaveIntent('ghost-3', 8))
    mesh.feed(us, goodbye(3), dead(4))
    const said = serfStateOf(mesh.exchange(us, {}))
    assert.deepEqual(
      said.statusLtimes,
      new Map([
        ['us', 0],
        ['ghost-2', 7],
        ['ghost-3', 8],
        ['ghost-4', 0],
      ]),
    )
    assert.deepEqual([said.leftMembers, said.ltime], [['ghost-3'], 9])
    assert.deepEqual([said.eventLtime, said.events, said.queryLtime], [1, [], 1])
  })

  it('is the same as long as no clock moves: that of members, that of events and that of queries', () => {
    const { mesh, us } = knowing(2)
    let last = mesh.exchange(us, {}).userState
    assert.deepEqual(mesh.exchange(us, {}).userState, last)
    const times = ({ ltime, eventLtime, queryLtime }: ReturnType<typeof serfStateOf>) => [ltime, eventLtime, queryLtime]
    for (const [message, expected] of [
      [joinIntent('nobody', 4), [5, 1, 1]],
      [{ type: 'user-event', ltime: 5, name: 'deploy', payload: NO_BYTES, coalesce: false }, [5, 6, 1]],
      [query({ ltime: 6, name: 'load' }), [5, 6, 7]],
    ] as const) {
      mesh.tell(us, message)
      const told = mesh.exchange(us, {})
      assert.deepEqual(times(serfStateOf(told)), expected)
      assert.notDeepEqual(told.userState, last)
      last = told.userState
      assert.deepEqual(mesh.exchange(us, {}).userState, last)
    }
  })

  it('of a member that is leaving is one less than its leave, which so counts for whoever hears of it afterwards', () => {
    const { mesh, us } = knowing(2)
    const other = mesh.add('other', 10)
    mesh.feed(other, alive(2))
    mesh.tell(us, joinIntent('ghost-2', 3), leaveIntent('ghost-2', 7))
    const { statusLtimes } = serfStateOf(mesh.exchange(us, {}))
    assert.equal(statusLtimes.get('ghost-2'), 6)
    mesh.exchange(other, { ltime: 8, statusLtimes: { 'ghost-2': Number(statusLtimes.get('ghost-2')) } })
    assert.equal(other.stateOf('ghost-2'), 'alive')
    mesh.tell(other, leaveIntent('ghost-2', 7))
    assert.equal(other.stateOf('ghost-2'), 'leaving')
  })

  it('of a member that left is the leave at its own time, though a newer join of it was heard: it is no news to who sees it back', () => {
    const { mesh, us } = knowing(2)
    const other = mesh.add('other', 10)
    for (const station of [us, other]) {
      mesh.feed(station, alive(2))
      mesh.tell(station, leaveIntent('ghost-2', 7))
      mesh.feed(station, goodbye(2))
    }
    // Gossip of the return comes in halves: one hears the join, the other sees the member.
    mesh.tell(us, joinIntent('ghost-2', 9))
    mesh.feed(other, alive(2, 2))
    const { ltime, statusLtimes, leftMembers } = serfStateOf(mesh.exchange(us, {}))
    assert.deepEqual([leftMembers, Number(statusLtimes.get('ghost-2'))], [['ghost-2'], 7])
    mesh.exchange(other, { ltime: Number(ltime), statusLtimes: { 'ghost-2': 7 }, leftMembers })
    assert.equal(other.stateOf('ghost-2'), 'alive')
    // A later leave, or the return, ends that.
    mesh.tell(us, leaveIntent('ghost-2', 11))
    assert.equal(Number(serfStateOf(mesh.exchange(us, {})).statusLtimes.get('ghost-2')), 11)
    mesh.tell(us, joinIntent('ghost-2', 13))
    mesh.feed(us, alive(2, 3))
    const now = serfStateOf(mesh.exchange(us, {}))
    assert.deepEqual([now.leftMembers, Number(now.statusLtimes.get('ghost-2'))], [[], 13])
  })

  it('of a member that came back and went again by its goodbye alone is not the leave before its return', () => {
    const { mesh, us } = knowing(2)
    mesh.feed(us, alive(2))
    mesh.tell(us, leaveIntent('ghost-2', 7))
    mesh.feed(us, goodbye(2))
    // The join is heard before the member is seen.
    mesh.tell(us, joinIntent('ghost-2', 9))
    mesh.feed(us, alive(2, 2), goodbye(2, 2))
    const { statusLtimes, leftMembers } = serfStateOf(mesh.exchange(us, {}))
    assert.deepEqual([leftMembers, Number(statusLtimes.get('ghost-2'))], [['ghost-2'], 9])
  })
})

describe('what we take from an exchange', () => {
  it('SF-15: a member we hold for dead has left where the peer says so', () => {
    const { mesh, us } = knowing(2)
    mesh.feed(us, dead(2))
    us.told()
    mesh.exchange(us, { ltime: 9, statusLtimes: { 'ghost-2': 0 }, leftMembers: ['ghost-2'] })
    assert.equal(us.stateOf('ghost-2'), 'left')
    const [notice, ...more] = us.told()
    assert.ok(notice?.type === 'member-left' && more.length === 0)
    assert.equal(notice.previous?.state, 'dead')
  })

  it('a departure counts one more than the intent it ended, so that it beats an equal one', () => {
    const { mesh, us } = knowing(2)
    mesh.tell(us, joinIntent('ghost-2', 7))
    // A member of old tells by a row that it is dead, which makes a suspicion here.
    mesh.feed(us, suspect(2))
    mesh.exchange(us, { ltime: 9, statusLtimes: { 'ghost-2': 7 }, leftMembers: ['ghost-2'] })
    assert.equal(us.stateOf('ghost-2'), 'leaving')
    mesh.tell(us, joinIntent('ghost-2', 8))
    assert.equal(us.stateOf('ghost-2'), 'leaving')
    mesh.tell(us, joinIntent('ghost-2', 9))
    assert.equal(us.stateOf('ghost-2'), 'suspect')
  })

  it('a departure no later than what we know of a member that is alive is dropped: it has come back', () => {
    const { mesh, us } = knowing(2)
    mesh.tell(us, joinIntent('ghost-2', 7))
    mesh.exchange(us, { ltime: 9, statusLtimes: { 'ghost-2': 7 }, leftMembers: ['ghost-2'] })
    assert.equal(us.stateOf('ghost-2'), 'alive')
    mesh.exchange(us, { ltime: 9, statusLtimes: { 'ghost-2': 8 }, leftMembers: ['ghost-2'] })
    assert.equal(us.stateOf('ghost-2'), 'leaving', 'a later one counts')
  })

  it('a departure older than what we know is dropped', () => {
    const { mesh, us } = knowing(2)
    mesh.tell(us, joinIntent('ghost-2', 8))
    mesh.exchange(us, { ltime: 9, statusLtimes: { 'ghost-2': 7 }, leftMembers: ['ghost-2'] })
    assert.equal(us.stateOf('ghost-2'), 'alive')
  })

  it('the times of the others are join intents: a newer one takes a leave back', () => {
    const { mesh, us } = knowing(2, 3)
    mesh.tell(us, leaveIntent('ghost-2', 5), leaveIntent('ghost-3', 5))
    us.told()
    mesh.exchange(us, { ltime: 9, statusLtimes: { 'ghost-2': 6, 'ghost-3': 5 } })
    assert.deepEqual([us.stateOf('ghost-2'), us.stateOf('ghost-3')], ['alive', 'leaving'])
    assert.deepEqual(us.toldInShort(), ['member-recover ghost-2'])
  })

  it('their clock shows the time of their next message: ours comes level with it', () => {
    for (const [theirs, ours] of [
      [0, 1],
      [1, 1],
      [2, 2],
      [50, 50],
    ] as const) {
      const { mesh, us } = knowing(2)
      mesh.exchange(us, { ltime: theirs })
      assert.equal(serfStateOf(mesh.exchange(us, {})).ltime, ours, `after ${theirs}`)
    }
  })

  it('members that SWIM learns in the same exchange are known when their intents are read', () => {
    const { mesh, us } = knowing()
    mesh.exchange(us, { ltime: 9, statusLtimes: { 'ghost-2': 4 }, leftMembers: [], members: [alive(2)] })
    assert.equal(serfStateOf(mesh.exchange(us, {})).statusLtimes.get('ghost-2'), 4)
  })

  it('intents of strangers are kept for when they come', () => {
    const { mesh, us } = knowing()
    mesh.exchange(us, { ltime: 9, statusLtimes: { 'ghost-2': 4 }, leftMembers: ['ghost-2'] })
    mesh.feed(us, alive(2))
    assert.equal(us.stateOf('ghost-2'), 'leaving')
  })

  it('nothing learnt is told on', () => {
    const { mesh, us } = knowing(2, 3)
    mesh.feed(us, dead(3))
    mesh.exchange(us, {
      ltime: 9,
      statusLtimes: { 'ghost-2': 6, 'ghost-3': 4, 'ghost-4': 5 },
      leftMembers: ['ghost-3'],
    })
    assert.equal(us.stateOf('ghost-3'), 'left')
    mesh.run(5000)
    assert.deepEqual(mesh.gossiped('us'), [])
  })

  it('that we left is denied: we are here', () => {
    const { mesh, us } = knowing(2)
    mesh.exchange(us, { ltime: 30, statusLtimes: { us: 28 }, leftMembers: ['us'] })
    assert.equal(us.serf.local.state, 'alive')
    mesh.run(3000)
    const said = mesh.gossiped('us')
    assert.ok(said.length > 0)
    for (const message of said) {
      assert.ok(message.type === 'join' && message.node === 'us' && Number(message.ltime) > 29)
    }
  })
})

describe('what we refuse of an exchange', () => {
  it('a state that is none, or another message, is one warning; SWIM keeps its part', () => {
    for (const userState of [NONSENSE, encodeSerfMessage(joinIntent('ghost-2', 5))]) {
      const { mesh, us } = knowing()
      mesh.exchange(us, { userState, members: [alive(2)] })
      const codes = us.told().map((notice) => (notice.type === 'warning' ? notice.code : notice.type))
      assert.deepEqual(codes, ['member-join', 'message-invalid'])
    }
  })

  it('no state at all is not even a warning: the peer speaks memberlist only', () => {
    const { mesh, us } = knowing()
    mesh.exchange(us, { userState: new Uint8Array(0), members: [alive(2)] })
    assert.deepEqual(us.toldInShort(), ['member-join ghost-2'])
  })

  it('a clock too far ahead is left aside with a warning; intents that can be believed are taken', () => {
    for (const ltime of [2 ** 42, 2n ** 64n - 1n]) {
      const { mesh, us } = knowing(2, 3)
      const told = { 'ghost-2': 5, 'ghost-3': 2 ** 42 }
      mesh.exchange(us, { ltime, statusLtimes: told, leftMembers: ['ghost-2', 'ghost-3'] })
      assert.deepEqual([us.stateOf('ghost-2'), us.stateOf('ghost-3')], ['leaving', 'alive'])
      const codes = us.told().map((notice) => (notice.type === 'warning' ? notice.code : notice.type))
      assert.deepEqual(codes, ['lamport-leap', 'member-leaving', 'lamport-leap'])
      const said = serfStateOf(mesh.exchange(us, {}))
      assert.equal(said.ltime, 2 ** 40 + 1, 'as far as it may go towards a time that another may believe')
      assert.equal(said.statusLtimes.get('ghost-3'), 0)
    }
  })

  it('whoever comes to us says nothing of the age of the cluster; who answers us first does', () => {
    for (const [isAnswer, ours] of [
      [false, 2 ** 40 + 1],
      [true, 2 ** 45],
    ] as const) {
      const { mesh, us } = knowing()
      mesh.call(us, (serf) => serf.contact(addressOf(50)))
      const { id } = mesh.requests[0] as (typeof mesh.requests)[number]
      if (isAnswer) mesh.call(us, (serf, now) => serf.receiveReply(id, exchange({ ltime: 2 ** 45 }), now))
      else mesh.exchange(us, { ltime: 2 ** 45 })
      assert.equal(serfStateOf(mesh.exchange(us, {})).ltime, ours)
    }
  })

  it('a leave at time 0, which only a stranger sends, is told as time 0', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-3', 0))
    mesh.feed(us, alive(3))
    assert.equal(us.stateOf('ghost-3'), 'leaving')
    assert.equal(serfStateOf(mesh.exchange(us, {})).statusLtimes.get('ghost-3'), 0)
  })

  it('a single intent too far ahead: the others are taken', () => {
    const { mesh, us } = knowing(2, 3)
    mesh.exchange(us, {
      ltime: 9,
      statusLtimes: { 'ghost-2': 2n ** 63n, 'ghost-3': 5 },
      leftMembers: ['ghost-2', 'ghost-3'],
    })
    assert.deepEqual([us.stateOf('ghost-2'), us.stateOf('ghost-3')], ['alive', 'leaving'])
  })

  it('a name listed as left whose time is not told is taken at time 1', () => {
    const { mesh, us } = knowing(2)
    mesh.feed(us, suspect(2))
    mesh.exchange(us, { ltime: 9, leftMembers: ['ghost-2', 'ghost-2'] })
    assert.equal(us.stateOf('ghost-2'), 'leaving')
    mesh.tell(us, joinIntent('ghost-2', 1))
    assert.equal(us.stateOf('ghost-2'), 'leaving')
    mesh.tell(us, joinIntent('ghost-2', 2))
    assert.equal(us.stateOf('ghost-2'), 'suspect')
  })
})

/** A machine that knows some ghosts, with what it told of them taken away. */
function knowing(...ghosts: number[]): { mesh: Mesh; us: Station } {
  const mesh = new Mesh()
  const us = mesh.add('us', 1)
  mesh.feed(us, ...ghosts.map((number) => alive(number)))
  mesh.run(5000)
  mesh.forgetSent()
  us.told()
  return { mesh, us }
}
