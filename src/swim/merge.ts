// Taking what an exchange told (serf-behaviour §4.4, §11): verified whole, then taken a slice at a time, between which packets and
// timers have their turn. One merge goes on at a time, in the order they came; a small one is taken at once. Claims that come by
// packet meanwhile are not in the way: a claim counts by its incarnation, whenever it comes.
//
//   told ──versions do not meet──► refused      told ──small──► taken      told ──► waiting ──a slice each millisecond──► taken

import { sameBytes } from '../base/bytes.ts'
import { tracer } from '../base/log.ts'
import { finish, type Slices } from '../base/slices.ts'
import { MAX_PUSH_PULL_MEMBERS, MAX_STREAM_PART_BYTES } from '../wire/limits.ts'
import { type PushPull, type PushPullMember, WireState } from '../wire/types.ts'
import { applyAlive, applyDead, applySuspect, type ClaimNote, heedOwnRow } from './claims.ts'
import { isPresent, type MemberRecord, tellsVersions } from './member.ts'
import { encodedOf } from './our-state.ts'
import type { SwimState } from './state.ts'

const trace = tracer('swim:merge')

/** Rows taken in one turn: some 5 ms where all are new, with what the layers above do about them (`npm run bench:merge`). */
export const SLICE_ROWS = 256
/** Bytes of the layer above that go with so many rows at most, for a merge that is taken at once. */
const SLICE_STATE_BYTES = 16_384
/** A slice is followed by all that came meanwhile; timers of hosts know no less. */
const PAUSE_MS = 1

/** What a row takes in memory while it waits, about, beside its name, metadata and versions. */
const ROW_BYTES = 256
/** What strangers may have waiting: one exchange of full size and a half. An exchange of 10,000 members counts 3 MiB, with long tags 8. */
const MAX_WAITING_BYTES: number = 1.5 * (MAX_PUSH_PULL_MEMBERS * ROW_BYTES + MAX_STREAM_PART_BYTES)

/** Takes all of what they told, or nothing: then gives why. `taken` is called when all is taken, maybe before this returns.
 *  Verified here and not again: the slices that come later are what was verified, and who came in by packet meanwhile was verified by
 *  nobody in any case (memberlist looks at versions in exchanges alone). */
export function beginMerge(
  state: SwimState,
  theirs: PushPull,
  note: ClaimNote,
  now: number,
  taken: (now: number) => void,
): string | undefined {
  const problem = verifyVersions(state.members.all(), theirs.members)
  if (problem !== undefined) return problem
  const { members, userState } = theirs
  trace('merge of %d members', members.length)
  if (members.length <= SLICE_ROWS && userState.length <= SLICE_STATE_BYTES) {
    finish(take(state, theirs, note, now), now)
    taken(now)
    return undefined
  }
  const { merges } = state
  const heldBytes = note.isAnswer === true ? 0 : sizeOf(theirs)
  const waitingBytes = merges.reduce((sum, merge) => sum + merge.heldBytes, 0)
  // The wire bounds one; it is taken, whatever its size.
  if (heldBytes > 0 && waitingBytes > 0 && waitingBytes + heldBytes > MAX_WAITING_BYTES) {
    return `${merges.length} exchanges wait to be taken, ${members.length} members more are too many`
  }
  merges.push({ work: take(state, theirs, note, now), heldBytes, taken })
  if (merges.length === 1) state.deadlines.set('merge', now + PAUSE_MS, { kind: 'merge' })
  return undefined
}

/** What an exchange takes in memory, about. */
function sizeOf({ members, userState }: PushPull): number {
  let size = userState.length
  for (const { name, meta, vsn } of members) size += ROW_BYTES + name.length + meta.length + vsn.length
  return size
}

/** The next slice. */
export function mergeDue(state: SwimState, now: number): void {
  const { merges, deadlines } = state
  const [merge] = merges
  if (merge === undefined) return
  // Set before, so that a slice that throws leaves the others their turn. Its own merge is over with it.
  deadlines.set('merge', now + PAUSE_MS, { kind: 'merge' })
  const isTaken = merge.work.next(now).done === true
  if (isTaken) merges.shift()
  if (merges.length === 0) deadlines.delete('merge')
  if (isTaken) merge.taken(now)
}

/** Every present member must speak versions that every other one understands (serf-behaviour §11). Gives the first
 *  breach. Differs: members that are dead or gone are not held to it, since they speak nothing; nor are those that never
 *  told their versions, or one claim without them would end all exchanges. */
export function verifyVersions(ours: readonly MemberRecord[], theirs: readonly PushPullMember[]): string | undefined {
  const common = [new Range('protocol', 0), new Range('delegate', 3)] as const
  // The decoder gives equal versions as one object, so that each is looked at once.
  const differing = new Set<Uint8Array>()
  for (const row of theirs) if (isBound(row)) differing.add(row.vsn)
  for (const member of ours) if (isHeld(member)) differing.add(member.vsn)
  for (const vsn of differing) for (const range of common) range.narrow(vsn)
  for (const range of common) {
    if ([...differing].every((vsn) => range.has(vsn))) continue
    const outside =
      theirs.find((row) => isBound(row) && !range.has(row.vsn)) ??
      ours.find((member) => isHeld(member) && !range.has(member.vsn))
    if (outside !== undefined) return `${outside.name} speaks ${range.describe(outside.vsn)}`
  }
  return undefined
}

/** The versions of one layer that all understand. */
class Range {
  readonly #layer: string
  /** Where its three stand among the six. */
  readonly #offset: number
  #least = 0
  #most = 255

  constructor(layer: string, offset: number) {
    this.#layer = layer
    this.#offset = offset
  }

  narrow(vsn: Uint8Array): void {
    if (vsn.length < 5) return
    this.#least = Math.max(this.#least, vsn[this.#offset] as number)
    this.#most = Math.min(this.#most, vsn[this.#offset + 1] as number)
  }

  has(vsn: Uint8Array): boolean {
    const speaks = this.#spoken(vsn)
    return speaks >= this.#least && speaks <= this.#most
  }

  describe(vsn: Uint8Array): string {
    return `${this.#layer} version ${this.#spoken(vsn)}, the cluster understands ${this.#least} to ${this.#most}`
  }

  #spoken(vsn: Uint8Array): number {
    return vsn.length < 6 ? 0 : (vsn[this.#offset + 2] as number)
  }
}

function isBound(row: PushPullMember): boolean {
  return (row.state === WireState.alive || row.state === WireState.suspect) && tellsVersions(row)
}

function isHeld(member: MemberRecord): boolean {
  return isPresent(member) && tellsVersions(member)
}

/** The rows in their order, then what the layer above was told. */
function* take(state: SwimState, theirs: PushPull, note: ClaimNote, begun: number): Slices {
  let now = begun
  let left = SLICE_ROWS
  const isLarge = theirs.members.length > SLICE_ROWS
  for (const row of theirs.members) {
    if (left-- === 0) {
      now = yield
      left = SLICE_ROWS - 1
    }
    takeRow(state, row, note, now)
    const taken = isLarge ? state.members.get(row.name) : undefined
    if (taken !== undefined) encodedOf(taken)
  }
  const { userState, join } = theirs
  if (userState.length === 0) return
  if (theirs.members.length > 0 && userState.length > SLICE_STATE_BYTES) now = yield
  yield* state.delegate.mergeRemoteState(userState, join, now, note.exchange)
}

function takeRow(state: SwimState, row: PushPullMember, note: ClaimNote, now: number): void {
  const { name: node, incarnation } = row
  if (node === state.self.name) heedOwnRow(state, row, note, now)
  switch (row.state) {
    case WireState.alive:
      if (!isOldNews(state, row)) applyAlive(state, { ...row, type: 'alive', node }, now, note)
      return
    case WireState.left:
      applyDead(state, { type: 'dead', node, incarnation, from: node }, now, note)
      return
    case WireState.suspect:
    case WireState.dead:
      // A remote death is hearsay: it becomes a suspicion of ours.
      applySuspect(state, { type: 'suspect', node, incarnation, from: state.self.name }, now, note)
      return
    default:
      state.delegate.warn('claim-invalid', `state ${row.state} of ${node} in an exchange`)
  }
}

/** What nearly all rows of a periodic exchange are: a claim that is not newer than ours, of a member that is alive where it was.
 *  `applyAlive` would find that nothing follows; this finds it ten times sooner. */
function isOldNews(state: SwimState, { name, incarnation, addr, port }: PushPullMember): boolean {
  const known = state.members.get(name)
  return (
    known !== undefined &&
    known !== state.self &&
    known.status === 'alive' &&
    incarnation <= known.incarnation &&
    port === known.address.port &&
    sameBytes(addr, known.address.ip)
  )
}
