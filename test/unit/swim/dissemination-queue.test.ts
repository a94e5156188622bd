// What is still to be told: SWIM §4.1, serf-behaviour §8, as laws against a slow and plain model.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AssertionError } from '../../../src/base/assert.ts'
import { DisseminationQueue } from '../../../src/swim/dissemination-queue.ts'

interface Plain {
  readonly urgent: boolean
  readonly bytes: Uint8Array
  readonly name: string | undefined
  readonly ticket: number
  readonly id: number
  transmits: number
}

/** The same queue as a list that is sorted at every draw. */
class PlainQueue {
  readonly maxEntries: number
  entries: Plain[] = []
  finished: number[] = []
  #id = 0

  constructor(maxEntries: number) {
    this.maxEntries = maxEntries
  }

  push(bytes: Uint8Array, name: string | undefined, ticket: number, urgent: boolean): void {
    if (name !== undefined) this.drop(name)
    this.entries.push({ urgent, bytes, name, ticket, id: this.#id++, transmits: 0 })
    if (this.entries.length <= this.maxEntries) return
    const worst = this.sorted().at(-1) as Plain
    this.#finish(worst)
  }

  drop(name: string): void {
    const entry = this.entries.find((other) => other.name === name)
    if (entry !== undefined) this.#finish(entry)
  }

  draw(overhead: number, budget: number, maxParts: number, limit: number): Uint8Array[] {
    const drawn = this.#choose(overhead, budget, maxParts)
    for (const entry of drawn) {
      entry.transmits++
      if (entry.transmits >= limit) this.#finish(entry)
    }
    return drawn.map(({ bytes }) => bytes)
  }

  copy(overhead: number, budget: number, maxParts: number): Uint8Array[] {
    return this.#choose(overhead, budget, maxParts).map(({ bytes }) => bytes)
  }

  #choose(overhead: number, budget: number, maxParts: number): Plain[] {
    const drawn: Plain[] = []
    let free = budget
    for (const entry of this.sorted()) {
      if (drawn.length === maxParts || entry.bytes.length + overhead > free) continue
      free -= entry.bytes.length + overhead
      drawn.push(entry)
    }
    return drawn
  }

  /** The urgent, then fewest transmits, then largest, then newest. */
  sorted(): Plain[] {
    const order = (left: Plain, right: Plain): number =>
      Number(right.urgent) - Number(left.urgent) ||
      left.transmits - right.transmits ||
      right.bytes.length - left.bytes.length ||
      right.id - left.id
    return [...this.entries].sort(order)
  }

  #finish(entry: Plain): void {
    this.entries.splice(this.entries.indexOf(entry), 1)
    this.finished.push(entry.ticket)
  }
}

const step = fc.oneof(
  fc.record({
    kind: fc.constant('push' as const),
    length: fc.integer({ min: 0, max: 12 }),
    name: fc.constantFrom(undefined, undefined, 'a', 'b', 'c'),
    urgent: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('drop' as const), name: fc.constantFrom('a', 'b', 'c', 'd') }),
  fc.record({
    kind: fc.constantFrom('draw' as const, 'copy' as const),
    overhead: fc.integer({ min: 0, max: 3 }),
    budget: fc.integer({ min: -5, max: 40 }),
    maxParts: fc.integer({ min: 0, max: 5 }),
    limit: fc.integer({ min: 1, max: 5 }),
  }),
)

function filled(lengths: readonly number[]): { queue: DisseminationQueue; all: Uint8Array[] } {
  const queue = new DisseminationQueue(1000, 1400)
  const all = lengths.map((length) => new Uint8Array(length))
  all.forEach((bytes, ticket) => {
    queue.push(bytes, { ticket })
  })
  return { queue, all }
}

describe('serf-behaviour §8: laws of the queue', () => {
  it('ML-41: it gives, keeps and finishes what the plain model does, whatever is done to it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 8 }), (steps, maxEntries) => {
        const queue = new DisseminationQueue(maxEntries, 1400)
        const plain = new PlainQueue(maxEntries)
        let ticket = 0
        for (const one of steps) {
          if (one.kind === 'push') {
            const bytes = new Uint8Array(one.length)
            const { name, urgent } = one
            queue.push(bytes, name === undefined ? { ticket, urgent } : { name, ticket, urgent })
            plain.push(bytes, name, ticket++, urgent)
          } else if (one.kind === 'drop') {
            queue.drop(one.name)
            plain.drop(one.name)
          } else {
            const { overhead, budget, maxParts, limit } = one
            const [drawn, expected] = [queue, plain].map((each) =>
              one.kind === 'draw'
                ? each.draw(overhead, budget, maxParts, limit)
                : each.copy(overhead, budget, maxParts),
            )
            assert.equal(drawn?.length, expected?.length)
            drawn?.forEach((bytes, at) => {
              assert.equal(bytes, expected?.[at], 'the very entry, in the same place')
            })
          }
          assert.equal(queue.size, plain.entries.length)
          assert.equal(
            queue.bytes,
            plain.entries.reduce((sum, { bytes }) => sum + bytes.length, 0),
          )
          assert.equal(queue.nextBytes, plain.sorted()[0]?.bytes.length ?? 0)
          for (const name of ['a', 'b', 'c', 'd']) {
            assert.equal(
              queue.has(name),
              plain.entries.some((entry) => entry.name === name),
            )
          }
          assert.deepEqual(queue.takeFinished(), plain.finished.splice(0))
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('ML-43: a draw never exceeds its budget or its parts, and never holds an entry twice', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 200 })
    fc.assert(
      fc.property(
        lengths,
        fc.integer({ min: -10, max: 1400 }),
        fc.integer({ min: 0, max: 127 }),
        (sizes, budget, parts) => {
          const { queue } = filled(sizes)
          for (let draws = 0; draws < 5; draws++) {
            const drawn = queue.draw(2, budget, parts, 3)
            assert.ok(drawn.reduce((sum, bytes) => sum + bytes.length + 2, 0) <= Math.max(0, budget))
            assert.ok(drawn.length <= parts)
            assert.equal(new Set(drawn).size, drawn.length)
          }
        },
      ),
    )
  })

  it('ML-40: an entry is drawn exactly as often as the limit says, and is then finished, once', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 16 }), (sizes, limit) => {
        const { queue, all } = filled(sizes)
        const counts = new Map<Uint8Array, number>(all.map((bytes) => [bytes, 0]))
        const finished: number[] = []
        for (let draws = 0; queue.size > 0; draws++) {
          assert.ok(draws <= sizes.length * limit, 'it comes to an end')
          for (const bytes of queue.draw(2, 100, 3, limit)) counts.set(bytes, (counts.get(bytes) as number) + 1)
          finished.push(...queue.takeFinished())
        }
        assert.deepEqual([...counts.values()], new Array(sizes.length).fill(limit))
        assert.deepEqual(
          finished.sort((left, right) => left - right),
          sizes.map((_, ticket) => ticket),
        )
      }),
    )
  })
})

describe('serf-behaviour §8.3: the order of drawing', () => {
  it('ML-41: news goes before what was sent, then the larger, then the newer', () => {
    const queue = new DisseminationQueue(10, 1400)
    const [sent, small, large, newer] = [new Uint8Array(9), new Uint8Array(1), new Uint8Array(5), new Uint8Array(5)]
    queue.push(sent)
    queue.draw(0, 100, 10, 9)
    for (const bytes of [small, large, newer]) queue.push(bytes)
    const wanted: Uint8Array[] = [newer, large, small, sent]
    const places = queue.draw(0, 100, 10, 9).map((bytes) => wanted.indexOf(bytes))
    assert.deepEqual(places, [0, 1, 2, 3])
  })

  it('one that is too large does not keep smaller and older ones from going', () => {
    const queue = new DisseminationQueue(10, 1400)
    const [large, small] = [new Uint8Array(50), new Uint8Array(5)]
    queue.push(small)
    queue.draw(0, 100, 10, 9)
    queue.push(large)
    assert.equal(queue.draw(2, 20, 10, 9)[0], small)
    assert.equal(queue.size, 2)
  })

  it('an entry fits a budget that it fills exactly, with its overhead', () => {
    const queue = new DisseminationQueue(10, 1400)
    queue.push(new Uint8Array(5))
    assert.equal(queue.draw(2, 6, 10, 9).length, 0)
    assert.equal(queue.draw(2, 7, 10, 9).length, 1)
  })
})

describe('serf-behaviour §24: what is urgent', () => {
  it('goes before all news until it is finished, however often it was sent', () => {
    const queue = new DisseminationQueue(100, 1400)
    queue.push(new Uint8Array(3), { ticket: 1, urgent: true })
    for (let draws = 1; draws <= 4; draws++) {
      queue.push(new Uint8Array(20))
      assert.deepEqual(
        queue.draw(0, 20, 10, 4).map(({ length }) => length),
        [3],
      )
      assert.deepEqual(queue.takeFinished(), draws === 4 ? [1] : [])
    }
    assert.equal(queue.draw(0, 20, 10, 4)[0]?.length, 20)
  })

  it('is superseded by what is not, and the other way round', () => {
    const queue = new DisseminationQueue(100, 1400)
    queue.push(Uint8Array.of(1), { name: 'us', ticket: 1, urgent: true })
    queue.push(Uint8Array.of(2), { name: 'us', ticket: 2 })
    queue.push(Uint8Array.of(3), { name: 'us', ticket: 3, urgent: true })
    assert.deepEqual(queue.takeFinished(), [1, 2])
    assert.deepEqual(queue.draw(0, 10, 10, 9), [Uint8Array.of(3)])
  })

  it('is the last to give way in a full queue', () => {
    const queue = new DisseminationQueue(2, 1400)
    queue.push(new Uint8Array(1), { ticket: 1, urgent: true })
    queue.draw(0, 100, 10, 9)
    for (const ticket of [2, 3, 4]) queue.push(new Uint8Array(9), { ticket })
    assert.deepEqual(queue.takeFinished(), [2, 3])
    queue.push(new Uint8Array(2), { ticket: 5, urgent: true })
    queue.push(new Uint8Array(2), { ticket: 6, urgent: true })
    assert.deepEqual(queue.takeFinished(), [4, 1])
  })
})

describe('a copy', () => {
  it('is what a draw would take, and changes nothing', () => {
    const queue = new DisseminationQueue(10, 1400)
    const [large, small] = [new Uint8Array(9), new Uint8Array(5)]
    queue.push(small, { ticket: 1 })
    queue.push(large, { ticket: 2 })
    for (let copies = 0; copies < 10; copies++) assert.deepEqual(queue.copy(2, 12, 10), [large])
    assert.deepEqual(queue.takeFinished(), [])
    assert.deepEqual(queue.draw(2, 18, 10, 1), [large, small])
  })
})

describe('serf-behaviour §8.1: entries and tickets', () => {
  it('ML-42: an entry replaces and finishes the one of its name, those without a name stay', () => {
    const queue = new DisseminationQueue(10, 1400)
    queue.push(Uint8Array.of(1), { name: 'm2', ticket: 1 })
    queue.push(Uint8Array.of(2), { ticket: 2 })
    queue.push(Uint8Array.of(3), { ticket: 3 })
    queue.push(Uint8Array.of(4), { name: 'm2', ticket: 4 })
    assert.deepEqual(queue.takeFinished(), [1])
    assert.deepEqual(
      queue.draw(0, 100, 10, 9).map(([byte]) => byte),
      [4, 3, 2],
    )
  })

  it('a name is free again when its entry was sent often enough', () => {
    const queue = new DisseminationQueue(10, 1400)
    queue.push(Uint8Array.of(1), { name: 'm2', ticket: 1 })
    queue.draw(0, 10, 10, 1)
    queue.push(Uint8Array.of(2), { name: 'm2', ticket: 2 })
    queue.drop('m2')
    queue.drop('m2')
    assert.deepEqual(queue.takeFinished(), [1, 2])
    assert.deepEqual(queue.takeFinished(), [])
  })

  it('the ticket of an entry that is released is given and not reported: whoever takes it sees to it', () => {
    const queue = new DisseminationQueue(10, 1400)
    queue.push(Uint8Array.of(1), { name: 'm2', ticket: 1 })
    assert.deepEqual([queue.release('m2'), queue.release('m2')], [1, undefined])
    queue.push(Uint8Array.of(2), { name: 'm2', ticket: 1 })
    assert.deepEqual([queue.takeFinished(), queue.size], [[], 1])
    queue.drop('m2')
    assert.deepEqual(queue.takeFinished(), [1])
  })

  it('a full queue drops the most sent, then the smallest, then the oldest, and counts it', () => {
    const queue = new DisseminationQueue(3, 1400)
    queue.push(new Uint8Array(9), { ticket: 0 })
    queue.draw(0, 100, 10, 9)
    queue.push(new Uint8Array(1), { ticket: 1 })
    queue.push(new Uint8Array(1), { ticket: 2 })
    for (const ticket of [3, 4, 5]) queue.push(new Uint8Array(2), { ticket })
    assert.deepEqual(queue.takeFinished(), [0, 1, 2])
    assert.equal(queue.pruned, 3)
    assert.equal(queue.size, 3)
  })

  it('an entry without a ticket is finished in silence', () => {
    const queue = new DisseminationQueue(1, 1400)
    queue.push(Uint8Array.of(1))
    queue.draw(0, 10, 10, 1)
    assert.deepEqual(queue.takeFinished(), [])
  })

  it('what no packet can hold is refused, and what just fits is not', () => {
    const queue = new DisseminationQueue(10, 50)
    queue.push(new Uint8Array(50))
    assert.throws(() => queue.push(new Uint8Array(51)), AssertionError)
    assert.equal(queue.size, 1)
  })

  it('a bound that shrinks holds from the next entry on', () => {
    const queue = new DisseminationQueue(10, 1400)
    for (let ticket = 1; ticket <= 6; ticket++) queue.push(Uint8Array.of(1), { ticket })
    queue.maxEntries = 3
    queue.push(Uint8Array.of(1), { ticket: 7 })
    assert.deepEqual(queue.takeFinished(), [1, 2, 3, 4])
    assert.deepEqual([queue.size, queue.pruned], [3, 4])
  })

  it('a queue that holds nothing is no queue', () => {
    assert.throws(() => new DisseminationQueue(0, 1400), AssertionError)
  })
})
