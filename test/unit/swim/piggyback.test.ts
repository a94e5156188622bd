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
    made.delegate.broadcasts.push(new Uint8Array(100))
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

describe('serf-behaviour §8.3: the share of the layer above', () => {
  const ROOM = 1400 - 2
  const SHARE = ROOM / 5

  /** m1, with more claims to tell than any number of packets holds, each of `claimBytes` with its overhead; it probes nobody. */
  function flooded(): Bench {
    const made = new Bench({ gossipIntervalMs: 200, gossipFanout: 1, probeIntervalMs: 86_400_000 })
    for (let number = 2; number <= 2000; number++) made.receive(alive(`m${number}`, 1, { meta: new Uint8Array(30) }))
    made.outbox.take()
    return made
  }

  /** Bytes of the next packet, parts with their overhead: of membership, and of the layer above. */
  function nextPacket(made: Bench): { membership: number; above: number } {
    made.step()
    const [sent, ...others] = made.packets()
    assert.deepEqual(others, [])
    const cost = (isAbove: boolean): number =>
      (sent?.parts ?? []).filter(([type]) => (type === 8) === isAbove).reduce((sum, part) => sum + part.length + 2, 0)
    return { membership: cost(false), above: cost(true) }
  }

  /** A message of the layer above that is sent once. */
  function say(made: Bench, bytes: number): void {
    made.delegate.once.push(new Uint8Array(bytes).fill(8))
  }

  it('membership has the whole packet where nothing waits above', () => {
    const made = flooded()
    for (let packets = 0; packets < 10; packets++) {
      const { membership, above } = nextPacket(made)
      assert.equal(above, 0)
      assert.ok(membership > ROOM - 70, `${membership}`)
    }
  })

  it('under a flood of claims a message of any size a packet holds is out after as many packets as its size is shares', () => {
    for (const bytes of [1, 30, 276, 278, 512, 515, 900, ROOM - 2]) {
      const made = flooded()
      nextPacket(made)
      say(made, bytes)
      const wanted = Math.ceil((bytes + 2) / SHARE)
      for (let packets = 1; packets < wanted; packets++) assert.equal(nextPacket(made).above, 0, `${bytes} bytes`)
      assert.equal(nextPacket(made).above, bytes + 2, `${bytes} bytes after ${wanted} packets`)
    }
  })

  it('what is saved up is one packet at most, however long what waits fits none', () => {
    const made = flooded()
    // Longer than the packets of a while, as beside a long ack: it waits, and nothing is drawn.
    made.delegate.once.push(new Uint8Array(ROOM + 1).fill(8))
    for (let packets = 0; packets < 100; packets++) assert.equal(nextPacket(made).above, 0)
    made.delegate.once.length = 0
    for (let count = 0; count < 2000; count++) say(made, 400)
    let above = 0
    for (let packets = 0; packets < 10; packets++) above += nextPacket(made).above
    assert.ok(above <= ROOM + 10 * SHARE + 402, `${above}`)
  })

  it('of many small ones a fifth of each packet goes out, and membership has the rest', () => {
    const made = flooded()
    for (let count = 0; count < 2000; count++) say(made, 40)
    let [membership, above] = [0, 0]
    for (let packets = 0; packets < 100; packets++) {
      const sent = nextPacket(made)
      membership += sent.membership
      above += sent.above
    }
    assert.ok(above >= 0.2 * 100 * ROOM - ROOM, `${above} of ${100 * ROOM}`)
    // A small one also takes what no claim fits into.
    assert.ok(membership >= 100 * (0.8 * ROOM - 70), `${membership} of ${100 * ROOM}`)
  })

  it('of large ones as well, over many packets', () => {
    const made = flooded()
    for (let count = 0; count < 2000; count++) say(made, 515)
    let [membership, above] = [0, 0]
    for (let packets = 0; packets < 200; packets++) {
      const sent = nextPacket(made)
      membership += sent.membership
      above += sent.above
    }
    assert.ok(above >= 0.2 * 200 * ROOM - 2 * ROOM, `${above} of ${200 * ROOM}`)
    assert.ok(membership >= 200 * (0.8 * ROOM - 70), `${membership} of ${200 * ROOM}`)
  })

  it('nothing is saved up while nothing waits', () => {
    const made = flooded()
    say(made, 1000)
    for (let packets = 0; packets < 3; packets++) nextPacket(made)
    made.delegate.once.length = 0
    nextPacket(made)
    say(made, 1000)
    for (let packets = 0; packets < 3; packets++) assert.equal(nextPacket(made).above, 0)
    assert.equal(nextPacket(made).above, 1002)
  })

  it('it has its share of the parts too, where those run out before the bytes', () => {
    const made = new Bench({ maxPacketBytes: 65_507, gossipIntervalMs: 200, probeIntervalMs: 86_400_000 })
    for (let number = 2; number <= 400; number++) made.receive(alive(`m${number}`, 1))
    for (let count = 0; count < 300; count++) say(made, 10)
    made.step()
    const [sent] = made.packets()
    assert.equal(sent?.parts.length, 127)
    assert.equal(sent?.parts.filter(([type]) => type === 8).length, Math.ceil(127 / 5))
  })

  it('every claim is told as often as without it: none is lost by giving way', () => {
    const made = new Bench({ gossipIntervalMs: 200, gossipFanout: 1, probeIntervalMs: 86_400_000 })
    for (let number = 2; number <= 60; number++) made.receive(alive(`m${number}`, 1))
    for (let count = 0; count < 100; count++) say(made, 100)
    const told = new Map<string, number>()
    while (made.swim.queued > 0) {
      made.step()
      for (const message of made.packets().flatMap(({ messages }) => messages)) {
        if (message.type === 'alive') told.set(message.node, (told.get(message.node) ?? 0) + 1)
      }
    }
    // 4 * ceil(log10(61)), ours included.
    assert.deepEqual([...new Set(told.values())], [8])
    assert.equal(told.size, 60)
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
