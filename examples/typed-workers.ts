// A pool of workers whose tags have types, who hear of a deployment by a user event, and say how busy they are when they are asked. Three
// members in one process, on loopback; in earnest each would be a process of its own, and some of them Go agents.
//
//   npx tsx examples/typed-workers.ts
import { Membership, type TagsSchema } from 'rollcall'

interface WorkerTags {
  readonly role: 'worker'
  readonly slots: number
}

/** What tags say, as values. A schema of zod, valibot or arktype stands here as it is:
 *  `z.object({ role: z.literal('worker'), slots: z.coerce.number().int() })`. */
const worker: TagsSchema<WorkerTags> = {
  '~standard': {
    version: 1,
    vendor: 'typed-workers',
    validate(tags) {
      const { role, slots } = tags as Record<string, string>
      if (role !== 'worker') return { issues: [{ message: 'must be worker', path: ['role'] }] }
      if (!/^\d+$/.test(slots ?? '')) return { issues: [{ message: 'must be a whole number', path: ['slots'] }] }
      return { value: { role, slots: Number(slots) } }
    },
  },
}

function start(name: string, slots: number): Membership<WorkerTags> {
  const membership = new Membership({
    name,
    bind: '127.0.0.1:0',
    profile: 'local',
    tags: { role: 'worker', slots: String(slots) },
    validateTags: worker,
  })
  let busy = 0
  membership.on('user-event', ({ name: event, unpack }) => {
    if (event !== 'deploy') return
    const { version } = recordOf(unpack)
    if (typeof version !== 'string') {
      console.log(`${name} passes over a deployment of nothing`)
      return
    }
    busy = slots
    console.log(`${name} deploys ${version}`)
  })
  membership.on('query', ({ name: question, respond }) => {
    if (question === 'load') respond({ busy, slots })
  })
  return membership
}

const workers = [start('worker-1', 4), start('worker-2', 8), start('worker-3', 2)] as const
const [first, second, third] = workers
await first.start()
await Promise.all([second.join([first.local.address]), third.join([first.local.address])])
await told(() => workers.every(({ size }) => size === workers.length))

// Typed: a number, or nothing where a member's tags do not fit.
const slots = first.members({ state: 'alive' }).reduce((sum, { tags }) => sum + (tags?.slots ?? 0), 0)
console.log(`${slots} slots in all`)

// Heard by all, ourselves too. The answers of a query come when each has heard its events, or has not: it is gossip.
let heard = 0
for (const worker of workers) {
  worker.on('user-event', () => {
    heard++
  })
}
// As an operator's `serf event deploy`, and `serf event deploy v7`, would.
for (const payload of [undefined, 'v7', null, { version: '2.1.0' }]) second.sendEvent('deploy', payload)
await told(() => heard === 4 * workers.length)

const answers = await third.query('load').collect()
for (const { from, unpack } of [...answers].sort((left, right) => left.from.localeCompare(right.from))) {
  const { busy, slots } = recordOf(unpack)
  console.log(`${from}: ${busy} of ${slots} busy`)
}

await Promise.all(workers.map((one) => one.leave()))

/** What was said, by name; nothing where it is no record. Anybody may send anything: it is looked at before it is believed. */
function recordOf(unpack: () => unknown): Readonly<Record<string, unknown>> {
  try {
    const said = unpack()
    return typeof said === 'object' && said !== null ? (said as Record<string, unknown>) : {}
  } catch {
    // A text, or other bytes that are no structure.
    return {}
  }
}

async function told(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20))
}
