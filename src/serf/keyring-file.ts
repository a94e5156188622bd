// What a keyring file holds: a list of base64 keys in JSON, the first is primary, laid out as Serf's agent lays it out and reads it
// (serf-behaviour §33). Text and keys only: who reads and writes the file is not known here. No error shows a key.
import { utf8 } from '../base/bytes.ts'
import { DecodeError, OptionsError } from '../base/errors.ts'
import { formatKey, Keyring, parseKey } from '../wire/keyring.ts'

/** More is no keyring: two thousand keys of the largest size. Each costs an attempt to decrypt whatever no key opens. */
export const MAX_KEYRING_FILE_BYTES = 102_400

/** Throws `DecodeError` where the bytes are no such list, or one of nothing. */
export function parseKeyringFile(bytes: Uint8Array): Keyring {
  const keys = parseList(bytes)
  if (keys.length === 0) throw new DecodeError('it holds no keys')
  try {
    return new Keyring(keys.map((key, at) => parseKey(key, `the key at ${at}`)))
  } catch (error) {
    if (error instanceof OptionsError) throw new DecodeError(`${error.option}: ${error.limit}`)
    throw error
  }
}

export function formatKeyringFile(keys: readonly Uint8Array[]): Uint8Array {
  return utf8(JSON.stringify(keys.map(formatKey), null, 2))
}

function parseList(bytes: Uint8Array): readonly string[] {
  let list: unknown
  try {
    list = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    // What the parser says quotes the text, which may be keys.
    throw new DecodeError('it is no JSON')
  }
  if (!Array.isArray(list) || list.some((key) => typeof key !== 'string')) {
    throw new DecodeError('it is no list of keys in base64')
  }
  return list
}
