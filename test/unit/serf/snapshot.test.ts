// What is written down and when (serf-behaviour §28): every notice in its line, within a bound of time; all of it anew when it has grown,
// or could not be written.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { textOf, utf8 } from '../../../src/base/bytes.ts'
import type { SerfNotice, SnapshotNotice } from '../../../src/serf/notices.ts'
import { FLUSH_MS, RETRY_MS } from '../../../src/serf/recording.ts'
import { Snapshot, type SnapshotSetup } from '../../../src/serf/snapshot.ts'
import { emptySnapshot, SnapshotReader, type SnapshotState } from '../../../src/serf/snapshot-format.ts'
import { query } from './query-support.ts'
import { alive, goodbye, leaveIntent, Mesh, type Station } from './support.ts'

const FRESH: SnapshotSetup = { fileBytes: 0, rejoinAfterLeave: false }

/** A file that takes what is written, and how often all of it was written anew. */
class Paper {
  text = ''
  replaced = 0
  syncs = 0
  writes = 0

  take(notices: readonly { readonly type: string }[]): void {
    for (const notice of notices) if (notice.type === 'snapshot') this.write(notice as SnapshotNotice)
  }

  write({ op, bytes, isSynced }: SnapshotNotice): void {
    const added = textOf(bytes) as string
    this.writes++
    if (isSynced) this.syncs++
    if (op === 'replace') this.replaced++
    this.text = op === 'replace' ? added : this.text + added
  }

  read(rejoinAfterLeave = false): SnapshotState {
    const reader = new SnapshotReader(rejoinAfterLeave)
    reader.take(new TextEncoder().encode(this.text))
    assert.equal(reader.report().skipped, 0)
    return reader.state
  }
}

function start(setup: SnapshotSetup = FRESH, more = {}): { mesh: Mesh; one: Station; paper: Paper } {
  const mesh = new Mesh()
  const one = mesh.add('one', 1, { setup: { snapshot: setup }, ...more })
  const paper = new Paper()
  paper.take(one.told())
  return { mesh, one, paper }
}

function recovered(more: Partial<SnapshotState>): SnapshotSetup {
  return { ...FRESH, recovered: { ...emptySnapshot(), ...more } }
}

/** Of an event, or a query. */
function timeOf(notice: SerfNotice): number | undefined {
  return notice.type === 'user-event' ? notice.ltime : notice.type === 'query' ? notice.query.ltime : undefined
}

describe('serf/snapshot.ts', () => {
  it('we ourselves, who comes and who goes stand in the file within the bound of time', () => {
    const { mesh, one, paper } = start()
    mesh.feed(one, alive(2), alive(3))
    assert.equal(paper.text, '')
    mesh.run(FLUSH_MS)
    paper.take(one.told())
    assert.equal(
      paper.text,
      'alive: one 10.0.0.1:7946\nalive: ghost-2 10.0.0.2:7946\nalive: ghost-3 10.0.0.3:7946\n# incarnation: 1 one\n',
    )
    paper.text = ''
    mesh.feed(one, goodbye(2))
    mesh.run(FLUSH_MS)
    paper.take(one.told())
    assert.equal(paper.text, 'not-alive: ghost-2\n')
  })

  it('where nothing is new nothing is written, and no time is set for it', () => {
    const { mesh, one, paper } = start()
    mesh.feed(one, alive(2))
    mesh.run(60_000)
    paper.take(one.told())
    const { writes } = paper
    mesh.feed(one, alive(2, 5))
    mesh.run(60_000)
    paper.take(one.told())
    assert.equal(paper.writes, writes)
  })

  it('without a snapshot nothing is said of one', () => {
    const mesh = new Mesh()
    const one = mesh.add('one', 1)
    mesh.feed(one, alive(2), goodbye(2))
    mesh.run(1000)
    assert.equal(
      one.told().some(({ type }) => type === 'snapshot'),
      false,
    )
  })

  it('a member that is pruned while it lives is not alive in the file', () => {
    const { mesh, one, paper } = start()
    mesh.feed(one, alive(2))
    mesh.silent.add('ghost-2')
    mesh.call(one, (serf, now) => serf.forceLeave('ghost-2', true, now))
    mesh.run(20_000)
    paper.take(one.told())
    assert.deepEqual([...paper.read().alive.keys()], ['one'])
  })

  it('the clock is written as far as it was seen, also where no member changes', () => {
    const { mesh, one, paper } = start()
    mesh.tell(one, leaveIntent('nobody', 41))
    mesh.run(FLUSH_MS)
    paper.take(one.told())
    assert.equal(paper.read().clock, 41)
  })

  it('a file that we found is gone on with: the clock goes on above it, and we are announced above our old number', () => {
    const { mesh, one } = start(recovered({ clock: 90, incarnation: 7, incarnationOf: 'one' }))
    // A crash forgets what we claimed since the last line: a few refutations must not bring it back down.
    assert.ok(one.serf.local.incarnation >= 7 + 8)
    mesh.feed(one, alive(2))
    mesh.forgetSent()
    mesh.call(one, (serf, now) => serf.announceJoin(now))
    mesh.run(1000)
    const [intent] = mesh.gossiped('one')
    assert.deepEqual(intent, { type: 'join', ltime: 91, node: 'one' })
  })

  it('the number of another name is not ours', () => {
    const { one } = start(recovered({ incarnation: 7, incarnationOf: 'other' }))
    assert.equal(one.serf.local.incarnation, 1)
  })

  it('our number is written whenever it rises', () => {
    const { mesh, one, paper } = start()
    mesh.feed(one, { type: 'suspect', node: 'one', incarnation: 5, from: 'ghost-9' })
    mesh.run(FLUSH_MS)
    paper.take(one.told())
    assert.deepEqual([paper.read().incarnation, one.serf.local.incarnation], [6, 6])
  })

  it('SF-52: a goodbye is written at once, to stand, and no member after it', () => {
    const { mesh, one, paper } = start()
    mesh.feed(one, alive(2))
    mesh.run(1000)
    mesh.call(one, (serf, now) => serf.leave(now))
    paper.take(one.told())
    assert.match(paper.text, /\nleave\n$/)
    assert.equal(paper.syncs, 1)
    mesh.feed(one, alive(3))
    mesh.run(1000)
    paper.take(one.told())
    assert.match(paper.text, /\nleave\nclock: 1\n$/)
    const { alive: there, eventClock } = paper.read()
    assert.deepEqual([there.size, eventClock], [0, 0])
  })

  it('SF-52: after a goodbye the clock alone is written, where it moves, and is found again, also where all is written anew', () => {
    for (const leastCompactBytes of [1, 1_000_000]) {
      const { mesh, one, paper } = start({ ...FRESH, leastCompactBytes })
      mesh.tell(one, leaveIntent('nobody', 41))
      mesh.run(1000)
      mesh.call(one, (serf, now) => serf.leave(now))
      paper.take(one.told())
      assert.ok(paper.text.endsWith(leastCompactBytes === 1 ? '\nleave\nclock: 41\n' : '\nleave\n'), paper.text)
      const before = paper.text
      const event = { type: 'user-event', ltime: 70, name: 'deploy', payload: utf8(''), coalesce: false } as const
      mesh.tell(one, query({ ltime: 82, id: 82 }), event)
      mesh.feed(one, alive(3))
      mesh.run(1000)
      paper.take(one.told())
      assert.equal(paper.text, `${before}clock: 42\n`)
      const { clock, eventClock, queryClock, alive: there } = paper.read()
      assert.deepEqual([clock, eventClock, queryClock, there.size], [42, 0, 0, 0])
    }
  })

  it('SF-52: who comes back after a goodbye finds everybody in the file, however it is written', () => {
    for (const leastCompactBytes of [1, 1_000_000]) {
      const { mesh, one, paper } = start({ ...FRESH, rejoinAfterLeave: true, leastCompactBytes })
      mesh.feed(one, alive(2))
      mesh.call(one, (serf, now) => serf.leave(now))
      mesh.run(1000)
      paper.take(one.told())
      assert.match(paper.text, /^leave$/m)
      assert.deepEqual([...paper.read(true).alive.keys()], ['one', 'ghost-2'])
      assert.equal(paper.read(false).alive.size, 0)
    }
  })

  it('SF-53: what has grown beyond its bound is written anew, and says the same', () => {
    const { mesh, one, paper } = start({ ...FRESH, leastCompactBytes: 2000 })
    let longest = 0
    for (let round = 0; round < 300; round++) {
      mesh.feed(one, round % 2 === 0 ? alive(2, 1 + round) : goodbye(2, round))
      mesh.tell(one, leaveIntent('nobody', 10 + round))
      mesh.run(FLUSH_MS)
      paper.take(one.told())
      longest = Math.max(longest, paper.text.length)
    }
    assert.ok(paper.replaced >= 4, `${paper.replaced} times`)
    assert.ok(longest <= 2000, `${longest} bytes`)
    const { alive: there, gone, clock } = paper.read()
    assert.deepEqual([[...there.keys()], [...gone.keys()], clock], [['one'], ['ghost-2'], 309])
  })

  it('a file that is longer than its bound as it is new is not written anew each time', () => {
    const there = new Map(Array.from({ length: 50 }, (_, at) => [`m-${'x'.repeat(300)}${at}`, `10.1.0.${at}:7946`]))
    const { mesh, one, paper } = start({ ...recovered({ alive: there }), fileBytes: 20_000, leastCompactBytes: 1000 })
    for (let round = 0; round < 20; round++) {
      mesh.tell(one, leaveIntent('nobody', 10 + round))
      mesh.run(FLUSH_MS)
    }
    paper.take(one.told())
    assert.equal(paper.replaced, 1)
    assert.equal(paper.read().alive.size, 51)
  })

  it('a burst of lines does not wait for its time', () => {
    const { mesh, one, paper } = start()
    const names = Array.from({ length: 1200 }, (_, at) => `a-long-name-for-a-member-of-a-large-cluster-${at}`)
    for (const node of names) mesh.feed(one, alive(2, 1, { node }))
    paper.take(one.told())
    assert.ok(paper.text.length >= 65_536, `${paper.text.length} bytes`)
  })

  it('after a failure everything is written anew, at once, and then every half minute', () => {
    const { mesh, one, paper } = start()
    mesh.feed(one, alive(2))
    mesh.run(FLUSH_MS)
    one.told()
    mesh.call(one, (serf, now) => serf.snapshotFailed(now))
    mesh.feed(one, alive(3))
    mesh.run(0)
    paper.take(one.told())
    assert.equal(paper.replaced, 1)
    for (let round = 1; round < 3; round++) {
      mesh.call(one, (serf, now) => serf.snapshotFailed(now))
      mesh.feed(one, alive(3 + round))
      mesh.run(RETRY_MS - 1)
      paper.take(one.told())
      assert.equal(paper.replaced, round)
      mesh.run(1)
      paper.take(one.told())
      assert.equal(paper.replaced, round + 1)
    }
    assert.deepEqual([...paper.read().alive.keys()], ['one', 'ghost-2', 'ghost-3', 'ghost-4', 'ghost-5'])
    mesh.feed(one, alive(6))
    mesh.run(FLUSH_MS)
    paper.take(one.told())
    assert.equal(paper.replaced, 3)
    assert.ok(paper.read().alive.has('ghost-6'))
  })

  it('a goodbye, and the end, do not wait for the next attempt', () => {
    const { mesh, one, paper } = start()
    mesh.run(FLUSH_MS)
    mesh.call(one, (serf, now) => serf.snapshotFailed(now))
    mesh.run(10)
    mesh.call(one, (serf, now) => serf.snapshotFailed(now))
    one.told()
    mesh.call(one, (serf, now) => serf.leave(now))
    paper.take(one.told())
    assert.match(paper.text, /^leave$/m)
    mesh.call(one, (serf, now) => serf.snapshotFailed(now))
    const last = mesh.call(one, (serf) => serf.lastSnapshot())
    assert.equal(last?.op, 'replace')
  })

  it('what waits is the last word, to stand; where nothing waits there is none', () => {
    const { mesh, one, paper } = start()
    mesh.feed(one, alive(2))
    const last = mesh.call(one, (serf) => serf.lastSnapshot())
    assert.equal(last?.isSynced, true)
    paper.write(last as SnapshotNotice)
    assert.ok(paper.read().alive.has('ghost-2'))
    assert.equal(
      mesh.call(one, (serf) => serf.lastSnapshot()),
      undefined,
    )
  })

  it('a file that could only be read is written anew as soon as we begin', () => {
    const { mesh, one, paper } = start({ ...recovered({ alive: new Map([['old', '10.0.0.9:7946']]) }), isBroken: true })
    mesh.run(0)
    paper.take(one.told())
    assert.deepEqual([paper.replaced, [...paper.read().alive.keys()]], [1, ['old', 'one']])
  })

  it('members of the file of whom nobody tells for as long as the dead are remembered are forgotten, unless we are alone', () => {
    const there = new Map([
      ['seen', '10.0.0.2:7946'],
      ['unseen', '10.0.0.9:7946'],
    ])
    const alone = start(recovered({ alive: new Map(there) }), { reconnectTimeoutMs: 60_000 })
    alone.mesh.run(200_000)
    alone.paper.take(alone.one.told())
    assert.equal(alone.paper.text.includes('not-alive'), false)
    const { mesh, one, paper } = start(recovered({ alive: there }), { reconnectTimeoutMs: 60_000 })
    mesh.feed(one, alive(2, 1, { node: 'seen' }))
    mesh.run(61_000)
    paper.take(one.told())
    assert.match(paper.text, /^not-alive: unseen$/m)
    assert.equal(paper.text.includes('not-alive: seen'), false)
  })

  it('SF-34: no event and no query of a time that the file has seen is delivered; the next one is, and has its line', () => {
    const { mesh, one, paper } = start(recovered({ eventClock: 70, queryClock: 80 }))
    for (const ltime of [69, 70, 71]) {
      mesh.tell(one, { type: 'user-event', ltime, name: `event-${ltime}`, payload: utf8(''), coalesce: false })
    }
    for (const ltime of [79, 80, 81]) mesh.tell(one, query({ ltime, id: ltime }))
    const told = one.told()
    assert.deepEqual(told.filter(({ type }) => type === 'user-event' || type === 'query').map(timeOf), [71, 81])
    // An internal query counts as well, though nobody is told of it.
    mesh.tell(one, query({ ltime: 82, id: 82, name: '_serf_ping' }))
    mesh.run(FLUSH_MS)
    paper.take(one.told())
    const { eventClock, queryClock } = paper.read()
    assert.deepEqual([eventClock, queryClock], [71, 82])
  })

  it('events and queries count by the highest time; names that would forge lines are left out', () => {
    const snapshot = new Snapshot(FRESH, 'one')
    const paper = new Paper()
    snapshot.event(7)
    snapshot.event(5)
    snapshot.query(3)
    snapshot.query(4)
    snapshot.member('evil\nleave', '10.0.0.1:1')
    paper.write(snapshot.take(0, 0, 0, false) as SnapshotNotice)
    assert.equal(paper.text, 'event-clock: 7\nquery-clock: 3\nquery-clock: 4\n')
    assert.equal(snapshot.eventClock, 7)
    assert.equal(snapshot.queryClock, 4)
  })
})
