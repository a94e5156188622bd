// What is to happen when: a heap against a plain sorted list.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Deadlines } from '../../../src/base/deadlines.ts'

interface Plain {
  readonly key: string
  readonly at: number
  readonly due: number
}

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('set' as const), key: fc.nat(12), at: fc.nat(10) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), key: fc.nat(12) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('postpone' as const), key: fc.nat(12), byMs: fc.nat(5) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('postpone all' as const), byMs: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pop' as const), now: fc.nat(10) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'clear' as const }) },
)

describe('base/deadlines.ts', () => {
  it('what comes due comes by time, and at one time in the order in which it was set, whatever was deleted', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const deadlines = new Deadlines<number>()
        let plain: Plain[] = []
        steps.forEach((one, due) => {
          if (one.kind === 'set') {
            const { at } = one
            const key = `k${one.key}`
            deadlines.set(key, at, due)
            plain = [...plain.filter((other) => other.key !== key), { key, at, due }]
          } else if (one.kind === 'delete') {
            const key = `k${one.key}`
            assert.equal(
              deadlines.delete(key),
              plain.some((other) => other.key === key),
            )
            plain = plain.filter((other) => other.key !== key)
          } else if (one.kind === 'postpone') {
            const key = `k${one.key}`
            const known = plain.find((other) => other.key === key)
            assert.equal(deadlines.postpone(key, one.byMs), known !== undefined)
            if (known !== undefined) {
              plain = [...plain.filter((other) => other !== known), { ...known, at: known.at + one.byMs }]
            }
          } else if (one.kind === 'postpone all') {
            deadlines.postponeAll(one.byMs)
            plain = plain.map((known) => ({ ...known, at: known.at + one.byMs }))
          } else if (one.kind === 'pop') {
            // A stable sort: those of one time stay in the order of their insertion.
            const [first] = plain.toSorted((left, right) => left.at - right.at)
            const expected = first !== undefined && first.at <= one.now ? first : undefined
            const popped = deadlines.popDue(one.now)
            assert.deepEqual([popped?.at, popped?.due], [expected?.at, expected?.due])
            plain = plain.filter((other) => other !== expected)
          } else {
            deadlines.clear()
            plain = []
          }
          assert.equal(deadlines.size, plain.length)
          assert.equal(deadlines.next(), plain.length === 0 ? undefined : Math.min(...plain.map(({ at }) => at)))
        })
      }),
      { numRuns: 500 },
    )
  })

  it('a key that is set again comes due at its new time only, and behind what stood there', () => {
    const deadlines = new Deadlines<string>()
    deadlines.set('a', 1, 'a, first')
    deadlines.set('b', 5, 'b')
    deadlines.set('a', 5, 'a, again')
    assert.equal(deadlines.popDue(4), undefined)
    assert.equal(deadlines.popDue(5)?.due, 'b')
    assert.equal(deadlines.popDue(5)?.due, 'a, again')
    assert.equal(deadlines.popDue(5), undefined)
  })

  it('what is due at its very time is due, with the time it was set for', () => {
    const deadlines = new Deadlines<string>()
    deadlines.set('a', 2.5, 'a')
    assert.equal(deadlines.popDue(2.499), undefined)
    assert.equal(deadlines.popDue(100)?.at, 2.5)
  })
})
