// The member that a live run attacks, or one of its peers, as a process of its own: it says where it listens, then answers each line on its stdin with one line
// of JSON about itself. Arguments: options as JSON, and a member to join. It lives no longer than its stdin. What is thrown anywhere in it is counted and told.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { Membership, type MembershipOptions } from '../../src/index.ts'
import { confinedHost } from './confined.ts'
import { held } from './heap.ts'

/** What the process says of itself. */
export interface LiveReport {
  readonly address: string
  readonly heapBytes: number
  readonly outsideBytes: number
  readonly residentBytes: number
  readonly stats: ReturnType<Membership['stats']>
  readonly state: string
  readonly incarnation: number
  /** Exceptions and rejections that nobody caught. */
  readonly thrown: readonly string[]
  /** Warnings told through the event, by code: what a person was bothered with. */
  readonly told: Readonly<Record<string, number>>
  /** Each time it suspected another, held one for gone, or heard two claim one name. */
  readonly doubts: readonly string[]
  /** The longest turn of the event loop since the last report, ms. */
  readonly longestTurnMs: number
  /** Names of everybody it knows, with their incarnation. */
  readonly known: readonly (readonly [name: string, incarnation: number])[]
}

/** Strangers of a fuzz run are doubted without end. */
const MAX_DOUBTS = 100

const thrown: string[] = []
process.on('uncaughtException', (error) => thrown.push(error.stack ?? error.message))
process.on('unhandledRejection', (reason) => thrown.push(`rejection: ${String(reason)}`))

const [given = '{}', contact] = process.argv.slice(2)
const options = JSON.parse(given) as MembershipOptions
const membership = new Membership({ ...options, host: confinedHost() })
const told: Record<string, number> = {}
membership.on('warning', ({ code }) => {
  told[code] = (told[code] ?? 0) + 1
})
const doubts: string[] = []
for (const type of ['member-suspect', 'member-dead', 'member-left', 'conflict'] as const) {
  membership.on(type, (event) => {
    if (doubts.length < MAX_DOUBTS) doubts.push(`${type} ${'member' in event ? event.member.name : event.name}`)
  })
}
const delay = monitorEventLoopDelay({ resolution: 5 })
await membership.start()
if (contact !== undefined) await membership.join([contact], { required: true })
delay.enable()
console.log(JSON.stringify(await report()))

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'report') console.log(JSON.stringify(await report()))
}
await membership.close()
process.exitCode = thrown.length === 0 ? 0 : 1

async function report(): Promise<LiveReport> {
  // Before the collections, which are turns of their own.
  const longestTurnMs = Number.isFinite(delay.max) ? delay.max / 1e6 : 0
  const { heapBytes, outsideBytes } = await held()
  delay.reset()
  const { address, state, incarnation } = membership.local
  return {
    address,
    heapBytes,
    outsideBytes,
    residentBytes: process.memoryUsage().rss,
    stats: membership.stats(),
    state,
    incarnation,
    thrown,
    told,
    doubts,
    longestTurnMs,
    known: membership.members().map((member) => [member.name, member.incarnation]),
  }
}
