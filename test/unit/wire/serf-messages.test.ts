import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { DecodeError } from '../../../src/base/errors.ts'
import { bytesOrNull, list, mapOf, nullable, Reader, struct, text, uint64, written } from '../../../src/wire/msgpack.ts'
import { decodeSerfMessage, encodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import type { SerfMessage, SerfPushPull } from '../../../src/wire/types.ts'
import { serfMessages } from './arbitraries.ts'
import type { Fields } from './vectors.ts'
import { fromHex, serfMessageOf, Tally, toHex, vectorsOf } from './vectors.ts'

/** The push/pull with every slot of the ring, nil ones too, and with the names of the wire. */
const ring = struct<Fields>(() => ({}), [
  ['LTime', 'LTime', uint64],
  ['StatusLTimes', 'StatusLTimes', nullable(mapOf(uint64))],
  ['LeftMembers', 'LeftMembers', nullable(list(text))],
  ['EventLTime', 'EventLTime', uint64],
  [
    'Events',
    'Events',
    nullable(
      list(
        nullable(
          struct<Fields>(() => ({}), [
            ['LTime', 'LTime', uint64],
            [
              'Events',
              'Events',
              list(
                struct<Fields>(() => ({}), [
                  ['Name', 'Name', text],
                  ['Payload', 'Payload', bytesOrNull],
                ] as never),
              ),
            ],
          ] as never),
        ),
      ),
    ),
  ],
  ['QueryLTime', 'QueryLTime', uint64],
] as never)

describe('golden vectors of Serf messages', () => {
  test('every message decodes to its stated value, and encodes to its bytes', (t) => {
    const tally = new Tally()
    for (const { name, bytes, hex, decoded, encode } of vectorsOf('serf-messages')) {
      const fields = decoded as Fields
      const wanted = serfMessageOf(fields)
      assert.deepEqual(decodeSerfMessage(bytes), wanted, name)
      tally.add('decoded')
      const hasNilSlots = wanted.type === 'push-pull' && (fields.Events as unknown[] | null)?.includes(null)
      if (hasNilSlots) {
        // We drop empty slots, so the bytes come back only from the raw ring.
        const raw = ring.decode(new Reader(bytes, 1))
        if (encode === 'exact') assert.equal(toHex(written((writer) => ring.encode(writer, raw))), hex.slice(2), name)
        assert.deepEqual(decodeSerfMessage(encodeSerfMessage(wanted)), wanted, name)
        tally.add(`${encode}, as a raw ring`)
      } else if (encode === 'exact') {
        assert.equal(toHex(encodeSerfMessage(wanted)), hex, name)
        assert.equal(toHex(encodeSerfMessage(decodeSerfMessage(bytes))), hex, `${name}, from what was read`)
        tally.add('exact')
      } else {
        assert.deepEqual(decodeSerfMessage(encodeSerfMessage(wanted)), wanted, name)
        tally.add('semantic')
      }
    }
    t.diagnostic(JSON.stringify(tally.counts))
    assert.deepEqual(tally.counts, {
      decoded: 70,
      exact: 59,
      semantic: 6,
      'exact, as a raw ring': 3,
      'semantic, as a raw ring': 2,
    })
  })
})

describe('Serf messages', () => {
  test('what is encoded decodes to the same message', () => {
    fc.assert(
      fc.property(serfMessages, (message) => {
        assert.deepEqual(decodeSerfMessage(encodeSerfMessage(message)), message)
      }),
    )
  })

  test('random and mutated bytes end in a message or a DecodeError, never in anything else', () => {
    const mutated = fc
      .tuple(serfMessages, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
      .map(([message, edits]) => {
        const bytes = encodeSerfMessage(message)
        for (const [at, value] of edits) bytes[at % bytes.length] = value
        return bytes
      })
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 64 })), (bytes) => {
        try {
          decodeSerfMessage(bytes)
        } catch (error) {
          assert.ok(error instanceof DecodeError, String(error))
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('a status time keeps its 64 bits, and a member called __proto__ is a key like any other', () => {
    const message = decodeSerfMessage(fromHex('0281ac5374617475734c54696d657381a95f5f70726f746f5f5fcfffffffffffffffff'))
    assert.ok(message.type === 'push-pull')
    assert.deepEqual([...message.statusLtimes], [['__proto__', 2n ** 64n - 1n]])
  })

  describe('a name that is not UTF-8', () => {
    const state: SerfPushPull = {
      type: 'push-pull',
      ltime: 9,
      statusLtimes: new Map([
        ['a', 1],
        ['@', 2],
        ['c', 3],
      ]),
      leftMembers: ['@', 'c', 'd@d'],
      eventLtime: 4,
      events: [
        {
          ltime: 5,
          events: [
            { name: '@', payload: Uint8Array.of(1) },
            { name: 'deploy', payload: Uint8Array.of(2) },
          ],
        },
      ],
      queryLtime: 6,
    }
    /** Every `@` becomes a byte that no text has. */
    const broken = (message: SerfMessage): Uint8Array =>
      encodeSerfMessage(message).map((byte) => (byte === 0x40 ? 0xff : byte))

    test('is left out of a push/pull, and the others stay', () => {
      assert.deepEqual(decodeSerfMessage(broken(state)), {
        ...state,
        statusLtimes: new Map([
          ['a', 1],
          ['c', 3],
        ]),
        leftMembers: ['c'],
        events: [{ ltime: 5, events: [{ name: 'deploy', payload: Uint8Array.of(2) }] }],
      })
    })

    test('is forgiven 1,024 times in one message, wherever they stand, and no more', () => {
      const names = (count: number): string[] => Array.from({ length: count }, () => '@')
      const found = decodeSerfMessage(broken({ ...state, leftMembers: names(1022) }))
      assert.deepEqual(found.type === 'push-pull' && found.leftMembers, [])
      assert.throws(() => decodeSerfMessage(broken({ ...state, leftMembers: names(1023) })), DecodeError)
    })

    test('does not excuse a time that is none', () => {
      // {StatusLTimes: {"\xff": false}}
      assert.throws(() => decodeSerfMessage(fromHex('0281ac5374617475734c54696d657381a1ffc2')), DecodeError)
    })

    test('refuses every other message', () => {
      const tags = new Map([['@', 'b']])
      const member = { name: 'a', addr: Uint8Array.of(1, 2, 3, 4), port: 1, status: 1, vsn: new Uint8Array(6) }
      const others: readonly SerfMessage[] = [
        { type: 'leave', ltime: 1, node: '@', prune: false },
        { type: 'conflict-response', member: { ...member, tags } },
        { type: 'key-response', result: true, message: '', keys: ['@'], primaryKey: '' },
      ]
      for (const message of others) assert.throws(() => decodeSerfMessage(broken(message)), DecodeError, message.type)
    })
  })

  test('a query or relay to an address that is none is refused', () => {
    assert.throws(() => decodeSerfMessage(fromHex('0481a441646472a3010203')), DecodeError)
    assert.throws(() => decodeSerfMessage(fromHex('0981a8446573744164647281a24950a3010203')), DecodeError)
  })

  test('nothing, and a type that nobody assigned, are refused', () => {
    assert.throws(() => decodeSerfMessage(fromHex('')), DecodeError)
    assert.throws(() => decodeSerfMessage(fromHex('0a80')), DecodeError)
  })
})
