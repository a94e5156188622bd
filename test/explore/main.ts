// `npm run explore`: random trials of simulated clusters, one a seed, until the time or the seeds are over. Exit code 1 where any fails,
// with the name of the invariant that does not hold, one command that replays it, and the smallest trial that still fails, as data.
//
//   npm run explore -- --minutes 10             fresh seeds, for ten minutes
//   npm run explore -- --seed 7 --seeds 500     500 seeds from 7
//   npm run explore -- --seeds 1-40             the same list every time
//   npm run explore -- --seed 7                 one of them; with --transcript packets every packet of it
//   npm run explore -- --trial trial.json       a trial from a file
//
// For programs: the last line of stdout is `violated: <invariant> (seed <n>)` for the first that failed, or `violated: none`.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Outcome, runTrial } from '../../src/sim/exploration.ts'
import { type Trial, trialOf } from '../../src/sim/schedules.ts'
import { shrinkTrial } from '../../src/sim/shrinking.ts'
import { asText, replayCommand, Tally } from './tally.ts'

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
    /** Do not demand that every kind of fault came up. */
    'no-coverage': { type: 'boolean', default: false },
  },
})
const tally = new Tally()
process.exitCode = await main()

async function main(): Promise<number> {
  const deadline =
    values.minutes === undefined ? Number.POSITIVE_INFINITY : performance.now() + Number(values.minutes) * 60_000
  const failures: Outcome[] = []
  for (const trial of trials()) {
    if (performance.now() > deadline) break
    const outcome = await runTrial(trial, { transcript: values.transcript as 'off' | 'events' | 'packets' })
    tally.add(outcome)
    if (values.transcript !== 'off') process.stdout.write(outcome.transcript)
    if (outcome.violation === undefined) continue
    failures.push(outcome)
    await tell(outcome)
    if (failures.length >= Number(values.failures)) break
  }
  console.log(tally.toString())
  const missing = values['no-coverage'] || failures.length > 0 || tally.runs < 100 ? [] : tally.missing()
  if (missing.length > 0) console.log(`FAILED: never injected, or never felt: ${missing.join(', ')}`)
  const [first] = failures
  console.log(`violated: ${first === undefined ? 'none' : `${first.violation?.invariant} (seed ${first.trial.seed})`}`)
  return failures.length > 0 || missing.length > 0 ? 1 : 0
}

function* trials(): Generator<Trial> {
  if (values.trial !== undefined) {
    yield JSON.parse(readFileSync(values.trial, 'utf8')) as Trial
    return
  }
  const range = /^(\d+)-(\d+)$/.exec(values.seeds ?? '')
  const from = Number(range?.[1] ?? values.seed ?? Date.now() % 1_000_000_000)
  const isOne = values.seed !== undefined && values.seeds === undefined && values.minutes === undefined
  const count = range === null ? Number(values.seeds ?? (isOne ? 1 : 1_000_000_000)) : Number(range[2]) - from + 1
  console.log(`seeds from ${from}`)
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
