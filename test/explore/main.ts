// `npm run explore`: random trials of simulated clusters, one a seed, until the time or the seeds are over. Exit code 1 where any fails,
// with the name of the invariant that does not hold, one command that replays it, and the smallest trial that still fails, as data.
//
//   npm run explore -- --minutes 10             fresh seeds, for ten minutes
//   npm run explore -- --seed 7 --seeds 500     500 seeds from 7
//   npm run explore -- --seeds 1-40             the same list every time
//   npm run explore -- --seed 7                 one of them; with --transcript packets every packet of it
//   npm run explore -- --trial trial.json       a trial from a file
//   with --processes 2                          in two processes, each with a piece of the list
//
// An argument that is wrong, or a search that ran nothing, ends with 1 and a word to stderr.
// For programs: the last line of stdout is `violated: <invariant> (seed <n>)` for the first that failed, or `violated: none`.
import { fileURLToPath } from 'node:url'
import { type Outcome, runTrial } from '../../src/sim/exploration.ts'
import { type Trial, trialOf } from '../../src/sim/schedules.ts'
import { shrinkTrial } from '../../src/sim/shrinking.ts'
import { type Asked, askedFor } from './arguments.ts'
import { inProcesses, piecesOf, tellResult } from './processes.ts'
import { asText, replayCommand, replayOfFile, Tally, type TallyData } from './tally.ts'
import { trialIn } from './trial-file.ts'

/** In a list so long every kind of fault must have come up, and been felt. */
const LIST_FOR_ALL = 200

const tally = new Tally()
try {
  process.exitCode = await main(askedFor(process.argv.slice(2), Date.now() % 1_000_000_000))
} catch (error) {
  console.error(`FAILED: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}

/** What one process tells the one that began it. */
interface Result {
  readonly tally: TallyData
  readonly violated: readonly string[]
}

async function main(asked: Asked): Promise<number> {
  const violated = asked.processes > 1 ? await runInPieces(asked) : await runAll(asked)
  if (asked.tellsResult) {
    tellResult({ tally: tally.toData(), violated } satisfies Result)
    return 0
  }
  if (tally.runs === 0) throw new Error('nothing was run')
  console.log(tally.toString())
  const missing = violated.length > 0 || tally.runs < LIST_FOR_ALL ? [] : tally.missing()
  if (missing.length > 0) console.log(`FAILED: never injected, or never felt: ${missing.join(', ')}`)
  console.log(`violated: ${violated[0] ?? 'none'}`)
  return violated.length > 0 || missing.length > 0 ? 1 : 0
}

/** Gives each violation as `<invariant> (seed <n>)`. */
async function runAll(asked: Asked): Promise<readonly string[]> {
  const deadline = performance.now() + asked.forMs
  const violated: string[] = []
  for (const trial of trials(asked)) {
    if (performance.now() > deadline || violated.length >= asked.failures) break
    const outcome = await runTrial(trial, { transcript: asked.transcript })
    tally.add(outcome)
    if (asked.transcript !== 'off') process.stdout.write(outcome.transcript)
    if (outcome.violation === undefined) continue
    violated.push(`${outcome.violation.invariant} (seed ${trial.seed})`)
    await tell(outcome, asked)
  }
  return violated
}

async function runInPieces({ list, processes, passedOn }: Asked): Promise<readonly string[]> {
  console.log(`${list.count} seeds from ${list.from} in ${processes} processes`)
  const pieces = piecesOf(list, processes)
  const results = (await inProcesses(fileURLToPath(import.meta.url), pieces, passedOn)) as Result[]
  for (const result of results) tally.addData(result.tally)
  return results.flatMap((result) => result.violated)
}

function* trials({ trial, list: { from, count }, tellsResult }: Asked): Generator<Trial> {
  if (trial !== undefined) {
    yield trialIn(trial)
    return
  }
  if (!tellsResult) console.log(`seeds from ${from}`)
  for (let seed = from; seed < from + count; seed++) yield trialOf(seed)
}

async function tell({ trial, violation }: Outcome, asked: Asked): Promise<void> {
  console.log(`FAILED: seed ${trial.seed} after ${tally.runs} runs: ${violation?.message}`)
  console.log(`replay: ${asked.trial === undefined ? replayCommand(trial.seed) : replayOfFile(asked.trial)}`)
  if (!asked.shrinks) return
  const smallest = await shrinkTrial(trial, async (smaller) => {
    const { violation: again } = await runTrial(smaller)
    return again?.invariant === violation?.invariant
  })
  console.log(
    `${trial.faults.length} faults shrink to ${smallest.faults.length}; a test can hold this:\n${asText(smallest)}`,
  )
}
