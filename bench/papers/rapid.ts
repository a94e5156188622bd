// The experiments of Rapid's paper in the simulator: crash, one-way flip-flop, 80 % loss, a storm of joins, beside its figures for Rapid,
// Memberlist and ZooKeeper. `npm run bench:rapid -- --members 100,200 --jobs 2 --out results.jsonl`; support/bench.ts has the options.

import { rapidBench } from './rapid/bench.ts'
import { main } from './support/bench.ts'

await main(rapidBench)
