// The same seed gives the same run, byte for byte: twice in one process, in another process, and on every version of Node, for all of them
// are held to the same digests. The run has every fault, encryption, compression, coordinates, and whatever else may differ.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { firstDifference } from '../../src/sim/transcript.ts'
import { type Everything, everything } from './support/everything.ts'
import { digestOf, keptDigests, SEEDS } from './support/transcripts.ts'

const runs = new Map<number, Everything>()

async function first(seed: number): Promise<Everything> {
  const run = runs.get(seed) ?? (await everything(seed))
  runs.set(seed, run)
  return run
}

/** The digest that a process of its own comes to. */
function elsewhere(seed: number): Promise<string> {
  const file = fileURLToPath(new URL('./support/transcripts.ts', import.meta.url))
  const args = ['--import', 'tsx', file, '--digest', String(seed)]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text) => (said += text))
    child.once('error', reject)
    child.once('close', () => resolve(said.trim()))
  })
}

describe('a run with everything in it', () => {
  it('has every fault, and every fault takes effect', async () => {
    const { injected, felt, dropped, diskFailures } = await first(1)
    const none = (counts: object): string[] =>
      Object.entries(counts)
        .filter(([, count]) => count === 0)
        .map(([name]) => name)
    assert.deepEqual([none(injected), none(felt), none(diskFailures)], [[], [], []])
    const causes = Object.entries(dropped).map(([cause, { packets }]) => [cause, packets] as const)
    // No rule is given, and nobody writes to an address that nobody has.
    assert.deepEqual(none(Object.fromEntries(causes)).sort(), ['no-host', 'rule'])
  })

  it('is the same in the same process', async () => {
    assert.equal(firstDifference((await first(1)).text, (await everything(1)).text), undefined)
  })

  it('is the same in another process', async () => {
    assert.equal(await elsewhere(2), digestOf((await first(2)).text))
  })

  it('is the same on every version of Node: each comes to the digests that are kept', async () => {
    const kept = keptDigests()
    assert.deepEqual(Object.keys(kept).map(Number), SEEDS)
    for (const seed of SEEDS) {
      const advice = [
        `seed ${seed} gives another transcript on Node ${process.version} than the one that is kept.`,
        'Where members are meant to behave differently now: npm run transcripts -- --renew',
        `Where only this version of Node differs, compare two: npm run -s transcripts -- --print ${seed}`,
      ]
      assert.equal(digestOf((await first(seed)).text), kept[seed], advice.join('\n'))
    }
  })

  it('is another one under another seed', async () => {
    const [one, other] = await Promise.all(SEEDS.slice(0, 2).map(first))
    assert.notEqual(one?.text, other?.text)
  })
})
