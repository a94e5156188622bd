// Waiting for a promise no longer than a signal lets one. Knows an abort signal by its shape alone: the pure rooms have no
// name for the real one. Cancels nothing: whatever was waited for goes on unheard.

/** The part of an `AbortSignal` that is needed. */
export interface AbortLike {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void, options: { once: true }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** The promise's outcome, or the signal's reason as a rejection if that comes first. Leaves no listener behind, and a rejection
 *  that comes too late is not unhandled. */
export async function untilAborted<Value>(promise: Promise<Value>, signal: AbortLike | undefined): Promise<Value> {
  if (signal === undefined) return promise
  let abort: () => void = () => {}
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason)
  })
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  try {
    // The signal's side first: of two that have happened already it wins.
    return await Promise.race([aborted, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
