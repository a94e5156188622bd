// Reads the logs of Go agents: levels, the membership events they tell, and which warnings and errors a pure-Go run of the same scenario
// prints too. The allow-list beside the tests is written by `record-allow-list.ts` alone, from such runs.
import { readFileSync } from 'node:fs'
import type { Happening } from './peer.ts'

/** `BARE` is a line without a level that is no banner either: a continuation, or a crash. */
export type Level = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERR' | 'CRIT' | 'BANNER' | 'BARE'

export interface LogLine {
  /** Monotonic arrival, milliseconds. */
  readonly at: number
  readonly level: Level
  /** Without timestamp and level. */
  readonly text: string
}

const LEVELLED = /^\s*\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[(TRACE|DEBUG|INFO|WARN|ERR|CRIT)\] (.*)$/

/** One line as an agent printed it; `undefined` for an empty one. */
export function parseLogLine(raw: string, at: number): LogLine | undefined {
  if (raw.trim() === '') return undefined
  const levelled = LEVELLED.exec(raw)
  if (levelled !== null) return { at, level: levelled[1] as Level, text: levelled[2] ?? '' }
  // The console's own lines: `==> ` for status, four spaces and more for information.
  return { at, level: raw.startsWith('==> ') || raw.startsWith('    ') ? 'BANNER' : 'BARE', text: raw.trim() }
}

const MEMBER_EVENT = /^serf: EventMember(Join|Leave|Failed|Update|Reap)(?: \([a-z]+\))?: (\S+)/
const SUSPICION = /^memberlist: Suspect (\S+) has failed/
const EVENT_TYPES: Record<string, Happening['type']> = {
  Join: 'join',
  Leave: 'left',
  Failed: 'dead',
  Update: 'update',
  Reap: 'reap',
}

/** The membership event a line tells. Serf logs each at once, before it coalesces them for its handlers. */
export function happeningOf(line: LogLine): Happening | undefined {
  const event = MEMBER_EVENT.exec(line.text)
  const type = EVENT_TYPES[event?.[1] ?? '']
  if (event !== null && type !== undefined) return { at: line.at, type, name: event[2] ?? '' }
  const suspicion = SUSPICION.exec(line.text)
  if (suspicion !== null) return { at: line.at, type: 'suspect', name: suspicion[1] ?? '' }
  return undefined
}

/** Whether the line tells that another address claims this name. */
export function tellsConflict({ text }: LogLine, name: string): boolean {
  return text.startsWith(`memberlist: Conflicting address for ${name}. `)
}

/** Whether a line must be excused by the allow-list. */
export function isTrouble(line: LogLine): boolean {
  return line.level === 'WARN' || line.level === 'ERR' || line.level === 'CRIT' || line.level === 'BARE'
}

/** Whether the line tells that an exchange with one of these failed because nobody listens there: where a member is killed pure Go prints
 *  it (death, detection, mixed), but by chance; recorded of some scenarios, it holds for all that kill. Or that one of these ended while
 *  a ping over TCP waited for its answer, which takes a kill within milliseconds: the system resets the connection, whosever it was.
 *  @param killed names and addresses */
export function missesTheKilled({ text }: LogLine, killed: ReadonlySet<string>): boolean {
  const name = /^memberlist: Push\/Pull with (\S+) failed: dial tcp \S+ connect: connection refused$/.exec(text)?.[1]
  const address = /^memberlist: Failed fallback TCP ping: read tcp \S+->(\S+): read: connection reset by peer$/.exec(
    text,
  )?.[1]
  return killed.has(name ?? '') || killed.has(address ?? '')
}

/** The line with whatever differs from run to run replaced: `<name>`, `<addr>`, `<duration>`, the
 *  `<bytes>` of tags, and the `<count>`s of a vote.
 *  @param names of the scenario's members */
export function normalise(line: LogLine, names: readonly string[]): string {
  let text = line.text
  text = text.replace(/(?:\[[0-9a-f:]+\]|\b\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}\b/g, '<addr>')
  text = text.replace(/\b(?:\d+(?:\.\d+)?(?:ns|µs|ms|s|m|h))+\b/g, '<duration>')
  text = text.replace(/\[\d+ \/ \d+\]/g, '[<count> / <count>]')
  text = text.replace(/\[\d+(?: \d+)+\]/g, '<bytes>')
  for (const name of [...names].sort((left, right) => right.length - left.length)) {
    text = text.replace(new RegExp(`(?<![\\w.-])${escapePattern(name)}(?![\\w-])`, 'g'), '<name>')
  }
  return `[${line.level}] ${text}`
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** One normalised line that pure-Go runs of one scenario printed. */
export interface AllowedLine {
  readonly scenario: string
  readonly line: string
  /** In how many runs, and how often in all of them together. */
  readonly seenInRuns: number
  readonly seenLines: number
}

export interface AllowList {
  /** What `serf version` of the recorded agents said, first line. */
  readonly agent: string
  /** Pure-Go runs recorded, by scenario. */
  readonly runs: Readonly<Record<string, number>>
  /** Pure-Go runs beside those, by scenario, that failed it themselves; nothing of them is recorded. */
  readonly spoilt: Readonly<Record<string, number>>
  readonly allowed: readonly AllowedLine[]
}

export const ALLOW_LIST_FILE: URL = new URL('../allowed-log-lines.json', import.meta.url)

export function readAllowList(): AllowList {
  return JSON.parse(readFileSync(ALLOW_LIST_FILE, 'utf8')) as AllowList
}

/** Normalised warnings and errors of `lines` that no pure-Go run of `scenario` printed. */
export function unexcused(
  lines: readonly LogLine[],
  names: readonly string[],
  scenario: string,
  list: AllowList,
): string[] {
  const allowed = new Set(list.allowed.filter((entry) => entry.scenario === scenario).map((entry) => entry.line))
  return lines
    .filter(isTrouble)
    .map((line) => normalise(line, names))
    .filter((line) => !allowed.has(line))
}
