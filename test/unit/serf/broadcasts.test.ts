// Three queues and what each gets of a packet. serf-behaviour §30; for user events under churn §8.3.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type BroadcastKind, Broadcasts } from '../../../src/serf/broadcasts.ts'

const OVERHEAD = 2
const LIMIT = 1_000_000
const BOUNDS = { maxQueueDepth: 4096, minQueueDepth: 0 }

/** The first byte of an entry says which queue it stands in. */
const MARKS: Readonly<Record<BroadcastKind, number>> = { intents: 1, queries: 2, events: 3 }

function entry(kind: BroadcastKind, length: number): Uint8Array {
  return new Uint8Array(length).fill(MARKS[kind])
}

function filled(depths: Partial<Record<BroadcastKind, number>>, length: number): Broadcasts {
  const broadcasts = new Broadcasts(BOUNDS, 1390)
  for (const [kind, depth] of Object.entries(depths) as [BroadcastKind, number][]) {
    for (let at = 0; at < depth; at++) broadcasts.push(kind, entry(kind, length), 10)
  }
  return broadcasts
}

function kindsOf(parts: readonly Uint8Array[]): BroadcastKind[] {
  return parts.map(([mark]) => {
    return (Object.keys(MARKS) as BroadcastKind[]).find((kind) => MARKS[kind] === mark) as BroadcastKind
  })
}

/** Bytes each queue got in so many packets. */
function bytesOf(broadcasts: Broadcasts, packets: number, budget: number): Record<BroadcastKind, number> {
  const bytes = { intents: 0, queries: 0, events: 0 }
  for (let packet = 0; packet < packets; packet++) {
    for (const part of broadcasts.draw(OVERHEAD, budget, 127, LIMIT)) {
      bytes[kindsOf([part])[0] as BroadcastKind] += part.length + OVERHEAD
    }
  }
  return bytes
}

describe('serf-behaviour §30: what goes into a packet', () => {
  it('intents before queries before user events, each in what the others leave', () => {
    const broadcasts = filled({ events: 1, queries: 1, intents: 1 }, 100)
    assert.deepEqual(kindsOf(broadcasts.draw(OVERHEAD, 1000, 127, 1)), ['intents', 'queries', 'events'])
    assert.equal(broadcasts.size, 0)
    const tight = filled({ events: 1, queries: 1, intents: 1 }, 100)
    assert.deepEqual(kindsOf(tight.draw(OVERHEAD, 110, 127, 1)), ['intents'])
    assert.deepEqual(kindsOf(tight.draw(OVERHEAD, 110, 127, 1)), ['queries'])
    assert.deepEqual(kindsOf(tight.draw(OVERHEAD, 110, 127, 1)), ['events'])
  })

  it('looked at while the queues were empty, half told and pruned, it misses nothing of either', () => {
    const broadcasts = new Broadcasts({ maxQueueDepth: 2, minQueueDepth: 0 }, 1390)
    assert.deepEqual([broadcasts.waiting(OVERHEAD).allBytes, broadcasts.takeFinished(), broadcasts.pruned], [0, [], 0])
    for (const ticket of [1, 2, 3]) broadcasts.push('events', entry('events', 100 + ticket), 10, { ticket })
    assert.deepEqual([broadcasts.takeFinished(), broadcasts.pruned], [[1], 1])
    assert.equal(broadcasts.draw(OVERHEAD, 110, 127, 1).length, 1)
    assert.deepEqual([broadcasts.takeFinished(), broadcasts.waiting(OVERHEAD).allBytes], [[3], 102 + OVERHEAD])
    assert.equal(broadcasts.draw(OVERHEAD, 110, 127, 1).length, 1)
    assert.deepEqual([broadcasts.takeFinished(), broadcasts.waiting(OVERHEAD).allBytes], [[2], 0])
    assert.deepEqual([broadcasts.takeFinished(), broadcasts.pruned], [[], 1])
    broadcasts.push('intents', entry('intents', 50), 10, { ticket: 4 })
    assert.equal(broadcasts.waiting(OVERHEAD).allBytes, 50 + OVERHEAD)
    assert.equal(broadcasts.draw(OVERHEAD, 110, 127, 1).length, 1)
    assert.deepEqual(broadcasts.takeFinished(), [4])
  })

  it('in a storm of both others user events keep two fifths of the bytes, and queries three tenths', () => {
    const broadcasts = filled({ intents: 500, queries: 500, events: 500 }, 60)
    const { intents, queries, events } = bytesOf(broadcasts, 200, 1390)
    const all = intents + queries + events
    assert.ok(Math.abs(events / all - 0.4) < 0.02, `events had ${events} of ${all}`)
    assert.ok(Math.abs(queries / all - 0.3) < 0.02, `queries had ${queries} of ${all}`)
  })

  it('user events keep it against intents alone, and where SWIM leaves a fifth of each packet', () => {
    const broadcasts = filled({ intents: 500, events: 500 }, 60)
    const { intents, events } = bytesOf(broadcasts, 500, 280)
    assert.ok(events / (intents + events) > 0.38, `${events} of ${intents + events}`)
  })

  it('what nobody else wants they may have whole, and nothing is put by while there is no need', () => {
    const broadcasts = filled({ events: 500 }, 60)
    const { events } = bytesOf(broadcasts, 100, 1390)
    assert.ok(events / (100 * 1390) > 0.95, `${events}`)
    for (let at = 0; at < 500; at++) broadcasts.push('intents', entry('intents', 60), 10)
    const first = kindsOf(broadcasts.draw(OVERHEAD, 620, 127, LIMIT))
    assert.ok(first.filter((kind) => kind === 'intents').length >= 2, first.join())
  })

  it('what they had while nobody else wanted it is not held against them once a storm begins', () => {
    const broadcasts = filled({ events: 500 }, 60)
    bytesOf(broadcasts, 100, 1390)
    for (let at = 0; at < 500; at++) broadcasts.push('intents', entry('intents', 60), 10)
    const { intents, events } = bytesOf(broadcasts, 20, 1390)
    assert.ok(events / (intents + events) > 0.35, `events had ${events} of ${intents + events}`)
  })

  it('who had nothing to tell has put nothing by: it begins with one share', () => {
    const broadcasts = filled({ intents: 500 }, 60)
    bytesOf(broadcasts, 50, 500)
    for (let at = 0; at < 100; at++) broadcasts.push('events', entry('events', 60), 10)
    assert.ok(bytesOf(broadcasts, 1, 500).events <= 0.4 * 500)
  })

  it('a long event gets through a storm: the room for it is saved up, and asked for of SWIM', () => {
    const broadcasts = filled({ intents: 500 }, 30)
    broadcasts.push('events', entry('events', 1200), 10)
    let packets = 0
    let asked = 0
    // As SWIM does it: a fifth of a packet at a time, saved up for what is to go next.
    let credit = 0
    for (; packets < 100; packets++) {
      credit = Math.min(1390, credit + 280)
      asked = broadcasts.waiting(OVERHEAD).nextBytes
      if (asked > credit) continue
      const drawn = broadcasts.draw(OVERHEAD, Math.floor(credit), 127, LIMIT)
      credit -= drawn.reduce((sum, { length }) => sum + length + OVERHEAD, 0)
      if (kindsOf(drawn).includes('events')) break
    }
    assert.equal(asked, 1202)
    assert.ok(packets < 20, `${packets}`)
  })

  it('a share is one of parts too: a packet full of tiny intents still holds an event', () => {
    const broadcasts = filled({ intents: 500, events: 1 }, 1)
    const drawn = kindsOf(broadcasts.draw(OVERHEAD, 1390, 20, LIMIT))
    assert.equal(drawn.length, 20)
    assert.ok(drawn.includes('events'))
  })

  it('a copy is what a draw would take, and changes nothing', () => {
    const broadcasts = filled({ intents: 40, queries: 40, events: 40 }, 60)
    const copy = broadcasts.copy(OVERHEAD, 700, 127)
    assert.deepEqual(broadcasts.copy(OVERHEAD, 700, 127), copy)
    assert.deepEqual(broadcasts.draw(OVERHEAD, 700, 127, LIMIT), copy)
  })

  it('says how much waits, each part with its cost, and what goes next', () => {
    const broadcasts = new Broadcasts(BOUNDS, 1390)
    assert.deepEqual(broadcasts.waiting(OVERHEAD), { nextBytes: 0, allBytes: 0 })
    broadcasts.push('events', entry('events', 50), 10)
    broadcasts.push('queries', entry('queries', 70), 10)
    assert.deepEqual(broadcasts.waiting(OVERHEAD), { nextBytes: 72, allBytes: 124 })
    assert.deepEqual(broadcasts.depths, { intents: 0, queries: 1, events: 1 })
  })

  it('never takes more than the budget, nor more parts, whatever was saved', () => {
    const broadcasts = filled({ intents: 300, queries: 300, events: 300 }, 37)
    for (const [budget, parts] of [
      [1390, 127],
      [5, 127],
      [200, 3],
      [1390, 1],
      [0, 127],
      [400, 2],
    ] as const) {
      const drawn = broadcasts.draw(OVERHEAD, budget, parts, LIMIT)
      assert.ok(drawn.length <= parts)
      assert.ok(drawn.reduce((sum, { length }) => sum + length + OVERHEAD, 0) <= budget)
    }
  })
})

describe('bounds of the queues', () => {
  it('each holds maxQueueDepth from the moment of queueing, and counts what it dropped', () => {
    const broadcasts = new Broadcasts({ maxQueueDepth: 3, minQueueDepth: 0 }, 1390)
    for (let at = 0; at < 5; at++) broadcasts.push('events', entry('events', 10), 1)
    broadcasts.push('queries', entry('queries', 10), 1)
    assert.deepEqual(broadcasts.depths, { intents: 0, queries: 1, events: 3 })
    assert.equal(broadcasts.pruned, 2)
  })

  it('with minQueueDepth it is twice the members, or that where it is more', () => {
    for (const [members, most] of [
      [2, 6],
      [10, 20],
    ] as const) {
      const broadcasts = new Broadcasts({ maxQueueDepth: 3, minQueueDepth: 6 }, 1390)
      for (let at = 0; at < 30; at++) broadcasts.push('events', entry('events', 10), members)
      assert.equal(broadcasts.size, most)
    }
  })

  it('intents are no fewer than two for each member, whatever the bound: each may have left, and come back', () => {
    const broadcasts = new Broadcasts({ maxQueueDepth: 3, minQueueDepth: 0 }, 1390)
    for (let at = 0; at < 30; at++)
      for (const kind of ['intents', 'queries', 'events'] as const) broadcasts.push(kind, entry(kind, 10), 10)
    assert.deepEqual(broadcasts.depths, { intents: 20, queries: 3, events: 3 })
  })

  it('one that is dropped counts as told to who waits for it', () => {
    const broadcasts = new Broadcasts({ maxQueueDepth: 1, minQueueDepth: 0 }, 1390)
    broadcasts.push('events', entry('events', 10), 1, { ticket: 7 })
    broadcasts.push('events', entry('events', 20), 1)
    assert.deepEqual(broadcasts.takeFinished(), [7])
  })
})
