// Lifeguard's experiments: makes runs (lifeguard-play.ts says what one is, and what is counted), keeps each in a file as one line of JSON,
// and prints tables of what the file holds. A run that the file holds is not made again, so whoever is interrupted goes on where he was.
//
//   npm run bench:lifeguard -- --rows --grid --out rows.jsonl
//   npm run bench:lifeguard -- --config mine='{"suspicionMult":6}' --configs lifeguard --cells late:16/8000/2000 --seeds 1-5 --compare mine lifeguard
//
//   which configurations   --rows (the paper's five)   --tuning   --configs a,b (lifeguard-rows.ts)   --config name=JSON (over the common
//                          alpha 5 and beta 6 and our defaults; may be given again)
//   which cells            --grid   --hold-out (both name their seeds)   --cells model:sick/sickMs/wellMs,...   --model late,held (only these)
//   which seeds            --seeds 1-5,9
//   which tables           the rows; --by-cell   --by-sick   --compare one other
//   how                    --out FILE   --jobs 1 (processes)   --members 128   --report (prints what is there, runs nothing)   --smoke (small)
import { execFileSync, fork } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { cpus, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { SimMemberOptions } from '../../src/sim/cluster.ts'
import { type Cell, FULL, MODELS, play, type Scale } from './lifeguard-play.ts'
import { cellName, cellOf, type Job, keyOf, type Result, readResults } from './lifeguard-results.ts'
import { COMMON, CONFIGURATIONS, ROWS, TUNING } from './lifeguard-rows.ts'
import { GRID, GRID_SEEDS, HOLD_OUT, HOLD_OUT_SEEDS } from './lifeguard-seeds.ts'
import { bySickTable, cellsTable, comparison, rowsTable, tuningTable } from './lifeguard-tables.ts'

/** Small enough for a look: a minute or less. */
const SMOKE: { readonly cells: readonly Cell[]; readonly seeds: readonly number[]; readonly scale: Scale } = {
  cells: ['held:6/16000/1000', 'late:6/8000/2000', 'one-way:6/8000/4000'].map(cellOf),
  seeds: [1],
  scale: { members: 32, sicknessMs: 60_000 },
}
/** Beside other work, the bench waits. */
const NICENESS = 10

if (process.argv.includes('--worker')) work()
else await main()

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rows: { type: 'boolean', default: false },
      tuning: { type: 'boolean', default: false },
      configs: { type: 'string', multiple: true, default: [] },
      config: { type: 'string', multiple: true, default: [] },
      grid: { type: 'boolean', default: false },
      'hold-out': { type: 'boolean', default: false },
      cells: { type: 'string', multiple: true, default: [] },
      model: { type: 'string', multiple: true, default: [] },
      seeds: { type: 'string' },
      members: { type: 'string' },
      'by-cell': { type: 'boolean', default: false },
      'by-sick': { type: 'boolean', default: false },
      compare: { type: 'string', multiple: true, default: [] },
      out: { type: 'string' },
      jobs: { type: 'string', default: '1' },
      report: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
    },
  })
  const listed = (texts: readonly string[]): string[] => texts.flatMap((text) => text.split(','))
  // `--compare a b` leaves b over; `--compare a,b` does not.
  const compared = [...listed(values.compare), ...positionals]
  const names = [
    ...(values.rows || values.smoke ? ROWS : []),
    ...(values.tuning ? TUNING : []),
    ...listed(values.configs),
    ...(values.config.length === 0 ? compared : compared.filter((name) => name in CONFIGURATIONS)),
  ]
  const configurations = new Map<string, SimMemberOptions>()
  for (const name of names) configurations.set(name, configurationOf(name))
  for (const text of values.config) configurations.set(...parseConfiguration(text))

  const wanted = listed(values.model)
  const cells = [
    ...(values.smoke ? SMOKE.cells : []),
    ...(values.grid ? GRID : []),
    ...(values['hold-out'] ? HOLD_OUT : []),
    ...listed(values.cells).map(cellOf),
  ].filter(({ model }) => wanted.length === 0 || wanted.includes(model))
  for (const model of wanted)
    if (!(MODELS as readonly string[]).includes(model)) throw new Error(`no model ${model}: ${MODELS}`)
  const seeds = seedsOf(values.seeds, values)
  const scale = values.smoke ? SMOKE.scale : { ...FULL, members: Number(values.members ?? FULL.members) }

  // Seed by seed, so that what an interrupted run leaves is whole pairs.
  const jobs = seeds.flatMap((seed) =>
    cells.flatMap((cell) => [...configurations].map(([name, options]): Job => ({ name, options, cell, seed, scale }))),
  )
  const kept = values.out === undefined ? new Map<string, Result>() : new Map(readResults(values.out))
  const missing = values.report ? [] : jobs.filter((job) => !kept.has(keyOf(job)))
  await makeRuns(missing, Number(values.jobs), (result) => {
    kept.set(keyOf(result), result)
    if (values.out !== undefined) appendFileSync(values.out, `${JSON.stringify(result)}\n`)
  })

  const byName = new Map<string, Result[]>([...configurations.keys()].map((name) => [name, []]))
  for (const job of jobs) {
    const result = kept.get(keyOf(job))
    if (result !== undefined) byName.get(job.name)?.push(result)
  }
  const made = [...byName.values()].flat()
  const commits = [...new Set(made.map(({ commit }) => commit))].sort().join(', ')
  const cpuMinutes = made.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) / 60
  console.log(
    `${made.length} of ${jobs.length} runs, ${scale.members} members, ${seeds.length} seeds, ${cells.map(cellName).join(' ')}`,
  )
  console.log(`${cpus()[0]?.model}, Node ${process.version}, ${cpuMinutes.toFixed(1)} min of CPU, commit ${commits}\n`)
  console.log(rowsTable(byName))
  if (values.tuning) console.log(`\n${tuningTable(byName)}`)
  if (values['by-sick']) console.log(`\n${bySickTable(byName)}`)
  if (values['by-cell']) console.log(`\n${cellsTable(byName)}`)
  const [one, other] = compared
  if (one !== undefined && other !== undefined) console.log(`\n${comparison(byName, one, other)}`)
}

function configurationOf(name: string): SimMemberOptions {
  const options = CONFIGURATIONS[name]
  if (options === undefined)
    throw new Error(`no configuration ${name}: ${Object.keys(CONFIGURATIONS)}, or --config ${name}=JSON`)
  return { ...COMMON, ...options }
}

function parseConfiguration(text: string): [string, SimMemberOptions] {
  const split = text.indexOf('=')
  if (split < 1) throw new Error(`--config ${text}: say name=JSON`)
  if (text.slice(0, split) in CONFIGURATIONS) throw new Error(`--config ${text}: that name is taken`)
  return [text.slice(0, split), { ...COMMON, ...JSON.parse(text.slice(split + 1)) }]
}

/** `1-5,9`; those of the grid, the hold-out or the smoke run where none are named. */
function seedsOf(text: string | undefined, lists: { grid: boolean; 'hold-out': boolean; smoke: boolean }): number[] {
  if (text === undefined) {
    return [
      ...(lists.smoke ? SMOKE.seeds : []),
      ...(lists.grid ? GRID_SEEDS : []),
      ...(lists['hold-out'] ? HOLD_OUT_SEEDS : []),
    ]
  }
  return text.split(',').flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split('-').map(Number)
    if (!Number.isInteger(first) || !Number.isInteger(last)) throw new Error(`--seeds ${text}: say 1-5,9`)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

/** Hands the jobs to so many processes, and tells of each when it is done. */
async function makeRuns(jobs: readonly Job[], processes: number, done: (result: Result) => void): Promise<void> {
  const commit = commitNow()
  const begun = performance.now()
  let [next, made] = [0, 0]
  const serve = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(fileURLToPath(import.meta.url), ['--worker'], { execArgv: ['--import', 'tsx'] })
      const giveNext = (): void => {
        const job = jobs[next++]
        if (job === undefined) child.disconnect()
        else child.send(job)
      }
      child.on('message', (result: Omit<Result, 'commit'>) => {
        done({ ...result, commit })
        const took = `${result.cpuSeconds.toFixed(1)} s of CPU, ${((performance.now() - begun) / 60_000).toFixed(1)} min in all`
        console.error(`${++made}/${jobs.length} ${result.name} ${cellName(result.cell)} seed ${result.seed}: ${took}`)
        giveNext()
      })
      child.once('error', reject)
      child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))))
      giveNext()
    })
  await Promise.all(Array.from({ length: Math.min(processes, jobs.length) }, serve))
}

/** A process that plays what it is handed, one after the other, until it is handed no more. */
function work(): void {
  setPriority(NICENESS)
  process.on('message', async (job: Job) => {
    const before = process.cpuUsage()
    const outcome = await play(job.cell, job.seed, job.options, job.scale)
    const { user, system } = process.cpuUsage(before)
    process.send?.({ ...job, outcome, cpuSeconds: (user + system) / 1e6 })
  })
}

/** The sources the runs are of. */
function commitNow(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim()
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', 'src') === '' ? '' : '+')
  } catch {
    return 'unknown'
  }
}
