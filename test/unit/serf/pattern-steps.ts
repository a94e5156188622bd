// Counts what re2js does, over any number of patterns: how many it is handed, how many it compiles, to how many instructions, and each look of its automaton at
// one of them. Not a test.
import { RE2Set } from 're2js'

/** What was done. */
export interface Counted<Result> {
  readonly result: Result
  /** Patterns that it was handed, to be parsed, which writes repetitions out. */
  readonly handed: number
  /** Patterns that were compiled. */
  readonly compiled: number
  /** Instructions of those. */
  readonly instructions: number
  /** Looks at an instruction. */
  readonly steps: number
}

interface Program {
  inst: unknown[]
}

/** Counts while `act` runs. */
export function counted<Result>(act: () => Result): Counted<Result> {
  const { add, match, compile } = RE2Set.prototype
  let handed = 0
  let compiled = 0
  let instructions = 0
  let steps = 0
  RE2Set.prototype.add = function (this: RE2Set, ...pattern: Parameters<typeof add>): ReturnType<typeof add> {
    handed++
    return add.apply(this, pattern)
  }
  RE2Set.prototype.compile = function (this: RE2Set): void {
    compile.call(this)
    compiled++
    instructions += (this.prog as unknown as Program).inst.length
  }
  RE2Set.prototype.match = function (this: RE2Set, ...value: Parameters<typeof match>): number[] {
    const program = this.prog as unknown as Program
    const { inst } = program
    program.inst = new Proxy(inst, {
      get(target, key) {
        if (typeof key === 'string' && /^\d+$/.test(key)) steps++
        return Reflect.get(target, key)
      },
    })
    try {
      return match.apply(this, value)
    } finally {
      program.inst = inst
    }
  }
  try {
    const result = act()
    return { result, handed, compiled, instructions, steps }
  } finally {
    Object.assign(RE2Set.prototype, { add, match, compile })
  }
}
