// Answers to pings, and pings made for others: serf-behaviour §5.3.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Deadlines } from '../../../src/base/deadlines.ts'
import { Random } from '../../../src/base/random.ts'
import { MAX_NAME_LENGTH } from '../../../src/swim/member.ts'
import { MemberTable } from '../../../src/swim/member-table.ts'
import { beginRelay, relayAck } from '../../../src/swim/relays.ts'
import type { Relay, SwimDue, SwimState } from '../../../src/swim/state.ts'
import { at, Bench, indirectPing, ping, source, suspect } from './support.ts'

const ASKER = at(50)

/** m1, which was asked by 10.0.0.50 to ping m3 under number 700; with the number of its own ping. */
function relaying(more: Parameters<typeof indirectPing>[2] = {}): { made: Bench; seqNo: number } {
  const made = new Bench()
  made.know(3)
  made.receiveFrom(ASKER, indirectPing('m3', 700, more))
  const [sent] = made.packets()
  const [first] = sent?.messages ?? []
  assert.ok(first?.type === 'ping')
  return { made, seqNo: first.seqNo }
}

describe('serf-behaviour §5.3: pings', () => {
  it('a ping for us, or for nobody in particular, is answered with its number and the payload, gossip beside it', () => {
    for (const name of ['m1', '']) {
      const made = new Bench()
      made.know(2)
      made.receive(suspect('m2', 1))
      made.delegate.payload = Uint8Array.of(7)
      made.receiveFrom(ASKER, ping(name, 33, source('m2')))
      const [sent, ...others] = made.packets()
      assert.deepEqual(others, [])
      assert.deepEqual(sent?.messages, [{ type: 'ack', seqNo: 33, payload: Uint8Array.of(7) }, suspect('m2', 1)])
      assert.equal(sent?.to.key, '10.0.0.2:7946')
      assert.equal(sent?.crc, false)
    }
  })

  it('ML-25: a ping for another name is not answered, and is told', () => {
    const made = new Bench()
    made.receive(ping('m2', 1))
    made.swim.receiveRequest(5, ping('m2', 1), ASKER, 0)
    assert.deepEqual(made.effects(), [])
    assert.deepEqual(made.delegate.codes(), ['ping-misdirected', 'ping-misdirected'])
  })

  it('the answer goes to the source that the ping tells, in 4 or 16 bytes', () => {
    const made = new Bench()
    const ipv6 = Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
    made.receiveFrom(ASKER, ping('m1', 1, { sourceAddr: at(60).ip, sourcePort: 9 }))
    made.receiveFrom(ASKER, ping('m1', 2, { sourceAddr: ipv6, sourcePort: 9 }))
    assert.deepEqual(
      made.packets().map(({ to }) => to.key),
      ['10.0.0.60:9', '[fd00::1]:9'],
    )
  })

  it('the answer goes to where the packet came from if the ping tells no address, no port, or nonsense', () => {
    const made = new Bench()
    for (const source of [
      { sourceAddr: null, sourcePort: 9 },
      { sourceAddr: at(60).ip, sourcePort: 0 },
      { sourceAddr: new Uint8Array(0), sourcePort: 9 },
      { sourceAddr: new Uint8Array(5), sourcePort: 9 },
    ]) {
      const received = { message: ping('m1', 1, source), bytes: new Uint8Array(0) }
      made.swim.receivePacket([received], ASKER, 0)
    }
    assert.deepEqual(
      made.packets().map(({ to }) => to.key),
      new Array(4).fill(ASKER.key),
    )
  })
})

describe('serf-behaviour §5.3: pings for others', () => {
  it('the target gets a ping of our own number that names it, and asks for the answer to us', () => {
    const made = new Bench()
    made.receiveFrom(ASKER, indirectPing('m3', 700))
    const [sent, ...others] = made.packets()
    assert.deepEqual(others, [])
    assert.equal(sent?.to.key, '10.0.0.3:7946')
    const [first] = sent?.messages ?? []
    assert.ok(first?.type === 'ping')
    assert.deepEqual([first.node, first.sourceAddr, first.sourcePort], ['m3', at(1).ip, 7946])
  })

  it('a target without a port is pinged at our own', () => {
    const made = new Bench()
    made.receiveFrom(ASKER, indirectPing('m3', 700, { port: 0 }))
    assert.equal(made.packets()[0]?.to.key, '10.0.0.3:7946')
  })

  it('ML-26: an ack goes on once, with the number of the asker and without payload, and no nack follows', () => {
    const { made, seqNo } = relaying()
    made.now = 499
    made.ack(seqNo, Uint8Array.of(1))
    made.ack(seqNo, Uint8Array.of(1))
    const [sent, ...others] = made.packets()
    assert.deepEqual(others, [])
    assert.equal(sent?.to.key, ASKER.key)
    assert.deepEqual(sent?.messages, [{ type: 'ack', seqNo: 700, payload: null }])
    assert.ok((made.swim.nextDeadline() as number) >= 1000, 'no timeout is left behind')
    made.advanceTo(900)
    assert.deepEqual(made.effects(), [])
    assert.deepEqual(made.delegate.pings, [])
  })

  it('ML-26: silence is a nack at our probe timeout, once, and a late ack adds nothing', () => {
    const { made, seqNo } = relaying()
    made.advanceTo(499)
    assert.deepEqual(made.effects(), [])
    made.advanceTo(500)
    const [sent, ...others] = made.packets()
    assert.deepEqual(others, [])
    assert.equal(sent?.to.key, ASKER.key)
    assert.deepEqual(sent?.messages, [{ type: 'nack', seqNo: 700 }])
    made.ack(seqNo)
    assert.deepEqual(made.effects(), [])
  })

  it('ML-26: silence stays silence for an asker that wants no nack', () => {
    const { made } = relaying({ nack: false })
    made.advanceTo(900)
    assert.deepEqual(made.effects(), [])
  })

  it('the answer goes to the source that the request tells', () => {
    const { made, seqNo } = relaying({ sourceAddr: at(60).ip, sourcePort: 9 })
    made.ack(seqNo)
    assert.equal(made.packets()[0]?.to.key, '10.0.0.60:9')
  })

  it('a request of one number from two askers is answered to both', () => {
    const made = new Bench()
    made.receiveFrom(at(50), indirectPing('m3', 700))
    made.receiveFrom(at(51), indirectPing('m3', 700))
    const pings = made.packets().map(({ messages }) => messages[0])
    for (const sent of pings) if (sent?.type === 'ping') made.ack(sent.seqNo)
    assert.deepEqual(
      made.packets().map(({ to, messages }) => [to.key, messages[0]]),
      [
        ['10.0.0.50:7946', { type: 'ack', seqNo: 700, payload: null }],
        ['10.0.0.51:7946', { type: 'ack', seqNo: 700, payload: null }],
      ],
    )
  })

  it('1024 are under way at once at most; the next is refused and told, and there is room again after the timeout', () => {
    const made = new Bench()
    // Of ten askers, each on a host of its own, that ask 103 times.
    for (let number = 0; number < 1030; number++) made.receiveFrom(at(50 + (number % 10)), indirectPing('m3', number))
    assert.equal(made.packets().length, 1024)
    assert.deepEqual(made.delegate.codes(), new Array(6).fill('relay-limit'))
    made.advanceTo(500)
    assert.equal(made.packets().length, 1024)
    made.receiveFrom(ASKER, indirectPing('m3', 1))
    assert.equal(made.packets().length, 1)
  })

  it('128 of them at most are for one host, whatever its ports; the others have their share', () => {
    const made = new Bench()
    for (let number = 0; number < 1030; number++) made.receiveFrom(at(50, 1 + number), indirectPing('m3', number))
    assert.equal(made.packets().length, 128)
    assert.deepEqual(made.delegate.codes(), new Array(902).fill('relay-limit'))
    assert.match(made.delegate.warnings[0]?.message ?? '', /128 .* 10\.0\.0\.50$/)
    made.receiveFrom(at(51), indirectPing('m3', 1))
    const [sent] = made.packets()
    assert.equal(sent?.to.key, '10.0.0.3:7946')
    made.advanceTo(500)
    made.effects()
    made.receiveFrom(at(50), indirectPing('m3', 1))
    assert.equal(made.packets().length, 1)
  })

  it('one that is answered makes room for the next of its host', () => {
    const made = new Bench()
    for (let number = 0; number < 128; number++) made.receiveFrom(ASKER, indirectPing('m3', number))
    const [sent] = made.packets()
    const [first] = sent?.messages ?? []
    assert.ok(first?.type === 'ping')
    made.ack(first.seqNo)
    made.effects()
    made.receiveFrom(ASKER, indirectPing('m3', 1))
    assert.deepEqual([made.packets().length, made.delegate.codes()], [1, []])
  })

  it('a stall of ours is no silence of the target: the nack comes so much later, an ack that was unread goes on', () => {
    for (const isAcked of [false, true]) {
      const { made, seqNo } = relaying()
      made.now = 5000
      made.swim.stalled(4900, made.now)
      made.swim.advance(made.now)
      if (isAcked) made.ack(seqNo)
      made.advanceTo(5399)
      const answers = (): (string | undefined)[] =>
        made.packets().flatMap(({ to, messages }) => (to.key === ASKER.key ? [messages[0]?.type] : []))
      assert.deepEqual(answers(), isAcked ? ['ack'] : [])
      made.advanceTo(5400)
      assert.deepEqual(answers(), isAcked ? [] : ['nack'])
    }
  })

  it('a name of the asker that no member bears is not kept; the answer goes out all the same', () => {
    for (const [sourceNode, kept] of [
      ['x'.repeat(MAX_NAME_LENGTH + 1), ''],
      ['m2', 'm2'],
    ] as const) {
      const { options, outbox, delegate, swim } = new Bench()
      outbox.take()
      const [deadlines, members, relays] = [
        new Deadlines<SwimDue>(),
        new MemberTable(new Random(1)),
        new Map<number, Relay>(),
      ]
      const parts = { options, outbox, delegate, self: swim.self, deadlines, members, relays }
      const state = { ...parts, packetOverheadBytes: 0, allowedCidrs: undefined, seqNo: 0 } as unknown as SwimState
      beginRelay(state, indirectPing('m3', 9, { ...source('m2'), sourceNode }), ASKER, 0)
      assert.deepEqual(
        [...relays.values()].map(({ requesterName }) => requesterName),
        [kept],
      )
      relayAck(state, 1)
      assert.equal(outbox.size, 2)
    }
  })

  it('a request with no address, or with a name that fits no packet of ours, is not taken up', () => {
    const made = new Bench()
    const nameless = { message: indirectPing('m3', 1, { target: new Uint8Array(3) }), bytes: new Uint8Array(0) }
    made.swim.receivePacket([nameless], ASKER, 0)
    made.receiveFrom(ASKER, indirectPing('m3', 1, { node: 'n'.repeat(1390) }))
    assert.deepEqual(made.effects(), [])
    made.advanceTo(900)
    assert.deepEqual(made.effects(), [])
  })
})
