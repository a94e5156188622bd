// What a process holds: the heap after forced collections, the least of several looks, so that what only waits for a collection or a
// finalizer does not count.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

export interface Held {
  /** V8's heap. */
  readonly heapBytes: number
  /** Array buffers and what else V8 knows of outside it. */
  readonly outsideBytes: number
}

export async function held(): Promise<Held> {
  let least: Held = { heapBytes: Number.POSITIVE_INFINITY, outsideBytes: 0 }
  for (let look = 0; look < 6; look++) {
    for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve))
    collect()
    const { heapUsed, external } = process.memoryUsage()
    if (heapUsed < least.heapBytes) least = { heapBytes: heapUsed, outsideBytes: external }
  }
  return least
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
