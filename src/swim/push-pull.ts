// Anti-entropy: two members tell each other all they know over a stream, now and then and at every join (serf-behaviour §9).
// What the other says is verified whole before any of it is taken. A remote death is hearsay: it becomes a suspicion of ours.
import { tracer } from '../base/log.ts'
import { Address } from '../wire/address.ts'
import { encodePushPull, encodeSwimMessage } from '../wire/swim-messages.ts'
import { type PushPull, type PushPullMember, WireState } from '../wire/types.ts'
import { adoptForm, applyAlive, applyDead, applySuspect } from './claims.ts'
import { isPresent, type MemberRecord } from './member.ts'
import type { SwimState } from './state.ts'

const trace = tracer('swim:push-pull')

const STATE_NUMBER = {
  alive: WireState.alive,
  suspect: WireState.suspect,
  dead: WireState.dead,
  left: WireState.left,
} as const satisfies Record<MemberRecord['status'], number>

/** The periodic exchange, with one member that nobody suspects. */
export function pushPullTick(state: SwimState): void {
  const [partner] = state.members.sample(1, (member) => member.status === 'alive' && member !== state.self)
  if (partner !== undefined) requestPushPull(state, partner.address, false)
}

/** Begins an exchange; its end is told as `exchangeDone` under the number returned. */
export function requestPushPull(state: SwimState, to: Address, join: boolean): number {
  const id = ++state.requestId
  state.requests.set(id, { purpose: 'push-pull', to })
  trace('exchange %d with %s%s', id, to.key, join ? ', to join' : '')
  const { streamTimeoutMs: timeoutMs } = state.options
  state.outbox.push({ kind: 'request', id, purpose: 'push-pull', to, body: ourState(state, join), timeoutMs })
  return id
}

/** An exchange they began: our state goes out first, since a refused merge must still be answered. */
export function answerPushPull(state: SwimState, id: number, theirs: PushPull, now: number): void {
  state.outbox.push({ kind: 'reply', id, body: ourState(state, theirs.join) })
  const problem = merge(state, theirs, now)
  if (problem !== undefined) state.delegate.warn('merge-refused', problem)
}

/** The answer to an exchange we began. */
export function completePushPull(state: SwimState, id: number, theirs: PushPull, now: number): void {
  const problem = merge(state, theirs, now)
  if (problem !== undefined) state.delegate.warn('merge-refused', problem)
  state.delegate.exchangeDone(id, problem, now)
}

function ourState(state: SwimState, join: boolean): Uint8Array {
  const members = state.members
    .all()
    .filter(tellsVersions) // memberlist would take nothing of the whole exchange for one line without
    .map(
      (member): PushPullMember => ({
        name: member.name,
        addr: member.address.ip,
        port: member.address.port,
        meta: member.meta,
        incarnation: member.incarnation,
        state: STATE_NUMBER[member.status],
        vsn: member.vsn,
      }),
    )
  return encodePushPull({ type: 'push-pull', join, members, userState: state.delegate.localState(join) })
}

/** Takes all of what they know, or nothing: then says why. */
function merge(state: SwimState, theirs: PushPull, now: number): string | undefined {
  const problem = verifyVersions(state.members.all(), theirs.members)
  if (problem !== undefined) return problem
  trace('merge of %d members', theirs.members.length)
  for (const member of theirs.members) mergeMember(state, member, now)
  if (theirs.userState.length > 0) state.delegate.mergeRemoteState(theirs.userState, theirs.join, now)
  return undefined
}

function mergeMember(state: SwimState, member: PushPullMember, now: number): void {
  const { name: node, incarnation } = member
  const isAccused =
    member.state !== WireState.alive && node === state.self.name && incarnation >= state.self.incarnation
  if (isAccused && !state.isLeaving) adoptForm(state, new Address(member.addr, member.port))
  switch (member.state) {
    case WireState.alive:
      applyAlive(state, { ...member, type: 'alive', node }, now)
      return
    case WireState.left:
      applyDead(state, { type: 'dead', node, incarnation, from: node }, now)
      return
    case WireState.suspect:
    case WireState.dead:
      applySuspect(state, { type: 'suspect', node, incarnation, from: state.self.name }, now)
      return
    default:
      state.delegate.warn('claim-invalid', `state ${member.state} of ${node} in an exchange`)
  }
}

/** What is compared of a member, ours or theirs. */
interface Versioned {
  readonly name: string
  readonly vsn: Uint8Array
}

/** False for the zeros that stand for a member whose claim told none. */
function tellsVersions({ vsn }: Versioned): boolean {
  return vsn[1] !== 0
}

/** Every present member must speak versions that every other one understands (serf-behaviour §11). Gives the first
 *  breach. Differs: members that are dead or gone are not held to it, since they speak nothing; nor are those that never
 *  told their versions, or one claim without them would end all exchanges. */
export function verifyVersions(ours: readonly MemberRecord[], theirs: readonly PushPullMember[]): string | undefined {
  const present: Versioned[] = [
    ...theirs.filter((member) => member.state === WireState.alive || member.state === WireState.suspect),
    ...ours.filter(isPresent),
  ].filter(tellsVersions)
  for (const [layer, offset] of [
    ['protocol', 0],
    ['delegate', 3],
  ] as const) {
    let least = 0
    let most = 255
    for (const { vsn } of present) {
      if (vsn.length < 5) continue
      const speaks = vsn.subarray(offset)
      least = Math.max(least, speaks[0] as number)
      most = Math.min(most, speaks[1] as number)
    }
    for (const { name, vsn } of present) {
      const speaks = vsn.length < 6 ? 0 : (vsn[offset + 2] as number)
      if (speaks < least || speaks > most) {
        return `${name} speaks ${layer} version ${speaks}, the cluster understands ${least} to ${most}`
      }
    }
  }
  return undefined
}

/** The answer to a ping over a stream. */
export function answerStreamPing(state: SwimState, id: number, seqNo: number): void {
  state.outbox.push({ kind: 'reply', id, body: encodeSwimMessage({ type: 'ack', seqNo, payload: null }) })
}
