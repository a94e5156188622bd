// Two halves of three that could not see each other for a virtual hour: one cluster again within 60 s of healing, by themselves, with every seed.
// A seed that fails is named.
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Cluster } from '../../src/sim/cluster.ts'
import { inProcesses, type Piece, piecesOf, tellResult } from '../explore/processes.ts'

const HALF = 3
const CUT_MS = 3_600_000
const LIMIT_MS = 60_000
/** How long one that is late is watched, so that it is known by how much. */
const WATCH_MS = 600_000

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    processes: { type: 'string', default: '1' },
    result: { type: 'boolean', default: false },
  },
})
const list: Piece = { from: Number(values.seed), count: Number(values.seeds) }
process.exitCode = await main()

/** What one process tells the one that began it. */
interface Result {
  readonly tookMs: readonly number[]
}

async function main(): Promise<number> {
  const processes = Number(values.processes)
  const script = fileURLToPath(import.meta.url)
  const results = processes > 1 ? await inProcesses(script, piecesOf(list, processes)) : [await runAll()]
  if (values.result) {
    tellResult(results[0])
    return 0
  }
  const tookMs = (results as Result[]).flatMap((result) => result.tookMs).sort((left, right) => left - right)
  const seconds = (share: number): string =>
    ((tookMs[Math.ceil(share * tookMs.length) - 1] ?? Number.NaN) / 1000).toFixed(1)
  const good = tookMs.filter((ms) => ms <= LIMIT_MS).length
  console.log(`${good} of ${list.count} seeds from ${list.from}: one cluster within ${LIMIT_MS / 1000} s of healing`)
  console.log(`virtual seconds it took: median ${seconds(0.5)}, 99 % ${seconds(0.99)}, longest ${seconds(1)}`)
  if (good === list.count) return 0
  console.error(`FAILED: ${list.count - good} of ${list.count} seeds`)
  return 1
}

async function runAll(): Promise<Result> {
  const tookMs: number[] = []
  for (let seed = list.from; seed < list.from + list.count; seed++) {
    try {
      const ms = await cutAndHeal(new Cluster({ seed, transcript: 'off' }))
      tookMs.push(ms)
      if (ms > LIMIT_MS) console.log(`seed ${seed}: one cluster ${(ms / 1000).toFixed(1)} s after healing`)
    } catch (error) {
      console.log(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return { tookMs }
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
