// Filling packets: budgets, parts, and what the layer above gets of them. serf-behaviour §7 and §8.3.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { NO_BYTES } from '../../../src/base/bytes.ts'
import { Keyring } from '../../../src/wire/keyring.ts'
import { encodePacket, packetOverhead, type Sealing } from '../../../src/wire/packet.ts'
import { testCipher } from '../wire/vectors.ts'
import { alive, Bench, dead, ping, suspect } from './support.ts'

const label = fc.uint8Array({ maxLength: 255 })
const keyring = fc.constantFrom(undefined, new Keyring([new Uint8Array(32).fill(1)]))

describe('serf-behaviour §8: packets', () => {
  it('ML-44: none is larger than maxPacketBytes, with label, encryption and checksum around it', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 512 }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(sizes, label, keyring, fc.integer({ min: 1100, max: 1400 }), (metas, name, keys, maxPacketBytes) => {
        const sealing: Sealing = { label: name, keyring: keys, cipher: testCipher }
        const packetOverheadBytes = packetOverhead(sealing, true)
        const made = new Bench({ maxPacketBytes, packetOverheadBytes, gossipIntervalMs: 200 })
        made.delegate.broadcasts = [new Uint8Array(40).fill(8), new Uint8Array(3).fill(8)]
        metas.forEach((length, at) => {
          made.receive(alive(`m${at + 2}`, 1, { meta: new Uint8Array(length) }))
        })
        made.receive(suspect('m2', 1), dead('m3', 1), ping('m1', 1))
        made.advanceTo(3000)
        const packets = made.packets()
        assert.ok(packets.length > 1)
        for (const { parts } of packets) {
          const nonce = keys && new Uint8Array(12)
          const packet = encodePacket(parts, { sealing, nonce, compress: false, crc: true })
          assert.ok(packet.length <= maxPacketBytes, `${packet.length}`)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('the room is used up: what is left over holds no further broadcast', () => {
    const made = new Bench({ gossipIntervalMs: 200 })
    for (let number = 2; number <= 60; number++) made.receive(alive(`m${number}`, 1, { meta: new Uint8Array(100) }))
    made.step()
    const [sent] = made.packets()
    const sealing: Sealing = { label: NO_BYTES, keyring: undefined, cipher: testCipher }
    const packet = encodePacket(sent?.parts ?? [], { sealing, nonce: undefined, compress: false, crc: false })
    assert.ok(packet.length > 1200 && packet.length <= 1400, `${packet.length}`)
  })

  it('ML-46: none has more than 127 parts, ours and those of the layer above together', () => {
    const made = new Bench({ maxPacketBytes: 65_507, gossipIntervalMs: 200 })
    for (let number = 2; number <= 121; number++) made.receive(alive(`m${number}`, 1))
    made.delegate.broadcasts = Array.from({ length: 300 }, () => Uint8Array.of(8))
    made.step()
    for (const { parts } of made.packets()) assert.equal(parts.length, 127)
    made.receive(ping('m1', 1))
    assert.equal(made.packets()[0]?.parts.length, 127)
  })

  it('membership goes first; the layer above gets what is left of budget and parts, and the cost of each part', () => {
    const made = new Bench({ maxPacketBytes: 1400, packetOverheadBytes: 34 })
    made.know(2)
    made.receive(suspect('m2', 1))
    made.delegate.draws.length = 0
    made.receive(ping('m1', 1))
    const [sent] = made.packets()
    const used = (sent?.parts ?? []).reduce((sum, part) => sum + part.length + 2, 0)
    assert.equal(sent?.parts.length, 2)
    assert.deepEqual(made.delegate.draws, [{ overheadBytes: 2, budgetBytes: 1400 - 34 - 2 - used, maxParts: 125 }])
  })

  it('the layer above is not asked where there is no room for a byte of it', () => {
    const made = new Bench({ maxPacketBytes: 800 })
    made.know(2)
    made.delegate.payload = new Uint8Array(770)
    made.receive(ping('m1', 1))
    made.packets()
    made.delegate.draws.length = 0
    made.delegate.payload = new Uint8Array(790)
    made.receive(ping('m1', 2))
    assert.deepEqual(made.delegate.draws, [])
    assert.equal(made.packets().length, 1)
  })

  it('every kind of answer carries broadcasts, and each is one transmit', () => {
    const made = new Bench()
    made.know(3)
    made.receive(suspect('m2', 1))
    for (let transmits = 1; transmits <= 4; transmits++) assert.deepEqual(made.spread(), [suspect('m2', 1)])
    assert.deepEqual(made.spread(), [])
  })
})
