// Key queries through a whole machine: whatever strangers ask is answered once, within the limit, and never told to the application.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { NO_BYTES } from '../../../src/base/bytes.ts'
import { KEY_QUERIES } from '../../../src/serf/key-queries.ts'
import { Keyring } from '../../../src/wire/keyring.ts'
import { decodeSerfMessage, encodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import type { SerfKeyResponse, SerfMessage, SerfQuery } from '../../../src/wire/types.ts'
import { amongGhosts, direct, queriesTold, query, warningsTold } from './query-support.ts'
import type { StationOptions } from './support.ts'

const key = (number: number): Uint8Array => new Uint8Array(32).fill(number)
const request = (bytes: Uint8Array): Uint8Array => encodeSerfMessage({ type: 'key-request', key: bytes })

function holding(
  keys: readonly Uint8Array[],
  { keepsKeys = false, ...options }: StationOptions & { keepsKeys?: boolean } = {},
) {
  const keyring = new Keyring(keys)
  const { mesh, us } = amongGhosts(4, { ...options, setup: { keyring, keepsKeys } })
  const answers = (): SerfMessage[] => direct(mesh, 'us')
  return { mesh, us, keyring, answers, ask: (more: Partial<SerfQuery>) => mesh.tell(us, query(more)) }
}

function said(message: SerfMessage | undefined): SerfKeyResponse {
  assert.ok(message?.type === 'query-response')
  const answer = decodeSerfMessage(message.payload)
  assert.ok(answer.type === 'key-response')
  return answer
}

describe('key queries on the wire', () => {
  it('are answered once, and are not told to the application', () => {
    const { ask, us, answers, keyring } = holding([key(1)])
    ask({ name: KEY_QUERIES.install, payload: request(key(2)) })
    assert.deepEqual(queriesTold(us), [])
    assert.equal(answers().length, 1)
    assert.equal(said(answers()[0]).result, true)
    assert.deepEqual(keyring.keys, [key(1), key(2)])
  })

  it('are done also where there were too many to answer', () => {
    const { us, mesh, keyring, answers, ask } = holding([key(1)])
    for (let id = 0; id < 600; id++) ask({ id: 1000 + id, flags: 1 })
    mesh.forgetSent()
    ask({ ltime: 8, name: KEY_QUERIES.install, payload: request(key(2)) })
    assert.equal(keyring.has(key(2)), true)
    assert.deepEqual(answers(), [])
    assert.ok(warningsTold(us).some((warning) => warning.includes('query-limit')))
  })

  it('that wait for the file are answered when it is written', () => {
    const { ask, mesh, us, answers, keyring } = holding([key(1)], { keepsKeys: true })
    ask({ name: KEY_QUERIES.install, payload: request(key(2)) })
    assert.deepEqual([answers(), keyring.keys.length], [[], 1])
    assert.deepEqual(us.toldInShort(), ['store-keys'])
    mesh.call(us, (serf, now) => serf.keysStored(undefined, now))
    assert.deepEqual([said(answers()[0]).result, keyring.keys.length], [true, 2])
  })

  it('whose file takes longer than the asker waits change the keys, and say so in a warning', () => {
    const { ask, mesh, us, answers, keyring } = holding([key(1)], { keepsKeys: true })
    ask({ name: KEY_QUERIES.install, payload: request(key(2)), timeoutNs: 1_000_000_000 })
    mesh.run(1000)
    us.told()
    mesh.call(us, (serf, now) => serf.keysStored(undefined, now))
    assert.deepEqual([answers(), keyring.keys.length], [[], 2])
    assert.deepEqual(warningsTold(us), ['response-unsent'])
  })

  for (const relayFactor of [0, 2]) {
    it(`are listed within the limit of an answer${relayFactor > 0 ? ', and of a relay where some are wanted' : ''}`, () => {
      const keys = Array.from({ length: 60 }, (_, at) => key(at))
      const { ask, mesh, answers } = holding(keys)
      ask({ name: KEY_QUERIES.list, payload: request(NO_BYTES), relayFactor })
      const sizes = mesh.sent.flatMap(({ from, message }) => {
        return from === 'us' && message.type === 'user' ? [message.payload.length] : []
      })
      assert.ok(
        sizes.every((size) => size <= 1024),
        sizes.join(),
      )
      assert.ok(
        sizes.some((size) => size > 950),
        sizes.join(),
      )
      const [first, ...relayed] = answers()
      assert.equal(relayed.length, relayFactor)
      const { keys: shown, message, result } = said(first)
      assert.ok(result && shown.length > 10)
      assert.equal(message, `truncated key list response, showing first ${shown.length} of 60 keys`)
    })
  }

  it('SF-93: with an empty payload, or anything at all in it, leave a member that answers the next', () => {
    const names = fc.constantFrom(...Object.values(KEY_QUERIES))
    const payloads = fc.oneof(
      fc.constant(NO_BYTES),
      fc.uint8Array({ maxLength: 64 }),
      fc.uint8Array({ maxLength: 64 }).map((rest) => Uint8Array.of(7, ...rest)),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(names, payloads), { maxLength: 8 }), fc.boolean(), (queries, isEncrypted) => {
        const { mesh, us } = amongGhosts(3, isEncrypted ? { setup: { keyring: new Keyring([key(1), key(2)]) } } : {})
        queries.forEach(([name, payload], id) => {
          mesh.tell(us, query({ id, name, payload }))
        })
        mesh.tell(us, query({ id: 99, name: KEY_QUERIES.list, payload: request(NO_BYTES) }))
        const answers = direct(mesh, 'us')
        assert.equal(answers.length, queries.length + 1)
        assert.equal(said(answers.at(-1)).result, isEncrypted)
        assert.deepEqual(queriesTold(us), [])
      }),
      { numRuns: 60 },
    )
  })
})
