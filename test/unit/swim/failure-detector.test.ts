// One probe at a time: whom, how, and when the verdict falls. SWIM §3.1 and §4.3, Lifeguard §IV-A, serf-behaviour §5.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newRecord } from '../../../src/swim/claims.ts'
import { pingAccused } from '../../../src/swim/failure-detector.ts'
import { Address } from '../../../src/wire/address.ts'
import { decodePacketMessage } from '../../../src/wire/swim-messages.ts'
import type { StreamMessage } from '../../../src/wire/types.ts'
import {
  alive,
  at,
  Bench,
  bench,
  dead,
  decodeStream,
  left,
  Mesh,
  named,
  ping,
  source,
  suspect,
  VERSIONS,
} from './support.ts'

/** The nacks of so many different helpers. */
function nack(made: Bench, seqNo: number, helpers: number): void {
  for (let helper = 0; helper < helpers; helper++) made.receiveFrom(at(100 + helper), { type: 'nack', seqNo })
}

/** Lets the running probe end without an answer; gives whom it was of. */
function failedProbe(made: Bench): string {
  const probe = made.untilProbe()
  const name = named(probe)
  made.advanceTo(made.now + made.options.probeIntervalMs * (made.swim.health + 1))
  return name
}

function requests(made: Bench): { id: number; to: string; timeoutMs: number; message: StreamMessage }[] {
  return made
    .effects()
    .flatMap((effect) =>
      effect.kind === 'request'
        ? [{ id: effect.id, to: effect.to.key, timeoutMs: effect.timeoutMs, message: decodeStream(effect.body) }]
        : [],
    )
}

describe('SWIM §4.3: whom to probe', () => {
  it('ML-20: over one cycle every live member is probed once, suspects too, the dead and those that left never', () => {
    const made = bench(12)
    made.receive(suspect('m3', 1), dead('m4', 1), left('m5', 1))
    made.hush()
    const live = ['m10', 'm11', 'm12', 'm2', 'm3', 'm6', 'm7', 'm8', 'm9']
    // The order of the first cycle has been fixed by the arrivals; every later one is complete too.
    for (let cycle = 0; cycle < 4; cycle++) {
      const probed: string[] = []
      for (let probes = 0; probes < live.length; probes++) {
        const probe = made.untilProbe()
        probed.push(named(probe))
        made.ack(probe.seqNo)
        made.effects()
        if (named(probe) === 'm3') made.receive(alive('m3', 2 + cycle), suspect('m3', 2 + cycle))
        made.hush()
      }
      assert.deepEqual(probed.sort(), live)
    }
  })

  it('nobody to probe: no packet, and the ticks go on', () => {
    const made = new Bench()
    made.advanceTo(10_000)
    assert.deepEqual(made.effects(), [])
    made.know(2)
    assert.equal(named(made.untilProbe()), 'm2')
  })

  it('the first probe comes one to two intervals after the start, at a phase of its own', () => {
    const times = Array.from({ length: 50 }, (_, seed) => {
      const made = bench(2, { seed: seed + 1 })
      made.untilProbe()
      return made.now
    })
    assert.ok(times.every((time) => time >= 1000 && time < 2000))
    assert.ok(Math.max(...times) - Math.min(...times) > 700)
  })
})

describe('SWIM §3.1: the direct ping', () => {
  it('names its target, says where to answer, and carries broadcasts', () => {
    const made = bench()
    made.receive(suspect('m2', 1))
    let probe = made.untilProbe()
    while (named(probe) === 'm2') probe = made.untilProbe()
    const [first, second] = probe.messages
    assert.deepEqual(first, {
      type: 'ping',
      seqNo: probe.seqNo,
      node: named(probe),
      sourceAddr: at(1).ip,
      sourcePort: 7946,
      sourceNode: 'm1',
    })
    assert.deepEqual(second, suspect('m2', 1))
    assert.equal(probe.crc, false)
  })

  it('ML-24: a suspect gets ping and accusation in one packet, and nothing else', () => {
    const made = bench(2)
    made.receive(suspect('m2', 1), alive('m6', 1))
    let probe = made.untilProbe()
    while (named(probe) !== 'm2') probe = made.untilProbe()
    assert.deepEqual(probe.messages.slice(1), [suspect('m2', 1, 'm1')])
    assert.equal(probe.crc, true)
  })

  it('without the buddy system a suspect is pinged as everybody is', () => {
    const made = bench(2, { buddySystem: false })
    made.receive(suspect('m2', 1))
    let probe = made.untilProbe()
    // What is to be told of anybody rides along, and the accusation only among it, in the words of its accuser.
    assert.deepEqual(probe.messages.slice(1), [suspect('m2', 1)])
    assert.equal(probe.crc, false)
    made.hush()
    probe = made.untilProbe()
    assert.deepEqual([named(probe), made.status('m2')], ['m2', 'suspect'])
    assert.deepEqual(probe.messages.slice(1), [])
  })

  it('ML-24: a suspect that is alive answers such a packet with its denial beside the ack', () => {
    const made = bench(2)
    made.receive(ping('m1', 9, source('m2')), suspect('m1', 1))
    const [sent, ...others] = made.packets()
    assert.deepEqual(others, [])
    assert.deepEqual(sent?.messages, [{ type: 'ack', seqNo: 9, payload: null }, alive('m1', 2)])
  })

  it('ping and accusation are for whom they name, at the number and the very address given, else at those on record', () => {
    const made = bench(2)
    const member = newRecord('m2', at(2), 0)
    Object.assign(member, { incarnation: 3, vsn: Uint8Array.of(1, 4, 4, 2, 5, 5) })
    const address = at(7)
    const state = { self: made.swim.self, outbox: made.outbox }
    pingAccused(state, member, 11)
    member.vsn = VERSIONS
    pingAccused(state, member, 12, 4, address)
    const [plain, exact, ...others] = made.packets()
    assert.deepEqual(others, [])
    assert.deepEqual(plain?.messages, [ping('m2', 11, source('m1')), suspect('m2', 3, 'm1')])
    assert.equal(plain?.to, member.address)
    assert.equal(plain?.crc, false, 'one that reads no checksum gets none')
    assert.deepEqual(exact?.messages, [ping('m2', 12, source('m1')), suspect('m2', 4, 'm1')])
    assert.equal(exact?.to, address)
    assert.equal(exact?.crc, true)
  })

  it('an ack in time is success: the round trip and what the ack carries are told', () => {
    const made = bench()
    const probe = made.untilProbe()
    made.now += 42.5
    made.ack(probe.seqNo, Uint8Array.of(1, 2))
    assert.deepEqual(made.delegate.pings, [{ name: named(probe), rttMs: 42.5, payload: Uint8Array.of(1, 2) }])
    made.advanceTo(made.now + 900)
    assert.deepEqual(made.delegate.take(), [])
    assert.deepEqual(made.effects(), [])
  })

  it('the first ack wins, a second one and one of an unknown number do nothing', () => {
    const made = bench()
    const probe = made.untilProbe()
    made.ack(probe.seqNo + 1)
    assert.deepEqual(made.delegate.pings, [])
    made.ack(probe.seqNo)
    made.ack(probe.seqNo)
    assert.equal(made.delegate.pings.length, 1)
    assert.deepEqual(made.effects(), [])
  })
})

describe('SWIM §3.1: the indirect phase', () => {
  it('begins at the probe timeout: indirect pings to others that are alive, and a ping over a stream', () => {
    const made = bench(7)
    made.receive(suspect('m6', 1), dead('m7', 1))
    made.hush()
    let probe = made.untilProbe()
    while (named(probe) === 'm6') probe = made.untilProbe()
    const name = named(probe)
    made.advanceTo(made.now + 499)
    assert.deepEqual(made.effects(), [])
    made.advanceTo(made.now + 1)
    const effects = made.effects()
    assert.deepEqual(
      effects.map(({ kind }) => kind),
      ['packet', 'packet', 'packet', 'request'],
    )
    const helpers = effects.flatMap((effect) => (effect.kind === 'packet' ? [`m${effect.to.ip[3]}`] : []))
    assert.deepEqual(
      helpers.sort(),
      ['m2', 'm3', 'm4', 'm5', 'm6'].filter((other) => other !== name && made.status(other) === 'alive'),
    )
    const [, , , request] = effects
    assert.ok(request?.kind === 'request')
    assert.deepEqual([request.to.key, request.purpose, request.timeoutMs], [probe.to.key, 'probe', 500])
    const ping = {
      type: 'ping',
      seqNo: probe.seqNo,
      node: name,
      sourceAddr: at(1).ip,
      sourcePort: 7946,
      sourceNode: 'm1',
    }
    assert.deepEqual(decodeStream(request.body), ping)
  })

  it('an indirect ping has our number, the address and name of the target, and where to answer', () => {
    const made = bench(3)
    const probe = made.untilProbe()
    made.advanceTo(made.now + 500)
    const [sent] = made.packets()
    assert.deepEqual(sent?.messages, [
      {
        type: 'indirect-ping',
        seqNo: probe.seqNo,
        target: probe.to.ip,
        port: 7946,
        node: named(probe),
        nack: true,
        sourceAddr: at(1).ip,
        sourcePort: 7946,
        sourceNode: 'm1',
      },
    ])
  })

  it('a nack is asked of those alone that know it, a stream opened to those alone that answer one', () => {
    const understood = { m2: 2, m3: 3, m4: 4, m5: 5 }
    const made = new Bench()
    for (const [name, most] of Object.entries(understood)) {
      made.receive(alive(name, 1, { vsn: Uint8Array.of(1, most, 2, 2, 5, 5) }))
    }
    made.hush()
    const nacks = new Map<string, boolean>()
    const streams = new Map<string, boolean>()
    for (let probes = 0; probes < 8; probes++) {
      const probe = made.untilProbe()
      made.advanceTo(made.now + 500)
      const effects = made.effects()
      made.ack(probe.seqNo)
      made.hush()
      streams.set(
        named(probe),
        effects.some(({ kind }) => kind === 'request'),
      )
      for (const effect of effects) {
        if (effect.kind !== 'packet') continue
        const message = decodePacketMessage(effect.parts[0] as Uint8Array)
        assert.ok(message.type === 'indirect-ping')
        nacks.set(`m${effect.to.ip[3]}`, message.nack)
      }
    }
    assert.deepEqual([...nacks].sort(), [
      ['m2', false],
      ['m3', false],
      ['m4', true],
      ['m5', true],
    ])
    assert.deepEqual([...streams].sort(), [
      ['m2', false],
      ['m3', true],
      ['m4', true],
      ['m5', true],
    ])
  })

  it('no stream is opened where stream pings are off', () => {
    const made = bench(3, { streamPings: false })
    made.untilProbe()
    made.advanceTo(made.now + 500)
    assert.deepEqual(requests(made), [])
  })

  it('ML-27: an ack between the probe timeout and the end saves the member, and tells no round trip', () => {
    const made = bench()
    const probe = made.untilProbe()
    const startedAt = made.now
    made.advanceTo(startedAt + 999)
    made.ack(probe.seqNo)
    assert.deepEqual(made.delegate.answered, [named(probe)], 'it lives')
    made.advanceTo(startedAt + 1100)
    assert.deepEqual(made.delegate.pings, [])
    assert.deepEqual(made.delegate.take(), [])
    assert.equal(made.status(named(probe)), 'alive')
  })

  it('ML-23: the answer over a stream counts at the end of the probe, is told, and does not cost health', () => {
    const made = bench()
    const probe = made.untilProbe()
    const startedAt = made.now
    made.advanceTo(startedAt + 500)
    const [request] = requests(made)
    assert.ok(request)
    made.swim.receiveReply(request.id, { type: 'ack', seqNo: probe.seqNo, payload: null }, made.now)
    made.advanceTo(startedAt + 999)
    assert.deepEqual(made.delegate.codes(), [])
    made.advanceTo(startedAt + 1000)
    assert.deepEqual(made.delegate.codes(), ['stream-only'])
    assert.deepEqual(made.delegate.answered, [named(probe)])
    assert.equal(made.status(named(probe)), 'alive')
    assert.equal(made.swim.health, 0)
  })

  it('a stream that answers with another number, another message or not at all does not save the member', () => {
    const answers = [
      (made: Bench, id: number, seqNo: number) =>
        made.swim.receiveReply(id, { type: 'ack', seqNo: seqNo + 1, payload: null }, made.now),
      (made: Bench, id: number) => made.swim.receiveReply(id, { type: 'error', error: 'no' }, made.now),
      (made: Bench, id: number) => made.swim.requestFailed(id, 'refused', made.now),
    ]
    for (const answer of answers) {
      const made = bench()
      const probe = made.untilProbe()
      made.advanceTo(made.now + 500)
      const [request] = requests(made)
      assert.ok(request)
      answer(made, request.id, probe.seqNo)
      made.advanceTo(made.now + 500)
      assert.deepEqual(made.delegate.take(), [`suspected ${named(probe)}`])
      assert.deepEqual(made.delegate.exchanges, [])
    }
  })

  it('an answer over a stream to a probe that is over does not save a later one', () => {
    const made = bench(2)
    made.untilProbe()
    made.advanceTo(made.now + 500)
    const [request] = requests(made)
    assert.ok(request)
    made.advanceTo(made.now + 500)
    made.swim.receiveReply(request.id, { type: 'ack', seqNo: 1, payload: null }, made.now)
    made.advanceTo(made.now + 1000)
    assert.deepEqual(made.delegate.codes(), [])
  })
})

describe('serf-behaviour §5.2: the verdict', () => {
  it('ML-21: a member that answers nothing is suspect at the end of the interval, not at the probe timeout', () => {
    const made = bench()
    const probe = made.untilProbe()
    const startedAt = made.now
    made.advanceTo(startedAt + 999.5)
    assert.equal(made.status(named(probe)), 'alive')
    made.advanceTo(startedAt + 1000)
    assert.equal(made.status(named(probe)), 'suspect')
    assert.deepEqual(made.delegate.take(), [`suspected ${named(probe)}`])
  })

  it('a member that says it is alive at a higher number while we wait is not accused', () => {
    const made = bench()
    const probe = made.untilProbe()
    made.advanceTo(made.now + 700)
    made.receive(alive(named(probe), 2))
    made.advanceTo(made.now + 500)
    assert.equal(made.status(named(probe)), 'alive')
  })

  it('a member whose name is taken over while we wait is not accused', () => {
    const made = bench()
    const probe = made.untilProbe()
    const name = named(probe)
    made.receive(left(name, 1), alive(name, 1, { addr: at(77).ip }))
    made.delegate.take()
    made.advanceTo(made.now + 1000)
    assert.deepEqual(made.delegate.take(), [])
  })

  it('a member that others accuse while we wait has our word as a confirmation', () => {
    const made = bench()
    const probe = made.untilProbe()
    made.receive(suspect(named(probe), 1, 'm9'))
    const before = made.swim.member(named(probe))?.suspicion?.endsAt as number
    made.advanceTo(made.now + 1000)
    assert.ok((made.swim.member(named(probe))?.suspicion?.endsAt as number) < before)
  })

  it('a member that is dead, gone or left by the time of the verdict stays so', () => {
    for (const verdict of [dead, left]) {
      const made = bench()
      const probe = made.untilProbe()
      made.receive(verdict(named(probe), 1))
      made.delegate.take()
      made.advanceTo(made.now + 1000)
      assert.deepEqual(made.delegate.take(), [])
    }
  })

  it('ML-28: a ping that the network refuses leads to the indirect phase at once, and to suspicion at the end', () => {
    const made = bench()
    const probe = made.untilProbe()
    const startedAt = made.now
    made.swim.sendFailed(probe.to, true, made.now)
    assert.deepEqual(
      made.effects().map(({ kind }) => kind),
      ['packet', 'packet', 'packet', 'request'],
    )
    made.advanceTo(startedAt + 999)
    assert.deepEqual(made.effects(), [])
    assert.equal(made.status(named(probe)), 'alive')
    made.advanceTo(startedAt + 1000)
    assert.equal(made.status(named(probe)), 'suspect')
  })

  it('a ping that the network refuses, answered through others, neither costs health nor restores it', () => {
    const made = bench()
    made.receive(suspect('m1', 1))
    made.hush()
    assert.equal(made.swim.health, 1)
    const probe = made.untilProbe()
    made.swim.sendFailed(probe.to, true, made.now)
    made.ack(probe.seqNo)
    assert.equal(made.swim.health, 1)
    assert.deepEqual(made.delegate.pings, [])
  })

  it('ML-28: a ping that our own socket refuses ends the probe, without verdict', () => {
    const made = bench(2)
    const probe = made.untilProbe()
    made.swim.sendFailed(probe.to, false, made.now)
    made.advanceTo(made.now + 999)
    assert.deepEqual([made.effects(), made.delegate.take(), made.swim.health], [[], [], 0])
    assert.equal(named(made.untilProbe()), 'm2')
  })

  it('ML-28: another packet to the same address that our own socket refuses does not touch the probe', () => {
    const made = bench()
    const probe = made.untilProbe()
    // The same endpoint, but not the address the ping was sent to: gossip, say.
    made.swim.sendFailed(new Address(probe.to.ip, probe.to.port), false, made.now)
    made.swim.sendFailed(made.swim.member(named(probe))?.address as Address, false, made.now)
    made.advanceTo(made.now + 1000)
    assert.equal(made.status(named(probe)), 'suspect')
  })

  it('a packet refused on the way to someone else, or after the probe timeout, does not touch the probe', () => {
    const made = bench()
    const probe = made.untilProbe()
    made.swim.sendFailed(at(900), true, made.now)
    assert.deepEqual(made.effects(), [])
    made.advanceTo(made.now + 500)
    made.effects()
    made.swim.sendFailed(probe.to, false, made.now)
    made.swim.sendFailed(probe.to, true, made.now)
    assert.deepEqual(made.effects(), [])
    made.advanceTo(made.now + 500)
    assert.equal(made.status(named(probe)), 'suspect')
  })
})

describe('Lifeguard §IV-A: what a probe does to local health', () => {
  it('ML-31: a failed probe with every nack there leaves it', () => {
    const made = bench()
    const probe = made.untilProbe()
    made.advanceTo(made.now + 500)
    nack(made, probe.seqNo, 3)
    made.advanceTo(made.now + 500)
    assert.equal(made.status(named(probe)), 'suspect')
    assert.equal(made.swim.health, 0)
  })

  it('each nack that is missing costs a point; more nacks than were asked for, or of other numbers, win none', () => {
    for (const [nacks, strays, cost] of [
      [0, 4, 3],
      [1, 0, 2],
      [2, 9, 1],
      [7, 0, 0],
    ] as const) {
      const made = bench()
      const probe = made.untilProbe()
      made.advanceTo(made.now + 500)
      nack(made, probe.seqNo, nacks)
      nack(made, probe.seqNo + 1, strays)
      made.advanceTo(made.now + 500)
      assert.equal(made.swim.health, cost)
    }
  })

  it('ML-31: the nacks of one address are one nack, however often it comes', () => {
    const made = bench()
    const probe = made.untilProbe()
    made.advanceTo(made.now + 500)
    for (let copies = 0; copies < 3; copies++) nack(made, probe.seqNo, 1)
    made.advanceTo(made.now + 500)
    assert.equal(made.swim.health, 2)
  })

  it('a nack before the indirect phase counts for nothing', () => {
    const made = bench()
    const probe = made.untilProbe()
    nack(made, probe.seqNo, 3)
    made.advanceTo(made.now + 1000)
    assert.equal(made.swim.health, 3)
  })

  it('a failed probe costs one point where nobody could be asked, or nobody who knows nacks', () => {
    const alone = bench(2)
    failedProbe(alone)
    assert.equal(alone.swim.health, 1)
    const old = new Bench()
    for (const name of ['m2', 'm3', 'm4']) old.receive(alive(name, 1, { vsn: Uint8Array.of(1, 3, 2, 2, 5, 5) }))
    failedProbe(old)
    assert.equal(old.swim.health, 1)
  })

  it('ML-30: ten failures without nacks saturate at 7, and each success restores one point', () => {
    const made = bench(40)
    for (let failures = 0; failures < 10; failures++) failedProbe(made)
    assert.equal(made.swim.health, 7)
    made.hush()
    for (let health = 6; health >= -2; health--) {
      made.ack(made.untilProbe().seqNo)
      assert.equal(made.swim.health, Math.max(0, health))
    }
  })

  it('the time for an answer stretches with it, the probe timeout does not', () => {
    const made = bench()
    made.receive(suspect('m1', 1))
    made.receive(suspect('m1', 2))
    made.hush()
    assert.equal(made.swim.health, 2)
    const probe = made.untilProbe()
    const startedAt = made.now
    made.advanceTo(startedAt + 500)
    const [request] = requests(made)
    assert.equal(request?.timeoutMs, 2500)
    made.advanceTo(startedAt + 2999)
    assert.equal(made.status(named(probe)), 'alive')
    made.advanceTo(startedAt + 3000)
    assert.equal(made.status(named(probe)), 'suspect')
  })
})

describe('serf-behaviour §5.1: probes do not overlap', () => {
  it('of the ticks that a probe outlives one is made up for when it ends, and the next comes in its time', () => {
    const made = bench()
    made.receive(suspect('m1', 1))
    made.receive(suspect('m1', 2))
    made.hush()
    const first = made.untilProbe()
    const startedAt = made.now
    made.advanceTo(startedAt + 2500)
    assert.ok(made.packets().every(({ messages }) => messages[0]?.type === 'indirect-ping'))
    made.ack(first.seqNo)
    const [second, ...others] = made.packets()
    assert.deepEqual(others, [])
    assert.ok(second?.messages[0]?.type === 'ping')
    made.ack(second.messages[0].seqNo)
    assert.deepEqual(made.effects(), [])
    made.untilProbe()
    assert.equal(made.now, startedAt + 3000)
  })

  it('a probe that takes its whole time is followed by the next one at once', () => {
    const made = bench()
    made.untilProbe()
    const startedAt = made.now
    made.untilProbe()
    assert.equal(made.now, startedAt + 1000)
  })

  it('after a stall there is one probe, and the ticks keep their phase', () => {
    const made = bench()
    const first = made.untilProbe()
    const startedAt = made.now
    made.ack(first.seqNo)
    made.now = startedAt + 10_300
    made.swim.advance(made.now)
    const pings = made.packets().map(({ messages }) => messages[0])
    assert.equal(pings.length, 1)
    assert.ok(pings[0]?.type === 'ping')
    made.ack(pings[0].seqNo)
    made.untilProbe()
    assert.equal(made.now, startedAt + 11_000)
  })

  it('a probe that is answered late gives way at once if a tick was missed, and waits for the tick if none was', () => {
    const made = bench()
    made.receive(suspect('m1', 1))
    made.hush()
    const first = made.untilProbe()
    const startedAt = made.now
    made.advanceTo(startedAt + 1500)
    made.effects()
    made.ack(first.seqNo)
    const [next] = made.packets()
    assert.equal(next?.messages[0]?.type, 'ping')
    assert.ok(next?.messages[0]?.type === 'ping')
    made.ack(next.messages[0].seqNo)
    assert.deepEqual(made.packets(), [])
    made.untilProbe()
    assert.equal(made.now, startedAt + 2000)
  })
})

describe('architecture §5: a stall in the middle of a probe', () => {
  it('ML-37: moves the probe timeout and the verdict by its length', () => {
    const made = bench()
    const probe = made.untilProbe()
    const startedAt = made.now
    made.now += 20_000
    made.swim.stalled(19_900, made.now)
    made.swim.advance(made.now)
    assert.deepEqual(made.delegate.take(), [])
    made.effects()
    made.advanceTo(startedAt + 20_399)
    assert.ok(!made.packets().some(({ messages }) => messages[0]?.type === 'indirect-ping'))
    made.advanceTo(startedAt + 20_400)
    assert.deepEqual([...new Set(made.packets().map(({ messages }) => messages[0]?.type))], ['indirect-ping'])
    made.advanceTo(startedAt + 20_899)
    assert.equal(made.status(named(probe)), 'alive')
    made.advanceTo(startedAt + 20_900)
    assert.equal(made.status(named(probe)), 'suspect')
  })

  it('in the indirect phase moves the verdict, and the stream may take as long as before', () => {
    const made = bench()
    const probe = made.untilProbe()
    const startedAt = made.now
    made.advanceTo(startedAt + 600)
    made.swim.stalled(3000, made.now)
    made.advanceTo(startedAt + 3999)
    assert.equal(made.status(named(probe)), 'alive')
    made.advanceTo(startedAt + 4000)
    assert.equal(made.status(named(probe)), 'suspect')
  })

  it('an ack after it is success, but tells no round trip; the next probe tells one again', () => {
    const made = bench()
    const probe = made.untilProbe()
    made.now += 120
    made.swim.stalled(60, made.now)
    made.ack(probe.seqNo)
    made.advanceTo(made.now + 500)
    assert.deepEqual([made.delegate.pings, made.delegate.take()], [[], []])
    made.ack(made.untilProbe().seqNo)
    assert.equal(made.delegate.pings.length, 1)
  })

  it('without a probe under way it changes none', () => {
    const made = bench()
    made.swim.stalled(400, made.now)
    made.ack(made.untilProbe().seqNo)
    assert.equal(made.delegate.pings.length, 1)
  })

  it('question and verdict never fall together, also where nobody told of the stall', () => {
    const made = bench()
    const probe = made.untilProbe()
    const startedAt = made.now
    made.now += 1700
    made.swim.advance(made.now)
    assert.equal(made.status(named(probe)), 'alive')
    const asked = made.effects()
    assert.deepEqual(
      asked.flatMap((effect) => (effect.kind === 'request' ? [effect.timeoutMs] : [])),
      [500],
    )
    made.advanceTo(startedAt + 2199)
    assert.equal(made.status(named(probe)), 'alive')
    made.advanceTo(startedAt + 2200)
    assert.equal(made.status(named(probe)), 'suspect')
  })
})

describe('SWIM §3.1 among machines', () => {
  function cluster(size: number): Mesh {
    const mesh = new Mesh()
    for (let number = 1; number <= size; number++) mesh.add(`m${number}`)
    for (let number = 2; number <= size; number++) mesh.join(`m${number}`, 'm1')
    mesh.run(3000)
    for (const bench of mesh.benches.values()) {
      assert.equal(bench.swim.size, size)
      bench.delegate.take()
    }
    return mesh
  }

  it('ML-22: two that cannot reach each other, but others, never suspect each other', () => {
    const mesh = cluster(5)
    mesh.cut = (from, to) => (from === 'm2' && to === 'm3') || (from === 'm3' && to === 'm2')
    mesh.run(60_000)
    for (const bench of mesh.benches.values()) assert.deepEqual(bench.delegate.take(), [])
  })

  it('ML-23: all packets lost while streams pass: nobody is suspect, it is told, and health stays', () => {
    const mesh = cluster(4)
    mesh.cut = (_from, _to, kind) => kind === 'packet'
    mesh.run(60_000)
    for (const bench of mesh.benches.values()) {
      assert.deepEqual(bench.delegate.take(), [])
      assert.ok(bench.delegate.codes().length > 0)
      assert.ok(bench.delegate.codes().every((code) => code === 'stream-only'))
      assert.equal(bench.swim.health, 0)
    }
  })

  it('one that falls silent is suspect and then dead everywhere, and the others stay healthy', () => {
    const mesh = cluster(5)
    mesh.cut = (from, to) => from === 'm5' || to === 'm5'
    mesh.run(60_000)
    for (const [name, bench] of mesh.benches) {
      if (name === 'm5') continue
      assert.deepEqual(bench.delegate.take(), ['suspected m5', 'gone m5 dead'])
      assert.equal(bench.swim.health, 0)
    }
  })
})
