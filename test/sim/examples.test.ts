// The examples of the simulator run, and show what they say they show.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Runs an example to its end, and gives what it printed; fails where it does. */
async function printed(...args: string[]): Promise<string> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  assert.equal(code, 0, output)
  return output
}

describe('examples/simulator', () => {
  it('leadership.test.ts passes, and has tests', async () => {
    const output = await printed('--test', '--test-reporter=tap', 'examples/simulator/leadership.test.ts')
    assert.match(output, /^# pass 4$/m)
    assert.match(output, /^# fail 0$/m)
  })

  it('flapping-link.ts tells the same story twice, in which somebody is accused and nobody dies', async () => {
    const output = await printed('examples/simulator/flapping-link.ts', '--seed', '7')
    assert.match(
      output,
      /\n[1-9]\d* suspicions, [1-9]\d* taken back, 0 verdicts\nseed 7, told again: the same, line for line\n$/,
    )
    assert.equal(output.match(/ heal$/gm)?.length, 10)
  })

  it('compare-settings.ts prints a row for each setting, and the quick one is quicker and accuses more', async () => {
    const output = await printed('examples/simulator/compare-settings.ts', '--seeds', '2')
    const [calm, quick] = ['as it comes', 'twice as quick'].map((name) => {
      const row = output.split('\n').find((line) => line.startsWith(name)) ?? ''
      return (
        row
          .slice(name.length)
          .match(/\d+(\.\d+)?/g)
          ?.map(Number) ?? []
      )
    }) as [number[], number[]]
    assert.equal(calm.length, 3, output)
    assert.ok((quick[0] as number) < (calm[0] as number), output)
    assert.ok((quick[1] as number) > (calm[1] as number), output)
  })
})
