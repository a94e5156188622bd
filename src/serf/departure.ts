// Leaving with grace (serf-behaviour §24): say so, say goodbye, stay a little so that it travels on.
//
//   ─► intent ──told, or time is up──► goodbye ──told, or time is up──► linger ──leavePropagateDelayMs──► departed
//
// Alone there is nobody to tell, and each stage ends at once. No way back: to rejoin, make a new instance.
import { tracer } from '../base/log.ts'
import { announceLeaveIntent } from './intents.ts'
import { tellNews } from './news.ts'
import { snapshotLeave } from './recording.ts'
import { nextTicket, type SerfState } from './state.ts'

const trace = tracer('serf:leave')

/** Begins to leave. Does nothing where we are leaving already. */
export function beginDeparture(state: SerfState, now: number): void {
  if (state.departure !== undefined) return
  const ticket = nextTicket(state)
  state.departure = { stage: 'intent', ticket }
  snapshotLeave(state, now)
  announceLeaveIntent(state, ticket)
  if (state.swim.hasPeers()) waitFor(state, now + state.options.broadcastTimeoutMs)
  else sayGoodbye(state, now)
}

/** A broadcast was told. True if our leave waited for it. */
export function departureTold(state: SerfState, ticket: number, now: number): boolean {
  if (state.departure?.ticket !== ticket) return false
  departureDue(state, now)
  return true
}

/** The present stage is over. */
export function departureDue(state: SerfState, now: number): void {
  switch (state.departure?.stage) {
    case 'intent':
      sayGoodbye(state, now)
      return
    case 'goodbye':
      linger(state, now)
      return
    case 'linger':
      depart(state)
      return
    case undefined:
      return
  }
}

function sayGoodbye(state: SerfState, now: number): void {
  const ticket = nextTicket(state)
  state.departure = { stage: 'goodbye', ticket }
  trace('say goodbye')
  state.swim.leave(now, ticket)
  if (state.swim.hasPeers()) waitFor(state, now + state.options.broadcastTimeoutMs)
  else depart(state)
}

function linger(state: SerfState, now: number): void {
  state.departure = { stage: 'linger', ticket: 0 }
  waitFor(state, now + state.options.leavePropagateDelayMs)
}

function depart(state: SerfState): void {
  state.deadlines.delete('departure')
  tellNews(state)
  state.outbox.notify({ type: 'departed' })
}

function waitFor(state: SerfState, at: number): void {
  state.deadlines.set('departure', at, { kind: 'departure' })
}
