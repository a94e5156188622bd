// The demo as a child process, for the tests that run it: its output as it comes, its end, and which of the members that
// it announced still run.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const POLL_EVERY_MS = 20

export interface DemoRun {
  readonly child: ChildProcess
  /** All it printed so far. */
  output(): string
  /** Waits until it printed `pattern`; rejects if it ends before. */
  printed(pattern: RegExp): Promise<void>
  /** Its exit code, or the signal that ended it, once all its output is here. */
  readonly ended: Promise<number | string>
}

/** @param withSerf false: its PATH leads nowhere */
export function runDemo(withSerf: boolean): DemoRun {
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, PATH = '', ...env } = process.env
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/demo/main.ts'], {
    cwd: ROOT,
    env: { ...env, PATH: withSerf ? PATH : '/nowhere' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  return {
    child,
    ended,
    output: () => output,
    async printed(pattern) {
      while (!pattern.test(output)) {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the demo ended:\n${output}`)
        await pause()
      }
    },
  }
}

/** The members' processes, by the lines that announced them. */
export function announcedPids(output: string): number[] {
  return [...output.matchAll(/listens on \S+, pid (\d+)/g)].map(([, pid]) => Number(pid))
}

/** Waits until none of `pids` runs; the runner's limit fails the wait that does not end. */
export async function allGone(pids: readonly number[]): Promise<void> {
  while (pids.some(isRunning)) await pause()
}

/** An orphan that ended stays in the table as a zombie where the first process of a container does not reap. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    // It ended just now, or this system has no /proc: then ask again.
    return true
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_EVERY_MS))
}
