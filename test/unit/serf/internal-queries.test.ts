import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { utf8 } from '../../../src/base/bytes.ts'
import { KEY_QUERIES } from '../../../src/serf/key-queries.ts'
import { decodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import { encodeTags } from '../../../src/wire/tags.ts'
import type { SerfConflictResponse, SerfKeyResponse, SerfMember, SerfMessage } from '../../../src/wire/types.ts'
import { amongGhosts, direct, query, warningsTold } from './query-support.ts'
import { alive, goodbye, type Mesh, NONSENSE, type Station } from './support.ts'

/** What a machine sends back for an internal query, taken out of the response. */
function answered(mesh: Mesh, us: Station, name: string, payload: Uint8Array): SerfMessage[] {
  mesh.forgetSent()
  mesh.tell(us, query({ name, payload, id: nextId++ }))
  return direct(mesh, 'us', 'ghost-2').map((message) => {
    assert.ok(message.type === 'query-response')
    return decodeSerfMessage(message.payload)
  })
}
let nextId = 1

function voteFor(mesh: Mesh, us: Station, name: string): SerfMember | null {
  const [vote, ...more] = answered(mesh, us, '_serf_conflict', utf8(name)) as SerfConflictResponse[]
  assert.ok(vote?.type === 'conflict-response' && more.length === 0)
  return vote.member
}

describe('queries between Serf and Serf', () => {
  test('never reach the application, whatever their names', () => {
    const { mesh, us } = amongGhosts(3)
    for (const name of ['_serf_ping', '_serf_conflict', '_serf_nonsense', '_serf_', ...Object.values(KEY_QUERIES)]) {
      mesh.tell(us, query({ name, id: nextId++ }))
    }
    assert.ok(us.told().every(({ type }) => type !== 'query'))
  })

  test('a ping is answered by its ack alone', () => {
    const { mesh, us } = amongGhosts(3)
    mesh.tell(us, query({ name: '_serf_ping', flags: 1 }))
    assert.deepEqual(
      direct(mesh, 'us').map((message) => message.type === 'query-response' && message.flags),
      [1],
    )
  })

  test('an unknown one is a warning, acked and told on', () => {
    const { mesh, us } = amongGhosts(3)
    mesh.tell(us, query({ name: '_serf_future', flags: 1 }))
    mesh.run(500)
    assert.deepEqual(warningsTold(us), ['query-unknown'])
    assert.equal(direct(mesh, 'us').length, 1)
    assert.ok(mesh.gossiped('us').some(({ type }) => type === 'query'))
  })

  test('a vote tells all we know of the member of that name', () => {
    const { mesh, us } = amongGhosts(2)
    mesh.feed(us, alive(3, 1, { meta: encodeTags({ role: 'web' }) }), alive(4))
    mesh.feed(us, goodbye(4))
    assert.deepEqual(voteFor(mesh, us, 'ghost-3'), {
      name: 'ghost-3',
      addr: Uint8Array.of(10, 0, 0, 3),
      port: 7946,
      tags: new Map([['role', 'web']]),
      status: 1,
      vsn: Uint8Array.of(1, 5, 2, 2, 5, 5),
    })
    assert.equal(voteFor(mesh, us, 'ghost-4')?.status, 3)
  })

  test('of nobody we know the vote is nil', () => {
    const { mesh, us } = amongGhosts(2)
    assert.equal(voteFor(mesh, us, 'nobody'), null)
  })

  test('about our own name we have no vote', () => {
    const { mesh, us } = amongGhosts(2)
    assert.deepEqual(answered(mesh, us, '_serf_conflict', utf8('us')), [])
    assert.deepEqual(us.told(), [])
  })

  test('SF-49: internal queries with an empty or garbage payload are survived', () => {
    const { mesh, us } = amongGhosts(3)
    const garbage = [new Uint8Array(0), NONSENSE, Uint8Array.of(0xff, 0xfe), Uint8Array.of(7), Uint8Array.of(7, 0x81)]
    for (const payload of garbage) {
      for (const [operation, name] of Object.entries(KEY_QUERIES)) {
        const [response] = answered(mesh, us, name, payload) as SerfKeyResponse[]
        assert.equal(response?.result, false, `${operation} ${payload}`)
      }
      answered(mesh, us, '_serf_ping', payload)
      const votes = answered(mesh, us, '_serf_conflict', payload)
      assert.ok(votes.length <= 1)
    }
    us.told()
    answered(mesh, us, '_serf_conflict', new Uint8Array(0))
    answered(mesh, us, '_serf_conflict', Uint8Array.of(0xff, 0xfe))
    assert.deepEqual(warningsTold(us), ['message-invalid', 'message-invalid'])
  })

  test('one that leaves no time for an answer is survived, and a warning', () => {
    const { mesh, us } = amongGhosts(2)
    for (const name of ['_serf_conflict', ...Object.values(KEY_QUERIES)]) {
      mesh.tell(us, query({ name, payload: utf8('ghost-2'), id: nextId++, timeoutNs: 0 }))
      assert.ok(warningsTold(us).includes('response-unsent'), name)
    }
    assert.deepEqual(direct(mesh, 'us'), [])
  })

  test('an answer that fits no response is a warning', () => {
    const { mesh, us } = amongGhosts(2, { queryResponseSizeLimit: 64 })
    mesh.tell(us, query({ name: '_serf_conflict', payload: utf8('ghost-2') }))
    assert.deepEqual(warningsTold(us), ['response-unsent'])
    assert.deepEqual(direct(mesh, 'us'), [])
  })
})
