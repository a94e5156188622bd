// The test runner's front: finds the test files below the given folders and hands them to Node's own runner, because
// Node 20 takes no globs. It adds no summary of its own, so the closing lines are Node's, and the exit code too.
// A folder without a test file, or a file that is not there, is a failure: nothing passes by being absent.
//
//   tsx test/run.ts test/unit test/sim             every *.test.ts below
//   tsx test/run.ts test/unit/wire/lzw.test.ts     one file; what follows `--` goes to Node: -- --test-name-pattern=...
import { spawn } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT: string = fileURLToPath(new URL('..', import.meta.url))
/** Milliseconds after which a hung file is killed and counted as failed. Far above the slowest honest one. */
const HUNG_AFTER_MS = 300_000
/** Files run side by side. Node's default, cores minus one, would leave half of a two-core machine idle. */
const CONCURRENCY = 2

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  const split = args.indexOf('--')
  const places = split === -1 ? args : args.slice(0, split)
  const passedOn = split === -1 ? [] : args.slice(split + 1)
  if (places.length === 0) return refuse('name at least one folder or file of tests')

  const files: string[] = []
  for (const place of places) {
    const found = testFiles(place)
    if (found.length === 0) return refuse(`no test file in ${place}`)
    console.log(`${place}: ${found.length} ${found.length === 1 ? 'file' : 'files'}`)
    files.push(...found)
  }
  console.log(`Node ${process.version}, ${files.length} test files, ${CONCURRENCY} at a time`)
  return runNode([
    '--import',
    'tsx',
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${CONCURRENCY}`,
    `--test-timeout=${HUNG_AFTER_MS}`,
    ...passedOn,
    ...new Set(files),
  ])
}

/** Paths from the root, sorted. A file that is named stands for itself, whatever its name; a folder for every `*.test.ts` below it. */
function testFiles(place: string): string[] {
  const stat = statSync(join(ROOT, place), { throwIfNoEntry: false })
  if (stat === undefined) return []
  if (stat.isFile()) return [relative(ROOT, join(ROOT, place))]
  return readdirSync(join(ROOT, place), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.split(sep).includes('node_modules'))
    .map((name) => relative(ROOT, join(ROOT, place, name)))
    .sort()
}

/** Node's exit code; 1 where a signal ended it. A signal to us ends the tests too. */
function runNode(args: string[]): Promise<number> {
  // A test that starts this runner must not have its results swallowed by the outer run.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit', env })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(refuse(error.message)))
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

function refuse(reason: string): number {
  console.error(`test/run.ts: ${reason}`)
  return 1
}
