// The rules judge what the encoders would: all that decodes passes, and nothing that passes breaks an encoder.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { OptionsError, SizeError } from '../../../src/base/errors.ts'
import {
  encodeCoordinate,
  encodePushPull,
  encodeSerfMessage,
  encodeStreamUser,
  encodeSwimMessage,
  encodeTags,
} from '../../../src/wire/checked.ts'
import { decodeCoordinate } from '../../../src/wire/coordinate.ts'
import { packetMessage, serfMessage, streamMessage } from '../../../src/wire/message-rules.ts'
import type { SerfMessage } from '../../../src/wire/types.ts'
import { packetMessages, pushPulls, serfMessages } from './arbitraries.ts'

/** Anything a caller without types may give as one field. */
const anything = fc.oneof(
  fc.anything(),
  fc.constantFrom<unknown>(-1, 1.5, 2 ** 32, 2 ** 53, -(2n ** 63n) - 1n, 2n ** 64n, '\ud800', Number.NaN),
  fc.uint8Array({ maxLength: 20 }),
)

/** A message with one field replaced, wherever it stands. */
function spoiled(message: object, path: readonly number[], value: unknown): unknown {
  const [first = 0, ...rest] = path
  const keys = Object.keys(message)
  const key = keys[first % keys.length] as string
  const held = (message as Record<string, unknown>)[key]
  const isDeep = Array.isArray(held) && held.length > 0 && typeof held[0] === 'object' && rest.length > 0
  return { ...message, [key]: isDeep ? [spoiled(held[0], rest, value), ...held.slice(1)] : value }
}

describe('message rules', () => {
  test('every message that decodes is let through', () => {
    fc.assert(fc.property(packetMessages, (message) => packetMessage('message', message)))
    fc.assert(fc.property(pushPulls, (message) => streamMessage('message', message)))
    fc.assert(fc.property(serfMessages, (message) => serfMessage('message', message)))
  })

  test('whatever stands in a field, an encoder gives bytes, or an error that names what was given', () => {
    const encoders: readonly (readonly [fc.Arbitrary<object>, (message: never) => Uint8Array])[] = [
      [packetMessages, encodeSwimMessage],
      [pushPulls, encodePushPull],
      [serfMessages, encodeSerfMessage],
    ]
    for (const [messages, encode] of encoders) {
      const cases = fc.tuple(messages, fc.array(fc.nat(20), { minLength: 1, maxLength: 3 }), anything)
      fc.assert(
        fc.property(cases, ([message, path, value]) => {
          try {
            encode(spoiled(message, path, value) as never)
          } catch (error) {
            assert.ok(error instanceof OptionsError && error.option.startsWith('message'), String(error))
          }
        }),
        { numRuns: 1000 },
      )
    }
  })

  const member = { name: 'a', addr: Uint8Array.of(1, 2, 3, 4), port: 1, tags: new Map(), status: 1 }
  const wrong: readonly (readonly [what: string, message: unknown, option: string, limit: RegExp])[] = [
    [
      'a status time',
      { type: 'push-pull', ltime: 0, statusLtimes: new Map([['b', -1]]) },
      'statusLtimes["b"]',
      /from 0/,
    ],
    ['a relay to port 65,536', { ...relayTo(Uint8Array.of(1, 2, 3, 4)), destPort: 65_536 }, 'destPort', /0 to 65535/],
    ['a relay to 5 bytes', relayTo(new Uint8Array(5)), 'destAddr', /4 or 16 bytes/],
    [
      'seven versions',
      { type: 'conflict-response', member: { ...member, vsn: new Uint8Array(7) } },
      'member.vsn',
      /at most 6 bytes/,
    ],
    ['half a surrogate pair', { type: 'join', ltime: 1, node: 'a\udc00' }, 'node', /well-formed/],
    ['a number beyond 2^53', { type: 'join', ltime: 2 ** 53, node: 'a' }, 'ltime', /bigint/],
    ['no message', null, '', /a message/],
    ['a type of another family', { type: 'ping' }, 'type', /leave, join, /],
  ]
  for (const [what, message, field, limit] of wrong) {
    test(`Serf: ${what} is an OptionsError that names the place`, () => {
      assert.throws(
        () => encodeSerfMessage(message as SerfMessage),
        (error) => {
          assert.ok(error instanceof OptionsError, String(error))
          assert.equal(error.option, field === '' ? 'message' : `message.${field}`)
          assert.match(error.limit, limit)
          return true
        },
      )
    })
  }

  test('a user message or state above 20 MiB is a SizeError', () => {
    const payload = new Uint8Array(20 * 2 ** 20 + 1)
    assert.throws(() => encodeStreamUser({ type: 'user', payload }), SizeError)
    assert.throws(() => encodePushPull({ type: 'push-pull', join: false, members: [], userState: payload }), SizeError)
  })

  test('a coordinate is made of numbers', () => {
    const value = { vector: [0, Number.NaN], error: 1.5, adjustment: 0, height: 1e-5 }
    assert.deepEqual(decodeCoordinate(encodeCoordinate(value)), value)
    for (const [option, wrong] of [
      ['value.vector[0]', { ...value, vector: ['0'] }],
      ['value.vector', { ...value, vector: new Array(4097).fill(0) }],
      ['value.height', { ...value, height: 1n }],
      ['value', null],
    ] as const) {
      assert.throws(
        () => encodeCoordinate(wrong as never),
        (error) => error instanceof OptionsError && error.option === option,
      )
    }
  })

  test('tags are text', () => {
    assert.throws(
      () => encodeTags({ role: 7 } as never),
      (error) => error instanceof OptionsError && error.option === 'tags.role',
    )
    assert.throws(() => encodeTags(undefined as never), OptionsError)
    assert.equal(encodeTags({ role: 'log' })[0], 0xff)
  })
})

function relayTo(destAddr: Uint8Array): object {
  return { type: 'relay', destAddr, destPort: 1, destZone: '', destName: '', message: new Uint8Array() }
}
