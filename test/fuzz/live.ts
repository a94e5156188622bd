// The target with sockets: a member in a process of its own, fed over UDP and TCP on loopback at the pace it can read. Meanwhile
// somebody keeps asking it whether it is there, and a peer, a real member, must never come to doubt it. At the end every stranger is
// taken back, and the heap must be what it was.
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { Random } from '../../src/base/random.ts'
import { Membership } from '../../src/index.ts'
import { encodePacket } from '../../src/wire/packet.ts'
import { encodeSwimMessage } from '../../src/wire/swim-messages.ts'
import { type Answers, Asker } from './asker.ts'
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
  /** Packets the member's driver counted: the others were lost on the way, for a socket buffer was full. */
  readonly packetsRead: number
  readonly streams: number
  readonly ms: number
  readonly before: LiveReport
  readonly after: LiveReport
  readonly answers: Answers
  /** What the peer came to think of the member: each time it suspected it, or held it for dead. */
  readonly doubts: number
}

const PEER = 'friend'
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
  const asker = new Asker(target, VICTIM, SEALINGS.plain, () => new Uint8Array(12))
  try {
    await peer.join([first.address], { required: true })
    // A first part warms up: code and buffers are made once.
    await attack({ seed: seed ^ 0xaaaa, inputs: Math.min(inputs, 4000), target, udp })
    const before = await quiet(live, target, udp)
    asker.start()
    const began = performance.now()
    const fed = await attack({ seed, inputs, target, udp })
    const ms = performance.now() - began
    const answers = await asker.stop()
    const after = await quiet(live, target, udp)
    const packetsRead = after.stats.packetsReceived - before.stats.packetsReceived
    return { inputs, ...fed, packetsRead, ms, before, after, answers, doubts }
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

interface Target {
  readonly host: string
  readonly port: number
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
    await answered(target)
  }
  await Promise.all(open)
  return { packets, streams }
}

function send(udp: Attack['udp'], bytes: Uint8Array, { port, host }: Target): Promise<void> {
  return new Promise((resolve) => udp.send(bytes, port, host, () => resolve()))
}

/** One ping there and back; a lost one is asked again. */
async function answered({ port, host }: Target): Promise<void> {
  const socket = createSocket('udp4')
  const source = { sourceAddr: null, sourcePort: 0, sourceNode: '' }
  const ping = encodeSwimMessage({ type: 'ping', seqNo: 1, node: VICTIM, ...source })
  const heard = new Promise<void>((resolve) => socket.once('message', () => resolve()))
  socket.send(ping, port, host)
  const again = setInterval(() => socket.send(ping, port, host), 1000)
  await heard
  clearInterval(again)
  await new Promise<void>((resolve) => socket.close(resolve))
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

export function targetOf({ address }: LiveReport): Target {
  const at = address.lastIndexOf(':')
  return { host: address.slice(0, at), port: Number(address.slice(at + 1)) }
}
