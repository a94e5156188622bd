import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { AssertionError } from '../../../src/base/assert.ts'
import { NO_BYTES, utf8 } from '../../../src/base/bytes.ts'
import { DecodeError, DecryptError } from '../../../src/base/errors.ts'
import { encodeCompound } from '../../../src/wire/compound.ts'
import { wrapCompressed } from '../../../src/wire/compress.ts'
import { Keyring } from '../../../src/wire/keyring.ts'
import { MAX_COMPOUND_PARTS, MAX_LAYER_DEPTH, MAX_PACKET_PARTS, MAX_PACKET_PROBLEMS } from '../../../src/wire/limits.ts'
import type { Sealing } from '../../../src/wire/packet.ts'
import {
  COMPOUND_OVERHEAD_BYTES,
  decodePacket,
  encodePacket,
  PART_OVERHEAD_BYTES,
  packetOverhead,
} from '../../../src/wire/packet.ts'
import { encodeSwimMessage } from '../../../src/wire/swim-messages.ts'
import { packetMessages } from './arbitraries.ts'
import type { Fields } from './vectors.ts'
import { sealingOf, Tally, testCipher, toHex, vectorsOf } from './vectors.ts'

const PLAIN: Sealing = { label: NO_BYTES, keyring: undefined, cipher: testCipher }
const BARE = { sealing: PLAIN, nonce: undefined, compress: false, crc: false }
const nonce = new Uint8Array(12).fill(7)

const sealings: fc.Arbitrary<Sealing> = fc.record({
  label: fc.oneof(fc.constant(NO_BYTES), fc.uint8Array({ minLength: 1, maxLength: 255 })),
  keyring: fc.oneof(
    fc.constant(undefined),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).map((key) => new Keyring([key])),
  ),
  cipher: fc.constant(testCipher),
})

describe('golden vectors of packets', () => {
  test('every packet gives its stated messages, and every exact one is put together to its bytes', (t) => {
    const tally = new Tally()
    for (const { name, bytes, hex, decoded, params, encode } of vectorsOf('memberlist-packets')) {
      const wanted = ((decoded as Fields).messages ?? []) as Uint8Array[]
      const sealing = sealingOf(params)
      const { layers, messages, problems } = decodePacket(bytes, sealing)
      assert.deepEqual(problems, [], name)
      assert.deepEqual(
        messages.map((leaf) => toHex(leaf.bytes)),
        wanted.map(toHex),
        name,
      )
      const kinds = new Set(layers.map(({ kind }) => kind))
      for (const kind of ['label', 'crc', 'compress', 'compound'] as const) {
        if (params[kind] !== undefined) assert.ok(kinds.has(kind), `${name}: ${kind}`)
      }
      assert.equal(kinds.has('encrypt'), params.key !== undefined, name)
      tally.add('decoded')
      if (encode !== 'exact') continue
      if (wanted.length === 0 || wanted.length > MAX_COMPOUND_PARTS) {
        // We never send these; the bare compound is what there is to compare.
        assert.equal(toHex(encodeCompound(wanted)), hex, name)
        tally.add('exact, compound alone')
      } else if (name.startsWith('compressed-single-grown')) {
        assert.equal(toHex(wrapCompressed(wanted[0] as Uint8Array)), hex, name)
        assert.equal(toHex(encodePacket(wanted, { ...BARE, compress: true })), toHex(wanted[0] as Uint8Array), name)
        tally.add('exact, compress alone')
      } else {
        // The sender's primary is the key the packet is sealed with, also where the receiver's is another.
        const keyring = params.key === undefined ? undefined : new Keyring([params.key as Uint8Array])
        const encoded = encodePacket(wanted, {
          sealing: { ...sealing, keyring },
          nonce: params.nonce as Uint8Array | undefined,
          compress: params.compress === true || params.compressEnabled === true,
          crc: params.crc === true,
          encryptionVersion: (params.encryptionVersion ?? 1) as 0 | 1,
        })
        assert.equal(toHex(encoded), hex, name)
        tally.add('exact')
      }
    }
    t.diagnostic(JSON.stringify(tally.counts))
    assert.deepEqual(tally.counts, { decoded: 63, exact: 56, 'exact, compound alone': 2, 'exact, compress alone': 1 })
  })
})

/** How a running cluster turns encryption on, one restart after the other: each stage hears the one before and the one behind it. */
const keyring = new Keyring([new Uint8Array(32).fill(9)])
const STAGES: Readonly<Record<'without' | 'key' | 'sealing' | 'strict', Sealing>> = {
  without: PLAIN,
  key: { ...PLAIN, keyring, verifyIncoming: false, verifyOutgoing: false },
  sealing: { ...PLAIN, keyring, verifyIncoming: false },
  strict: { ...PLAIN, keyring },
}

describe('packets while encryption is turned on', () => {
  const bytes = encodeSwimMessage({ type: 'nack', seqNo: 7 })
  const hears = (to: Sealing, from: Sealing): boolean => {
    const packet = encodePacket([bytes], { ...BARE, sealing: from, nonce, crc: true })
    try {
      return toHex(decodePacket(packet, to).messages[0]?.bytes ?? NO_BYTES) === toHex(bytes)
    } catch (error) {
      assert.ok(error instanceof DecodeError || error instanceof DecryptError)
      return false
    }
  }

  test('each stage hears its neighbours, and none but the last is deaf to plain bytes', () => {
    const heard = Object.entries(STAGES).map(([name, to]) => {
      const from = Object.entries(STAGES).filter(([, sealing]) => hears(to, sealing))
      return [name, from.map(([other]) => other).join(' ')]
    })
    assert.deepEqual(Object.fromEntries(heard), {
      without: 'without key',
      key: 'without key sealing strict',
      sealing: 'without key sealing strict',
      strict: 'sealing strict',
    })
  })

  test('what neither a key opens nor is a plain packet is an error of the latter', () => {
    const foreign: Sealing = { ...PLAIN, keyring: new Keyring([new Uint8Array(16)]) }
    const packet = encodePacket([bytes], { ...BARE, sealing: foreign, nonce })
    assert.throws(() => decodePacket(packet, STAGES.sealing), DecodeError)
    assert.throws(() => decodePacket(packet, STAGES.strict), DecryptError)
  })

  test('the room for encryption is kept free in every stage, so that no stage changes what fits', () => {
    assert.equal(packetOverhead(STAGES.key, true), packetOverhead(STAGES.strict, true))
  })
})

describe('packets', () => {
  test('messages go through all layers and come out the same, within the overhead that is stated', () => {
    const options = fc.record({
      sealing: sealings,
      compress: fc.boolean(),
      crc: fc.boolean(),
      encryptionVersion: fc.constantFrom(0 as const, 1 as const),
    })
    fc.assert(
      fc.property(fc.array(packetMessages, { minLength: 1, maxLength: 20 }), options, (messages, chosen) => {
        const parts = messages.map(encodeSwimMessage)
        const packet = encodePacket(parts, { ...chosen, nonce })
        const content = parts.reduce((sum, part) => sum + part.length + PART_OVERHEAD_BYTES, COMPOUND_OVERHEAD_BYTES)
        assert.ok(packet.length <= packetOverhead(chosen.sealing, chosen.crc, chosen.encryptionVersion) + content)
        const found = decodePacket(packet, chosen.sealing)
        assert.deepEqual(found.problems, [])
        assert.deepEqual(
          found.messages.map(({ message }) => message),
          messages,
        )
        assert.deepEqual(
          found.messages.map(({ bytes }) => toHex(bytes)),
          parts.map(toHex),
        )
      }),
    )
  })

  test('random and mutated packets end in messages or the typed errors, never in anything else', () => {
    const mutated = fc
      .tuple(
        fc.array(packetMessages, { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        fc.boolean(),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      )
      .map(([messages, compress, crc, edits]) => {
        const bytes = encodePacket(messages.map(encodeSwimMessage), { sealing: PLAIN, nonce: undefined, compress, crc })
        // Behind the checksum, so that the layers below are reached.
        for (const [at, value] of edits) bytes[at % bytes.length] = value
        return crc ? bytes.subarray(5) : bytes
      })
    fc.assert(
      fc.property(
        fc.oneof(mutated, fc.uint8Array({ maxLength: 80 })),
        sealings,
        fc.boolean(),
        (bytes, sealing, plain) => {
          try {
            decodePacket(bytes, plain ? PLAIN : sealing)
          } catch (error) {
            assert.ok(error instanceof DecodeError || error instanceof DecryptError, String(error))
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('a broken part of a compound is a problem, and its neighbours arrive', () => {
    const good = encodeSwimMessage({ type: 'nack', seqNo: 1 })
    const { messages, problems } = decodePacket(encodeCompound([good, Uint8Array.of(14), NO_BYTES, good]), PLAIN)
    assert.equal(messages.length, 2)
    assert.deepEqual(
      problems.map(({ message }) => message),
      ['message of type 14 in a packet', 'missing message type byte'],
    )
  })

  test('a node:buffer Buffer is as good as any bytes', () => {
    const packet = encodePacket([encodeSwimMessage({ type: 'user', payload: utf8('x') })], { ...BARE, crc: true })
    const [leaf] = decodePacket(Buffer.from(packet), PLAIN).messages
    assert.deepEqual(leaf?.message, { type: 'user', payload: utf8('x') })
  })

  test('layers nest up to the limit and no deeper', () => {
    let bytes: Uint8Array = encodeSwimMessage({ type: 'nack', seqNo: 1 })
    for (let depth = 0; depth < MAX_LAYER_DEPTH; depth++) bytes = encodeCompound([bytes])
    assert.equal(decodePacket(bytes, PLAIN).messages.length, 1)
    const { messages, problems } = decodePacket(encodeCompound([bytes]), PLAIN)
    assert.equal(messages.length, 0)
    assert.equal(problems.length, 1)
    let packed: Uint8Array = encodeSwimMessage({ type: 'nack', seqNo: 1 })
    for (let depth = 0; depth <= MAX_LAYER_DEPTH; depth++) packed = wrapCompressed(packed)
    assert.throws(() => decodePacket(packed, PLAIN), DecodeError)
  })

  test('two compressed parts of one compound keep what each of them said', () => {
    const payloads = [1, 2].map((byte) => new Uint8Array(300).fill(byte))
    const parts = payloads.map((payload) => wrapCompressed(encodeSwimMessage({ type: 'user', payload })))
    const { messages, problems } = decodePacket(encodeCompound(parts), PLAIN)
    assert.deepEqual(problems, [])
    assert.deepEqual(
      messages.map(({ message }) => message),
      payloads.map((payload) => ({ type: 'user', payload })),
    )
    assert.deepEqual(
      messages.map(({ bytes }) => bytes[bytes.length - 1]),
      [1, 2],
    )
  })

  test('a compound of bombs unfolds no more than one bomb may', () => {
    const bomb = wrapCompressed(encodeSwimMessage({ type: 'user', payload: new Uint8Array(60_000) }))
    const { messages, problems } = decodePacket(encodeCompound(new Array<Uint8Array>(100).fill(bomb)), PLAIN)
    assert.equal(messages.length, 1)
    assert.equal(problems.length, 99)
  })

  test('a datagram of tiny parts is cut off, not worked through', () => {
    const tiny = encodeCompound(new Array<Uint8Array>(255).fill(Uint8Array.of(8)))
    const { messages, problems } = decodePacket(encodeCompound(new Array<Uint8Array>(80).fill(tiny)), PLAIN)
    assert.ok(messages.length <= MAX_PACKET_PARTS)
    assert.ok(problems.length > 0 && problems.length < MAX_PACKET_PARTS)
  })

  test('none and more than 127 messages are our own bug', () => {
    const part = Uint8Array.of(8)
    assert.throws(() => encodePacket([], BARE), AssertionError)
    assert.throws(() => encodePacket(new Array<Uint8Array>(128).fill(part), BARE), AssertionError)
    assert.equal(decodePacket(encodePacket(new Array<Uint8Array>(127).fill(part), BARE), PLAIN).messages.length, 127)
  })

  test('one message travels bare, and overhead is what label, encryption and checksum take', () => {
    const part = encodeSwimMessage({ type: 'nack', seqNo: 1 })
    assert.equal(encodePacket([part], BARE), part)
    const sealing = { label: utf8('prod'), keyring: new Keyring([new Uint8Array(16)]), cipher: testCipher }
    assert.equal(packetOverhead(sealing, true), 6 + 29 + 5)
    assert.equal(packetOverhead(PLAIN, false), 0)
    assert.equal(encodePacket([part], { ...BARE, sealing, crc: true, nonce }).length, part.length + 6 + 29 + 5)
  })
})

test('of a packet full of broken messages the first hundred or so are looked at', () => {
  const [broken, good] = [Uint8Array.of(99), encodeSwimMessage({ type: 'nack', seqNo: 1 })]
  const some = Array.from({ length: MAX_PACKET_PROBLEMS }, () => broken)
  const { messages, problems } = decodePacket(encodeCompound([...some, good]), PLAIN)
  assert.deepEqual([messages.length, problems.length], [1, MAX_PACKET_PROBLEMS])
  const nested = encodeCompound([encodeCompound([...some, broken, good]), good, broken])
  const many = decodePacket(nested, PLAIN)
  assert.deepEqual([many.messages.length, many.problems.length], [0, MAX_PACKET_PROBLEMS + 1])
  assert.match(many.problems.at(-1)?.message ?? '', /more than 128 broken/)
})
