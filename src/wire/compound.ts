// Several messages in one packet: `07 | count | lengths, two bytes each | messages`. Knows nothing of what the messages say.
// Source: wire-protocol §3.6.
import { assert } from '../base/assert.ts'
import { DecodeError } from '../base/errors.ts'
import { MAX_COMPOUND_COUNT, MAX_COMPOUND_PART_BYTES } from './limits.ts'
import { SwimType } from './types.ts'

/** What a compound costs once: type and count. */
export const COMPOUND_OVERHEAD_BYTES = 2
/** What each message in a compound costs beyond its own bytes: its length. */
export const PART_OVERHEAD_BYTES = 2

/** At most 255 parts of at most 65,535 bytes each. */
export function encodeCompound(parts: readonly Uint8Array[]): Uint8Array {
  assert(parts.length <= MAX_COMPOUND_COUNT, 'a compound counts its messages in one byte')
  let length = COMPOUND_OVERHEAD_BYTES + PART_OVERHEAD_BYTES * parts.length
  let at = length
  for (const part of parts) length += part.length
  const all = new Uint8Array(length)
  all[0] = SwimType.compound
  all[1] = parts.length
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as Uint8Array
    assert(part.length <= MAX_COMPOUND_PART_BYTES, 'a compound gives the length of a message in two bytes')
    all[2 + 2 * index] = part.length >> 8
    all[3 + 2 * index] = part.length & 0xff
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Where the parts of a compound stand, and whether the last ones are missing. */
export interface DecodedCompound {
  /** The parts that are whole: one from each of these places to the next. Some may be empty. */
  readonly bounds: readonly number[]
  /** What the header announces. */
  readonly count: number
}

/** Takes a compound apart, type byte first. Throws `DecodeError` where the table of lengths is cut; bytes behind the last part are ignored. */
export function decodeCompound(bytes: Uint8Array): DecodedCompound {
  const count = bytes[1]
  if (count === undefined) throw new DecodeError('compound without a count')
  let at = COMPOUND_OVERHEAD_BYTES + PART_OVERHEAD_BYTES * count
  if (at > bytes.length) throw new DecodeError(`compound of ${count} with a table cut at ${bytes.length} bytes`)
  const bounds = [at]
  for (let index = 0; index < count; index++) {
    const length = ((bytes[2 + 2 * index] as number) << 8) | (bytes[3 + 2 * index] as number)
    if (at + length > bytes.length) break
    at += length
    bounds.push(at)
  }
  return { bounds, count }
}
