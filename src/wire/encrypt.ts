// AES-GCM as memberlist frames it: `version | nonce | ciphertext and tag`. This room owns the shape of a cipher; a host
// brings one, and the nonces. Version 1 seals the bytes as they are, version 0 (memberlist protocol 1) pads them first.
// The version byte is not authenticated. Source: wire-protocol §3.3 and §4.3; the texts are memberlist's, since a
// listener sends them on to the dialler.
import { assert } from '../base/assert.ts'
import { DecryptError } from '../base/errors.ts'
import type { Keyring } from './keyring.ts'

/** AES in Galois/counter mode; the key's length (16, 24 or 32) chooses the variant. */
export interface Cipher {
  /** Ciphertext followed by the 16-byte tag. */
  seal(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array, additional: Uint8Array): Uint8Array
  /** The plain bytes, or `undefined` where the tag does not fit. */
  open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, additional: Uint8Array): Uint8Array | undefined
}

/** 1 wherever the cluster speaks memberlist protocol 2 or above, which Serf always does. */
export type EncryptionVersion = 0 | 1

export const NONCE_BYTES = 12
const TAG_BYTES = 16
const BLOCK_BYTES = 16
/** What version 1 adds: version, nonce and tag. */
export const SEAL_OVERHEAD_BYTES: number = 1 + NONCE_BYTES + TAG_BYTES
/** What version 0 adds at most: a whole block of padding besides. */
export const PADDED_SEAL_OVERHEAD_BYTES: number = SEAL_OVERHEAD_BYTES + BLOCK_BYTES

/** How many bytes `plainBytes` become. */
export function sealedLength(plainBytes: number, version: EncryptionVersion): number {
  return SEAL_OVERHEAD_BYTES + plainBytes + (version === 0 ? paddingOf(plainBytes) : 0)
}

/** Seals `plain` with the primary key. `nonce`: 12 bytes, never the same twice under one key. */
export function seal(
  plain: Uint8Array,
  keyring: Keyring,
  cipher: Cipher,
  nonce: Uint8Array,
  version: EncryptionVersion,
  additional: Uint8Array,
): Uint8Array {
  assert(nonce.length === NONCE_BYTES, 'a nonce has 12 bytes')
  const sealed = cipher.seal(keyring.primary, nonce, version === 0 ? pad(plain) : plain, additional)
  const all = new Uint8Array(1 + NONCE_BYTES + sealed.length)
  all[0] = version
  all.set(nonce, 1)
  all.set(sealed, 1 + NONCE_BYTES)
  return all
}

/** What `open` found. */
export interface Opened {
  readonly plain: Uint8Array
  readonly version: EncryptionVersion
  /** Which key of the ring fitted; 0 is the primary. */
  readonly keyIndex: number
}

/** Opens what `seal` made, with the first key that fits. Throws `DecryptError` where none does or the bytes are no such thing. */
export function open(bytes: Uint8Array, keyring: Keyring, cipher: Cipher, additional: Uint8Array): Opened {
  const version = bytes[0]
  if (version === undefined) throw new DecryptError('cannot decrypt empty payload')
  if (version !== 0 && version !== 1) throw new DecryptError(`unsupported encryption version ${version}`)
  const least = version === 0 ? PADDED_SEAL_OVERHEAD_BYTES : SEAL_OVERHEAD_BYTES
  if (bytes.length < least) throw new DecryptError(`payload is too small to decrypt: ${bytes.length}`)
  const nonce = bytes.subarray(1, 1 + NONCE_BYTES)
  const sealed = bytes.subarray(1 + NONCE_BYTES)
  const keys = keyring.inOrder
  for (let keyIndex = 0; keyIndex < keys.length; keyIndex++) {
    const plain = cipher.open(keys[keyIndex] as Uint8Array, nonce, sealed, additional)
    if (plain !== undefined) return { plain: version === 0 ? unpad(plain) : plain, version, keyIndex }
  }
  throw new DecryptError('no installed keys could decrypt the message')
}

/** PKCS#7: as many bytes as are missing to a whole block, each of that value; a block where none is missing. */
function pad(plain: Uint8Array): Uint8Array {
  const padding = paddingOf(plain.length)
  const padded = new Uint8Array(plain.length + padding).fill(padding)
  padded.set(plain)
  return padded
}

function paddingOf(plainBytes: number): number {
  return BLOCK_BYTES - (plainBytes % BLOCK_BYTES)
}

/** The last byte counts; the others are not looked at, as memberlist does not. */
function unpad(padded: Uint8Array): Uint8Array {
  const padding = padded[padded.length - 1] ?? 0
  if (padding > padded.length) throw new DecryptError(`padding of ${padding} in ${padded.length} bytes`)
  return padded.subarray(0, padded.length - padding)
}
