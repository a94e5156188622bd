// Plays checks against the sources that it stands beside, in a process of its own: `child.ts crash:1,2 denial:1`; or random trials of the
// exploration until one finds something: `child.ts explore:1,2,3`. Says what became of each in a line of JSON.
import { AssertionError, strict as assert } from 'node:assert'
import { TimeoutError } from '../../src/base/errors.ts'
import { runTrial } from '../../src/sim/exploration.ts'
import { trialOf } from '../../src/sim/schedules.ts'
import { EXPLORE } from './check.ts'
import { CHECK, type CheckName } from './checks.ts'

/** What became of one check under one seed. A crash is no finding: something threw that no check threw. */
export interface Verdict {
  readonly check: string
  readonly seed: number
  readonly verdict: 'holds' | 'broken' | 'crashed'
  /** Why it does not hold. */
  readonly message: string
  /** Real milliseconds. */
  readonly tookMs: number
}

for (const asked of process.argv.slice(2)) {
  const [name = '', seeds = ''] = asked.split(':')
  for (const seed of seeds.split(',').map(Number)) {
    const began = performance.now()
    const { verdict, message } = await judge(() =>
      name === EXPLORE ? explore(seed) : CHECK[name as CheckName].play(seed),
    )
    const said: Verdict = { check: name, seed, verdict, message, tookMs: performance.now() - began }
    process.stdout.write(`${JSON.stringify(said)}\n`)
    if (name === EXPLORE && verdict !== 'holds') break
  }
}

async function explore(seed: number): Promise<void> {
  const { violation } = await runTrial(trialOf(seed))
  assert.equal(violation?.invariant ?? 'none', 'none')
}

async function judge(play: () => Promise<void>): Promise<Pick<Verdict, 'verdict' | 'message'>> {
  try {
    await play()
    return { verdict: 'holds', message: '' }
  } catch (error) {
    const isFinding = error instanceof AssertionError || error instanceof TimeoutError
    const message = error instanceof Error ? error.message : String(error)
    return { verdict: isFinding ? 'broken' : 'crashed', message: message.slice(0, 1_000) }
  }
}
