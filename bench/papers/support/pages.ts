// Results in a page of the docs: between two marks that name a file of results stands what the bench prints of it, and nothing by hand.
import { headline, type PaperBench, type Results } from './bench.ts'

/** Any bench, and results that are its own. */
type AnyBench = PaperBench<{ readonly kind: string }, unknown>
type AnyResults = Results<{ readonly kind: string }, unknown>

const MARKED = /(<!-- results: ([\w.-]+) -->\n)[\s\S]*?(<!-- end of results -->)/g

/** The page with each marked place filled. @throws Error where it names results of no bench */
export function filled(page: string, benches: readonly AnyBench[], resultsOf: (name: string) => AnyResults): string {
  return page.replaceAll(MARKED, (_, begin: string, name: string, end: string) => {
    const results = resultsOf(name)
    const bench = benches.find((one) => one.name === results.circumstances.bench)
    if (bench === undefined)
      throw new Error(`${name} holds results of ${results.circumstances.bench}, which is no bench`)
    return `${begin}\n${headline(results.circumstances)}.\n\n${bench.tables(results.rows)}\n\n${end}`
  })
}

/** Names of the results that a page shows. */
export function shownIn(page: string): readonly string[] {
  return [...page.matchAll(MARKED)].map((match) => match[2] as string)
}
