// Spoiling bytes by chance: blind changes (bits, cuts, splices, length fields) and changes that know MessagePack (nesting, sizes, types,
// double keys). All chance comes from the `Random` handed in. Knows nothing of messages.
import type { Random } from '../../src/base/random.ts'
import { type Span, spansOf } from './msgpack-spans.ts'

/** Nothing grows beyond what a datagram can carry, unless it is for a stream. */
export const MAX_DATAGRAM_BYTES = 65_507

type Mutation = (bytes: Uint8Array, random: Random, other: () => Uint8Array) => Uint8Array

/** One to four changes, one after the other.
 *  @param other another input to splice with */
export function mutated(bytes: Uint8Array, random: Random, other: () => Uint8Array): Uint8Array {
  let result = bytes
  for (let left = 1 + random.below(3) + (random.below(8) === 0 ? 1 : 0); left > 0; left--) {
    result = pick(MUTATIONS, random)(result, random, other)
  }
  return result.length > MAX_DATAGRAM_BYTES ? result.slice(0, MAX_DATAGRAM_BYTES) : result
}

export function pick<Item>(items: readonly Item[], random: Random): Item {
  return items[random.below(items.length)] as Item
}

export function randomBytes(length: number, random: Random): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at++) bytes[at] = random.uint32() >>> 24
  return bytes
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Bytes that mean something at the head of a value, a message or a layer. */
const LOADED = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2,
  0xc4, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcc, 0xcf, 0xd0, 0xd3, 0xd4, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf,
  0xf4, 0xff,
] as const

const flipBits: Mutation = (bytes, random) => {
  const copy = bytes.slice()
  for (let left = 1 + random.below(8); left > 0 && copy.length > 0; left--) {
    const at = random.below(copy.length)
    copy[at] = (copy[at] as number) ^ (1 << random.below(8))
  }
  return copy
}

const loadByte: Mutation = (bytes, random) => {
  const copy = bytes.slice()
  if (copy.length > 0) copy[random.below(copy.length)] = pick(LOADED, random)
  return copy
}

/** The first byte is the type of a message or of a layer. */
const changeType: Mutation = (bytes, random) => {
  const copy = bytes.slice()
  if (copy.length > 0) copy[0] = pick(LOADED, random)
  return copy
}

const cut: Mutation = (bytes, random) => bytes.slice(0, random.below(bytes.length + 1))

const removePart: Mutation = (bytes, random) => {
  const from = random.below(bytes.length + 1)
  return joined(bytes.subarray(0, from), bytes.subarray(Math.min(bytes.length, from + 1 + random.below(16))))
}

const insertRandom: Mutation = (bytes, random) => {
  const at = random.below(bytes.length + 1)
  return joined(bytes.subarray(0, at), randomBytes(1 + random.below(16), random), bytes.subarray(at))
}

const splice: Mutation = (bytes, random, other) => {
  const tail = other()
  return joined(bytes.subarray(0, random.below(bytes.length + 1)), tail.subarray(random.below(tail.length + 1)))
}

const repeatPart: Mutation = (bytes, random) => {
  const from = random.below(bytes.length + 1)
  const part = bytes.subarray(from, Math.min(bytes.length, from + 1 + random.below(64)))
  const times = random.below(16) === 0 ? 200 : 1 + random.below(8)
  return joined(bytes.subarray(0, from), ...Array.from({ length: times }, () => part), bytes.subarray(from))
}

/** Two or four bytes that may be a length, told larger than anything. */
const inflateLength: Mutation = (bytes, random) => {
  const copy = bytes.slice()
  const width = random.below(2) === 0 ? 2 : 4
  if (copy.length < width) return copy
  const at = random.below(copy.length - width + 1)
  const value = pick([0, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, copy.length + 1], random)
  for (let byte = 0; byte < width; byte++) copy[at + byte] = value >>> (8 * (width - 1 - byte))
  return copy
}

/** Values to put where another stood. */
const STRANGE: readonly ((random: Random) => Uint8Array)[] = [
  () => Uint8Array.of(0xc0),
  () => Uint8Array.of(0xc1),
  (random) => Uint8Array.of(random.below(2) === 0 ? 0xc2 : 0xc3),
  () => Uint8Array.of(0xcf, 255, 255, 255, 255, 255, 255, 255, 255),
  () => Uint8Array.of(0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0),
  () => Uint8Array.of(0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0),
  () => Uint8Array.of(0xcf, 0, 0x20, 0, 0, 0, 0, 0, 0),
  () => Uint8Array.of(0xce, 255, 255, 255, 255),
  () => Uint8Array.of(0xd2, 0x80, 0, 0, 0),
  () => Uint8Array.of(0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0),
  () => Uint8Array.of(0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0),
  () => Uint8Array.of(0xca, 0x4f, 0, 0, 0),
  () => Uint8Array.of(0xa0),
  () => Uint8Array.of(0x80),
  () => Uint8Array.of(0x90),
  () => Uint8Array.of(0xd6, 0xff, 0, 0, 0, 0),
  () => Uint8Array.of(0xc7, 3, 5, 1, 2, 3),
  () => Uint8Array.of(0xdb, 255, 255, 255, 255),
  () => Uint8Array.of(0xdd, 255, 255, 255, 255),
  () => Uint8Array.of(0xdf, 255, 255, 255, 255),
  () => Uint8Array.of(0xc6, 0x7f, 255, 255, 255),
  () => Uint8Array.of(0xdd, 0, 15, 66, 64, 0xc0),
  (random) => joined(Uint8Array.of(0xa4), randomBytes(4, random)),
  // Ill-formed text of some length.
  () => joined(Uint8Array.of(0xda, 0, 64), new Uint8Array(64).fill(0xff)),
  // Lists in lists, and maps in maps, ended or not.
  (random) => joined(new Uint8Array(1 + random.below(4000)).fill(0x91), Uint8Array.of(0xc0)),
  (random) =>
    joined(...Array.from({ length: 1 + random.below(200) }, () => Uint8Array.of(0x81, 0xa1, 0x61)), Uint8Array.of(1)),
]

/** What a value may turn into; a value of the same input among it. */
const replaceValue: Mutation = (bytes, random) => {
  const span = anySpan(bytes, random)
  if (span === undefined) return flipBits(bytes, random, () => bytes)
  return replaced(bytes, span, pick(STRANGE, random)(random))
}

const copyValue: Mutation = (bytes, random) => {
  const [from, to] = [anySpan(bytes, random), anySpan(bytes, random)]
  if (from === undefined || to === undefined) return bytes
  return replaced(bytes, to, bytes.subarray(from.at, from.at + from.length))
}

/** A key and its value again, with or without the map knowing. */
const repeatPair: Mutation = (bytes, random) => {
  const spans = spansOf(bytes, 1)
  const at = random.below(Math.max(1, spans.length - 1))
  const [key, value] = [spans[at], spans[at + 1]]
  if (key === undefined || value === undefined || value.at !== key.at + key.length) return bytes
  const pair = bytes.subarray(key.at, value.at + value.length)
  const copy = joined(bytes.subarray(0, key.at), pair, pair, bytes.subarray(value.at + value.length))
  const map = spans.findLast((span) => span.kind === 'map' && span.at < key.at && span.headBytes === 1)
  if (map !== undefined && random.below(4) > 0) copy[map.at] = 0x80 | (((copy[map.at] as number) + 1) & 15)
  return copy
}

const removeValue: Mutation = (bytes, random) => {
  const span = anySpan(bytes, random)
  return span === undefined ? bytes : replaced(bytes, span, new Uint8Array(0))
}

/** A list or a map that counts more or fewer than it holds. */
const miscount: Mutation = (bytes, random) => {
  const span = pickHolder(bytes, random)
  if (span === undefined) return bytes
  const copy = bytes.slice()
  const last = span.at + span.headBytes - 1
  copy[last] = span.headBytes === 1 ? ((copy[last] as number) & 0xf0) | random.below(16) : random.below(256)
  return copy
}

/** A text or bytes as the other family writes them, or far longer than they are. */
const resize: Mutation = (bytes, random) => {
  const spans = spansOf(bytes, 1).filter(({ kind }) => kind === 'bytes')
  const span = spans[random.below(Math.max(1, spans.length))]
  if (span === undefined) return bytes
  const content = bytes.subarray(span.at + span.headBytes, span.at + span.length)
  const size = pick([0, content.length, content.length, 128, 513, 4096, 40_000], random)
  const filled = new Uint8Array(size).fill(0x61)
  filled.set(content.subarray(0, size))
  return replaced(bytes, span, joined(Uint8Array.of(pick([0xda, 0xc5], random), size >> 8, size & 255), filled))
}

const MUTATIONS: readonly Mutation[] = [
  flipBits,
  loadByte,
  changeType,
  cut,
  removePart,
  insertRandom,
  splice,
  repeatPart,
  inflateLength,
  replaceValue,
  replaceValue,
  copyValue,
  repeatPair,
  removeValue,
  miscount,
  resize,
]

function anySpan(bytes: Uint8Array, random: Random): Span | undefined {
  const spans = spansOf(bytes, 1)
  return spans[random.below(Math.max(1, spans.length))]
}

function pickHolder(bytes: Uint8Array, random: Random): Span | undefined {
  const spans = spansOf(bytes, 1).filter(({ kind }) => kind === 'list' || kind === 'map')
  return spans[random.below(Math.max(1, spans.length))]
}

function replaced(bytes: Uint8Array, { at, length }: Span, by: Uint8Array): Uint8Array {
  return joined(bytes.subarray(0, at), by, bytes.subarray(at + length))
}
