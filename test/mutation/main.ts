// `npm run mutants`: the mutation proof as a table. Ends with 1 where a mutant lives, a patch does not apply, or a check does not hold
// while nothing is broken.
//
//   npm run mutants                             each mutant under one seed
//   npm run mutants -- --seeds 3                under three
//   npm run mutants -- --only health            those whose name holds the word
//   npm run mutants -- --list                   what there is, as docs/exploration.md has it; nothing is run
//   npm run mutants -- --trials 20              what 20 random trials of the exploration find of each, too
import { parseArgs } from 'node:util'
import { CHECK } from './checks.ts'
import type { Verdict } from './child.ts'
import { MUTANTS } from './mutants.ts'
import { doubtOf, listed, type Outcome, prove } from './proof.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    only: { type: 'string' },
    trials: { type: 'string' },
    list: { type: 'boolean' },
  },
})
const mutants = MUTANTS.filter(({ name }) => name.includes(values.only ?? ''))
const trials = Number(values.trials ?? 0)
if (values.list) console.log(listed())
else process.exitCode = await run()

async function run(): Promise<number> {
  const began = performance.now()
  const outcomes = await prove({ mutants, seeds: Number(values.seeds ?? 1), trials, done: say })
  const order = new Map(MUTANTS.map(({ name }, at) => [name, at]))
  const tried = outcomes
    .filter(({ mutant }) => mutant !== undefined)
    .sort((one, other) => (order.get(one.mutant?.name ?? '') ?? 0) - (order.get(other.mutant?.name ?? '') ?? 0))
  const heads = [
    'mutant',
    'what it breaks',
    'noticed by',
    'seeds',
    's',
    ...(trials > 0 ? [`${trials} random trials`] : []),
  ]
  console.log(`| ${heads.join(' | ')} |`)
  console.log(`| ${heads.map(() => '---').join(' | ')} |`)
  for (const outcome of tried) console.log(rowOf(outcome))
  const doubts = outcomes.filter((outcome) => doubtOf(outcome) !== undefined)
  const seconds = ((performance.now() - began) / 1_000).toFixed(0)
  console.log(
    `\n${tried.length} mutants, ${tried.length - doubts.filter(({ mutant }) => mutant).length} noticed, in ${seconds} s`,
  )
  return doubts.length === 0 && tried.length > 0 ? 0 : 1
}

/** As it goes, beside the table. */
function say(outcome: Outcome): void {
  const found = trials > 0 && outcome.mutant !== undefined ? `; trials: ${foundBy(outcome.explored)}` : ''
  console.error(`${outcome.mutant?.name ?? 'nothing broken'}: ${doubtOf(outcome) ?? 'as it should be'}${found}`)
}

function rowOf({ mutant, verdicts, ...outcome }: Outcome): string {
  if (mutant === undefined) return ''
  const isProof = doubtOf({ mutant, verdicts, ...outcome }) === undefined
  const by = isProof ? CHECK[mutant.caughtBy].name : '**nobody**'
  const ms = Math.max(...verdicts.map(({ tookMs }) => tookMs))
  const cells = [
    `\`${mutant.name}\``,
    mutant.breaks,
    by,
    verdicts.map(({ seed }) => seed).join(', '),
    (ms / 1_000).toFixed(2),
  ]
  return `| ${[...cells, ...(trials > 0 ? [foundBy(outcome.explored)] : [])].join(' | ')} |`
}

function foundBy(explored: Verdict | undefined): string {
  if (explored === undefined) return 'no end'
  if (explored.verdict === 'holds') return 'nothing'
  const invariant = explored.verdict === 'crashed' ? 'a crash' : /'([a-z-]+)'/.exec(explored.message)?.[1]
  return `${invariant}, seed ${explored.seed}`
}
