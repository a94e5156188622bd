import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concat } from '../../../src/base/bytes.ts'
import { SizeError } from '../../../src/base/errors.ts'
import { encodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import type { PacketMessage } from '../../../src/wire/types.ts'
import {
  addressOf,
  alive,
  dead,
  exchange,
  goodbye,
  joinIntent,
  leaveIntent,
  Mesh,
  type Station,
  serfStateOf,
  suspect,
} from './support.ts'

describe('SF-10: intents about a member, by its state', () => {
  it('alive, newer leave intent: leaving, with member-leaving', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 5))
    assert.equal(us.stateOf('ghost-2'), 'leaving')
    const [notice] = us.told()
    assert.ok(notice?.type === 'member-leaving')
    assert.deepEqual([notice.previous?.state, notice.member.state], ['alive', 'leaving'])
  })

  it('suspect, newer leave intent: leaving, which was suspect', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, suspect(2))
    us.told()
    mesh.tell(us, leaveIntent('ghost-2', 5))
    const [notice] = us.told()
    assert.ok(notice?.type === 'member-leaving')
    assert.deepEqual([notice.previous?.state, notice.member.state], ['suspect', 'leaving'])
  })

  it('alive, newer join intent: nothing but its time', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, joinIntent('ghost-2', 5), leaveIntent('ghost-2', 5))
    assert.equal(us.stateOf('ghost-2'), 'alive')
    assert.deepEqual(us.told(), [])
  })

  it('leaving, newer leave intent: nothing but its time', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 5))
    us.told()
    mesh.tell(us, leaveIntent('ghost-2', 9), joinIntent('ghost-2', 9))
    assert.equal(us.stateOf('ghost-2'), 'leaving')
    assert.deepEqual(us.told(), [])
  })

  it('leaving, newer join intent: alive, with member-recover', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 5))
    us.told()
    mesh.tell(us, joinIntent('ghost-2', 6))
    assert.equal(us.stateOf('ghost-2'), 'alive')
    const [notice, ...more] = us.told()
    assert.ok(notice?.type === 'member-recover' && more.length === 0)
    assert.deepEqual([notice.previous?.state, notice.member.state], ['leaving', 'alive'])
  })

  it('leaving and suspect, newer join intent: suspect again, with member-suspect', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, suspect(2))
    mesh.tell(us, leaveIntent('ghost-2', 5))
    us.told()
    mesh.tell(us, joinIntent('ghost-2', 6))
    assert.equal(us.stateOf('ghost-2'), 'suspect')
    const [notice, ...more] = us.told()
    assert.ok(notice?.type === 'member-suspect' && more.length === 0)
    assert.deepEqual([notice.previous?.state, notice.member.state], ['leaving', 'suspect'])
  })

  it('left, newer intents: nothing but their time', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, goodbye(2))
    us.told()
    mesh.tell(us, joinIntent('ghost-2', 5), leaveIntent('ghost-2', 6))
    assert.equal(us.stateOf('ghost-2'), 'left')
    assert.deepEqual(us.told(), [])
    assert.equal(ltimeOf(mesh, us, 'ghost-2'), 6)
  })

  it('dead, newer leave intent: left, with member-left', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, dead(2))
    us.told()
    mesh.tell(us, leaveIntent('ghost-2', 5))
    assert.equal(us.stateOf('ghost-2'), 'left')
    const [notice, ...more] = us.told()
    assert.ok(notice?.type === 'member-left' && more.length === 0)
    assert.deepEqual([notice.previous?.state, notice.member.state], ['dead', 'left'])
  })

  it('dead, newer join intent: nothing but its time', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, dead(2))
    us.told()
    mesh.tell(us, joinIntent('ghost-2', 5))
    assert.equal(us.stateOf('ghost-2'), 'dead')
    assert.deepEqual(us.told(), [])
    assert.equal(ltimeOf(mesh, us, 'ghost-2'), 5)
  })
})

describe('SF-11: intents about strangers', () => {
  it('a leave intent makes the stranger leaving when it comes', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-3', 5))
    assert.equal(us.serf.member('ghost-3'), undefined)
    mesh.feed(us, alive(3))
    const [notice] = us.told()
    assert.ok(notice?.type === 'member-join')
    assert.deepEqual([notice.previous, notice.member.state], [undefined, 'leaving'])
    mesh.tell(us, joinIntent('ghost-3', 5))
    assert.equal(us.stateOf('ghost-3'), 'leaving')
    mesh.tell(us, joinIntent('ghost-3', 6))
    assert.equal(us.stateOf('ghost-3'), 'alive', 'its time was 5')
  })

  it('a join intent gives it only its time', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, joinIntent('ghost-3', 5))
    mesh.feed(us, alive(3))
    assert.equal(us.stateOf('ghost-3'), 'alive')
    assert.equal(ltimeOf(mesh, us, 'ghost-3'), 5)
  })

  it('the newest one counts, whatever the order they come in', () => {
    for (const intents of [
      [leaveIntent('ghost-3', 5), joinIntent('ghost-3', 6)],
      [joinIntent('ghost-3', 6), leaveIntent('ghost-3', 5)],
    ]) {
      const { mesh, us } = knowing()
      mesh.tell(us, ...intents)
      mesh.feed(us, alive(3))
      assert.equal(us.stateOf('ghost-3'), 'alive')
    }
  })
})

describe('SF-12: a leave intent about us that is not ours', () => {
  it('is answered with a join intent above it, is not told on, and every member shows us alive again', () => {
    const { mesh, stations } = cluster(4)
    const [us, other] = stations as [Station, Station]
    mesh.forgetSent()
    mesh.tell(other, leaveIntent(us.serf.local.name, 40))
    assert.equal(other.stateOf('m-1'), 'leaving')
    mesh.run(5000)
    for (const station of stations) {
      assert.equal(station.stateOf('m-1'), 'alive')
      assert.ok(ltimeOf(mesh, station, 'm-1') > 40)
    }
    const said = mesh.gossiped('m-1')
    assert.ok(said.some((message) => message.type === 'join' && message.node === 'm-1' && Number(message.ltime) > 40))
    assert.ok(said.every((message) => message.type === 'join'))
  })

  it('is answered at the very time of our last intent as well, since it stands where it came first; an older one is not', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, joinIntent('ghost-2', 9))
    mesh.call(us, (serf, now) => serf.announceJoin(now))
    mesh.run(5000)
    assert.equal(ltimeOf(mesh, us, 'us'), 10)
    mesh.tell(us, leaveIntent('us', 9))
    assert.equal(ltimeOf(mesh, us, 'us'), 10)
    mesh.tell(us, leaveIntent('us', 10))
    assert.equal(ltimeOf(mesh, us, 'us'), 11)
    mesh.tell(us, leaveIntent('us', 10))
    assert.equal(ltimeOf(mesh, us, 'us'), 11, 'once')
  })

  it('is let stand while we leave indeed', () => {
    const { mesh, us } = knowing()
    mesh.call(us, (serf, now) => serf.leave(now))
    mesh.forgetSent()
    mesh.tell(us, leaveIntent('us', 40))
    assert.equal(us.serf.local.state, 'leaving')
    mesh.run(5000)
    assert.equal(us.serf.local.state, 'left')
    assert.ok(mesh.gossiped('us').length > 0)
    assert.ok(mesh.gossiped('us').every((message) => message.type === 'leave'))
  })
})

describe('SF-03: our clock after an exchange', () => {
  it('is that of the other at least: our next intent is no older than theirs', () => {
    const { mesh, us } = knowing()
    mesh.exchange(us, { ltime: 100 })
    mesh.forgetSent()
    mesh.call(us, (serf, now) => serf.announceJoin(now))
    mesh.run(3000)
    const [first] = mesh.gossiped('us')
    assert.ok(first?.type === 'join' && first.node === 'us')
    assert.equal(first.ltime, 100)
  })

  it('whoever is new to a cluster of any age is believed by it, and believes it', () => {
    const mesh = new Mesh()
    const [old, fresh] = [mesh.add('old', 1), mesh.add('fresh', 2)]
    mesh.call(old, (serf) => serf.contact(addressOf(50)))
    const { id } = mesh.requests[0] as (typeof mesh.requests)[number]
    mesh.call(old, (serf, now) => serf.receiveReply(id, exchange({ ltime: 2 ** 45 }), now))
    mesh.join(fresh, old)
    mesh.run(5000)
    assert.deepEqual(
      [old, fresh].flatMap((station) => station.told()).filter(({ type }) => type === 'warning'),
      [],
    )
    assert.ok(ltimeOf(mesh, old, 'fresh') >= 2 ** 45)
  })
})

describe('SF-24: an operator declares that a member has left', () => {
  it('one that is dead becomes left everywhere, and it is told when that is told', () => {
    const { mesh, stations } = cluster(4)
    const [us, , , lost] = stations as [Station, Station, Station, Station]
    mesh.silent.add('m-4')
    for (const station of stations.slice(0, 3)) mesh.feed(station, verdictOf(lost))
    for (const station of stations) station.told()
    const ticket = mesh.call(us, (serf, now) => serf.forceLeave('m-4', false, now))
    assert.deepEqual(us.toldInShort(), ['member-left m-4'])
    mesh.run(3000)
    assert.deepEqual(us.told(), [{ type: 'told', ticket }])
    for (const station of stations.slice(1, 3)) assert.deepEqual(station.toldInShort(), ['member-left m-4'])
  })

  it('with prune it is erased everywhere, with one member-reap, and stays away', () => {
    const { mesh, stations } = cluster(4)
    const [us, , , lost] = stations as [Station, Station, Station, Station]
    mesh.silent.add('m-4')
    for (const station of stations.slice(0, 3)) mesh.feed(station, verdictOf(lost))
    for (const station of stations) station.told()
    mesh.call(us, (serf, now) => serf.forceLeave('m-4', true, now))
    mesh.run(30_000)
    for (const station of stations.slice(0, 3)) {
      assert.deepEqual(
        station.toldInShort().filter((line) => line !== 'told'),
        ['member-left m-4', 'member-reap m-4'],
      )
      assert.equal(station.serf.member('m-4'), undefined)
    }
  })

  it('a name that nobody knows is told too', () => {
    const { mesh, us } = knowing()
    mesh.run(3000)
    mesh.forgetSent()
    const ticket = mesh.call(us, (serf, now) => serf.forceLeave('nobody', true, now))
    mesh.run(3000)
    assert.deepEqual(us.told(), [{ type: 'told', ticket }])
    const said = mesh.gossiped('us')
    assert.ok(said.length > 0)
    assert.ok(said.every((message) => message.type === 'leave' && message.node === 'nobody' && message.prune))
  })

  it('where nobody is to be told it is done at once', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1)
    mesh.feed(us, alive(2), dead(2))
    us.told()
    const ticket = mesh.call(us, (serf, now) => serf.forceLeave('ghost-2', false, now))
    assert.deepEqual(
      us.told().map((notice) => (notice.type === 'told' ? notice.ticket : notice.type)),
      ['member-left', ticket],
    )
  })

  it('each has a time of its own, above all that was seen', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, joinIntent('ghost-2', 40))
    mesh.run(3000)
    mesh.forgetSent()
    mesh.call(us, (serf, now) => serf.forceLeave('one', false, now))
    mesh.call(us, (serf, now) => serf.forceLeave('other', false, now))
    mesh.run(3000)
    const said = mesh.gossiped('us').map((message) => ('node' in message ? `${message.node} ${message.ltime}` : ''))
    assert.deepEqual([...new Set(said)].sort(), ['one 41', 'other 42'])
  })

  it('a name that fits no packet is refused, and nothing changes', () => {
    const { mesh, us } = knowing()
    const before = us.serf.queued
    assert.throws(() => mesh.call(us, (serf, now) => serf.forceLeave('x'.repeat(1400), false, now)), SizeError)
    assert.equal(us.serf.queued, before)
    assert.deepEqual(us.told(), [])
  })
})

describe('SF-23: of two members one forces the other, which lives', () => {
  for (const prune of [false, true]) {
    it(`both end alive on both sides${prune ? ', with prune too' : ''}`, () => {
      const { mesh, stations } = cluster(2)
      const [us, other] = stations as [Station, Station]
      for (const station of stations) station.told()
      mesh.call(us, (serf, now) => serf.forceLeave('m-2', prune, now))
      assert.equal(us.stateOf('m-2'), 'leaving')
      mesh.run(30_000)
      for (const station of stations) {
        assert.deepEqual([station.stateOf('m-1'), station.stateOf('m-2')], ['alive', 'alive'])
      }
      const told = us.toldInShort().filter((line) => line !== 'told')
      assert.deepEqual(told, ['member-leaving m-2', 'member-recover m-2'])
      assert.deepEqual(other.told(), [])
    })
  }
})

describe('telling on', () => {
  it('an accepted intent is gossiped on byte for byte as it came, unknown fields included', () => {
    const { mesh, us } = knowing()
    const known = encodeSerfMessage(leaveIntent('ghost-2', 5))
    // One more pair in the map: `X` is 1.
    const foreign = concat([
      known.subarray(0, 1),
      Uint8Array.of((known[1] as number) + 1),
      known.subarray(2),
      Uint8Array.of(0xa1, 0x58, 0x01),
    ])
    mesh.tell(us, foreign)
    assert.equal(us.stateOf('ghost-2'), 'leaving')
    mesh.run(1000)
    const payloads = mesh.sent.flatMap(({ message }) => (message.type === 'user' ? [message.payload] : []))
    assert.ok(payloads.length > 0)
    for (const payload of payloads) assert.deepEqual(payload, foreign)
  })

  it('SF-13: one with an equal or an older time is neither applied nor told on', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, joinIntent('ghost-2', 5))
    mesh.run(5000)
    mesh.forgetSent()
    mesh.tell(us, leaveIntent('ghost-2', 5), leaveIntent('ghost-2', 4), joinIntent('ghost-2', 5))
    mesh.run(5000)
    assert.equal(us.stateOf('ghost-2'), 'alive')
    assert.deepEqual(mesh.gossiped('us'), [])
  })

  it('SF-13: so it is with intents about strangers', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-3', 5))
    mesh.run(5000)
    assert.ok(mesh.gossiped('us').length > 0)
    mesh.forgetSent()
    mesh.tell(us, leaveIntent('ghost-3', 5), joinIntent('ghost-3', 5), joinIntent('ghost-3', 4))
    mesh.run(5000)
    assert.deepEqual(mesh.gossiped('us'), [])
  })

  it('SF-14: an intent storm about a member that left dies out', () => {
    const { mesh, stations } = cluster(5)
    mesh.call(stations[4] as Station, (serf, now) => serf.leave(now))
    mesh.run(20_000)
    for (const station of stations) {
      const intents = Array.from({ length: 10 }, (_, at) => leaveIntent('m-5', 100 + at))
      mesh.tell(station, ...intents)
    }
    mesh.run(20_000)
    for (const station of stations) assert.equal(station.stateOf('m-5'), 'left')
    mesh.forgetSent()
    mesh.run(20_000)
    assert.deepEqual(
      mesh.sent.filter(({ message }) => message.type === 'user'),
      [],
    )
  })

  it('alone we queue nothing: a peer that comes later is not told of what nobody could hear', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1)
    mesh.tell(us, leaveIntent('ghost-3', 5), joinIntent('ghost-4', 6))
    mesh.feed(us, alive(2))
    mesh.run(5000)
    assert.deepEqual(mesh.gossiped('us'), [])
  })
})

describe('what nobody should believe', () => {
  it('65 forged datagrams move the clock by one leap, and what is honest goes on being taken', () => {
    const { mesh, us } = knowing()
    for (let leaps = 1; leaps <= 65; leaps++) mesh.tell(us, joinIntent('ghost-2', leaps * 2 ** 40))
    const codes = us.told().map((notice) => (notice.type === 'warning' ? notice.code : notice.type))
    assert.deepEqual(codes, new Array(64).fill('lamport-leap'))
    mesh.tell(us, leaveIntent('ghost-2', 2 ** 40 + 1))
    assert.equal(us.stateOf('ghost-2'), 'leaving')
    mesh.tell(us, joinIntent('ghost-2', 2 ** 40 + 2))
    assert.equal(us.stateOf('ghost-2'), 'alive')
  })

  it('where there are more members, twice as many intents as members may wait', () => {
    const { mesh, us } = knowing()
    for (let start = 0; start < 2500; start += 100) {
      const claims = Array.from({ length: 100 }, (_, at) => alive(3, 1, { node: `member-${start + at}` }))
      mesh.feed(us, ...claims)
    }
    mesh.run(5000)
    const { size } = us.serf
    const before = us.serf.queued
    us.told()
    for (let ltime = 5; ltime < 6000; ltime++) mesh.tell(us, joinIntent('ghost-2', ltime))
    assert.equal(us.serf.queued - before, 2 * size)
    assert.ok(us.told().some((notice) => notice.type === 'warning' && notice.code === 'queue-full'))
  })

  it('no more than 4096 intents wait to be told on: the rest is dropped with one warning a burst', () => {
    const { mesh, us } = knowing()
    mesh.run(5000)
    for (let ltime = 5; ltime < 5 + 4096; ltime++) mesh.tell(us, joinIntent('ghost-2', ltime))
    assert.deepEqual(us.told(), [])
    assert.equal(us.serf.queued, 4096)
    mesh.tell(us, joinIntent('ghost-2', 9000), joinIntent('ghost-2', 9001))
    const codes = us.told().map((notice) => (notice.type === 'warning' ? notice.code : notice.type))
    assert.deepEqual(codes, ['queue-full'])
    assert.equal(us.serf.queued, 4096)
  })

  it('an intent more than 2^40 ahead is dropped with a warning', () => {
    const { mesh, us } = knowing()
    for (const ltime of [2 ** 41, 2n ** 64n - 1n]) mesh.tell(us, leaveIntent('ghost-2', ltime))
    assert.equal(us.stateOf('ghost-2'), 'alive')
    const codes = us.told().map((notice) => (notice.type === 'warning' ? notice.code : notice.type))
    assert.deepEqual(codes, ['lamport-leap', 'lamport-leap'])
    mesh.run(3000)
    assert.deepEqual(mesh.gossiped('us'), [])
    mesh.tell(us, leaveIntent('ghost-2', 5))
    assert.equal(us.stateOf('ghost-2'), 'leaving')
  })
})

function knowing() {
  const mesh = new Mesh()
  const us = mesh.add('us', 1)
  mesh.feed(us, alive(2))
  us.told()
  return { mesh, us }
}

/** What the others say of one that does not answer. */
function verdictOf({ serf }: Station): PacketMessage {
  const { name, incarnation } = serf.local
  return { type: 'dead', node: name, incarnation, from: 'ghost-99' }
}

/** `m-1` and on, all of whom know each other. */
function cluster(count: number) {
  const mesh = new Mesh()
  const stations = Array.from({ length: count }, (_, at) => mesh.add(`m-${at + 1}`, at + 1))
  for (const station of stations.slice(1)) mesh.join(station, stations[0] as Station)
  mesh.run(10_000)
  for (const station of stations) assert.equal(station.serf.size, count)
  return { mesh, stations }
}

/** The time of the last intent, as an exchange tells it. */
function ltimeOf(mesh: Mesh, station: Station, name: string): number {
  return Number(serfStateOf(mesh.exchange(station, {})).statusLtimes.get(name))
}

describe('our own leave', () => {
  it('is not taken back by what others say', () => {
    const { mesh, us } = knowing()
    mesh.call(us, (serf, now) => serf.leave(now))
    mesh.forgetSent()
    mesh.tell(us, joinIntent('us', 90))
    assert.equal(us.serf.local.state, 'leaving')
    mesh.run(300)
    assert.deepEqual(
      mesh.gossiped('us').filter(({ type }) => type === 'join'),
      [],
    )
    mesh.run(10_000)
    assert.equal(us.serf.local.state, 'left')
  })
})
