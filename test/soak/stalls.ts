// Members of a simulated cluster that stand still and go on, as a process that was stopped or an event loop that was blocked. While one
// stands still, others may come to doubt it. When it goes on, it must doubt nobody, for its own clock is what stood still; and all agree soon.
import { parseArgs } from 'node:util'
import { Random } from '../../src/base/random.ts'
import { Cluster } from '../../src/sim/cluster.ts'

const MEMBERS = 6
const STALLS_MS = [2000, 5000, 30_000] as const
/** How long its word counts as said on waking: whole probes of its own, but not another's accusations that it passes on. */
const WATCHED_MS = 5000
const SETTLE_MS = 180_000

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '50' }, seed: { type: 'string', default: '1' } },
})
const base = Number(values.seed)
const count = Number(values.seeds)
let failed = 0
for (const stallMs of STALLS_MS) {
  let accused = 0
  let longestMs = 0
  for (let seed = base; seed < base + count; seed++) {
    // Slow links: a probe is under way for long enough to be caught by the stall.
    const cluster = new Cluster({ seed, latencyMs: { minMs: 10, maxMs: 60 } })
    try {
      const { accusations, tookMs } = await stall(cluster, stallMs, new Random(seed))
      accused += accusations.length
      longestMs = Math.max(longestMs, tookMs)
      if (accusations.length > 0) throw new Error(`on waking it accused ${accusations.join(', ')}`)
    } catch (error) {
      failed++
      console.error(`${stallMs} ms, seed ${seed}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  console.log(
    `stalls of ${stallMs / 1000} s: ${count} seeds from ${base}, ${accused} accusations, all agreed within ${(longestMs / 1000).toFixed(1)} s`,
  )
}
if (failed > 0) {
  console.error(`FAILED: ${failed} of ${STALLS_MS.length * count} runs`)
  process.exitCode = 1
}

async function stall(
  cluster: Cluster,
  stallMs: number,
  random: Random,
): Promise<{ accusations: string[]; tookMs: number }> {
  await cluster.start(MEMBERS)
  await cluster.settle()
  await cluster.run(5000 + random.below(5000))
  const sleeper = cluster.names[random.below(MEMBERS)] as string
  // In the middle of something: it has just sent a packet, a ping of its own in about every other run.
  const { sent } = cluster.host(sleeper).station.traffic
  const wanted = sent.packets + 1 + random.below(4)
  await cluster.until(() => sent.packets >= wanted, { everyMs: 0, what: 'it sends' })
  cluster.pause(sleeper)
  await cluster.run(stallMs)
  const woke = cluster.now
  cluster.resume(sleeper)
  await cluster.run(WATCHED_MS)
  const accusations = cluster.events
    .filter(({ observer, type, atMs }) => observer === sleeper && atMs >= woke && /suspect|dead/.test(type))
    .map(({ type, about }) => `${about} (${type})`)
  await cluster.until(
    () => cluster.names.every((name) => cluster.member(name).members({ state: 'alive' }).length === MEMBERS),
    { withinMs: SETTLE_MS, everyMs: 100, what: 'all agree' },
  )
  const tookMs = cluster.now - woke
  await cluster.close()
  return { accusations, tookMs }
}
