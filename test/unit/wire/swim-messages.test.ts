import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { NO_BYTES, utf8 } from '../../../src/base/bytes.ts'
import { DecodeError } from '../../../src/base/errors.ts'
import type { Codec } from '../../../src/wire/msgpack.ts'
import { bool, int64, Reader, struct, written } from '../../../src/wire/msgpack.ts'
import {
  decodePacketMessage,
  encodePushPull,
  encodeStreamUser,
  encodeSwimMessage,
  StreamMessageReader,
} from '../../../src/wire/swim-messages.ts'
import type { Alive, PacketMessage, PushPull, StreamMessage } from '../../../src/wire/types.ts'
import { packetMessages, pushPulls } from './arbitraries.ts'
import type { Fields } from './vectors.ts'
import { fromHex, memberOf, swimMessageOf, Tally, toHex, vectorsOf } from './vectors.ts'

function readStream(bytes: Uint8Array): StreamMessage {
  const message = new StreamMessageReader().read(bytes, bytes.length, bytes.length)
  assert.ok(message !== undefined, 'the stream message is whole')
  return message
}

describe('golden vectors of memberlist messages', () => {
  const vectors = vectorsOf('memberlist-messages')

  test('every message decodes to its stated value, and encodes to its bytes', (t) => {
    const tally = new Tally()
    for (const vector of vectors.filter(({ layer }) => layer === 'memberlist-message')) {
      const wanted = swimMessageOf(vector.decoded as Fields)
      const found = wanted.type === 'error' ? readStream(vector.bytes) : decodePacketMessage(vector.bytes)
      assert.deepEqual(found, wanted, vector.name)
      tally.add('decoded')
      if (vector.encode !== 'exact') continue
      assert.equal(toHex(encodeSwimMessage(wanted)), vector.hex, vector.name)
      assert.equal(toHex(encodeSwimMessage(found as PacketMessage)), vector.hex, `${vector.name}, from what was read`)
      tally.add('exact')
    }
    t.diagnostic(JSON.stringify(tally.counts))
    assert.deepEqual(tally.counts, { decoded: 43, exact: 43 })
  })

  test('every header and member of a stream decodes to its stated value, and encodes to its bytes', (t) => {
    // The bare headers are no messages of their own: declared here once more, with the names of the wire.
    const headers: Record<string, Codec<Fields>> = {
      pushPullHeader: struct<Fields>(
        () => ({}),
        [
          ['Nodes', 'Nodes', int64],
          ['UserStateLen', 'UserStateLen', int64],
          ['Join', 'Join', bool],
        ],
      ) as Codec<Fields>,
      userMsgHeader: struct<Fields>(() => ({}), [['UserMsgLen', 'UserMsgLen', int64]]) as Codec<Fields>,
    }
    const tally = new Tally()
    for (const { name, bytes, hex, decoded, encode } of vectors.filter(({ layer }) => layer === 'msgpack-struct')) {
      const { type, ...fields } = decoded as Fields
      if (type === 'pushNodeState') {
        const wanted: PushPull = {
          type: 'push-pull',
          join: false,
          members: [memberOf(fields)],
          userState: new Uint8Array(),
        }
        const header = '0683a44a6f696ec2a54e6f64657301ac5573657253746174654c656e00'
        assert.deepEqual(readStream(fromHex(header + hex)), wanted, name)
        assert.equal(toHex(encodePushPull(wanted)), header + hex, name)
      } else {
        const codec = headers[type as string] as Codec<Fields>
        assert.deepEqual(codec.decode(new Reader(bytes)), fields, name)
        const encoded = written((writer) => codec.encode(writer, fields))
        if (encode === 'exact') assert.equal(toHex(encoded), hex, name)
        else assert.deepEqual(codec.decode(new Reader(encoded)), fields, name)
      }
      tally.add(`${type}, ${encode}`)
    }
    t.diagnostic(JSON.stringify(tally.counts))
    assert.deepEqual(tally.counts, {
      'pushPullHeader, exact': 1,
      'pushPullHeader, semantic': 4,
      'userMsgHeader, exact': 2,
      'userMsgHeader, semantic': 2,
      'pushNodeState, exact': 6,
    })
  })
})

describe('packet messages', () => {
  test('what is encoded decodes to the same message', () => {
    fc.assert(
      fc.property(packetMessages, (message) => {
        assert.deepEqual(decodePacketMessage(encodeSwimMessage(message)), message)
      }),
    )
  })

  test('random and mutated bytes end in a message or a DecodeError, never in anything else', () => {
    const mutated = fc
      .tuple(packetMessages, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat())
      .map(([message, edits, cut]) => {
        const bytes = encodeSwimMessage(message)
        for (const [at, value] of edits) bytes[at % bytes.length] = value
        return cut % 3 === 0 ? bytes.subarray(0, cut % (bytes.length + 1)) : bytes
      })
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 64 })), (bytes) => {
        try {
          decodePacketMessage(bytes)
        } catch (error) {
          assert.ok(error instanceof DecodeError, String(error))
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('a message keeps no memory of the packet it came in', () => {
    const bytes = encodeSwimMessage({ type: 'user', payload: Uint8Array.of(1, 2, 3) })
    const message = decodePacketMessage(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
    bytes.fill(9)
    assert.deepEqual(message, { type: 'user', payload: Uint8Array.of(1, 2, 3) })
  })

  test('an address of a length that is none is refused, wherever it stands', () => {
    const five = Uint8Array.of(1, 2, 3, 4, 5)
    const source = { sourceAddr: null, sourcePort: 0, sourceNode: '' }
    const empty = new Uint8Array()
    const refused: PacketMessage[] = [
      { type: 'alive', incarnation: 1, node: 'a', addr: five, port: 1, meta: empty, vsn: empty },
      { type: 'alive', incarnation: 1, node: 'a', addr: empty, port: 1, meta: empty, vsn: empty },
      { type: 'indirect-ping', seqNo: 1, target: five, port: 1, node: 'a', nack: false, ...source },
      { type: 'ping', seqNo: 1, node: 'a', ...source, sourceAddr: five },
    ]
    for (const message of refused) {
      assert.throws(() => decodePacketMessage(encodeSwimMessage(message)), DecodeError, message.type)
    }
  })

  test('a Vsn of one to five bytes is kept as it came', () => {
    const vsn = Uint8Array.of(1, 5, 2)
    const message: PacketMessage = {
      type: 'alive',
      incarnation: 1,
      node: 'a',
      addr: Uint8Array.of(127, 0, 0, 1),
      port: 1,
      meta: new Uint8Array(),
      vsn,
    }
    assert.deepEqual(decodePacketMessage(encodeSwimMessage(message)), message)
  })
})

describe('stream messages', () => {
  test('what is encoded decodes to the same push/pull', () => {
    fc.assert(
      fc.property(pushPulls, (message) => {
        assert.deepEqual(readStream(encodePushPull(message)), message)
      }),
    )
  })

  test('a user message goes with its length in front', () => {
    const payload = Uint8Array.of(3, 0, 255, 128, 129)
    const bytes = encodeStreamUser({ type: 'user', payload })
    assert.equal(toHex(bytes), '0881aa557365724d73674c656e050300ff8081')
    assert.deepEqual(readStream(bytes), { type: 'user', payload })
  })

  test('a member without an address is left out of a push/pull, and the others stay', () => {
    const good = memberOf({
      Name: 'a',
      Addr: fromHex('7f000001'),
      Port: 1,
      Meta: null,
      Incarnation: 1,
      State: 0,
      Vsn: null,
    })
    const message: PushPull = {
      type: 'push-pull',
      join: true,
      members: [{ ...good, name: 'b', addr: Uint8Array.of(1, 2, 3, 4, 5) }, good],
      userState: Uint8Array.of(1),
    }
    assert.deepEqual(readStream(encodePushPull(message)), { ...message, members: [good] })
  })

  describe('a member whose name is not UTF-8', () => {
    // Ordinary members whose names are overwritten with bytes that are no text.
    const pushPullOf = (names: readonly string[]): { message: PushPull; bytes: Uint8Array } => {
      const rest = { addr: Uint8Array.of(10, 0, 0, 1), port: 7946, meta: fromHex('ff80'), incarnation: 1, state: 0 }
      const members = names.map((name) => ({ name, ...rest, vsn: Uint8Array.of(1, 5, 2, 2, 5, 4) }))
      const message: PushPull = { type: 'push-pull', join: false, members, userState: Uint8Array.of(7) }
      const bytes = encodePushPull(message)
      for (let at = 0; at < bytes.length; at++) if (bytes[at] === 0x40) bytes[at] = 0xff
      return { message, bytes }
    }
    const without = (message: PushPull): PushPull => ({
      ...message,
      members: message.members.filter(({ name }) => !name.includes('@')),
    })

    test('is left out of a push/pull, wherever it stands, and the others stay', () => {
      for (const names of [['@', 'a', 'b'], ['a', 'b@b', 'c'], ['a', `${'@'.repeat(60)}`], ['@']]) {
        const { message, bytes } = pushPullOf(names)
        assert.deepEqual(readStream(bytes), without(message), names.join())
      }
    })

    test('is left out where the stream comes byte by byte', () => {
      const { message, bytes } = pushPullOf(['a', '@', 'c'])
      const reader = new StreamMessageReader()
      for (let end = 0; end < bytes.length; end++) assert.equal(reader.read(bytes, end, bytes.length), undefined)
      assert.deepEqual(reader.read(bytes, bytes.length, bytes.length), without(message))
    })

    test('is forgiven 1,024 times in one push/pull, and no more', () => {
      const names = [...Array.from({ length: 1024 }, () => '@'), 'a']
      assert.deepEqual(readStream(pushPullOf(names).bytes), without(pushPullOf(names).message))
      assert.throws(() => readStream(pushPullOf(['@', ...names]).bytes), DecodeError)
    })

    test('excuses nothing else: a wrong kind in another member, or broken bytes in its own, refuse the whole', () => {
      for (const [names, broken] of [
        [['@', 'a'], 'c2c2c2'],
        [['a', '@'], 'c1c1c1'],
      ] as const) {
        const { bytes } = pushPullOf(names)
        const port = toHex(bytes).lastIndexOf('a4506f7274cd1f0a') / 2 + 5
        assert.doesNotThrow(() => readStream(bytes))
        bytes.set(fromHex(broken), port)
        assert.throws(() => readStream(bytes), DecodeError, broken)
      }
    })

    test('refuses a packet message, which has nothing else', () => {
      const bytes = encodeSwimMessage({ type: 'suspect', incarnation: 1, node: '@', from: 'a' })
      bytes[bytes.indexOf(0x40)] = 0xff
      assert.throws(() => decodePacketMessage(bytes), DecodeError)
    })
  })
})

describe('versions that many members share', () => {
  test('nil versions stay nil after empty ones were met, and long ones are not kept', () => {
    const claim = { type: 'alive', incarnation: 1, node: 'a', addr: new Uint8Array(4), port: 1 } as const
    const withVersions = (vsn: Uint8Array): PacketMessage => ({ ...claim, meta: NO_BYTES, vsn })
    const [empty, nil] = [new Uint8Array(0), NO_BYTES].map((vsn) => encodeSwimMessage(withVersions(vsn)))
    assert.ok(empty !== undefined && nil !== undefined)
    assert.notEqual(toHex(empty), toHex(nil))
    for (const bytes of [empty, nil, empty]) {
      assert.equal(toHex(encodeSwimMessage(decodePacketMessage(bytes) as PacketMessage)), toHex(bytes))
    }
    const long = encodeSwimMessage(withVersions(new Uint8Array(1000)))
    const read = (): Uint8Array => (decodePacketMessage(long) as Alive).vsn
    assert.notEqual(read(), read())
  })
})

describe('what a struct may cost', () => {
  /** A struct of type `type`, with fields nobody knows. */
  const unknown = (type: number, fields: number, value: readonly number[] = [0xc0]): Uint8Array =>
    Uint8Array.from([
      type,
      0xde,
      fields >> 8,
      fields & 0xff,
      ...Array.from({ length: fields }, () => [0xa0, ...value]).flat(),
    ])
  const whole = (bytes: Uint8Array) => new StreamMessageReader(0, true).read(bytes, bytes.length, bytes.length)

  test('is 64 fields, known or not, in a packet and on a stream', () => {
    assert.equal(decodePacketMessage(unknown(3, 64)).type, 'suspect')
    assert.throws(() => decodePacketMessage(unknown(3, 65)), /65 fields/)
    assert.equal(whole(unknown(0, 64))?.type, 'ping')
    assert.throws(() => whole(unknown(0, 65)), /65 fields/)
    const asArray = (fields: number) => Uint8Array.from([3, 0xdc, 0, fields, ...new Array<number>(fields).fill(0xc0)])
    assert.equal(decodePacketMessage(asArray(64)).type, 'suspect')
    assert.throws(() => decodePacketMessage(asArray(65)), /65 fields/)
  })

  test('is 64 KiB on a stream, whole or in pieces', () => {
    const [most, tooMany] = [65_536, 65_537].map((size) => {
      const bytes = new Uint8Array(1 + size).fill(0x61)
      const length = size - 12
      bytes.set([13, 0x81, 0xa5, ...utf8('Error'), 0xdb, 0, 0, length >> 8, length & 0xff], 0)
      return bytes
    }) as [Uint8Array, Uint8Array]
    for (const read of [whole, readStream]) {
      const message = read(most)
      assert.ok(message?.type === 'error' && message.error.length === 65_524)
      assert.throws(() => read(tooMany), DecodeError)
    }
    const inPieces = new StreamMessageReader()
    assert.throws(() => {
      for (let end = 0; end < tooMany.length; end += 5000) inPieces.read(tooMany, end, tooMany.length)
      inPieces.read(tooMany, tooMany.length, tooMany.length)
    }, DecodeError)
  })

  test('counts by its bytes, and more where it is left out: one call reads fewer such members', () => {
    const calls = (members: readonly PushPull['members'][number][]): number => {
      const bytes = encodePushPull({ type: 'push-pull', join: false, members, userState: NO_BYTES })
      for (let at = bytes.indexOf(0x40); at >= 0; at = bytes.indexOf(0x40, at)) bytes[at] = 0xff
      const reader = new StreamMessageReader(0, true)
      for (let count = 1; ; count++) if (reader.read(bytes, bytes.length, bytes.length, 100) !== undefined) return count
    }
    const member = {
      name: 'a',
      addr: new Uint8Array(4),
      port: 1,
      meta: NO_BYTES,
      incarnation: 1,
      state: 0,
      vsn: NO_BYTES,
    }
    const few = calls(Array.from({ length: 300 }, () => member))
    const long = calls(Array.from({ length: 300 }, () => ({ ...member, meta: new Uint8Array(2000) })))
    const illFormed = calls(Array.from({ length: 300 }, () => ({ ...member, name: '@' })))
    assert.ok(few <= 4 && long > 20 && illFormed > 40, `${few} ${long} ${illFormed}`)
  })
})
