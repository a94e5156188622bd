// Runs: time, waiting, code with awaits, transcripts.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TimeoutError } from '../../../src/base/errors.ts'
import { Simulation, SimulationError } from '../../../src/sim/simulation.ts'
import { Transcript } from '../../../src/sim/transcript.ts'
import { bytesOf, listen } from './listener.ts'

describe('sim/simulation', () => {
  it('lets exactly the time pass that was asked for, whether or not something happens', async () => {
    const simulation = new Simulation({ seed: 1 })
    const seen: number[] = []
    simulation.schedule.at(10, () => seen.push(simulation.now))
    simulation.schedule.at(10.5, () => seen.push(simulation.now))
    await simulation.run(10)
    assert.deepEqual([simulation.now, seen], [10, [10]])
    await simulation.run(90)
    assert.deepEqual([simulation.now, seen], [100, [10, 10.5]])
  })

  it('lets code with awaits go on at the instant that woke it', async () => {
    const simulation = new Simulation({ seed: 1 })
    const seen: string[] = []
    const user = async (): Promise<void> => {
      for (let round = 1; round <= 3; round++) {
        await simulation.sleep(10)
        for (let hop = 0; hop < 20; hop++) await null
        seen.push(`user ${round} at ${simulation.now}`)
      }
    }
    const done = user()
    for (const at of [10, 10, 20, 30]) simulation.schedule.at(at, () => seen.push(`task at ${simulation.now}`))
    await simulation.finish(done)
    // The sleeps of 20 and 30 were asked for later than the tasks of those times, so they come after them.
    const expected = [
      'user 1 at 10',
      'task at 10',
      'task at 10',
      'task at 20',
      'user 2 at 20',
      'task at 30',
      'user 3 at 30',
    ]
    assert.deepEqual(seen, expected)
  })

  it('waits until a condition holds, and no longer', async () => {
    const simulation = new Simulation({ seed: 1 })
    let isOpen = false
    simulation.schedule.at(103.3, () => {
      isOpen = true
    })
    await simulation.until(() => isOpen)
    assert.equal(simulation.now, 110)
    isOpen = false
    simulation.schedule.at(203.3, () => {
      isOpen = true
    })
    await simulation.until(() => isOpen, { everyMs: 0 })
    assert.equal(simulation.now, 203.3)
    await simulation.until(() => true)
    assert.equal(simulation.now, 203.3)
  })

  it('gives up waiting with a TimeoutError that names the condition, the seed and the time', async () => {
    const simulation = new Simulation({ seed: 99 })
    const asked = { withinMs: 250, what: 'the gate is open' }
    for (const wait of [
      () => simulation.until(() => false, asked),
      () => simulation.until(() => false, { ...asked, everyMs: 0 }),
      () => simulation.finish(new Promise(() => {}), asked),
    ]) {
      const before = simulation.now
      await assert.rejects(wait(), (error: Error) => {
        assert.ok(error instanceof TimeoutError)
        assert.match(error.message, /not within 250 virtual ms: the gate is open \(seed 99, at \d+\.000 ms\)/)
        return true
      })
      assert.equal(simulation.now, before + 250)
    }
  })

  it('gives what a promise gives, and rejects with what it rejects with', async () => {
    const simulation = new Simulation({ seed: 1 })
    const value = simulation.sleep(5).then(() => 'value')
    assert.equal(await simulation.finish(value), 'value')
    assert.equal(simulation.now, 5)
    const failing = simulation.sleep(5).then(() => {
      throw new Error('its own error')
    })
    await assert.rejects(simulation.finish(failing), /^Error: its own error$/)
    assert.equal(await simulation.finish(Promise.resolve(1)), 1)
    assert.equal(simulation.now, 10)
  })

  it('lets only one caller pass the time', async () => {
    const simulation = new Simulation({ seed: 1 })
    const first = simulation.run(10)
    await assert.rejects(simulation.run(10), SimulationError)
    await first
    await simulation.run(10)
    assert.equal(simulation.now, 20)
  })

  it('goes on after a task threw', async () => {
    const simulation = new Simulation({ seed: 1 })
    simulation.schedule.at(1, () => {
      throw new Error('once')
    })
    await assert.rejects(simulation.run(10), /a task threw: once/)
    await simulation.run(10)
    assert.equal(simulation.now, 11)
  })

  it('has dice for each purpose, decided by the seed alone', () => {
    const draw = (seed: number, purpose: string): number => new Simulation({ seed }).random(purpose).uint32()
    assert.equal(draw(1, 'a'), draw(1, 'a'))
    assert.notEqual(draw(1, 'a'), draw(2, 'a'))
    assert.notEqual(draw(1, 'a'), draw(1, 'b'))
  })
})

describe('sim/transcript', () => {
  async function chat(seed: number, detail: 'off' | 'events' | 'packets'): Promise<string> {
    const describe = (packet: Uint8Array): string => Buffer.from(packet).toString()
    const simulation = new Simulation({ seed, transcript: detail, describe, lossRatio: 0.2 })
    const a = await listen(simulation, 'a', '10.0.0.1')
    const b = await listen(simulation, 'b', '10.0.0.2')
    simulation.transcript.note('*', 'they talk')
    for (let index = 0; index < 20; index++) a.transport.send(bytesOf(`message ${index}`), b.address)
    a.transport.dial(b.address, { data() {}, closed() {} }).write(bytesOf('a stream'))
    await simulation.run(5_000)
    return simulation.transcript.toString()
  }

  it('is the same text for the same seed, and another for another', async () => {
    const first = await chat(5, 'packets')
    assert.equal(await chat(5, 'packets'), first)
    assert.notEqual(await chat(6, 'packets'), first)
  })

  it('tells time, who and what of packets and streams', async () => {
    const text = await chat(5, 'packets')
    assert.match(text, /^ {7}0\.000 {2}\* {8}they talk\n {7}0\.000 {2}a {8}-> b: message 0 \(9 B\)\n/)
    assert.match(text, /\n {7}0\.\d{3} {2}b {8}<- a: message \d+ \(\d+ B\)\n/)
    assert.match(text, /a {8}-> b loss: message/)
    assert.match(text, /a {8}=> b stream dialled\n/)
    assert.match(text, /b {8}<= a stream data \(8 B\)\n/)
  })

  it('holds no packets where events were asked for, and nothing where it is off', async () => {
    assert.equal(await chat(5, 'events'), '       0.000  *        they talk\n')
    assert.equal(await chat(5, 'off'), '')
  })

  it('of a long run keeps the end, and says what it lost', () => {
    const transcript = new Transcript('events', () => 0, 3)
    for (let line = 1; line <= 8; line++) transcript.note('a', `${line}`)
    assert.match(transcript.toString(), /^\(3 earlier lines are not kept\)\n.* 4\n/)
    assert.match(transcript.toString(), / 8\n$/)
  })
})
