// The mutation proof (test/mutation): that the checks of this project notice bugs, and the bugs that they are known to notice. And the proof
// itself, fed with lies: a patch that does not apply, one that changes nothing, one that breaks the harness instead of a rule.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { CHECK } from './checks.ts'
import { MUTANTS, type Mutant } from './mutants.ts'
import { doubtOf, listed, patched, prove } from './proof.ts'

const [SOME] = MUTANTS as [Mutant]
const ONCE = MUTANTS.find(({ name }) => name === 'told-one-time') as Mutant
const HERE = 'src/swim/awareness.ts'

describe('the mutation proof', () => {
  it('every check holds while nothing is broken, and each mutant is noticed by the check that is named for it', async (context) => {
    const began = performance.now()
    const outcomes = await prove()
    const seconds = ((performance.now() - began) / 1_000).toFixed(0)
    const tried = outcomes.filter(({ mutant }) => mutant !== undefined)
    assert.equal(tried.length, MUTANTS.length)
    const played = outcomes.flatMap(({ mutant, verdicts }) => (mutant === undefined ? verdicts : []))
    assert.deepEqual(new Set(played.map(({ check }) => check)), new Set(Object.keys(CHECK)), 'each check was played')
    const doubts = outcomes.flatMap((outcome) => {
      const doubt = doubtOf(outcome)
      return doubt === undefined ? [] : [`${outcome.mutant?.name ?? 'nothing broken'}: ${doubt}`]
    })
    assert.deepEqual(doubts, [])
    context.diagnostic(
      `${tried.length} mutants, noticed by ${new Set(MUTANTS.map(({ caughtBy }) => caughtBy)).size} checks, in ${seconds} s`,
    )
  })

  it('names each mutant once', () => {
    assert.equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length)
    assert.ok(MUTANTS.length >= 12)
  })

  it('docs/exploration.md has the table that `npm run mutants -- --list` prints', () => {
    const page = readFileSync(new URL('../../docs/exploration.md', import.meta.url), 'utf8')
    assert.ok(page.includes(listed()), 'print it anew')
  })

  it('a patch that applies nowhere, or twice, says which text is missing where', () => {
    const text = readFileSync(new URL(`../../${HERE}`, import.meta.url), 'utf8')
    const lie = { name: 'lie', file: HERE, find: 'not in any source', replace: '' }
    assert.throws(
      () => patched(text, lie),
      /^Error: lie does not apply: in src\/swim\/awareness\.ts this stands 0 times.*\nnot in any source$/s,
    )
    assert.throws(() => patched('twice twice', { ...lie, find: 'twice' }), /stands 2 times/)
  })

  it('a mutant that changes nothing is noticed by nobody, and one that breaks the harness proves nothing', async () => {
    const lies: readonly [Mutant, RegExp][] = [
      [{ ...SOME, name: 'no change', replace: SOME.find }, /holds under seed 1: nobody notices/],
      [{ ...SOME, name: 'no code', replace: '}}}} (' }, /the process of .* ended with 1/],
      [
        { ...SOME, name: 'no value', replace: `${SOME.find} throw new TypeError('broken')` },
        /crashed under seed 1: .*broken/,
      ],
      // Nobody gossips, so that the cluster of the check does not stand: the check itself has seen nothing.
      [
        { ...ONCE, name: 'no start', replace: 'return 0', caughtBy: 'quiet' },
        /crashed under seed 1: the cluster does not come to agree/,
      ],
      [{ ...SOME, name: 'no place', find: 'not in any source' }, /does not apply/],
    ]
    const outcomes = await prove({ mutants: lies.map(([mutant]) => mutant), plain: false })
    for (const [{ name }, expected] of lies) {
      const outcome = outcomes.find(({ mutant }) => mutant?.name === name)
      assert.match((outcome && doubtOf(outcome)) ?? '', expected, name)
    }
  })
})
