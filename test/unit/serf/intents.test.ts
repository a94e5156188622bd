import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concat } from '../../../src/base/bytes.ts'
import { encodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import { alive, dead, goodbye, joinIntent, leaveIntent, Mesh, type Station, serfStateOf, suspect } from './support.ts'

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

  it('an intent more than 2^40 ahead is dropped with a warning, and the clock stays', () => {
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

  it('SF-16: of more than 4096 strangers the oldest is forgotten, with one warning each', () => {
    const { mesh, us } = knowing()
    const strangers = Array.from({ length: 4096 - 3 }, (_, at) => leaveIntent(`stranger-${at}`, 5))
    mesh.tell(us, leaveIntent('ghost-3', 5), leaveIntent('ghost-4', 5), leaveIntent('ghost-5', 5), ...strangers)
    mesh.run(200_000)
    // Renewed, it is the youngest of all; a repetition changes nothing.
    mesh.tell(us, leaveIntent('ghost-3', 6), leaveIntent('ghost-4', 5))
    assert.deepEqual(us.told(), [])
    mesh.tell(us, leaveIntent('ghost-6', 5))
    const [notice, ...more] = us.told()
    assert.ok(notice?.type === 'warning' && notice.code === 'intent-limit' && more.length === 0)
    assert.match(notice.message, /ghost-4/)
    mesh.feed(us, alive(3), alive(4), alive(5), alive(6))
    assert.deepEqual(
      [3, 4, 5, 6].map((number) => us.stateOf(`ghost-${number}`)),
      ['leaving', 'alive', 'leaving', 'leaving'],
    )
  })

  it('SF-16: after five minutes no stranger takes up room', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, ...Array.from({ length: 4096 }, (_, at) => leaveIntent(`stranger-${at}`, 5)))
    mesh.run(316_000)
    us.told()
    mesh.tell(us, ...Array.from({ length: 4096 }, (_, at) => leaveIntent(`other-${at}`, 5)))
    assert.deepEqual(us.told(), [])
  })

  it('a stranger with a name longer than a member may have is not remembered and not told on', () => {
    const { mesh, us } = knowing()
    const [longest, tooLong] = ['x'.repeat(512), 'x'.repeat(513)]
    mesh.tell(us, leaveIntent(tooLong, 5), joinIntent(tooLong, 6))
    assert.deepEqual(
      us.told().map((notice) => (notice.type === 'warning' ? [notice.code, notice.message.length < 100] : notice.type)),
      [
        ['message-invalid', true],
        ['message-invalid', true],
      ],
    )
    mesh.run(5000)
    assert.deepEqual(mesh.gossiped('us'), [])
    mesh.tell(us, leaveIntent(longest, 7))
    mesh.feed(us, alive(3, 1, { node: longest }))
    assert.equal(us.stateOf(longest), 'leaving')
  })

  it('SF-16: an intent expires after five minutes, not before', () => {
    for (const [afterMs, state] of [
      [290_000, 'leaving'],
      [316_000, 'alive'],
    ] as const) {
      const { mesh, us } = knowing()
      mesh.tell(us, leaveIntent('ghost-3', 5))
      mesh.run(afterMs)
      mesh.feed(us, alive(3))
      assert.equal(us.stateOf('ghost-3'), state)
    }
  })
})

function knowing() {
  const mesh = new Mesh()
  const us = mesh.add('us', 1)
  mesh.feed(us, alive(2))
  us.told()
  return { mesh, us }
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
