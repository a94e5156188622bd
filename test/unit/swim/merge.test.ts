// How an exchange is taken: whole or not at all, small ones at once, large ones a slice at a time. serf-behaviour §4.4, §9 and §11.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SLICE_ROWS, verifyVersions } from '../../../src/swim/merge.ts'
import { MAX_PUSH_PULL_MEMBERS, MAX_STREAM_PART_BYTES } from '../../../src/wire/limits.ts'
import { type PushPullMember, WireState } from '../../../src/wire/types.ts'
import { alive, at, Bench, dead, metaOf, pushPull, row, suspect } from './support.ts'

const ALIEN = Uint8Array.of(6, 7, 6, 2, 5, 5)

/** `m<first>` and so many more, alive. */
function rows(first: number, count: number): PushPullMember[] {
  return Array.from({ length: count }, (_, index) => row(`m${first + index}`, WireState.alive, 1))
}

const LARGE = 3 * SLICE_ROWS

/** An exchange they begin. */
function hear(made: Bench, members: readonly PushPullMember[], userState?: Uint8Array): void {
  made.swim.receiveRequest(77, pushPull(members, userState === undefined ? {} : { userState }), at(99), made.now)
}

/** An exchange we begin, and its answer. */
function ask(made: Bench, members: readonly PushPullMember[], userState?: Uint8Array): number {
  const id = made.swim.pushPull(at(50), false)
  made.swim.receiveReply(id, pushPull(members, userState === undefined ? {} : { userState }), made.now)
  return id
}

function slice(made: Bench): void {
  made.now++
  made.swim.advance(made.now)
}

describe('a small exchange', () => {
  it('is taken at once, up to a slice', () => {
    const made = new Bench()
    const id = ask(made, rows(2, SLICE_ROWS), Uint8Array.of(2))
    assert.equal(made.swim.size, 1 + SLICE_ROWS)
    assert.equal(made.delegate.merged.length, 1)
    assert.deepEqual(made.delegate.exchanges, [{ id, error: undefined }])
  })

  it('is taken at once also while a large one is under way', () => {
    const made = new Bench()
    hear(made, rows(2, LARGE))
    hear(made, rows(5000, 3))
    assert.equal(made.status('m5002'), 'alive')
    assert.equal(made.status('m2'), undefined)
  })

  it('with much of the layer above is a large one', () => {
    const made = new Bench()
    hear(made, rows(2, 2), new Uint8Array(20_000))
    assert.equal(made.delegate.merged.length, 0)
    slice(made)
    assert.deepEqual(
      [made.status('m3'), made.delegate.merged.length],
      ['alive', 0],
      'the rows have a slice of their own',
    )
    slice(made)
    assert.equal(made.delegate.merged.length, 1)
  })
})

describe('a large exchange', () => {
  it('is taken a slice each millisecond, in its order, the layer above last, and only then it is over', () => {
    const made = new Bench()
    const id = ask(made, rows(2, LARGE + 1), Uint8Array.of(2))
    const sizes: number[] = []
    for (let slices = 0; slices < 4; slices++) {
      assert.deepEqual([made.delegate.exchanges, made.delegate.merged], [[], []])
      sizes.push(made.swim.size - 1)
      slice(made)
    }
    assert.deepEqual(sizes, [0, SLICE_ROWS, 2 * SLICE_ROWS, 3 * SLICE_ROWS])
    assert.equal(made.swim.size, LARGE + 2)
    assert.deepEqual(made.delegate.merged, [{ state: Uint8Array.of(2), join: false }])
    assert.deepEqual(made.delegate.exchanges, [{ id, error: undefined }])
    assert.ok((made.swim.nextDeadline() ?? 0) > made.now + 1, 'nothing more is due')
  })

  it('lets packets in between: the newer claim counts, whichever comes first', () => {
    const made = new Bench()
    const told = rows(2, LARGE)
    const last = `m${LARGE + 1}`
    told[LARGE - 1] = row(last, WireState.alive, 1, { meta: metaOf('old') })
    told[LARGE - 2] = row('m2000', WireState.dead, 1)
    made.receive(alive('m2000', 1))
    hear(made, told)
    slice(made)
    made.receive(alive(last, 5, { meta: metaOf('new') }), alive('m2000', 2), suspect('m2', 1), dead('m3', 1))
    for (let slices = 0; slices < 3; slices++) slice(made)
    assert.deepEqual([made.incarnation(last), made.swim.member(last)?.meta], [5, metaOf('new')])
    assert.equal(made.status('m2000'), 'alive')
    assert.deepEqual([made.status('m2'), made.status('m3')], ['suspect', 'dead'])
  })

  it('probes, gossip and suspicions have their turn in between', () => {
    const made = new Bench({ gossipIntervalMs: 200 })
    made.know(3)
    hear(made, rows(4, 40 * SLICE_ROWS))
    const kinds = new Set<string>()
    made.now = 3000
    for (let slices = 0; slices < 10; slices++) {
      slice(made)
      for (const effect of made.effects()) kinds.add(effect.kind)
    }
    assert.ok(kinds.has('packet'))
    assert.ok(made.swim.size < 40 * SLICE_ROWS)
  })

  it('two are taken one after the other, and each that we began is over at its own end', () => {
    const made = new Bench()
    const first = ask(made, rows(2, LARGE))
    const second = ask(made, rows(2, LARGE))
    for (let slices = 0; slices < 3; slices++) slice(made)
    assert.deepEqual(
      made.delegate.exchanges.map(({ id }) => id),
      [first],
    )
    for (let slices = 0; slices < 3; slices++) slice(made)
    assert.deepEqual(
      made.delegate.exchanges.map(({ id }) => id),
      [first, second],
    )
  })

  it('a slice that throws ends its own merge, and the next one has its turn', () => {
    const made = new Bench()
    const first = ask(made, rows(2, LARGE))
    const second = ask(made, rows(5000, LARGE))
    const { memberJoined } = made.delegate
    made.delegate.memberJoined = () => {
      throw new Error('a bug')
    }
    assert.throws(() => slice(made), /a bug/)
    made.delegate.memberJoined = memberJoined
    for (let slices = 0; slices < 5; slices++) slice(made)
    assert.equal(made.status(`m${5000 + LARGE - 1}`), 'alive')
    assert.deepEqual(
      made.delegate.exchanges.map(({ id }) => id),
      [first, second],
    )
    assert.ok((made.swim.nextDeadline() ?? 0) > made.now + 1, 'nothing more is due')
  })

  it('what it says of us is denied when it comes to it, unless we are leaving by then', () => {
    for (const isLeaving of [false, true]) {
      const made = new Bench()
      made.know(3)
      hear(made, [...rows(4, LARGE), row('m1', WireState.dead, 9)])
      slice(made)
      if (isLeaving) made.swim.leave(made.now, 1)
      for (let slices = 0; slices < 3; slices++) slice(made)
      assert.equal(made.incarnation('m1') === 10, !isLeaving)
      assert.equal(made.status('m1'), isLeaving ? 'left' : 'alive')
      assert.equal(made.swim.size, LARGE + 3, 'the others are taken')
    }
  })

  it('ML-56: is verified whole before its first slice, wherever the alien stands', () => {
    for (const place of [0, LARGE - 1]) {
      const made = new Bench()
      const told = rows(2, LARGE)
      told[place] = row('m9000', WireState.alive, 1, { vsn: ALIEN })
      const id = ask(made, told, Uint8Array.of(2))
      assert.equal(made.delegate.exchanges[0]?.id, id)
      assert.match(made.delegate.exchanges[0]?.error ?? '', /speaks protocol version/)
      for (let slices = 0; slices < 5; slices++) slice(made)
      assert.equal(made.swim.size, 1)
      assert.deepEqual(made.delegate.merged, [])
    }
  })

  it('strangers can have so much waiting and no more; what we asked for is not counted', () => {
    const made = new Bench()
    // A list that is long without being in memory: only its length is looked at, and each row is the same.
    const one = row('m2', WireState.alive, 1)
    const longest: PushPullMember[] = new Array<PushPullMember>(MAX_PUSH_PULL_MEMBERS).fill(one)
    const state = new Uint8Array(MAX_STREAM_PART_BYTES)
    hear(made, longest, state)
    assert.deepEqual(made.delegate.codes(), [])
    hear(made, longest, state)
    assert.deepEqual(made.delegate.codes(), ['merge-refused'])
    assert.match(made.delegate.warnings[0]?.message ?? '', /1 exchanges wait/)
    hear(made, rows(2, LARGE))
    assert.deepEqual(made.delegate.codes(), ['merge-refused'], 'a usual one finds room')
    ask(made, longest, state)
    assert.deepEqual(made.delegate.exchanges, [])
    assert.deepEqual(made.delegate.codes(), ['merge-refused'])
  })

  it('long names and metadata count too, so that few rows do not hold much', () => {
    const made = new Bench()
    const told = rows(2, LARGE)
    told[0] = row('m2', WireState.alive, 1, { meta: new Uint8Array(40_000_000) })
    for (let times = 0; times < 3; times++) hear(made, told)
    assert.deepEqual(made.delegate.codes(), ['merge-refused'], 'one waits, a second finds room, the third does not')
  })

  it('one alone finds room however much it holds', () => {
    const made = new Bench()
    const told = rows(2, LARGE)
    told[0] = row('m2', WireState.alive, 1, { meta: new Uint8Array(100_000_000) })
    hear(made, told)
    assert.deepEqual(made.delegate.codes(), [])
  })
})

describe('old news', () => {
  it('of members as we know them is nothing: no word to the layer above, nothing to tell on', () => {
    const made = new Bench()
    made.know(5)
    hear(made, [...rows(2, 3), row('m5', WireState.alive, 0)])
    assert.deepEqual([made.delegate.take(), made.swim.queued], [[], 0])
  })

  it('of an accused member is an occasion to remind it, and from another address a conflict', () => {
    const made = new Bench()
    made.know(4)
    made.receive(suspect('m2', 1), suspect('m4', 1))
    made.hush()
    const far = at(77).ip
    made.now = 100
    hear(made, [row('m2', WireState.alive, 1), row('m3', WireState.alive, 1, { addr: far })])
    assert.deepEqual(
      made.packets().map(({ to }) => to.key),
      [at(2).key],
    )
    assert.deepEqual(made.delegate.take(), [`conflict m3 ${at(77).key}`])
  })
})

describe('verification', () => {
  it('of two large tables takes in all kinds of versions that occur', () => {
    const kinds = [Uint8Array.of(1, 5, 2, 2, 5, 5), Uint8Array.of(1, 5, 2, 2, 5, 4), Uint8Array.of(2, 5, 5, 3, 5, 5)]
    const many = rows(2, 3000).map((one, index) => ({ ...one, vsn: kinds[index % 3] as Uint8Array }))
    assert.equal(verifyVersions([], many), undefined)
    const low = { ...(many[5] as PushPullMember), vsn: Uint8Array.of(1, 5, 1, 2, 5, 5) }
    assert.match(verifyVersions([], [...many, low]) ?? '', /speaks protocol version 1, the cluster understands 2 to 5/)
  })
})
