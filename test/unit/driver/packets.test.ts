import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { utf8 } from '../../../src/base/bytes.ts'
import { Packets } from '../../../src/driver/packets.ts'
import { encodeCompound } from '../../../src/wire/compound.ts'
import { decodePacket } from '../../../src/wire/packet.ts'
import { encodeSwimMessage } from '../../../src/wire/swim-messages.ts'
import { alive, PEER, type RunningOptions, sealingOf } from './support.ts'

const KEY = new Uint8Array(32).fill(7)

describe('datagrams', () => {
  it('what is sealed is opened by the same key and label, and is counted', () => {
    for (const options of [{}, { secretKey: KEY }, { secretKey: KEY, label: utf8('red') }]) {
      const { packets, warnings } = make(options)
      const sealed = packets.seal([encodeSwimMessage(alive(2)), encodeSwimMessage(alive(3))], true)
      packets.count(sealed)
      const messages = packets.open(sealed, PEER).map(({ message }) => message)
      assert.deepEqual(messages, [alive(2), alive(3)])
      assert.deepEqual(warnings, [])
      const size = sealed.length
      const expected = { packetsSent: 1, packetsReceived: 1, bytesSent: size, bytesReceived: size }
      assert.deepEqual(packets.stats(), expected)
    }
  })

  it('have a checksum, and are compressed, where they are to be', () => {
    const body = encodeSwimMessage({ type: 'user', payload: new Uint8Array(500) })
    for (const compress of [true, false]) {
      for (const crc of [true, false]) {
        const { layers } = decodePacket(make({ compress }).packets.seal([body], crc), sealingOf())
        const kinds = layers.map(({ kind }) => kind)
        assert.deepEqual([kinds.includes('compress'), kinds.includes('crc')], [compress, crc])
      }
    }
  })

  it('what is no packet of ours is a warning that says whose it was; what can be read of it is given', () => {
    const { packets, warnings } = make()
    assert.deepEqual(packets.open(utf8('nonsense'), PEER), [])
    assert.equal(packets.open(encodeCompound([Uint8Array.of(99, 1), encodeSwimMessage(alive(2))]), PEER).length, 1)
    const sealed = make({ secretKey: KEY })
    assert.deepEqual(sealed.packets.open(encodeSwimMessage(alive(2)), PEER), [])
    assert.deepEqual(
      [...warnings, ...sealed.warnings].map((line) => line.slice(0, line.indexOf(': '))),
      ['packet-invalid', 'packet-invalid', 'packet-undecryptable'].map((code) => `${code} packet of ${PEER.key}`),
    )
  })
})

function make(options: RunningOptions = {}): { readonly packets: Packets; readonly warnings: string[] } {
  const warnings: string[] = []
  const sealing = sealingOf(options)
  const packets = new Packets({
    sealing,
    compress: options.compress ?? false,
    nonce: () => sealing.keyring && new Uint8Array(12),
    warn: (code, message) => void warnings.push(`${code} ${message}`),
  })
  return { packets, warnings }
}
