// What the codec costs: bytes on the wire, nanoseconds, bytes of memory and allocations an operation.
// Time is measured in this process, under the heap a user's process has; memory in a second one whose young generation
// is so large that a round of operations ends before a collection begins. Knows nothing of sockets or members.
// Go's columns are a table measured elsewhere and earlier: nothing of Go runs here. Run with `npm run bench:codec`.
import { execFileSync, execSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { type HeapProfiler, Session } from 'node:inspector'
import { cpus } from 'node:os'
import { PerformanceObserver } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { NO_BYTES, utf8 } from '../src/base/bytes.ts'
import { nodeCipher } from '../src/node/cipher.ts'
import { crc32 } from '../src/wire/checksum.ts'
import { encodeCompound } from '../src/wire/compound.ts'
import { lzwCompress } from '../src/wire/compress.ts'
import { open, seal } from '../src/wire/encrypt.ts'
import { Keyring } from '../src/wire/keyring.ts'
import type { Sealing } from '../src/wire/packet.ts'
import { decodePacket, encodePacket } from '../src/wire/packet.ts'
import { decodeSerfMessage, encodeSerfMessage } from '../src/wire/serf-messages.ts'
import { StreamReader } from '../src/wire/stream.ts'
import { decodePacketMessage, encodePushPull, encodeSwimMessage } from '../src/wire/swim-messages.ts'
import type { Alive, Ping, PushPull, SerfUserEvent, Suspect } from '../src/wire/types.ts'
import { lzwDecompress } from '../src/wire/unfold.ts'

const PLAIN: Sealing = { label: NO_BYTES, keyring: undefined, cipher: nodeCipher }

const vsn = Uint8Array.of(1, 5, 2, 2, 5, 5)
const ip = Uint8Array.of(10, 200, 0, 17)
const ping: Ping = {
  type: 'ping',
  seqNo: 70_123,
  node: 'node-0017.cluster',
  sourceAddr: ip,
  sourcePort: 7946,
  sourceNode: 'node-0042.clust',
}
const alive: Alive = {
  type: 'alive',
  incarnation: 3,
  node: 'node-0017.cluster',
  addr: ip,
  port: 7946,
  meta: Uint8Array.from([0xff, 0x82, ...utf8('\xa4role').subarray(1), ...new Uint8Array(12).fill(97)]),
  vsn,
}
const suspect: Suspect = { type: 'suspect', incarnation: 3, node: 'node-0017.cluster', from: 'node-0042.cluster' }
const userEvent: SerfUserEvent = {
  type: 'user-event',
  ltime: 1234,
  name: 'deploy-finished',
  payload: new Uint8Array(48).fill(120),
  coalesce: true,
}

function pushPullOf(count: number): PushPull {
  const members = Array.from({ length: count }, (_, at) => ({
    name: `node-${String(at).padStart(5, '0')}.cluster`,
    addr: Uint8Array.of(10, 200, at >> 8, at & 0xff),
    port: 7946,
    meta: alive.meta,
    incarnation: (at % 7) + 1,
    state: 0,
    vsn,
  }))
  return { type: 'push-pull', join: false, members, userState: NO_BYTES }
}

function readPushPull(bytes: Uint8Array): void {
  // In pieces, as a socket gives them.
  const reader = new StreamReader({ sealing: PLAIN, role: 'dialler' })
  for (let at = 0; at < bytes.length; at += 65_536) {
    if (reader.push(bytes.subarray(at, at + 65_536)) !== undefined) return
  }
  throw new Error('the push/pull is not whole')
}

/** A known cost, to judge the method by: 1,400 bytes outside the heap, and two objects on it. */
const CONTROL = 'control: new Uint8Array(1,400)'

interface Row {
  readonly name: string
  readonly run: () => unknown
  readonly wireBytes: number
  /** Published figures for Go's memberlist, ns and B an operation: another machine's. */
  readonly go?: readonly [ns: number, bytes: number]
}

function rows(): Row[] {
  const pingBytes = encodeSwimMessage(ping)
  const aliveBytes = encodeSwimMessage(alive)
  const suspectBytes = encodeSwimMessage(suspect)
  const eventBytes = encodeSerfMessage(userEvent)
  const parts = Array.from({ length: 14 }, (_, at) =>
    encodeSwimMessage({ ...alive, node: `node-${1000 + at}.cluster` }),
  )
  const compound = encodeCompound(parts)
  const thousand = pushPullOf(1000)
  const thousandBytes = encodePushPull(thousand)
  const tenThousand = pushPullOf(10_000)
  const tenThousandBytes = encodePushPull(tenThousand)
  const noise = new Uint8Array(randomBytes(1400))
  const folded = (bytes: Uint8Array): Uint8Array => lzwCompress(bytes) as Uint8Array
  const [pingLzw, compoundLzw, noiseLzw] = [folded(pingBytes), folded(compound), folded(noise)]
  const [thousandLzw, tenThousandLzw] = [folded(thousandBytes), folded(tenThousandBytes)]
  const ring = new Keyring([new Uint8Array(randomBytes(32))])
  const nonce = new Uint8Array(randomBytes(12))
  const sealed = seal(noise, ring, nodeCipher, nonce, 1, NO_BYTES)
  const sealing = { ...PLAIN, keyring: ring }
  const full = encodePacket(parts, { sealing, nonce, compress: true, crc: true })
  return [
    { name: CONTROL, run: () => new Uint8Array(1400), wireBytes: 1400 },
    { name: 'encode ping', run: () => encodeSwimMessage(ping), wireBytes: pingBytes.length, go: [1216, 1288] },
    { name: 'decode ping', run: () => decodePacketMessage(pingBytes), wireBytes: pingBytes.length, go: [1355, 1087] },
    { name: 'encode alive', run: () => encodeSwimMessage(alive), wireBytes: aliveBytes.length, go: [1365, 1320] },
    {
      name: 'decode alive',
      run: () => decodePacketMessage(aliveBytes),
      wireBytes: aliveBytes.length,
      go: [1447, 1008],
    },
    { name: 'encode suspect', run: () => encodeSwimMessage(suspect), wireBytes: suspectBytes.length },
    {
      name: 'decode suspect',
      run: () => decodePacketMessage(suspectBytes),
      wireBytes: suspectBytes.length,
      go: [869, 728],
    },
    {
      name: 'encode user event',
      run: () => encodeSerfMessage(userEvent),
      wireBytes: eventBytes.length,
      go: [1147, 1240],
    },
    {
      name: 'decode user event',
      run: () => decodeSerfMessage(eventBytes),
      wireBytes: eventBytes.length,
      go: [1203, 960],
    },
    { name: 'make compound of 14', run: () => encodeCompound(parts), wireBytes: compound.length, go: [1686, 4108] },
    {
      name: 'open compound of 14',
      run: () => decodePacket(compound, PLAIN),
      wireBytes: compound.length,
      go: [19_390, 14_888],
    },
    { name: 'open it through all layers', run: () => decodePacket(full, sealing), wireBytes: full.length },
    {
      name: 'encode push/pull 1,000',
      run: () => encodePushPull(thousand),
      wireBytes: thousandBytes.length,
      go: [719_508, 701_311],
    },
    {
      name: 'decode push/pull 1,000',
      run: () => readPushPull(thousandBytes),
      wireBytes: thousandBytes.length,
      go: [701_404, 267_818],
    },
    {
      name: 'encode push/pull 10,000',
      run: () => encodePushPull(tenThousand),
      wireBytes: tenThousandBytes.length,
      go: [8_497_916, 6_497_153],
    },
    {
      name: 'decode push/pull 10,000',
      run: () => readPushPull(tenThousandBytes),
      wireBytes: tenThousandBytes.length,
      go: [6_973_111, 2_643_449],
    },
    { name: 'LZW ping', run: () => lzwCompress(pingBytes), wireBytes: pingLzw.length, go: [20_744, 78_936] },
    { name: 'unLZW ping', run: () => lzwDecompress(pingLzw, 65_536), wireBytes: pingLzw.length, go: [7746, 24_152] },
    { name: 'LZW compound', run: () => lzwCompress(compound), wireBytes: compoundLzw.length, go: [27_136, 79_992] },
    {
      name: 'unLZW compound',
      run: () => lzwDecompress(compoundLzw, 65_536),
      wireBytes: compoundLzw.length,
      go: [11_862, 26_744],
    },
    { name: 'LZW random 1,400 B', run: () => lzwCompress(noise), wireBytes: noiseLzw.length, go: [32_381, 82_552] },
    {
      name: 'LZW push/pull 1,000',
      run: () => lzwCompress(thousandBytes),
      wireBytes: thousandLzw.length,
      go: [619_327, 120_952],
    },
    {
      name: 'unLZW push/pull 1,000',
      run: () => lzwDecompress(thousandLzw, 1 << 25),
      wireBytes: thousandLzw.length,
      go: [412_382, 297_720],
    },
    {
      name: 'LZW push/pull 10,000',
      run: () => lzwCompress(tenThousandBytes),
      wireBytes: tenThousandLzw.length,
      go: [6_327_758, 467_832],
    },
    {
      name: 'unLZW push/pull 10,000',
      run: () => lzwDecompress(tenThousandLzw, 1 << 25),
      wireBytes: tenThousandLzw.length,
      go: [3_736_341, 2_250_239],
    },
    { name: 'crc32 1,400 B', run: () => crc32(noise), wireBytes: noise.length, go: [113, 0] },
    {
      name: 'seal AES-256 1,400 B',
      run: () => seal(noise, ring, nodeCipher, nonce, 1, NO_BYTES),
      wireBytes: sealed.length,
      go: [2144, 4040],
    },
    {
      name: 'open AES-256 1,400 B',
      run: () => open(sealed, ring, nodeCipher, NO_BYTES),
      wireBytes: sealed.length,
      go: [950, 2304],
    },
  ]
}

/** Nanoseconds an operation: the best of five rounds of about `roundMs`. */
function time(run: () => unknown, roundMs: number): number {
  let count = 1
  for (;;) {
    const spent = round(run, count)
    if (spent > roundMs / 4) {
      count = Math.max(1, Math.round((count * roundMs) / spent))
      break
    }
    count *= 4
  }
  let best = Number.POSITIVE_INFINITY
  for (let at = 0; at < 5; at++) best = Math.min(best, (round(run, count) / count) * 1e6)
  return best
}

function round(run: () => unknown, count: number): number {
  const start = performance.now()
  for (let at = 0; at < count; at++) run()
  return performance.now() - start
}

/** Mebibytes of each young half: many times what one round allocates. */
const YOUNG_MIB = 512
const ALLOCATION_FLAGS = [
  '--expose-gc',
  `--min-semi-space-size=${YOUNG_MIB}`,
  `--max-semi-space-size=${YOUNG_MIB}`,
] as const
/** What a round may allocate, outside the heap too: V8 collects early when much has gathered there. */
const ROUND_BYTES = 16 << 20
const MAX_ROUND_OPERATIONS = 20_000
const ROUNDS = 5
const LEAST_CLEAN_ROUNDS = 3
const WARM_MS = 200
/** A profile keeps a record of every allocation. */
const PROFILE_SAMPLES = 20_000

interface Cost {
  /** Undefined: `why` says what stood in the way. */
  readonly bytes?: number
  readonly allocations?: number
  readonly why?: string
}

/** What each row allocates. Only in a process started with `ALLOCATION_FLAGS`. */
async function costs(): Promise<Cost[]> {
  const found: Cost[] = []
  for (const { run } of rows()) {
    const start = performance.now()
    while (performance.now() - start < WARM_MS) run()
    found.push(await costOf(run))
  }
  return found
}

async function costOf(run: () => unknown): Promise<Cost> {
  const count = await roundCount(run)
  const clean: number[] = []
  for (let at = 0; at < ROUNDS; at++) {
    const bytes = await growth(run, count)
    if (bytes !== undefined) clean.push(bytes / count)
  }
  if (clean.length < LEAST_CLEAN_ROUNDS) {
    return { why: `a collection fell into ${ROUNDS - clean.length} of ${ROUNDS} rounds of ${count} operations` }
  }
  return { bytes: Math.max(0, median(clean)), allocations: Math.max(0, allocationsOf(run)) }
}

/** Allocations an operation, less what an empty round of the same length shows: the profiler's own. Median of three. */
function allocationsOf(run: () => unknown): number {
  const count = Math.max(1, Math.min(200, Math.floor(PROFILE_SAMPLES / samplesOf(run, 1))))
  return median([1, 2, 3].map(() => (samplesOf(run, count) - samplesOf(() => undefined, count)) / count))
}

/** Operations that allocate about `ROUND_BYTES`, at least one. */
async function roundCount(run: () => unknown): Promise<number> {
  for (let count = 1; count < MAX_ROUND_OPERATIONS; count *= 8) {
    const bytes = (await growth(run, count)) ?? ROUND_BYTES
    if (bytes < ROUND_BYTES / 16) continue
    return Math.min(MAX_ROUND_OPERATIONS, Math.max(1, Math.floor((count * ROUND_BYTES) / bytes)))
  }
  return MAX_ROUND_OPERATIONS
}

/** Bytes by which heap and array buffers grow over a round; undefined if a collection took part of them away. */
async function growth(run: () => unknown, count: number): Promise<number | undefined> {
  globalThis.gc?.()
  await settle() // a collection frees array buffers behind our back, for a while
  const start = performance.now()
  const before = process.memoryUsage()
  round(run, count)
  const after = process.memoryUsage()
  const end = performance.now()
  await settle()
  const disturbed = collections.some((at) => at.start <= end && at.end >= start)
  collections.length = 0
  return disturbed ? undefined : after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers
}

const collections: { readonly start: number; readonly end: number }[] = []

function watchCollections(): PerformanceObserver {
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      collections.push({ start: startTime, end: startTime + duration })
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return observer
}

/** Longer than the observer's delay and the sweeper's work. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10))
}

/** Times that a round asks V8's heap for memory: a sampling interval of one byte makes a sample of each. */
function samplesOf(run: () => unknown, count: number): number {
  const session = new Session()
  session.connect()
  session.post('HeapProfiler.startSampling', {
    samplingInterval: 1,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  })
  round(run, count)
  let samples: number | undefined
  session.post('HeapProfiler.stopSampling', (_, result) => {
    // V8 lists every sample; the types of Node 20 do not say so.
    samples = (result?.profile as HeapProfiler.SamplingHeapProfile & { samples?: unknown[] })?.samples?.length
  })
  session.disconnect()
  if (samples === undefined) throw new Error('the heap profiler gave no profile')
  return samples
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

function costsElsewhere(): Cost[] {
  const args = [...process.execArgv, ...ALLOCATION_FLAGS, fileURLToPath(import.meta.url), 'costs']
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
}

function commit(): string {
  try {
    return execSync('git rev-parse --short HEAD', { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim()
  } catch {
    return 'none'
  }
}

const number = (value: number, digits = 0): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
const cells = (...texts: string[]): string => `| ${texts.join(' | ')} |`

function report(): void {
  const timed = rows().map((row) => ({ ...row, ns: time(row.run, 60) }))
  const memory = costsElsewhere()
  console.log(
    `machine: ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}; node ${process.version}; commit ${commit()}`,
  )
  console.log(`
- ns/op: best of 5 rounds of about 60 ms, with the heap sizes Node chooses by itself.
- B/op: growth of heap and array buffers over a round without a collection, median of at least ${LEAST_CLEAN_ROUNDS} such rounds, in a
  process with ${ALLOCATION_FLAGS[2]}. What OpenSSL takes for itself is not in it.
- allocs/op: samples of V8's heap profiler at an interval of one byte, which is every request for heap memory. Objects
  that optimised code allocates together count once; the bytes of an array buffer, outside the heap, do not count.
  How much the optimiser has removed by then differs from run to run, most for encoding a push/pull.
- Go's columns were NOT measured here: published figures (Go 1.19.8, memberlist 0.2.2) of another machine on another
  day, for messages of nearly the same size. Compare orders of magnitude, not percents.
`)
  const go = '(published, another machine, not measured here)'
  console.log(cells('operation', 'wire bytes', 'ns/op', 'B/op', 'allocs/op', `Go ns/op ${go}`, `Go B/op ${go}`))
  console.log(cells('---', ...Array<string>(6).fill('---:')))
  const missing: string[] = []
  for (const [at, { name, wireBytes, ns, go: published }] of timed.entries()) {
    const { bytes, allocations, why } = memory[at] ?? { why: 'not measured' }
    if (why !== undefined) missing.push(`${name}: no B/op or allocs/op, ${why}`)
    const own = [bytes === undefined ? '-' : number(bytes), allocations === undefined ? '-' : number(allocations, 1)]
    const theirs = published === undefined ? ['', ''] : published.map((value) => number(value))
    console.log(cells(name, number(wireBytes), number(ns), ...own, ...theirs))
  }
  for (const line of missing) console.log(line)
}

if (process.argv[2] === 'costs') {
  const observer = watchCollections()
  console.log(JSON.stringify(await costs()))
  observer.disconnect()
} else {
  report()
}
