// What a process holds after forced collections: of several looks the least, of each kind by itself. A look may count what only waits for
// a finalizer, and array buffers are given back by a thread of V8's some time after the collection that found them dead.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const LOOKS = 6
const collect = runInNewContext('gc') as () => void

export interface Held {
  /** V8's heap. */
  readonly heapBytes: number
  /** Array buffers and what else V8 knows of outside it. */
  readonly outsideBytes: number
}

export async function held(): Promise<Held> {
  let heapBytes = Number.POSITIVE_INFINITY
  let outsideBytes = Number.POSITIVE_INFINITY
  for (let look = 0; look < LOOKS; look++) {
    for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve))
    collect()
    const { heapUsed, external } = process.memoryUsage()
    heapBytes = Math.min(heapBytes, heapUsed)
    outsideBytes = Math.min(outsideBytes, external)
  }
  return { heapBytes, outsideBytes }
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
