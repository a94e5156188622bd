// Many runs, some at a time, each in a process of its own or all in this one. A module of runs exports `run(job)`; jobs and results
// cross as JSON. Which process takes which job changes nothing: a run's chance comes from its seed.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What a module of runs exports as `run`. */
export type Run<Job, Result> = (job: Job) => Promise<Result>

export interface JobsOptions<Job, Result> {
  /** Processes at a time; 0: no process but this one. */
  readonly processes: number
  /** Is told each result as it comes. */
  readonly done?: (job: Job, result: Result) => void
}

interface Question {
  readonly index: number
  readonly job: unknown
}

type Answer = { readonly index: number; readonly result: unknown } | { readonly index: number; readonly error: string }

const CHILD: string = fileURLToPath(new URL('child.ts', import.meta.url))

/** The results of all jobs, in their order. Rejects with the first error, and then no process is left.
 *  @param module URL of the module of runs */
export async function runJobs<Job, Result>(
  module: string,
  jobs: readonly Job[],
  { processes, done }: JobsOptions<Job, Result>,
): Promise<readonly Result[]> {
  const results: Result[] = []
  if (processes === 0) {
    const run = await runOf<Job, Result>(module)
    for (const job of jobs) {
      const result = await run(job)
      results.push(result)
      done?.(job, result)
    }
    return results
  }
  let next = 0
  const take = (): Question | undefined => (next < jobs.length ? { index: next, job: jobs[next++] } : undefined)
  const stopping = new AbortController()
  const told = (index: number, result: unknown): void => {
    results[index] = result as Result
    done?.(jobs[index] as Job, result as Result)
  }
  const children = Array.from({ length: Math.min(processes, jobs.length) }, () =>
    tend(module, take, told, stopping.signal),
  )
  try {
    await Promise.all(children)
  } finally {
    stopping.abort()
  }
  return results
}

/** @throws Error where the module has no `run` */
export async function runOf<Job, Result>(module: string): Promise<Run<Job, Result>> {
  const { run } = (await import(module)) as { readonly run?: Run<Job, Result> }
  if (run === undefined) throw new Error(`${module} exports no run`)
  return run
}

/** One process, which is given a job as often as it has finished one. Resolves when there is none left. */
function tend(
  module: string,
  take: () => Question | undefined,
  told: (index: number, result: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const child = fork(CHILD, [module], { execArgv: ['--import', 'tsx', '--max-old-space-size=8192'] })
  const stop = (): boolean => child.kill()
  signal.addEventListener('abort', stop, { once: true })
  return new Promise<void>((resolve, reject) => {
    const give = (): void => {
      const question = take()
      if (question === undefined) child.disconnect()
      else child.send(question)
    }
    child.on('message', (answer: Answer) => {
      if ('error' in answer) {
        reject(new Error(answer.error))
        return
      }
      told(answer.index, answer.result)
      give()
    })
    child.once('error', reject)
    child.once('exit', (code, killedBy) => {
      signal.removeEventListener('abort', stop)
      if (code === 0) resolve()
      else reject(new Error(`a process of runs ended with ${killedBy ?? code}`))
    })
    give()
  })
}
