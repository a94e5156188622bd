// What a member sends and receives: packets and bytes of the detector and of gossip, and full exchanges over streams. Formulas only; the
// bytes are those of real encoders for a typical message, without what IP, UDP and TCP add and before compression.
import { pushPullIntervalMs, retransmitLimit } from '../swim/formulas.ts'
import type { SwimOptions } from '../swim/options.ts'
import { encodeCoordinate } from '../wire/coordinate.ts'
import { SEAL_OVERHEAD_BYTES } from '../wire/encrypt.ts'
import { COMPOUND_OVERHEAD_BYTES, PART_OVERHEAD_BYTES } from '../wire/packet.ts'
import { encodeSerfMessage } from '../wire/serf-messages.ts'
import { encodePushPull, encodeSwimMessage } from '../wire/swim-messages.ts'
import type { Mistakes } from './plan-mistakes.ts'
import { directFails, type ProbeFigures, type Setting } from './plan-probes.ts'
import { fanoutOf, medianHearingMs, type Spread } from './plan-spread.ts'

/** What decides how long messages are. */
export interface Sizes {
  /** Of a member's name. */
  readonly nameBytes: number
  /** Of its tags, encoded. */
  readonly tagBytes: number
  readonly encrypted: boolean
}

/** Of one member, a second. */
export interface Load {
  readonly packets: number
  readonly bytes: number
}

/** Of one member, a second. */
export interface StreamLoad {
  /** Full exchanges that it begins; it answers as many. */
  readonly exchanges: number
  /** Streams that it opens to ping over them. */
  readonly pings: number
  /** On the streams that it opens and on those that it accepts. */
  readonly sentBytes: number
  readonly receivedBytes: number
}

export interface Traffic {
  readonly sent: Load
  readonly received: Load
  readonly streams: StreamLoad
  /** Share of what gossip can carry that news of suspicions takes. Above 1 news is lost. */
  readonly gossipShare: number
}

const CRC_BYTES = 5
/** Type and length of an encrypted stream. */
const STREAM_FRAME_BYTES = 5
/** A number as it is after the first minutes. */
const SEQ_NO = 40_000
const INCARNATION = 100
const IP = Uint8Array.of(10, 0, 0, 1)
const PORT = 7946
const VSN = new Uint8Array(6)

type MessageKind = 'ping' | 'indirectPing' | 'ack' | 'relayed' | 'suspect' | 'alive'

/** Bytes of each message, type byte first. */
export function messageBytes({ nameBytes, tagBytes }: Sizes): Readonly<Record<MessageKind, number>> {
  const name = 'n'.repeat(nameBytes)
  const source = { sourceAddr: IP, sourcePort: PORT, sourceNode: name }
  const coordinate = encodeCoordinate({ vector: new Array<number>(8).fill(0), error: 1, adjustment: 0, height: 1e-5 })
  const claim = { node: name, incarnation: INCARNATION }
  const size = (message: Parameters<typeof encodeSwimMessage>[0]): number => encodeSwimMessage(message).length
  return {
    ping: size({ type: 'ping', seqNo: SEQ_NO, node: name, ...source }),
    indirectPing: size({
      type: 'indirect-ping',
      seqNo: SEQ_NO,
      target: IP,
      port: PORT,
      node: name,
      nack: true,
      ...source,
    }),
    ack: size({ type: 'ack', seqNo: SEQ_NO, payload: coordinate }),
    relayed: size({ type: 'ack', seqNo: SEQ_NO, payload: null }),
    suspect: size({ type: 'suspect', ...claim, from: name }),
    alive: size({ type: 'alive', ...claim, addr: IP, port: PORT, meta: new Uint8Array(tagBytes), vsn: VSN }),
  }
}

/** Bytes of one side of a full exchange. */
export function exchangeBytes({ nameBytes, tagBytes, encrypted }: Sizes, members: number): number {
  const body = (count: number): number => {
    const names = Array.from({ length: count }, (_, at) => String(at).padStart(nameBytes, 'n').slice(-nameBytes))
    const rows = names.map((name) => {
      return {
        name,
        addr: IP,
        port: PORT,
        meta: new Uint8Array(tagBytes),
        incarnation: INCARNATION,
        state: 0,
        vsn: VSN,
      }
    })
    const userState = encodeSerfMessage({
      type: 'push-pull',
      ltime: 100,
      statusLtimes: new Map(names.map((name) => [name, 100] as const)),
      leftMembers: [],
      eventLtime: 100,
      events: [],
      queryLtime: 100,
    })
    return encodePushPull({ type: 'push-pull', join: false, members: rows, userState }).length
  }
  // Each row is as long as the other.
  const [one, two] = [body(1), body(2)]
  return one + (members - 1) * (two - one) + (encrypted ? STREAM_FRAME_BYTES + SEAL_OVERHEAD_BYTES : 0)
}

export function trafficOf(
  options: SwimOptions,
  setting: Setting,
  sizes: Sizes,
  { probes, spread, mistakes }: { readonly probes: ProbeFigures; readonly spread: Spread; readonly mistakes: Mistakes },
): Traffic {
  const { members, lossRatio } = setting
  const bytes = messageBytes(sizes)
  const sealBytes = sizes.encrypted ? SEAL_OVERHEAD_BYTES : 0
  const { pings, acks, indirectPings, relayed } = probes.packets
  const detectorPackets = pings + acks + indirectPings + relayed
  const detectorBytes =
    pings * bytes.ping +
    acks * bytes.ack +
    indirectPings * bytes.indirectPing +
    relayed * bytes.relayed +
    detectorPackets * sealBytes
  const news = gossipOf(options, setting, detectorPackets, { spread, mistakes })
  const riding = Math.min(1, news.waiting) * detectorPackets
  const gossipPackets = news.packets
  const asked =
    news.suspects * (bytes.suspect + PART_OVERHEAD_BYTES) + news.alives * (bytes.alive + PART_OVERHEAD_BYTES)
  const roomBytes = options.maxPacketBytes - CRC_BYTES - sealBytes - COMPOUND_OVERHEAD_BYTES
  const capacity = news.mostPackets * roomBytes
  const told = capacity === 0 ? 0 : Math.min(asked, capacity)
  const sent: Load = {
    packets: detectorPackets + gossipPackets,
    bytes:
      detectorBytes +
      told +
      gossipPackets * (CRC_BYTES + sealBytes) +
      (riding + gossipPackets) * COMPOUND_OVERHEAD_BYTES,
  }
  const received: Load = { packets: sent.packets * (1 - lossRatio), bytes: sent.bytes * (1 - lossRatio) }
  const exchanges =
    options.pushPullIntervalMs === 0 || members < 2 ? 0 : 1000 / pushPullIntervalMs(options.pushPullIntervalMs, members)
  const streamPings = options.streamPings ? probes.perSecond * directFails(lossRatio) : 0
  const streamBytes = 2 * exchanges * exchangeBytes(sizes, members) + streamPings * (bytes.ping + bytes.relayed)
  return {
    sent,
    received,
    streams: { exchanges, pings: streamPings, sentBytes: streamBytes, receivedBytes: streamBytes },
    gossipShare: capacity === 0 ? 0 : asked / capacity,
  }
}

/** News of accusations and denials, as one member tells it. */
interface News {
  /** Gossip's own packets a second. */
  readonly packets: number
  /** As many as there can be. */
  readonly mostPackets: number
  /** Messages a second, in whatever packets. */
  readonly suspects: number
  readonly alives: number
  /** Share of the time in which something waits to be told. */
  readonly waiting: number
}

/** Every member tells of each suspicion as often as a broadcast is told: of the accusation until it hears the denial, of that to the end. */
function gossipOf(
  options: SwimOptions,
  setting: Setting,
  detectorPackets: number,
  { spread, mistakes }: { readonly spread: Spread; readonly mistakes: Mistakes },
): News {
  const limit = retransmitLimit(options.retransmitMult, setting.members)
  const fanout = fanoutOf(options, setting.members)
  if (options.gossipIntervalMs === 0 || fanout === 0) {
    return { packets: 0, mostPackets: 0, suspects: 0, alives: 0, waiting: 0 }
  }
  const mostPackets = (fanout * 1000) / options.gossipIntervalMs
  const accusing = Math.min(limit, (medianHearingMs(spread, setting) / options.gossipIntervalMs) * fanout)
  const { suspicionsPerSecond } = mistakes
  const [suspects, alives] = [suspicionsPerSecond * accusing, suspicionsPerSecond * limit]
  // Packets of the detector take some of it along.
  const waiting = 1 - Math.exp(-(suspects + alives) / (mostPackets + detectorPackets))
  return { packets: mostPackets * waiting, mostPackets, suspects, alives, waiting }
}
