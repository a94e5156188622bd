// The transcripts of everything.ts as digests, which are kept beside this file: whoever runs the same code on another version of Node must
// come to the same ones. A change of what members do changes them, and is to be meant.
//
//   npm run transcripts -- --renew        takes the digests of this code for right; refused where CI=true
//   npm run transcripts -- --print 1      the transcript itself, to be compared with `diff`
//   npm run transcripts -- --digest 1     its digest
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { everything } from './everything.ts'

/** Enough for all branches of chance that matter, and few enough for every run of the tests. */
export const SEEDS: readonly number[] = [1, 2]

const FILE = new URL('./transcripts.json', import.meta.url)

/** What is written down, by seed. */
export function keptDigests(): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(FILE, 'utf8'))
}

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { renew: { type: 'boolean' }, print: { type: 'string' }, digest: { type: 'string' } },
  })
  if (values.renew) return renew()
  const seed = Number(values.print ?? values.digest ?? Number.NaN)
  if (!Number.isInteger(seed)) {
    console.error('say --renew, --print <seed> or --digest <seed>')
    return 1
  }
  const { text } = await everything(seed)
  process.stdout.write(values.print === undefined ? `${digestOf(text)}\n` : text)
  return 0
}

async function renew(): Promise<number> {
  if (process.env.CI === 'true') {
    console.error('CI is true: digests are renewed by a person, who means the change')
    return 1
  }
  const digests: Record<string, string> = {}
  for (const seed of SEEDS) digests[seed] = digestOf((await everything(seed)).text)
  writeFileSync(FILE, `${JSON.stringify(digests, null, 2)}\n`)
  return 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main()
