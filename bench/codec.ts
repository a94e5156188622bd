// What the codec costs: nanoseconds, bytes of heap and collections an operation, and bytes on the wire.
// Beside each figure stands Go's for the same operation, from a table that was measured elsewhere and earlier: it is NOT
// of this run. Run with `npm run bench:codec` (it needs --expose-gc).
import { execSync } from 'node:child_process'
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { cpus } from 'node:os'
import { PerformanceObserver } from 'node:perf_hooks'
import { NO_BYTES, utf8 } from '../src/base/bytes.ts'
import { crc32 } from '../src/wire/checksum.ts'
import { encodeCompound } from '../src/wire/compound.ts'
import { lzwCompress, lzwDecompress } from '../src/wire/compress.ts'
import type { Cipher } from '../src/wire/encrypt.ts'
import { open, seal } from '../src/wire/encrypt.ts'
import { Keyring } from '../src/wire/keyring.ts'
import type { Sealing } from '../src/wire/packet.ts'
import { decodePacket, encodePacket } from '../src/wire/packet.ts'
import { decodeSerfMessage, encodeSerfMessage } from '../src/wire/serf-messages.ts'
import { StreamReader } from '../src/wire/stream.ts'
import { decodePacketMessage, encodePushPull, encodeSwimMessage } from '../src/wire/swim-messages.ts'
import type { Alive, Ping, PushPull, SerfUserEvent, Suspect } from '../src/wire/types.ts'

const collect = globalThis.gc
if (collect === undefined) throw new Error('run with --expose-gc')

const cipher: Cipher = {
  seal(key, nonce, plain, additional) {
    const aes = createCipheriv('aes-256-gcm', key, nonce).setAAD(additional)
    return Buffer.concat([aes.update(plain), aes.final(), aes.getAuthTag()])
  },
  open(key, nonce, sealed, additional) {
    const aes = createDecipheriv('aes-256-gcm', key, nonce).setAAD(additional)
    aes.setAuthTag(sealed.subarray(-16))
    return Buffer.concat([aes.update(sealed.subarray(0, -16)), aes.final()])
  },
}
const PLAIN: Sealing = { label: NO_BYTES, keyring: undefined, cipher }

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

interface Row {
  readonly name: string
  readonly run: () => unknown
  readonly wireBytes: number
  /** Published figures for Go's memberlist, ns and B an operation. */
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
  const sealed = seal(noise, ring, cipher, nonce, 1, NO_BYTES)
  const sealing = { ...PLAIN, keyring: ring }
  const full = encodePacket(parts, { sealing, nonce, compress: true, crc: true })
  return [
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
      run: () => seal(noise, ring, cipher, nonce, 1, NO_BYTES),
      wireBytes: sealed.length,
      go: [2144, 4040],
    },
    {
      name: 'open AES-256 1,400 B',
      run: () => open(sealed, ring, cipher, NO_BYTES),
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

/** Bytes of memory an operation, over so many that fit between two collections; the memory outside the heap counts. */
function allocated(run: () => unknown, ns: number): number {
  const count = Math.max(1, Math.min(2000, Math.round(2e7 / Math.max(ns, 1))))
  let least = Number.POSITIVE_INFINITY
  for (let at = 0; at < 3; at++) {
    collect?.()
    const before = process.memoryUsage()
    for (let turn = 0; turn < count; turn++) run()
    const after = process.memoryUsage()
    const grown = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers
    if (grown >= 0) least = Math.min(least, grown / count)
  }
  return least
}

let collections = 0
const observer = new PerformanceObserver((list) => {
  collections += list.getEntries().length
})
observer.observe({ entryTypes: ['gc'] })

/** Collections that a fixed count of operations causes. */
async function collectionsOf(run: () => unknown, count: number): Promise<number> {
  collect?.()
  await settle()
  collections = 0
  for (let at = 0; at < count; at++) run()
  await settle()
  return collections
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5))
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

const number = (value: number): string => Math.round(value).toLocaleString('en-US')
const cells = (...texts: string[]): string => `| ${texts.join(' | ')} |`

console.log(`machine: ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}; node ${process.version}; commit ${commit()}`)
console.log(
  '"Go, published" is a table measured on another day with the same bytes, not in this run: compare orders, not percents.',
)
console.log('Collections are counted over as many operations as take about 200 ms.\n')
console.log(
  cells(
    'operation',
    'wire bytes',
    'ns/op',
    'B/op',
    'operations',
    'collections',
    'Go, published: ns/op',
    'Go, published: B/op',
  ),
)
console.log(cells('---', '---', '---', '---', '---', '---', '---', '---'))
for (const { name, run, wireBytes, go } of rows()) {
  const ns = time(run, 60)
  const bytes = allocated(run, ns)
  const count = Math.max(1, Math.round(2e8 / ns))
  const seen = await collectionsOf(run, count)
  const [goNs, goBytes] = go === undefined ? ['', ''] : go.map(number)
  console.log(
    cells(name, number(wireBytes), number(ns), number(bytes), number(count), number(seen), goNs ?? '', goBytes ?? ''),
  )
}
observer.disconnect()
