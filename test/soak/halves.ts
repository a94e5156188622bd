// Two halves of three that could not see each other for a virtual hour: one cluster again within 60 s of healing, by themselves, with every seed.
// A seed that fails is named.
import { parseArgs } from 'node:util'
import { Cluster } from '../../src/sim/cluster.ts'

const HALF = 3
const CUT_MS = 3_600_000
const LIMIT_MS = 60_000
/** How long one that is late is watched, so that it is known by how much. */
const WATCH_MS = 600_000

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
})
const base = Number(values.seed)
const count = Number(values.seeds)
const tookMs: number[] = []
let failed = 0
for (let seed = base; seed < base + count; seed++) {
  try {
    const ms = await cutAndHeal(new Cluster({ seed, transcript: 'off' }))
    tookMs.push(ms)
    if (ms <= LIMIT_MS) continue
    failed++
    console.error(`seed ${seed}: one cluster ${(ms / 1000).toFixed(1)} s after healing`)
  } catch (error) {
    failed++
    console.error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
tookMs.sort((left, right) => left - right)
console.log(`${count - failed} of ${count} seeds from ${base}: one cluster within ${LIMIT_MS / 1000} s of healing`)
console.log(`virtual seconds it took: median ${seconds(0.5)}, 99 % ${seconds(0.99)}, longest ${seconds(1)}`)
if (failed > 0) {
  console.error(`FAILED: ${failed} of ${count} seeds`)
  process.exitCode = 1
}

async function cutAndHeal(cluster: Cluster): Promise<number> {
  await cluster.start(2 * HALF)
  await cluster.settle()
  const { names } = cluster
  cluster.partition([names.slice(0, HALF), names.slice(HALF)])
  await cluster.run(CUT_MS)
  for (const name of names) {
    const alive = cluster.member(name).members({ state: 'alive' }).length
    if (alive !== HALF) throw new Error(`${name} holds ${alive} for alive after an hour, and should ${HALF}`)
  }
  cluster.heal()
  const healedAt = cluster.now
  await cluster.settle({ withinMs: WATCH_MS })
  const took = cluster.now - healedAt
  await cluster.close()
  return took
}

function seconds(share: number): string {
  return ((tookMs[Math.ceil(share * tookMs.length) - 1] ?? Number.NaN) / 1000).toFixed(1)
}
