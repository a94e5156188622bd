// One input for each number: the same seed, kind and number always give the same bytes, so that any of a million replays alone. Draws on
// the golden vectors, on hostile.ts and on mutate.ts, and seals the result again so that it reaches the inside. Judges nothing.
import { Random } from '../../src/base/random.ts'
import { encodeCompound } from '../../src/wire/compound.ts'
import { wrapCompressed } from '../../src/wire/compress.ts'
import { decodePacket, encodePacket, type Sealing } from '../../src/wire/packet.ts'
import { encodeSerfMessage } from '../../src/wire/serf-messages.ts'
import { encodeStream } from '../../src/wire/stream.ts'
import { encodePushPull, encodeStreamUser, encodeSwimMessage } from '../../src/wire/swim-messages.ts'
import { sealingOf, vectorsOf } from '../unit/wire/vectors.ts'
import { hostilePacketMessage, hostilePushPull, hostileSerfMessage, hostileUserState } from './hostile.ts'
import { CLUSTERS, type ClusterKind, type Doorway, type Input, SEALINGS } from './input.ts'
import { joined, MAX_DATAGRAM_BYTES, mutated, pick, randomBytes } from './mutate.ts'
import { structuredPayload } from './structured.ts'

/** What the golden vectors give to begin with. */
interface Material {
  /** Whole datagrams, of any cluster. */
  readonly packets: readonly Uint8Array[]
  /** Messages of datagrams, type byte first. */
  readonly messages: readonly Uint8Array[]
  /** Whole sides of streams. */
  readonly streams: readonly Uint8Array[]
  /** Unsealed messages of streams. */
  readonly bodies: readonly Uint8Array[]
  readonly serf: readonly Uint8Array[]
  readonly tags: readonly Uint8Array[]
}

let material: Material | undefined

/** Reads the vectors, once. */
function vectors(): Material {
  material ??= readVectors()
  return material
}

function readVectors(): Material {
  const all = ['memberlist-packets', 'memberlist-malformed', 'memberlist-messages', 'memberlist-streams', 'captures']
    .concat(['serf-messages', 'serf-tags', 'serf-behaviour'])
    .flatMap(vectorsOf)
    .filter(({ bytes }) => bytes.length < 4096)
  const of = (layer: string): Uint8Array[] => all.filter((vector) => vector.layer === layer).map(({ bytes }) => bytes)
  const messages = [...of('memberlist-message')]
  for (const vector of all.filter(({ layer }) => layer === 'udp-packet')) {
    try {
      messages.push(...decodePacket(vector.bytes, sealingOf(vector.params)).messages.map(({ bytes }) => bytes.slice()))
    } catch {
      // A vector that is to be refused gives its whole bytes only.
    }
  }
  const random = new Random(1)
  const bodies = Array.from({ length: 40 }, () => encodePushPull(hostilePushPull(random)))
  const streams = [...of('tcp-stream'), ...of('tcp-answer')]
  return {
    packets: of('udp-packet'),
    messages,
    streams,
    bodies: [...bodies, ...streams.filter(([type]) => type !== 10 && type !== 244)],
    serf: of('serf-message'),
    tags: of('node-meta'),
  }
}

/** The input of this number. */
export function inputAt(seed: number, doorway: Doorway, number: number): Input {
  const random = new Random(
    Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b) ^ doorway.length,
  )
  const cluster = pick(CLUSTERS, random)
  return { doorway, cluster, bytes: bytesFor(doorway, cluster, random) }
}

function bytesFor(doorway: Doorway, cluster: ClusterKind, random: Random): Uint8Array {
  switch (doorway) {
    case 'packet':
      return packet(SEALINGS[cluster], random)
    case 'stream':
    case 'answer':
      return stream(SEALINGS[cluster], doorway === 'stream' ? 'dialler' : 'listener', random)
    case 'serf':
      return serfMessage(random)
    case 'tags':
      return random.below(8) === 0 ? randomBytes(random.below(80), random) : mutatedOf(vectors().tags, random)
    case 'payload':
      return structuredPayload(random)
  }
}

/** Noise, a spoilt whole, or spoilt and hostile messages under whole layers; the last mostly, for they get inside. */
function packet(sealing: Sealing, random: Random): Uint8Array {
  const dice = random.below(20)
  if (dice === 0) return randomBytes(random.below(random.below(30) === 0 ? 20_000 : 200), random)
  if (dice <= 3) return mutatedOf(vectors().packets, random)
  const count = random.below(3) === 0 ? 1 + random.below(random.below(50) === 0 ? 127 : 8) : 1
  const parts: Uint8Array[] = []
  let left = MAX_DATAGRAM_BYTES - 100
  while (parts.length < count) {
    const part = packetMessage(random)
    if (part.length > left) break
    left -= part.length + 2
    parts.push(part)
  }
  const whole = parts.length === 0 ? randomBytes(60, random) : sealedPacket(parts, sealing, random)
  return dice <= 6 ? mutated(whole, random, () => pick(vectors().packets, random)) : whole
}

function packetMessage(random: Random): Uint8Array {
  const dice = random.below(10)
  if (dice === 0) return joined(Uint8Array.of(8), serfMessage(random))
  const isHostile = dice <= 5
  const bytes = isHostile ? encodeSwimMessage(hostilePacketMessage(random)) : pick(vectors().messages, random)
  return isHostile && random.below(3) > 0 ? bytes : mutated(bytes, random, () => pick(vectors().messages, random))
}

/** Whole layers, spoilt ones inside a whole seal, or layers upon layers. */
function sealedPacket(parts: readonly Uint8Array[], sealing: Sealing, random: Random): Uint8Array {
  const options = {
    sealing,
    nonce: nonceFor(sealing, random),
    compress: random.below(4) === 0,
    crc: random.below(4) === 0,
  }
  if (random.below(6) > 0) return encodePacket(parts, options)
  let inner = parts.length === 1 ? (parts[0] as Uint8Array) : encodeCompound(parts.slice(0, 127))
  for (let layers = 1 + random.below(random.below(8) === 0 ? 10 : 2); layers > 0; layers--) {
    inner = random.below(2) === 0 ? wrapCompressed(inner) : encodeCompound([inner])
    if (inner.length > 60_000) break
  }
  if (random.below(2) === 0) inner = mutated(inner, random, () => pick(vectors().packets, random))
  return encodePacket([inner], { ...options, compress: false })
}

function stream(sealing: Sealing, role: 'dialler' | 'listener', random: Random): Uint8Array {
  const dice = random.below(20)
  if (dice === 0) return randomBytes(random.below(300), random)
  if (dice <= 3) return mutatedOf(vectors().streams, random)
  const body = streamBody(random)
  const whole = encodeStream(body, { sealing, role, nonce: nonceFor(sealing, random), compress: random.below(3) === 0 })
  return dice <= 6 ? mutated(whole, random, () => pick(vectors().streams, random)) : whole
}

function streamBody(random: Random): Uint8Array {
  const other = (): Uint8Array => pick(vectors().bodies, random)
  switch (random.below(8)) {
    case 0:
      return encodeSwimMessage(hostilePacketMessage(random))
    case 1:
      return encodeStreamUser({ type: 'user', payload: serfMessage(random) })
    case 2:
      return encodeSwimMessage({ type: 'error', error: 'e'.repeat(random.below(600)) })
    case 3:
    case 4:
      return mutated(other(), random, other)
    case 5:
      return encodePushPull({ ...hostilePushPull(random), userState: mutated(hostileUserState(random), random, other) })
    default:
      return encodePushPull(hostilePushPull(random))
  }
}

function serfMessage(random: Random): Uint8Array {
  const isHostile = random.below(2) === 0
  const bytes = isHostile ? encodeSerfMessage(hostileSerfMessage(random)) : pick(vectors().serf, random)
  return isHostile && random.below(2) === 0 ? bytes : mutated(bytes, random, () => pick(vectors().serf, random))
}

function mutatedOf(pool: readonly Uint8Array[], random: Random): Uint8Array {
  return mutated(pick(pool, random), random, () => pick(pool, random))
}

function nonceFor({ keyring }: Sealing, random: Random): Uint8Array | undefined {
  return keyring === undefined ? undefined : randomBytes(12, random)
}
