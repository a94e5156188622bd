// A host made of records, for the tests of this folder: a clock moved by hand, a transport that writes down what it is asked, and
// streams that say what the test says. It checks the driver's side of the contract in driver/host.ts. Not a test.
import assert from 'node:assert/strict'
import { NO_BYTES } from '../../../src/base/bytes.ts'
import { Random } from '../../../src/base/random.ts'
import { Driver, type DriverNotice, type DriverSetup } from '../../../src/driver/driver.ts'
import type { Host, Stream, StreamHandlers, Transport, TransportHandlers } from '../../../src/driver/host.ts'
import { nodeCipher } from '../../../src/node/cipher.ts'
import { resolveSerfOptions, type SerfOptions } from '../../../src/serf/options.ts'
import { Serf } from '../../../src/serf/serf.ts'
import { resolveSwimOptions, type SwimOptions } from '../../../src/swim/options.ts'
import { Address } from '../../../src/wire/address.ts'
import { parseCidr } from '../../../src/wire/cidr.ts'
import { Keyring } from '../../../src/wire/keyring.ts'
import { decodePacket, encodePacket, packetOverhead, type Sealing } from '../../../src/wire/packet.ts'
import { encodeStream, StreamReader } from '../../../src/wire/stream.ts'
import { encodePushPull, encodeSwimMessage } from '../../../src/wire/swim-messages.ts'
import { encodeTags } from '../../../src/wire/tags.ts'
import type { Alive, PacketMessage, PushPull, StreamMessage } from '../../../src/wire/types.ts'

export const US: Address = addressOf(1)
export const PEER: Address = addressOf(2)

export function addressOf(number: number): Address {
  return new Address(Uint8Array.of(10, 0, 0, number), 7946)
}

/** A stream whose other end is the test. */
export class FakeStream implements Stream {
  readonly peer: Address
  readonly written: Uint8Array[] = []
  handlers: StreamHandlers | undefined
  isEnded = false
  isDestroyed = false

  constructor(peer: Address, handlers?: StreamHandlers) {
    this.peer = peer
    this.handlers = handlers
  }

  get isOpen(): boolean {
    return !this.isEnded && !this.isDestroyed
  }

  write(bytes: Uint8Array): void {
    if (this.isOpen) this.written.push(bytes)
  }

  end(): void {
    this.isEnded = true
  }

  destroy(): void {
    this.isDestroyed = true
  }

  /** What the host tells; nothing once the owner has destroyed it. */
  open(): void {
    if (!this.isDestroyed) this.handlers?.opened?.()
  }

  say(bytes: Uint8Array): void {
    if (!this.isDestroyed) this.handlers?.data(bytes)
  }

  close(error?: Error): void {
    if (!this.isDestroyed) this.handlers?.closed(error)
    this.handlers = undefined
  }
}

export class FakeHost implements Host {
  readonly cipher = nodeCipher
  readonly hostname = 'fake'
  readonly sent: { readonly packet: Uint8Array; readonly to: Address }[] = []
  readonly dialled: FakeStream[] = []
  /** Every nonce that was asked for. */
  readonly nonces: string[] = []
  readonly clock = { now: () => this.now, wakeAt: (at: number, wake: () => void) => this.#wakeAt(at, wake) }
  now = 1000
  /** The most timers that were ever armed together. */
  mostTimers = 0
  isBound = false
  /** Tasks that were deferred, for the next turn. */
  #deferred: (() => void)[] = []
  #timers = new Set<{ at: number; wake: () => void }>()
  #handlers: TransportHandlers | undefined
  readonly #random = new Random(1)

  get handlers(): TransportHandlers {
    assert.ok(this.#handlers !== undefined, 'nothing is bound')
    return this.#handlers
  }

  get timers(): number {
    return this.#timers.size
  }

  get nextWake(): number | undefined {
    return [...this.#timers][0]?.at
  }

  entropy(into: Uint8Array): void {
    for (let at = 0; at < into.length; at++) into[at] = this.#random.below(256)
    this.nonces.push(into.join())
  }

  bind(address: Address, handlers: TransportHandlers): Promise<Transport> {
    this.#handlers = handlers
    this.isBound = true
    return Promise.resolve({
      local: address,
      send: (packet, to) => {
        assert.ok(this.isBound, 'nothing is sent once the transport is closed')
        this.sent.push({ packet, to })
      },
      dial: (to, streamHandlers) => {
        assert.ok(this.isBound, 'nothing is dialled once the transport is closed')
        const stream = new FakeStream(to, streamHandlers)
        this.dialled.push(stream)
        return stream
      },
      close: async () => {
        this.isBound = false
      },
    })
  }

  resolve(): Promise<readonly Uint8Array[]> {
    return Promise.reject(new Error('no names here'))
  }

  ownAddresses(): readonly Uint8Array[] {
    return []
  }

  async reachableAddress(): Promise<undefined> {
    return undefined
  }

  defer(task: () => void): void {
    this.#deferred.push(task)
  }

  get deferred(): number {
    return this.#deferred.length
  }

  /** Runs what was deferred before this turn. */
  turn(): void {
    for (const task of this.#deferred.splice(0)) task()
  }

  /** Wakes whoever is due now, as an event loop does after it stood still: nothing deferred runs, and nothing is read. */
  wakeLate(): void {
    for (const timer of [...this.#timers]) {
      if (timer.at > this.now) continue
      this.#timers.delete(timer)
      timer.wake()
    }
  }

  /** Moves the clock and wakes whoever is due, as often as need be; turns pass until nothing is deferred. */
  run(ms: number): void {
    const end = this.now + ms
    for (;;) {
      while (this.#deferred.length > 0) this.turn()
      const timer = [...this.#timers].sort((left, right) => left.at - right.at)[0]
      if (timer === undefined || timer.at > end) break
      this.#timers.delete(timer)
      this.now = Math.max(this.now, timer.at)
      timer.wake()
    }
    this.now = end
  }

  /** Someone opens a stream to us. */
  accept(from: Address = PEER): FakeStream {
    const stream = new FakeStream(from)
    stream.handlers = this.handlers.stream(stream)
    if (stream.handlers === undefined) stream.destroy()
    return stream
  }

  #wakeAt(at: number, wake: () => void): () => void {
    assert.ok(Number.isFinite(at), 'a timer is set for a number')
    const timer = { at, wake }
    this.#timers.add(timer)
    this.mostTimers = Math.max(this.mostTimers, this.#timers.size)
    return () => void this.#timers.delete(timer)
  }
}

export interface RunningOptions extends Partial<SwimOptions>, Partial<SerfOptions> {
  readonly secretKey?: Uint8Array
  readonly label?: Uint8Array
  readonly compress?: boolean
  readonly allowedCidrs?: readonly string[]
  /** Beside a key: it is in a file too. */
  readonly storeKeys?: NonNullable<DriverSetup['storeKeys']>
  /** Called with every notice, beside its being written down. */
  readonly listener?: (notice: DriverNotice, running: Running) => void
}

export interface Running {
  readonly host: FakeHost
  readonly driver: Driver
  readonly serf: Serf
  readonly sealing: Sealing
  readonly notices: DriverNotice[]
}

export function sealingOf({ secretKey, label = NO_BYTES }: RunningOptions = {}): Sealing {
  return { label, keyring: secretKey && new Keyring([secretKey]), cipher: nodeCipher }
}

/** A driver that runs a machine named `us` at 10.0.0.1. No schedule of its own but probing stands out: gossip and exchanges are off. */
export async function running(options: RunningOptions = {}): Promise<Running> {
  const { secretKey: _, label: __, compress = false, storeKeys, listener, ...knobs } = options
  const host = new FakeHost()
  const sealing = sealingOf(options)
  const notices: DriverNotice[] = []
  const quiet = { gossipIntervalMs: 0, pushPullIntervalMs: 0, verdictChecks: false }
  const swim = resolveSwimOptions('lan', { ...quiet, ...knobs })
  const setup: DriverSetup = {
    host,
    sealing,
    compress,
    allowedCidrs: options.allowedCidrs?.map((text) => parseCidr(text) ?? assert.fail(text)),
    streamTimeoutMs: swim.streamTimeoutMs,
    stallRule: swim.stallRule,
    storeKeys,
    notified: (notice) => {
      notices.push(notice)
      listener?.(notice, all)
    },
  }
  const driver = new Driver(setup)
  const serf = new Serf({
    name: 'us',
    address: US,
    tags: {},
    swim,
    serf: resolveSerfOptions(knobs),
    packetOverheadBytes: packetOverhead(sealing, true),
    keyring: sealing.keyring,
    keepsKeys: storeKeys !== undefined,
    random: new Random(1),
  })
  const all: Running = { host, driver, serf, sealing, notices }
  await driver.open(US)
  driver.run(serf)
  return all
}

/** A driver that has neither bound nor run. */
export function closedSetup(): {
  readonly host: FakeHost
  readonly driver: Driver
  readonly notices: DriverNotice[]
} {
  const host = new FakeHost()
  const notices: DriverNotice[] = []
  const driver = new Driver({
    host,
    sealing: sealingOf(),
    compress: false,
    streamTimeoutMs: 1000,
    notified: (notice) => void notices.push(notice),
  })
  return { host, driver, notices }
}

/** A datagram from a peer reaches the driver. */
export function receive({ host, sealing }: Running, messages: readonly PacketMessage[], as: Sealing = sealing): void {
  const nonce = as.keyring && new Uint8Array(12)
  const packet = encodePacket(messages.map(encodeSwimMessage), { sealing: as, nonce, compress: false, crc: false })
  host.handlers.packet(packet, PEER, host.now)
}

/** Takes the messages sent since the last call. */
export function sentMessages({ host, sealing }: Running): { readonly to: string; readonly message: PacketMessage }[] {
  return host.sent
    .splice(0)
    .flatMap(({ packet, to }) => decodePacket(packet, sealing).messages.map(({ message }) => ({ to: to.key, message })))
}

/** The bytes of a stream message as the side of `role` writes them. */
export function streamBytes(
  sealing: Sealing,
  role: 'listener' | 'dialler',
  message: StreamMessage,
  compress = false,
): Uint8Array {
  const body = message.type === 'push-pull' ? encodePushPull(message) : encodeSwimMessage(message)
  return encodeStream(body, { sealing, role, nonce: sealing.keyring && new Uint8Array(12), compress })
}

/** The message in all that was written to a stream, read as the side of `role` does. */
export function readWritten(sealing: Sealing, role: 'listener' | 'dialler', stream: FakeStream): StreamMessage {
  const reader = new StreamReader({ sealing, role })
  let message: StreamMessage | undefined
  for (const bytes of stream.written) message ??= reader.push(bytes)?.message
  assert.ok(message !== undefined, 'a whole message was written')
  return message
}

/** What a cluster of so many tells. All have left: nobody probes them. */
export function largeState(count: number): PushPull {
  const members = Array.from({ length: count }, (_, at) => ({
    name: `ghost-${at}`,
    addr: Uint8Array.of(10, 9, at >> 8, at & 0xff),
    port: 7946,
    meta: encodeTags({}),
    incarnation: 1,
    state: 3,
    vsn: Uint8Array.of(1, 5, 2, 2, 5, 5),
  }))
  return { type: 'push-pull', join: false, members, userState: NO_BYTES }
}

export function alive(number: number, incarnation = 1): Alive {
  const { ip: addr, port } = addressOf(number)
  const vsn = Uint8Array.of(1, 5, 2, 2, 5, 5)
  return { type: 'alive', node: `ghost-${number}`, incarnation, addr, port, meta: encodeTags({}), vsn }
}
