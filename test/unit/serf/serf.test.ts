import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SizeError } from '../../../src/base/errors.ts'
import { Random } from '../../../src/base/random.ts'
import { resolveSerfOptions } from '../../../src/serf/options.ts'
import { Serf } from '../../../src/serf/serf.ts'
import { resolveSwimOptions } from '../../../src/swim/options.ts'
import { StreamMessageReader } from '../../../src/wire/swim-messages.ts'
import { addressOf, alive, Mesh } from './support.ts'

const TOO_LONG = { role: 'x'.repeat(600) }

describe('starting', () => {
  it('knows itself, alive, with its tags, and tells nothing', () => {
    const us = new Mesh().add('us', 1, { tags: { role: 'log' } })
    const { name, state, tags, isSelf, incarnation, address, protocol } = us.serf.local
    assert.deepEqual(
      { name, state, tags, isSelf, incarnation, address, protocol },
      {
        name: 'us',
        state: 'alive',
        tags: { role: 'log' },
        isSelf: true,
        incarnation: 1,
        address: '10.0.0.1:7946',
        protocol: { min: 2, max: 5, current: 5 },
      },
    )
    assert.deepEqual(us.told(), [])
    assert.equal(us.serf.hasPeers(), false)
  })

  it('refuses tags that do not fit, with what they take and what is allowed', () => {
    assert.throws(
      () => machine(TOO_LONG),
      (error) => error instanceof SizeError && error.usedBytes > 600 && error.allowedBytes === 512,
    )
  })
})

describe('setTags', () => {
  it('alone is told at once', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1)
    const ticket = mesh.call(us, (serf, now) => serf.setTags({ role: 'log' }, now))
    assert.deepEqual(us.told(), [{ type: 'told', ticket }])
    assert.deepEqual(us.serf.local.tags, { role: 'log' })
  })

  it('is told when it was sent as often as the size of the cluster asks', () => {
    const { mesh, us, peer } = pair()
    const ticket = mesh.call(us, (serf, now) => serf.setTags({ role: 'log' }, now))
    assert.deepEqual(us.told(), [], 'not before it was sent')
    mesh.run(5000)
    assert.deepEqual(us.told(), [{ type: 'told', ticket }])
    assert.deepEqual(peer.toldInShort(), ['member-update us'])
    assert.deepEqual(peer.serf.member('us')?.tags, { role: 'log' })
  })

  it('that follows another at once finishes it: each ticket is told once, in order', () => {
    const { mesh, us, peer } = pair()
    const first = mesh.call(us, (serf, now) => serf.setTags({ role: 'log' }, now))
    const second = mesh.call(us, (serf, now) => serf.setTags({ role: 'web' }, now))
    mesh.run(5000)
    assert.deepEqual(us.told(), [
      { type: 'told', ticket: first },
      { type: 'told', ticket: second },
    ])
    assert.deepEqual(peer.serf.member('us')?.tags, { role: 'web' })
  })

  it('of tags that do not fit throws and changes nothing', () => {
    const { mesh, us, peer } = pair()
    const before = us.serf.local
    assert.throws(() => mesh.call(us, (serf, now) => serf.setTags(TOO_LONG, now)), SizeError)
    assert.equal(us.serf.local, before)
    mesh.run(5000)
    assert.deepEqual([us.told(), peer.told()], [[], []])
  })

  it('of the same tags in another order is no change to the others', () => {
    const { mesh, us, peer } = pair({ a: '1', b: '2' })
    mesh.call(us, (serf, now) => serf.setTags({ b: '2', a: '1' }, now))
    mesh.run(5000)
    assert.deepEqual(peer.told(), [])
  })
})

describe('a full exchange', () => {
  it('of two strangers makes them know each other, and its end is told under its number', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1)
    const peer = mesh.add('peer', 2)
    const id = mesh.call(us, (serf) => serf.contact(peer.address))
    assert.deepEqual(us.told().at(-1), { type: 'exchange-done', id, error: undefined })
    assert.deepEqual(peer.toldInShort(), ['member-join us'])
    assert.deepEqual(
      [us, peer].map(({ serf }) =>
        serf
          .members()
          .map(({ name, state }) => `${name} ${state}`)
          .sort(),
      ),
      [
        ['peer alive', 'us alive'],
        ['peer alive', 'us alive'],
      ],
    )
    assert.ok(us.serf.hasPeers())
  })

  it('that is begun in order to join says so', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1)
    mesh.feed(us, alive(2)) // who knows nobody asks first, see swim/push-pull.ts
    mesh.call(us, (serf) => serf.contact(addressOf(9)))
    const [request] = mesh.requests
    assert.ok(request !== undefined)
    const message = new StreamMessageReader().read(request.body, request.body.length, request.body.length)
    assert.equal(message?.type === 'push-pull' && message.join, true)
  })

  it('that fails tells why', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1)
    const id = mesh.call(us, (serf) => serf.contact(addressOf(9)))
    mesh.call(us, (serf, now) => serf.requestFailed(id, 'refused', now))
    assert.deepEqual(us.told(), [{ type: 'exchange-done', id, error: 'refused' }])
  })
})

describe('joining', () => {
  it('is announced by a join intent with our time, and our clock goes on', () => {
    const { mesh, us } = pair()
    mesh.tell(us, { type: 'join', ltime: 20, node: 'peer' })
    mesh.forgetSent()
    for (let joins = 0; joins < 2; joins++) {
      mesh.call(us, (serf, now) => serf.announceJoin(now))
      mesh.run(3000)
    }
    const ours = mesh
      .gossiped('us')
      .flatMap((message) => (message.type === 'join' && message.node === 'us' ? [message.ltime] : []))
    assert.deepEqual([...new Set(ours)].sort(), [21, 22])
  })
})

describe('an intent of our own', () => {
  it('replaces the one before it, which is not told any more', () => {
    const { mesh, us } = pair()
    mesh.tell(us, { type: 'join', ltime: 20, node: 'peer' })
    mesh.run(3000)
    mesh.forgetSent()
    for (let joins = 0; joins < 3; joins++) mesh.call(us, (serf, now) => serf.announceJoin(now))
    assert.equal(us.serf.queued, 1)
    mesh.run(3000)
    const told = mesh.gossiped('us').map((message) => (message.type === 'join' ? message.ltime : message.type))
    assert.deepEqual([...new Set(told)], [23])
  })

  it('goes before those of others, however many wait', () => {
    const { mesh, us } = pair()
    for (let ltime = 20; ltime < 520; ltime++) mesh.tell(us, { type: 'join', ltime, node: `stranger-${ltime}` })
    mesh.forgetSent()
    mesh.call(us, (serf, now) => serf.leave(now))
    mesh.run(450)
    const [first] = mesh.gossiped('us')
    assert.deepEqual([first?.type, first?.type === 'leave' && first.node], ['leave', 'us'])
  })
})

describe('the machine', () => {
  it('gives the same effects for the same calls', () => {
    const scripts = [1, 2].map(() => {
      const mesh = new Mesh(7)
      const stations = [1, 2, 3].map((number) => mesh.add(`m-${number}`, number))
      for (const station of stations.slice(1)) mesh.join(station, stations[0]!)
      mesh.silent.add('m-3')
      mesh.run(30_000)
      return { sent: mesh.sent, notices: stations.map(({ notices }) => notices) }
    })
    assert.deepEqual(scripts[0], scripts[1])
    assert.ok(scripts[0]?.notices.flat().some(({ type }) => type === 'member-dead'))
  })

  it('gives its next deadline from both tables', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1, { gossipIntervalMs: 0, probeIntervalMs: 3_600_000, reapIntervalMs: 700 })
    assert.equal(us.serf.nextDeadline(), mesh.now + 700)
    const other = mesh.add('other', 2, { probeIntervalMs: 20, probeTimeoutMs: 10, reapIntervalMs: 86_400_000 })
    assert.ok(Number(other.serf.nextDeadline()) <= mesh.now + 40)
  })
})

function machine(tags: Readonly<Record<string, string>>): Serf {
  return new Serf({
    name: 'us',
    address: addressOf(1),
    tags,
    swim: resolveSwimOptions('lan', {}),
    serf: resolveSerfOptions({}),
    packetOverheadBytes: 5,
    random: new Random(1),
  })
}

/** Two machines that know each other and have nothing more to tell. */
function pair(tags: Readonly<Record<string, string>> = {}) {
  const mesh = new Mesh()
  const us = mesh.add('us', 1, { tags })
  const peer = mesh.add('peer', 2)
  mesh.join(us, peer)
  mesh.feed(us, alive(3))
  mesh.run(10_000)
  us.told()
  peer.told()
  mesh.forgetSent()
  return { mesh, us, peer }
}
