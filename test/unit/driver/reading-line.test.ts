import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ReadingLine } from '../../../src/driver/reading-line.ts'

describe('the reading line', () => {
  it('is free while a turn bears more: reads that take a millisecond together end it, until the pause is over', () => {
    const { line, clock } = make()
    assert.deepEqual([line.isFree, line.next()], [true, undefined])
    line.spend(() => pass(clock, 0.6))
    assert.ok(line.isFree)
    line.spend(() => pass(clock, 0.4))
    assert.ok(!line.isFree)
    clock.now += 0.9
    assert.ok(!line.isFree)
    clock.now += 0.1
    assert.ok(line.isFree)
    line.spend(() => pass(clock, 0.6))
    assert.ok(line.isFree, 'what was spent is forgotten')
  })

  it('a read that left something unread is as much as a turn bears, however short it was', () => {
    const { line, clock } = make()
    line.spend(() => false)
    line.join('a', 'fresh')
    assert.deepEqual([line.isFree, line.take(), line.next()], [false, undefined, clock.now + 1])
    clock.now += 1
    assert.equal(line.take(), 'a')
  })

  it('the pause begins when the read is over', () => {
    const { line, clock } = make()
    line.spend(() => pass(clock, 40))
    line.join('a', 'fresh')
    assert.equal(line.next(), clock.now + 1)
  })

  it('nobody is read before those who wait, though the turn would bear it', () => {
    const { line, clock } = make()
    line.spend(() => false)
    line.join('a', 'fresh')
    clock.now += 10
    assert.ok(!line.isFree)
    assert.equal(line.take(), 'a')
    assert.ok(line.isFree)
  })

  it('takes in the order of joining; whoever joins twice keeps the place', () => {
    const { line } = make()
    for (const item of ['a', 'b', 'a', 'c']) line.join(item, 'fresh')
    assert.deepEqual([line.take(), line.take()], ['a', 'b'])
    line.join('a', 'fresh')
    assert.deepEqual([line.take(), line.take(), line.take()], ['c', 'a', undefined])
  })

  it('takes what answers us before what asks us', () => {
    const { line } = make()
    line.join('theirs', 'fresh')
    line.join('ours', 'ours')
    line.join('ours too', 'ours')
    assert.deepEqual([line.take(), line.take(), line.take()], ['ours', 'ours too', 'theirs'])
  })

  it('takes what is begun and what is new by turns, each in its order', () => {
    const { line } = make()
    for (const item of ['a', 'b', 'c']) line.join(item, 'begun')
    for (const item of ['x', 'y']) line.join(item, 'fresh')
    line.join('a', 'fresh')
    const taken = Array.from({ length: 6 }, () => line.take())
    assert.deepEqual(taken, ['x', 'a', 'y', 'b', 'c', undefined])
  })

  it('of those that unfold one goes on until it is done, by turns with what is begun and what is new', () => {
    const { line } = make()
    for (const item of ['u', 'v', 'w']) line.join(item, 'unfolding')
    for (const item of ['a', 'b']) line.join(item, 'begun')
    for (const item of ['x', 'y']) line.join(item, 'fresh')
    const taken: (string | undefined)[] = []
    for (let left = 10; left > 0; left--) {
      const item = line.take()
      taken.push(item)
      // The first of them takes two reads more, the second is given up.
      if (item === 'u' && taken.filter((one) => one === 'u').length < 3) line.join('u', 'unfolding')
      if (item === 'v') line.leave('v')
    }
    assert.deepEqual(taken, ['x', 'a', 'u', 'y', 'b', 'u', 'u', 'v', 'w', undefined])
  })

  it('whoever leaves, or all where it is cleared, is taken no more', () => {
    const { line } = make()
    line.join('a', 'fresh')
    line.join('b', 'ours')
    assert.deepEqual([line.has('a'), line.has('b'), line.has('c')], [true, true, false])
    line.leave('b')
    assert.deepEqual([line.has('b'), line.take(), line.next()], [false, 'a', undefined])
    line.join('c', 'fresh')
    line.join('d', 'ours')
    line.clear()
    assert.deepEqual([line.take(), line.next(), line.isFree], [undefined, undefined, true])
  })
})

function make(): { readonly line: ReadingLine<string>; readonly clock: { now: number } } {
  const clock = { now: 1000 }
  return { line: new ReadingLine(() => clock.now), clock }
}

function pass(clock: { now: number }, ms: number): true {
  clock.now += ms
  return true
}
