// The one place where simulated time meets the real event loop. The rule: every task of the schedule runs in a real turn of
// its own, and Node empties its queues of ticks and promise continuations after each. So code that awaits (`await membership.join(...)`)
// goes on at the virtual instant that woke it, before anything later happens, as deep as its chain of promises is; and no
// real time, hence no chance, is part of the order. A turn is a `setImmediate` callback. They are queued by the batch, because
// passing through the whole event loop costs ten times a callback (measured on Node 20: 0.8 us a turn alone, 0.06 us in a batch).
// Code that awaits real time or real I/O is outside this rule and does not replay.
const { setImmediate } = globalThis // ours even where a test runner later swaps it for a fake
/** Fakes of Jest, Vitest and Sinon bear their clock. With one of them no turn would ever come. */
const IS_FAKE: boolean = 'clock' in setImmediate

const BATCH_TURNS = 64

/** Calls `turn` once in each turn until it gives false. Rejects with what it throws, and calls it no more. */
export function takeTurns(turn: () => boolean): Promise<void> {
  if (IS_FAKE) {
    const cure = 'install fake timers after it, or leave setImmediate as it is'
    return Promise.reject(new Error(`setImmediate was a fake when rollcall/sim was loaded: ${cure}`))
  }
  return new Promise((resolve, reject) => {
    let queued = 0
    let isOver = false
    const take = (): void => {
      queued--
      if (isOver) return
      try {
        isOver = !turn()
        if (isOver) resolve()
      } catch (error) {
        isOver = true
        reject(error)
      }
      if (!isOver && queued === 0) queue()
    }
    const queue = (): void => {
      for (; queued < BATCH_TURNS; queued++) setImmediate(take)
    }
    queue()
  })
}
