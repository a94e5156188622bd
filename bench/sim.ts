// What whole simulated clusters cost: a storm of joins until all agree, then the quiet after it, in processor time and memory of one
// process. Virtual time and counts are the same in every run with one seed; the rest depends on the machine.
// Run with `npm run bench:sim -- [--members 1000] [--seconds 60] [--seed 1]`, which gives V8 room: its young generation is large, and so
// collected seldom, and the old one may grow to what three thousand members take.
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { Cluster } from '../src/sim/cluster.ts'

const { values } = parseArgs({
  options: {
    members: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
  },
})
const members = Number(values.members)
const seconds = Number(values.seconds)
/** Virtual time that news of the joins may take to run dry. */
const QUIET_WITHIN_MS = 600_000
const QUIET_EVERY_MS = 1_000
const SETTLED_WITHIN_MS = 600_000

interface Reading {
  readonly virtualMs: number
  readonly cpuMs: number
  readonly wallMs: number
  readonly steps: number
  readonly packets: number
  readonly bytes: number
}

const cluster = new Cluster({ seed: Number(values.seed), transcript: 'off', keepsEvents: false })

console.log(`# ${members} members, lan, seed ${values.seed}; ${cpus().length} cores, Node ${process.version}`)
console.log(
  [
    'phase'.padEnd(24),
    ...['virtual s', 'cpu s', 'wall s', 'steps', 'packets', 'MB', 'RSS MiB'].map((head) => head.padStart(10)),
  ].join(''),
)
await measure('join storm', async () => {
  await cluster.start(members, { withinMs: SETTLED_WITHIN_MS })
  await cluster.settle({ withinMs: SETTLED_WITHIN_MS })
})
await measure('until nothing is told', () =>
  cluster.until(isQuiet, { withinMs: QUIET_WITHIN_MS, everyMs: QUIET_EVERY_MS, what: 'all news is told' }),
)
await measure(`joined, ${seconds} s`, () => cluster.run(seconds * 1000))
const { maxRSS } = process.resourceUsage()
console.log(
  `peak RSS ${Math.round(maxRSS / 1024)} MiB, ${Math.round((maxRSS * 1024) / members ** 2)} B a pair of members`,
)

/** What a phase left behind is collected before the next one is measured. */
async function measure(what: string, phase: () => Promise<void>): Promise<void> {
  ;(globalThis as { readonly gc?: () => void }).gc?.()
  const before = read()
  await phase()
  const after = read()
  const figures = [
    ((after.virtualMs - before.virtualMs) / 1000).toFixed(1),
    ((after.cpuMs - before.cpuMs) / 1000).toFixed(2),
    ((after.wallMs - before.wallMs) / 1000).toFixed(2),
    String(after.steps - before.steps),
    String(after.packets - before.packets),
    ((after.bytes - before.bytes) / 1e6).toFixed(1),
    String(Math.round(process.memoryUsage.rss() / 2 ** 20)),
  ]
  console.log([what.padEnd(24), ...figures.map((figure) => figure.padStart(10))].join(''))
}

function read(): Reading {
  const { user, system } = process.cpuUsage()
  const { schedule, network } = cluster.simulation
  const { packets, bytes } = network.traffic.delivered
  return {
    virtualMs: cluster.now,
    cpuMs: (user + system) / 1000,
    wallMs: performance.now(),
    steps: schedule.steps,
    packets,
    bytes,
  }
}

function isQuiet(): boolean {
  return cluster.names.every((name) => cluster.member(name).stats().queued === 0)
}
