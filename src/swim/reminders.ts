// Word to one member that lags behind what is known, sent straight to it: whoever claims to live with an old number is told that it stands
// accused, and whoever accuses us with an old number is told again that we live. Gossip brings a claim to nearly everybody, and to nobody
// in particular; it is told a few times and then never again, whereas those that missed it go on saying what they knew before.
// One packet for one, to the address that we hold a member at, at most one each probe interval and member, and 64 in all.
//
// Changes nothing that is held of members. Source: ours; the wire knows only accusations and claims that it has anyway (SWIM §4.2).
import { tracer } from '../base/log.ts'
import { type Address, sameEndpoint } from '../wire/address.ts'
import { encodeSwimMessage } from '../wire/swim-messages.ts'
import type { Dead, Suspect } from '../wire/types.ts'
import { Feature, type MemberRecord, understands } from './member.ts'
import type { SwimState } from './state.ts'

const trace = tracer('swim:reminders')

/** Reminders sent within one probe interval, whoever they are for: an exchange that a stranger made of stale claims must not become a
 *  flood to an address of its choice. After a cut through a large cluster each member reminds so many at each exchange, and those deny. */
const MAX_REMINDERS = 64

/** A member that claims to be alive with an old number while it stands accused has restarted and cannot know.
 *  Tell it, so that it refutes. Differs: memberlist stays silent, and after mass restarts such members stay dead. */
export function remindAccused(state: SwimState, member: MemberRecord, now: number): void {
  if (member.status === 'alive' || !mayRemind(state, member, now)) return
  const { name, incarnation } = member
  send(state, member, encodeSwimMessage({ type: 'suspect', node: name, incarnation, from: state.self.name }))
}

/** A member that accuses us at a number which we have denied already has missed that, and will judge us though we answer each of its pings.
 *  Tell it again, with the number we have. Only where it says so itself, from where it lives: whoever merely tells others' accusations on
 *  will mostly have heard better a moment later, and would tell us in its own name with its next ping.
 *  Differs: memberlist drops what is stale, and whoever missed a denial declares the member dead unless an exchange comes first. */
export function remindAccuser(state: SwimState, claim: Suspect | Dead, from: Address | undefined, now: number): void {
  if (from === undefined || state.isLeaving || claim.from === claim.node) return
  const accuser = state.members.get(claim.from)
  if (accuser === undefined || accuser === state.self || !sameEndpoint(accuser.address, from)) return
  if (!mayRemind(state, accuser, now)) return
  trace('%s has not heard that we denied %d', accuser.name, claim.incarnation)
  send(state, accuser, encodeSelf(state))
}

/** What we say of ourselves: that we are alive, where, and with which number. */
export function encodeSelf({ self }: SwimState): Uint8Array {
  const { name, address, meta, vsn, incarnation } = self
  const { ip: addr, port } = address
  return encodeSwimMessage({ type: 'alive', node: name, addr, port, meta, vsn, incarnation })
}

/** Whether it may be reminded now; counts it, where it may. */
function mayRemind({ options, reminders }: SwimState, member: MemberRecord, now: number): boolean {
  const { probeIntervalMs } = options
  if (member.remindedAt !== undefined && now - member.remindedAt < probeIntervalMs) return false
  if (now - reminders.since >= probeIntervalMs) Object.assign(reminders, { since: now, count: 0 })
  if (reminders.count >= MAX_REMINDERS) return false
  reminders.count++
  member.remindedAt = now
  return true
}

function send({ outbox }: SwimState, member: MemberRecord, message: Uint8Array): void {
  outbox.push({ kind: 'packet', to: member.address, parts: [message], crc: understands(member, Feature.crc) })
}
