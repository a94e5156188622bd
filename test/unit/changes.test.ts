import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Change, ChangeStream } from '../../src/changes.ts'
import type { MemberEvent } from '../../src/events.ts'
import type { Member } from '../../src/serf/members.ts'

const WAITING = 1024

describe('ChangeStream', () => {
  it('gives the view first, as of the moment it is asked for, then one item a change', async () => {
    const { stream, members } = streaming()
    members.push(member('a'))
    stream.push(join('a'))
    assert.deepEqual(await take(stream), { kind: 'view', members: [member('a')] })
    members.push(member('b'))
    stream.push(join('b'))
    stream.push(join('c'))
    assert.deepEqual(await take(stream), { kind: 'change', event: join('b') })
    assert.deepEqual(await take(stream), { kind: 'change', event: join('c') })
  })

  it('the view that is asked for in the middle of several events holds them all, and none comes again', async () => {
    const { stream, members } = streaming()
    members.push(member('a'), member('b')) // the state is ahead of what is told
    stream.push(join('a'))
    const view = take(stream) // a listener of the first
    stream.push(join('b'))
    assert.deepEqual(await view, { kind: 'view', members: [member('a'), member('b')] })
    stream.push(join('c'))
    assert.deepEqual(await take(stream), { kind: 'change', event: join('c') })
  })

  it('so does the view after a loss', async () => {
    const { stream, members } = streaming()
    await take(stream)
    for (let number = 0; number <= WAITING; number++) stream.push(join('m'))
    const taken = [take(stream), take(stream), take(stream)]
    members.push(member('a'))
    stream.push(join('a'))
    assert.deepEqual(await Promise.all(taken.slice(0, 2)), [
      { kind: 'lost', count: WAITING + 1 },
      { kind: 'view', members: [member('a')] },
    ])
    stream.push(join('b'))
    assert.deepEqual(await taken[2], { kind: 'change', event: join('b') })
  })

  it('serves readers that wait already, in order', async () => {
    const { stream } = streaming()
    const first = take(stream)
    const taken = [first, take(stream), take(stream)]
    await first
    stream.push(join('a'))
    stream.push(join('b'))
    const kinds = (await Promise.all(taken)).map((change) => (change?.kind === 'change' ? change.event : change?.kind))
    assert.deepEqual(kinds, ['view', join('a'), join('b')])
  })

  it('keeps 1,024 changes for a slow reader', async () => {
    const { stream } = streaming()
    await take(stream)
    for (let number = 0; number < WAITING; number++) stream.push(join(`m-${number}`))
    for (let number = 0; number < WAITING; number++) {
      assert.deepEqual(await take(stream), { kind: 'change', event: join(`m-${number}`) })
    }
  })

  it('tells one that is slower how many are lost, then gives a fresh view, and goes on from there', async () => {
    const { stream, members } = streaming()
    await take(stream)
    for (let number = 0; number < WAITING + 10; number++) stream.push(join(`m-${number}`))
    members.push(member('now'))
    assert.deepEqual(await take(stream), { kind: 'lost', count: WAITING + 10 })
    stream.push(join('between'))
    assert.deepEqual(await take(stream), { kind: 'view', members: [member('now')] })
    stream.push(join('next'))
    assert.deepEqual(await take(stream), { kind: 'change', event: join('next') })
  })

  it('holds no more however much is lost', async () => {
    const { stream } = streaming()
    await take(stream)
    for (let number = 0; number < 20 * WAITING; number++) stream.push(join('m'))
    assert.deepEqual(await take(stream), { kind: 'lost', count: 20 * WAITING })
    assert.equal((await take(stream))?.kind, 'view')
  })

  it('once ended gives what waits, then is over', async () => {
    const { stream, ended } = streaming()
    await take(stream)
    stream.push(join('a'))
    stream.end()
    stream.push(join('b'))
    assert.deepEqual(await take(stream), { kind: 'change', event: join('a') })
    assert.equal(await take(stream), undefined)
    assert.equal(await take(stream), undefined)
    assert.equal(ended(), 1)
  })

  it('ending serves those who wait', async () => {
    const { stream, ended } = streaming()
    const taken = [take(stream), take(stream), take(stream)]
    stream.end()
    stream.end()
    assert.deepEqual(
      (await Promise.all(taken)).map((change) => change?.kind),
      ['view', undefined, undefined],
    )
    assert.equal(ended(), 1)
  })

  it('return() forgets what waits, ends those who wait, and lets go', async () => {
    const { stream, ended } = streaming()
    await take(stream)
    stream.push(join('a'))
    assert.deepEqual(await stream.return(), { done: true, value: undefined })
    assert.equal(await take(stream), undefined)
    assert.equal(ended(), 1)
    await stream.return()
    assert.equal(ended(), 1)
    const fresh = streaming()
    await fresh.stream.return()
    assert.equal(await take(fresh.stream), undefined, 'not even the view')
  })

  it('leaving a for-await loop lets go', async () => {
    const { stream, ended } = streaming()
    for await (const change of stream) {
      assert.equal(change.kind, 'view')
      break
    }
    assert.equal(ended(), 1)
  })
})

function streaming() {
  let ends = 0
  const members: Member[] = []
  const stream = new ChangeStream(
    () => [...members],
    (ended) => {
      assert.equal(ended, stream)
      ends++
    },
  )
  return { stream, members, ended: () => ends }
}

async function take(stream: ChangeStream): Promise<Change | undefined> {
  const { done, value } = await stream.next()
  return done === true ? undefined : value
}

function member(name: string): Member {
  return { name } as Member
}

function join(name: string): MemberEvent {
  return { type: 'member-join', member: member(name) }
}
