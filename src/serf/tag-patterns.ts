// Patterns that strangers send, held against our tags: RE2 as Go has it, found anywhere in the value. The one importer of re2js.
// Work is bounded: of re2js only the automaton is used that reads each character once and looks at each instruction at most twice a
// character (Thompson's); and no pattern is handed over whose instructions, counted beforehand, would be too many, be it for anybody or for
// its length. So a match takes at most 2 * 128 steps for each character of the pattern and of the value. How many patterns there may be is
// query-filters.ts's.
// Source: serf-behaviour §26.2; Go regexp/syntax.
import { RE2JSException, RE2Set } from 're2js'

/** UTF-16 units of a pattern: as long as any query of Serf's usual size. */
export const MAX_PATTERN_LENGTH = 1024
/** Instructions of a pattern, `{n}` written out: so much that a thousand letters fit, each with its own repetition. */
export const MAX_PATTERN_INSTRUCTIONS = 4096
/** Instructions for each character of a pattern: a few characters must not make a program that takes long. Above what is written for
 *  tags: `.{1,255}` has 64, `(?i)[а-яА-Я]` is counted with 86. */
export const MAX_INSTRUCTIONS_PER_CHARACTER = 128
/** What a Unicode class (`\pL`) counts for: its up to seven hundred ranges are gone through once an instruction. */
const UNICODE_CLASS_COST = 16
/** What a range counts for that letters of both cases are added to one by one, up to a hundred thousand. */
const FOLDED_RANGE_COST = 512
/** Patterns kept compiled. A cluster asks the same few again and again; each may take a megabyte. */
const MAX_KEPT = 16

/** No memory for re2js's other automaton, which is faster and keeps what it saw: ours meets few values, short ones. */
const NO_MEMORY = 0

/** A pattern, compiled. */
export type TagPattern = RE2Set

/** Patterns as they were compiled last. */
export class TagPatterns {
  /** The newest stand last. Text: why it is refused. */
  readonly #kept = new Map<string, TagPattern | string>()

  /** Whether the value has the pattern in it; text, which says why, for a pattern that is refused. */
  matches(pattern: string, value: string): boolean | string {
    return matches(this.compiled(pattern), value)
  }

  /** True if the pattern need not be compiled anew. */
  has(pattern: string): boolean {
    return this.#kept.has(pattern)
  }

  /** The pattern, to be held against values; text, which says why, for one that is refused. */
  compiled(pattern: string): TagPattern | string {
    // Not even kept: it is as long as its sender likes.
    if (pattern.length > MAX_PATTERN_LENGTH) return `a pattern of ${pattern.length} characters`
    const known = this.#kept.get(pattern)
    if (known !== undefined) this.#kept.delete(pattern)
    const compiled = known ?? compilePattern(pattern)
    this.#kept.set(pattern, compiled)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > MAX_KEPT) this.#kept.delete(oldest as string)
    return compiled
  }
}

/** Whether the value has the pattern in it; the text of one that is refused. */
export function matches(compiled: TagPattern | string, value: string): boolean | string {
  return typeof compiled === 'string' ? compiled : compiled.match(value).length > 0
}

/** How many instructions the pattern compiles to at most; text, which says why, for one that is refused without a try. */
export function measurePattern(pattern: string): number | string {
  if (pattern.length > MAX_PATTERN_LENGTH) return `a pattern of ${pattern.length} characters`
  const instructions = countInstructions(pattern)
  const most = Math.min(MAX_PATTERN_INSTRUCTIONS, MAX_INSTRUCTIONS_PER_CHARACTER * Math.max(1, pattern.length))
  if (instructions <= most) return instructions
  return `a pattern of ${instructions} instructions, at most ${most} for its length`
}

/** The pattern compiled, or why it is refused: longer than RE2's programs here may be, or no pattern at all.
 *  Differs: Serf compiles whatever it is sent, up to thirty megabytes of it. */
export function compilePattern(pattern: string): TagPattern | string {
  const measure = measurePattern(pattern)
  if (typeof measure === 'string') return measure
  try {
    const set = new RE2Set(RE2Set.UNANCHORED, 0, NO_MEMORY)
    set.add(pattern)
    set.compile()
    return set
  } catch (error) {
    if (error instanceof RE2JSException) return error.message
    throw error
  }
}

/** How many instructions the pattern compiles to at most. Every operator counts, also where RE2 needs none; what is no pattern
 *  gives any number. Goes once over the text. */
export function countInstructions(pattern: string): number {
  return new Count(pattern).total()
}

/** A group that is open: what it holds so far, and of that the last thing, which a repetition would repeat. */
interface Group {
  sum: number
  last: number
}

class Count {
  readonly #pattern: string
  readonly #isFolded: boolean
  #at = 0
  #group: Group = { sum: 0, last: 0 }
  readonly #outer: Group[] = []

  constructor(pattern: string) {
    this.#pattern = pattern
    this.#isFolded = /\(\?[a-zA-Z]*i/.test(pattern)
  }

  total(): number {
    while (this.#at < this.#pattern.length) this.#one()
    // Groups left open are no pattern.
    return this.#outer.reduce((sum, group) => sum + group.sum, this.#group.sum) + 3
  }

  #one(): void {
    switch (this.#pattern[this.#at]) {
      case '(':
        this.#open()
        return
      case ')':
        this.#close()
        return
      case '|':
        // What stands beside it may be empty, and is an instruction all the same.
        this.#group.sum += 2
        this.#at++
        return
      case '*':
      case '+':
      case '?':
        this.#repeat(1, 2)
        this.#at++
        return
      case '{':
        this.#braces()
        return
      case '[':
        this.#class()
        return
      case '\\':
        this.#escape()
        return
      default:
        this.#atom(1)
        this.#at++
    }
  }

  #atom(size: number): void {
    this.#group.sum += size
    this.#group.last = size
  }

  /** @param extra instructions beside those that are repeated */
  #repeat(times: number, extra: number): void {
    const { last } = this.#group
    const size = times * last + extra
    this.#group.sum += size - last
    this.#group.last = size
  }

  #open(): void {
    const flags = /^\(\?(?:P?<[^>]*>|[a-zA-Z-]*([:)]))/.exec(this.#pattern.slice(this.#at))
    this.#at += flags?.[0].length ?? 1
    if (flags?.[1] === ')') return
    this.#outer.push(this.#group)
    this.#group = { sum: 0, last: 0 }
  }

  #close(): void {
    this.#at++
    const outer = this.#outer.pop()
    if (outer === undefined) return
    // Both parentheses, and an empty group is there, too.
    const size = this.#group.sum + 3
    this.#group = outer
    this.#atom(size)
  }

  #braces(): void {
    const found = /^\{(\d+)(?:(,)(\d*))?\}/.exec(this.#pattern.slice(this.#at))
    if (found === null) {
      this.#atom(1)
      this.#at++
      return
    }
    const [text, least = '', isRange, most = ''] = found
    this.#at += text.length
    const min = Number(least)
    const max = isRange === undefined ? min : most === '' ? min + 1 : Number(most)
    this.#repeat(Math.max(min, max, 1), Math.max(2, max - min))
  }

  /** From `[` to its `]`; a class is one instruction, whatever is in it. */
  #class(): void {
    let size = 1
    this.#at++
    if (this.#pattern[this.#at] === '^') this.#at++
    for (let isFirst = true; this.#at < this.#pattern.length; isFirst = false) {
      if (this.#pattern[this.#at] === ']' && !isFirst) break
      if (this.#pattern.startsWith('[:', this.#at)) {
        const end = this.#pattern.indexOf(':]', this.#at)
        this.#at = end < 0 ? this.#at + 1 : end + 2
      } else if (this.#pattern[this.#at] === '\\') {
        if (/^\\[pP]/.test(this.#pattern.slice(this.#at, this.#at + 2))) size += UNICODE_CLASS_COST
        this.#at += 2
      } else {
        if (this.#isFolded && /^-[^\]\x20-\x5b\x5e-\x7e]/.test(this.#pattern.slice(this.#at, this.#at + 2)))
          size += FOLDED_RANGE_COST
        this.#at++
      }
    }
    this.#at++
    this.#atom(size)
  }

  #escape(): void {
    const rest = this.#pattern.slice(this.#at)
    if (rest.startsWith('\\Q')) {
      const end = rest.indexOf('\\E')
      const literal = rest.slice(2, end < 0 ? undefined : end)
      for (const _ of literal) this.#atom(1)
      this.#at += end < 0 ? rest.length : end + 2
      return
    }
    const braced = /^\\(?:[pP]|x(?=\{))(?:\{[^}]*\}|.)/u.exec(rest)
    this.#at += braced?.[0].length ?? 2
    this.#atom(/^\\[pP]/.test(rest) ? UNICODE_CLASS_COST : 1)
  }
}
