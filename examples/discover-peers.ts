// A small HTTP service that finds its peers by itself. Every instance tells its role and its HTTP address in its tags, so
// whoever is a member with the right role is a peer; nobody keeps a list by hand. GET /peers answers with the others.
//
//   npx tsx examples/discover-peers.ts --http 8081 --gossip 127.0.0.1:7951
//   npx tsx examples/discover-peers.ts --http 8082 --gossip 127.0.0.1:7952 --join 127.0.0.1:7951
//   npx tsx examples/discover-peers.ts --http 8083 --gossip 127.0.0.1:7953 --join 127.0.0.1:7951
//   curl http://127.0.0.1:8081/peers
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { Membership } from 'rollcall'

const ROLE = 'greeter'
const HOST = '127.0.0.1'

const { values } = parseArgs({
  options: {
    /** Port of the HTTP server; 0 takes a free one. */
    http: { type: 'string', default: '0' },
    /** Address for the gossip, UDP and TCP. */
    gossip: { type: 'string', default: `${HOST}:0` },
    /** The gossip address of any member; may be given several times. */
    join: { type: 'string', multiple: true, default: [] },
  },
})

// First the service, then its announcement: whoever reads our tags can call us.
const server = createServer((request, response) => {
  if (request.url === '/peers') response.setHeader('content-type', 'application/json').end(JSON.stringify(peers()))
  else response.writeHead(404).end()
})
server.listen(Number(values.http), HOST)
await once(server, 'listening')
const { port } = server.address() as AddressInfo

const membership = new Membership({
  bind: values.gossip,
  tags: { role: ROLE, http: `http://${HOST}:${port}` },
})

/** The other instances. Suspects are still in: most of them answer in time, and a caller must expect failures anyway. */
function peers(): { name: string; url: string }[] {
  return membership
    .members({ state: ['alive', 'suspect'], tags: { role: ROLE } })
    .filter(({ isSelf }) => !isSelf)
    .map(({ name, tags }) => ({ name, url: tags.http ?? '' }))
}

// The list needs no upkeep. Where something must be done when it changes (open a connection, close it), here is the place.
for (const type of ['member-join', 'member-dead', 'member-left'] as const) {
  membership.on(type, ({ member }) => console.log(type, member.name, member.tags.http ?? ''))
}

await membership.join(values.join)
console.log(`${membership.local.name}: http://${HOST}:${port}/peers, gossip on ${membership.local.address}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    // Goodbye first, so that nobody is sent here any more; then the door is closed, and the process ends.
    await membership.leave()
    server.close()
    server.closeIdleConnections()
  })
}
