// AES-GCM by node:crypto, in the shape wire/encrypt.ts asks for. Knows nothing of frames, versions or keyrings.
// What comes out never shares memory with what went in, nor with Node's buffer pool: a caller may keep a slice of it.
import { type CipherGCMTypes, createCipheriv, createDecipheriv } from 'node:crypto'
import type { Cipher } from '../wire/encrypt.ts'

/** The full tag: 16 bytes. Shorter ones are never accepted. */
const TAG_BYTES = 16
const TAG_LENGTH = { authTagLength: TAG_BYTES }

export const nodeCipher: Cipher = { seal, open }

function seal(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array, additional: Uint8Array): Uint8Array {
  const cipher = createCipheriv(variantOf(key), key, nonce, TAG_LENGTH)
  cipher.setAAD(additional)
  const sealed = new Uint8Array(plain.length + TAG_BYTES)
  sealed.set(cipher.update(plain))
  cipher.final() // a counter mode leaves nothing to flush
  sealed.set(cipher.getAuthTag(), plain.length)
  return sealed
}

function open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, additional: Uint8Array): Uint8Array | undefined {
  const plainBytes = sealed.length - TAG_BYTES
  if (plainBytes < 0) return undefined
  try {
    const decipher = createDecipheriv(variantOf(key), key, nonce, TAG_LENGTH)
    decipher.setAAD(additional)
    decipher.setAuthTag(sealed.subarray(plainBytes))
    const plain = decipher.update(sealed.subarray(0, plainBytes))
    decipher.final()
    return new Uint8Array(plain.buffer, plain.byteOffset, plain.length)
  } catch {
    return undefined
  }
}

/** An impossible key length gives an unknown name, which node:crypto refuses. */
function variantOf(key: Uint8Array): CipherGCMTypes {
  return `aes-${key.length * 8}-gcm` as CipherGCMTypes
}
