// What a member costs that does nothing: packets, bytes, processor time and wake-ups a second, of Node members and of Go programs with
// the current Serf inside (test/interop/peers), one process each, one cluster after the other, in one run on one machine. Counts must agree within 5 %: both speak the
// same protocol with the same numbers. Time depends on the machine; only its ratio means something.
// npm run bench:steady -- [--sizes 50,100] [--window seconds] [--encrypted]      Linux, root, `go`, `ip`, `iptables`

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { pushPullIntervalMs } from '../src/swim/formulas.ts'
import { PROFILES } from '../src/swim/options.ts'
import { goMissing } from '../test/interop/support/go-build.ts'
import { lacksNamespaces } from '../test/interop/support/netns.ts'
import { Cluster, type ClusterOptions } from './steady/cluster.ts'
import { type Counts, countTraffic, readCounts } from './steady/counters.ts'

/** The bound of the counts' ratios. */
const TOLERANCE = 0.05
/** Settled: two looks in a row, this far apart, saw the same rate of packets. */
const LOOK_MS = 5_000
const SETTLED_WITHIN_MS = 120_000

/** A row of the table: what is counted, and whether Go's count is the measure. */
const ROWS = [
  { what: 'UDP packets', unit: '/s', of: ({ udpPackets }: Counts) => udpPackets, isCount: true },
  { what: 'UDP bytes', unit: '/s', of: ({ udpBytes }: Counts) => udpBytes, isCount: true },
  { what: 'TCP exchanges', unit: '/min', of: ({ tcpStreams }: Counts) => tcpStreams * 60, isCount: true },
  { what: 'TCP packets', unit: '/min', of: ({ tcpPackets }: Counts) => tcpPackets * 60, isCount: false },
  { what: 'TCP bytes', unit: '/s', of: ({ tcpBytes }: Counts) => tcpBytes, isCount: true },
  { what: 'processor', unit: 'ms/s', of: ({ cpuMs }: Counts) => cpuMs, isCount: false },
  { what: 'wake-ups', unit: '/s', of: ({ wakeUps }: Counts) => wakeUps, isCount: false },
] as const

interface Measured {
  readonly rates: readonly number[]
  readonly residentMiB: number
}

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '50,100' },
    window: { type: 'string' },
    encrypted: { type: 'boolean', default: false },
  },
})
const lacks = goMissing() ?? (await lacksNamespaces())
if (lacks !== undefined) throw new Error(`bench:steady cannot run here: ${lacks}`)

const secretKey = values.encrypted ? randomBytes(32).toString('base64') : undefined
const modules = readFileSync(new URL('../test/interop/peers/go.mod', import.meta.url), 'utf8')
const serf = /hashicorp\/(serf v\S+)/.exec(modules)?.[1]
console.log(`# ${cpus().length} cores, Node ${process.version}, ${serf}, lan${values.encrypted ? ', encrypted' : ''}`)
let isBeyond = false
for (const size of values.sizes.split(',').map(Number)) {
  // Every member begins exactly one exchange in such a window, whatever its phase.
  const windowMs = values.window === undefined ? exchangeMs(size) : Number(values.window) * 1000
  const go = await measure({ kind: 'go', members: size, secretKey }, windowMs)
  const node = await measure({ kind: 'node', members: size, secretKey }, windowMs)
  isBeyond = report(size, windowMs, go, node) || isBeyond
}
if (isBeyond) process.exitCode = 1

function exchangeMs(members: number): number {
  return pushPullIntervalMs(PROFILES.lan.pushPullIntervalMs, members)
}

async function measure(options: ClusterOptions, windowMs: number): Promise<Measured> {
  const cluster = await Cluster.start(options)
  const startedAt = performance.now()
  try {
    countTraffic(cluster.place)
    await settle(cluster)
    // A Go member begins its first exchange a random part of an interval after its start, and then a whole period later.
    const firstExchangeMs = PROFILES.lan.pushPullIntervalMs + exchangeMs(options.members)
    await sleep(Math.max(0, startedAt + firstExchangeMs - performance.now()))
    const before = readCounts(cluster.place, cluster.pids)
    await sleep(windowMs)
    const after = readCounts(cluster.place, cluster.pids)
    if (!cluster.knowEachOther())
      throw new Error(`somebody was suspected in the ${options.kind} cluster: measure again`)
    const memberSeconds = (options.members * (after.atMs - before.atMs)) / 1000
    return {
      rates: ROWS.map(({ of }) => (of(after) - of(before)) / memberSeconds),
      residentMiB: after.residentBytes / options.members / 2 ** 20,
    }
  } finally {
    await cluster.stop()
  }
}

/** News of the joins has run dry when packets go out at one rate. */
async function settle(cluster: Cluster): Promise<void> {
  const deadline = performance.now() + SETTLED_WITHIN_MS
  let last = readCounts(cluster.place, [])
  let rate = Number.POSITIVE_INFINITY
  for (;;) {
    await sleep(LOOK_MS)
    const now = readCounts(cluster.place, [])
    const next = (now.udpBytes - last.udpBytes) / (now.atMs - last.atMs)
    if (Math.abs(next - rate) < rate * 0.01) return
    if (performance.now() > deadline) throw new Error(`the ${cluster.kind} cluster does not come to rest`)
    last = now
    rate = next
  }
}

/** Prints the table. True where a count is beyond the tolerance. */
function report(size: number, windowMs: number, go: Measured, node: Measured): boolean {
  console.log(`\n${size} members, ${windowMs / 1000} s, per member`)
  console.log(`${'what'.padEnd(22)}${'Go'.padStart(10)}${'Node'.padStart(10)}${'Node / Go'.padStart(12)}`)
  let isBeyondHere = false
  for (const [index, { what, unit, isCount }] of ROWS.entries()) {
    const [ours, theirs] = [node.rates[index] as number, go.rates[index] as number]
    const isFar = isCount && Math.abs(ours / theirs - 1) > TOLERANCE
    isBeyondHere ||= isFar
    print(`${what} ${unit}`, theirs, ours, isFar ? `  beyond ${100 * TOLERANCE} %` : '')
  }
  print('resident MiB', go.residentMiB, node.residentMiB, '')
  return isBeyondHere
}

function print(what: string, go: number, node: number, remark: string): void {
  const ratio = (node / go).toFixed(3)
  console.log(
    `${what.padEnd(22)}${go.toFixed(3).padStart(10)}${node.toFixed(3).padStart(10)}${ratio.padStart(12)}${remark}`,
  )
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
