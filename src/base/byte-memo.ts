// What was made of byte strings lately, for whoever meets the same ones again and again: gossip brings each claim a dozen times. Holds a
// bounded number, and forgets one for another; what it gives is what would be made anew. Knows nothing of what the bytes mean.

interface Entry<Value> {
  readonly hash: number
  readonly key: Uint8Array
  readonly value: Value
}

/** The crowd that tables are made for, before anybody has said how large it is, and the largest that they follow. Strangers can make one up,
 *  and fill a table for the largest with the longest strings: up to some 20 MiB, of all tables 60. */
const LEAST_CROWD = 256
const MOST_CROWD = 4096

let crowd = LEAST_CROWD
const followers: ByteMemo<unknown>[] = []

/** A table of the whole process that holds so many strings of each of a crowd. */
export function crowdMemo<Value>(perHead: 1 | 2): ByteMemo<Value> {
  const memo = new ByteMemo<Value>(perHead * crowd)
  followers.push(memo)
  return memo
}

/** Somebody in this process knows so many. Tables grow by it, and stay: whoever comes after will know as many. */
export function expectCrowd(heads: number): void {
  while (crowd < heads && crowd < MOST_CROWD) {
    crowd *= 2
    for (const memo of followers) memo.double()
  }
}

/** As many as the tables have room for: a power of two. */
export function crowdSize(): number {
  return crowd
}

/** A table in which each byte string has two places. Finding and keeping cost one look at the bytes, whatever they are. */
export class ByteMemo<Value> {
  #entries: (Entry<Value> | undefined)[]
  #mask: number

  /** @param slots how many values are kept at most, a power of two up to 65,536 */
  constructor(slots: number) {
    this.#entries = new Array<Entry<Value> | undefined>(slots).fill(undefined)
    this.#mask = slots - 1
  }

  /** Makes twice the room; what was kept is kept, but for what two would share a place. */
  double(): void {
    const before = this.#entries
    this.#entries = new Array<Entry<Value> | undefined>(2 * before.length).fill(undefined)
    this.#mask = this.#entries.length - 1
    for (const entry of before) if (entry !== undefined) this.#place(entry)
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
    this.#place({ hash: hashOf(key, 0, key.length), key, value })
    return value
  }

  #place(entry: Entry<Value>): void {
    const [first, second] = [entry.hash & this.#mask, (entry.hash >>> 16) & this.#mask]
    const isSecondFree = this.#entries[first] !== undefined && this.#entries[second] === undefined
    this.#entries[isSecondFree ? second : first] = entry
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
