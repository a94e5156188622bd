// docs/planning.md shows what examples/plan.ts prints, and what bench:plan prints of its results: nothing in it is from an older formula.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planningPage } from '../../bench/plan/page.ts'

test('docs/planning.md is what `npx tsx bench/plan/page.ts` makes of it', () => {
  const { now, filled } = planningPage()
  assert.match(now, /\| lan \| 1000 \| 10 % \|/)
  assert.match(now, /### Mistakes about healthy members/)
  assert.equal(now, filled)
})
