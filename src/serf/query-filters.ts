// Whether a query is meant for a member: all its filters must pass (serf-behaviour §26.2). What cannot be read, what nobody has defined
// and what is no pattern lets nobody pass. Bounded for what strangers send; knows no queries.
import { DecodeError } from '../base/errors.ts'
import { decodeQueryFilter } from '../wire/query-filter.ts'
import type { TagPatterns } from './tag-patterns.ts'

/** Filters of one query: more than anybody asks with, so few that all patterns are held against all tags in no time. */
export const MAX_FILTERS = 64
/** Bytes of all filters of a query. */
const MAX_FILTER_BYTES = 4096

/** What filters look at. */
interface Candidate {
  readonly name: string
  readonly tags: Readonly<Record<string, string>>
}

/** Whether the member passes all filters.
 *  @param warn is told of a filter that nobody can pass */
export function passesFilters(
  filters: readonly Uint8Array[],
  { name, tags }: Candidate,
  patterns: TagPatterns,
  warn: (message: string) => void,
): boolean {
  let bytes = 0
  for (const filter of filters) bytes += filter.length
  if (filters.length > MAX_FILTERS || bytes > MAX_FILTER_BYTES) {
    warn(`${filters.length} filters of ${bytes} bytes, at most ${MAX_FILTERS} of ${MAX_FILTER_BYTES} are looked at`)
    return false
  }
  return filters.every((filter) => {
    try {
      const read = decodeQueryFilter(filter)
      if (read.type === 'nodes') return read.nodes.includes(name)
      const value = Object.hasOwn(tags, read.tag) ? (tags[read.tag] as string) : ''
      const verdict = patterns.matches(read.pattern, value)
      if (typeof verdict === 'boolean') return verdict
      warn(`the pattern for the tag ${read.tag} matches nothing: ${verdict}`)
      return false
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      // Differs: Go reads the first byte of an empty filter without a look, and its program ends.
      warn(`a filter that nobody passes: ${error.message}`)
      return false
    }
  })
}
