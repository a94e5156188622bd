// One tier as a sorted list, against a plain one: serf-behaviour §8.3.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AssertionError } from '../../../src/base/assert.ts'
import { QueueTier, type Sized } from '../../../src/swim/queue-tier.ts'

function entry(length: number, id: number): Sized {
  return { bytes: new Uint8Array(length), id }
}

function byLengthThenId(left: Sized, right: Sized): number {
  return left.bytes.length - right.bytes.length || left.id - right.id
}

describe('swim/queue-tier.ts', () => {
  it('finds, gives first and forgets as a sorted list does, through blocks that fill, split and empty', () => {
    const added = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 1500 })
    fc.assert(
      fc.property(added, fc.infiniteStream(fc.nat()), (lengths, choices) => {
        const choose = (bound: number): number => (choices.next().value as number) % bound
        const tier = new QueueTier<Sized>()
        const plain: Sized[] = []
        const ids = lengths.map((_, at) => at)
        const check = (): void => {
          const sorted = plain.toSorted(byLengthThenId)
          assert.equal(tier.size, sorted.length)
          assert.equal(tier.first(), sorted[0])
          for (let looks = 0; looks < 5; looks++) {
            const [length, id] = [choose(43), choose(lengths.length + 1)]
            const expected = sorted.findLast((one) => byLengthThenId(one, entry(length, id)) < 0)
            assert.equal(tier.before(length, id), expected, `before ${length}, ${id}`)
          }
          assert.equal(tier.before(Number.POSITIVE_INFINITY, 0), sorted.at(-1))
        }
        lengths.forEach((length, at) => {
          // Ids come in any order: entries sink from other tiers.
          const [id] = ids.splice(choose(ids.length), 1) as [number]
          const made = entry(length, id)
          tier.add(made)
          plain.push(made)
          if (at % 4 === 3) tier.remove(plain.splice(choose(plain.length), 1)[0] as Sized)
          if (at % 250 === 0) check()
        })
        check()
        while (plain.length > 0) {
          tier.remove(plain.splice(choose(plain.length), 1)[0] as Sized)
          if (plain.length % 250 === 0) check()
        }
      }),
      { numRuns: 40 },
    )
  })

  it('holds an entry that is removed, or our own books are wrong', () => {
    const tier = new QueueTier<Sized>()
    assert.throws(() => tier.remove(entry(1, 1)), AssertionError)
    tier.add(entry(1, 1))
    assert.throws(() => tier.remove(entry(1, 1)), AssertionError)
    assert.throws(() => tier.remove(entry(1, 0)), AssertionError)
  })
})
