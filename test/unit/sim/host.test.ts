// The pretended host against the contract of driver/host.ts.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SimHost } from '../../../src/sim/host.ts'
import { Simulation } from '../../../src/sim/simulation.ts'
import { bytesOf, listen } from './listener.ts'

function single(seed = 1): { simulation: Simulation; host: SimHost } {
  const simulation = new Simulation({ seed })
  return { simulation, host: simulation.host(simulation.station('a', '10.0.0.1')) }
}

describe('sim/host', () => {
  it('wakes once, at the time, unless cancelled', async () => {
    const { simulation, host } = single()
    const woken: string[] = []
    host.clock.wakeAt(10, () => woken.push(`first at ${host.clock.now()}`))
    const cancel = host.clock.wakeAt(20, () => woken.push('never'))
    host.clock.wakeAt(-5, () => woken.push(`past at ${host.clock.now()}`))
    assert.deepEqual(woken, [])
    cancel()
    cancel()
    await simulation.run(100)
    assert.deepEqual(woken, ['past at 0', 'first at 10'])
    assert.equal(simulation.now, 100)
  })

  it('runs a deferred task in a turn of its own: promises go on before it', async () => {
    const { simulation, host } = single()
    const order: string[] = []
    host.clock.wakeAt(1, () => {
      host.defer(() => order.push('deferred'))
      void Promise.resolve().then(() => order.push('promise'))
      order.push('called')
    })
    await simulation.run(1)
    assert.deepEqual(order, ['called', 'promise', 'deferred'])
  })

  it('fails the run with what a deferred task throws, naming seed and time', async () => {
    const { simulation, host } = single(42)
    const broken = new Error('listener is broken')
    host.clock.wakeAt(5, () =>
      host.defer(() => {
        throw broken
      }),
    )
    await assert.rejects(simulation.run(10), (error: Error) => {
      assert.match(error.message, /listener is broken.*seed 42, at 5\.000 ms/)
      assert.equal(error.cause, broken)
      return true
    })
  })

  it('gives entropy that the seed decides and each process has for itself', () => {
    const draw = (host: SimHost): string => {
      const bytes = new Uint8Array(16)
      host.entropy(bytes)
      return Buffer.from(bytes).toString('hex')
    }
    const { simulation, host } = single(7)
    const first = draw(host)
    assert.notEqual(draw(host), first)
    assert.equal(draw(single(7).host), first)
    assert.notEqual(draw(single(8).host), first)
    assert.notEqual(draw(simulation.host(host.station)), first, 'a restarted process has dice of its own')
  })

  it('resolves literals and the names of machines, and rejects what it does not know', async () => {
    const { simulation, host } = single()
    simulation.names.set('both.svc', [Uint8Array.of(10, 0, 0, 1), Uint8Array.of(10, 0, 0, 2)])
    assert.deepEqual(await host.resolve('10.1.2.3'), [Uint8Array.of(10, 1, 2, 3)])
    assert.deepEqual(await simulation.finish(host.resolve('a')), [Uint8Array.of(10, 0, 0, 1)])
    assert.equal((await simulation.finish(host.resolve('both.svc'))).length, 2)
    await assert.rejects(simulation.finish(host.resolve('nobody')), { code: 'ERR_TRANSPORT' })
  })

  it('stops resolving when told to', async () => {
    const { simulation, host } = single()
    const stop = new AbortController()
    const resolving = host.resolve('a', stop.signal)
    stop.abort(new Error('enough'))
    await assert.rejects(simulation.finish(resolving), /enough/)
    await assert.rejects(host.resolve('10.0.0.1', stop.signal), /enough/)
  })

  it('is reached at its address where a wildcard of its family is bound', async () => {
    const { simulation, host } = single()
    const six = simulation.host(simulation.station('six', 'fd00::1'))
    assert.deepEqual(await host.reachableAddress(new Uint8Array(4)), { ip: host.station.ip })
    assert.deepEqual(await host.reachableAddress(new Uint8Array(16)), { ip: host.station.ip })
    assert.deepEqual(await six.reachableAddress(new Uint8Array(16)), { ip: six.station.ip })
    assert.equal(await six.reachableAddress(new Uint8Array(4)), undefined)
    assert.deepEqual(host.ownAddresses(), [host.station.ip])
  })

  it('killed, never calls what ran on it again, and leaves its port to the next process', async () => {
    const simulation = new Simulation({ seed: 1, latencyMs: 10 })
    const a = await listen(simulation, 'a', '10.0.0.1')
    const b = await listen(simulation, 'b', '10.0.0.2')
    const woken: string[] = []
    b.host.clock.wakeAt(50, () => woken.push('timer'))
    b.host.defer(() => woken.push('task'))
    a.transport.send(bytesOf('x'), b.address)
    b.host.kill()
    await simulation.run(100)
    assert.deepEqual([woken, b.log, a.log], [[], [], []])
    const next = simulation.host(b.host.station)
    await next.bind(b.address, { packet() {}, stream: () => undefined, sendFailed() {}, failed() {} })
  })

  it('killed in a pause, with much to read, leaves a machine that is free for the next process', async () => {
    const simulation = new Simulation({ seed: 1, latencyMs: 10, bufferBytes: 2 * (1 + 512) })
    const a = await listen(simulation, 'a', '10.0.0.1')
    const b = await listen(simulation, 'b', '10.0.0.2')
    const { station } = b.host
    b.host.pause()
    for (let index = 0; index < 3; index++) a.transport.send(bytesOf('x'), b.address)
    await simulation.run(100)
    b.host.kill()
    assert.equal(station.isPaused, false)
    assert.deepEqual(station.traffic.dropped['no-listener'], { packets: 2, bytes: 2 })
    const next = simulation.host(station)
    let received = 0
    await next.bind(b.address, { packet: () => received++, stream: () => undefined, sendFailed() {}, failed() {} })
    a.transport.send(bytesOf('x'), b.address)
    await simulation.run(100)
    assert.deepEqual([received, b.log], [1, []])
  })

  it('says what is still open', async () => {
    const simulation = new Simulation({ seed: 1 })
    const { host, transport } = await listen(simulation, 'a', '10.0.0.1')
    const cancel = host.clock.wakeAt(50, () => {})
    host.clock.wakeAt(10, () => {})
    assert.equal(host.leftovers, '1 bound, 2 timers')
    await simulation.run(20)
    cancel()
    await transport.close()
    assert.equal(host.leftovers, '')
  })
})

describe('sim/host pause', () => {
  it('holds timers and packets, and lets late timers run first when it ends, deferred tasks last', async () => {
    const simulation = new Simulation({ seed: 1, latencyMs: 10 })
    const a = await listen(simulation, 'a', '10.0.0.1')
    const b = await listen(simulation, 'b', '10.0.0.2')
    b.host.clock.wakeAt(30, () => {
      b.log.push(`${simulation.now} timer`)
      b.host.defer(() => b.log.push(`${simulation.now} deferred`))
    })
    const cancel = b.host.clock.wakeAt(40, () => b.log.push('cancelled while late'))
    a.transport.send(bytesOf('one'), b.address)
    b.host.pause()
    await simulation.run(100)
    assert.deepEqual(b.log, [])
    cancel()
    b.host.resume()
    assert.deepEqual(b.log, [])
    await simulation.run(1)
    assert.deepEqual(b.log, ['100 timer', '100 packet one from 10.0.0.1:7946', '100 deferred'])
  })

  it('fills the socket buffer with packets, and what does not fit is lost; streams wait', async () => {
    const simulation = new Simulation({ seed: 1, latencyMs: 10, bufferBytes: 3 * (1_000 + 512) })
    const a = await listen(simulation, 'a', '10.0.0.1')
    const b = await listen(simulation, 'b', '10.0.0.2')
    b.host.pause()
    for (let index = 0; index < 5; index++) a.transport.send(new Uint8Array(1_000).fill(65), b.address)
    const stream = a.transport.dial(b.address, { data() {}, closed() {} })
    stream.write(bytesOf('patient'))
    await simulation.run(100)
    b.host.resume()
    await simulation.run(1)
    assert.equal(b.log.filter((line) => line.includes(' packet ')).length, 3)
    assert.deepEqual(b.host.station.traffic.dropped['buffer-full'], { packets: 2, bytes: 2_000 })
    assert.deepEqual(b.log.slice(3), ['100 accepted', '100 stream data patient'])
  })
})
