// How long things take: what is drawn, what is refused, how it is told.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Random } from '../../../src/base/random.ts'
import { checkLatency, drawLatency, type Latency, latencyInWords, mostMs } from '../../../src/sim/latency.ts'

function drawn(latency: Latency, count = 20_000, seed = 1): number[] {
  const random = new Random(seed)
  return Array.from({ length: count }, () => drawLatency(latency, random)).sort((left, right) => left - right)
}

const at = (sorted: readonly number[], share: number): number => sorted[Math.floor(share * sorted.length)] as number
const mean = (values: readonly number[]): number => values.reduce((sum, ms) => sum + ms, 0) / values.length

describe('sim/latency', () => {
  it('is a number, or evenly drawn from a range', () => {
    assert.deepEqual(drawn(7, 2), [7, 7])
    const range = drawn({ minMs: 2, maxMs: 4 })
    assert.ok(at(range, 0) >= 2 && (range.at(-1) as number) < 4)
    assert.ok(Math.abs(mean(range) - 3) < 0.02, `mean ${mean(range)}`)
  })

  it('that is exponential has its mean, its median at 0.69 of it, and one in a hundred above 4.6 of it', () => {
    const ms = drawn({ kind: 'exponential', minMs: 1, meanMs: 10 })
    assert.ok(at(ms, 0) >= 1)
    assert.ok(Math.abs(mean(ms) - 11) < 0.25, `mean ${mean(ms)}`)
    assert.ok(Math.abs(at(ms, 0.5) - 7.93) < 0.25, `median ${at(ms, 0.5)}`)
    assert.ok(Math.abs(at(ms, 0.99) - 47.05) < 4, `99th ${at(ms, 0.99)}`)
  })

  it('that is log-normal has its median, and its tail where sigma puts it', () => {
    const ms = drawn({ kind: 'log-normal', medianMs: 5, sigma: 0.5 })
    assert.ok(Math.abs(at(ms, 0.5) - 5) < 0.15, `median ${at(ms, 0.5)}`)
    assert.ok(Math.abs(at(ms, 0.99) / 5 - 3.2) < 0.25, `99th ${at(ms, 0.99)}`)
    assert.ok(Math.abs(at(ms, 0.01) * 3.2 - 5) < 0.4, `1st ${at(ms, 0.01)}`)
    assert.deepEqual(drawn({ kind: 'log-normal', medianMs: 5, sigma: 0 }, 3), [5, 5, 5])
  })

  it('stops at the most that is allowed', () => {
    for (const latency of [
      { kind: 'exponential', meanMs: 10, maxMs: 20 },
      { kind: 'log-normal', medianMs: 10, sigma: 1, maxMs: 20 },
    ] as const) {
      const ms = drawn(latency)
      assert.equal(ms.at(-1), 20)
      assert.ok(at(ms, 0.5) < 20)
    }
  })

  it('says the most that is ever drawn, where there is one', () => {
    const most = [5, { minMs: 1, maxMs: 7 }, { kind: 'exponential', meanMs: 1, maxMs: 9 }] as const
    assert.deepEqual(most.map(mostMs), [5, 7, 9])
    const open = [() => 5, { kind: 'exponential', meanMs: 1 }, { kind: 'log-normal', medianMs: 1, sigma: 1 }] as const
    assert.deepEqual(open.map(mostMs), Array(3).fill(Number.POSITIVE_INFINITY))
  })

  it('draws the same from the same dice, to the last bit', () => {
    const random = new Random(1)
    const ms = [
      drawLatency({ kind: 'exponential', meanMs: 10 }, random),
      drawLatency({ kind: 'log-normal', medianMs: 10, sigma: 1 }, random),
      drawLatency((dice) => dice.below(100), random),
    ]
    assert.deepEqual(ms.map(String), ['8.407334445271962', '13.429233972902594', '49'])
  })

  it('refuses what means nothing, naming the option, the value and the limit', () => {
    const wrong: readonly [unknown, string, RegExp][] = [
      [-1, 'latencyMs', /0 ms or more/],
      [Number.NaN, 'latencyMs', /finite/],
      [Number.POSITIVE_INFINITY, 'latencyMs', /finite/],
      ['5', 'latencyMs', /a distribution/],
      [null, 'latencyMs', /a distribution/],
      [{ minMs: 5, maxMs: 4 }, 'latencyMs.maxMs', /5 ms or more/],
      [{ minMs: 5 }, 'latencyMs.maxMs', /5 ms or more/],
      [{ kind: 'exponential' }, 'latencyMs.meanMs', /finite/],
      [{ kind: 'exponential', meanMs: 1, minMs: -1 }, 'latencyMs.minMs', /finite/],
      [{ kind: 'exponential', meanMs: 1, minMs: 2, maxMs: 1 }, 'latencyMs.maxMs', /2 ms or more/],
      [{ kind: 'log-normal', medianMs: 1, sigma: 4 }, 'latencyMs.sigma', /0 to 3/],
      [{ kind: 'log-normal', medianMs: 1, sigma: 1, maxMs: -1 }, 'latencyMs.maxMs', /finite/],
      [{ kind: 'pareto' }, 'latencyMs.kind', /log-normal/],
    ]
    for (const [latency, option, limit] of wrong) {
      assert.throws(
        () => checkLatency('latencyMs', latency as Latency),
        (error: Error & { option?: string }) => error.option === option && limit.test(error.message),
        JSON.stringify(latency),
      )
    }
    assert.throws(() => drawLatency(() => -1, new Random(1)), { code: 'ERR_OPTIONS' })
  })

  it('is told in words', () => {
    const told: readonly [Latency, string][] = [
      [5, '5 ms'],
      [{ minMs: 1, maxMs: 2 }, '1 to 2 ms'],
      [{ kind: 'exponential', meanMs: 3, maxMs: 9 }, '0 ms and exponential with mean 3 ms, 9 ms at most'],
      [{ kind: 'log-normal', medianMs: 3, sigma: 0.5 }, 'log-normal with median 3 ms and sigma 0.5'],
      [() => 1, 'as a function says'],
    ]
    for (const [latency, words] of told) assert.equal(latencyInWords(checkLatency('latencyMs', latency)), words)
  })
})
