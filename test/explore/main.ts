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
// For programs: the last line of stdout is `violated: <invariant> (seed <n>)` for the first that failed, or `violated: none`.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Outcome, runTrial } from '../../src/sim/exploration.ts'
import { type Trial, trialOf } from '../../src/sim/schedules.ts'
import { shrinkTrial } from '../../src/sim/shrinking.ts'
import type { TranscriptDetail } from '../../src/sim/transcript.ts'
import { inProcesses, type Piece, piecesOf, tellResult } from './processes.ts'
import { asText, replayCommand, Tally, type TallyData } from './tally.ts'

/** In a list so long every kind of fault must have come up. */
const LIST_FOR_ALL = 100
const WITHOUT_END = 1_000_000_000

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seed: { type: 'string' },
    seeds: { type: 'string' },
    trial: { type: 'string' },
    transcript: { type: 'string', default: 'off' },
    /** Failures after which it ends. */
    failures: { type: 'string', default: '1' },
    'no-shrink': { type: 'boolean', default: false },
    processes: { type: 'string', default: '1' },
    /** For the process that began this one. */
    result: { type: 'boolean', default: false },
  },
})
const tally = new Tally()
process.exitCode = await main()

/** What one process tells the one that began it. */
interface Result {
  readonly tally: TallyData
  readonly violated: readonly string[]
}

async function main(): Promise<number> {
  const processes = Number(values.processes)
  const violated = processes > 1 ? await runInPieces(processes) : await runAll()
  if (values.result) {
    tellResult({ tally: tally.toData(), violated } satisfies Result)
    return 0
  }
  console.log(tally.toString())
  const missing = violated.length > 0 || tally.runs < LIST_FOR_ALL ? [] : tally.missing()
  if (missing.length > 0) console.log(`FAILED: never injected, or never felt: ${missing.join(', ')}`)
  console.log(`violated: ${violated[0] ?? 'none'}`)
  return violated.length > 0 || missing.length > 0 ? 1 : 0
}

/** Gives each violation as `<invariant> (seed <n>)`. */
async function runAll(): Promise<readonly string[]> {
  const deadline =
    values.minutes === undefined ? Number.POSITIVE_INFINITY : performance.now() + Number(values.minutes) * 60_000
  const violated: string[] = []
  for (const trial of trials()) {
    if (performance.now() > deadline || violated.length >= Number(values.failures)) break
    const outcome = await runTrial(trial, { transcript: values.transcript as TranscriptDetail })
    tally.add(outcome)
    if (values.transcript !== 'off') process.stdout.write(outcome.transcript)
    if (outcome.violation === undefined) continue
    violated.push(`${outcome.violation.invariant} (seed ${trial.seed})`)
    await tell(outcome)
  }
  return violated
}

async function runInPieces(processes: number): Promise<readonly string[]> {
  const list = seeds()
  console.log(`${list.count} seeds from ${list.from} in ${processes} processes`)
  const passedOn = ['failures', 'minutes'] as const
  const args = passedOn.flatMap((name) => (values[name] === undefined ? [] : [`--${name}`, values[name]]))
  if (values['no-shrink']) args.push('--no-shrink')
  const results = (await inProcesses(fileURLToPath(import.meta.url), piecesOf(list, processes), args)) as Result[]
  for (const result of results) tally.addData(result.tally)
  return results.flatMap((result) => result.violated)
}

function seeds(): Piece {
  const range = /^(\d+)-(\d+)$/.exec(values.seeds ?? '')
  if (range !== null) return { from: Number(range[1]), count: Number(range[2]) - Number(range[1]) + 1 }
  const from = Number(values.seed ?? Date.now() % 1_000_000_000)
  const isOne = values.seed !== undefined && values.minutes === undefined
  return { from, count: Number(values.seeds ?? (isOne ? 1 : WITHOUT_END)) }
}

function* trials(): Generator<Trial> {
  if (values.trial !== undefined) {
    yield JSON.parse(readFileSync(values.trial, 'utf8')) as Trial
    return
  }
  const { from, count } = seeds()
  if (!values.result) console.log(`seeds from ${from}`)
  for (let seed = from; seed < from + count; seed++) yield trialOf(seed)
}

async function tell(outcome: Outcome): Promise<void> {
  const { trial, violation } = outcome
  console.log(`FAILED: seed ${trial.seed} after ${tally.runs} runs: ${violation?.message}`)
  console.log(`replay: ${replayCommand(trial.seed)}`)
  if (values['no-shrink']) return
  const smallest = await shrinkTrial(trial, async (smaller) => {
    const { violation: again } = await runTrial(smaller)
    return again?.invariant === violation?.invariant
  })
  console.log(
    `${trial.faults.length} faults shrink to ${smallest.faults.length}; a test can hold this:\n${asText(smallest)}`,
  )
}
