// One member of the demo, in a process of its own: a `Membership` that reports what it sees to the process that started it,
// and does what that one orders. Arguments: name, address to bind, role.
import { type MemberEvent, Membership } from 'rollcall'
import type { Order, Report } from './protocol.ts'

const [name = '', bind = '', role = ''] = process.argv.slice(2)
// Profile local tells news twice. With one of four freshly dead, who is told for a while in case it lives, both can be spent
// on the dead; four times is what the other profiles do.
const membership = new Membership({ name, bind, profile: 'local', retransmitMult: 4, tags: { role } })

for (const type of [
  'member-join',
  'member-suspect',
  'member-recover',
  'member-dead',
  'member-leaving',
  'member-left',
] as const) {
  membership.on(type, report)
}
membership.on('warning', ({ message }) => tell({ kind: 'warning', text: message }))

process.on('message', (order: Order) => {
  obey(order).catch((error: unknown) => tell({ kind: 'warning', text: String(error) }))
})
// The demo is gone, however it ended: nobody is left to stop us.
process.once('disconnect', () => process.exit(1))
// A terminal sends Ctrl-C to all of us; main.ts decides.
process.on('SIGINT', () => {})

await membership.start()
tell({ kind: 'up', address: membership.local.address, pid: process.pid })

function report({ type, member, previous }: MemberEvent): void {
  const { name, state, tags, address } = member
  const was = previous === undefined ? {} : { was: previous.state }
  const seen = `sees ${name} ${type.replace('member-', '')}`
  tell({ kind: 'sight', seen, of: { name, state, role: tags.role ?? '', address }, ...was })
}

async function obey(order: Order): Promise<void> {
  switch (order.verb) {
    case 'join':
      await membership.join([order.seed])
      return
    case 'leave':
      await membership.leave()
      break
    case 'close':
      await membership.close()
      break
  }
  // Nothing holds this process now but the channel to main.ts. Without it, it ends by itself.
  process.removeAllListeners('disconnect')
  process.disconnect()
}

function tell(message: Report): void {
  if (process.connected) process.send?.(message)
}
