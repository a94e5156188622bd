// The bound codec: what it adds to wire/ is the reading of options and fresh nonces. The layers themselves are tested there.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DecodeError, DecryptError, OptionsError, SizeError } from '../../../src/base/errors.ts'
import {
  decodePacket,
  decodeStream,
  type EncodePacketOptions,
  encodePacket,
  encodeStream,
  streamReader,
} from '../../../src/node/wire-tools.ts'
import type { PacketMessage, StreamMessage } from '../../../src/wire/types.ts'
import { type Fields, vectorsOf } from '../wire/vectors.ts'

const KEY = 'T9jncgl9mbLus+baTTa7q7nPSUrXwbDi2dhbtqir37s='
const OTHER_KEY = 'HvY8ubRZMgafUOWvrOadwOckVa1wN3QWAo46FVKbVN8='
const KEY_BYTES = new Uint8Array(Buffer.from(KEY, 'base64'))
const PING: PacketMessage = {
  type: 'ping',
  seqNo: 7,
  node: 'log-1',
  sourceAddr: Uint8Array.of(127, 0, 0, 1),
  sourcePort: 7946,
  sourceNode: 'log-2',
}
const SUSPECT: PacketMessage = { type: 'suspect', incarnation: 3, node: 'log-3', from: 'log-2' }
const STREAM_MESSAGES: readonly StreamMessage[] = [
  { type: 'ack', seqNo: 7, payload: null },
  { type: 'user', payload: Uint8Array.of(1, 2, 3) },
  { type: 'error', error: 'no' },
  { type: 'push-pull', join: true, members: [], userState: Uint8Array.of(9) },
]

function messagesOf(packet: Uint8Array, options?: Parameters<typeof decodePacket>[1]): PacketMessage[] {
  return decodePacket(packet, options).messages.map(({ message }) => message)
}

describe('packets', () => {
  test('without options, messages come back as they went in', () => {
    assert.deepEqual(messagesOf(encodePacket([PING, SUSPECT])), [PING, SUSPECT])
  })

  test('a key is base64 or bytes, and any key of the ring opens', () => {
    const packet = encodePacket([PING], { keyring: [KEY] })
    assert.deepEqual(messagesOf(packet, { keyring: [KEY_BYTES] }), [PING])
    const { layers } = decodePacket(packet, { keyring: [OTHER_KEY, KEY] })
    assert.deepEqual(layers, [{ kind: 'encrypt', version: 1, keyIndex: 1 }])
  })

  test('the first key of the ring encrypts', () => {
    const packet = encodePacket([PING], { keyring: [OTHER_KEY, KEY] })
    assert.deepEqual(messagesOf(packet, { keyring: [OTHER_KEY] }), [PING])
    assert.throws(() => decodePacket(packet, { keyring: [KEY] }), DecryptError)
  })

  test('every layer that was asked for is there, outermost first', () => {
    const all = { keyring: [KEY], label: 'blue' }
    const messages = [PING, PING, PING, PING]
    const packet = encodePacket(messages, { ...all, compress: true, crc: true, encryptionVersion: 0 })
    const { layers } = decodePacket(packet, all)
    assert.deepEqual(
      layers.map(({ kind }) => kind),
      ['label', 'encrypt', 'crc', 'compress', 'compound'],
    )
    assert.deepEqual(messagesOf(packet, all), messages)
  })

  test('bytes stand for a message as they are', () => {
    const [leaf] = decodePacket(encodePacket([SUSPECT])).messages
    assert.deepEqual(encodePacket([PING, leaf!.bytes]), encodePacket([PING, SUSPECT]))
  })

  test('a nonce is fresh each time, unless it is given', () => {
    const nonce = new Uint8Array(12).fill(5)
    const fixed = { keyring: [KEY], nonce }
    assert.deepEqual(encodePacket([PING], fixed), encodePacket([PING], fixed))
    assert.notDeepEqual(encodePacket([PING], { keyring: [KEY] }), encodePacket([PING], { keyring: [KEY] }))
  })

  test('a label of another cluster, or none, is a DecodeError', () => {
    const packet = encodePacket([PING], { label: 'blue' })
    assert.throws(() => decodePacket(packet), DecodeError)
    assert.throws(() => decodePacket(packet, { label: 'green' }), DecodeError)
  })

  test('every encrypted golden packet opens with its key and label', () => {
    let opened = 0
    for (const { name, bytes, params, decoded } of vectorsOf('memberlist-packets')) {
      if (!(params.key instanceof Uint8Array)) continue
      const options = { keyring: [params.key], ...(typeof params.label === 'string' && { label: params.label }) }
      const { messages } = decodePacket(bytes, options)
      assert.deepEqual(
        messages.map((leaf) => leaf.bytes),
        (decoded as Fields).messages,
        name,
      )
      opened++
    }
    assert.ok(opened >= 5, `only ${opened} encrypted vectors`)
  })
})

describe('streams', () => {
  for (const role of ['dialler', 'listener'] as const) {
    const otherSide = { role: role === 'dialler' ? 'listener' : 'dialler' } as const
    for (const message of STREAM_MESSAGES) {
      test(`${message.type} from a ${role} comes back, bare and with every layer`, () => {
        assert.deepEqual(decodeStream(encodeStream(message, { role }), otherSide), message)
        const all = { keyring: [KEY], label: 'blue' }
        const bytes = encodeStream(message, { ...all, role, compress: true })
        assert.deepEqual(decodeStream(bytes, { ...all, ...otherSide }), message)
      })
    }
  }

  test('a stream may come byte by byte', () => {
    const options = { keyring: [KEY], label: 'blue' }
    const reader = streamReader({ ...options, role: 'listener' })
    const results = [...encodeStream(STREAM_MESSAGES[1]!, { ...options, role: 'dialler' })].map((byte) =>
      reader.push(Uint8Array.of(byte)),
    )
    assert.deepEqual(results.pop(), { message: STREAM_MESSAGES[1] })
    assert.ok(results.every((result) => result === undefined))
  })

  test('a stream that ends too soon is a DecodeError', () => {
    const bytes = encodeStream(STREAM_MESSAGES[1]!, { role: 'dialler' })
    assert.throws(() => decodeStream(bytes.subarray(0, -1), { role: 'listener' }), DecodeError)
  })
})

describe('options', () => {
  test('callers without types that forget the options are told so', () => {
    const calls: ((options: never) => unknown)[] = [
      (options) => decodePacket(new Uint8Array(1), options),
      (options) => encodePacket([Uint8Array.of(1)], options),
      (options) => decodeStream(new Uint8Array(1), options),
      (options) => streamReader(options),
      (options) => encodeStream(Uint8Array.of(1), options),
    ]
    for (const call of calls) {
      for (const options of [null, 'dialler', []]) {
        assert.throws(() => call(options as never), { code: 'ERR_OPTIONS', option: 'options' })
      }
    }
    for (const call of calls.slice(2)) {
      assert.throws(() => call(undefined as never), { code: 'ERR_OPTIONS', option: 'options' })
    }
  })

  const wrong: readonly (readonly [string, () => unknown, string])[] = [
    ['no message', () => encodePacket([]), 'messages'],
    ['128 messages', () => encodePacket(Array.from({ length: 128 }, () => SUSPECT)), 'messages'],
    ['a short key', () => decodePacket(new Uint8Array(1), { keyring: ['c2hvcnQ='] }), 'keyring[0]'],
    ['a key that is no base64', () => decodePacket(new Uint8Array(1), { keyring: [KEY, '***'] }), 'keyring[1]'],
    ['an empty keyring', () => encodePacket([PING], { keyring: [] }), 'keyring'],
    ['a label of 256 bytes', () => encodePacket([PING], { label: 'é'.repeat(128) }), 'label'],
    ['a nonce of 11 bytes', () => encodePacket([PING], { keyring: [KEY], nonce: new Uint8Array(11) }), 'nonce'],
  ]
  /** What only a caller without types can do. */
  const packetOf = (message: unknown): Uint8Array => encodePacket([SUSPECT, message as PacketMessage])
  const packetWith = (options: unknown): Uint8Array => encodePacket([PING], options as EncodePacketOptions)
  const streamOf = (message: unknown, role: unknown = 'dialler'): Uint8Array =>
    encodeStream(message as StreamMessage, { role: role as 'dialler' })
  const badFields: typeof wrong = [
    ['a seqNo of 2^32', () => packetOf({ ...PING, seqNo: 2 ** 32 }), 'messages[1].seqNo'],
    ['a fractional seqNo', () => packetOf({ ...PING, seqNo: 1.5 }), 'messages[1].seqNo'],
    ['a negative seqNo', () => streamOf({ ...PING, seqNo: -1 }), 'message.seqNo'],
    ['no seqNo', () => packetOf({ ...PING, seqNo: undefined }), 'messages[1].seqNo'],
    ['an address of 5 bytes', () => packetOf({ ...PING, sourceAddr: new Uint8Array(5) }), 'messages[1].sourceAddr'],
    ['an unknown type', () => packetOf({ type: 'pong', seqNo: 1 }), 'messages[1].type'],
    ['a type like a method', () => packetOf({ type: 'constructor' }), 'messages[1].type'],
    ['a push/pull in a packet', () => packetOf(STREAM_MESSAGES[3]), 'messages[1].type'],
    ['an error in a packet', () => packetOf(STREAM_MESSAGES[2]), 'messages[1].type'],
    ['a suspicion on a stream', () => streamOf(SUSPECT), 'message.type'],
    ['text for a message', () => packetOf('ping'), 'messages[1]'],
    ['a message of no bytes', () => packetOf(new Uint8Array()), 'messages[1]'],
    ['a hole for a message', () => encodePacket(new Array(2)), 'messages[0]'],
    ['no list of messages', () => encodePacket(PING as never), 'messages'],
    ['a stream of no bytes', () => streamOf(new Uint8Array()), 'message'],
    ['a third role', () => streamOf(STREAM_MESSAGES[0], 'client'), 'role'],
    ['a third role to read', () => streamReader({ role: 'client' as 'dialler' }), 'role'],
    ['encryption version 2', () => packetWith({ encryptionVersion: 2 }), 'encryptionVersion'],
    ['a nonce as text', () => packetWith({ keyring: [KEY], nonce: '123456789012' }), 'nonce'],
    ['a number for a key', () => packetWith({ keyring: [16] }), 'keyring[0]'],
    ['a key without a list', () => packetWith({ keyring: KEY }), 'keyring'],
    ['a number for a label', () => packetWith({ label: 7 }), 'label'],
    ['text for a switch', () => packetWith({ crc: 'no' }), 'crc'],
    ['a number for a switch', () => packetWith({ compress: 1 }), 'compress'],
  ]

  test('a message of 65,535 bytes is allowed, and one byte more is a SizeError', () => {
    const user = (bytes: number): PacketMessage => ({ type: 'user', payload: new Uint8Array(bytes) })
    assert.deepEqual(messagesOf(encodePacket([user(65_534), PING])), [user(65_534), PING])
    for (const messages of [[user(65_535)], [PING, user(65_535)], [PING, new Uint8Array(65_536)]]) {
      assert.throws(
        () => encodePacket(messages),
        (error) => error instanceof SizeError && error.usedBytes === 65_536 && error.allowedBytes === 65_535,
      )
    }
  })

  test('a stream that nobody would read to its end is a SizeError', () => {
    const payload = new Uint8Array(20 * 2 ** 20 + 1)
    assert.throws(() => encodeStream({ type: 'user', payload }, { role: 'dialler' }), SizeError)
    assert.throws(() => encodeStream(new Uint8Array(21 * 2 ** 20), { role: 'dialler' }), SizeError)
  })

  for (const [what, attempt, option] of [...wrong, ...badFields]) {
    test(`${what} is an OptionsError that names ${option}`, () => {
      assert.throws(attempt, (error) => error instanceof OptionsError && error.option === option)
    })
  }

  test('a label of 255 bytes and 127 messages are allowed', () => {
    const label = 'a'.repeat(255)
    const messages = Array.from({ length: 127 }, () => SUSPECT)
    assert.equal(messagesOf(encodePacket(messages, { label }), { label }).length, 127)
  })

  test('an error never shows a key', () => {
    assert.throws(
      () => decodePacket(new Uint8Array(1), { keyring: [`${KEY}AAAA`] }),
      (error) => error instanceof OptionsError && !error.message.includes(KEY),
    )
  })
})

describe('options that are misspelt', () => {
  test('are an OptionsError that names them and hides what may be a key; those of other calls are let be', () => {
    const wrong = { keyrng: [KEY] } as never
    for (const attempt of [
      () => decodePacket(encodePacket([PING]), wrong),
      () => encodePacket([PING], wrong),
      () => encodeStream(PING, { role: 'dialler', ...(wrong as object) }),
      () => streamReader({ role: 'dialler', ...(wrong as object) }),
    ]) {
      assert.throws(attempt, { code: 'ERR_OPTIONS', option: 'keyrng', value: '(hidden)' })
    }
    const shared = { keyring: [KEY], label: 'blue', compress: true, crc: true, role: 'dialler' } as const
    assert.deepEqual(messagesOf(encodePacket([PING], shared), shared), [PING])
  })
})
