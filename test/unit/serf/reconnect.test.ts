// Reaching for the dead: serf-behaviour §31.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StreamMessageReader } from '../../../src/wire/swim-messages.ts'
import type { PacketMessage } from '../../../src/wire/types.ts'
import { alive, dead, goodbye, Mesh, type StationOptions } from './support.ts'

const INTERVAL_MS = 30_000
/** Nothing but what is tested here comes due, and SWIM forgets nobody. */
const QUIET: StationOptions = {
  probeIntervalMs: 86_400_000,
  gossipIntervalMs: 0,
  gossipToTheDeadMs: 86_400_000,
  reconnectTimeoutMs: 365 * 86_400_000,
  tombstoneTimeoutMs: 365 * 86_400_000,
}

describe('SF-72: the regular attempt', () => {
  it('with 1 dead beside 100 alive comes in one interval of a hundred', () => {
    // Ourselves and 99 others: p = 1 / 100. Of 20,000 intervals 200 are expected; five deviations are 70.
    const { mesh, us } = knowing(101)
    mesh.feed(us, dead(101))
    skipQuickOnes(mesh)
    mesh.run(20_000 * INTERVAL_MS)
    const tries = triesOf(mesh)
    assert.ok(Math.abs(tries.length - 200) < 70, `${tries.length}`)
    assert.deepEqual([...new Set(tries)], ['10.0.0.101'])
  })

  it('is of each of the dead alike', () => {
    // Ourselves and 4 others beside 3 dead and one that left: p = 3 / 5.
    const { mesh, us } = knowing(9)
    mesh.feed(us, dead(7), dead(8), dead(9), goodbye(2))
    skipQuickOnes(mesh)
    mesh.run(3000 * INTERVAL_MS)
    const tries = triesOf(mesh)
    // 1800 expected, five deviations are 134; 600 of each, give or take 110.
    assert.ok(Math.abs(tries.length - 1800) < 134, `${tries.length}`)
    for (const host of ['10.0.0.7', '10.0.0.8', '10.0.0.9']) {
      const count = tries.filter((tried) => tried === host).length
      assert.ok(Math.abs(count - 600) < 110, `${host}: ${count}`)
    }
  })

  it('comes in every interval where as many are dead as are here', () => {
    const { mesh, us } = knowing(4)
    mesh.feed(us, dead(3), dead(4))
    skipQuickOnes(mesh)
    mesh.run(100 * INTERVAL_MS)
    assert.equal(triesOf(mesh).length, 100)
  })

  it('is a full exchange as to join, without an intent', () => {
    const { mesh, us } = knowing(4, { gossipIntervalMs: 200 })
    mesh.feed(us, dead(2), dead(3))
    mesh.run(2 * INTERVAL_MS)
    const [request] = mesh.requests
    assert.ok(request !== undefined)
    const message = new StreamMessageReader().read(request.body, request.body.length, request.body.length)
    assert.equal(message?.type === 'push-pull' && message.join, true)
    assert.ok(mesh.sent.length > 0)
    assert.deepEqual(mesh.gossiped('us'), [])
  })

  it('is of nobody where nobody is dead, and of nobody who left', () => {
    const { mesh, us } = knowing(4)
    mesh.feed(us, goodbye(2), goodbye(3))
    mesh.run(50 * INTERVAL_MS)
    assert.deepEqual(triesOf(mesh), [])
  })

  it('waits for the end of the one before, and comes again after it', () => {
    const { mesh, us } = knowing(2)
    mesh.refuses = false
    mesh.feed(us, dead(2))
    mesh.run(5 * INTERVAL_MS)
    const [request, ...more] = mesh.requests
    assert.ok(request !== undefined && more.length === 0)
    mesh.call(us, (serf, now) => serf.requestFailed(request.id, 'refused', now))
    assert.deepEqual(
      us.told().filter(({ type }) => type === 'warning'),
      [],
    )
    mesh.run(INTERVAL_MS)
    assert.equal(mesh.requests.length, 2)
  })

  it('ends when we leave', () => {
    const { mesh, us } = knowing(3)
    mesh.feed(us, dead(2))
    mesh.call(us, (serf, now) => serf.leave(now))
    mesh.run(20 * INTERVAL_MS)
    assert.deepEqual(mesh.requests, [])
  })

  it('0 turns it off, the quick ones too', () => {
    const { mesh, us } = knowing(3, { reconnectIntervalMs: 0 })
    mesh.feed(us, dead(2), dead(3))
    mesh.run(20 * INTERVAL_MS)
    assert.deepEqual(mesh.requests, [])
  })
})

describe('after a mass failure', () => {
  /** When attempts came after the failures, in ms. */
  function quickTries(mesh: Mesh, ms: number): number[] {
    const start = mesh.now
    const at: number[] = []
    while (mesh.now < start + ms) {
      mesh.run(100)
      for (const _ of triesOf(mesh)) at.push(mesh.now - start)
    }
    return at
  }

  it('more than half of the others within a minute: attempts after 1, 3, 7, 15, 31 seconds, as long as the pause is below the interval', () => {
    for (const reconnectIntervalMs of [30_000, 86_400_000]) {
      const { mesh, us } = knowing(6, { reconnectIntervalMs })
      mesh.run(60_000)
      mesh.feed(us, dead(2), dead(3), dead(4))
      const quick = [1000, 3000, 7000, 15_000]
      if (reconnectIntervalMs > 60_000) quick.push(31_000)
      const tries = quickTries(mesh, 59_000)
      assert.deepEqual(
        tries.filter((at) => at % 1000 === 0),
        quick,
      )
      assert.ok(tries.length <= quick.length + 2, 'the regular ones fall in between')
    }
  })

  it('half of them is none, and neither are as many one by one', () => {
    for (const pauseMs of [0, 40_000]) {
      const { mesh, us } = knowing(7, { reconnectIntervalMs: 86_400_000 })
      for (const number of [2, 3, 4]) {
        mesh.feed(us, dead(number))
        mesh.run(pauseMs)
      }
      if (pauseMs > 0) {
        mesh.feed(us, dead(5))
        mesh.run(pauseMs)
      }
      assert.deepEqual(quickTries(mesh, 60_000), [], `${pauseMs}`)
    }
  })

  it('they end as soon as the others are back', () => {
    const { mesh, us } = knowing(4, { reconnectIntervalMs: 86_400_000 })
    mesh.feed(us, dead(2), dead(3))
    assert.deepEqual(quickTries(mesh, 1500), [1000])
    mesh.feed(us, alive(2, 2), alive(3, 2))
    assert.deepEqual(quickTries(mesh, 60_000), [])
  })

  it('a second one is answered as the first', () => {
    const { mesh, us } = knowing(4, { reconnectIntervalMs: 86_400_000 })
    for (let incarnation = 1; incarnation <= 3; incarnation++) {
      mesh.feed(us, dead(2, incarnation), dead(3, incarnation))
      assert.deepEqual(quickTries(mesh, 4000), [1000, 3000])
      mesh.feed(us, alive(2, incarnation + 1), alive(3, incarnation + 1))
      mesh.run(30_000)
    }
  })
})

function knowing(last: number, options: StationOptions = {}) {
  const mesh = new Mesh()
  mesh.refuses = true
  const us = mesh.add('us', 1, { ...QUIET, ...options })
  const claims: PacketMessage[] = []
  for (let number = 2; number <= last; number++) claims.push(alive(number))
  mesh.feed(us, ...claims)
  us.told()
  return { mesh, us }
}

/** Lets the attempts pass that may follow a loss at once, and forgets them. */
function skipQuickOnes(mesh: Mesh): void {
  mesh.run(2 * INTERVAL_MS)
  mesh.requests.length = 0
}

/** Whom attempts were made of since the last call. */
function triesOf(mesh: Mesh): string[] {
  return mesh.requests.splice(0).map(({ to }) => to.host)
}
