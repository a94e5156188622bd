// One member of the measured cluster, on the built library: what a service pays that does nothing else. Speaks as much of the
// Go peers' language (test/interop/peers/talk) as the measuring needs: `ready`, then an event a line; ends when stdin does.
// node bench/steady/member.js <name> <ip:port> <key or nothing>
import { createInterface } from 'node:readline'
import { Membership } from '../../dist/index.js'

const [name, bind, secretKey] = process.argv.slice(2)
const membership = new Membership({ name, bind, profile: 'lan', ...(secretKey && { secretKey }) })
const say = (line) => console.log(JSON.stringify(line))
membership.on('member-join', ({ member }) => say({ kind: 'event', type: 'join', name: member.name }))
membership.on('member-dead', ({ member }) => say({ kind: 'event', type: 'dead', name: member.name }))
await membership.start()
say({ kind: 'ready' })
say({ kind: 'event', type: 'join', name })
for await (const line of createInterface(process.stdin)) await membership.join(JSON.parse(line).seeds)
process.exit()
