// SWIM's paper in the simulator: message load, detection time, dissemination, false suspicions, the infection curve and its joins under
// loss, beside the paper's figures and formulas. `npm run bench:swim -- --jobs 2 --out results.jsonl`; support/bench.ts has the options.
import { main } from './support/bench.ts'
import { swimBench } from './swim/bench.ts'

await main(swimBench)
