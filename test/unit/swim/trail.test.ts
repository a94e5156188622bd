// The record itself: its bounds, its order, and what strangers can do to it. What is written into it is in `trail-notes.test.ts`.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  MAX_ENTRIES_PER_MEMBER,
  MAX_SEEN,
  MAX_STALLS,
  MAX_TOLD,
  shortName,
  Trail,
  type TrailEvent,
} from '../../../src/swim/trail.ts'

const unanswered: TrailEvent = { kind: 'unanswered', timeoutMs: 500, health: 0 }
const refuted = (incarnation: number): TrailEvent => ({ kind: 'refuted', incarnation })

/** Of a member that probes each second, and had answers of those. */
function trailOfUs(...answered: readonly string[]): Trail {
  return new Trail({ selfName: 'us', probeIntervalMs: 1000, hasAnswered: (name) => answered.includes(name) })
}

function kinds(trail: Trail, name: string): string[] {
  return trail.story(name).entries.map(({ kind }) => kind)
}

describe('a story', () => {
  it('is told in the order in which it happened, whoever told it, also within one millisecond', () => {
    const trail = trailOfUs()
    trail.saw('m2', unanswered, 10)
    trail.heard('m2', { kind: 'suspected', by: 'm3', incarnation: 1, endsInMs: 5, confirmationsWanted: 0 }, 10)
    trail.saw('m2', { kind: 'stream-answered' }, 10)
    trail.heard('m2', refuted(2), 12)
    assert.deepEqual(kinds(trail, 'm2'), ['unanswered', 'suspected', 'stream-answered', 'refuted'])
    assert.deepEqual(
      trail.story('m2').entries.map(({ atMs }) => atMs),
      [10, 10, 10, 12],
    )
  })

  it('holds frozen entries, and is empty of whom nothing is known', () => {
    const trail = trailOfUs()
    trail.saw('m2', unanswered, 10)
    assert.ok(Object.isFrozen(trail.story('m2').entries[0]))
    assert.deepEqual(trail.story('m3'), { entries: [], forgotten: 0 })
  })

  it('has in it the stalls of ours that fell into it, or into the probe that it begins with, and no others; ours has all', () => {
    const trail = trailOfUs()
    trail.stalled(100, 0, 4000)
    trail.stalled(200, 0, 4001)
    trail.saw('m2', unanswered, 5001)
    trail.stalled(300, 0, 5002)
    trail.saw('m2', unanswered, 5003)
    trail.stalled(400, 0, 5004)
    const lengths = (isOpen: boolean) =>
      trail.story('m2', isOpen).entries.map((entry) => (entry.kind === 'stalled' ? entry.lengthMs : entry.kind))
    assert.deepEqual(lengths(false), [200, 'unanswered', 300, 'unanswered'])
    assert.deepEqual(lengths(true), [200, 'unanswered', 300, 'unanswered', 400], 'of a suspect, more is to come')
    assert.equal(trail.story('us').entries.length, 4)
    assert.deepEqual(trail.story('m3', true).entries, [])
  })

  it('has in it a stall that fell the longer before as we were in bad health, and probes took longer', () => {
    const trail = trailOfUs()
    trail.stalled(100, 2, 1000)
    trail.stalled(100, 1, 1000)
    trail.saw('m2', unanswered, 4000)
    assert.deepEqual(kinds(trail, 'm2'), ['stalled', 'unanswered'])
    assert.equal((trail.story('m2').entries[0] as { health: number }).health, 2)
  })
})

describe('the bounds', () => {
  it('one member has so many entries of each source, and it is told how many are gone', () => {
    const trail = trailOfUs()
    for (let at = 0; at < 100; at++) trail.saw('m2', unanswered, at)
    for (let at = 0; at < 100; at++) trail.heard('m2', refuted(at), 100 + at)
    const { entries, forgotten } = trail.story('m2')
    assert.equal(entries.length, 2 * MAX_ENTRIES_PER_MEMBER)
    assert.equal(forgotten, 200 - 2 * MAX_ENTRIES_PER_MEMBER)
    assert.deepEqual([entries[0]?.atMs, entries.at(-1)?.atMs], [100 - MAX_ENTRIES_PER_MEMBER, 199])
  })

  it('all together are bounded, and whom nothing was noted of for longest gives way first', () => {
    const trail = trailOfUs()
    trail.saw('old', unanswered, 0)
    trail.saw('kept', unanswered, 1)
    for (let at = 0; at < MAX_SEEN - 2; at++) trail.saw(`m${at}`, unanswered, at)
    assert.equal(trail.size, MAX_SEEN)
    trail.saw('kept', unanswered, 5000)
    assert.deepEqual([kinds(trail, 'old').length, kinds(trail, 'kept').length], [0, 2])
    for (let at = 0; at < MAX_SEEN / 2; at++) trail.saw(`l${at}`, unanswered, at)
    assert.deepEqual([kinds(trail, 'm0').length, kinds(trail, 'kept').length], [0, 2], 'it was noted of again')
    for (let at = 0; at < 5000; at++) trail.saw(`n${at}`, unanswered, at)
    assert.equal(trail.size, MAX_SEEN)
    for (let at = 0; at < 5000; at++) trail.heard(`o${at}`, unanswered, at)
    assert.equal(trail.size, MAX_SEEN + MAX_TOLD)
    for (let at = 0; at < 5000; at++) trail.heard(`n${at}`, unanswered, at)
    assert.equal(trail.size, MAX_SEEN + 2 * MAX_TOLD)
  })

  it('stalls are bounded', () => {
    const trail = trailOfUs()
    for (let at = 0; at < 100; at++) trail.stalled(100, 0, at)
    assert.equal(trail.size, MAX_STALLS)
    assert.equal(trail.story('us').entries.at(-1)?.atMs, 99)
  })

  it('a name beside an entry is cut short', () => {
    assert.equal(shortName('m'.repeat(128)).length, 128)
    assert.equal(shortName('m'.repeat(512)).length, 128)
  })
})

describe('strangers', () => {
  it('cannot push out what we found out ourselves, nor, by inventing members, what was told of whom we found out something', () => {
    const trail = trailOfUs()
    trail.saw('m2', unanswered, 1)
    trail.heard('m2', refuted(2), 2)
    trail.heard('m3', refuted(2), 3)
    for (let at = 0; at < 10 * MAX_SEEN; at++) trail.heard(`invented-${at}`, refuted(1), 10 + at)
    assert.deepEqual(kinds(trail, 'm2'), ['unanswered', 'refuted'])
    assert.deepEqual(kinds(trail, 'm3'), [], 'of whom we know by hearsay alone, that is not kept')
  })

  it('telling us things of one member push out only what was told of that one', () => {
    const trail = trailOfUs()
    trail.saw('m2', unanswered, 1)
    trail.heard('m3', refuted(2), 2)
    for (let at = 0; at < 10 * MAX_SEEN; at++) trail.heard('m2', refuted(at), 10 + at)
    assert.equal(kinds(trail, 'm2')[0], 'unanswered')
    assert.deepEqual(kinds(trail, 'm3'), ['refuted'])
  })

  it('cannot push out our own story by inventing members', () => {
    const trail = trailOfUs()
    trail.heard('us', { kind: 'accused', by: 'm3', of: 'dead', incarnation: 1 }, 1)
    trail.heard('us', { kind: 'denied', incarnation: 2, health: 1 }, 1)
    for (let at = 0; at < 10 * MAX_SEEN; at++) trail.heard(`invented-${at}`, refuted(1), 10 + at)
    assert.deepEqual(kinds(trail, 'us'), ['accused', 'denied'])
    for (let at = 0; at < 1000; at++) trail.heard('us', { kind: 'denied', incarnation: at, health: 1 }, 10 + at)
    assert.equal(trail.story('us').entries.length, MAX_ENTRIES_PER_MEMBER)
  })

  it('cannot push out, by inventing members, what was told of those that answered us', () => {
    const trail = trailOfUs('m3')
    trail.heard('m3', refuted(2), 3)
    for (let at = 0; at < 10 * MAX_SEEN; at++) trail.heard(`invented-${at}`, refuted(1), 10 + at)
    assert.deepEqual(kinds(trail, 'm3'), ['refuted'])
  })

  it('accusing members of their invention have our verdicts of them, which push out no others of ours', () => {
    const trail = trailOfUs('m3')
    const verdict: TrailEvent = { kind: 'dead', by: 'us', incarnation: 1 }
    trail.concluded('m3', verdict, 1)
    trail.saw('m2', unanswered, 1)
    trail.concluded('m2', verdict, 2)
    trail.concluded('us', { kind: 'left', incarnation: 1 }, 3)
    for (let at = 0; at < 10 * MAX_SEEN; at++) trail.concluded(`invented-${at}`, verdict, 10 + at)
    assert.deepEqual(
      [kinds(trail, 'm3'), kinds(trail, 'm2'), kinds(trail, 'us')],
      [['dead'], ['unanswered', 'dead'], ['left']],
    )
    for (let at = 0; at < 10 * MAX_SEEN; at++) trail.heard(`invented-${at}`, refuted(1), 10 + at)
    assert.deepEqual(kinds(trail, 'm3'), ['dead'])
  })
})
