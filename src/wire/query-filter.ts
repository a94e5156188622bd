// One filter of a query as bytes: a type byte, then a list of names, or a tag and a pattern. Knows nothing of what matches.
// Source: wire-protocol §7.2. Go indexes the first byte without a look: none of ours is ever empty.
import { DecodeError } from '../base/errors.ts'
import { list, Reader, struct, text, written } from './msgpack.ts'

/** First byte of a filter. */
const FilterType = { nodes: 0, tag: 1 } as const

/** Passed by the members that bear one of the names. */
export interface NodesFilter {
  readonly type: 'nodes'
  readonly nodes: readonly string[]
}

/** Passed by the members whose tag has the pattern (Go's syntax of RE2) in it somewhere; a missing tag is empty. */
export interface TagFilter {
  readonly type: 'tag'
  readonly tag: string
  readonly pattern: string
}

export type QueryFilter = NodesFilter | TagFilter

const names = list(text)

const tagFilter = struct<TagFilter>(
  () => ({ type: 'tag', tag: '', pattern: '' }),
  [
    ['Tag', 'tag', text],
    ['Expr', 'pattern', text],
  ],
)

/** A filter, type byte first. */
export function encodeQueryFilter(filter: QueryFilter): Uint8Array {
  return written((writer) => {
    if (filter.type === 'nodes') {
      writer.byte(FilterType.nodes)
      names.encode(writer, filter.nodes)
    } else {
      writer.byte(FilterType.tag)
      tagFilter.encode(writer, filter)
    }
  })
}

/** A filter, type byte first. Throws `DecodeError`, also for a type that nobody has defined. */
export function decodeQueryFilter(bytes: Uint8Array): QueryFilter {
  switch (bytes[0]) {
    case FilterType.nodes:
      return { type: 'nodes', nodes: names.decode(new Reader(bytes, 1)) }
    case FilterType.tag:
      return tagFilter.decode(new Reader(bytes, 1))
    case undefined:
      throw new DecodeError('empty filter')
    default:
      throw new DecodeError(`filter of type ${bytes[0]}`)
  }
}
