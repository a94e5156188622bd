// Reaching for the dead (serf-behaviour §31): now and then one of them at random is asked for a full exchange, as to join. This is what
// makes one cluster again of two halves that could not see each other. Each member tries with such a chance that the cluster as a
// whole tries each of the dead about once an interval.
import { tracer } from '../base/log.ts'
import type { SerfRecord } from './members.ts'
import type { SerfState } from './state.ts'

const trace = tracer('serf:reconnect')

/** Losing more than this share of the members within `MASS_WINDOW_MS` means that we were cut off ourselves, rather than all of them. */
const MASS_SHARE = 0.5
const MASS_WINDOW_MS = 60_000
/** First pause after such a loss; doubled up to the interval. */
const FIRST_PAUSE_MS = 1000

/** Begins, at a random phase: members that were started together must not all try together. */
export function startReconnecting(state: SerfState, now: number): void {
  const { reconnectIntervalMs } = state.options
  if (reconnectIntervalMs === 0) return
  state.deadlines.set('reconnect', now + reconnectIntervalMs * state.random.fraction(), { kind: 'reconnect' })
}

/** The regular attempt. */
export function reconnectDue(state: SerfState, now: number): void {
  state.deadlines.set('reconnect', now + state.options.reconnectIntervalMs, { kind: 'reconnect' })
  attempt(state)
}

/** A member has died: looks soon whether it was one of many. */
export function lossNoticed(state: SerfState, now: number): void {
  const { reconnect, options, deadlines } = state
  if (options.reconnectIntervalMs === 0 || reconnect.pauseMs > 0) return
  reconnect.pauseMs = FIRST_PAUSE_MS
  deadlines.set('reconnect-soon', now + FIRST_PAUSE_MS, { kind: 'reconnect-soon' })
}

/** After a mass failure tries at once, and again after twice the pause, until the pause is as long as the interval.
 *  Differs: Serf tries at its interval only, however much it has lost. */
export function reconnectSoon(state: SerfState, now: number): void {
  const { reconnect, options, deadlines } = state
  reconnect.pauseMs *= 2
  if (reconnect.pauseMs >= options.reconnectIntervalMs || !isCutOff(state, now)) {
    reconnect.pauseMs = 0
    return
  }
  deadlines.set('reconnect-soon', now + reconnect.pauseMs, { kind: 'reconnect-soon' })
  attempt(state)
}

/** An exchange is over, ours or another. */
export function reconnectEnded(state: SerfState, exchange: number): void {
  if (state.reconnect.exchange === exchange) state.reconnect.exchange = undefined
}

function attempt(state: SerfState): void {
  const { reconnect, random, swim } = state
  if (reconnect.exchange !== undefined || state.departure !== undefined) return
  const failed = state.members.gone().filter(({ status }) => status === 'failed')
  const present = state.members.presentSize
  if (failed.length === 0 || random.fraction() > failed.length / Math.max(1, present)) return
  const { name, swim: lost } = failed[random.below(failed.length)] as SerfRecord
  trace('reach for %s at %s, one of %d that are dead', name, lost.address.key, failed.length)
  reconnect.exchange = swim.pushPull(lost.address, true)
}

function isCutOff(state: SerfState, now: number): boolean {
  const isRecent = ({ status, goneAt }: SerfRecord): boolean => status === 'failed' && now - goneAt <= MASS_WINDOW_MS
  const lost = state.members.gone().filter(isRecent).length
  return lost > MASS_SHARE * (lost + state.members.presentSize - 1)
}
