// Seeded randomness: the protocol never rolls dice of its own, it is handed these.
// xoshiro128** (Blackman, Vigna: "Scrambled Linear Pseudorandom Number Generators", 2018), seeded through SplitMix32
// so that near seeds give unrelated sequences. Not for secrets: nonces and keys come from the host's entropy.

/** A stream of random numbers that replays from its seed. */
export class Random {
  #a: number
  #b: number
  #c: number
  #d: number

  /** @param seed any 32-bit whole number */
  constructor(seed: number) {
    let state = seed >>> 0
    const next = (): number => {
      state = (state + 0x9e3779b9) >>> 0
      let mixed = state
      mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
      return (mixed ^ (mixed >>> 16)) >>> 0
    }
    this.#a = next()
    this.#b = next()
    this.#c = next()
    this.#d = next() | 1 // never all zero
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number {
    const scrambled = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0
    const shifted = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= shifted
    this.#d = rotateLeft(this.#d, 11)
    return scrambled
  }

  /** A number in [0, 1), with 32 bits of it. */
  fraction(): number {
    return this.uint32() / 0x1_0000_0000
  }

  /** A whole number in [0, bound). `bound` is at least 1. The bias is below bound / 2^32. */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound)
  }

  /** Fisher-Yates, in place. */
  shuffle<Item>(items: Item[]): Item[] {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.below(last + 1)
      const held = items[last] as Item
      items[last] = items[other] as Item
      items[other] = held
    }
    return items
  }

  /** A fresh stream, unrelated to what this one gives next. */
  fork(): Random {
    return new Random(this.uint32())
  }
}

function rotateLeft(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by))
}
