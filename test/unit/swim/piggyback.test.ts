// Filling packets: budgets, parts, and what the layer above gets of them. serf-behaviour §7 and §8.3.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { NO_BYTES } from '../../../src/base/bytes.ts'
import { Keyring } from '../../../src/wire/keyring.ts'
import { encodePacket, packetOverhead, type Sealing } from '../../../src/wire/packet.ts'
import { encodeSwimMessage } from '../../../src/wire/swim-messages.ts'
import { testCipher } from '../wire/vectors.ts'
import { alive, at, Bench, dead, indirectPing, left, ping, source, suspect } from './support.ts'

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
        made.receive(suspect('m2', 1), dead('m3', 1), ping('m1', 1, source('m2')))
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
    made.receive(ping('m1', 1, source('m2')))
    assert.equal(made.packets()[0]?.parts.length, 127)
  })

  it('membership goes first; the layer above gets what is left of budget and parts, and the cost of each part', () => {
    const made = new Bench({ maxPacketBytes: 1400, packetOverheadBytes: 34 })
    made.know(2)
    made.receive(suspect('m2', 1))
    made.delegate.draws.length = 0
    made.receive(ping('m1', 1, source('m2')))
    const [sent] = made.packets()
    const used = (sent?.parts ?? []).reduce((sum, part) => sum + part.length + 2, 0)
    assert.equal(sent?.parts.length, 2)
    assert.deepEqual(made.delegate.draws, [{ overheadBytes: 2, budgetBytes: 1400 - 34 - 2 - used, maxParts: 125 }])
  })

  it('the layer above is not asked where there is no room for a byte of it', () => {
    const made = new Bench({ maxPacketBytes: 800 })
    made.know(2)
    made.delegate.draws.length = 0
    // The compound around them costs 2 bytes, each part 2 more.
    const ackBytes = encodeSwimMessage({ type: 'ack', seqNo: 1, payload: new Uint8Array(700) }).length
    const longest = 700 + 800 - 2 - 2 - ackBytes
    made.delegate.payload = new Uint8Array(longest - 3)
    made.receive(ping('m1', 1, source('m2')))
    assert.deepEqual(made.delegate.draws, [{ overheadBytes: 2, budgetBytes: 3, maxParts: 126 }])
    made.delegate.payload = new Uint8Array(longest - 2)
    made.receive(ping('m1', 2, source('m2')))
    assert.equal(made.delegate.draws.length, 1)
    assert.equal(made.packets().length, 2)
  })
})

describe('swim/piggyback.ts: who gets broadcasts beside an answer', () => {
  const NOBODY = at(50)
  const NEWS = [suspect('m2', 1), { type: 'user' as const, payload: Uint8Array.of(1) }]

  /** m1, which knows m2 to m4 and has two broadcasts to tell, one of each layer, the upper one for ever; it probes nobody. */
  function bench(): Bench {
    const made = new Bench({ probeIntervalMs: 86_400_000 })
    made.know(4)
    made.receive(suspect('m2', 1))
    made.delegate.broadcasts = [Uint8Array.of(8, 1)]
    made.delegate.draws.length = 0
    return made
  }

  type Source = ReturnType<typeof source>
  type Ask = (made: Bench, from: Source) => void
  /** Each makes m1 answer `from` with one packet. The pinged member is unknown, so that its ping carries nothing. */
  const answers: readonly (readonly [type: 'ack' | 'nack', kind: string, ask: Ask])[] = [
    ['ack', 'an ack', (made, from) => made.receiveFrom(NOBODY, ping('m1', 7, from))],
    ['ack', 'the ack to a relayed ping', (made, from) => made.ack(relayed(made, from))],
    [
      'nack',
      'a nack',
      (made, from) => {
        relayed(made, from)
        made.advanceTo(made.now + 500)
      },
    ],
  ]

  /** The number of the ping that m1 makes of m9 for `from`. */
  function relayed(made: Bench, from: Source): number {
    made.receiveFrom(NOBODY, indirectPing('m9', 7, from))
    const [sent, ...others] = made.packets()
    assert.deepEqual(others, [])
    assert.equal(sent?.parts.length, 1)
    const [first] = sent?.messages ?? []
    assert.ok(first?.type === 'ping')
    return first.seqNo
  }

  const strangers: readonly (readonly [who: string, from: Source])[] = [
    ['one that does not say who it is', { sourceAddr: null, sourcePort: 0, sourceNode: '' }],
    ['one at the address of a member that does not say who it is', { ...source('m3'), sourceNode: '' }],
    ['one with a name that we do not know', source('m8')],
    ['one with the name of a member at another address', { ...source('m3'), sourceAddr: at(50).ip }],
    ['one with the name of a member at another port', { ...source('m3'), sourcePort: 7947 }],
    ['one with the name of a member where the packet came from', { ...source('m3'), sourceAddr: null }],
    ['one with the name of one member at the address of another', { ...source('m3'), sourceNode: 'm4' }],
    ['one with our own name and address', source('m1')],
    ['one with our own name at the address of a member', { ...source('m3'), sourceNode: 'm1' }],
  ]

  for (const [type, kind, ask] of answers) {
    it(`${kind} to a stranger is all there is in its packet, and uses up no transmit`, () => {
      for (const [who, from] of strangers) {
        const made = bench()
        for (let asked = 0; asked < 5; asked++) {
          ask(made, from)
          const [sent, ...others] = made.packets()
          assert.deepEqual(others, [], who)
          assert.equal(sent?.parts.length, 1, who)
          assert.equal(sent?.messages[0]?.type, type, who)
          assert.equal(sent?.crc, false)
        }
        assert.equal(made.delegate.draws.length, 0, who)
        assert.equal(made.swim.queued, 1, who)
        for (let transmits = 1; transmits <= 4; transmits++) assert.deepEqual(made.spread(), NEWS, who)
        assert.equal(made.swim.queued, 0, who)
      }
    })

    it(`${kind} to a member carries broadcasts, and each is one transmit`, () => {
      const longForm = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...at(3).ip)
      for (const from of [source('m3'), { ...source('m3'), sourceAddr: longForm }, source('m2')]) {
        const made = bench()
        for (let transmits = 1; transmits <= 4; transmits++) {
          ask(made, from)
          const [sent, ...others] = made.packets()
          assert.deepEqual(others, [])
          assert.equal(sent?.messages[0]?.type, type)
          assert.deepEqual(sent?.messages.slice(1), NEWS)
        }
        assert.equal(made.swim.queued, 0)
      }
    })

    it(`${kind} to one that is dead or has left carries nothing`, () => {
      for (const verdict of [dead, left]) {
        const made = bench()
        made.receive(verdict('m3', 1))
        ask(made, source('m3'))
        assert.equal(made.packets()[0]?.parts.length, 1)
        assert.equal(made.swim.queued, 2)
      }
    })
  }

  it('an ack to a member without a source address goes where the packet came from, and carries broadcasts if that is its home', () => {
    const made = bench()
    made.receiveFrom(at(3), ping('m1', 7, { ...source('m3'), sourceAddr: null }))
    assert.deepEqual(made.packets()[0]?.messages.slice(1), NEWS)
  })

  it('a ping for another carries broadcasts to a member at its home, and nothing anywhere else', () => {
    for (const [request, told] of [
      [indirectPing('m3', 7), NEWS],
      [indirectPing('m3', 7, { port: 0 }), NEWS],
      [indirectPing('m3', 7, { target: at(50).ip }), []],
      [indirectPing('m3', 7, { port: 7947 }), []],
      [indirectPing('m9', 7), []],
      [indirectPing('m3', 7, { node: 'm1' }), []],
      [indirectPing('m1', 7), []],
    ] as const) {
      const made = bench()
      for (let asked = 1; asked <= 4; asked++) {
        made.receiveFrom(NOBODY, request)
        const [sent, ...others] = made.packets()
        assert.deepEqual(others, [])
        assert.equal(sent?.messages[0]?.type, 'ping')
        assert.deepEqual(sent?.messages.slice(1), told)
      }
      assert.equal(made.swim.queued, told.length > 0 ? 0 : 1)
    }
  })

  it('a goodbye outlasts the pings of strangers', () => {
    const made = new Bench()
    made.know(3)
    made.swim.leave(0, 9)
    for (let asked = 0; asked < 100; asked++) made.receive(ping('m1', asked))
    assert.deepEqual(made.swim.takeTold(), [])
    assert.deepEqual(made.spread(), [left('m1', 1)])
  })
})
