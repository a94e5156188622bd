// When the snapshot is written (serf-behaviour §28): what is new waits for a moment, all of it anew waits for a disk that failed. Says by
// notices what is to be written; the driver writes, and tells where that failed. What is new is snapshot.ts's.
//
//   nothing new ──news──► waits ──250 ms, or too much of it──► written        failed ──at once, then every 30 s──► all of it written
import type { SnapshotNotice } from './notices.ts'
import type { SerfState } from './state.ts'

/** The longest that a line waits to be written. Differs: Serf has no such limit, and what comes in a burst may wait until the next burst. */
export const FLUSH_MS = 250
/** Time between two attempts to write all anew where writing fails. */
export const RETRY_MS = 30_000

/** Goes on with the clocks of the file. What they have seen is not delivered once more (serf-behaviour §28). */
export function restoreClocks({ snapshot, clock, events, queries }: SerfState): void {
  if (snapshot === undefined) return
  clock.restore(snapshot.clock)
  if (snapshot.eventClock > 0) {
    events.clock.restore(snapshot.eventClock)
    events.minTime = snapshot.eventClock + 1
  }
  if (snapshot.queryClock > 0) {
    queries.clock.restore(snapshot.queryClock)
    queries.minTime = snapshot.queryClock + 1
  }
}

/** Begins to write: that we are there. */
export function startSnapshot(state: SerfState, now: number): void {
  const { snapshot, swim, name, deadlines, options } = state
  if (snapshot === undefined) return
  snapshot.member(name, swim.self.address.key)
  deadlines.set('snapshot-forget', now + options.reconnectTimeoutMs, { kind: 'snapshot-forget' })
  settleSnapshot(state, now)
}

/** After every input: what is new waits for its time. */
export function settleSnapshot(state: SerfState, now: number): void {
  const { snapshot, deadlines } = state
  if (snapshot === undefined) return
  if (snapshot.isFull) {
    snapshotDue(state, now)
    return
  }
  if (snapshot.isAwaited || !snapshot.isDue(seen(state), state.swim.self.incarnation)) return
  snapshot.isAwaited = true
  const at = snapshot.isBroken ? Math.max(now, snapshot.triedAt + RETRY_MS) : now + FLUSH_MS
  deadlines.set('snapshot', at, { kind: 'snapshot' })
}

/** What waits is written. */
export function snapshotDue(state: SerfState, now: number, isSynced = false): void {
  const { snapshot, swim, deadlines } = state
  if (snapshot === undefined) return
  deadlines.delete('snapshot')
  snapshot.isAwaited = false
  const notice = snapshot.take(seen(state), swim.self.incarnation, now, isSynced)
  if (notice !== undefined) state.outbox.notify(notice)
}

/** We leave: that is written before it is told. */
export function snapshotLeave(state: SerfState, now: number): void {
  state.snapshot?.leave()
  snapshotDue(state, now, true)
}

/** Writing failed. */
export function snapshotFailed(state: SerfState, now: number): void {
  const { snapshot, deadlines } = state
  if (snapshot === undefined) return
  snapshot.failed()
  deadlines.delete('snapshot')
  snapshot.isAwaited = false
  settleSnapshot(state, now)
}

/** The time that the dead are remembered is over for those of the file, unless we are alone: then nobody could have told of them. */
export function snapshotForget(state: SerfState, now: number): void {
  if (state.swim.hasPeers()) state.snapshot?.forgetUnseen()
  else state.deadlines.set('snapshot-forget', now + state.options.reconnectTimeoutMs, { kind: 'snapshot-forget' })
}

/** The last words, when we close. */
export function endSnapshot(state: SerfState): SnapshotNotice | undefined {
  // When that was no longer matters.
  return state.snapshot?.take(seen(state), state.swim.self.incarnation, 0, true)
}

function seen({ clock }: SerfState): number {
  return clock.time - 1
}
