// What every bench of a paper is: a plan of jobs, a module that runs one, and tables made of nothing but the results, so that they can be
// printed again from a file. One result is one line of JSON, after a first line that says where it all comes from.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import type { SimMemberOptions } from '../../../src/sim/cluster.ts'
import { commitNow } from './commit.ts'
import { runJobs } from './jobs.ts'

/** One job and what came of it. */
export interface Row<Job, Result> {
  readonly job: Job
  readonly result: Result
}

/** How much is to be run. What is left out, the bench knows best. */
export interface Extent {
  /** Sizes of clusters. */
  readonly members: readonly number[] | undefined
  readonly seeds: number | undefined
  /** A few seconds' worth, to see that it works. */
  readonly isSmoke: boolean
  /** Kinds of job; the others are left out. */
  readonly only: readonly string[] | undefined
  /** For every member, where a bench has its members as they are. */
  readonly knobs: SimMemberOptions | undefined
}

export interface PaperBench<Job extends { readonly kind: string }, Result> {
  readonly name: string
  /** URL of the module whose `run` takes a job. */
  readonly runs: string
  plan(extent: Extent): readonly Job[]
  /** As text in Markdown. Kinds without a result have no table. */
  tables(rows: readonly Row<Job, Result>[]): string
}

/** The first line of a file of results. */
export interface Circumstances {
  readonly bench: string
  readonly command: string
  /** As `commitNow` says it. */
  readonly commit: string
  readonly date: string
  readonly node: string
  readonly machine: string
}

export interface Results<Job, Result> {
  readonly circumstances: Circumstances
  readonly rows: readonly Row<Job, Result>[]
}

/** The command line of a bench: runs its plan and prints its tables, or those of results that were kept.
 *    --jobs 2 --members 100,200 --seeds 20 --only crash,storm --smoke --out results.jsonl --from results.jsonl
 *    --knobs '{"verdictChecks":false}' */
export async function main<Job extends { readonly kind: string }, Result>(
  bench: PaperBench<Job, Result>,
): Promise<void> {
  const { values } = parseArgs({
    options: {
      jobs: { type: 'string', default: '1' },
      members: { type: 'string' },
      seeds: { type: 'string' },
      only: { type: 'string' },
      knobs: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      out: { type: 'string' },
      from: { type: 'string' },
    },
  })
  if (values.from !== undefined) {
    const { circumstances, rows } = readResults<Job, Result>(values.from)
    console.log(`${headline(circumstances)}\n\n${bench.tables(rows)}`)
    return
  }
  const extent: Extent = {
    members: values.members?.split(',').map(Number),
    seeds: values.seeds === undefined ? undefined : Number(values.seeds),
    isSmoke: values.smoke,
    only: values.only?.split(','),
    knobs: values.knobs === undefined ? undefined : JSON.parse(values.knobs),
  }
  const circumstances = here(bench.name)
  const { out } = values
  // Line by line as they come, so that a run that is stopped leaves what it has; in the order of the plan at the end.
  if (out !== undefined) writeResults(out, { circumstances, rows: [] })
  const done = (row: Row<Job, Result>, count: number, of: number): void => {
    if (out !== undefined) appendFileSync(out, `${JSON.stringify(row)}\n`)
    progress(count, of)
  }
  const rows = await measure(bench, extent, Number(values.jobs), done)
  if (out !== undefined) writeResults(out, { circumstances, rows })
  console.log(`${headline(circumstances)}\n\n${bench.tables(rows)}`)
}

/** Runs the plan. @param processes as for `runJobs` @param done is told each as it ends, and how many of how many have */
export async function measure<Job extends { readonly kind: string }, Result>(
  bench: PaperBench<Job, Result>,
  { only, ...extent }: Extent,
  processes: number,
  done: (row: Row<Job, Result>, count: number, of: number) => void = () => {},
): Promise<readonly Row<Job, Result>[]> {
  const jobs = bench.plan({ ...extent, only }).filter(({ kind }) => only === undefined || only.includes(kind))
  if (jobs.length === 0) throw new Error(`bench:${bench.name} has nothing to run`)
  let count = 0
  const results = await runJobs<Job, Result>(bench.runs, jobs, {
    processes,
    done: (job, result) => done({ job, result }, ++count, jobs.length),
  })
  return jobs.map((job, index) => ({ job, result: results[index] as Result }))
}

/** Tells a terminal of each run, and a file of each tenth. */
function progress(count: number, of: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${count} of ${of} runs${count === of ? '\n' : ''}`)
  else if (Math.floor((10 * count) / of) > Math.floor((10 * (count - 1)) / of)) {
    process.stderr.write(`${count} of ${of} runs\n`)
  }
}

export function headline({ bench, command, commit, date, node, machine }: Circumstances): string {
  return `bench:${bench}: \`${command}\`, commit ${commit}, ${date}, Node ${node}, ${machine}`
}

export function readResults<Job, Result>(file: string): Results<Job, Result> {
  const [first, ...rest] = readFileSync(file, 'utf8').trimEnd().split('\n')
  return { circumstances: JSON.parse(first as string), rows: rest.map((line) => JSON.parse(line)) }
}

export function writeResults<Job, Result>(file: string, { circumstances, rows }: Results<Job, Result>): void {
  writeFileSync(file, `${[circumstances, ...rows].map((line) => JSON.stringify(line)).join('\n')}\n`)
}

/** 1 to `count`: seeds. */
export function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at + 1)
}

/** Rows of one kind. */
export function ofKind<Job extends { readonly kind: string }, Result, Kind extends Job['kind']>(
  rows: readonly Row<Job, Result>[],
  kind: Kind,
): readonly Row<Extract<Job, { readonly kind: Kind }>, Result>[] {
  type Wanted = Row<Extract<Job, { readonly kind: Kind }>, Result>
  return rows.filter((row) => row.job.kind === kind) as readonly unknown[] as readonly Wanted[]
}

/** Groups in the order of their first row. */
export function groupedBy<Value, Key>(
  values: readonly Value[],
  keyOf: (value: Value) => Key,
): ReadonlyMap<Key, Value[]> {
  const groups = new Map<Key, Value[]>()
  for (const value of values) {
    const key = keyOf(value)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else group.push(value)
  }
  return groups
}

function here(bench: string): Circumstances {
  const given = process.argv.slice(2)
  const isKept = (word: string, at: number): boolean => word !== '--out' && given[at - 1] !== '--out'
  const words = given.filter(isKept).map((word) => (/["{}]/.test(word) ? `'${word}'` : word))
  return {
    bench,
    command: `npm run bench:${bench}${words.length === 0 ? '' : ` -- ${words.join(' ')}`}`,
    commit: commitNow(),
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    machine: `${cpus().length} cores`,
  }
}
