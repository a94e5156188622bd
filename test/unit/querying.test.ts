import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, it } from 'node:test'
import { OptionsError, SizeError } from '../../src/base/errors.ts'
import { Querying, type QueryOptions } from '../../src/querying.ts'
import type { QueryRequest } from '../../src/serf/asking.ts'
import type { ReceivedQuery } from '../../src/serf/notices.ts'
import type { Serf } from '../../src/serf/serf.ts'
import { Address } from '../../src/wire/address.ts'

/** Over a protocol that takes down what it is told to do. */
function querying(isHeard = true) {
  const requests: QueryRequest[] = []
  const responses: Uint8Array[] = []
  const cancelled: number[] = []
  const serf = {
    query: (request: QueryRequest) => requests.push(request),
    cancelQuery: (ltime: number) => void cancelled.push(ltime),
    respond: (_query: ReceivedQuery, payload: Uint8Array) => void responses.push(payload),
    members: () => [{ name: 'old', address: '10.0.0.2:7946' }],
  }
  const command = <Result>(call: (serf: Serf, now: number) => Result): Result => call(serf as unknown as Serf, 1000)
  const made = new Querying({ command, commandSoon: command }, () => isHeard)
  return { made, requests, responses, cancelled }
}

function received(more: Partial<ReceivedQuery> = {}): ReceivedQuery {
  return {
    ltime: 5,
    id: 6,
    name: 'load',
    payload: Uint8Array.of(0x2a),
    source: 'm-2',
    address: new Address(Uint8Array.of(10, 0, 0, 2), 7946),
    relayFactor: 0,
    deadline: 3500,
    isOurs: false,
    isAnswered: false,
    ...more,
  }
}

describe('asking', () => {
  it('turns options into what the protocol asks', () => {
    const { made, requests } = querying()
    made.ask('load', 'now', {
      filterNodes: ['m-1', 'm-2'],
      filterTags: { role: '^web$', zone: 'eu' },
      ack: true,
      relayFactor: 3,
      timeoutMs: 5000,
    })
    assert.deepEqual(requests, [
      {
        name: 'load',
        payload: new TextEncoder().encode('now'),
        filters: [
          { type: 'nodes', nodes: ['m-1', 'm-2'] },
          { type: 'tag', tag: 'role', pattern: '^web$' },
          { type: 'tag', tag: 'zone', pattern: 'eu' },
        ],
        wantsAcks: true,
        relayFactor: 3,
        timeoutMs: 5000,
        endsEarly: true,
        isHeard: true,
      },
    ])
  })

  it('refuses every wrong option by its name', () => {
    const { made, requests } = querying()
    const wrong: [string, unknown][] = [
      ['filterNodes', []],
      ['filterNodes', 'm-1'],
      ['filterNodes[1]', ['m-1', 5]],
      ['filterTags', 'role=web'],
      ['filterTags', new Map([['role', 'web']])],
      ['filterTags', ['web']],
      ['filterTags', { ...Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`t${at}`, 'x'])) }],
      ['filterTags.role', { role: 5 }],
      ['filterTags.role', { role: '(?=web)' }],
      ['filterTags.role', { role: 'a'.repeat(1025) }],
      ['filterTags.role', { role: '(?:abcdefghij){1000}' }],
      ['filterTags.role', { role: '.{1000}' }],
      [
        'filterTags.t4',
        { ...Object.fromEntries(Array.from({ length: 5 }, (_, at) => [`t${at}`, `^.{900}${'x'.repeat(9)}`])) },
      ],
      ['ack', 1],
      ['relayFactor', 256],
      ['relayFactor', -1],
      ['timeoutMs', 0],
      ['timeoutMs', 86_400_001],
      ['signal', {}],
      ['timeout', 5],
    ]
    for (const [option, value] of wrong) {
      const key = option.replace(/[.[].*/, '')
      assert.throws(
        () => made.ask('load', undefined, { [key]: value } as QueryOptions),
        (error) => error instanceof OptionsError && error.option === option,
        option,
      )
    }
    assert.deepEqual(requests, [])
  })

  it("refuses Serf's own names, but for a ping that carries nothing", () => {
    const { made, requests } = querying()
    for (const [name, payload] of [
      ['', undefined],
      ['\ud800', undefined],
      ['_serf_conflict', undefined],
      ['_serf_ping', 'x'],
      ['_serf_', undefined],
      [5 as unknown as string, undefined],
    ] as const) {
      assert.throws(
        () => made.ask(name, payload, {}),
        (error) => error instanceof OptionsError && error.option === 'name',
        name,
      )
    }
    assert.throws(
      () => made.ask('_serf_ping', undefined, {}),
      (error) => error instanceof OptionsError && error.option === 'ack',
      'without acks nothing can come',
    )
    made.ask('_serf_ping', undefined, { ack: true })
    assert.equal(requests.length, 1)
  })

  it('gives each query its own answers', async () => {
    const { made } = querying()
    const [one, two] = [made.ask('load', undefined, {}), made.ask('load', undefined, { ack: true })]
    made.told({ type: 'query-response', ltime: 2, from: 'm-2', payload: Uint8Array.of(0x2a) })
    made.told({ type: 'query-ack', ltime: 2, from: 'm-3' })
    made.told({ type: 'query-response', ltime: 9, from: 'm-9', payload: Uint8Array.of() })
    made.told({ type: 'query-done', ltime: 2, reason: 'complete' })
    made.told({ type: 'query-done', ltime: 1, reason: 'timeout' })
    assert.deepEqual(await one.collect(), [])
    const [response] = await two.collect()
    assert.deepEqual([response?.from, response?.unpack()], ['m-2', 42])
    assert.deepEqual(await two.acks.collect(), ['m-3'])
    assert.deepEqual([one.outcome, two.outcome], ['timeout', 'complete'])
    assert.equal(made.size, 0, 'what is over is let go of')
  })

  it('an aborted signal ends it with its reason, and lets the protocol go', async () => {
    const { made, cancelled } = querying()
    const control = new AbortController()
    const query = made.ask('load', undefined, { signal: control.signal })
    made.told({ type: 'query-response', ltime: 1, from: 'm-2', payload: Uint8Array.of() })
    const reason = new Error('no more')
    control.abort(reason)
    await assert.rejects(query.collect(), reason)
    assert.deepEqual([query.outcome, cancelled], ['cancelled', [1]])
    made.told({ type: 'query-response', ltime: 1, from: 'm-3', payload: Uint8Array.of() })
    assert.throws(() => made.ask('load', undefined, { signal: control.signal }), reason)
  })

  it('a signal that is aborted after the end changes nothing, and is not listened to any more', async () => {
    const { made, cancelled } = querying()
    const control = new AbortController()
    const { signal } = control
    const listening = (): number => getEventListeners(signal, 'abort').length
    const query = made.ask('load', undefined, { signal })
    assert.equal(listening(), 1)
    made.told({ type: 'query-done', ltime: 1, reason: 'complete' })
    assert.equal(listening(), 0, 'at once')
    control.abort()
    assert.deepEqual(await query.collect(), [])
    assert.deepEqual(cancelled, [])
  })

  it('aborted in the very call that asks, it is over', async () => {
    const control = new AbortController()
    const command = <Result>(call: (serf: Serf, now: number) => Result): Result => {
      const result = call({ query: () => 1 } as unknown as Serf, 0)
      control.abort()
      return result
    }
    const made = new Querying({ command, commandSoon: () => {} }, () => true)
    assert.equal(made.ask('load', undefined, { signal: control.signal }).outcome, 'cancelled')
    assert.equal(made.size, 0)
  })

  it('closed and then aborted in one go, it is closed, and nothing is thrown', () => {
    const control = new AbortController()
    const { made, cancelled } = querying()
    const query = made.ask('load', undefined, { signal: control.signal })
    made.close()
    control.abort()
    query.cancel()
    assert.deepEqual([query.outcome, cancelled, made.size], ['closed', [], 0])
  })

  it('tells the protocol whether anybody listens here', () => {
    for (const isHeard of [true, false]) {
      const { made, requests } = querying(isHeard)
      made.ask('load', undefined, {})
      assert.equal(requests[0]?.isHeard, isHeard)
    }
  })

  it('cancelled, it lets the protocol go', () => {
    const { made, cancelled } = querying()
    made.ask('load', undefined, {}).cancel()
    assert.deepEqual([cancelled, made.size], [[1], 0])
  })

  it('closing ends all with what has come', async () => {
    const { made } = querying()
    const query = made.ask('load', undefined, {})
    made.told({ type: 'query-response', ltime: 1, from: 'm-2', payload: Uint8Array.of() })
    made.close()
    assert.equal((await query.collect()).length, 1)
    assert.equal(query.outcome, 'closed')
    query.cancel()
  })
})

describe('the event', () => {
  it('says who asks what, and how long there is for an answer', () => {
    const { made } = querying()
    const { name, from, ltime, deadlineMs, payload, unpack } = made.eventOf(received())
    assert.deepEqual([name, from, ltime, deadlineMs, [...payload], unpack()], ['load', 'm-2', 5, 2500, [42], 42])
    assert.equal(made.eventOf(received({ deadline: 900 })).deadlineMs, 0)
  })

  it('of an asker that tells no name has that of the member at its address, or the address', () => {
    const { made } = querying()
    assert.equal(made.eventOf(received({ source: '' })).from, 'old')
    const address = new Address(Uint8Array.of(10, 0, 0, 3), 7946)
    assert.equal(made.eventOf(received({ source: '', address })).from, '10.0.0.3:7946')
  })

  it('answers with bytes, text, a structure, or nothing', () => {
    const { made, responses } = querying()
    const event = made.eventOf(received())
    for (const payload of [Uint8Array.of(1), 'a', { a: 1 }, undefined]) event.respond(payload)
    assert.deepEqual(
      responses.map((bytes) => [...bytes]),
      [[1], [0x61], [0x81, 0xa1, 0x61, 1], []],
    )
    assert.throws(() => event.respond(Symbol('x') as unknown as string), OptionsError)
  })

  it('what the protocol refuses is thrown to whoever answers', () => {
    const command = <Result>(call: (serf: Serf, now: number) => Result): Result =>
      call(
        {
          members: () => [],
          respond() {
            throw new SizeError('response', 2, 1)
          },
        } as unknown as Serf,
        0,
      )
    assert.throws(
      () => new Querying({ command, commandSoon: command }, () => true).eventOf(received()).respond('x'),
      SizeError,
    )
  })
})
