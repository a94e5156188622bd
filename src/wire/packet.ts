// A datagram: messages, and the layers around them. `label( encrypt( crc( compress( compound( ... ) ) ) ) )`, each of them
// optional. Inside the checksum, compound and compress may nest in any order; we send them at most as drawn.
// No byte says "this is encrypted": whoever has keys takes everything for encrypted. Source: wire-protocol §3.
import { assert } from '../base/assert.ts'
import { DecodeError, DecryptError } from '../base/errors.ts'
import { crc32 } from './checksum.ts'
import { decodeCompound, encodeCompound } from './compound.ts'
import { unwrapCompressed, wrapIfSmaller } from './compress.ts'
import type { Cipher, EncryptionVersion } from './encrypt.ts'
import { open, PADDED_SEAL_OVERHEAD_BYTES, SEAL_OVERHEAD_BYTES, seal } from './encrypt.ts'
import type { Keyring } from './keyring.ts'
import { addLabel, checkLabel, labelHeaderLength, labelOverhead } from './label.ts'
import {
  MAX_COMPOUND_PARTS,
  MAX_INFLATED_PACKET_BYTES,
  MAX_LAYER_DEPTH,
  MAX_PACKET_PARTS,
  MAX_PACKET_PROBLEMS,
} from './limits.ts'
import { decodePacketMessage } from './swim-messages.ts'
import type { PacketMessage } from './types.ts'
import { SwimType } from './types.ts'

export { COMPOUND_OVERHEAD_BYTES, PART_OVERHEAD_BYTES } from './compound.ts'

/** What a cluster's members share to keep others out. */
export interface Sealing {
  /** Empty: none. At most 255 bytes. */
  readonly label: Uint8Array
  /** `undefined`: nothing is encrypted. */
  readonly keyring: Keyring | undefined
  readonly cipher: Cipher
  /** False: with a keyring, plain bytes are taken all the same. For the time in which a cluster turns encryption on. */
  readonly verifyIncoming?: boolean
  /** False: with a keyring, plain bytes are sent all the same. */
  readonly verifyOutgoing?: boolean
}

/** The keys to seal with; `undefined` where plain bytes are sent. */
export function keysToSeal({ keyring, verifyOutgoing = true }: Sealing): Keyring | undefined {
  return verifyOutgoing ? keyring : undefined
}

/** What stood around the messages, in the order it was met. */
export type Layer =
  | { readonly kind: 'label'; readonly label: Uint8Array }
  | { readonly kind: 'encrypt'; readonly version: EncryptionVersion; readonly keyIndex: number }
  | { readonly kind: 'crc'; readonly checksum: number }
  | { readonly kind: 'compress'; readonly packedBytes: number; readonly plainBytes: number }
  | { readonly kind: 'compound'; readonly count: number }

/** A message and its own bytes, type byte first: what a rebroadcast sends. The bytes may share memory with the packet. */
export interface PacketLeaf {
  readonly message: PacketMessage
  readonly bytes: Uint8Array
}

/** Reads the message that stands in `all` from `start` to `end`. Throws `DecodeError`. */
export type ReadLeaf = (all: Uint8Array, start: number, end: number) => PacketLeaf

/** Reads it anew; its bytes share memory with the packet. */
export const readLeaf: ReadLeaf = (all, start, end) => {
  const bytes = start === 0 && end === all.length ? all : all.subarray(start, end)
  return { message: decodePacketMessage(bytes), bytes }
}

export interface DecodedPacket {
  readonly layers: readonly Layer[]
  /** In the order of the wire. */
  readonly messages: readonly PacketLeaf[]
  /** What was wrong with single parts of a compound. The others are in `messages`. */
  readonly problems: readonly DecodeError[]
}

/** Takes a datagram apart. Throws `DecodeError` or `DecryptError` where nothing in it can be used because of a layer
 *  around everything, or because its only message is broken.
 *  @param read reads each message; may give one that was read from the same bytes before */
export function decodePacket(bytes: Uint8Array, sealing: Sealing, read: ReadLeaf = readLeaf): DecodedPacket {
  const layers: Layer[] = []
  const headerLength = labelHeaderLength(bytes, bytes.length)
  if (headerLength === undefined && bytes.length > 0) throw new DecodeError('label cut short')
  checkLabel(bytes, headerLength ?? 0, sealing.label)
  if (headerLength) layers.push({ kind: 'label', label: sealing.label })
  let inner = headerLength ? bytes.subarray(headerLength) : bytes
  if (sealing.keyring !== undefined) inner = unseal(inner, sealing, sealing.keyring, layers)
  if (inner[0] === SwimType.crc && inner.length >= CRC_OVERHEAD_BYTES) inner = checkCrc(inner, layers)
  const taken: Taken = { read, layers, messages: [], problems: [], inflatable: MAX_INFLATED_PACKET_BYTES, parts: 0 }
  takeApart(inner, 0, inner.length, taken, 0)
  return { layers, messages: taken.messages, problems: taken.problems }
}

/** How a datagram is put together. */
export interface PacketOptions {
  readonly sealing: Sealing
  /** 12 bytes, never used before under this key; `undefined` only where nothing is encrypted. */
  readonly nonce: Uint8Array | undefined
  /** Try LZW, and keep it where it is smaller. */
  readonly compress: boolean
  /** Only for targets whose protocol maximum is 5 or more. */
  readonly crc: boolean
  /** 1 by default. */
  readonly encryptionVersion?: EncryptionVersion
}

/** Puts messages (type byte first, at most 127) into one datagram: one as it is, several as a compound. */
export function encodePacket(parts: readonly Uint8Array[], options: PacketOptions): Uint8Array {
  const { sealing, nonce, compress, crc, encryptionVersion = 1 } = options
  assert(parts.length >= 1 && parts.length <= MAX_COMPOUND_PARTS, 'a packet carries 1 to 127 messages')
  let inner = parts.length === 1 ? (parts[0] as Uint8Array) : encodeCompound(parts)
  if (compress) inner = wrapIfSmaller(inner)
  if (crc) inner = addCrc(inner)
  const keyring = keysToSeal(sealing)
  if (keyring !== undefined) {
    assert(nonce !== undefined, 'what is encrypted has a nonce')
    inner = seal(inner, keyring, sealing.cipher, nonce, encryptionVersion, sealing.label)
  }
  return addLabel(sealing.label, inner)
}

/** Bytes that the layers add at most. The rest of a packet is for the messages: a compound costs `COMPOUND_OVERHEAD_BYTES`
 *  once and `PART_OVERHEAD_BYTES` for each message. */
export function packetOverhead(
  sealing: Pick<Sealing, 'label' | 'keyring'>,
  crc: boolean,
  encryptionVersion: EncryptionVersion = 1,
): number {
  const sealed = encryptionVersion === 0 ? PADDED_SEAL_OVERHEAD_BYTES : SEAL_OVERHEAD_BYTES
  const encryption = sealing.keyring === undefined ? 0 : sealed
  return labelOverhead(sealing.label) + encryption + (crc ? CRC_OVERHEAD_BYTES : 0)
}

/** What the encryption held. Where plain bytes may come too, whatever no key opens is taken for those: nothing marks the one or the other. */
function unseal(bytes: Uint8Array, sealing: Sealing, keyring: Keyring, layers: Layer[]): Uint8Array {
  const { cipher, label, verifyIncoming = true } = sealing
  try {
    const { plain, version, keyIndex } = open(bytes, keyring, cipher, label)
    layers.push({ kind: 'encrypt', version, keyIndex })
    return plain
  } catch (error) {
    if (error instanceof DecryptError && !verifyIncoming) return bytes
    throw error
  }
}

/** Type and sum. */
const CRC_OVERHEAD_BYTES = 5

function addCrc(inner: Uint8Array): Uint8Array {
  const all = new Uint8Array(CRC_OVERHEAD_BYTES + inner.length)
  const checksum = crc32(inner)
  all[0] = SwimType.crc
  for (let at = 1; at < CRC_OVERHEAD_BYTES; at++) all[at] = checksum >>> (8 * (4 - at))
  all.set(inner, CRC_OVERHEAD_BYTES)
  return all
}

function checkCrc(bytes: Uint8Array, layers: Layer[]): Uint8Array {
  let claimed = 0
  for (let at = 1; at < CRC_OVERHEAD_BYTES; at++) claimed = claimed * 256 + (bytes[at] as number)
  const checksum = crc32(bytes, CRC_OVERHEAD_BYTES)
  if (checksum !== claimed) throw new DecodeError(`checksum ${checksum.toString(16)}, claimed ${claimed.toString(16)}`)
  layers.push({ kind: 'crc', checksum })
  return bytes.subarray(CRC_OVERHEAD_BYTES)
}

/** What one datagram came to so far. */
interface Taken {
  readonly read: ReadLeaf
  readonly layers: Layer[]
  readonly messages: PacketLeaf[]
  readonly problems: DecodeError[]
  /** Bytes that compress layers may still unfold to, all together: a compound of bombs is one bomb. */
  inflatable: number
  /** Parts of compounds met so far. */
  parts: number
}

/** Takes apart what stands in `all` from `start` to `end`. */
function takeApart(all: Uint8Array, start: number, end: number, taken: Taken, depth: number): void {
  const type = start < end ? all[start] : undefined
  if (type !== SwimType.compound && type !== SwimType.compress) {
    taken.messages.push(taken.read(all, start, end))
    return
  }
  if (depth === MAX_LAYER_DEPTH) throw new DecodeError(`more than ${MAX_LAYER_DEPTH} layers`)
  const bytes = all.subarray(start, end)
  if (type === SwimType.compress) {
    const plain = unwrapCompressed(bytes, taken.inflatable)
    taken.inflatable -= plain.length
    taken.layers.push({ kind: 'compress', packedBytes: bytes.length, plainBytes: plain.length })
    takeApart(plain, 0, plain.length, taken, depth + 1)
    return
  }
  const { bounds, count } = decodeCompound(bytes)
  const parts = bounds.length - 1
  taken.parts += parts
  if (taken.parts > MAX_PACKET_PARTS) throw new DecodeError(`more than ${MAX_PACKET_PARTS} messages in a packet`)
  taken.layers.push({ kind: 'compound', count })
  for (let index = 0; index < parts; index++) {
    if (taken.problems.length > MAX_PACKET_PROBLEMS) return
    try {
      takeApart(bytes, bounds[index] as number, bounds[index + 1] as number, taken, depth + 1)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      const isLast = taken.problems.length === MAX_PACKET_PROBLEMS
      taken.problems.push(
        isLast ? new DecodeError(`more than ${MAX_PACKET_PROBLEMS} broken messages in a packet`) : error,
      )
    }
  }
  const missing = count - parts
  if (missing > 0) taken.problems.push(new DecodeError(`${missing} messages of a compound are cut off`))
}
