// Lifeguard's results in a page of the docs: below a mark that holds a command stands what the command prints, and nothing by hand.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseCommand } from './lifeguard-command.ts'
import { readResults } from './lifeguard-results.ts'

const RESULTS: string = fileURLToPath(new URL('results', import.meta.url))
const MARKED = /(<!-- bench:lifeguard (.+) -->\n)[\s\S]*?(<!-- end of bench -->)/g

/** The page with each marked place filled, from files in `bench/papers/results` that the commands name by `--out`. */
export function filledPage(page: string): string {
  return page.replaceAll(MARKED, (_, begin: string, words: string, end: string) => {
    const { out, say } = parseCommand(words.split(' '))
    if (out === undefined) throw new Error(`${words}: --out says where the results are`)
    return `${begin}\n\`npm run bench:lifeguard -- ${words}\`: ${say(readResults(join(RESULTS, out)))}\n\n${end}`
  })
}
