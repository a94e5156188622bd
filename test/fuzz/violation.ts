// What a fuzz run calls wrong: an invariant that an input broke, with all it takes to see it again.
import { formatInput, type Input } from './input.ts'

export class Violation extends Error {
  override readonly name = 'Violation'
  readonly input: Input

  constructor(what: string, input: Input, cause?: unknown) {
    super(`${what}\n  input: ${shortened(formatInput(input))}`, cause === undefined ? undefined : { cause })
    this.input = input
  }
}

/** Throws `Violation` unless `holds`. */
export function must(holds: boolean, what: string | (() => string), input: Input): asserts holds {
  if (!holds) throw new Violation(typeof what === 'string' ? what : what(), input)
}

/** Anything thrown as a `Violation`, for what must not throw at all. */
export function asViolation(error: unknown, input: Input): Violation {
  if (error instanceof Violation) return error
  return new Violation(`threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, input, error)
}

function shortened(text: string): string {
  return text.length <= 8000 ? text : `${text.slice(0, 8000)}... (${text.length} characters)`
}
