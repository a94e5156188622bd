// An interop test that is killed leaves no process and no namespace behind: ended by a signal that it is told of, and by SIGKILL.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { onLines } from './support/children.ts'
import type { Estate } from './support/doomed.ts'
import { interopTest } from './support/interop-test.ts'
import { lacksNamespaces } from './support/netns.ts'
import { until } from './support/peer.ts'

const DOOMED = fileURLToPath(new URL('./support/doomed.ts', import.meta.url))
const GONE_WITHIN_MS = 10_000

describe('a test that is killed', () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    test(`leaves no process behind: ${signal}`, async () => {
      const estate = await die([], signal)
      assert.equal(estate.pids.length, 1)
      await until('its child is gone', GONE_WITHIN_MS, () => estate.pids.map(runs).find((one) => one !== undefined))
    })

    interopTest(
      `leaves no namespace behind, and nobody in it: ${signal}`,
      async () => {
        const estate = await die(['namespaces'], signal)
        assert.equal(estate.pids.length, 2)
        await until('its children and namespaces are gone', GONE_WITHIN_MS, () => {
          const names = namespaces().filter((name) => name.startsWith(estate.stem))
          return estate.pids.map(runs).find((one) => one !== undefined) ?? names[0]
        })
      },
      { lacks: lacksNamespaces },
    )
  }
})

async function die(args: readonly string[], signal: NodeJS.Signals): Promise<Estate> {
  const child = spawn(process.execPath, ['--import', 'tsx', DOOMED, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const told = new Promise<Estate>((resolve, reject) => {
    onLines(child.stdout, (line) => resolve(JSON.parse(line) as Estate))
    child.once('exit', (code) => reject(new Error(`it ended by itself with code ${code}`)))
  })
  const estate = await told.catch((error: Error) => {
    child.kill('SIGKILL')
    throw error
  })
  const isThere = estate.pids.every((pid) => runs(pid) !== undefined)
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
  assert.ok(isThere, 'its children ran')
  return estate
}

function runs(pid: number | undefined): string | undefined {
  if (pid === undefined) return 'a child never ran'
  try {
    process.kill(pid, 0)
    return `process ${pid} runs`
  } catch {
    return undefined
  }
}

function namespaces(): string[] {
  return execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
}
