// The target with sockets: a member in a process of its own, fed over UDP and TCP on loopback at the pace it can read. Meanwhile
// somebody keeps asking it whether it is there, and a peer, a real member, must never come to doubt it. At the end every stranger is
// taken back, and the heap must be what it was.
import { createSocket } from 'node:dgram'
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { Random } from '../../src/base/random.ts'
import { Membership } from '../../src/index.ts'
import { encodePacket } from '../../src/wire/packet.ts'
import { encodeSwimMessage } from '../../src/wire/swim-messages.ts'
import { type Answers, Asker, pingPacket, roundTrip, type Target } from './asker.ts'
import { confinedHost } from './confined.ts'
import { inputAt } from './generate.ts'
import { VICTIM } from './hostile.ts'
import { type Input, SEALINGS } from './input.ts'
import type { LiveReport } from './live-member.ts'
import { LiveMember } from './live-process.ts'

/** One input in so many comes as a stream. */
const STREAM_EVERY = 10
/** Packets under way that the member has not read yet: what a socket buffer of 208 KiB surely holds of ours. */
const WINDOW_BYTES = 65_536
/** Streams of ours open at once. */
const STREAMS_AT_ONCE = 32
const QUIET_WITHIN_MS = 60_000

export interface LiveRun {
  readonly seed: number
  readonly inputs: number
}

export interface LiveOutcome {
  readonly inputs: number
  readonly packets: number
  /** Packets the system dropped before the member could read them, for its socket buffer was full. */
  readonly packetsDropped: number
  readonly streams: number
  readonly ms: number
  readonly before: LiveReport
  readonly after: LiveReport
  readonly answers: Answers
  /** What the peer came to think of the member: each time it suspected it, or held it for dead. */
  readonly doubts: number
}

const PEER = 'friend'
/** The cluster has no key. */
const noNonce = (): Uint8Array => new Uint8Array(12)
/** So that the strangers that a run invents can be told of and forgotten within it. */
const FORGETFUL = {
  gossipIntervalMs: 5,
  gossipToTheDeadMs: 100,
  reapIntervalMs: 100,
  reconnectTimeoutMs: 1,
  tombstoneTimeoutMs: 1,
  recentIntentTimeoutMs: 1,
} as const

/** Feeds a live member of the plain cluster, where everything gets inside. */
export async function runLive({ seed, inputs }: LiveRun): Promise<LiveOutcome> {
  const { live, first } = await LiveMember.start({
    name: VICTIM,
    bind: '127.0.0.1:0',
    tags: { role: 'victim' },
    streamTimeoutMs: 1000,
    ...FORGETFUL,
  })
  const target = targetOf(first)
  const peer = new Membership({ ...FORGETFUL, name: PEER, bind: '127.0.0.1:0', host: confinedHost() })
  let doubts = 0
  for (const type of ['member-suspect', 'member-dead', 'member-left'] as const) {
    peer.on(type, ({ member }) => {
      if (member.name === VICTIM) doubts++
    })
  }
  const udp = createSocket('udp4')
  const asker = new Asker(target, VICTIM, SEALINGS.plain, noNonce)
  try {
    await peer.join([first.address], { required: true })
    // A first part warms up: code and buffers are made once.
    await attack({ seed: seed ^ 0xaaaa, inputs: Math.min(inputs, 4000), target, udp })
    const before = await quiet(live, target, udp)
    const droppedBefore = droppedAt(target)
    asker.start()
    const began = performance.now()
    const fed = await attack({ seed, inputs, target, udp })
    const ms = performance.now() - began
    const answers = await asker.stop()
    const after = await quiet(live, target, udp)
    const packetsDropped = droppedAt(target) - droppedBefore
    return { inputs, ...fed, packetsDropped, ms, before, after, answers, doubts }
  } finally {
    await new Promise<void>((resolve) => udp.close(resolve))
    await peer.close()
    await live.stop()
  }
}

interface Attack extends LiveRun {
  readonly target: Target
  readonly udp: ReturnType<typeof createSocket>
}

async function attack({ seed, inputs, target, udp }: Attack): Promise<{ packets: number; streams: number }> {
  const random = new Random(seed)
  const open = new Set<Promise<void>>()
  let [packets, streams, window] = [0, 0, 0]
  for (let number = 0; number < inputs; number++) {
    if (number % STREAM_EVERY === 0) {
      streams++
      const one = throwAt(target, inputAt(seed, 'stream', number), random).finally(() => open.delete(one))
      open.add(one)
      if (open.size >= STREAMS_AT_ONCE) await Promise.race(open)
      continue
    }
    const { bytes } = inputAt(seed, 'packet', number)
    if (bytes.length === 0) continue
    packets++
    window += bytes.length + 512
    await send(udp, bytes, target)
    if (window < WINDOW_BYTES) continue
    window = 0
    // Its answer comes after it has read all that came before.
    await roundTrip(target, () => pingPacket(VICTIM, 1, SEALINGS.plain, noNonce))
  }
  await Promise.all(open)
  return { packets, streams }
}

function send(udp: Attack['udp'], bytes: Uint8Array, { port, host }: Target): Promise<void> {
  return new Promise((resolve) => udp.send(bytes, port, host, () => resolve()))
}

/** Opens a stream, says the bytes in some pieces, ends it in one of three ways, and waits for its end. */
function throwAt({ port, host }: Target, { bytes }: Input, random: Random): Promise<void> {
  const way = random.below(3)
  const cut = random.below(bytes.length + 1)
  return new Promise((resolve) => {
    const socket = connect(port, host, () => {
      socket.setNoDelay(true)
      socket.write(bytes.subarray(0, cut))
      setImmediate(() => {
        if (socket.destroyed) return
        if (way === 0) {
          socket.write(bytes.subarray(cut), () => socket.resetAndDestroy())
        } else if (way === 1) {
          socket.end(bytes.subarray(cut))
        } else {
          // Left open: the member has to end it.
          socket.write(bytes.subarray(cut))
        }
      })
    })
    socket.on('error', () => {})
    socket.on('data', () => {})
    socket.on('close', () => resolve())
  })
}

/** Takes back every stranger (they say goodbye), waits until the member has forgotten them and rests, and gives its report. */
async function quiet(live: LiveMember, target: Target, udp: Attack['udp']): Promise<LiveReport> {
  const until = performance.now() + QUIET_WITHIN_MS
  for (;;) {
    const report = await live.report()
    const strangers = report.known.filter(([name]) => name !== VICTIM && name !== PEER)
    const isQuiet = strangers.length === 0 && report.stats.queued <= 1 && report.stats.streamsOpen === 0
    if (isQuiet || performance.now() > until) return report
    for (const [node, incarnation] of strangers) {
      const goodbye = encodeSwimMessage({ type: 'dead', incarnation, node, from: node })
      await send(
        udp,
        encodePacket([goodbye], { sealing: SEALINGS.plain, nonce: undefined, compress: false, crc: false }),
        target,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** Datagrams that Linux dropped at the UDP socket of this port so far; 0 on other systems, which do not tell. */
function droppedAt({ port }: Target): number {
  if (!existsSync('/proc/net/udp')) return 0
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = readFileSync('/proc/net/udp', 'utf8').trim().split('\n').slice(1)
  const row = rows.map((line) => line.trim().split(/\s+/)).find((columns) => columns[1]?.endsWith(local))
  if (row === undefined) throw new Error(`no UDP socket at port ${port}`)
  return Number(row.at(-1))
}

export function targetOf({ address }: LiveReport): Target {
  const at = address.lastIndexOf(':')
  return { host: address.slice(0, at), port: Number(address.slice(at + 1)) }
}
