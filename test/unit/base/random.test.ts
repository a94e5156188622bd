// Seeded chance: it replays, it is even enough, and it is xoshiro128**.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Random } from '../../../src/base/random.ts'

function take(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => random.uint32())
}

const MASK = 0xffff_ffffn

/** Blackman and Vigna's generator in plain 32-bit arithmetic, from a state. */
function* xoshiro(state: readonly number[]): Generator<number> {
  let [a, b, c, d] = state.map(BigInt) as [bigint, bigint, bigint, bigint]
  const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (32n - by))) & MASK
  for (;;) {
    yield Number((rotate((b * 5n) & MASK, 7n) * 9n) & MASK)
    const shifted = (b << 9n) & MASK
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11n)
  }
}

/** SplitMix32, four draws, the last one odd. */
function stateOf(seed: number): number[] {
  let state = BigInt(seed >>> 0)
  const next = (): bigint => {
    state = (state + 0x9e3779b9n) & MASK
    let mixed = ((state ^ (state >> 16n)) * 0x85ebca6bn) & MASK
    mixed = ((mixed ^ (mixed >> 13n)) * 0xc2b2ae35n) & MASK
    return mixed ^ (mixed >> 16n)
  }
  return [next(), next(), next(), next() | 1n].map(Number)
}

describe('base/random.ts', () => {
  it('one seed gives one stream, whatever its sign; other seeds give others', () => {
    assert.deepEqual(take(new Random(7), 100), take(new Random(7), 100))
    assert.deepEqual(take(new Random(-1), 5), take(new Random(0xffff_ffff), 5))
    const firsts = new Set(Array.from({ length: 1000 }, (_, seed) => new Random(seed).uint32()))
    assert.ok(firsts.size > 998)
  })

  it('the stream is xoshiro128**, for any seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (seed) => {
        const plain = xoshiro(stateOf(seed))
        assert.deepEqual(
          take(new Random(seed), 50),
          Array.from({ length: 50 }, () => plain.next().value),
        )
      }),
      { numRuns: 50 },
    )
  })

  it('fractions lie in [0, 1), and every tenth of it gets a tenth of them', () => {
    const random = new Random(3)
    const tenths = new Array<number>(10).fill(0)
    for (let draws = 0; draws < 20_000; draws++) {
      const fraction = random.fraction()
      assert.ok(fraction >= 0 && fraction < 1)
      const tenth = Math.floor(fraction * 10)
      tenths[tenth] = (tenths[tenth] as number) + 1
    }
    for (const count of tenths) assert.ok(Math.abs(count - 2000) < 200, `${tenths}`)
  })

  it('a number below a bound is whole, and each is as likely', () => {
    const random = new Random(4)
    const counts = new Array<number>(7).fill(0)
    for (let draws = 0; draws < 14_000; draws++) {
      const value = random.below(7)
      counts[value] = (counts[value] as number) + 1
    }
    assert.equal(counts.length, 7)
    for (const count of counts) assert.ok(Math.abs(count - 2000) < 200, `${counts}`)
    assert.deepEqual(
      Array.from({ length: 20 }, () => random.below(1)),
      new Array(20).fill(0),
    )
  })

  it('a shuffle keeps every item, in the same list', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9)), fc.integer(), (items, seed) => {
        const shuffled = items.slice()
        assert.equal(new Random(seed).shuffle(shuffled), shuffled)
        assert.deepEqual(shuffled.toSorted(), items.toSorted())
      }),
    )
  })

  it('every order of a shuffle is as likely', () => {
    const random = new Random(5)
    const counts = new Map<string, number>()
    for (let times = 0; times < 12_000; times++) {
      const order = random.shuffle([1, 2, 3, 4]).join('')
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    assert.equal(counts.size, 24)
    for (const count of counts.values()) assert.ok(Math.abs(count - 500) < 120, `${count} of 500`)
  })

  it('a fork replays with its parent, and gives something else than its parent does', () => {
    const [left, right] = [new Random(9), new Random(9)]
    const [one, other] = [left.fork(), right.fork()]
    const stream = take(one, 20)
    assert.deepEqual(stream, take(other, 20))
    assert.notDeepEqual(stream, take(left, 20))
  })
})
