// Queries at the door: what a caller may ask, who holds which answers, and what a listener gets. Payloads become bytes here, and bytes
// payloads again where somebody asks for it.
import { checkBoolean, checkKeys, checkNumber, checkObject, checkSignal } from './base/check.ts'
import { OptionsError } from './base/errors.ts'
import type { Driver } from './driver/driver.ts'
import type { QueryEvent } from './events.ts'
import { type Payload, packPayload, unpack } from './pack.ts'
import { Query } from './query.ts'
import type { QueryRequest } from './serf/asking.ts'
import { InternalQuery, isInternal } from './serf/internal-queries.ts'
import type { QueryAnswerNotice, ReceivedQuery } from './serf/notices.ts'
import { MAX_FILTERS, MAX_QUERY_INSTRUCTIONS } from './serf/query-filters.ts'
import { compilePattern, countInstructions, MAX_PATTERN_LENGTH } from './serf/tag-patterns.ts'
import type { QueryFilter } from './wire/query-filter.ts'

/** All is optional: everybody is asked, for as long as gossip needs. */
export interface QueryOptions {
  /** Only members of these names. */
  readonly filterNodes?: readonly string[]
  /** Only members each of whose tags named here has the pattern in it somewhere. Patterns are those of Go: RE2; `^` and `$` make one
   *  hold for the whole value. A missing tag is empty. */
  readonly filterTags?: Readonly<Record<string, string>>
  /** Everybody who gets the query says so at once; see `Query.acks`. Default false. */
  readonly ack?: boolean
  /** How many other members each answer is sent through beside, against loss: 0 to 255; Node members take 16 at most. Default 0. */
  readonly relayFactor?: number
  /** How long answers are taken, and how long those who are asked have for them: 1 ms to a day. Default: 16 rounds of gossip for each
   *  digit of the number of members; 3.2 s at `lan` up to 9 members, 6.4 s up to 99. */
  readonly timeoutMs?: number
  /** Ends it when aborted: who reads its answers is thrown the signal's reason. */
  readonly signal?: AbortSignal
}

const MAX_TIMEOUT_MS = 86_400_000

/** The queries of ours that are open. */
export class Querying {
  readonly #driver: Pick<Driver, 'command' | 'commandSoon'>
  readonly #isHeard: () => boolean
  /** By their times. */
  readonly #open = new Map<number, Query>()

  /** @param isHeard whether somebody listens to queries here, and may answer */
  constructor(driver: Pick<Driver, 'command' | 'commandSoon'>, isHeard: () => boolean) {
    this.#driver = driver
    this.#isHeard = isHeard
  }

  /** Those that are open. */
  get size(): number {
    return this.#open.size
  }

  /** Asks. @throws OptionsError, SizeError, QueryError, ClosedError, the signal's reason: nothing is asked then */
  ask(name: string, payload: Payload | undefined, options: QueryOptions): Query {
    const request: QueryRequest = { ...requestOf(name, payload, options), isHeard: this.#isHeard() }
    const { signal } = options
    signal?.throwIfAborted()
    let ltime = 0
    const query = new Query({
      name,
      // Also where the user's own function does it, in the middle of a transition: that must not keep the query open.
      cancelled: () => this.#driver.commandSoon((serf) => serf.cancelQuery(ltime)),
      ended: () => {
        this.#open.delete(ltime)
        signal?.removeEventListener('abort', abort)
      },
    })
    const abort = (): void => query.abort(signal?.reason)
    // The answers, our own first, may be told in the very call that asks: whoever holds them must stand before.
    this.#driver.command((serf, now) => {
      ltime = serf.query(request, now)
      this.#open.set(ltime, query)
    })
    // A listener may have aborted it in that very call.
    if (signal?.aborted) abort()
    else if (query.outcome === undefined) signal?.addEventListener('abort', abort, { once: true })
    return query
  }

  /** An answer came, or the end. */
  told(notice: QueryAnswerNotice): void {
    const query = this.#open.get(notice.ltime)
    if (query === undefined) return
    if (notice.type === 'query-ack') {
      query.acks.push(notice.from)
    } else if (notice.type === 'query-response') {
      const { from, payload } = notice
      query.responded(Object.freeze({ from, payload, unpack: () => unpack(payload) }))
    } else {
      query.finish(notice.reason)
    }
  }

  /** No answers come any more: all queries end with what has come. */
  close(): void {
    for (const query of [...this.#open.values()]) query.finish('closed')
  }

  /** What a listener gets. */
  eventOf(query: ReceivedQuery): QueryEvent {
    const { name, payload, ltime } = query
    const { from, deadlineMs } = this.#driver.command((serf, now) => ({
      from:
        query.source ||
        (serf.members().find(({ address }) => address === query.address.key)?.name ?? query.address.key),
      deadlineMs: Math.max(0, query.deadline - now),
    }))
    return {
      type: 'query',
      name,
      payload,
      from,
      ltime,
      deadlineMs,
      unpack: () => unpack(payload),
      respond: (answer) => {
        const bytes = packPayload(answer)
        this.#driver.command((serf, now) => serf.respond(query, bytes, now))
      },
    }
  }
}

function requestOf(name: string, payload: Payload | undefined, options: QueryOptions): QueryRequest {
  checkText('name', name)
  if (name === '') throw new OptionsError('name', name, 'must not be empty')
  checkObject('options', options)
  checkKeys(options, ['filterNodes', 'filterTags', 'ack', 'relayFactor', 'timeoutMs', 'signal'])
  const { filterNodes, filterTags, ack = false, relayFactor = 0, timeoutMs, signal } = options
  checkBoolean('ack', ack)
  checkNumber('relayFactor', relayFactor, { least: 0, most: 255 })
  if (timeoutMs !== undefined) checkNumber('timeoutMs', timeoutMs, { least: 1, most: MAX_TIMEOUT_MS })
  checkSignal(signal)
  const bytes = packPayload(payload)
  if (isInternal(name) && (name !== InternalQuery.ping || bytes.length > 0)) {
    const limit = `must not begin with _serf_: those are Serf's own; only ${InternalQuery.ping}, without a payload, may be asked`
    throw new OptionsError('name', name, limit)
  }
  if (name === InternalQuery.ping && !ack) {
    throw new OptionsError('ack', ack, `must be true for ${InternalQuery.ping}: nothing else answers it`)
  }
  const filters = [...nodesFilters(filterNodes), ...tagFilters(filterTags)]
  if (filters.length > MAX_FILTERS) {
    throw new OptionsError('filterTags', filterTags, `must be so few that there are at most ${MAX_FILTERS} filters`)
  }
  return { name, payload: bytes, filters, wantsAcks: ack, relayFactor, timeoutMs, endsEarly: true }
}

function nodesFilters(names: unknown): QueryFilter[] {
  if (names === undefined) return []
  // An empty list is a mistake: to Serf it means everybody.
  if (!Array.isArray(names) || names.length === 0) {
    throw new OptionsError('filterNodes', names, 'must be a list of names, one at least')
  }
  names.forEach((name: unknown, at) => {
    checkText(`filterNodes[${at}]`, name)
  })
  return [{ type: 'nodes', nodes: [...names] as string[] }]
}

function tagFilters(patterns: unknown): QueryFilter[] {
  if (patterns === undefined) return []
  // A `Map` has no entries of its own here, and would be taken for no filters.
  const isRecord =
    typeof patterns === 'object' &&
    patterns !== null &&
    [Object.prototype, null].includes(Object.getPrototypeOf(patterns))
  if (!isRecord) throw new OptionsError('filterTags', patterns, 'must be an object of patterns')
  let instructions = 0
  return Object.entries(patterns).map(([tag, pattern]: [string, unknown]) => {
    const option = `filterTags.${tag}`
    checkText('filterTags', tag)
    checkText(option, pattern)
    if (pattern.length > MAX_PATTERN_LENGTH) {
      throw new OptionsError(option, pattern, `must be at most ${MAX_PATTERN_LENGTH} characters`)
    }
    instructions += countInstructions(pattern)
    if (instructions > MAX_QUERY_INSTRUCTIONS) {
      const limit = `must have at most ${MAX_QUERY_INSTRUCTIONS} instructions, all patterns together`
      throw new OptionsError(option, pattern, limit)
    }
    const compiled = compilePattern(pattern)
    if (typeof compiled === 'string') throw new OptionsError(option, pattern, `must be a pattern of RE2: ${compiled}`)
    return { type: 'tag', tag, pattern }
  })
}

/** Throws unless `value` is text that can be told to others. */
function checkText(option: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || /\p{Surrogate}/u.test(value)) {
    throw new OptionsError(option, value, 'must be well-formed text')
  }
}
