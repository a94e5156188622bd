// Waiting for the host, but not for ever: a disk that hangs neither answers nor fails.
import type { Clock } from './host.ts'

/** What the work comes to, or what `late` says once it had its time; what it comes to after that is nobody's. */
export async function within<Result>(
  clock: Clock,
  limitMs: number,
  work: Promise<Result>,
  late: () => Result,
): Promise<Result> {
  let cancel: (() => void) | undefined
  const limit = new Promise<void>((resolve) => {
    cancel = clock.wakeAt(clock.now() + limitMs, resolve)
  })
  try {
    return await Promise.race([work, limit.then(late)])
  } finally {
    cancel?.()
  }
}
