// Structured values for payloads: what `packPayload` takes, with keys, numbers and depths at the edge, then MessagePack that no packer of
// ours makes. Made from the `Random` handed in.
import type { Random } from '../../src/base/random.ts'
import { packPayload } from '../../src/pack.ts'
import { joined, mutated, pick, randomBytes } from './mutate.ts'

const TEXTS = [
  '',
  'a',
  'role',
  '__proto__',
  'constructor',
  'toJSON',
  'then',
  'ünïcödé-名前-🦀',
  'x'.repeat(40),
  'y'.repeat(300),
]
const NUMBERS = [
  0,
  -1,
  127,
  128,
  -33,
  65_536,
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  0.5,
  1e300,
  Number.NaN,
  Number.POSITIVE_INFINITY,
]
const INTEGERS = [0n, 5n, 2n ** 53n + 1n, 2n ** 64n - 1n, -(2n ** 63n)]
/** Heads and values that end badly, or mean something to a reader that trusts them. */
const HEADS = [
  'c1',
  'c7',
  'd4',
  'd47200',
  'd6ff00000000',
  'dbffffffff',
  'ddffffffff',
  'dfffffffff',
  'de0002',
  '81c0',
  '8190',
  'a1ff',
  'a2c0af',
]

function value(random: Random, depth: number): unknown {
  switch (random.below(depth === 0 ? 6 : 9)) {
    case 0:
      return pick([null, true, false], random)
    case 1:
      return pick(NUMBERS, random)
    case 2:
      return pick(INTEGERS, random)
    case 3:
      return pick(TEXTS, random)
    case 4:
      return randomBytes(random.below(20), random)
    case 5:
      return (random.uint32() | 0) / pick([1, 3], random)
    case 6:
      return Array.from({ length: random.below(random.below(20) === 0 ? 300 : 5) }, () => value(random, depth - 1))
    default:
      return Object.fromEntries(
        Array.from({ length: random.below(random.below(20) === 0 ? 40 : 4) }, () => [
          pick(TEXTS, random),
          value(random, depth - 1),
        ]),
      )
  }
}

function packed(random: Random): Uint8Array {
  return packPayload([value(random, random.below(6))])
}

/** Noise, a whole one, a spoilt one, one under many levels, or one with a bad end. */
export function structuredPayload(random: Random): Uint8Array {
  const dice = random.below(20)
  if (dice === 0) return randomBytes(random.below(80), random)
  if (dice <= 2) return packed(random)
  if (dice === 3) return joined(new Uint8Array(random.below(200)).fill(pick([0x91, 0x81], random)), packed(random))
  if (dice === 4) return joined(packed(random).slice(0, random.below(8)), Buffer.from(pick(HEADS, random), 'hex'))
  return mutated(packed(random), random, () => packed(random))
}
