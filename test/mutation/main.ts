// `npm run mutants`: the mutation proof as a table. Ends with 1 where a mutant lives, a patch does not apply, or a check does not hold
// while nothing is broken.
//
//   npm run mutants                             each mutant under one seed
//   npm run mutants -- --seeds 3                under three
//   npm run mutants -- --only health            those whose name holds the word
import { parseArgs } from 'node:util'
import { CHECK } from './checks.ts'
import { MUTANTS } from './mutants.ts'
import { doubtOf, type Outcome, prove } from './proof.ts'

const { values } = parseArgs({ options: { seeds: { type: 'string' }, only: { type: 'string' } } })
const mutants = MUTANTS.filter(({ name }) => name.includes(values.only ?? ''))
const began = performance.now()
const outcomes = await prove({ mutants, seeds: Number(values.seeds ?? 1), done: complain })
const order = new Map(MUTANTS.map(({ name }, at) => [name, at]))
const tried = outcomes
  .filter(({ mutant }) => mutant !== undefined)
  .sort((one, other) => (order.get(one.mutant?.name ?? '') ?? 0) - (order.get(other.mutant?.name ?? '') ?? 0))
console.log('| mutant | what it breaks | noticed by | seeds | s |')
console.log('| --- | --- | --- | --- | --- |')
for (const outcome of tried) console.log(rowOf(outcome))
const doubts = outcomes.filter((outcome) => doubtOf(outcome) !== undefined)
const seconds = ((performance.now() - began) / 1_000).toFixed(0)
console.log(
  `\n${tried.length} mutants, ${tried.length - doubts.filter(({ mutant }) => mutant).length} noticed, in ${seconds} s`,
)
process.exitCode = doubts.length === 0 && tried.length > 0 ? 0 : 1

function complain(outcome: Outcome): void {
  const doubt = doubtOf(outcome)
  if (doubt !== undefined) console.error(`${outcome.mutant?.name ?? 'nothing changed'}: ${doubt}`)
}

function rowOf({ mutant, verdicts, ...outcome }: Outcome): string {
  if (mutant === undefined) return ''
  const isProof = doubtOf({ mutant, verdicts, ...outcome }) === undefined
  const by = isProof ? CHECK[mutant.caughtBy].name : '**nobody**'
  const ms = Math.max(...verdicts.map(({ tookMs }) => tookMs))
  return `| \`${mutant.name}\` | ${mutant.breaks} | ${by} | ${verdicts.map(({ seed }) => seed).join(', ')} | ${(ms / 1_000).toFixed(2)} |`
}
