// Clusters of the simulator in trouble from all sides at once: members crash, leave, come back and stand still, links are cut and lose
// packets, for a while and by chance. Then everything heals, and all who run must agree, without anybody's help. A seed that fails is named.
import { parseArgs } from 'node:util'
import { Random } from '../../src/base/random.ts'
import { Cluster } from '../../src/sim/cluster.ts'

const MEMBERS = 12
const STEPS = 40
const STEP_MS = 1500
/** Seeds are asked again within 45 s of being alone, and exchanges come every 30: some rounds of both. */
const SETTLE_MS = 600_000

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '50' }, seed: { type: 'string', default: '1' } },
})
const base = Number(values.seed)
const count = Number(values.seeds)
const done: Record<string, number> = {}
const settleMs: number[] = []
let failed = 0
for (let seed = base; seed < base + count; seed++) {
  const cluster = new Cluster({ seed })
  try {
    settleMs.push(await storm(cluster, new Random(seed)))
  } catch (error) {
    failed++
    console.error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
settleMs.sort((left, right) => left - right)
const actions = Object.entries(done).map(([name, times]) => `${name} ${times}`)
console.log(`${count} seeds from ${base}: ${actions.join(', ')}`)
console.log(
  `virtual seconds from the end of the storm until all agreed: median ${seconds(settleMs.length >> 1)}, longest ${seconds(settleMs.length - 1)}`,
)
if (failed > 0) {
  console.error(`FAILED: ${failed} of ${count} seeds`)
  process.exitCode = 1
}

async function storm(cluster: Cluster, random: Random): Promise<number> {
  await cluster.start(MEMBERS)
  await cluster.settle()
  const all = cluster.names
  const gone = new Set<string>()
  const paused = new Set<string>()
  for (let step = 0; step < STEPS; step++) {
    // The first one stays up: it is the seed of all others, and who comes back must find somebody there.
    const name = all[1 + random.below(all.length - 1)] as string
    const isUp = !gone.has(name) && !paused.has(name)
    const action = random.below(6)
    if (action === 0 && isUp && gone.size < MEMBERS / 2) {
      cluster.crash(name)
      gone.add(name)
      count1('crashes')
    } else if (action === 1 && isUp && gone.size < MEMBERS / 2 && paused.size === 0) {
      await cluster.leave(name)
      gone.add(name)
      count1('goodbyes')
    } else if (action === 2 && gone.has(name) && paused.size === 0) {
      gone.delete(name)
      await cluster.restart(name).catch(() => {})
      count1('returns')
    } else if (action === 3) {
      const cut = { isOneWay: random.below(2) === 0, kind: random.below(3) === 0 ? 'packets' : 'all' } as const
      for (const other of all) if (other !== name && random.below(3) > 0) cluster.cut(name, other, cut)
      count1('members cut from most others')
    } else if (action === 4 && isUp && paused.size < 2) {
      cluster.pause(name)
      paused.add(name)
      count1('pauses')
    } else if (action === 5) {
      if (random.below(4) === 0) cluster.heal()
      for (const still of paused) cluster.resume(still)
      paused.clear()
      count1('reliefs')
    }
    await cluster.run(random.below(STEP_MS))
  }
  cluster.heal()
  for (const still of paused) cluster.resume(still)
  const began = cluster.now
  await cluster.until(() => agree(cluster), { withinMs: SETTLE_MS, everyMs: 100, what: 'all who run agree' })
  const took = cluster.now - began
  await cluster.close()
  return took
}

/** Each who runs holds those who run, and nobody else, for alive. */
function agree(cluster: Cluster): boolean {
  const running = [...cluster.names].sort().join()
  return cluster.names.every((name) => {
    const held = cluster.member(name).members({ state: 'alive' })
    return (
      held
        .map((member) => member.name)
        .sort()
        .join() === running
    )
  })
}

function count1(action: string): void {
  done[action] = (done[action] ?? 0) + 1
}

function seconds(index: number): string {
  return ((settleMs[index] ?? Number.NaN) / 1000).toFixed(1)
}
