// The mutation proof: a copy of the sources and the checks in a temporary folder, in which every check must hold; then the same copy with
// one bug at a time, which the check that is named for it must notice, under each of its seeds that is asked for. Nothing is written
// outside that folder. A patch that does not apply is a failure, and so is a process that crashes instead of finding something.
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EXPLORE } from './check.ts'
import { CHECK } from './checks.ts'
import type { Verdict } from './child.ts'
import { MUTANTS, type Mutant } from './mutants.ts'

const ROOT: string = fileURLToPath(new URL('../..', import.meta.url))
/** What the checks need to run. */
const COPIED = ['src', 'test/mutation', 'test/sim/support', 'package.json', 'tsconfig.json']
/** Copies, in each of which one process runs at a time. */
const WORKERS = 2
/** Some mutants make members talk without end: whoever takes so long is stopped, and has found nothing. */
const LIMIT_MS = 60_000
const TRIAL_LIMIT_MS = 30_000

/** What became of a mutant, or of the sources as they are. */
export interface Outcome {
  readonly mutant: Mutant | undefined
  /** One for each seed, the last one of which may have ended it. */
  readonly verdicts: readonly Verdict[]
  /** What random trials found, where they were asked for; `holds` of the last where they found nothing. Proves nothing by itself. */
  readonly explored?: Verdict | undefined
  /** Why it proves nothing: the patch does not apply, the process broke. */
  readonly problem?: string
  /** Real milliseconds, with the start of the process. */
  readonly tookMs: number
}

export interface ProofOptions {
  readonly mutants?: readonly Mutant[]
  /** How many seeds must notice each mutant. Default 1, the first. */
  readonly seeds?: number
  /** Every check as the sources are, too. Default true. */
  readonly plain?: boolean
  /** How many random trials look at each mutant beside. Default none. */
  readonly trials?: number
  /** Told as each is done. */
  readonly done?: (outcome: Outcome) => void
}

/** The patched text. @throws Error that says what is missing where */
export function patched(
  text: string,
  { name, file, find, replace }: Pick<Mutant, 'name' | 'file' | 'find' | 'replace'>,
): string {
  const found = text.split(find).length - 1
  if (found === 1) return text.replace(find, () => replace)
  throw new Error(`${name} does not apply: in ${file} this stands ${found} times, and must stand there once:\n${find}`)
}

/** Why this is no proof that the check notices the mutant; absent: it is one. */
export function doubtOf({ mutant, verdicts, problem }: Outcome): string | undefined {
  if (problem !== undefined) return problem
  const crash = verdicts.find(({ verdict }) => verdict === 'crashed')
  if (crash !== undefined) return `${crash.check} crashed under seed ${crash.seed}: ${crash.message}`
  if (verdicts.length === 0) return 'nothing was played'
  const wrong = verdicts.find(({ verdict }) => (verdict === 'broken') !== (mutant !== undefined))
  if (wrong === undefined) return undefined
  return mutant === undefined
    ? `${wrong.check} does not hold under seed ${wrong.seed}, and nothing was changed: ${wrong.message}`
    : `${wrong.check} holds under seed ${wrong.seed}: nobody notices`
}

/** Every mutant, what it breaks, and which check notices: a table for a page. */
export function listed(): string {
  const rows = MUTANTS.map(({ name, breaks, caughtBy }) => `| \`${name}\` | ${breaks} | ${CHECK[caughtBy].name} |`)
  return ['| mutant | what it breaks | noticed by |', '| --- | --- | --- |', ...rows].join('\n')
}

/** Plays all of it. Rejects only where the temporary folder cannot be made. */
export async function prove({
  mutants = MUTANTS,
  seeds = 1,
  plain = true,
  trials = 0,
  done = () => {},
}: ProofOptions = {}): Promise<readonly Outcome[]> {
  const jobs: (Mutant | readonly string[])[] = plain ? [...plainJobs(seeds), ...mutants] : [...mutants]
  const outcomes: Outcome[] = []
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-mutants-'))
  try {
    await Promise.all(
      Array.from({ length: WORKERS }, async (_, worker) => {
        const copy = join(folder, String(worker))
        for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true })
        symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
        for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
          const outcome = 'breaks' in job ? await tryMutant(copy, job, seeds, trials) : await tryPlain(copy, job)
          outcomes.push(outcome)
          done(outcome)
        }
      }),
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return outcomes
}

/** Every check that is to notice something holds as long as nothing is broken: in two processes, one a worker. */
function plainJobs(seeds: number): readonly string[][] {
  const jobs: string[][] = Array.from({ length: WORKERS }, () => [])
  for (const [at, [name, check]] of Object.entries(CHECK).entries()) {
    jobs[at % WORKERS]?.push(`${name}:${check.seeds.slice(0, seeds).join(',')}`)
  }
  return jobs
}

async function tryPlain(copy: string, asked: readonly string[]): Promise<Outcome> {
  return { mutant: undefined, ...(await play(copy, asked, asked.length * LIMIT_MS)) }
}

async function tryMutant(copy: string, mutant: Mutant, seeds: number, trials: number): Promise<Outcome> {
  const path = join(copy, mutant.file)
  const original = readFileSync(path, 'utf8')
  try {
    writeFileSync(path, patched(original, mutant))
    const played = CHECK[mutant.caughtBy].seeds.slice(0, seeds)
    const outcome = await play(copy, [`${mutant.caughtBy}:${played.join(',')}`], LIMIT_MS)
    if (trials === 0) return { mutant, ...outcome }
    const list = Array.from({ length: trials }, (_, at) => at + 1)
    const { verdicts } = await play(copy, [`${EXPLORE}:${list.join(',')}`], trials * TRIAL_LIMIT_MS)
    return { mutant, ...outcome, explored: verdicts.at(-1) }
  } catch (error) {
    return { mutant, verdicts: [], problem: error instanceof Error ? error.message : String(error), tookMs: 0 }
  } finally {
    writeFileSync(path, original)
  }
}

/** Runs the copy's own child. */
async function play(copy: string, asked: readonly string[], limitMs: number): Promise<Omit<Outcome, 'mutant'>> {
  const began = performance.now()
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, ['--import', 'tsx', join(copy, 'test/mutation/child.ts'), ...asked], {
    cwd: copy,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let complaint = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
  const ended = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : `ended with ${signal ?? code}`))
  })
  clearTimeout(timer)
  const verdicts = said.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Verdict]))
  const tookMs = performance.now() - began
  if (ended === undefined) return { verdicts, tookMs }
  return { verdicts, problem: `the process of ${asked.join(' ')} ${ended}: ${complaint.slice(-2_000)}`, tookMs }
}
