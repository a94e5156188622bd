// What must hold if our own code is right. A peer's nonsense and a user's mistake never end here:
// those are `DecodeError` and `OptionsError`. A failed assertion is our bug, and stops.

export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Throws `AssertionError` unless `condition` holds. `fact` states what was expected to be true. */
export function assert(condition: boolean, fact: string): asserts condition {
  if (!condition) throw new AssertionError(`broken invariant: ${fact}`)
}

/** For the `default` of a switch over a closed union: the compiler proves it unreachable. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable case: ${String(value)}`)
}
