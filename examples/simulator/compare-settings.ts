// Two settings side by side, on the same networks with the same faults: how long a crash goes unnoticed, and how often somebody is accused
// who is well. Prints a table. What is measured so is good for a choice between settings, in this scenario; it is no promise.
//
//   npx tsx examples/simulator/compare-settings.ts --seeds 10
import { parseArgs } from 'node:util'
import { Cluster, type SimMemberOptions } from 'rollcall/sim'

const MEMBERS = 12
const SETTINGS: Readonly<Record<string, SimMemberOptions>> = {
  'as it comes': {},
  'twice as quick': { probeIntervalMs: 500, probeTimeoutMs: 250, suspicionMult: 2 },
}

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '10' } } })

interface Found {
  /** Virtual ms from a crash until all others know. */
  readonly detectionMs: number
  readonly accusations: number
  readonly bytesPerSecond: number
}

async function measure(seed: number, options: SimMemberOptions): Promise<Found> {
  const cluster = new Cluster({
    seed,
    options,
    transcript: 'off',
    lossRatio: 0.05,
    latencyMs: { kind: 'exponential', minMs: 5, meanMs: 40 },
  })
  await cluster.start(MEMBERS)
  await cluster.settle()
  cluster.lag('m-2', { minMs: 0, maxMs: 400 })
  const { sent } = cluster.simulation.network.traffic
  const before = sent.bytes
  await cluster.run(60_000)
  const bytesPerSecond = (sent.bytes - before) / 60 / MEMBERS
  const accusations = cluster.events.filter(({ type }) => type === 'member-suspect').length
  cluster.crash('m-9')
  const crashedAt = cluster.now
  await cluster.until(() => cluster.allHold('m-9', 'dead'), { withinMs: 300_000 })
  const detectionMs = cluster.now - crashedAt
  await cluster.close()
  return { detectionMs, accusations, bytesPerSecond }
}

console.log(`${MEMBERS} members, 5 % lost, 45 ms one way on average, one member reads late; ${values.seeds} seeds`)
console.log('setting           all know after (median)   accusations of the living   bytes/s a member')
for (const [name, options] of Object.entries(SETTINGS)) {
  const found: Found[] = []
  for (let seed = 1; seed <= Number(values.seeds); seed++) found.push(await measure(seed, options))
  const times = found.map(({ detectionMs }) => detectionMs).sort((left, right) => left - right)
  const median = (times[Math.floor(times.length / 2)] as number) / 1_000
  const accusations = found.reduce((sum, one) => sum + one.accusations, 0) / found.length
  const bytes = found.reduce((sum, one) => sum + one.bytesPerSecond, 0) / found.length
  console.log(
    `${name.padEnd(16)}  ${`${median.toFixed(1)} s`.padStart(23)}   ${accusations.toFixed(1).padStart(25)}   ${bytes.toFixed(0).padStart(16)}`,
  )
}
