// Members that start, meet a peer and close, over and over in one process. Whatever one leaves behind, thousands show: the heap must stop
// growing, and the open resources must be after the last what they were after the first.
import { parseArgs } from 'node:util'
import { Membership } from '../../src/index.ts'
import { held, mebibytes } from '../fuzz/heap.ts'

/** The first half is for warming up: V8 goes on compiling and learning for some thousand members, and then rests. */
const PARTS = 10
/** Of the second half. The least that a member could leave behind, an object and who holds it, takes more. */
const MAX_BYTES_A_MEMBER = 100

const { values } = parseArgs({ options: { cycles: { type: 'string', default: '4500' } } })
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
const [middle = 0, last = 0] = [heap[PARTS / 2 - 1], heap.at(-1)]
const bytesAMember = Math.round((last - middle) / cycles)
console.log(
  `${2 * cycles} members started and ended, ${(ms / cycles).toFixed(1)} ms a pair; every other pair said goodbye`,
)
console.log(`heap after each ${Math.round((2 * cycles) / PARTS)} members: ${heap.map(mebibytes).join(', ')}`)
console.log(`in the second half ${bytesAMember} bytes more for each member, at most ${MAX_BYTES_A_MEMBER}`)
console.log(`open resources: ${open[0]} first, ${open.at(-1)} last`)
if (bytesAMember > MAX_BYTES_A_MEMBER || open[0] !== open.at(-1)) {
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
