// A user's program, compiled against the built package and never run: what the types must allow, and behind each
// `@ts-expect-error` what they must refuse. The compiler complains too when such a line is accepted.
import {
  type Member,
  Membership,
  MembershipError,
  type MembershipEvent,
  type MembershipOptions,
  type Query,
} from 'rollcall'
import * as sim from 'rollcall/sim'
import { decodePacket } from 'rollcall/wire'

const options: MembershipOptions = { name: 'log-1', bind: '127.0.0.1:0', profile: 'local', tags: { role: 'log' } }

export async function use(): Promise<readonly Member[]> {
  await using membership = new Membership(options)
  membership.on('member-join', ({ member }) => console.log(member.name, member.tags.role?.toUpperCase()))
  membership.on('closed', ({ reason }) => console.log(reason))
  await membership.start()
  const { joined, failed } = await membership.join(['127.0.0.1:7946'], { signal: AbortSignal.timeout(1000) })
  console.log(joined, failed, membership.size, membership.local.isSelf, membership.member('log-2')?.state)
  await membership.setTags({ role: 'log', rpc: '127.0.0.1:8400' })
  console.log(await membership.ping('log-2'), membership.rtt('log-2')?.toFixed(1), membership.coordinate()?.vector[0])
  for (const entry of membership.explain('log-2').entries) {
    console.log(entry.ageMs, entry.kind === 'suspected' ? entry.by.toUpperCase() : entry.kind)
  }
  for await (const change of membership.changes()) {
    if (change.kind === 'view') console.log(change.members.length)
    if (change.kind === 'lost') console.log(change.count)
  }
  membership.on('query', ({ name, from, deadlineMs, respond }) => {
    if (name === 'load' && deadlineMs > 0) respond({ to: from })
  })
  const query: Query = membership.query(
    'load',
    { now: true },
    { filterTags: { role: '^log$' }, ack: true, relayFactor: 3 },
  )
  for await (const { from, payload, unpack } of query) console.log(from.toUpperCase(), payload.length, unpack())
  console.log((await query.acks.collect()).join(), await query.ended, (await query.collect()).length)
  await membership.leave({ timeoutMs: 1000 })
  return membership.members()
}

export function narrow(event: MembershipEvent): string {
  return event.type === 'member-dead' ? event.member.name : event.type
}

export function explain(error: unknown): string {
  return error instanceof MembershipError ? error.code : String(error)
}

export async function misuse(membership: Membership): Promise<void> {
  // @ts-expect-error no such event
  membership.on('member-jion', () => {})
  // @ts-expect-error a port is part of `bind`
  new Membership({ port: 7946 })
  // @ts-expect-error no such profile
  new Membership({ profile: 'moon' })
  // @ts-expect-error tags are texts
  await membership.setTags({ weight: 1 })
  // @ts-expect-error a snapshot of the local member is frozen
  membership.local.state = 'dead'
  // @ts-expect-error no such state
  if (membership.local.state === 'failed') return
  // @ts-expect-error patterns are texts
  membership.query('load', undefined, { filterTags: { role: /log/ } })
  // @ts-expect-error seeds come as a list or as a function
  await membership.join('127.0.0.1:7946')
}

export const parts: readonly unknown[] = [sim, decodePacket(new Uint8Array())]
