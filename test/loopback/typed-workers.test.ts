// The example of typed tags, events and queries as a user runs it, to its end.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

test('examples/typed-workers.ts tells what its workers say, passes over what is no deployment, and ends by itself', {
  timeout: 60_000,
}, async () => {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', 'examples/typed-workers.ts'],
    { cwd: ROOT, timeout: 50_000 },
  )
  assert.equal(stderr, '')
  const lines = stdout.trimEnd().split('\n')
  assert.equal(lines[0], '14 slots in all')
  const names = ['worker-1', 'worker-2', 'worker-3']
  const deployments = lines.slice(1, 13)
  // Gossip reaches them in any order. Of the four that are sent one names a version.
  assert.deepEqual(
    deployments.filter((line) => line.includes('deploys')).sort(),
    names.map((name) => `${name} deploys 2.1.0`),
  )
  assert.deepEqual(
    deployments.filter((line) => !line.includes('deploys')).sort(),
    names.flatMap((name) => new Array<string>(3).fill(`${name} passes over a deployment of nothing`)),
  )
  assert.deepEqual(lines.slice(13), ['worker-1: 4 of 4 busy', 'worker-2: 8 of 8 busy', 'worker-3: 2 of 2 busy'])
})
