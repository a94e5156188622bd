// What docs/differences-from-serf.md lists of queries, votes, keys, coordinates, filters and seeds, shown beside a real agent, as in
// differences.test.ts.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { InternalQuery } from '../../src/serf/internal-queries.ts'
import { decodeSerfMessage, encodeCoordinate, encodeSerfMessage } from '../../src/wire/index.ts'
import type { SerfKeyResponse, SerfQuery } from '../../src/wire/types.ts'
import { differenceTest, type Scene } from './support/difference-test.ts'
import type { NodeMember } from './support/node-member-client.ts'
import type { SerfAgent } from './support/serf-agent.ts'
import { Stranger } from './support/stranger.ts'

const NOTHING = new Uint8Array(0)
const folder = mkdtempSync(join(tmpdir(), 'rollcall-differences-'))
after(() => rmSync(folder, { recursive: true, force: true }))

differenceTest('Answers are those of members', { expects: ['query-limit'] }, async (scene) => {
  const { agent, node, stranger, soon, warned } = scene
  await enterGhost(scene)
  const inventing = async (from: string, ask: Promise<unknown>): Promise<void> => {
    const peer = from === 'node' ? node : agent
    await soon('the ghost hears the query', () => queryOf(stranger, from) !== undefined)
    const { ltime, id } = queryOf(stranger, from) as SerfQuery
    for (let at = 0; at < 100; at++) {
      const ack = { type: 'query-response', ltime, id, from: `invented-${at}`, flags: 1, payload: NOTHING } as const
      await stranger.tell(peer, ack)
    }
    await ask
  }
  const ours = node.query('who', '', { ack: true, timeoutMs: 2_000 })
  await inventing('node', ours)
  await soon('Node warns', () => warned('query-limit'))
  const { acks } = await ours
  const isInvented = (name: string): boolean => name.startsWith('invented-')
  assert.equal(acks.filter(isInvented).length, 64)
  assert.deepEqual(acks.filter((name) => !isInvented(name)).sort(), ['go', 'node'])
  const theirs = agent.query('who', '', ['-timeout=2s'])
  await inventing('go', theirs)
  assert.ok((await theirs).acks.some(isInvented), `${(await theirs).acks}`)
})

differenceTest('A query fits a packet', { knobs: { querySizeLimit: 9_000 } }, async ({ node }) => {
  const options = { ack: true, timeoutMs: 1_500 }
  const refusal = await node.query('full', randomBytes(5_000), options).then(
    () => 'it was asked',
    (error: Error) => error.message,
  )
  const [, used, allowed] = /takes (\d+) bytes, (\d+) are allowed/.exec(refusal) ?? []
  assert.ok(Number(allowed) > 1_300 && Number(allowed) < 1_400, refusal)
  // The number of a query, of up to five bytes, may take some less than it did.
  const { acks } = await node.query('full', randomBytes(5_000 - (Number(used) - Number(allowed)) - 4), options)
  assert.deepEqual(acks.toSorted(), ['go', 'node'])
})

differenceTest('A filter of no bytes lets nobody pass', { expects: ['filter-invalid'] }, async (scene) => {
  const { stage, agent, node, stranger, soon, warned } = scene
  const deadly = { ...stranger.query(), name: 'deadly', filters: [NOTHING] }
  await stranger.tell(node, deadly)
  await soon('Node warns', () => warned('filter-invalid'))
  // What Node tells on after it the agent hears; of this query it hears nothing.
  const plain = stranger.query()
  await stranger.tell(node, plain)
  await soon('both ack the next query', () => stranger.answersTo(plain).sort().join() === 'go,node')
  assert.deepEqual(stranger.answersTo(deadly), [])
  const heardByAgent = (name: string): boolean =>
    agent.log.some(({ text }) => text === `serf: messageQueryType: ${name}`)
  assert.ok(heardByAgent(plain.name))
  assert.ok(!heardByAgent(deadly.name))
  const doomed = (await stage.intrude('agent', { name: 'doomed', profile: 'lan' })) as SerfAgent
  const ended = doomed.ended(4_000)
  await stranger.tell(doomed, deadly)
  assert.notEqual(await ended, 0)
})

differenceTest('An answer goes through sixteen others at most', {}, async (scene) => {
  const { agent, node, stranger, soon } = scene
  // The asker is a member too: answers are carried to no one else.
  await enterGhost(scene)
  const elsewhere = await Stranger.open()
  elsewhere.ackPayload = NOTHING
  try {
    const names = Array.from({ length: 20 }, (_, at) => `ghost-${at}`)
    for (const peer of [agent, node]) for (const name of names) await elsewhere.send(peer, elsewhere.claim(name, 1))
    const isFull = async (peer: SerfAgent | NodeMember): Promise<boolean> => (await peer.view()).size === 23
    await soon('both know them', async () => (await isFull(agent)) && (await isFull(node)))
    const relaysFor = ({ id }: SerfQuery): number =>
      elsewhere.serfHeard.filter((one) => one.type === 'relay' && numberOf(one.message) === id).length
    const counts: number[] = []
    for (const peer of [agent, node]) {
      // To this one alone: nobody is to tell it on.
      const query = { ...stranger.query(), relayFactor: 20, flags: 1 | 2 }
      await stranger.tell(peer, query)
      await soon(`${peer.name} answers`, () => stranger.answersTo(query).length > 0 && relaysFor(query) >= 15)
      await new Promise((resolve) => setTimeout(resolve, 300))
      counts.push(relaysFor(query))
    }
    const [ofGo = 0, ofNode = 0] = counts
    assert.ok(ofGo > 16, `the agent: ${ofGo}`)
    // One of the sixteen may be the agent.
    assert.ok(ofNode === 16 || ofNode === 15, `Node: ${ofNode}`)
  } finally {
    elsewhere.close()
  }
})

differenceTest('A packet does not become ten thousand', { expects: ['query-limit'] }, async (scene) => {
  const { agent, node, stranger, soon, warned } = scene
  for (const peer of [agent, node]) {
    const queries = Array.from({ length: 240 }, () => ({ ...stranger.query(), flags: 1 | 2 }))
    const messages = queries.map((query) => ({ type: 'user', payload: encodeSerfMessage(query) }) as const)
    for (const half of [messages.slice(0, 120), messages.slice(120)]) await stranger.send(peer, ...half)
    const acks = (): number => queries.filter((query) => stranger.answersTo(query).length > 0).length
    if (peer === agent) await soon('the agent acks every one', () => acks() === queries.length)
    else await soon('Node warns', () => warned('query-limit'))
    // A ping is no query: whoever asks that much is still heard.
    const last = stranger.ping(peer)
    await stranger.send(peer, last)
    await soon(`${peer.name} answers`, () => stranger.acksOf(last) === 1)
    if (peer === node) assert.ok(acks() >= 1 && acks() <= 48, `${acks()}`)
  }
})

differenceTest('A response that fits no relay is refused whole', {}, async (scene) => {
  const { stage, agent, node, stranger, soon } = scene
  await enterGhost(scene)
  const serf = await stage.start('serf', { name: 'serf', profile: 'lan', join: [agent.address] })
  await soon('Node knows it', async () => (await node.view()).get('serf')?.state === 'alive')
  for (const peer of [serf, node]) {
    // A response of 1,020 bytes, which is more than 1,024 with a relay around it.
    const payload = Buffer.from('900')
    const query = { ...stranger.query(), name: 'zeros', payload, relayFactor: 1, flags: 2 }
    const bare = { type: 'query-response', ltime: 1, id: query.id, from: 'node', flags: 0 } as const
    const length = 1_020 - (encodeSerfMessage({ ...bare, payload: new Uint8Array(900) }).length - 900)
    await stranger.tell(peer, { ...query, payload: Buffer.from(String(length)) })
    const answers = (): Uint8Array[] =>
      stranger.serfHeard.flatMap((one) => (one.type === 'query-response' && one.id === query.id ? [one.payload] : []))
    const isError = (answer: Uint8Array): boolean => /1024/.test(String(Buffer.from(answer)))
    await soon(`${peer.name} says that it is too large`, () => answers().some(isError))
    assert.equal(answers().filter((answer) => answer.length === length).length, peer === serf ? 1 : 0, peer.name)
  }
})

differenceTest('One vote at a time about a name', {}, async (scene) => {
  const { agent, node, stranger, soon } = scene
  await enterGhost(scene)
  const elsewhere = await Stranger.open()
  try {
    const votesOf = (name: string): number =>
      new Set(
        stranger.serfHeard.flatMap((one) =>
          one.type === 'query' && one.name === InternalQuery.conflict && one.sourceNode === name ? [one.id] : [],
        ),
      ).size
    for (let claim = 1; claim <= 5; claim++) {
      for (const peer of [agent, node]) await elsewhere.send(peer, elsewhere.claim(peer.name, claim))
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    await soon('both have asked', () => votesOf('go') > 0 && votesOf('node') > 0)
    await soon('the agent has asked anew', () => votesOf('go') > 1)
    assert.equal(votesOf('node'), 1)
  } finally {
    elsewhere.close()
  }
})

differenceTest("A vote is the members'", {}, async (scene) => {
  const { stage, agent, node, stranger, soon } = scene
  await enterGhost(scene)
  const elsewhere = await Stranger.open()
  try {
    /** The name is claimed, and forty that nobody knows say whose it is. */
    const rig = async (peer: SerfAgent | NodeMember): Promise<void> => {
      await elsewhere.send(peer, elsewhere.claim(peer.name, 1))
      await soon(`${peer.name} asks for votes`, () => queryOf(stranger, peer.name) !== undefined)
      const { ltime, id } = queryOf(stranger, peer.name) as SerfQuery
      const payload = encodeSerfMessage(elsewhere.voice(peer.name))
      for (let at = 0; at < 40; at++) {
        await stranger.tell(peer, { type: 'query-response', ltime, id, from: `invented-${at}`, flags: 0, payload })
      }
    }
    const victim = (await stage.intrude('agent', {
      name: 'victim',
      profile: 'lan',
      join: [agent.address],
    })) as SerfAgent
    const ended = victim.ended(8_000)
    await rig(victim)
    await rig(node)
    await ended
    assert.ok(victim.log.some(({ text }) => text.startsWith('serf: minority in name conflict resolution')))
    // A vote lasts 3.2 s here, and the agent has its say in Node's.
    await new Promise((resolve) => setTimeout(resolve, 4_500))
    assert.ok(node.isRunning)
    assert.equal((await node.view()).get('node')?.state, 'alive')
  } finally {
    elsewhere.close()
  }
})

differenceTest('Who does not answer about keys is asked again', {}, async (scene) => {
  const { agent, node, stranger } = scene
  await enterGhost(scene)
  const timesAsked = (by: string): number =>
    new Set(
      stranger.serfHeard.flatMap((one) =>
        one.type === 'query' && one.name.endsWith('list-keys') && one.sourceNode === by ? [one.id] : [],
      ),
    ).size
  // Nobody is encrypted here, and the ghost does not answer at all.
  await assert.rejects(node.keys('list'), /3 nodes/)
  await assert.rejects(agent.keys('list'))
  assert.deepEqual([timesAsked('go'), timesAsked('node')], [1, 2])
})

const [first, second, third] = Array.from({ length: 3 }, () => randomBytes(32).toString('base64')) as [
  string,
  string,
  string,
]
const ofGo = join(folder, 'go')
const ofNode = join(folder, 'node')
for (const path of [ofGo, ofNode]) {
  mkdirSync(path)
  writeFileSync(join(path, 'keys.json'), JSON.stringify([first]), { mode: 0o600 })
}
const KEYRINGS = {
  expects: ['keyring-unwritten'],
  knobs: { keyringPath: join(ofNode, 'keys.json') },
  go: { flags: [`-keyring-file=${join(ofGo, 'keys.json')}`] },
}

differenceTest('Keys change when their file is written', KEYRINGS, async ({ agent, node, soon, warned }) => {
  rmSync(ofNode, { recursive: true })
  await assert.rejects(agent.keys('install', second), /1\/2 nodes reported failure/)
  await soon('Node warns', () => warned('keyring-unwritten'))
  assert.deepEqual((await node.keys('list')).keys, { [first]: 2, [second]: 1 })
  rmSync(ofGo, { recursive: true })
  await assert.rejects(node.keys('install', third), /2\/2 nodes reported failure/)
  // The agent has it all the same.
  assert.deepEqual((await node.keys('list')).keys, { [first]: 2, [second]: 1, [third]: 1 })
  assert.ok(![ofGo, ofNode].some(existsSync))
})

const MANY = [first, ...Array.from({ length: 127 }, () => randomBytes(32).toString('base64'))]
const FULL = { knobs: { keyring: MANY }, go: { secretKey: first } }

differenceTest('A keyring has a bound', FULL, async ({ agent, node }) => {
  await assert.rejects(agent.keys('install', second), /1\/2 nodes reported failure/)
  await node.keys('remove', MANY.at(-1)).catch(() => {})
  // Room for one more.
  await agent.keys('install', second)
})

const PLAIN = { keyring: [first], verifyIncoming: false, verifyOutgoing: false }

differenceTest('No keys in the clear', { knobs: PLAIN }, async ({ stage, agent, node, stranger, soon }) => {
  const { verifyIncoming, verifyOutgoing } = PLAIN
  const sealed = { secretKey: first, verifyIncoming, verifyOutgoing }
  const serf = await stage.start('serf', { ...sealed, name: 'serf', profile: 'lan', join: [agent.address] })
  for (const peer of [serf, node]) {
    const query = { ...stranger.query(), name: '_serf_list-keys', flags: 2 }
    await stranger.tell(peer, query)
    const answer = (): SerfKeyResponse | undefined => {
      const found = stranger.serfHeard.find((one) => one.type === 'query-response' && one.id === query.id)
      const message = found?.type === 'query-response' ? decodeSerfMessage(found.payload) : undefined
      return message?.type === 'key-response' ? message : undefined
    }
    await soon(`${peer.name} answers the stranger`, () => answer() !== undefined)
    assert.deepEqual(answer()?.keys, peer === serf ? [first] : [], peer.name)
  }
  await assert.rejects(node.keys('list'), /verify/)
})

differenceTest('A coordinate has bounds', { expects: ['coordinate-refused'] }, async (scene) => {
  const { stage, agent, node, stranger, soon, warned } = scene
  const vector = [1_000, 0, 0, 0, 0, 0, 0, 0]
  stranger.ackPayload = encodeCoordinate({ vector, error: 0.1, adjustment: 0, height: 1e-5 })
  for (const peer of [agent, node]) await stranger.send(peer, stranger.claim('ghost', 1))
  await soon('Node warns', () => warned('coordinate-refused'))
  const ghostRtt = (): Promise<number> => agent.rtt('go', 'ghost').catch(() => 0)
  await soon('the agent takes it', async () => (await ghostRtt()) > 100_000)
  await assert.rejects(node.rtt('ghost'), /knows no round trip/)
  // It throws the agent far from its neighbours, and Node members not at all.
  await stage.start('node', { name: 'twin', profile: 'lan', join: [node.address], expects: ['coordinate-refused'] })
  const rttTo = (name: string): Promise<number> => node.rtt(name).catch(() => Number.POSITIVE_INFINITY)
  await stage.until('Node knows its twin as near', 15_000, async () =>
    (await rttTo('twin')) < 1_000 ? undefined : `${await rttTo('twin')} ms`,
  )
})

/** A member at the stranger's socket, which answers pings and nothing else. */
async function enterGhost({ agent, node, stranger, soon, seen }: Scene): Promise<void> {
  stranger.ackPayload = NOTHING
  for (const peer of [agent, node]) await stranger.send(peer, stranger.claim('ghost', 1))
  await soon('both know the ghost', async () => {
    const ghost = await seen('ghost')
    return ghost.agent?.state === 'alive' && ghost.node?.state === 'alive'
  })
}

/** The last query of that member that came to the stranger. */
function queryOf(stranger: Stranger, sourceNode: string): SerfQuery | undefined {
  return stranger.serfHeard.findLast((one): one is SerfQuery => one.type === 'query' && one.sourceNode === sourceNode)
}

/** Of the query that an answer is to. */
function numberOf(answer: Uint8Array): number | undefined {
  const message = decodeSerfMessage(answer)
  return message.type === 'query-response' ? message.id : undefined
}
