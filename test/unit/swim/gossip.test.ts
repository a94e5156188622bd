// Telling others between probes: serf-behaviour §7.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { alive, Bench, type BenchSetup, dead, left, suspect } from './support.ts'

const DAY_MS = 86_400_000

/** A bench of which only gossip moves: its first round comes 200 to 400 ms after the start. */
function bench(last: number, setup: BenchSetup = {}): Bench {
  const made = new Bench({ gossipIntervalMs: 200, probeIntervalMs: DAY_MS, probeTimeoutMs: 500, ...setup })
  made.know(last)
  return made
}

/** Whom a round of gossip went to; nobody where there was none to come. */
function round(made: Bench): string[] {
  if (nextRound(made) !== undefined) made.step()
  return made.packets().map(({ to }) => to.host)
}

/** When the next round falls; `undefined` where nothing but the probe of the next day is to come. */
function nextRound(made: Bench): number | undefined {
  const next = made.swim.nextDeadline() as number
  return next < DAY_MS ? next : undefined
}

describe('serf-behaviour §7: a round of gossip', () => {
  it('tells up to gossipFanout different members, never ourselves', () => {
    const made = bench(20)
    for (let rounds = 0; rounds < 50; rounds++) {
      made.receive(alive('m2', rounds + 2))
      const told = round(made)
      assert.equal(told.length, 3)
      assert.equal(new Set(told).size, 3)
      assert.ok(!told.includes('10.0.0.1'))
    }
  })

  it('there is none where nothing is queued, and what is queued waits for the time of the next', () => {
    const made = bench(20)
    const first = nextRound(made)
    assert.ok(first !== undefined, 'the news of the start was still to be told')
    assert.deepEqual(round(made), [])
    assert.equal(nextRound(made), undefined)
    made.now = first + 9_950
    made.receive(suspect('m2', 1))
    assert.equal(nextRound(made), first + 10_000)
    assert.equal(round(made).length, 3)
  })

  it('what the layer above queues is told as well, once it says so', () => {
    const made = bench(20)
    round(made)
    made.delegate.broadcasts = [Uint8Array.of(8, 1)]
    assert.equal(nextRound(made), undefined)
    made.swim.settle(made.now)
    assert.equal(round(made).length, 3)
  })

  it('stops when what is queued has been told often enough', () => {
    const made = bench(5)
    made.receive(suspect('m2', 1))
    const rounds = [round(made), round(made), round(made)]
    assert.deepEqual(
      rounds.map(({ length }) => length),
      [3, 1, 0],
    )
    assert.equal(made.swim.queued, 0)
  })

  it('comes every gossipIntervalMs, at a phase of its own; missed rounds are not made up for', () => {
    const made = bench(5)
    const first = made.swim.nextDeadline() as number
    assert.ok(first >= 200 && first < 400)
    made.receive(suspect('m2', 1))
    made.now = first + 1050
    made.swim.advance(made.now)
    assert.equal(made.packets().length, 3)
    assert.equal(made.swim.nextDeadline(), first + 1200)
  })

  it('ML-45: suspects and the dead are told, those that left are not', () => {
    const made = bench(4)
    made.receive(suspect('m2', 1), dead('m3', 1), left('m4', 1))
    const told = new Set<string>()
    for (let rounds = 0; rounds < 30; rounds++) {
      made.receive(alive('m9', rounds + 2), left('m9', rounds + 2))
      for (const host of round(made)) told.add(host)
    }
    assert.deepEqual([...told].sort(), ['10.0.0.2', '10.0.0.3'])
  })

  it('ML-45: the dead are told for gossipToTheDeadMs, to the millisecond', () => {
    const made = bench(2, { gossipToTheDeadMs: 1000 })
    const first = made.swim.nextDeadline() as number
    made.now = first
    made.swim.advance(first)
    made.receive(dead('m2', 1))
    made.advanceTo(first + 999)
    made.hush()
    made.receive(alive('m3', 1), left('m3', 1))
    made.advanceTo(first + 1000)
    assert.deepEqual(
      made.packets().map(({ to }) => to.host),
      ['10.0.0.2'],
    )
    made.receive(alive('m3', 2), left('m3', 2))
    made.advanceTo(first + 1200)
    assert.deepEqual(made.packets(), [])
  })

  it('a telling to the dead does not count while somebody lives: those get all that they are owed', () => {
    const made = bench(4, { gossipFanout: 1 })
    made.receive(dead('m3', 1), dead('m4', 1))
    const told = { living: 0, dead: 0 }
    made.delegate.draws.length = 0
    while (made.swim.queued > 0) for (const host of round(made)) told[host === '10.0.0.2' ? 'living' : 'dead']++
    // 4 * ceil(log10(5)) tellings, both verdicts in one packet.
    assert.equal(told.living, 4)
    assert.ok(told.dead > 0)
    assert.equal(made.delegate.draws.length, 4, 'nor does it count for the layer above')
  })

  it('once only the dead are left each telling counts, and comes to its end', () => {
    const made = bench(3, { gossipFanout: 1 })
    made.receive(dead('m2', 1), dead('m3', 1))
    const rounds = Array.from({ length: 10 }, () => round(made).length)
    assert.deepEqual(rounds, [1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    assert.equal(made.swim.queued, 0)
  })

  it('the dead hear what the living do, of both layers', () => {
    const made = bench(2, { gossipFanout: 5 })
    made.receive(alive('m3', 1), dead('m3', 1))
    made.delegate.broadcasts = [Uint8Array.of(8, 1)]
    made.step()
    const heard = new Map(made.packets().map(({ to, messages }) => [to.host, messages.map(({ type }) => type)]))
    assert.deepEqual(heard.get('10.0.0.3'), ['dead', 'user'])
    assert.deepEqual(heard.get('10.0.0.2'), ['dead', 'user'])
  })

  it('has a checksum for those that read one, by their own word', () => {
    const made = bench(3)
    made.receive(alive('m2', 2, { vsn: Uint8Array.of(1, 4, 2, 2, 5, 5) }))
    made.step()
    const crc = new Map(made.packets().map((sent) => [sent.to.host, sent.crc]))
    assert.deepEqual([crc.get('10.0.0.2'), crc.get('10.0.0.3')], [false, true])
  })

  it('each packet is a draw of its own from the layer above too', () => {
    const made = bench(10)
    made.delegate.broadcasts = [Uint8Array.of(8, 1)]
    made.delegate.draws.length = 0
    made.step()
    assert.equal(made.delegate.draws.length, 3)
    assert.deepEqual(
      made.packets().map(({ messages }) => messages),
      new Array(3).fill([{ type: 'user', payload: Uint8Array.of(1) }]),
    )
  })

  it('0 turns it off', () => {
    const made = new Bench({ gossipIntervalMs: 0, probeIntervalMs: 86_400_000 })
    made.receive(alive('m2', 1))
    made.advanceTo(60_000)
    assert.deepEqual(made.effects(), [])
  })
})
