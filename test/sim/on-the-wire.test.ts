// What a membership puts on the wire and on the clock, seen from the host's side of the contract.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_BYTES, utf8 } from '../../src/base/bytes.ts'
import type { Host, Stream, TransportHandlers } from '../../src/driver/host.ts'
import { Membership } from '../../src/membership.ts'
import type { MembershipOptions } from '../../src/options.ts'
import { Simulation } from '../../src/sim/simulation.ts'
import { Address } from '../../src/wire/address.ts'
import { Keyring } from '../../src/wire/keyring.ts'
import { decodePacket, encodePacket, type Sealing } from '../../src/wire/packet.ts'
import { decodeSerfMessage } from '../../src/wire/serf-messages.ts'
import { encodeSwimMessage } from '../../src/wire/swim-messages.ts'
import { encodeTags } from '../../src/wire/tags.ts'
import { type Alive, type SerfMessage, SwimType } from '../../src/wire/types.ts'

const KEY = new Uint8Array(32).fill(7)
const VSN = Uint8Array.of(1, 5, 2, 2, 5, 5)

describe('join', () => {
  it('is announced: a join intent of ours is gossiped', async () => {
    const { simulation, first, second, tap } = await pair()
    await simulation.finish(first.setTags({}))
    tap.packets.length = 0
    await simulation.finish(second.join(['10.0.0.1:7946']))
    await simulation.run(2000)
    const intents = tap.packets
      .flatMap((packet) => decodePacket(packet, tap.sealing).messages)
      .flatMap(({ message }): SerfMessage[] => (message.type === 'user' ? [decodeSerfMessage(message.payload)] : []))
      .map((message) => (message.type === 'join' ? `join ${message.node}` : message.type))
    assert.deepEqual([...new Set(intents)], ['join m-2'])
  })
})

describe('compression', () => {
  for (const compression of [true, false, undefined]) {
    it(`${compression ?? 'not mentioned'} is what packets and streams both ways show`, async () => {
      const options = compression === undefined ? {} : { compression }
      const { simulation, first, second, tap } = await pair(options)
      await simulation.finish(second.join(['10.0.0.1:7946']))
      await simulation.finish(first.join(['10.0.0.2:7946']))
      await simulation.finish(second.setTags({ role: 'x'.repeat(300) }))
      const isOn = compression !== false
      const types = tap.streams.map((bytes) => bytes[0])
      // It learns, then tells; and later it answers.
      const type = isOn ? SwimType.compress : SwimType.pushPull
      assert.deepEqual(types, [type, type, type])
      const kinds = new Set(tap.packets.flatMap((packet) => decodePacket(packet, tap.sealing).layers).map(kindOf))
      assert.equal(kinds.has('compress'), isOn)
    })
  }
})

describe('a packet full of gossip', () => {
  it('is at most of the size allowed, with label, encryption and checksum', async () => {
    const label = 'prod'
    const { simulation, second, tap } = await pair({ secretKey: KEY, label, compression: false, maxPacketBytes: 1000 })
    await simulation.finish(second.start())
    const from = new Address(Uint8Array.of(10, 0, 0, 9), 7946)
    const claims = Array.from({ length: 120 }, (_, at): Alive => {
      const addr = Uint8Array.of(10, 0, 1, at)
      const meta = encodeTags({})
      return { type: 'alive', node: `g-${'x'.repeat(at % 23)}${at}`, incarnation: 1, addr, port: 7946, meta, vsn: VSN }
    })
    for (const claim of claims) {
      const sealed = { sealing: tap.sealing, nonce: new Uint8Array(12), compress: false, crc: false }
      tap.handlers?.packet(encodePacket([encodeSwimMessage(claim)], sealed), from, simulation.now)
    }
    tap.packets.length = 0
    await simulation.run(3000)
    const withCrc = tap.packets.filter((packet) =>
      decodePacket(packet, tap.sealing).layers.some((layer) => layer.kind === 'crc'),
    )
    const largest = Math.max(...withCrc.map((packet) => packet.length))
    assert.ok(largest <= 1000, `${largest} bytes`)
    assert.ok(largest > 1000 - 5, `${largest} bytes: without room kept for the checksum it would be too large`)
    await simulation.finish(second.close())
  })
})

describe('tags that were told', () => {
  it('leave nothing to wake up for', async () => {
    const quiet = { probeIntervalMs: 3_600_000, pushPullIntervalMs: 0, broadcastTimeoutMs: 5000 }
    const { simulation, second, tap } = await pair(quiet)
    await simulation.finish(second.join(['10.0.0.1:7946']))
    const limitAt = simulation.now + 5000
    await simulation.finish(second.setTags({ role: 'log' }))
    assert.ok(simulation.now < limitAt)
    // Serf forgets the gone every 15 s.
    await simulation.run(20_000)
    assert.ok(
      tap.wakes.some((at) => at > limitAt),
      'time goes on',
    )
    assert.ok(!tap.wakes.includes(limitAt), 'the limit of the telling is forgotten')
  })
})

interface Tap {
  readonly sealing: Sealing
  /** Datagrams that were sent. */
  readonly packets: Uint8Array[]
  /** What was written to streams, first write of each. */
  readonly streams: Uint8Array[]
  /** When timers came due. */
  readonly wakes: number[]
  handlers: TransportHandlers | undefined
}

/** `first` runs at 10.0.0.1; `second`, at 10.0.0.2 and not started, is overheard. */
async function pair(options: MembershipOptions = {}) {
  const simulation = new Simulation({ seed: 1, transcript: 'off' })
  const hostAt = (number: number): Host => simulation.host(simulation.station(`host-${number}`, `10.0.0.${number}`))
  const [firstHost, secondHost] = [hostAt(1), hostAt(2)]
  const tap: Tap = { sealing: sealingOf(secondHost, options), packets: [], streams: [], wakes: [], handlers: undefined }
  const first = new Membership({ ...options, host: firstHost, name: 'm-1', bind: '10.0.0.1:7946' })
  const second = new Membership({ ...options, host: tapped(secondHost, tap), name: 'm-2', bind: '10.0.0.2:7946' })
  await simulation.finish(first.start())
  return { simulation, first, second, tap }
}

function sealingOf({ cipher }: Host, { secretKey, label }: MembershipOptions): Sealing {
  const keyring = secretKey instanceof Uint8Array ? new Keyring([secretKey]) : undefined
  return { label: label === undefined ? NO_BYTES : utf8(label), keyring, cipher }
}

function tapped(host: Host, tap: Tap): Host {
  return {
    cipher: host.cipher,
    hostname: host.hostname,
    entropy: (into) => host.entropy(into),
    resolve: (name, signal) => host.resolve(name, signal),
    ownAddresses: () => host.ownAddresses(),
    reachableAddress: (wildcard) => host.reachableAddress(wildcard),
    defer: (task) => host.defer(task),
    clock: {
      now: () => host.clock.now(),
      wakeAt: (at, wake) => {
        return host.clock.wakeAt(at, () => {
          tap.wakes.push(at)
          wake()
        })
      },
    },
    bind: async (address, handlers) => {
      tap.handlers = handlers
      const overheard: TransportHandlers = { ...handlers, stream: (stream) => handlers.stream(overhear(stream, tap)) }
      const transport = await host.bind(address, overheard)
      return {
        local: transport.local,
        send: (packet, to) => {
          tap.packets.push(packet)
          transport.send(packet, to)
        },
        dial: (to, streamHandlers) => overhear(transport.dial(to, streamHandlers), tap),
        close: () => transport.close(),
      }
    },
  }
}

function overhear(stream: Stream, tap: Tap): Stream {
  return {
    peer: stream.peer,
    write: (bytes) => {
      tap.streams.push(bytes)
      stream.write(bytes)
    },
    end: () => stream.end(),
    destroy: () => stream.destroy(),
  }
}

function kindOf({ kind }: { readonly kind: string }): string {
  return kind
}
