// The codec of `wire/` bound to Node's cipher and entropy, for people who look at traffic: keys as text, a label as text,
// messages as plain objects. Adds no knowledge of the wire; the driver does not use it. Published by `rollcall/wire`, so
// what it is given may be anything: every mistake is an `OptionsError` or a `SizeError`.
import { NO_BYTES, utf8 } from '../base/bytes.ts'
import { checkBoolean, checkKeys, checkObject } from '../base/check.ts'
import { DecodeError, OptionsError } from '../base/errors.ts'
import { type EncryptionVersion, NONCE_BYTES } from '../wire/encrypt.ts'
import { Keyring, parseKey } from '../wire/keyring.ts'
import { MAX_COMPOUND_PART_BYTES, MAX_COMPOUND_PARTS, MAX_LABEL_BYTES, MAX_STREAM_BYTES } from '../wire/limits.ts'
import { checkSize, packetMessage, streamMessage, text } from '../wire/message-rules.ts'
import { type DecodedPacket, decodePacket as decode, encodePacket as encode, type Sealing } from '../wire/packet.ts'
import { encodeStream as encodeWhole, StreamReader, type StreamRole } from '../wire/stream.ts'
import { encodePushPull, encodeStreamUser, encodeSwimMessage } from '../wire/swim-messages.ts'
import type { PacketMessage, StreamMessage } from '../wire/types.ts'
import { nodeCipher } from './cipher.ts'
import { fillWithEntropy } from './entropy.ts'

/** What a cluster's members share. */
export interface WireOptions {
  /** 16, 24 or 32 bytes each, or their base64; the first encrypts, all decrypt. Default: nothing is encrypted. */
  readonly keyring?: readonly (string | Uint8Array)[]
  /** At most 255 bytes. Default: none. */
  readonly label?: string
}

export interface EncodeOptions extends WireOptions {
  /** Default false. A packet keeps the compressed form only where it is smaller, a stream always. */
  readonly compress?: boolean
  /** Default 1; 0 is for members older than memberlist protocol 2. */
  readonly encryptionVersion?: EncryptionVersion
  /** 12 bytes, never used before under this key. Default: random ones. Give it for bytes that must come out the same again. */
  readonly nonce?: Uint8Array
}

export interface EncodePacketOptions extends EncodeOptions {
  /** Put a checksum in front; members of memberlist protocol 5 expect it of each other. Default false. */
  readonly crc?: boolean
}

export interface StreamSide {
  /** Which side is ours: a listener reads what a dialler wrote, and the reverse. Only a dialler sends the label. */
  readonly role: StreamRole
}

/** A datagram as layers and messages.
 *  @throws DecodeError, DecryptError for bytes of which nothing can be used; OptionsError for the options */
export function decodePacket(bytes: Uint8Array, options: WireOptions = {}): DecodedPacket {
  return decode(bytes, sealingOf(options))
}

/** Messages, or their bytes with the type byte first, as one datagram. 1 to 127 of them, each of at most 65,535 bytes; how
 *  large the datagram becomes is the caller's matter.
 *  @throws OptionsError that names the option or the field; SizeError for a message that is too large */
export function encodePacket(
  messages: readonly (PacketMessage | Uint8Array)[],
  options: EncodePacketOptions = {},
): Uint8Array {
  if (!Array.isArray(messages) || messages.length < 1 || messages.length > MAX_COMPOUND_PARTS) {
    throw new OptionsError('messages', messages, `a packet carries 1 to ${MAX_COMPOUND_PARTS} messages`)
  }
  const parts = Array.from(messages, (message, at) => packetPart(`messages[${at}]`, message))
  checkObject('options', options)
  const { crc = false } = options
  checkBoolean('crc', crc)
  return encode(parts, { ...encodingOf(options), crc })
}

/** One side of a stream, whole: its one message. Bytes behind it are ignored.
 *  @throws DecodeError, also where the bytes end too soon; DecryptError; OptionsError */
export function decodeStream(bytes: Uint8Array, options: WireOptions & StreamSide): StreamMessage {
  const found = streamReader(options).push(bytes)
  if (found === undefined) throw new DecodeError('stream message cut short')
  return found.message
}

/** For a stream that comes in pieces: `push` them until it gives the message. Holds at most 20 MiB and 64 KiB. */
export function streamReader(options: WireOptions & StreamSide): StreamReader {
  return new StreamReader({ sealing: sealingOf(options), role: roleOf(options) })
}

/** All that our side of a stream sends. Bytes stand for a message with its type byte (`user`: as `encodeStreamUser` makes it).
 *  @throws OptionsError that names the option or the field; SizeError for more than the other side reads */
export function encodeStream(message: StreamMessage | Uint8Array, options: EncodeOptions & StreamSide): Uint8Array {
  const bytes = encodeWhole(streamBytes(message), { ...encodingOf(options), role: roleOf(options) })
  checkSize('message', bytes, MAX_STREAM_BYTES)
  return bytes
}

function packetPart(option: string, message: PacketMessage | Uint8Array): Uint8Array {
  if (!(message instanceof Uint8Array)) packetMessage(option, message)
  const part = message instanceof Uint8Array ? notEmpty(option, message) : encodeSwimMessage(message)
  checkSize(option, part, MAX_COMPOUND_PART_BYTES)
  return part
}

function streamBytes(message: StreamMessage | Uint8Array): Uint8Array {
  if (message instanceof Uint8Array) return notEmpty('message', message)
  streamMessage('message', message)
  if (message.type === 'push-pull') return encodePushPull(message)
  return message.type === 'user' ? encodeStreamUser(message) : encodeSwimMessage(message)
}

function notEmpty(option: string, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) throw new OptionsError(option, bytes, 'must have a type byte')
  return bytes
}

function roleOf(options: StreamSide): StreamRole {
  checkObject('options', options)
  const { role } = options
  if (role !== 'dialler' && role !== 'listener') throw new OptionsError('role', role, 'must be dialler or listener')
  return role
}

/** Every call takes them all, so that one object may serve to encode and to decode. */
const OPTION_NAMES = [
  'keyring',
  'label',
  'compress',
  'encryptionVersion',
  'nonce',
  'crc',
  'role',
] as const satisfies readonly (keyof (EncodePacketOptions & StreamSide))[]

function sealingOf(options: WireOptions): Sealing {
  checkObject('options', options)
  // Hidden: the value may be a key under a misspelt name.
  checkKeys(options, OPTION_NAMES, true)
  const { keyring, label } = options
  if (keyring !== undefined && !Array.isArray(keyring)) {
    throw new OptionsError('keyring', '(hidden)', 'must be a list of keys')
  }
  return {
    label: label === undefined ? NO_BYTES : labelOf(label),
    keyring: keyring && new Keyring(keyring.map((key, at) => parseKey(key, `keyring[${at}]`))),
    cipher: nodeCipher,
  }
}

function encodingOf(options: EncodeOptions): {
  sealing: Sealing
  nonce: Uint8Array
  compress: boolean
  encryptionVersion: EncryptionVersion
} {
  checkObject('options', options)
  const { compress = false, encryptionVersion = 1, nonce = freshNonce() } = options
  checkBoolean('compress', compress)
  if (encryptionVersion !== 0 && encryptionVersion !== 1) {
    throw new OptionsError('encryptionVersion', encryptionVersion, 'must be 0 or 1')
  }
  if (!(nonce instanceof Uint8Array && nonce.length === NONCE_BYTES)) {
    throw new OptionsError('nonce', nonce, `must be ${NONCE_BYTES} bytes`)
  }
  return { sealing: sealingOf(options), nonce, compress, encryptionVersion }
}

function labelOf(label: string): Uint8Array {
  text('label', label)
  const bytes = utf8(label)
  if (bytes.length > MAX_LABEL_BYTES) {
    throw new OptionsError('label', label, `must be text of at most ${MAX_LABEL_BYTES} bytes`)
  }
  return bytes
}

function freshNonce(): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES)
  fillWithEntropy(nonce)
  return nonce
}
