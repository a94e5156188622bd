// Streams on the simulated network.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LinkOptions } from '../../../src/sim/links.ts'
import { Simulation } from '../../../src/sim/simulation.ts'
import { Address } from '../../../src/wire/address.ts'
import { bytesOf, type Listener, listen, streamLog } from './listener.ts'

interface Pair {
  readonly simulation: Simulation
  readonly a: Listener
  readonly b: Listener
}

async function pair(options: LinkOptions & { readonly refuses?: boolean } = {}): Promise<Pair> {
  const simulation = new Simulation({ seed: 1, latencyMs: 10, ...options })
  const a = await listen(simulation, 'a', '10.0.0.1')
  return { simulation, a, b: await listen(simulation, 'b', '10.0.0.2', options.refuses) }
}

describe('sim/streams', () => {
  it('open after a round trip and are accepted half a one later; nothing is told inside a call', async () => {
    const { simulation, a, b } = await pair()
    const stream = a.transport.dial(b.address, streamLog(simulation, a.log, 'mine'))
    assert.deepEqual([a.log, b.log], [[], []])
    await simulation.run(100)
    assert.deepEqual(a.log, ['20 mine opened'])
    assert.deepEqual(b.log, ['30 accepted'])
    assert.equal(stream.peer.key, '10.0.0.2:7946')
    assert.equal(b.accepted[0]?.peer.host, '10.0.0.1')
  })

  it('carry bytes both ways, also those written before they open, and end for both sides', async () => {
    const { simulation, a, b } = await pair()
    const stream = a.transport.dial(b.address, streamLog(simulation, a.log, 'mine'))
    stream.write(bytesOf('early'))
    await simulation.run(50)
    b.accepted[0]?.write(bytesOf('reply'))
    b.accepted[0]?.end()
    b.accepted[0]?.write(bytesOf('after the end'))
    await simulation.run(50)
    assert.deepEqual(a.log, ['20 mine opened', '60 mine data reply', '60 mine closed'])
    assert.deepEqual(b.log, ['30 accepted', '30 stream data early', '70 stream closed'])
  })

  it('accepted and half closed may still answer, and then are over', async () => {
    const { simulation, a, b } = await pair()
    const stream = a.transport.dial(b.address, streamLog(simulation, a.log, 'mine'))
    stream.write(bytesOf('request'))
    stream.end()
    await simulation.run(100)
    assert.deepEqual(b.log, ['30 accepted', '30 stream data request', '30 stream closed'])
    b.accepted[0]?.write(bytesOf('answer'))
    b.accepted[0]?.end()
    b.accepted[0]?.write(bytesOf('too late'))
    await simulation.run(60_000)
    assert.deepEqual(a.log, ['20 mine opened', '110 mine data answer', '110 mine closed'])
    assert.equal(b.log.length, 3)
  })

  it('half closed and forgotten are destroyed after 30 s', async () => {
    const { simulation, a, b } = await pair()
    a.transport.dial(b.address, streamLog(simulation, a.log, 'mine')).end()
    await simulation.run(30_029)
    assert.deepEqual(a.log, ['20 mine opened'])
    await simulation.run(1_000)
    assert.deepEqual(a.log, ['20 mine opened', '30040 mine closed'])
    assert.deepEqual(b.log, ['30 accepted', '30 stream closed'])
  })

  it('half closed say nothing more when the other side is killed', async () => {
    const { simulation, a, b } = await pair()
    a.transport.dial(b.address, streamLog(simulation, a.log, 'mine')).end()
    await simulation.run(100)
    a.host.kill()
    b.accepted[0]?.write(bytesOf('answer'))
    await simulation.run(1_000)
    assert.deepEqual(b.log, ['30 accepted', '30 stream closed'])
    assert.equal(simulation.network.traffic.streams.reset, 1)
  })

  it('stay in order where latency varies, and cut long writes into pieces', async () => {
    const { simulation, a, b } = await pair({ latencyMs: { minMs: 1, maxMs: 50 } })
    const stream = a.transport.dial(b.address, streamLog(simulation, a.log, 'mine'))
    for (let index = 0; index < 20; index++) stream.write(bytesOf(`${index}`))
    stream.write(new Uint8Array(150_000))
    await simulation.run(1_000)
    const data = b.log.slice(1).map((line) => line.split(' ').slice(3).join(' '))
    const expected = [...Array.from({ length: 20 }, (_, index) => `${index}`), '65536 B', '65536 B', '18928 B']
    assert.deepEqual(data, expected)
  })

  it('are refused at a closed port after a round trip', async () => {
    const { simulation, a, b } = await pair()
    a.transport.dial(new Address(b.address.ip, 99), streamLog(simulation, a.log, 'mine'))
    await simulation.run(100)
    assert.deepEqual(a.log, ['20 mine closed: 10.0.0.2:99 refused the stream'])
    assert.equal(simulation.network.traffic.streams.refused, 1)
  })

  it('find nobody at an address that nobody has, for minutes, and then give up', async () => {
    const { simulation, a } = await pair()
    a.transport.dial(new Address(Uint8Array.of(10, 0, 0, 9), 7946), streamLog(simulation, a.log, 'mine'))
    await simulation.run(120_000)
    assert.deepEqual(a.log, [])
    await simulation.run(60_000)
    assert.deepEqual(a.log, ['127000 mine closed: 10.0.0.9:7946 does not answer'])
  })

  it('turned away by their acceptor open and close', async () => {
    const { simulation, a, b } = await pair({ refuses: true })
    a.transport.dial(b.address, streamLog(simulation, a.log, 'mine'))
    await simulation.run(100)
    assert.deepEqual(a.log, ['20 mine opened', '40 mine closed'])
  })

  it('destroyed by their owner tell him nothing more, discard what is under way, and close the other side', async () => {
    const { simulation, a, b } = await pair()
    const stream = a.transport.dial(b.address, streamLog(simulation, a.log, 'mine'))
    await simulation.run(50)
    b.accepted[0]?.write(bytesOf('never read'))
    stream.write(bytesOf('never sent'))
    stream.destroy()
    stream.destroy()
    stream.write(bytesOf('nor this'))
    await simulation.run(100)
    assert.deepEqual(a.log, ['20 mine opened'])
    assert.deepEqual(b.log, ['30 accepted', '60 stream closed'])
  })

  it('destroyed while they open reach no acceptor', async () => {
    for (const afterMs of [0, 5, 15, 25]) {
      const { simulation, a, b } = await pair()
      const stream = a.transport.dial(b.address, streamLog(simulation, a.log, 'mine'))
      await simulation.run(afterMs)
      stream.destroy()
      await simulation.run(100)
      assert.deepEqual(a.log, afterMs === 25 ? ['20 mine opened'] : [])
      assert.deepEqual(b.log, [], `after ${afterMs} ms`)
    }
  })

  it('stall without a word when their link is cut, and go on when it heals', async () => {
    const { simulation, a, b } = await pair()
    const stream = a.transport.dial(b.address, streamLog(simulation, a.log, 'mine'))
    await simulation.run(50)
    simulation.network.links.cut('a', 'b')
    stream.write(bytesOf('one'))
    stream.write(bytesOf('two'))
    await simulation.run(10_000)
    assert.deepEqual([a.log, b.log], [['20 mine opened'], ['30 accepted']])
    simulation.network.links.heal()
    await simulation.run(10_000)
    assert.deepEqual(
      b.log.map((line) => line.split(' ').slice(1).join(' ')),
      ['accepted', 'stream data one', 'stream data two'],
    )
  })

  it('dialled over a cut link wait, and open once it heals', async () => {
    const { simulation, a, b } = await pair()
    simulation.network.links.cut('b', 'a')
    a.transport.dial(b.address, streamLog(simulation, a.log, 'mine'))
    await simulation.run(1_000)
    assert.deepEqual([a.log, b.log], [[], []])
    simulation.network.links.heal()
    await simulation.run(5_000)
    assert.match(a.log.join(), /^\d+ mine opened$/)
    assert.match(b.log.join(), /^\d+ accepted$/)
  })

  it('pass a cut of packets, and cost time where the link loses', async () => {
    const { simulation, a, b } = await pair({ lossRatio: 0.5 })
    simulation.network.links.cut('a', 'b', 'packets')
    const stream = a.transport.dial(b.address, streamLog(simulation, a.log, 'mine'))
    for (let index = 0; index < 20; index++) stream.write(bytesOf('x'))
    stream.end()
    await simulation.run(600_000)
    assert.equal(b.log.filter((line) => line.endsWith('data x')).length, 20)
    assert.match(b.log.at(-1) as string, /closed$/)
    assert.ok(Number(b.log.at(-1)?.split(' ')[0]) > 200, 'a lost piece is sent again after 200 ms')
  })

  it('are reset on the other side when their host is killed, without a word on its own', async () => {
    const { simulation, a, b } = await pair()
    const stream = a.transport.dial(b.address, streamLog(simulation, a.log, 'mine'))
    await simulation.run(50)
    b.accepted[0]?.write(bytesOf('lost with the process'))
    stream.write(bytesOf('unread'))
    b.host.kill()
    await simulation.run(1_000)
    assert.deepEqual(a.log, ['20 mine opened', '60 mine closed: 10.0.0.2:7946 reset the stream'])
    assert.deepEqual(b.log, ['30 accepted'])
    assert.equal(simulation.network.traffic.streams.reset, 1)
  })

  it('to a machine that is switched off stall, and after many minutes give up', async () => {
    const { simulation, a, b } = await pair()
    const stream = a.transport.dial(b.address, streamLog(simulation, a.log, 'mine'))
    await simulation.run(50)
    b.host.station.isUp = false
    b.host.kill()
    stream.write(bytesOf('into the void'))
    await simulation.run(600_000)
    assert.deepEqual(a.log, ['20 mine opened'])
    await simulation.run(600_000)
    assert.match(a.log.join(), /mine closed: 10\.0\.0\.2:7946 does not answer any more$/)
  })

  it('feel no copies, no disorder and no limit of size: TCP puts them right', async () => {
    const { simulation, a, b } = await pair({ duplicateRatio: 1, reorderRatio: 1, reorderMs: 500, maxPacketBytes: 1 })
    const stream = a.transport.dial(b.address, streamLog(simulation, a.log, 'mine'))
    for (const text of ['one', 'two', 'three']) stream.write(bytesOf(text))
    await simulation.run(100)
    assert.deepEqual(b.log, ['30 accepted', '30 stream data one', '30 stream data two', '30 stream data three'])
    assert.deepEqual([simulation.network.traffic.felt.duplicated, simulation.network.traffic.felt.reordered], [0, 0])
  })

  it('over a cut link give up after a quarter of an hour, and count what was sent again', async () => {
    const { simulation, a, b } = await pair()
    const stream = a.transport.dial(b.address, streamLog(simulation, a.log, 'mine'))
    await simulation.run(50)
    simulation.network.links.cut('a', 'b')
    stream.write(bytesOf('into the void'))
    await simulation.run(2 * 3_600_000)
    const [at, ...what] = (a.log.at(-1) as string).split(' ')
    assert.equal(what.join(' '), 'mine closed: 10.0.0.2:7946 does not answer any more')
    assert.ok(Number(at) === 50 + 924_600, `after ${at} ms`)
    assert.equal(a.host.station.traffic.felt.resent, 17)
    assert.deepEqual(b.log, ['30 accepted'])
  })

  it('reach a starved reader late, piece by piece and in order, and a slow one one after the other', async () => {
    const { simulation, a, b } = await pair()
    b.host.station.loop.lag = 100
    const stream = a.transport.dial(b.address, streamLog(simulation, a.log, 'mine'))
    stream.write(bytesOf('one'))
    await simulation.run(1_000)
    b.host.station.loop.lag = 0
    b.host.station.loop.slowMs = 50
    stream.write(bytesOf('two'))
    stream.write(bytesOf('three'))
    await simulation.run(1_000)
    assert.deepEqual(b.log, ['130 accepted', '130 stream data one', '1060 stream data two', '1110 stream data three'])
    assert.deepEqual([b.host.station.traffic.felt.lagged, b.host.station.traffic.felt.slowed], [2, 2])
  })

  it('dialled on a closed transport fail, later', async () => {
    const { simulation, a, b } = await pair()
    await a.transport.close()
    a.transport.dial(b.address, streamLog(simulation, a.log, 'mine'))
    a.transport.dial(b.address, streamLog(simulation, a.log, 'destroyed')).destroy()
    assert.deepEqual(a.log, [])
    await simulation.run(10)
    assert.deepEqual(a.log, ['0 mine closed: cannot dial 10.0.0.2:7946: the transport is closed'])
  })

  it('close with their transport: the owner hears nothing, the other side that they ended', async () => {
    const { simulation, a, b } = await pair()
    a.transport.dial(b.address, streamLog(simulation, a.log, 'mine'))
    await simulation.run(50)
    await b.transport.close()
    await simulation.run(50)
    assert.deepEqual(a.log, ['20 mine opened', '60 mine closed'])
    assert.deepEqual(b.log, ['30 accepted'])
  })
})
