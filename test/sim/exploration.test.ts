// Random trials of whole clusters: a fixed list of seeds, which must have seen every fault there is, and fresh ones for a while, whose
// seeds are printed. `npm run explore` goes on; how to replay and shrink one is in docs/exploration.md.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Outcome, runTrial } from '../../src/sim/exploration.ts'
import { trialOf } from '../../src/sim/schedules.ts'
import { replayCommand, Tally } from '../explore/tally.ts'

/** Few, and every kind of fault is among them. */
const FIXED = [...Array.from({ length: 40 }, (_, at) => at + 1), 43, 66, 94]
/** Real seconds of fresh seeds, and how many at most: this is a test, `npm run explore` is the search. */
const FRESH_MS = 10_000
const MOST_FRESH = 40

async function holds(seed: number): Promise<Outcome> {
  const outcome = await runTrial(trialOf(seed))
  const { violation } = outcome
  assert.equal(violation, undefined, `seed ${seed}: ${violation?.message}\nreplay and shrink: ${replayCommand(seed)}`)
  return outcome
}

describe('random faults', () => {
  it('of a fixed list of seeds break no invariant, and every kind of fault was injected and felt', async (context) => {
    const tally = new Tally()
    for (const seed of FIXED) tally.add(await holds(seed))
    context.diagnostic(tally.toString())
    assert.deepEqual(tally.missing(), [])
  })

  it('of fresh seeds break no invariant', async (context) => {
    const began = performance.now()
    const first = Date.now() % 1_000_000_000
    let seeds = 0
    while (performance.now() - began < FRESH_MS && seeds < MOST_FRESH) await holds(first + seeds++)
    context.diagnostic(`${seeds} seeds from ${first}`)
  })

  it('of one seed give the same run twice', async () => {
    const [one, other] = [await holds(11), await holds(11)]
    assert.equal(one.fingerprint, other.fingerprint)
    assert.deepEqual(one.counts, other.counts)
  })
})
