import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { countInstructions } from '../../../src/serf/tag-patterns.ts'
import { encodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import type { SerfQuery } from '../../../src/wire/types.ts'
import { counted } from './pattern-steps.ts'
import { amongGhosts, direct, queriesTold, query, request, warningsTold } from './query-support.ts'
import { exchange, serfStateOf } from './support.ts'

function tag(pattern: string) {
  return { type: 'tag', tag: 'role', pattern } as const
}

describe('queries that come', () => {
  test('one is told once, with what it asks and the time it leaves', () => {
    const { mesh, us } = amongGhosts(3)
    mesh.tell(us, query(), query())
    mesh.tell(us, query())
    const [told, ...more] = queriesTold(us)
    assert.deepEqual(more, [])
    assert.deepEqual(
      [told?.name, told?.source, told?.ltime, [...(told?.payload ?? [])], told?.deadline],
      ['load', 'ghost-2', 7, [1], mesh.now + 3000],
    )
  })

  test('two of one time are two', () => {
    const { mesh, us } = amongGhosts(3)
    mesh.tell(us, query({ id: 1 }), query({ id: 2 }))
    assert.deepEqual(
      queriesTold(us).map(({ id }) => id),
      [1, 2],
    )
  })

  test('it is told on, byte for byte as received, and once', () => {
    const { mesh, us } = amongGhosts(4)
    // A field that nobody knows, in front of the others.
    const bytes = encodeSerfMessage(query())
    const odd = Uint8Array.from([
      bytes[0] as number,
      (bytes[1] as number) + 1,
      0xa2,
      0x5a,
      0x5a,
      0xc0,
      ...bytes.subarray(2),
    ])
    mesh.tell(us, odd)
    mesh.run(3000)
    const copies = mesh.sent.filter(({ from, message }) => from === 'us' && message.type === 'user')
    assert.ok(copies.length > 0)
    for (const { message } of copies) assert.ok(message.type === 'user' && Buffer.from(message.payload).equals(odd))
    const count = copies.length
    mesh.tell(us, odd)
    mesh.run(3000)
    assert.equal(mesh.sent.filter(({ from, message }) => from === 'us' && message.type === 'user').length, count)
  })

  test('one with a filter of no bytes, which ends Go members, is told on by nobody', () => {
    const { mesh, us } = amongGhosts(3)
    mesh.tell(us, query({ filters: [new Uint8Array(0)] }))
    mesh.run(2000)
    assert.deepEqual(mesh.gossiped('us'), [])
    assert.deepEqual(queriesTold(us), [])
    // One that only cannot be read is no harm to them, and may mean others.
    mesh.tell(us, query({ id: 2, filters: [Uint8Array.of(7)] }))
    mesh.run(2000)
    assert.notDeepEqual(mesh.gossiped('us'), [])
  })

  test('one with flag 2 is told on by nobody, and delivered', () => {
    const { mesh, us } = amongGhosts(3)
    mesh.tell(us, query({ flags: 2 }))
    mesh.run(2000)
    assert.deepEqual(mesh.gossiped('us'), [])
    assert.equal(queriesTold(us).length, 1)
  })

  test('SF-42: whom its filters leave out sends no ack, and tells it on all the same', () => {
    const { mesh, us } = amongGhosts(3, { tags: { role: 'web' } })
    mesh.tell(us, query({ flags: 1 }, tag('^db$')))
    mesh.run(1000)
    assert.deepEqual(direct(mesh, 'us'), [])
    assert.deepEqual(queriesTold(us), [])
    assert.ok(mesh.gossiped('us').some(({ type }) => type === 'query'))
    mesh.tell(us, query({ flags: 1, id: 78 }, tag('^web$')))
    assert.deepEqual(
      direct(mesh, 'us', 'ghost-2').map(({ type }) => type),
      ['query-response'],
    )
  })

  test('the ack goes at once, before anybody has looked at the query', () => {
    const { mesh, us } = amongGhosts(3)
    mesh.tell(us, query({ flags: 1 }))
    assert.deepEqual(direct(mesh, 'us', 'ghost-2'), [
      { type: 'query-response', ltime: 7, id: 77, from: 'us', flags: 1, payload: new Uint8Array(0) },
    ])
    assert.equal(queriesTold(us)[0]?.isAnswered, false)
  })

  test('one more than 512 times back is too old, and 512 are not', () => {
    const { mesh, us } = amongGhosts(3)
    mesh.tell(us, query({ ltime: 1000, id: 1 }))
    // The clock is at 1001 then.
    mesh.tell(us, query({ ltime: 489, id: 2 }))
    assert.deepEqual(
      queriesTold(us).map(({ id }) => id),
      [1, 2],
    )
    mesh.tell(us, query({ ltime: 488, id: 3 }))
    assert.deepEqual(warningsTold(us), ['query-old'])
  })

  test('a forged time is not believed, and a query of that time not taken', () => {
    const { mesh, us } = amongGhosts(3)
    mesh.tell(us, query({ ltime: 2n ** 64n - 1n }))
    assert.deepEqual(
      us.told().map(({ type }) => type),
      ['warning'],
    )
    assert.deepEqual(
      mesh.call(us, (serf) => serf.members().length),
      3,
    )
  })

  test('whatever a datagram of queries brings, their patterns take so much work and no more', () => {
    for (const pattern of [
      (at: number) => `^${'a?'.repeat(20)}.{${at % 50}}$`,
      (at: number) => `^(?:.?){${50 + (at % 20)}}${'a'.repeat(20 + (at % 50))}`,
      (at: number) => `(?i)${'\\pL'.repeat(1 + (at % 5))}`,
    ]) {
      const { mesh, us } = amongGhosts(3, { tags: { role: 'a'.repeat(400) } })
      const datagram = Array.from({ length: 1000 }, (_, id) => query({ id }, tag(pattern(id))))
      const { compiled, instructions, steps } = counted(() => mesh.tell(us, ...datagram))
      const told = us.told()
      assert.ok(told.some((notice) => notice.type === 'warning' && notice.code === 'query-limit'))
      // 2 ** 19 units are there: an instruction takes one for each character, and 64 to be compiled.
      assert.ok(instructions * 64 + steps / 2 <= 2 ** 19, `${instructions} instructions, ${steps} steps`)
      assert.ok(compiled > 0 && compiled < 300, `${compiled} were compiled`)
      // Each of them is told on, and those without patterns are none of this.
      mesh.tell(us, query({ id: 5000 }))
      assert.equal(queriesTold(us).length, 1)
      mesh.tell(us, query({ id: 5001 }, tag('^a')))
      mesh.run(1000)
      us.told()
      mesh.tell(us, query({ id: 5002 }, tag('^a')))
      assert.equal(queriesTold(us).length, 1, 'a second later there is more')
    }
  })

  test('the largest query that there may be is looked at', () => {
    const { mesh, us } = amongGhosts(3, { tags: { role: 'a'.repeat(60) } })
    const pattern = `${'a?'.repeat(500)}(?:.?){${Math.floor((4096 - 1520) / 6)}}`
    assert.ok(countInstructions(pattern) > 4070 && countInstructions(pattern) <= 4096, `${countInstructions(pattern)}`)
    mesh.tell(us, query({}, tag(pattern)))
    assert.equal(queriesTold(us).length, 1)
  })

  test('a pattern that is kept costs no compiling: hundreds of one kind a second are looked at', () => {
    const { mesh, us } = amongGhosts(3, { tags: { role: 'a-server-for-the-web' } })
    mesh.tell(us, ...Array.from({ length: 900 }, (_, id) => query({ id }, tag('^a-.*-web$'))))
    assert.equal(queriesTold(us).length, 900)
  })

  test('what we ask ourselves takes nothing from what others may', () => {
    const { mesh, us } = amongGhosts(3, { tags: { role: 'a'.repeat(400) } })
    for (let count = 0; count < 40; count++) {
      const filters = [tag(`^(?:.?){40}${'a'.repeat(100 + count)}$`)]
      mesh.call(us, (serf, now) => serf.query(request({ filters }), now))
    }
    us.told()
    mesh.tell(us, query({ ltime: 40 }, tag(`^${'a?'.repeat(200)}`)))
    assert.equal(queriesTold(us).length, 1)
  })

  test('a filter that cannot be read is a warning', () => {
    const { mesh, us } = amongGhosts(3)
    mesh.tell(us, query({ filters: [new Uint8Array(0)] }))
    assert.deepEqual(warningsTold(us), ['filter-invalid'])
  })

  test('answers at port 0 nobody can send', () => {
    const { mesh, us } = amongGhosts(3)
    mesh.tell(us, query({ port: 0, flags: 1 }))
    assert.deepEqual(warningsTold(us), ['message-invalid'])
    assert.deepEqual(direct(mesh, 'us'), [])
  })

  test('SF-48: exchanges tell the clock of queries, and no query', () => {
    const { mesh, us } = amongGhosts(3)
    mesh.tell(us, query({ ltime: 41 }))
    const state = serfStateOf(mesh.exchange(us, {}))
    assert.equal(state.queryLtime, 42)
    assert.deepEqual(state.events, [])
    const before = mesh.exchange(us, {}).userState
    assert.deepEqual(mesh.exchange(us, {}).userState, before, 'and the very same until something changes')
  })

  test('the clock follows what exchanges tell', () => {
    const { mesh, us } = amongGhosts(3)
    const theirs = exchange({})
    const { statusLtimes } = serfStateOf(theirs)
    const userState = encodeSerfMessage({
      type: 'push-pull',
      ltime: 1,
      statusLtimes,
      leftMembers: [],
      eventLtime: 1,
      events: [],
      queryLtime: 100,
    })
    mesh.exchange(us, { userState })
    assert.equal(serfStateOf(mesh.exchange(us, {})).queryLtime, 100)
  })

  test('a time to answer that is negative, or longer than a day, is none, and a day', () => {
    const { mesh, us } = amongGhosts(3)
    mesh.tell(us, query({ id: 1, timeoutNs: -5 }), query({ id: 2, timeoutNs: 2n ** 62n }))
    assert.deepEqual(
      queriesTold(us).map(({ deadline }) => deadline - mesh.now),
      [0, 86_400_000],
    )
  })

  test('of one time there is a bound, which a person is told of', () => {
    const { mesh, us } = amongGhosts(2)
    const many = Array.from({ length: 1025 }, (_, id): SerfQuery => query({ id }))
    mesh.tell(us, ...many)
    assert.equal(us.notices.filter(({ type }) => type === 'query').length, 1024)
    assert.deepEqual(warningsTold(us), ['query-limit'])
  })
})
