// Serf's convergence in the simulator: how long one broadcast takes to reach a cluster, beside the formula of the simulator on Serf's site.
// `npm run bench:serf -- --members 30,100,300,1000 --jobs 2 --out results.jsonl`; support/bench.ts has the options.

import { serfBench } from './serf/bench.ts'
import { main } from './support/bench.ts'

await main(serfBench)
