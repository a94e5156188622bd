// A member's tags as they travel in `alive.meta`: `ff` and a map of strings; or, from Serf protocol 2, a bare role.
// Knows nothing of what a tag means. Source: wire-protocol §8. Tag names come from strangers: they are data.
import { textOf } from '../base/bytes.ts'
import { DecodeError } from '../base/errors.ts'
import { Reader, written } from './msgpack.ts'

const MAGIC = 0xff

/** The bytes for `alive.meta`, the same for the same tags in any order. The caller holds them to `MAX_META_BYTES`. */
export function encodeTags(tags: Readonly<Record<string, string>>): Uint8Array {
  const names = Object.keys(tags).sort()
  return written((writer) => {
    writer.byte(MAGIC)
    writer.mapHead(names.length)
    for (const name of names) {
      writer.text(name)
      writer.text(tags[name] as string)
    }
  })
}

/** What `decodeTags` found. */
export interface DecodedTags {
  /** Frozen, and without a prototype's surprises: every name is an own property. */
  readonly tags: Readonly<Record<string, string>>
  /** False where the bytes broke off or were no tags; `tags` holds the pairs before that place. */
  readonly complete: boolean
}

/** Reads `alive.meta`. Never throws: a member with broken tags is a member all the same. */
export function decodeTags(meta: Uint8Array): DecodedTags {
  if (meta[0] !== MAGIC) {
    const role = textOf(meta)
    return role === undefined ? made([], false) : made([['role', role]], true)
  }
  const pairs: [string, string][] = []
  try {
    const reader = new Reader(meta, 1)
    if (reader.isNil()) return made(pairs, true)
    // Go takes a list for a map here, and its length for the number of pairs; they run out half-way.
    const isList = (reader.peek() & 0xf0) === 0x90
    const count = isList ? reader.arrayLength() : reader.mapLength()
    for (let left = count; left > 0; left--) {
      const name = reader.text()
      pairs.push([name, reader.text()])
    }
    return made(pairs, !isList)
  } catch (error) {
    if (error instanceof DecodeError) return made(pairs, false)
    throw error
  }
}

function made(pairs: readonly (readonly [string, string])[], complete: boolean): DecodedTags {
  return { tags: Object.freeze(Object.fromEntries(pairs)), complete }
}
