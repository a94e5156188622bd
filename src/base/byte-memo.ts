// What was made of byte strings lately, for whoever meets the same ones again and again: gossip brings each claim a dozen times. Holds a
// bounded number, and forgets one for another; what it gives is what would be made anew. Knows nothing of what the bytes mean.

interface Entry<Value> {
  readonly hash: number
  readonly key: Uint8Array
  readonly value: Value
}

/** A table in which each byte string has two places. Finding and keeping cost one look at the bytes, whatever they are. */
export class ByteMemo<Value> {
  readonly #entries: (Entry<Value> | undefined)[]
  readonly #mask: number

  /** @param slots how many values are kept at most, a power of two up to 65,536 */
  constructor(slots: number) {
    this.#entries = new Array<Entry<Value> | undefined>(slots).fill(undefined)
    this.#mask = slots - 1
  }

  /** What is kept for the bytes from `start` to `end`; `undefined` where nothing is. */
  find(bytes: Uint8Array, start = 0, end: number = bytes.length): Value | undefined {
    const hash = hashOf(bytes, start, end)
    const first = this.#entries[hash & this.#mask]
    if (first?.hash === hash && isSame(first.key, bytes, start, end)) return first.value
    const second = this.#entries[(hash >>> 16) & this.#mask]
    if (second?.hash === hash && isSame(second.key, bytes, start, end)) return second.value
    return undefined
  }

  /** Keeps `value` for `key`, which nobody changes any more. Gives the value. */
  keep(key: Uint8Array, value: Value): Value {
    const hash = hashOf(key, 0, key.length)
    const [first, second] = [hash & this.#mask, (hash >>> 16) & this.#mask]
    const isSecondFree = this.#entries[first] !== undefined && this.#entries[second] === undefined
    this.#entries[isSecondFree ? second : first] = { hash, key, value }
    return value
  }
}

/** Four bytes a step, mixed at the end (the finalizer of MurmurHash3, Appleby): all 32 bits are used, as two places. Not for keeping
 *  strangers from making two strings meet: then one of them is made anew, as without the table. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start
  let at = start
  for (; at + 4 <= end; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    hash = Math.imul(hash ^ word, 0x9e3779b1)
    hash ^= hash >>> 15
  }
  for (; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

function isSame(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const { length } = key
  if (length !== end - start) return false
  for (let at = 0; at < length; at++) if (key[at] !== bytes[start + at]) return false
  return true
}
