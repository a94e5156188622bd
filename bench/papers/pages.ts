// Fills docs/papers.md with the tables of bench/papers/results. `npx tsx bench/papers/pages.ts`
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { peersBench } from './peers/bench.ts'
import { rapidBench } from './rapid/bench.ts'
import { serfBench } from './serf/bench.ts'
import { type PaperBench, readResults } from './support/bench.ts'
import { filled } from './support/pages.ts'
import { swimBench } from './swim/bench.ts'

const RESULTS: string = fileURLToPath(new URL('results', import.meta.url))
const PAGE: string = fileURLToPath(new URL('../../docs/papers.md', import.meta.url))

/** All benches whose results a page may show. */
const BENCHES = [swimBench, rapidBench, serfBench, peersBench] as readonly unknown[] as readonly PaperBench<
  { readonly kind: string },
  unknown
>[]

/** The page as it should be. */
export function papersPage(): { readonly now: string; readonly filled: string } {
  const now = readFileSync(PAGE, 'utf8')
  return { now, filled: filled(now, BENCHES, (name) => readResults(join(RESULTS, `${name}.jsonl`))) }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, papersPage().filled)
