// How far the formulas of `planCluster` are from what simulated clusters do: a table of sizes, losses and knobs, the formula beside the count.
// `npm run bench:plan -- --jobs 2 --out results.jsonl`; papers/support/bench.ts has the options.
import { main } from './papers/support/bench.ts'
import { planBench } from './plan/bench.ts'

await main(planBench)
