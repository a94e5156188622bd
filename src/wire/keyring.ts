// The keys of an encrypted cluster, in the order they are tried. Knows no cipher, and never shows a key in an error.
// Source: serf-behaviour §15; the texts of `limit` are Serf's, which answer key queries with them.
import { copyOf, sameBytes } from '../base/bytes.ts'
import { OptionsError } from '../base/errors.ts'

const WRONG_SIZE = 'key size must be 16, 24 or 32 bytes'
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** AES keys of 16, 24 or 32 bytes; the first encrypts, and every one may decrypt. Never empty. */
export class Keyring {
  #held: readonly Uint8Array[]

  /** Keeps copies. Repeated keys count once. Throws `OptionsError` where a key has the wrong size or there is none. */
  constructor(keys: readonly Uint8Array[]) {
    if (keys.length === 0) throw new OptionsError('keyring', keys, 'at least one key is needed')
    this.#held = []
    for (const key of keys) this.add(key)
  }

  /** The key that encrypts. Ours: not to be written to. */
  get primary(): Uint8Array {
    return this.#held[0] as Uint8Array
  }

  /** Copies of all keys, the primary first. */
  get keys(): readonly Uint8Array[] {
    return this.#held.map(copyOf)
  }

  /** All keys in the order to try them, without copying. Ours: not to be written to. */
  get inOrder(): readonly Uint8Array[] {
    return this.#held
  }

  has(key: Uint8Array): boolean {
    return this.#held.some((held) => sameBytes(held, key))
  }

  /** Appends `key`; nothing where it is held already. Throws `OptionsError` on a wrong size; state unchanged. */
  add(key: Uint8Array): void {
    if (!isKey(key)) throw new OptionsError('keyring', hidden(key), WRONG_SIZE)
    if (!this.has(key)) this.#held = [...this.#held, copyOf(key)]
  }

  /** Makes `key` the primary. Throws `OptionsError` where it is not held; state unchanged. */
  use(key: Uint8Array): void {
    const chosen = this.#held.find((held) => sameBytes(held, key))
    if (chosen === undefined) throw new OptionsError('keyring', key, 'requested key is not in the keyring')
    this.#held = [chosen, ...this.#held.filter((held) => held !== chosen)]
  }

  /** Forgets `key`; nothing where it is not held. Throws `OptionsError` for the primary; state unchanged. */
  remove(key: Uint8Array): void {
    if (sameBytes(this.primary, key)) throw new OptionsError('keyring', key, 'removing the primary key is not allowed')
    this.#held = this.#held.filter((held) => !sameBytes(held, key))
  }
}

/** A key from standard base64 with padding, or from bytes; a fresh copy.
 *  Throws `OptionsError` naming `option`, never showing the key. */
export function parseKey(base64OrBytes: string | Uint8Array, option: string): Uint8Array {
  const key = typeof base64OrBytes === 'string' ? decodeBase64(base64OrBytes) : base64OrBytes
  if (key === undefined) throw new OptionsError(option, '(hidden)', 'a key is standard base64 with padding')
  if (!isKey(key)) throw new OptionsError(option, hidden(key), WRONG_SIZE)
  return copyOf(key)
}

/** Standard base64 with padding, as Serf lists keys. */
export function formatKey(key: Uint8Array): string {
  let text = ''
  for (let at = 0; at < key.length; at += 3) {
    const left = key.length - at
    const bits = ((key[at] as number) << 16) | ((key[at + 1] ?? 0) << 8) | (key[at + 2] ?? 0)
    text += DIGITS.charAt(bits >> 18) + DIGITS.charAt((bits >> 12) & 63)
    text += left > 1 ? DIGITS.charAt((bits >> 6) & 63) : '='
    text += left > 2 ? DIGITS.charAt(bits & 63) : '='
  }
  return text
}

/** Whoever writes no TypeScript may hand us anything: a number would become that many zeros. */
function isKey(key: unknown): key is Uint8Array {
  return key instanceof Uint8Array && (key.length === 16 || key.length === 24 || key.length === 32)
}

/** What an error may say of a value that could be a key. */
function hidden(key: unknown): string {
  return key instanceof Uint8Array ? `(hidden: ${key.length} bytes)` : `(hidden: ${key === null ? 'null' : typeof key})`
}

/** Strict: no white space, no other alphabet, no bits beyond the last byte. */
function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length > 64 || !BASE64.test(text)) return undefined
  const digits = text.replace(/=+$/, '')
  const bytes = new Uint8Array((digits.length * 6) >> 3)
  let bits = 0
  let held = 0
  let at = 0
  for (const digit of digits) {
    held = (held << 6) | DIGITS.indexOf(digit)
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = (held >> bits) & 0xff
      held &= (1 << bits) - 1
    }
  }
  return held === 0 ? bytes : undefined
}
