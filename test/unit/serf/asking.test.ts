import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { QueryError, SizeError } from '../../../src/base/errors.ts'
import { queryTimeoutMs } from '../../../src/serf/asking.ts'
import { encodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import { encodeTags } from '../../../src/wire/tags.ts'
import { counted } from './pattern-steps.ts'
import { amongGhosts, answer, answersTold, asked, direct, queriesTold, query, request } from './query-support.ts'
import { alive, dead, goodbye, Mesh, suspect } from './support.ts'

describe('SF-45: the default timeout of a query', () => {
  test('is 16 rounds of gossip for each digit of the number of members', () => {
    const table = [
      [1, 3200],
      [9, 3200],
      [10, 6400],
      [99, 6400],
      [100, 9600],
      [999, 9600],
    ] as const
    for (const [members, timeoutMs] of table) {
      assert.equal(queryTimeoutMs(200, 16, members), timeoutMs, `${members} members at lan`)
      assert.equal(queryTimeoutMs(500, 16, members), timeoutMs * 2.5, `${members} members at wan`)
      assert.equal(queryTimeoutMs(100, 16, members), timeoutMs / 2, `${members} members at local`)
    }
  })

  test('counts who is alive or accused, and nobody else', () => {
    const { mesh, us } = amongGhosts(11)
    assert.equal(us.serf.defaultQueryTimeoutMs, 6400)
    mesh.feed(us, dead(10), goodbye(11))
    assert.equal(us.serf.defaultQueryTimeoutMs, 3200)
  })

  test('is what the query tells and what ends it', () => {
    const { mesh, us } = amongGhosts(2)
    mesh.call(us, (serf, now) => serf.query(request(), now))
    mesh.run(3199)
    assert.equal(asked(mesh, 'us').timeoutNs, 3_200_000_000)
    assert.deepEqual(answersTold(us), [])
    mesh.run(1)
    assert.deepEqual(answersTold(us), ['timeout'])
  })
})

describe('asking', () => {
  test('a query tells who asks, where, what, and how to answer', () => {
    const { mesh, us } = amongGhosts(2)
    const filters = [
      { type: 'nodes', nodes: ['ghost-2'] },
      { type: 'tag', tag: 'role', pattern: '^$' },
    ] as const
    mesh.call(us, (serf, now) => {
      serf.query(
        request({ filters, wantsAcks: true, relayFactor: 3, timeoutMs: 5000, payload: Uint8Array.of(1, 2) }),
        now,
      )
    })
    mesh.run(500)
    const sent = asked(mesh, 'us')
    assert.ok(sent.id >= 0 && sent.id < 2 ** 31)
    const { ip: addr, port } = us.address
    const wanted = query(
      { ltime: 1, flags: 1, relayFactor: 3, timeoutNs: 5_000_000_000, payload: Uint8Array.of(1, 2) },
      ...filters,
    )
    assert.deepEqual(sent, { ...wanted, id: sent.id, addr, port, sourceNode: 'us' })
  })

  test('no two queries of ours have one time', () => {
    const { mesh, us } = amongGhosts(2)
    const times = [1, 2, 3].map(() => mesh.call(us, (serf, now) => serf.query(request(), now)))
    assert.deepEqual(times, [1, 2, 3])
    mesh.tell(us, query({ ltime: 9 }))
    assert.equal(
      mesh.call(us, (serf, now) => serf.query(request(), now)),
      10,
    )
  })

  test('SF-40: the asker gets its own ack and response, without the network', () => {
    const { mesh, us } = amongGhosts(2)
    mesh.call(us, (serf, now) => serf.query(request({ wantsAcks: true }), now))
    const [own] = queriesTold(us)
    assert.equal(own?.isOurs, true)
    mesh.call(us, (serf, now) => {
      if (own !== undefined) serf.respond(own, Uint8Array.of(5), now)
    })
    const [response] = us.told()
    assert.ok(response?.type === 'query-response')
    assert.deepEqual([response.from, [...response.payload]], ['us', [5]])
    assert.deepEqual(direct(mesh, 'us'), [])
  })

  test('where nobody listens here, our own response is not waited for, and our own ack is', () => {
    const { mesh, us } = amongGhosts(2)
    for (const [isHeard, isOver] of [
      [false, true],
      [true, false],
    ] as const) {
      const ltime = mesh.call(us, (serf, now) => serf.query(request({ isHeard, wantsAcks: true }), now))
      mesh.run(400)
      const { id } = asked(mesh, 'us')
      mesh.tell(us, answer('ghost-2', ltime, id), answer('ghost-2', ltime, id, { flags: 1 }))
      assert.equal(answersTold(us).includes('complete'), isOver, `${isHeard}`)
    }
  })

  test('nobody else answers by its name', () => {
    const { mesh, us } = amongGhosts(2)
    const ltime = mesh.call(us, (serf, now) => serf.query(request(), now))
    mesh.run(500)
    us.told()
    mesh.tell(us, answer('us', ltime, asked(mesh, 'us').id))
    assert.deepEqual(answersTold(us), [])
  })

  test('its own ack is among the acks', () => {
    const { mesh, us } = amongGhosts(2)
    mesh.call(us, (serf, now) => serf.query(request({ wantsAcks: true }), now))
    assert.deepEqual(answersTold(us), ['ack us'])
  })

  test('our own query that comes back by gossip is not new', () => {
    const { mesh, us } = amongGhosts(2)
    mesh.call(us, (serf, now) => serf.query(request(), now))
    mesh.run(500)
    const sent = asked(mesh, 'us')
    us.told()
    mesh.tell(us, sent)
    assert.deepEqual(queriesTold(us), [])
  })

  test('SF-46: a query of 1025 bytes is refused, with both numbers, and one of 1024 is not', () => {
    const { mesh, us } = amongGhosts(2)
    const size = (length: number): number => {
      const { ip: addr, port } = us.address
      const payload = new Uint8Array(length)
      return encodeSerfMessage({
        ...query(),
        addr,
        port,
        sourceNode: 'us',
        id: 2 ** 30,
        timeoutNs: 3_200_000_000,
        payload,
      }).length
    }
    // The id that the seed gives is as long as this one.
    const length = 900 + 1024 - size(900)
    mesh.call(us, (serf, now) => serf.query(request({ payload: new Uint8Array(length) }), now))
    assert.throws(
      () => mesh.call(us, (serf, now) => serf.query(request({ payload: new Uint8Array(length + 1) }), now)),
      (error) => error instanceof SizeError && error.allowedBytes === 1024 && error.usedBytes === 1025,
    )
    assert.equal(
      mesh.call(us, (serf, now) => serf.query(request(), now)),
      2,
      'nothing was asked, no time was used',
    )
  })

  test('a raised limit does not make larger packets', () => {
    const { mesh, us } = amongGhosts(2, { querySizeLimit: 9000 })
    const big = request({ payload: new Uint8Array(2000) })
    assert.throws(
      () => mesh.call(us, (serf, now) => serf.query(big, now)),
      (error) => error instanceof SizeError && error.allowedBytes < 1400,
    )
  })

  test('there is a bound on what is open', () => {
    const { mesh, us } = amongGhosts(2)
    for (let count = 0; count < 1024; count++) mesh.call(us, (serf, now) => serf.query(request(), now))
    assert.throws(() => mesh.call(us, (serf, now) => serf.query(request(), now)), QueryError)
    mesh.run(3200)
    mesh.call(us, (serf, now) => serf.query(request(), now))
  })

  test('alone, one is asked all the same, and nothing waits to be told', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1)
    const { queued } = us.serf
    mesh.call(us, (serf, now) => serf.query(request({ wantsAcks: true, name: '_serf_ping' }), now))
    assert.deepEqual(answersTold(us), ['ack us', 'complete'])
    assert.equal(us.serf.queued, queued)
  })

  test('where nobody that we know is meant it lasts its time: others may know somebody', () => {
    for (const filter of [
      { type: 'nodes', nodes: ['newcomer'] },
      { type: 'tag', tag: 'role', pattern: '^newcomer$' },
    ] as const) {
      const { mesh, us } = amongGhosts(3)
      const ltime = mesh.call(us, (serf, now) => serf.query(request({ filters: [filter] }), now))
      mesh.run(400)
      mesh.tell(us, answer('newcomer', ltime, asked(mesh, 'us').id))
      assert.deepEqual(answersTold(us), ['response newcomer'], filter.type)
      mesh.run(3200)
      assert.deepEqual(answersTold(us), ['timeout'], filter.type)
    }
  })

  test('where somebody is named who is not here, the others are not enough', () => {
    const { mesh, us } = amongGhosts(4)
    mesh.feed(us, dead(4))
    us.told()
    for (const missing of ['newcomer', 'ghost-4']) {
      const filters = [{ type: 'nodes', nodes: ['ghost-2', missing] }] as const
      const ltime = mesh.call(us, (serf, now) => serf.query(request({ filters }), now))
      mesh.run(400)
      const { id } = asked(mesh, 'us')
      mesh.tell(us, answer('ghost-2', ltime, id), answer(missing, ltime, id))
      assert.deepEqual(answersTold(us), ['response ghost-2', `response ${missing}`])
      mesh.run(3200)
      assert.deepEqual(answersTold(us), ['timeout'])
    }
  })

  test('where it takes too long to find out who is meant, it lasts its time', () => {
    const { mesh, us } = amongGhosts(2)
    const tags = encodeTags({ role: 'a'.repeat(480) })
    for (let number = 3; number <= 60; number++) mesh.feed(us, alive(number, 2, { meta: tags }))
    us.told()
    const filters = [{ type: 'tag', tag: 'role', pattern: `^(?:.?){8}${'a?'.repeat(20)}$` }] as const
    const { result: ltime, steps } = counted(() =>
      mesh.call(us, (serf, now) => serf.query(request({ filters, isHeard: false }), now)),
    )
    assert.ok(steps <= 2 ** 21, `${steps} steps`)
    mesh.run(400)
    const { id } = asked(mesh, 'us')
    const names = us.serf.members().map(({ name }) => name)
    mesh.tell(us, ...names.filter((name) => name !== 'us').map((name) => answer(name, ltime, id)))
    assert.ok(!answersTold(us).includes('complete'))
  })

  test('who is accused may yet answer, and is waited for', () => {
    const { mesh, us } = amongGhosts(3)
    mesh.silent.add('ghost-3')
    mesh.feed(us, suspect(3))
    assert.equal(us.stateOf('ghost-3'), 'suspect')
    const ltime = mesh.call(us, (serf, now) => serf.query(request({ isHeard: false, timeoutMs: 1000 }), now))
    mesh.run(400)
    const { id } = asked(mesh, 'us')
    us.told()
    mesh.tell(us, answer('ghost-2', ltime, id))
    assert.deepEqual(answersTold(us), ['response ghost-2'])
    mesh.tell(us, answer('ghost-3', ltime, id))
    assert.deepEqual(answersTold(us), ['response ghost-3', 'complete'])
  })

  test('who is meant is known by the filters, and waited for', () => {
    const { mesh, us } = amongGhosts(5)
    const ltime = mesh.call(us, (serf, now) => {
      return serf.query(request({ filters: [{ type: 'nodes', nodes: ['ghost-3', 'ghost-5'] }] }), now)
    })
    mesh.run(400)
    const { id } = asked(mesh, 'us')
    mesh.tell(us, answer('ghost-3', ltime, id))
    assert.deepEqual(answersTold(us), ['response ghost-3'])
    mesh.tell(us, answer('ghost-5', ltime, id))
    assert.deepEqual(answersTold(us), ['response ghost-5', 'complete'])
  })
})
