// Why we hold of a member what we hold: the trail that the protocol left (swim/trail.ts), with ages, and as text for a person.
// Knows English, and no rules.
import { printable } from './base/printable.ts'
import type { MemberState } from './serf/members.ts'
import type { Serf } from './serf/serf.ts'
import type { Story, TrailEntry } from './swim/trail.ts'

/** One step, and how long ago it was. `Date.now() - ageMs` at the time of the call is its time of day. */
export type ExplanationEntry = TrailEntry & {
  /** Milliseconds before the call. */
  readonly ageMs: number
}

/** What is known of how a member came to be what it is. All of it is frozen. */
export interface Explanation {
  readonly name: string
  /** As it stands; absent where it is in no list. */
  readonly state?: MemberState
  /** Oldest first. `entry.kind` says what happened. */
  readonly entries: readonly ExplanationEntry[]
  /** Older entries that had to give way. */
  readonly forgotten: number
  /** The same for a person: one line an entry. What of a name or an error is no text to print is written as `\u{...}`. */
  readonly text: string
  toString(): string
}

/** What `serf` knows of a member of that name, or of ourselves. @param now of the clock that it goes by */
export function explain(serf: Pick<Serf, 'local' | 'member' | 'trail'>, name: string, now: number): Explanation {
  const state = serf.member(name)?.state
  return explanationOf(name, serf.local.name, state, serf.trail.story(name, state === 'suspect'), now)
}

/** @param selfName ours
 *  @param now of the clock that the entries go by */
export function explanationOf(
  name: string,
  selfName: string,
  state: MemberState | undefined,
  story: Story,
  now: number,
): Explanation {
  const entries = story.entries.map((entry): ExplanationEntry => Object.freeze({ ...entry, ageMs: now - entry.atMs }))
  const { forgotten } = story
  const lines = [headOf(name, selfName, state, entries.length)]
  if (forgotten > 0) lines.push(`${forgotten} earlier ${forgotten === 1 ? 'entry is' : 'entries are'} gone`)
  const ages = entries.map(({ ageMs }) => `${seconds(ageMs)} ago`)
  const width = Math.max(0, ...ages.map(({ length }) => length))
  for (const [at, entry] of entries.entries()) {
    lines.push(`${(ages[at] as string).padStart(width)}  ${sentenceOf(entry, selfName)}`)
  }
  const text = lines.map(printable).join('\n')
  const explained = { name, entries: Object.freeze(entries), forgotten, text, toString: () => text }
  return Object.freeze(state === undefined ? explained : { ...explained, state })
}

function headOf(name: string, selfName: string, state: MemberState | undefined, count: number): string {
  const who = name === selfName ? `${name}, ourselves,` : name
  const what = state === undefined ? `${who} is in no list of ours` : `${who} is ${state}`
  return count === 0 ? `${what}; nothing is remembered of how that came` : `${what}; seen from ${selfName}:`
}

/** What happened, as the predicate of the member where it begins without one. */
function sentenceOf(entry: TrailEntry, selfName: string): string {
  switch (entry.kind) {
    case 'unanswered':
      return `it did not answer our ping within ${entry.timeoutMs} ms${healthOf(entry.health, 'was')}`
    case 'unsendable':
      return 'the network refused our ping of it'
    case 'unsent':
      return 'our own socket could not send our ping of it: the probe ended without a verdict'
    case 'helpers-asked':
      return askedOf(entry.helpers, entry.overStream)
    case 'helper-nack':
      return `${entry.helper} got no answer from it either`
    case 'stream-answered':
      return 'it answered over TCP'
    case 'stream-failed':
      return `it did not answer over TCP: ${entry.error}`
    case 'answered':
      return answeredOf(entry)
    case 'probe-failed': {
      const { nacks, nacksWanted, health } = entry
      const helpers =
        nacksWanted === 0 ? '' : `; of ${nacksWanted} helpers ${nacks} told us in time that they had none either`
      return `the probe ended without an answer${helpers}${healthOf(health, 'is now')}`
    }
    case 'last-ping':
      return 'few others accuse it: we told it once more, before the time was over'
    case 'verdict-doubted':
      return `${nameOf(entry.by)} declared it dead, at incarnation ${entry.incarnation}: we asked it ourselves`
    case 'verdict-refused':
      return `it answered after ${seconds(entry.afterMs)}: we do not believe that it is dead`
    case 'suspected':
      return suspectedOf(entry, selfName)
    case 'confirmed':
      return `${accuserOf(entry, selfName)} it too${wordOf(entry)}: dead in ${seconds(entry.endsInMs)} unless it denies`
    case 'refuted':
      return `it denied, with incarnation ${entry.incarnation}: alive`
    case 'dead':
      return deathOf(entry, selfName)
    case 'left':
      return 'the goodbye was heard: it has left'
    case 'back':
      return `it is alive again, at ${entry.address}, with incarnation ${entry.incarnation}`
    case 'leave-announced':
      return `its leave was announced, at Lamport time ${entry.ltime}`
    case 'erased':
      return 'it was taken off the list'
    case 'accused':
      return entry.of === 'alive'
        ? `${nameOf(entry.by)} told of us what is not so, at incarnation ${entry.incarnation}`
        : `${nameOf(entry.by)} said that we are ${entry.of}, at incarnation ${entry.incarnation}`
    case 'denied':
      return `we denied, with incarnation ${entry.incarnation}${healthOf(entry.health, 'is now')}`
    case 'stalled':
      return `we ourselves stood still for ${seconds(entry.lengthMs)}, until now${healthOf(entry.health, 'is now')}`
  }
}

function askedOf(helpers: readonly string[], overStream: boolean): string {
  const over = overStream ? 'we pinged it over TCP' : ''
  if (helpers.length === 0) return over === '' ? 'there was nobody to ask' : `there was nobody to ask; ${over}`
  const list = helpers.length === 1 ? helpers[0] : `${helpers.slice(0, -1).join(', ')} and ${helpers.at(-1)}`
  return `we asked ${list} to ping it${over === '' ? '' : `, and ${over}`}`
}

function answeredOf({ afterMs, how, helper }: Extract<TrailEntry, { kind: 'answered' }>): string {
  const after = `after ${seconds(afterMs)}`
  if (how === 'over-stream') return `it counts as answering ${after}: over TCP alone, UDP does not get through`
  return how === 'directly' ? `it answered our ping ${after}` : `it answered through ${helper} ${after}`
}

function suspectedOf(entry: Extract<TrailEntry, { kind: 'suspected' }>, selfName: string): string {
  const { incarnation, endsInMs, confirmationsWanted: wanted } = entry
  const sooner =
    wanted === 0 ? '' : `, sooner if ${wanted === 1 ? 'another accuses' : `${wanted} others accuse`} it too`
  const who = `${accuserOf(entry, selfName)} it${wordOf(entry)}`
  return `${who}, at incarnation ${incarnation}: dead in ${seconds(endsInMs)} unless it denies${sooner}`
}

function deathOf(entry: Extract<TrailEntry, { kind: 'dead' }>, selfName: string): string {
  const { by, incarnation, heardFrom } = entry
  if (by !== selfName) return `${nameOf(by)} declared it dead, at incarnation ${incarnation}`
  if (heardFrom === undefined) return 'the time to deny was over: we declared it dead'
  return `${heardFrom} told us, in our own name, that it is dead, at incarnation ${incarnation}`
}

function accuserOf({ by }: { readonly by: string }, selfName: string): string {
  return by === selfName ? 'we suspect' : `${nameOf(by)} suspects`
}

function wordOf({ heardFrom }: { readonly heardFrom?: string }): string {
  return heardFrom === undefined ? '' : `, by the word of ${heardFrom}`
}

/** A stranger's may be empty. */
function nameOf(by: string): string {
  return by === '' ? 'somebody without a name' : by
}

/** Ours, where it is worth a word. */
function healthOf(health: number, is: 'was' | 'is now'): string {
  return health === 0 ? '' : `; our own health ${is} ${health}`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`
}
