// Program: one `Membership` in a process of its own, driven over the IPC channel by node-member-client.ts. It adds nothing to the
// library: no retries, no waits, no exit. After `close` or `leave` it lets go of the channel; the process must then end by itself.
import type { QueryEvent } from '../../../src/events.ts'
import { Membership } from '../../../src/membership.ts'
import type { MembershipOptions } from '../../../src/options.ts'
import { block } from './block.ts'
import {
  type KeysReport,
  type KeyVerb,
  type MemberReport,
  monotonicMs,
  type QueryReport,
  type Request,
  type Spoken,
  type WatchedEvent,
} from './node-member-protocol.ts'

const WATCHED: readonly WatchedEvent[] = [
  'member-join',
  'member-suspect',
  'member-recover',
  'member-dead',
  'member-leaving',
  'member-left',
  'member-update',
  'member-reap',
]

const membership = new Membership(JSON.parse(process.argv[2] ?? '{}') as MembershipOptions)
for (const type of WATCHED) {
  membership.on(type, ({ member }) => speak({ kind: 'event', at: monotonicMs(), type, member: report(member) }))
}
membership.on('user-event', ({ name, payload, ltime, coalesce }) => {
  const heard = { name, payload: Buffer.from(payload).toString('base64'), ltime, coalesce }
  speak({ kind: 'user-event', at: monotonicMs(), heard })
})
membership.on('query', (asked) => answerQuery(asked))
membership.on('closed', ({ reason }) => {
  // Whoever lost its name has nobody left who would stop it.
  speak({ kind: 'closed', at: monotonicMs(), reason }, reason === 'conflict')
})
membership.on('warning', (warning) => {
  speak({ kind: 'warning', at: monotonicMs(), code: warning.code, warning: describe(warning) })
})
membership.on('conflict', ({ name, address, claimedBy }) => {
  speak({ kind: 'conflict', at: monotonicMs(), name, address, claimedBy })
})

process.on('message', (request: Request) => {
  answer(request).then(
    (value) => speak({ kind: 'answer', id: request.id, value }, isLast(request)),
    (error: unknown) => speak({ kind: 'refusal', id: request.id, error: describe(error) }),
  )
})
// Nobody is left to ask or to stop us: a test file that was killed.
process.once('disconnect', () => {
  if (membership.status !== 'closed') process.exit(1)
})

async function answer(request: Request): Promise<unknown> {
  switch (request.verb) {
    case 'start':
      await membership.start()
      return membership.local.address
    case 'join': {
      const { ignoreOldEvents } = request
      const { joined, failed } = await membership.join([...request.seeds], { ignoreOldEvents })
      return { joined: joined.length, failed: failed.map(describe) }
    }
    case 'event':
      return membership.sendEvent(request.name, Buffer.from(request.payload, 'base64'), { coalesce: request.coalesce })
    case 'query':
      return query(request)
    case 'members':
      return membership.members().map(report)
    case 'set-tags':
      return membership.setTags({ ...request.tags })
    case 'block':
      return block(request)
    case 'ping':
      return membership.ping(request.name)
    case 'rtt':
      return membership.rtt(...request.names)
    case 'force-leave':
      return membership.forceLeave(request.name, { prune: request.prune })
    case 'keys':
      return keys(request.operation, request.key ?? '')
    case 'leave':
      return membership.leave()
    case 'close':
      return membership.close()
  }
}

async function query({ name, payload, options }: Extract<Request, { verb: 'query' }>): Promise<QueryReport> {
  const asked = membership.query(name, Buffer.from(payload, 'base64'), options)
  const responses = await asked.collect()
  return {
    responses: responses.map(({ from, payload }) => ({ from, payload: Buffer.from(payload).toString('base64') })),
    acks: await asked.acks.collect(),
    outcome: await asked.ended,
  }
}

/** What the tests ask: an echo, our name, so many zeros, or, where those are too many, the error that says so. */
function answerQuery({ name, payload, respond }: QueryEvent): void {
  if (name === 'echo') respond(payload)
  else if (name === 'name') respond(membership.local.name)
  else if (name === 'zeros') {
    try {
      respond(new Uint8Array(Number(Buffer.from(payload))))
    } catch (error) {
      respond(describe(error))
    }
  }
}

async function keys(operation: KeyVerb, key: string): Promise<KeysReport> {
  const asked = operation === 'list' ? membership.keys.list() : membership.keys[operation](key)
  const { members, answered, keys: held, primaryKeys } = await asked
  return { members, answered, keys: Object.fromEntries(held), primaryKeys: Object.fromEntries(primaryKeys) }
}

function isLast(request: Request): boolean {
  return request.verb === 'leave' || request.verb === 'close'
}

function report(member: ReturnType<Membership['members']>[number]): MemberReport {
  return { name: member.name, state: member.state, tags: { ...member.tags }, address: member.address }
}

function describe(thing: unknown): string {
  if (thing instanceof Error) return `${thing.name}: ${thing.message}`
  if (typeof thing !== 'object' || thing === null) return String(thing)
  return JSON.stringify(thing, (_, value: unknown) => (value instanceof Error ? describe(value) : value))
}

function speak(message: Spoken, isTheLast = false): void {
  process.send?.(message, undefined, undefined, () => {
    if (isTheLast && process.connected) process.disconnect()
  })
}
