// Runs one scenario under many seeds. When one fails, the error names the seed, gives the line that replays it alone, and
// the end of its transcript. `SEED=17` in the environment runs that seed only; where `CI=true` it is refused, for there
// all must run.
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Cluster, type ClusterOptions } from '../../../src/sim/cluster.ts'

const LAST_LINES = 30

export interface Scenario {
  /** `import.meta.url` of the test file. */
  readonly file: string
  /** The test's name, or enough of it to find it. */
  readonly test: string
  /** Only so many seeds are held to the invariants: in a large cluster that takes long, as every step looks at every member. */
  readonly checked?: number
}

/** 1 to `count`, or the one in the environment. */
export function seeds(count: number): readonly number[] {
  const { SEED, CI } = process.env
  if (SEED === undefined) return Array.from({ length: count }, (_, index) => index + 1)
  if (CI === 'true') throw new Error(`SEED is ${SEED}: where CI=true all seeds run`)
  const seed = Number(SEED)
  if (!Number.isInteger(seed)) throw new Error(`SEED is ${SEED}: it must be a whole number`)
  return [seed]
}

/** Runs `play` on a fresh cluster for each seed, held to every invariant unless the options say otherwise, and closes it. */
export async function forEachSeed(
  scenario: Scenario,
  count: number,
  options: Omit<ClusterOptions, 'seed'>,
  play: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  const { checked = Number.POSITIVE_INFINITY } = scenario
  for (const seed of seeds(count)) {
    const cluster = new Cluster({ checks: seed <= checked, ...options, seed })
    try {
      await play(cluster)
      await cluster.close()
    } catch (error) {
      throw new Error(explain(scenario, cluster, error), { cause: error })
    }
  }
}

function explain(scenario: Scenario, cluster: Cluster, error: unknown): string {
  const file = relative(process.cwd(), fileURLToPath(scenario.file))
  const pattern = scenario.test.replaceAll(/[^\w ]/g, '.')
  const lines = cluster.transcript.trimEnd().split('\n').slice(-LAST_LINES)
  return [
    `seed ${cluster.seed}: ${error instanceof Error ? error.message : String(error)}`,
    `replay: SEED=${cluster.seed} npx tsx test/run.ts ${file} -- --test-name-pattern="${pattern}"`,
    'the end of its transcript:',
    ...lines,
  ].join('\n')
}
