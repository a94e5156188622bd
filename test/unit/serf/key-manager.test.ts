// What one member does on a key query: Go's answers, and what Go does not do. serf-behaviour §33, wire-protocol §10.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { NO_BYTES } from '../../../src/base/bytes.ts'
import { keysStored, MAX_INSTALLED_KEYS, MAX_WAITING_CHANGES, receiveKeyQuery } from '../../../src/serf/key-manager.ts'
import type { KeyAsker, KeyOperation } from '../../../src/serf/key-state.ts'
import { parseKeyringFile } from '../../../src/serf/keyring-file.ts'
import type { SerfNotice } from '../../../src/serf/notices.ts'
import type { SerfState } from '../../../src/serf/state.ts'
import { Outbox } from '../../../src/swim/outbox.ts'
import { formatKey, Keyring } from '../../../src/wire/keyring.ts'
import { decodeSerfMessage, encodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import type { SerfKeyResponse, SerfQuery, SerfQueryResponse } from '../../../src/wire/types.ts'
import { type Fields, vectorsOf } from '../wire/vectors.ts'

const key = (number: number): Uint8Array => new Uint8Array(16).fill(number)
const request = (bytes: Uint8Array): Uint8Array => encodeSerfMessage({ type: 'key-request', key: bytes })

/** A member with these keys, the first primary. `limit`: bytes that the payload of an answer may have. */
function member(held: readonly Uint8Array[] | undefined, { hasFile = false, isStaged = false, limit = 900 } = {}) {
  const keyring = held && new Keyring(held)
  const outbox = new Outbox<SerfNotice>()
  const keys: SerfState['keys'] = { keyring, isStaged, hasFile, waiting: [], isWriting: false }
  const answers: Uint8Array[] = []
  const asker: KeyAsker = {
    fits: (payload) => payload.length <= limit,
    answer: (payload) => void answers.push(payload),
  }
  const notices = (): SerfNotice[] =>
    outbox.take().flatMap((effect) => (effect.kind === 'notify' ? [effect.notice] : []))
  return {
    keyring,
    answers,
    ask: (operation: KeyOperation, payload: Uint8Array) =>
      receiveKeyQuery({ keys, outbox }, operation, payload, asker, 1),
    stored: (error?: string) => keysStored({ keys, outbox }, error, 2),
    /** What was answered since the last call. */
    answered: (): string[] => answers.splice(0).map((payload) => said(payload)),
    notices,
    /** What is to be written since the last call: the keys by their first byte. */
    written: (): number[][] =>
      notices().flatMap((notice) => (notice.type === 'store-keys' ? [firstBytes(parseKeyringFile(notice.bytes))] : [])),
    held: (): number[] => firstBytes(keyring as Keyring),
  }
}

function firstBytes(keyring: Keyring): number[] {
  return keyring.keys.map(([first]) => first as number)
}

function read(payload: Uint8Array): SerfKeyResponse {
  const message = decodeSerfMessage(payload)
  assert.ok(message.type === 'key-response')
  return message
}

function said(payload: Uint8Array): string {
  const { result, message } = read(payload)
  return result ? 'done' : message
}

describe('golden vectors of key queries', () => {
  const cases = vectorsOf('serf-behaviour').filter(({ name }) => /^internal-(install|use|remove|list)-key/.test(name))

  it('while plain messages are taken or sent, keys are neither told nor changed', () => {
    const { ask, answers, held, notices } = member([key(1)], { isStaged: true, hasFile: true })
    for (const operation of ['list', 'install', 'use', 'remove'] as const) {
      ask(operation, request(key(2)))
      const { result, message, keys, primaryKey } = read(answers.pop() as Uint8Array)
      assert.deepEqual([result, keys.length, primaryKey], [false, 0, ''], operation)
      assert.match(message, /verifyIncoming/)
    }
    assert.deepEqual([held(), notices()], [[1], []])
  })

  it('there are some of each', () => {
    assert.ok(cases.length >= 13, `${cases.length}`)
  })

  for (const { name, bytes, params, expect } of cases) {
    it(`${name}: the answer says what Go's does`, () => {
      const query = decodeSerfMessage(bytes) as SerfQuery
      const operation = /^_serf_(install|use|remove|list)-key/.exec(query.name)?.[1] as KeyOperation
      const { ask, answers } = member(params.keyring as Uint8Array[] | undefined)
      ask(operation, query.payload)
      const go = (expect.go ?? expect.go_new) as { sent: { plain: Uint8Array }[] }
      const [sent] = go.sent as unknown as [{ plain: Uint8Array } & Fields]
      // As a user message: one byte of memberlist's in front.
      const response = decodeSerfMessage(sent.plain[0] === 8 ? sent.plain.subarray(1) : sent.plain) as SerfQueryResponse
      // Go tells no keys by nil, we by a list of none; both read both.
      assert.deepEqual(answers.map(read), [read(response.payload)])
    })
  }
})

describe('serf-behaviour §33: a change of keys', () => {
  it('installs behind the others, makes primary, and removes what is not; each again does nothing', () => {
    const us = member([key(1)])
    const steps: readonly (readonly [KeyOperation, number, number[]])[] = [
      ['install', 2, [1, 2]],
      ['install', 2, [1, 2]],
      ['use', 2, [2, 1]],
      ['use', 2, [2, 1]],
      ['remove', 1, [2]],
      ['remove', 1, [2]],
    ]
    for (const [operation, number, held] of steps) {
      us.ask(operation, request(key(number)))
      assert.deepEqual([us.answered(), us.held()], [['done'], held])
    }
    assert.deepEqual(us.notices(), [])
  })

  it('SF-91: to a key that is not there is refused, and nothing changes', () => {
    const us = member([key(1), key(2)])
    us.ask('use', request(key(3)))
    assert.deepEqual(us.answered(), ['requested key is not in the keyring'])
    assert.deepEqual(us.held(), [1, 2])
  })

  it('SF-92: that removes the primary is refused, and nothing changes', () => {
    const us = member([key(1), key(2)])
    us.ask('remove', request(key(1)))
    assert.deepEqual(us.answered(), ['removing the primary key is not allowed'])
    assert.deepEqual(us.held(), [1, 2])
  })

  it('without encryption is refused: the first key is never installed from afar', () => {
    const us = member(undefined)
    for (const operation of ['install', 'use', 'remove'] as const) us.ask(operation, request(key(1)))
    assert.deepEqual(us.answered(), new Array(3).fill('No keyring to modify (encryption not enabled)'))
    us.ask('list', request(NO_BYTES))
    assert.deepEqual(us.answered(), ['Keyring is empty (encryption not enabled)'])
  })

  it('fills the keyring to a bound; what it holds already is no new key', () => {
    const many = Array.from({ length: MAX_INSTALLED_KEYS }, (_, at) => key(at))
    const us = member(many)
    us.ask('install', request(key(200)))
    us.ask('install', request(key(7)))
    assert.deepEqual(us.answered(), ['the keyring is full', 'done'])
    assert.equal(us.keyring?.inOrder.length, MAX_INSTALLED_KEYS)
  })
})

describe('SF-93: a key query that holds none', () => {
  for (const [what, payload] of [
    ['nothing', NO_BYTES],
    ['a type alone', Uint8Array.of(7)],
    ['a number in place of a struct', Uint8Array.of(7, 5)],
    ['another message', encodeSerfMessage({ type: 'join', ltime: 1, node: 'x' })],
    ['half a key', request(key(1)).subarray(0, 12)],
  ] as const) {
    it(`SF-93: of ${what} is answered with a no, and is a warning`, () => {
      for (const operation of ['install', 'use', 'remove'] as const) {
        const us = member([key(1)])
        us.ask(operation, payload)
        assert.deepEqual(us.answered(), ['Invalid key request payload'])
        assert.deepEqual(us.held(), [1])
        assert.deepEqual(
          us.notices().map((notice) => notice.type === 'warning' && notice.code),
          ['message-invalid'],
        )
      }
    })
  }

  it('SF-93: a list is given whatever the query holds', () => {
    const us = member([key(1)])
    us.ask('list', NO_BYTES)
    assert.deepEqual(us.answered(), ['done'])
  })

  it('SF-93: any bytes at all get one answer, and leave a keyring that works', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<KeyOperation>('install', 'use', 'remove', 'list'),
        fc.oneof(
          fc.uint8Array({ maxLength: 80 }),
          fc.uint8Array({ maxLength: 40 }).map(request),
          fc.uint8Array({ maxLength: 60 }).map((rest) => Uint8Array.of(7, 0x81, 0xa3, 0x4b, 0x65, 0x79, ...rest)),
        ),
        (operation, payload) => {
          const us = member([key(1), key(2)])
          us.ask(operation, payload)
          assert.equal(us.answers.length, 1)
          read(us.answers[0] as Uint8Array)
          assert.deepEqual(us.keyring?.primary, key(1))
          assert.ok(us.keyring?.keys.every(({ length }) => [16, 24, 32].includes(length)))
        },
      ),
    )
  })
})

describe('keys that a file holds too', () => {
  it('change, and are answered for, when the file is written and not before', () => {
    const us = member([key(1)], { hasFile: true })
    us.ask('install', request(key(2)))
    assert.deepEqual([us.answered(), us.held(), us.written()], [[], [1], [[1, 2]]])
    us.stored()
    assert.deepEqual([us.answered(), us.held(), us.written()], [['done'], [1, 2], []])
  })

  it('stay as they were where it cannot be written, with the reason as the answer and a warning', () => {
    const us = member([key(1), key(2)], { hasFile: true })
    us.ask('use', request(key(2)))
    us.notices()
    us.stored('no space left')
    assert.deepEqual(us.answered(), ['Failed to write keyring file: no space left'])
    assert.deepEqual(us.held(), [1, 2])
    const [warning, ...more] = us.notices()
    assert.ok(warning?.type === 'warning' && warning.code === 'keyring-unwritten' && more.length === 0)
  })

  it('change one after the other, each from what the one before left', () => {
    const us = member([key(1)], { hasFile: true })
    us.ask('install', request(key(2)))
    us.ask('use', request(key(2)))
    us.ask('use', request(key(9)))
    us.ask('remove', request(key(1)))
    assert.deepEqual(us.written(), [[1, 2]])
    us.stored()
    assert.deepEqual([us.answered(), us.written()], [['done'], [[2, 1]]])
    us.stored()
    assert.deepEqual(us.answered(), ['done', 'requested key is not in the keyring'])
    assert.deepEqual(us.written(), [[2]])
    us.stored()
    assert.deepEqual([us.answered(), us.held(), us.written()], [['done'], [2], []])
  })

  it('that could not be written do not count for the change behind it', () => {
    const us = member([key(1)], { hasFile: true })
    us.ask('install', request(key(2)))
    us.ask('use', request(key(2)))
    us.stored('read-only')
    assert.deepEqual(us.answered(), ['Failed to write keyring file: read-only', 'requested key is not in the keyring'])
    assert.deepEqual(us.held(), [1])
  })

  it('are written again also where nothing changes: the file may be gone', () => {
    const us = member([key(1)], { hasFile: true })
    us.ask('install', request(key(1)))
    assert.deepEqual(us.written(), [[1]])
  })

  it('are listed meanwhile, as they are', () => {
    const us = member([key(1)], { hasFile: true })
    us.ask('install', request(key(2)))
    us.ask('list', NO_BYTES)
    assert.deepEqual(read(us.answers[0] as Uint8Array).keys, [formatKey(key(1))])
  })

  it('are waited for by so many and no more', () => {
    const us = member([key(1)], { hasFile: true })
    for (let number = 0; number < MAX_WAITING_CHANGES; number++) us.ask('install', request(key(2)))
    assert.deepEqual(us.answered(), [])
    us.ask('install', request(key(2)))
    assert.deepEqual(us.answered(), [`${MAX_WAITING_CHANGES} changes of keys wait already`])
  })

  it('news of a file that nobody asked for changes nothing', () => {
    const us = member([key(1)], { hasFile: true })
    us.stored()
    us.stored('broken')
    assert.deepEqual([us.answered(), us.held(), us.notices()], [[], [1], []])
  })
})

describe('a list of keys', () => {
  it('that does not fit is cut as Go cuts it: as many as fit, with a note, and the primary all the same', () => {
    const held = Array.from({ length: 60 }, (_, at) => new Uint8Array(32).fill(at))
    for (const limit of [150, 400, 900, 901, 940, 1024]) {
      const us = member(held, { limit })
      us.ask('list', NO_BYTES)
      const [payload = NO_BYTES] = us.answers
      const { result, message, keys, primaryKey } = read(payload)
      assert.ok(payload.length <= limit && result)
      assert.equal(primaryKey, formatKey(held[0] as Uint8Array))
      assert.deepEqual(keys, held.slice(0, keys.length).map(formatKey))
      assert.equal(message, `truncated key list response, showing first ${keys.length} of 60 keys`)
      // Not one more would have fitted.
      const more = { keys: held.slice(0, keys.length + 1).map(formatKey), primaryKey, result }
      const note = `truncated key list response, showing first ${keys.length + 1} of 60 keys`
      assert.ok(encodeSerfMessage({ type: 'key-response', message: note, ...more }).length > limit)
    }
  })

  it('that fits is whole, and has no note', () => {
    const us = member([key(1), key(2)])
    us.ask('list', NO_BYTES)
    const answer = read(us.answers[0] as Uint8Array)
    assert.deepEqual([answer.keys, answer.message], [[formatKey(key(1)), formatKey(key(2))], ''])
  })
})
