// The last word before a verdict of ours.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { alive, type Bench, type BenchSetup, bench, suspect } from './support.ts'

function telling(more: BenchSetup = {}): Bench {
  return bench(5, { lastPings: true, ...more })
}

/** Lets time pass; whoever is pinged acks, and denies nothing. */
function passTo(made: Bench, until: number): void {
  for (let next = made.swim.nextDeadline(); next !== undefined && next <= until; next = made.swim.nextDeadline()) {
    made.step()
    for (const { messages } of made.packets()) {
      const [first] = messages
      if (first?.type === 'ping') made.ack(first.seqNo)
    }
  }
  made.now = until
}

/** When m2 was told. */
function toldAt(made: Bench): number[] {
  return made.swim.trail.story('m2').entries.flatMap(({ kind, atMs }) => (kind === 'last-ping' ? [atMs] : []))
}

describe('swim/last-ping.ts', () => {
  it('two probe intervals before the end a suspect that nobody else accuses is told so, with a ping', () => {
    const made = telling()
    made.receive(suspect('m2', 1, 'm3'))
    passTo(made, 21_999)
    made.hush()
    assert.deepEqual(toldAt(made), [])
    while (toldAt(made).length === 0) made.step()
    assert.deepEqual(toldAt(made), [22_000])
    const sent = made.packets().find(({ messages }) => messages[1]?.type === 'suspect')
    assert.equal(sent?.to.key, '10.0.0.2:7946')
    assert.equal(sent.messages[0]?.type, 'ping')
    assert.deepEqual(sent.messages.slice(1), [suspect('m2', 1, 'm1')])
    assert.equal(sent.crc, true)
  })

  it('what it denies then is taken, and the verdict never comes', () => {
    const made = telling()
    made.receive(suspect('m2', 1, 'm3'))
    passTo(made, 22_000)
    made.receive(alive('m2', 2))
    passTo(made, 60_000)
    assert.equal(made.status('m2'), 'alive')
  })

  it('an answer alone holds no verdict up', () => {
    const made = telling()
    made.receive(suspect('m2', 1, 'm3'))
    passTo(made, 23_999)
    assert.equal(made.status('m2'), 'suspect')
    passTo(made, 24_000)
    assert.equal(made.status('m2'), 'dead')
  })

  it('comes earlier where a confirmation brings the end nearer, and not at all where that leaves no time for it', () => {
    const made = telling()
    made.receive(suspect('m2', 1, 'm3'), suspect('m2', 1, 'm4'))
    passTo(made, 20_000)
    assert.deepEqual(toldAt(made), [9381])
    const short = telling({ suspicionMaxTimeoutMult: 1, suspicionMult: 2 })
    short.receive(suspect('m2', 1, 'm3'))
    passTo(short, 20_000)
    assert.deepEqual([toldAt(short), short.status('m2')], [[], 'dead'])
  })

  it('a suspicion that lasts longer, since we stood still, brings it later', () => {
    const made = telling()
    made.receive(suspect('m2', 1, 'm3'))
    passTo(made, 1000)
    made.now = 6000
    made.swim.stalled(5000, made.now)
    passTo(made, 40_000)
    assert.deepEqual(toldAt(made), [27_000])
  })

  it('comes once in a suspicion, also where that ends sooner or later than it seemed', () => {
    const made = telling()
    made.receive(suspect('m2', 1, 'm3'), suspect('m2', 1, 'm4'))
    passTo(made, 10_000)
    assert.deepEqual(toldAt(made), [9381])
    made.now = 14_000
    made.swim.stalled(4000, made.now)
    passTo(made, 15_000)
    assert.deepEqual(toldAt(made), [9381])
    passTo(made, 40_000)
    assert.deepEqual(toldAt(made), [9381])
  })

  it('nothing is sent where enough accuse, where the switch is off, or once the suspicion is over', () => {
    const confirmed = telling()
    confirmed.receive(suspect('m2', 1, 'm3'), suspect('m2', 1, 'm4'), suspect('m2', 1, 'm5'))
    const off = telling({ lastPings: false })
    off.receive(suspect('m2', 1, 'm3'))
    const denied = telling()
    denied.receive(suspect('m2', 1, 'm3'), alive('m2', 2))
    for (const made of [confirmed, off, denied]) {
      passTo(made, 30_000)
      assert.deepEqual(toldAt(made), [])
    }
    assert.equal(denied.status('m2'), 'alive')
  })
})
