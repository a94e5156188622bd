import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { concat, utf8 } from '../../../src/base/bytes.ts'
import { readLeafOnce } from '../../../src/driver/leaf-memo.ts'
import { decodePacket, encodePacket, readLeaf } from '../../../src/wire/packet.ts'
import { encodeSwimMessage } from '../../../src/wire/swim-messages.ts'
import { type PacketMessage, SerfType } from '../../../src/wire/types.ts'
import { packetMessages } from '../wire/arbitraries.ts'
import { alive, sealingOf } from './support.ts'

const BEHIND = utf8('behind')

describe('messages that come again', () => {
  it('are read as anew, whatever they are: message, bytes and what is thrown', () => {
    const mutated = fc
      .tuple(packetMessages, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }))
      .map(([message, edits]) => {
        const bytes = encodeSwimMessage(message)
        for (const [at, value] of edits) bytes[at % bytes.length] = value
        return bytes
      })
    // A head that reads as a claim, so that hostile bytes come as far as the table.
    const hostile = fc
      .tuple(fc.constantFrom(3, 4, 5, 8), fc.uint8Array({ maxLength: 600 }))
      .map(([type, rest]) => concat([Uint8Array.of(type), rest]))
    fc.assert(
      fc.property(fc.oneof(mutated, hostile, fc.uint8Array({ maxLength: 30 })), fc.nat(9), (bytes, before) => {
        const all = concat([new Uint8Array(before), bytes, BEHIND])
        const expected = outcomeOf(() => readLeaf(all, before, before + bytes.length))
        for (let time = 0; time < 3; time++) {
          const found = outcomeOf(() => readLeafOnce(all, before, before + bytes.length))
          assert.deepEqual(found, expected)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('are one object, if they are claims or intents; pings and acks are read anew', () => {
    for (const message of [alive(5), user(SerfType.join), user(SerfType.leave)])
      assert.equal(readTwice(message).isOne, true, message.type)
    for (const message of [
      { type: 'nack', seqNo: 5 },
      { type: 'ack', seqNo: 5, payload: null },
    ] as const) {
      assert.equal(readTwice(message).isOne, false, message.type)
    }
  })

  it('of users are kept by nobody: what was in a query may be a key', () => {
    for (const type of Object.values(SerfType)) {
      const isIntent = type === SerfType.join || type === SerfType.leave
      assert.equal(readTwice(user(type)).isOne, isIntent, `${type}`)
    }
    assert.equal(readTwice({ type: 'user', payload: new Uint8Array(0) }).isOne, false)
  })

  it('keep no packet in memory, also long ones: what is ours to keep is a copy', () => {
    const long: PacketMessage = { type: 'user', payload: new Uint8Array(900).fill(7) }
    for (const message of [alive(6), long]) {
      const packet = encodePacket([encodeSwimMessage(message), encodeSwimMessage(message)], {
        sealing: sealingOf(),
        nonce: undefined,
        compress: false,
        crc: false,
      })
      const { messages } = decodePacket(packet, sealingOf(), readLeafOnce)
      for (const { bytes } of messages) assert.notEqual(bytes.buffer, packet.buffer)
      packet.fill(0)
      assert.deepEqual(
        messages.map(({ bytes }) => bytes),
        [encodeSwimMessage(message), encodeSwimMessage(message)],
      )
    }
  })
})

function user(type: number): PacketMessage {
  return { type: 'user', payload: concat([Uint8Array.of(type), utf8('payload')]) }
}

function readTwice(message: PacketMessage): { readonly isOne: boolean } {
  const bytes = encodeSwimMessage(message)
  const [first, second] = [readLeafOnce(bytes, 0, bytes.length), readLeafOnce(bytes, 0, bytes.length)]
  assert.deepEqual(first.message, message)
  return { isOne: first.message === second.message }
}

function outcomeOf(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    return String(error)
  }
}
