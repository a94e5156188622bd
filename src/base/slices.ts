// Work that is done a slice at a time, so that nothing else waits long for it: a generator that yields between two slices and is told
// the time when it goes on. Knows no clock; whoever holds the work decides when its next slice comes.

/** Goes on with `next(now)`, at monotonic milliseconds. What a slice begins it finishes: between slices all state is consistent. */
export type Slices<Result = void> = Generator<void, Result, number>

/** All that is left, at once. */
export function finish<Result>(work: Slices<Result>, now: number): Result {
  for (;;) {
    const step = work.next(now)
    if (step.done === true) return step.value
  }
}
