// Packets on the simulated network.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TransportError } from '../../../src/base/errors.ts'
import type { NetworkOptions } from '../../../src/sim/network.ts'
import { Simulation } from '../../../src/sim/simulation.ts'
import { Address } from '../../../src/wire/address.ts'
import { bytesOf, type Listener, listen } from './listener.ts'

interface Pair {
  readonly simulation: Simulation
  readonly a: Listener
  readonly b: Listener
}

async function pair(options: Omit<NetworkOptions, 'observer'> = {}): Promise<Pair> {
  const simulation = new Simulation({ seed: 1, latencyMs: 10, ...options })
  return { simulation, a: await listen(simulation, 'a', '10.0.0.1'), b: await listen(simulation, 'b', '10.0.0.2') }
}

const silent = { packet() {}, stream: () => undefined, sendFailed() {}, failed() {} }

describe('sim/network packets', () => {
  it('arrive once, after the latency, from the address of their sender', async () => {
    const { simulation, a, b } = await pair()
    a.transport.send(bytesOf('hello'), b.address)
    assert.deepEqual(b.log, [], 'nothing is told inside a call')
    await simulation.run(100)
    assert.deepEqual(b.log, ['10 packet hello from 10.0.0.1:7946'])
    assert.deepEqual(simulation.network.traffic.sent, { packets: 1, bytes: 5 })
    assert.deepEqual(b.host.station.traffic.delivered, { packets: 1, bytes: 5 })
  })

  it('are copies: what the sender writes afterwards does not travel, what the receiver gets is no Buffer', async () => {
    const { simulation, a, b } = await pair()
    const packet = Buffer.from('first')
    a.transport.send(packet, b.address)
    packet.write('later')
    await simulation.run(100)
    assert.deepEqual(b.log, ['10 packet first from 10.0.0.1:7946'])
  })

  it('overtake each other where latency varies', async () => {
    const { simulation, a, b } = await pair({ latencyMs: { minMs: 0, maxMs: 100 } })
    for (let index = 0; index < 20; index++) a.transport.send(bytesOf(`${index}`), b.address)
    await simulation.run(100)
    const order = b.log.map((line) => Number(line.split(' ')[2]))
    assert.equal(order.length, 20)
    assert.notDeepEqual(
      order,
      order.toSorted((left, right) => left - right),
    )
  })

  it('vanish at a closed port and at an address nobody has, each with its cause', async () => {
    const { simulation, a, b } = await pair()
    a.transport.send(bytesOf('x'), new Address(b.address.ip, 99))
    a.transport.send(bytesOf('xy'), new Address(Uint8Array.of(10, 0, 0, 9), 7946))
    await simulation.run(100)
    assert.deepEqual([a.log, b.log], [[], []])
    assert.deepEqual(simulation.network.traffic.dropped['no-listener'], { packets: 1, bytes: 1 })
    assert.deepEqual(simulation.network.traffic.dropped['no-host'], { packets: 1, bytes: 2 })
  })

  it('to a closed port are refused by ICMP where that is asked for', async () => {
    const { simulation, a, b } = await pair({ refusesPackets: true })
    a.transport.send(bytesOf('x'), new Address(b.address.ip, 99))
    await simulation.run(100)
    assert.deepEqual(a.log, ['20 failed 10.0.0.2:99 true: 10.0.0.2:99 refused a packet'])
    assert.deepEqual([simulation.network.traffic.felt.refused, b.host.station.traffic.felt.refused], [1, 0])
  })

  it('too long for UDP fail at the sender, later and as its own fault', async () => {
    const { simulation, a, b } = await pair()
    a.transport.send(new Uint8Array(65_508), b.address)
    assert.deepEqual(a.log, [])
    await simulation.run(100)
    assert.deepEqual(a.log, ['0 failed 10.0.0.2:7946 false: a packet of 65508 bytes is too long for UDP'])
    assert.equal(simulation.network.traffic.sent.packets, 0)
  })

  it('above the limit of the network vanish', async () => {
    const { simulation, a, b } = await pair({ maxPacketBytes: 1400 })
    a.transport.send(new Uint8Array(1400).fill(65), b.address)
    a.transport.send(new Uint8Array(1401).fill(65), b.address)
    await simulation.run(100)
    assert.equal(b.log.length, 1)
    assert.deepEqual(simulation.network.traffic.dropped['too-big'], { packets: 1, bytes: 1401 })
  })

  it('under way when a link is cut still arrive, later ones do not', async () => {
    const { simulation, a, b } = await pair()
    a.transport.send(bytesOf('before'), b.address)
    await simulation.run(5)
    simulation.network.links.cut('a', 'b')
    a.transport.send(bytesOf('during'), b.address)
    b.transport.send(bytesOf('back'), a.address)
    await simulation.run(100)
    assert.deepEqual(b.log, ['10 packet before from 10.0.0.1:7946'])
    assert.deepEqual(a.log, ['15 packet back from 10.0.0.2:7946'])
    assert.deepEqual(a.host.station.traffic.dropped.cut, { packets: 1, bytes: 6 })
  })

  it('reach nobody after the transport has closed, in either direction', async () => {
    const { simulation, a, b } = await pair()
    a.transport.send(bytesOf('one'), b.address)
    await b.transport.close()
    b.transport.send(bytesOf('two'), a.address)
    await simulation.run(100)
    assert.deepEqual([a.log, b.log], [[], []])
    await b.transport.close()
  })

  it('arrive twice where the link makes copies, each with a latency of its own', async () => {
    const { simulation, a, b } = await pair({ latencyMs: { minMs: 1, maxMs: 9 }, duplicateRatio: 1 })
    a.transport.send(bytesOf('hello'), b.address)
    await simulation.run(100)
    assert.equal(b.log.length, 2)
    assert.ok(b.log.every((line) => line.endsWith('packet hello from 10.0.0.1:7946')))
    assert.notEqual(b.log[0], b.log[1])
    const { sent, delivered, felt } = simulation.network.traffic
    assert.deepEqual([sent.packets, delivered.packets, felt.duplicated], [1, 2, 1])
    assert.equal(a.host.station.traffic.felt.duplicated, 1)
  })

  it('that take longer than they did by the first options are counted at their sender', async () => {
    const { simulation, a, b } = await pair({ latencyMs: { minMs: 0, maxMs: 10 } })
    a.transport.send(bytesOf('first'), b.address)
    simulation.network.links.setDefault({ latencyMs: 11 })
    a.transport.send(bytesOf('second'), b.address)
    simulation.network.links.setDefault({ latencyMs: 9 })
    a.transport.send(bytesOf('third'), b.address)
    assert.deepEqual([simulation.network.traffic.delayed, a.host.station.traffic.delayed], [1, 1])
    assert.deepEqual([...simulation.network.stations], [a.host.station, b.host.station])
  })

  it('that are held back are overtaken', async () => {
    const { simulation, a, b } = await pair()
    simulation.network.links.setDefault({ reorderRatio: 1, reorderMs: 5 })
    a.transport.send(bytesOf('first'), b.address)
    simulation.network.links.setDefault({ reorderRatio: 0 })
    a.transport.send(bytesOf('second'), b.address)
    await simulation.run(100)
    assert.deepEqual(b.log, ['10 packet second from 10.0.0.1:7946', '15 packet first from 10.0.0.1:7946'])
    assert.equal(a.host.station.traffic.felt.reordered, 1)
  })

  it('show in the transcript that there is a copy', async () => {
    const simulation = new Simulation({ seed: 1, transcript: 'packets', describe: String, duplicateRatio: 1 })
    const [a, b] = [await listen(simulation, 'a', '10.0.0.1'), await listen(simulation, 'b', '10.0.0.2')]
    a.transport.send(Uint8Array.of(7), b.address)
    await simulation.run(10)
    assert.match(simulation.transcript.toString(), /a +-> b: 7 \(1 B\)\n.*a +-> b duplicated: 7/)
  })

  it('are all accounted for: sent and copied is delivered and dropped, whatever is wrong', async () => {
    const wrong = { lossRatio: 0.2, duplicateRatio: 0.3, reorderRatio: 0.2, bufferBytes: 30_000 }
    const { simulation, a, b } = await pair(wrong)
    const { loop } = b.host.station
    loop.lag = { minMs: 5, maxMs: 20 }
    loop.slowMs = 0.5
    for (let index = 0; index < 1_000; index++)
      simulation.schedule.at(index, () => a.transport.send(bytesOf('x'), b.address))
    await simulation.run(300)
    loop.pause()
    await simulation.run(300)
    loop.resume()
    await simulation.run(300)
    b.host.kill()
    await simulation.run(300)
    const { sent, delivered, dropped, felt } = simulation.network.traffic
    assert.equal(delivered.packets, b.log.length)
    const lost = Object.values(dropped).reduce((sum, { packets }) => sum + packets, 0)
    assert.equal(sent.packets + felt.duplicated, delivered.packets + lost)
    for (const cause of ['loss', 'buffer-full', 'no-listener'] as const) assert.ok(dropped[cause].packets > 0, cause)
    assert.ok(Math.abs(dropped.loss.packets - 200) < 50, `${dropped.loss.packets} lost`)
    for (const effect of ['duplicated', 'reordered', 'held', 'lagged', 'slowed'] as const)
      assert.ok(felt[effect] > 0, effect)
  })

  it('refuse a buffer that holds nothing', () => {
    assert.throws(() => new Simulation({ seed: 1, bufferBytes: 0 }), { code: 'ERR_OPTIONS', option: 'bufferBytes' })
  })
})

describe('sim/network bind', () => {
  it('refuses a port in use with a TransportError that names it, and gives it again after close', async () => {
    const { a } = await pair()
    await assert.rejects(a.host.bind(a.address, silent), (error: Error) => {
      assert.ok(error instanceof TransportError)
      assert.match(error.message, /10\.0\.0\.1:7946: the port is in use/)
      return true
    })
    await a.transport.close()
    const again = await a.host.bind(a.address, silent)
    assert.equal(again.local.port, 7946)
  })

  it('finds free ports for port 0', async () => {
    const { a } = await pair()
    const first = await a.host.bind(new Address(a.address.ip, 0), silent)
    const second = await a.host.bind(new Address(a.address.ip, 0), silent)
    assert.notEqual(first.local.port, 0)
    assert.notEqual(first.local.port, second.local.port)
  })

  it('refuses an address of another host', async () => {
    const { a, b } = await pair()
    await assert.rejects(a.host.bind(new Address(b.address.ip, 1), silent), /does not have this address/)
  })

  it('on a wildcard is reached by, and sends from, the address of the host', async () => {
    const { simulation, a, b } = await pair()
    const log: string[] = []
    const any = await a.host.bind(new Address(new Uint8Array(4), 8000), {
      ...silent,
      packet: (bytes, from) => void log.push(`${bytes.length} from ${from}`),
    })
    assert.equal(any.local.key, '0.0.0.0:8000')
    any.send(bytesOf('out'), b.address)
    b.transport.send(bytesOf('in'), new Address(a.address.ip, 8000))
    await simulation.run(100)
    assert.deepEqual(b.log, ['10 packet out from 10.0.0.1:8000'])
    assert.deepEqual(log, ['2 from 10.0.0.2:7946'])
  })

  it('refuses a second machine at one address', async () => {
    const { simulation } = await pair()
    assert.throws(() => simulation.station('c', '10.0.0.1'), { code: 'ERR_OPTIONS' })
  })
})
