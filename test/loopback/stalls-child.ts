// Three members in a process of their own, for the test whose own event loop stands still. Says by messages where they are, and,
// when asked, whom they accused and hold for what; ends when it is told to or left alone. Not a test.
import { Membership } from '../../src/index.ts'

/** What the three saw. */
export interface Seen {
  /** `second: member-suspect third` and the like. */
  readonly accusations: readonly string[]
  /** By observer: the states of all members by name. */
  readonly states: Readonly<Record<string, Readonly<Record<string, string>>>>
}

const send = (message: object): void => void process.send?.(message)

const members = ['one', 'two', 'three'].map(
  (name) => new Membership({ name, bind: '127.0.0.1:0', profile: 'local', pushPullIntervalMs: 1000, tags: {} }),
)
const accusations: string[] = []
for (const membership of members) {
  for (const type of ['member-suspect', 'member-dead'] as const) {
    membership.on(type, ({ member }) => accusations.push(`${membership.local.name}: ${type} ${member.name}`))
  }
}
const [first, ...others] = members as [Membership, ...Membership[]]
await first.start()
for (const other of others) await other.join([first.local.address])
const end = async (): Promise<void> => {
  await Promise.all(members.map((membership) => membership.close()))
  process.disconnect?.()
}
process.on('disconnect', () => void Promise.all(members.map((membership) => membership.close())))
process.on('message', (message) => {
  if (message === 'end') void end()
  else send(see())
})
send({ address: first.local.address })

function see(): Seen {
  const states = members.map((membership) => [
    membership.local.name,
    Object.fromEntries(membership.members().map(({ name, state }) => [name, state])),
  ])
  return { accusations, states: Object.fromEntries(states) }
}
