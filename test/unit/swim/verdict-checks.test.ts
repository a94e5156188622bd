// Another's verdict about a member that is well to us is checked before it is believed.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MAX_CHECKS } from '../../../src/swim/verdict-checks.ts'
import { alive, type Bench, bench, dead, left, ping, suspect } from './support.ts'

/** With the checks, and without probes in between. */
function checking(last = 5, more: Parameters<typeof bench>[1] = {}): Bench {
  return bench(last, { probeIntervalMs: 60_000, verdictChecks: true, ...more })
}

/** The question that was sent to a member: number of the ping, and what else it was told. */
function question(made: Bench) {
  const [sent, ...others] = made.packets()
  const [first, ...rest] = sent?.messages ?? []
  assert.ok(sent !== undefined && first?.type === 'ping' && others.length === 0, 'one packet, with a ping')
  return { seqNo: first.seqNo, node: first.node, to: sent.to.key, rest }
}

function kindsOf(made: Bench, name: string): string[] {
  return made.swim.trail.story(name).entries.map(({ kind }) => kind)
}

describe('swim/verdict-checks.ts: a verdict about a member that is alive to us', () => {
  it('makes us ask it, and tell it what is said of it; nobody is told anything', () => {
    const made = checking()
    made.receive(dead('m2', 1))
    assert.deepEqual(question(made), { seqNo: 1, node: 'm2', to: '10.0.0.2:7946', rest: [suspect('m2', 1, 'm1')] })
    assert.equal(made.status('m2'), 'alive')
    assert.equal(made.swim.queued, 0)
  })

  it('is taken and told on, in the bytes received, when the member does not answer within the probe timeout', () => {
    const made = checking()
    made.receive(dead('m2', 1))
    made.effects()
    made.advanceTo(499)
    assert.equal(made.status('m2'), 'alive')
    made.advanceTo(500)
    assert.equal(made.status('m2'), 'dead')
    assert.deepEqual(made.spread(), [dead('m2', 1)])
    assert.deepEqual(made.delegate.take(), ['gone m2 dead'])
    assert.deepEqual(kindsOf(made, 'm2'), ['verdict-doubted', 'dead'])
  })

  it('is not believed when the member answers, and for a probe interval not even asked about again', () => {
    const made = checking()
    made.receive(dead('m2', 1))
    made.ack(question(made).seqNo)
    made.advanceTo(100)
    made.receive(dead('m2', 1, 'm8'))
    assert.deepEqual(made.effects(), [])
    made.advanceTo(30_000)
    assert.equal(made.status('m2'), 'alive')
    assert.equal(made.swim.queued, 0)
    assert.deepEqual(kindsOf(made, 'm2'), ['verdict-doubted', 'verdict-refused'])
    made.advanceTo(60_000)
    made.effects()
    made.receive(dead('m2', 1))
    assert.equal(question(made).node, 'm2')
  })

  it('is stale once the member has denied it', () => {
    const made = checking()
    made.receive(dead('m2', 1))
    made.receive(alive('m2', 2))
    made.advanceTo(1000)
    assert.equal(made.status('m2'), 'alive')
  })

  it('is held back for a probe interval after the answer, and asked about again from then on', () => {
    const made = checking(5, { probeIntervalMs: 1000, probeTimeoutMs: 500 })
    made.receive(dead('m2', 1))
    const { seqNo } = question(made)
    made.advanceTo(100)
    made.ack(seqNo)
    const doubts = (): number => kindsOf(made, 'm2').filter((kind) => kind === 'verdict-doubted').length
    for (const [time, expected] of [
      [700, 1],
      [1099, 1],
      [1100, 2],
    ] as const) {
      made.advanceTo(time)
      made.receive(dead('m2', 1))
      assert.equal(doubts(), expected, `after ${time} ms`)
    }
  })

  it('at a higher number takes the place of the one that is asked about', () => {
    const made = checking()
    made.receive(dead('m2', 1))
    made.effects()
    made.advanceTo(300)
    made.receive(dead('m2', 3, 'm8'), dead('m2', 2, 'm7'))
    assert.deepEqual(made.effects(), [], 'the question stands')
    made.advanceTo(500)
    assert.deepEqual([made.status('m2'), made.incarnation('m2')], ['dead', 3])
    assert.deepEqual(made.spread(), [dead('m2', 3, 'm8')])
  })

  it('at a higher number is asked about, also where the member has just answered: it has to be told of that', () => {
    const made = checking()
    made.receive(dead('m2', 1))
    made.ack(question(made).seqNo)
    made.advanceTo(100)
    made.receive(dead('m2', 3, 'm8'))
    assert.deepEqual(question(made).rest, [suspect('m2', 3, 'm1')])
    made.advanceTo(600)
    assert.deepEqual([made.status('m2'), made.incarnation('m2')], ['dead', 3])
  })

  it('is taken though the answer to another question comes', () => {
    const made = checking()
    made.receive(dead('m2', 1))
    made.ack(question(made).seqNo + 1)
    made.advanceTo(500)
    assert.equal(made.status('m2'), 'dead')
  })

  it('waits for the end of a stall of ours, in which the answer may lie unread', () => {
    const made = checking()
    made.receive(dead('m2', 1))
    const { seqNo } = question(made)
    made.now = 3000
    made.swim.stalled(2900, made.now)
    made.swim.advance(made.now)
    assert.equal(made.status('m2'), 'alive')
    made.ack(seqNo)
    made.advanceTo(10_000)
    assert.equal(made.status('m2'), 'alive')
  })
})

describe('swim/verdict-checks.ts: what is taken at once', () => {
  it('a goodbye', () => {
    const made = checking()
    made.receive(left('m2', 1))
    assert.equal(made.status('m2'), 'left')
  })

  it('a verdict about a member that we suspect for half of the shortest time, as when it has died', () => {
    for (const [age, status] of [
      [1999, 'suspect'],
      [2000, 'dead'],
    ] as const) {
      const made = checking(5, { probeIntervalMs: 1000 })
      made.receive(suspect('m2', 1, 'm3'))
      made.swim.advance(age)
      made.now = age
      made.receive(dead('m2', 1))
      assert.equal(made.status('m2'), status, `after ${age} ms`)
    }
  })

  it('not one about a member that we suspect for so long only because we stood still', () => {
    const made = checking(5, { probeIntervalMs: 1000 })
    made.receive(suspect('m2', 1, 'm3'))
    made.now = 2500
    made.swim.stalled(2000, made.now)
    made.receive(dead('m2', 1))
    assert.equal(made.status('m2'), 'suspect')
  })

  it('any, where the switch is off', () => {
    const made = checking(5, { verdictChecks: false })
    made.receive(dead('m2', 1))
    assert.equal(made.status('m2'), 'dead')
  })

  it('one about ourselves is denied as ever', () => {
    const made = checking()
    made.receive(dead('m1', 1))
    assert.equal(made.swim.self.incarnation, 2)
    made.receive(ping('m1', 3))
    assert.equal(made.status('m1'), 'alive')
  })
})

describe('swim/verdict-checks.ts: many verdicts at once', () => {
  it('beyond the limit they become suspicions in the name of who told them, and those can be denied', () => {
    const made = checking(MAX_CHECKS + 4)
    for (let number = 2; number <= MAX_CHECKS + 4; number++) made.receive(dead(`m${number}`, 1, 'm999'))
    const names = Array.from({ length: MAX_CHECKS + 3 }, (_, index) => `m${index + 2}`)
    const suspects = names.filter((name) => made.status(name) === 'suspect')
    assert.deepEqual(suspects, names.slice(MAX_CHECKS))
    assert.equal(made.packets().length, MAX_CHECKS)
    const told = made.spread()
    assert.ok(
      told.length > 0 && told.every(({ type }) => type === 'suspect'),
      'nobody is told a verdict that we do not share',
    )
    const [first] = suspects
    assert.ok(first !== undefined)
    made.receive(alive(first, 2))
    assert.equal(made.status(first), 'alive')
  })
})
