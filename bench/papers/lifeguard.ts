// Lifeguard's experiments: makes runs (lifeguard-play.ts says what one is, and what is counted), keeps each in a file as one line of JSON,
// and prints tables of what the file holds. A run that the file holds is not made again, so whoever is interrupted goes on where he was.
//
//   npm run bench:lifeguard -- --rows --grid --out rows.jsonl
//   npm run bench:lifeguard -- --config mine='{"suspicionMult":6}' --configs lifeguard --cells late:16/8000/2000 --seeds 1-5 --compare mine lifeguard
//
//   which configurations   --rows (the paper's five)   --tuning   --rules (ours: none, each alone, together)   --configs a,b
//                          (lifeguard-rows.ts)   --config name=JSON (over alpha 5, beta 6 and our defaults; may be given again)
//                          --beside lifeguard (every second member is of that configuration; `own FP-` are those at the others)
//   which cells            --grid   --hold-out (both name their seeds)   --cells model:sick/sickMs/wellMs,...   --model late,held (only these)
//   which seeds            --seeds 1-5,9
//   which tables           the rows; --by-cell   --by-sick   --compare one other
//   how                    --out FILE   --jobs 1 (processes)   --members 128   --report (prints what is there, runs nothing)   --smoke (small)
//   --page                 fills docs/papers.md with what the files that its marks name hold (lifeguard-page.ts)
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseCommand } from './lifeguard-command.ts'
import { filledPage } from './lifeguard-page.ts'
import { cellName, type Job, keyOf, type Result, readResults } from './lifeguard-results.ts'
import type { run } from './lifeguard-runs.ts'
import { commitNow } from './support/commit.ts'
import { runJobs } from './support/jobs.ts'

const PAGE: string = fileURLToPath(new URL('../../docs/papers.md', import.meta.url))

await main()

async function main(): Promise<void> {
  const { jobs, out, processes, isReport, isPage, say } = parseCommand(process.argv.slice(2))
  if (isPage) {
    writeFileSync(PAGE, filledPage(readFileSync(PAGE, 'utf8')))
    return
  }
  const kept = new Map(out === undefined ? [] : readResults(out))
  const missing = isReport ? [] : jobs.filter((job) => !kept.has(keyOf(job)))
  await makeRuns(missing, processes, (result) => {
    kept.set(keyOf(result), result)
    if (out !== undefined) appendFileSync(out, `${JSON.stringify(result)}\n`)
  })
  console.log(say(kept))
}

/** Hands the jobs to so many processes, and tells of each when it is done. */
async function makeRuns(jobs: readonly Job[], processes: number, done: (result: Result) => void): Promise<void> {
  const commit = commitNow()
  const begun = performance.now()
  let made = 0
  const told = (job: Job, outcome: Awaited<ReturnType<typeof run>>): void => {
    done({ ...job, ...outcome, commit })
    const took = `${outcome.cpuSeconds.toFixed(1)} s of CPU, ${((performance.now() - begun) / 60_000).toFixed(1)} min in all`
    console.error(`${++made}/${jobs.length} ${job.name} ${cellName(job.cell)} seed ${job.seed}: ${took}`)
  }
  await runJobs(import.meta.resolve('./lifeguard-runs.ts'), jobs, { processes, done: told })
}
