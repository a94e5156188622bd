// Timers for a user's code on a simulated host.
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, it } from 'node:test'
import type { SimHost } from '../../../src/sim/host.ts'
import { ServiceClock } from '../../../src/sim/service-clock.ts'
import { Simulation } from '../../../src/sim/simulation.ts'

function bench(): {
  simulation: Simulation
  host: SimHost
  clock: ServiceClock
  log: string[]
  note: (what: string) => void
} {
  const simulation = new Simulation({ seed: 1 })
  const host = simulation.host(simulation.station('a', '10.0.0.1'))
  const log: string[] = []
  return {
    simulation,
    host,
    clock: new ServiceClock(host.clock),
    log,
    note: (what) => log.push(`${simulation.now} ${what}`),
  }
}

describe('sim/service-clock', () => {
  it('calls once, or again and again, until told not to', async () => {
    const { simulation, clock, log, note, host } = bench()
    clock.after(5, () => note('once'))
    clock.after(6, () => note('never'))()
    const end = clock.every(10, () => note('again'))
    clock.wakeAt(7, () => note('at seven'))
    await simulation.run(35)
    end()
    await simulation.run(100)
    assert.deepEqual(log, ['5 once', '7 at seven', '10 again', '20 again', '30 again'])
    assert.deepEqual([clock.now(), host.leftovers], [135, ''])
  })

  it('can be ended by what it calls', async () => {
    const { simulation, clock, log, note, host } = bench()
    const end = clock.every(10, () => {
      note('again')
      if (simulation.now >= 20) end()
    })
    await simulation.run(100)
    assert.deepEqual([log, host.leftovers], [['10 again', '20 again'], ''])
  })

  it('sleeps, unless it is woken', async () => {
    const { simulation, clock, host } = bench()
    const stop = new AbortController()
    const slept = clock.sleep(10).then(() => simulation.now)
    const woken = assert.rejects(clock.sleep(50, stop.signal), /enough/)
    const undisturbed = clock.sleep(15, stop.signal)
    clock.after(20, () => stop.abort(new Error('enough')))
    await simulation.run(18)
    await undisturbed
    assert.equal(getEventListeners(stop.signal, 'abort').length, 1, 'who has slept listens no more')
    await simulation.run(12)
    assert.equal(await slept, 10)
    await woken
    await assert.rejects(clock.sleep(5, stop.signal), /enough/)
    assert.equal(host.leftovers, '')
  })

  it('is late in a pause, and dead after a crash', async () => {
    const { simulation, clock, host, log, note } = bench()
    clock.every(10, () => note('again'))
    await simulation.run(15)
    host.pause()
    await simulation.run(40)
    host.resume()
    await simulation.run(10)
    host.kill()
    await simulation.run(100)
    assert.deepEqual(log, ['10 again', '55 again', '65 again'])
  })

  it('refuses times that mean nothing', () => {
    const { clock } = bench()
    assert.throws(() => clock.after(-1, () => {}), { code: 'ERR_OPTIONS', option: 'ms' })
    assert.throws(() => clock.every(0, () => {}), /more than 0/)
  })
})
