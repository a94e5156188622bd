// Cells that others published, or that we measured of Go's own members, in the simulator: starved members (kinship), a killed member, and
// user events. `npm run bench:peers -- --jobs 2 --out results.jsonl`; support/bench.ts has the options.
import { peersBench } from './peers/bench.ts'
import { main } from './support/bench.ts'

await main(peersBench)
