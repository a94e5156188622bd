// Program: how soon death is known in a mixed cluster beside one of Go alone, with kills enough for a figure. Prints a table, and fails
// where the median of the mixed one is above that of the other by more than the limit.
//
//   tsx test/soak/detection.ts [--kills 75] [--play detection-lan]      without --play all four
import { parseArgs } from 'node:util'
import { compare, DETECTION_PLAYS, delayOf, ratioOfMedians, tableOf } from '../interop/support/detection.ts'
import { goMissing } from '../interop/support/go-build.ts'
import { mixedCast, pureCast, type Scenario } from '../interop/support/scenarios.ts'
import { serfOnPath } from '../interop/support/serf-agent.ts'
import { Stage } from '../interop/support/stage.ts'

const LIMIT = 1.1
const CONFIDENCE = 0.95

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '75' }, play: { type: 'string' } },
})
const missing = serfOnPath() === undefined ? 'no `serf` on the PATH' : goMissing()
if (missing !== undefined) throw new Error(missing)
const plays = DETECTION_PLAYS.filter(({ id }) => values.play === undefined || id === values.play)
if (plays.length === 0) throw new Error(`--play is one of ${DETECTION_PLAYS.map(({ id }) => id).join(', ')}`)
for (const play of plays) await measure(play)

async function measure(play: Scenario): Promise<void> {
  const [mixed, pure] = [1, 2].map(() => new Stage((_, part) => part(), console.log)) as [Stage, Stage]
  const casts = [mixedCast(play), pureCast(play)] as const
  const [ours = [], theirs = []] = await compare(mixed, pure, casts, Number(values.kills))
  console.log(`${play.id}, ${values.kills} kills in each cluster`)
  for (const line of tableOf({ mixed: ours, 'Go alone': theirs })) console.log(`  ${line}`)
  const { ratio, least, most } = ratioOfMedians(ours.map(delayOf), theirs.map(delayOf), CONFIDENCE, Math.random)
  const range = `${least.toFixed(3)} to ${most.toFixed(3)} with confidence ${CONFIDENCE}`
  console.log(`  ratio of the medians ${ratio.toFixed(3)}, ${range}; at most ${LIMIT}`)
  const faults = mixed.faults()
  for (const fault of [...faults, ...pure.faults().map((one) => `Go alone: ${one}`)]) console.log(`  ${fault}`)
  // A member wrongly called dead in the cluster of Go alone is told, and no fault of ours.
  if (!(ratio <= LIMIT) || faults.length > 0) process.exitCode = 1
}
