// Fills docs/planning.md: with the table of examples/plan.ts, and with those of bench/plan/results.jsonl. `npx tsx bench/plan/page.ts`
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type PaperBench, readResults } from '../papers/support/bench.ts'
import { filled } from '../papers/support/pages.ts'
import { planBench } from './bench.ts'

const ROOT: string = fileURLToPath(new URL('../..', import.meta.url))
const PAGE: string = fileURLToPath(new URL('../../docs/planning.md', import.meta.url))
const RESULTS: string = fileURLToPath(new URL('results.jsonl', import.meta.url))
const EXAMPLE = 'examples/plan.ts'
const MARKED: RegExp = new RegExp(`(<!-- ${EXAMPLE} -->\n)[\\s\\S]*?(<!-- end of ${EXAMPLE} -->)`)

/** The page with each marked place filled, and as it is. */
export function planningPage(): { readonly now: string; readonly filled: string } {
  const now = readFileSync(PAGE, 'utf8')
  const printed = execFileSync(process.execPath, ['--import', 'tsx', EXAMPLE], { cwd: ROOT, encoding: 'utf8' })
  const withExample = now.replace(MARKED, (_, begin: string, end: string) => `${begin}\n${printed}\n${end}`)
  const bench = planBench as unknown as PaperBench<{ readonly kind: string }, unknown>
  return { now, filled: filled(withExample, [bench], () => readResults(RESULTS)) }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, planningPage().filled)
