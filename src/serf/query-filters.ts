// Whether a query is meant for a member: all its filters must pass (serf-behaviour §26.2). What cannot be read, what nobody has defined
// and what is no pattern lets nobody pass. Bounded for what strangers send: all patterns of a query share one bound, and what they
// would cost is known before one of them is compiled. Knows no queries.
import { DecodeError } from '../base/errors.ts'
import { decodeQueryFilter } from '../wire/query-filter.ts'
import { MAX_PATTERN_INSTRUCTIONS, matches, measurePattern, type TagPattern, type TagPatterns } from './tag-patterns.ts'

/** Filters of one query: more than anybody asks with. */
export const MAX_FILTERS = 64
/** Bytes of all filters of a query. */
const MAX_FILTER_BYTES = 4096
/** Instructions of all patterns of a query: those that one alone may have. */
export const MAX_QUERY_INSTRUCTIONS: number = MAX_PATTERN_INSTRUCTIONS
/** Instructions times characters, over all patterns and the values they are held against. A pattern of five hundred instructions fits,
 *  against a tag that fills all the room there is. */
export const MAX_QUERY_WORK: number = 2 ** 18
/** What it costs to compile an instruction, in characters that it is held against: re2js takes up to so many times as long. */
const COMPILE_WORK = 64

/** What filters look at. */
interface Candidate {
  readonly name: string
  readonly tags: Readonly<Record<string, string>>
}

/** A filter of a tag, measured, and compiled once it is needed. */
interface TagReading {
  readonly tag: string
  readonly pattern: string
  readonly instructions: number
  compiled?: TagPattern | string
}

/** The filters of one query, read. */
export class QueryFilters {
  readonly #nodes: readonly ReadonlySet<string>[]
  readonly #tags: readonly TagReading[]
  readonly #patterns: TagPatterns

  private constructor(nodes: readonly ReadonlySet<string>[], tags: readonly TagReading[], patterns: TagPatterns) {
    this.#nodes = nodes
    this.#tags = tags
    this.#patterns = patterns
  }

  /** Reads them, and compiles nothing. Absent: nobody can pass. @param warn is told why */
  static read(
    filters: readonly Uint8Array[],
    patterns: TagPatterns,
    warn: (message: string) => void,
  ): QueryFilters | undefined {
    let bytes = 0
    for (const filter of filters) bytes += filter.length
    if (filters.length > MAX_FILTERS || bytes > MAX_FILTER_BYTES) {
      warn(`${filters.length} filters of ${bytes} bytes, at most ${MAX_FILTERS} of ${MAX_FILTER_BYTES} are looked at`)
      return undefined
    }
    const nodes: ReadonlySet<string>[] = []
    const tags: TagReading[] = []
    for (const filter of filters) {
      try {
        const read = decodeQueryFilter(filter)
        if (read.type === 'nodes') {
          nodes.push(new Set(read.nodes))
          continue
        }
        const { tag, pattern } = read
        const instructions = measurePattern(pattern)
        if (typeof instructions === 'string') {
          warn(nothingMatches(tag, instructions))
          return undefined
        }
        tags.push({ tag, pattern, instructions })
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        // Differs: Go reads the first byte of an empty filter without a look, and its program ends.
        warn(`a filter that nobody passes: ${error.message}`)
        return undefined
      }
    }
    const instructions = tags.reduce((sum, one) => sum + one.instructions, 0)
    if (instructions > MAX_QUERY_INSTRUCTIONS) {
      warn(`patterns of ${instructions} instructions, at most ${MAX_QUERY_INSTRUCTIONS} are compiled for one query`)
      return undefined
    }
    return new QueryFilters(nodes, tags, patterns)
  }

  /** Names that each filter of names has. */
  get named(): readonly ReadonlySet<string>[] {
    return this.#nodes
  }

  /** Instructions times characters that it takes to hold the patterns against the member's tags, an end of each value included. */
  work({ tags }: Pick<Candidate, 'tags'>): number {
    return this.#tags.reduce((sum, { tag, instructions }) => sum + instructions * (tagValue(tags, tag).length + 1), 0)
  }

  /** The same, with what is still to be compiled. */
  cost(candidate: Pick<Candidate, 'tags'>): number {
    const missing = this.#tags.filter(({ pattern, compiled }) => compiled === undefined && !this.#patterns.has(pattern))
    return missing.reduce((sum, { instructions }) => sum + COMPILE_WORK * instructions, this.work(candidate))
  }

  /** Whether the member's name passes. */
  passesNames(name: string): boolean {
    return this.#nodes.every((names) => names.has(name))
  }

  /** Whether the member passes all of them. @param warn is told of a filter that nobody can pass, or that takes too long here */
  passes(candidate: Candidate, warn: (message: string) => void): boolean {
    if (!this.passesNames(candidate.name)) return false
    const work = this.work(candidate)
    if (work > MAX_QUERY_WORK) {
      warn(`patterns that take ${work} steps against our tags, at most ${MAX_QUERY_WORK} are done for one query`)
      return false
    }
    return this.#tags.every((reading) => {
      reading.compiled ??= this.#patterns.compiled(reading.pattern)
      const verdict = matches(reading.compiled, tagValue(candidate.tags, reading.tag))
      if (typeof verdict === 'boolean') return verdict
      warn(nothingMatches(reading.tag, verdict))
      return false
    })
  }
}

function tagValue(tags: Readonly<Record<string, string>>, tag: string): string {
  return Object.hasOwn(tags, tag) ? (tags[tag] as string) : ''
}

function nothingMatches(tag: string, reason: string): string {
  return `the pattern for the tag ${tag} matches nothing: ${reason}`
}
