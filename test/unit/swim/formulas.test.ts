// The arithmetic of scale against the golden tables of serf-behaviour, appendix A.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  pushPullIntervalMs,
  retransmitLimit,
  suspicionMinMs,
  suspicionTimeoutMs,
  wantedConfirmations,
} from '../../../src/swim/formulas.ts'

describe('serf-behaviour A.1: the shortest suspicion', () => {
  // members, lan (4 × 1 s), wan (6 × 5 s), local (3 × 1 s)
  const table: readonly (readonly [members: number, lan: number, wan: number, local: number])[] = [
    [0, 4000, 30_000, 3000],
    [1, 4000, 30_000, 3000],
    [10, 4000, 30_000, 3000],
    [11, 4164, 31_230, 3123],
    [20, 5204, 39_030, 3903],
    [32, 6020, 45_150, 4515],
    [50, 6792, 50_940, 5094],
    [100, 8000, 60_000, 6000],
    [200, 9204, 69_030, 6903],
    [500, 10_792, 80_940, 8094],
    [1000, 12_000, 90_000, 9000],
    [10_000, 16_000, 120_000, 12_000],
  ]
  for (const [members, lan, wan, local] of table) {
    it(`ML-32: among ${members} it lasts ${lan}, ${wan} or ${local} ms`, () => {
      assert.equal(suspicionMinMs(4, members, 1000), lan)
      assert.equal(suspicionMinMs(6, members, 5000), wan)
      assert.equal(suspicionMinMs(3, members, 1000), local)
    })
  }
})

describe('serf-behaviour A.2: a suspicion with confirmations', () => {
  const table: readonly (readonly [confirmations: number, wanted: number, of4to24: number, of2to30: number])[] = [
    [0, 1, 24_000, 30_000],
    [0, 4, 24_000, 30_000],
    [1, 1, 4000, 2000],
    [2, 2, 4000, 2000],
    [3, 3, 4000, 2000],
    [4, 4, 4000, 2000],
    [1, 2, 11_381, 12_333],
    [1, 3, 14_000, 16_000],
    [2, 3, 8150, 7810],
    [1, 4, 15_386, 17_941],
    [2, 4, 10_347, 10_887],
    [3, 4, 6772, 5882],
  ]
  for (const [confirmations, wanted, of4to24, of2to30] of table) {
    it(`ML-32: with ${confirmations} of ${wanted} it lasts ${of4to24} of 4 to 24 s, ${of2to30} of 2 to 30 s`, () => {
      assert.ok(Math.abs(suspicionTimeoutMs(confirmations, wanted, 4000, 24_000) - of4to24) <= 1)
      assert.ok(Math.abs(suspicionTimeoutMs(confirmations, wanted, 2000, 30_000) - of2to30) <= 1)
    })
  }

  it('ML-36: where no confirmations are wanted it lasts the minimum', () => {
    assert.equal(suspicionTimeoutMs(0, 0, 4000, 24_000), 4000)
  })

  it('it stays between its bounds, never grows with confirmations, and ends exactly at the lower one', () => {
    const lengths = fc.record({ min: fc.integer({ min: 1, max: 100_000 }), factor: fc.integer({ min: 1, max: 100 }) })
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 98 }), ({ min, factor }, wanted) => {
        const max = min * factor
        let before = max
        for (let confirmations = 0; confirmations <= wanted; confirmations++) {
          const timeout = suspicionTimeoutMs(confirmations, wanted, min, max)
          assert.ok(timeout >= min && timeout <= before && Number.isInteger(timeout))
          before = timeout
        }
        assert.equal(before, min)
        assert.equal(suspicionTimeoutMs(0, wanted, min, max), max)
      }),
    )
  })
})

describe('Lifeguard §IV-B: wanted confirmations', () => {
  it('two fewer than the multiplier, or none where the cluster is too small to give them', () => {
    const wanted = (mult: number, members: number): number => wantedConfirmations(mult, members)
    assert.deepEqual(
      [1, 2, 3, 4, 5, 100].map((members) => wanted(4, members)),
      [0, 0, 0, 2, 2, 2],
    )
    assert.deepEqual(
      [5, 6, 7].map((members) => wanted(6, members)),
      [0, 4, 4],
    )
    assert.deepEqual([wanted(3, 2), wanted(3, 3), wanted(2, 100), wanted(1, 100)], [0, 1, 0, 0])
  })
})

describe('serf-behaviour A.3: the retransmit limit', () => {
  for (const [members, mult4, mult2] of [
    [0, 0, 0],
    [1, 4, 2],
    [9, 4, 2],
    [10, 8, 4],
    [99, 8, 4],
    [100, 12, 6],
    [999, 12, 6],
    [1000, 16, 8],
    [9999, 16, 8],
  ] as const) {
    it(`ML-40: among ${members} a broadcast is sent ${mult4} or ${mult2} times`, () => {
      assert.equal(retransmitLimit(4, members), mult4)
      assert.equal(retransmitLimit(2, members), mult2)
    })
  }
})

describe('serf-behaviour A.4: the time between full exchanges', () => {
  for (const [members, seconds] of [
    [1, 30],
    [32, 30],
    [33, 60],
    [64, 60],
    [65, 90],
    [128, 90],
    [129, 120],
    [256, 120],
    [257, 150],
    [512, 150],
    [1000, 180],
    [10_000, 300],
  ] as const) {
    it(`ML-50: among ${members} it is ${seconds} s`, () => {
      assert.equal(pushPullIntervalMs(30_000, members), seconds * 1000)
    })
  }
})
