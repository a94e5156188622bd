// Members that start, meet a peer and close, over and over in one process. Whatever one leaves behind, thousands show: the heap and the
// open resources must be after the last what they were after the first.
import { parseArgs } from 'node:util'
import { Membership } from '../../src/index.ts'
import { held, mebibytes } from '../fuzz/heap.ts'

/** The first is for warming up: code is compiled, tables find their size. */
const PARTS = 6
/** What V8 adds to its own books in so many cycles. */
const MAX_GROWTH_BYTES = 1024 * 1024

const { values } = parseArgs({ options: { cycles: { type: 'string', default: '3000' } } })
const cycles = Number(values.cycles)

/** Heap after each part, in bytes. */
const heap: number[] = []
const open: string[] = []
const began = performance.now()
for (let part = 0; part < PARTS; part++) {
  for (let cycle = 0; cycle < cycles / PARTS; cycle++) await live(cycle)
  heap.push((await held()).heapBytes)
  open.push(resources())
}
const ms = performance.now() - began
const [first = 0, last = 0] = [heap[1], heap.at(-1)]
const grown = last - first
console.log(
  `${2 * cycles} members started and ended, ${(ms / cycles).toFixed(1)} ms a pair; every other pair said goodbye`,
)
console.log(`heap after each ${Math.round((2 * cycles) / PARTS)} members: ${heap.map(mebibytes).join(', ')}`)
console.log(`from the second to the last: ${grown} bytes more, at most ${MAX_GROWTH_BYTES}`)
console.log(`open resources: ${open[0]} first, ${open.at(-1)} last`)
if (grown > MAX_GROWTH_BYTES || open[0] !== open.at(-1)) {
  console.error('FAILED: something was left behind')
  process.exitCode = 1
}

/** Two members meet; one or both end. */
async function live(cycle: number): Promise<void> {
  const options = { bind: '127.0.0.1:0', profile: 'local', leavePropagateDelayMs: 1, gossipIntervalMs: 5 } as const
  const first = new Membership({ ...options, name: 'first' })
  const second = new Membership({ ...options, name: 'second' })
  await first.start()
  await second.join([first.local.address], { required: true })
  if (cycle % 2 === 0) await second.leave()
  else await second.close()
  await first.close()
}

function resources(): string {
  return process.getActiveResourcesInfo().sort().join(' ') || 'none'
}
