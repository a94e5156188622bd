// Runs: time, waiting, code with awaits, transcripts.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TimeoutError } from '../../../src/base/errors.ts'
import { Simulation, SimulationError } from '../../../src/sim/simulation.ts'
import { firstDifference, Transcript } from '../../../src/sim/transcript.ts'
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

  it('lets one caller pass the time for all, and wakes each of them at his time', async () => {
    const simulation = new Simulation({ seed: 1 })
    const log: string[] = []
    const note = (what: string) => (): number => log.push(`${simulation.now} ${what}`)
    let holds = false
    simulation.schedule.at(7, () => (holds = true))
    for (const ms of [6.5, 8, 12, 25]) simulation.schedule.at(ms, note('task'))
    await Promise.all([
      simulation.run(10).then(note('first')),
      simulation.run(5).then(note('early')),
      simulation.run(20).then(note('later')),
      simulation.finish(simulation.sleep(6)).then(note('finish')),
      simulation.until(() => holds, { everyMs: 0 }).then(note('until')),
      assert.rejects(simulation.finish(new Promise(() => {}), { withinMs: 8 }), TimeoutError).then(note('timeout')),
    ])
    assert.deepEqual(log, [
      '5 early',
      '6 finish',
      '6.5 task',
      '7 until',
      '8 task',
      '8 timeout',
      '10 first',
      '12 task',
      '20 later',
    ])
    assert.equal(simulation.now, 20)
    await simulation.run(10)
    assert.deepEqual([log.at(-1), simulation.now], ['25 task', 30])
  })

  it('fails everyone who waits with what a task throws', async () => {
    const simulation = new Simulation({ seed: 1 })
    simulation.schedule.at(1, () => {
      throw new Error('broken')
    })
    const waits = [simulation.run(10), simulation.run(5), simulation.finish(simulation.sleep(20))]
    for (const wait of waits) await assert.rejects(wait, SimulationError)
    assert.deepEqual([simulation.now, simulation.schedule.size], [1, 1], 'only the sleep is left')
  })

  it('does what was planned at its time, also where that lets time pass', async () => {
    const simulation = new Simulation({ seed: 1 })
    const log: string[] = []
    const note = (what: string): number => log.push(`${simulation.now} ${what}`)
    simulation.at(5, () => note('planned'))
    simulation.at(6, () => note('cancelled'))()
    simulation.at(7, async () => {
      note('begins')
      await simulation.run(2)
      note('goes on')
      await simulation.finish(simulation.sleep(100))
      note('ends')
    })
    await simulation.run(20)
    note('run is over')
    await simulation.run(100)
    assert.deepEqual(log, ['5 planned', '7 begins', '9 goes on', '20 run is over', '109 ends'])
  })

  it('fails with what a plan throws or rejects with, and refuses a plan for the past', async () => {
    const simulation = new Simulation({ seed: 1 })
    simulation.at(5, () => {
      throw new Error('at once')
    })
    simulation.at(6, () => Promise.reject(new Error('soon after')))
    await assert.rejects(simulation.run(20), /at once/)
    await assert.rejects(simulation.run(20), /soon after/)
    assert.throws(() => simulation.at(1, () => {}), { code: 'ERR_OPTIONS', option: 'atMs' })
    await assert.rejects(simulation.run(-1), { code: 'ERR_OPTIONS', option: 'ms' })
  })

  it('refuses what cannot be waited for, naming option and value', async () => {
    const simulation = new Simulation({ seed: 1 })
    const holds = (): boolean => true
    for (const everyMs of [-1, 1e-30, Number.NaN, Number.POSITIVE_INFINITY])
      await assert.rejects(simulation.until(holds, { everyMs }), {
        code: 'ERR_OPTIONS',
        option: 'everyMs',
        value: everyMs,
      })
    for (const withinMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      await assert.rejects(simulation.until(holds, { withinMs }), { code: 'ERR_OPTIONS', option: 'withinMs' })
      await assert.rejects(simulation.finish(Promise.resolve(), { withinMs }), {
        code: 'ERR_OPTIONS',
        option: 'withinMs',
      })
      await assert.rejects(simulation.sleep(withinMs), { code: 'ERR_OPTIONS', option: 'ms', value: withinMs })
    }
    await simulation.until(() => simulation.now >= 0.0025, { everyMs: 0.001 })
    assert.ok(simulation.now < 0.004)
  })

  it('refuses a condition that gives a promise, which would hold at once', async () => {
    const simulation = new Simulation({ seed: 1 })
    const condition = (async () => false) as unknown as () => boolean
    for (const everyMs of [10, 0])
      await assert.rejects(simulation.until(condition, { everyMs }), { code: 'ERR_OPTIONS', option: 'condition' })
    await assert.rejects(simulation.until((() => Promise.reject(new Error('its own'))) as never), {
      option: 'condition',
    })
  })

  it('takes a seed of 32 bits and a known detail of transcript, and nothing else', () => {
    for (const seed of [-1, 1.5, 2 ** 32, Number.NaN, '1', undefined])
      assert.throws(() => new Simulation({ seed: seed as number }), {
        code: 'ERR_OPTIONS',
        option: 'seed',
        value: seed,
      })
    for (const seed of [0, 2 ** 32 - 1]) assert.equal(new Simulation({ seed }).seed, seed)
    const misspelt = { seed: 1, transcript: 'packet' as 'packets' }
    assert.throws(() => new Simulation(misspelt), { code: 'ERR_OPTIONS', option: 'transcript', value: 'packet' })
    assert.throws(() => new Simulation(undefined as never), { code: 'ERR_OPTIONS', option: 'options' })
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

describe('sim/transcript firstDifference', () => {
  it('shows the line of each, and what came before', () => {
    assert.equal(firstDifference('a\nb\n', 'a\nb\n'), undefined)
    assert.equal(firstDifference('a\nb\nc\nd\n', 'a\nb\nx\n', 1), 'line 3:\n  b\n- c\n+ x')
    assert.equal(firstDifference('a', 'a\nb'), 'line 2:\n  a\n- (the end)\n+ b')
    assert.equal(firstDifference('', 'b'), 'line 1:\n- \n+ b')
  })
})
