// What docs/differences-from-serf.md lists, shown beside a real agent: the same bytes go to the agent and to a Node member, from a socket
// that is neither. Go is seen to do the one thing and Node the other, and the two stay one cluster. Each test bears the heading of its
// entry, and test/package/docs.test.ts holds every entry against the tests it names.
import assert from 'node:assert/strict'
import { NO_BYTES } from '../../src/base/bytes.ts'
import { Membership } from '../../src/membership.ts'
import {
  decodeSerfMessage,
  encodePacket,
  encodeSerfMessage,
  encodeSwimMessage,
  type Ping,
  WireState,
} from '../../src/wire/index.ts'
import { MAX_PUSH_PULL_MEMBERS } from '../../src/wire/limits.ts'
import { joinPushPull } from '../../src/wire/swim-messages.ts'
import { differenceTest, type Scene } from './support/difference-test.ts'
import type { NodeMember } from './support/node-member-client.ts'
import { holdPort } from './support/ports.ts'
import type { SerfAgent } from './support/serf-agent.ts'
import { dial, Seed, Stranger } from './support/stranger.ts'

differenceTest(
  'A member that claims too high a number is let be',
  { expects: ['refutation-impossible'] },
  async (scene) => {
    const { agent, node, stranger, soon, warned } = scene
    await stranger.send(node, { type: 'suspect', node: 'node', from: 'go', incarnation: 0xffff_ffff })
    await soon('Node warns', () => warned('refutation-impossible'))
    // With a number that wrapped, its next claim would be older than what the agent knows.
    await node.setTags({ number: 'kept' })
    await soon('the agent takes its next claim', async () => (await agent.view()).get('node')?.tags.number === 'kept')
  },
)

differenceTest(
  'A dead member keeps the highest number said of it',
  {},
  async ({ agent, node, stranger, soon, seen }) => {
    for (const peer of [agent, node]) {
      await stranger.send(peer, stranger.claim('ghost', 1))
      await stranger.send(peer, { type: 'dead', node: 'ghost', from: 'go', incarnation: 1 })
    }
    // Of messages that wait Go takes the newest first, and claims to be alive before all others.
    await bothHoldDead('ghost', soon, seen)
    for (const peer of [agent, node]) {
      await stranger.send(peer, { type: 'dead', node: 'ghost', from: 'go', incarnation: 10 })
      await stranger.send(peer, stranger.claim('marker', 1))
    }
    await soon('both have read on', async () => {
      const marker = await seen('marker')
      return marker.agent !== undefined && marker.node !== undefined
    })
    for (const peer of [agent, node]) await stranger.send(peer, stranger.claim('ghost', 2))
    await soon('the old claim brings it back at the agent', async () => (await seen('ghost')).agent?.state === 'alive')
    assert.equal((await seen('ghost')).node?.state, 'dead')
  },
)

differenceTest('Who is accused and cannot know is told', {}, async ({ agent, node, stranger, soon, seen }) => {
  for (const peer of [agent, node]) {
    await stranger.send(peer, stranger.claim('ghost', 9))
    await stranger.send(peer, { type: 'dead', node: 'ghost', from: 'go', incarnation: 9 })
  }
  await bothHoldDead('ghost', soon, seen)
  const accusations = (from: string): number =>
    stranger.heard.filter((one) => one.type === 'suspect' && one.node === 'ghost' && one.from === from).length
  for (const peer of [agent, node]) await stranger.send(peer, stranger.claim('ghost', 1))
  await soon('Node tells it of the accusation', () => accusations('node') > 0)
  assert.equal(accusations('go'), 0)
})

differenceTest('A goodbye that comes after the verdict counts', {}, async ({ agent, node, stranger, soon, seen }) => {
  for (const peer of [agent, node]) {
    await stranger.send(peer, stranger.claim('ghost', 1))
    await stranger.send(peer, { type: 'dead', node: 'ghost', from: 'go', incarnation: 1 })
  }
  await bothHoldDead('ghost', soon, seen)
  for (const peer of [agent, node]) {
    await stranger.send(peer, { type: 'dead', node: 'ghost', from: 'ghost', incarnation: 1 })
  }
  await soon('Node holds it left, and the agent dead', async () => {
    const ghost = await seen('ghost')
    return ghost.agent?.state === 'dead' && ghost.node?.state === 'left'
  })
})

differenceTest(
  'A claim at number 0 is refused',
  { expects: ['claim-invalid'] },
  async ({ agent, node, stranger, soon, seen, warned }) => {
    for (const peer of [agent, node]) await stranger.send(peer, stranger.claim('ghost', 0))
    await soon('Node warns', () => warned('claim-invalid'))
    assert.deepEqual(await seen('ghost'), { agent: undefined, node: undefined })
    // The record that memberlist keeps is invisible, and dead: only a goodbye from the holder or an exchange shows it.
    const records = await Promise.all([agent, node].map(async (peer) => (await stranger.exchange(peer)).members))
    assert.deepEqual(
      records.map((members) => members.filter(({ name }) => name === 'ghost').map(({ state }) => state)),
      [[WireState.dead], []],
    )
  },
)

differenceTest('The dead do not have to speak the right version', {}, async ({ agent, node, stranger, soon, seen }) => {
  const alien = Uint8Array.of(1, 5, 9, 2, 5, 5)
  const members = [stranger.record('ghost', 1), stranger.record('alien', 1, { state: WireState.dead, vsn: alien })]
  await stranger.exchange(agent, members)
  await soon('the agent refuses the exchange', () =>
    agent.log.some(({ text }) =>
      text.startsWith("memberlist: Failed push/pull merge: Node 'alien' protocol version (9)"),
    ),
  )
  assert.equal((await seen('ghost')).agent, undefined)
  await stranger.exchange(node, members)
  await soon('Node takes the rest of it', async () => (await seen('ghost')).node?.state === 'alive')
})

differenceTest('A goodbye makes a member left, also without its announcement', {}, async (scene) => {
  const { agent, node, stranger, soon, seen } = scene
  for (const peer of [agent, node]) {
    await stranger.send(peer, stranger.claim('ghost', 1))
    await stranger.send(peer, { type: 'dead', node: 'ghost', from: 'ghost', incarnation: 1 })
  }
  await soon('Node holds it left, and the agent failed', async () => {
    const ghost = await seen('ghost')
    return ghost.agent?.state === 'dead' && ghost.node?.state === 'left'
  })
})

differenceTest(
  'One address is one address, in 4 bytes or in 16',
  {},
  async ({ stage, agent, node, stranger, soon, seen }) => {
    for (const peer of [agent, node]) await stranger.send(peer, stranger.claim('ghost', 1))
    await soon('both know it', async () => {
      const ghost = await seen('ghost')
      return ghost.agent?.state === 'alive' && ghost.node?.state === 'alive'
    })
    const addr = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1)
    const mapped = { ...stranger.claim('ghost', 2, { form: 'mapped' }), addr }
    for (const peer of [agent, node]) await stranger.send(peer, mapped)
    await soon('Node takes it for news', async () => (await seen('ghost')).node?.tags.form === 'mapped')
    await soon('the agent takes it for another address', () => agent.conflictsAbout('ghost') > 0)
    assert.equal(node.conflictsAbout('ghost'), 0)

    // The agent knows of a member in 16 bytes, as one tells itself that is bound to all interfaces; Node comes in its place.
    const held = await holdPort('127.0.0.1')
    await stranger.send(agent, { ...stranger.claim('twin', 1), addr, port: held.port })
    await soon('the agent knows it', async () => (await seen('twin')).agent?.state === 'alive')
    await held.release()
    const options = { name: 'twin', profile: 'lan', tags: { form: 'own' }, port: held.port } as const
    await stage.start('node', { ...options, join: [agent.address] })
    await soon('the agent takes it for the same', async () => (await seen('twin')).agent?.tags.form === 'own')
    assert.equal(agent.conflictsAbout('twin'), 0)
  },
)

differenceTest(
  'Names have a bound',
  { expects: ['claim-invalid'] },
  async ({ agent, node, stranger, soon, seen, warned }) => {
    const name = 'n'.repeat(513)
    for (const peer of [agent, node]) await stranger.send(peer, stranger.claim(name, 1))
    await soon('Node warns', () => warned('claim-invalid'))
    await soon('the agent takes it', async () => (await seen(name)).agent !== undefined)
    assert.equal((await seen(name)).node, undefined)
    const longest = 'n'.repeat(512)
    await stranger.send(node, stranger.claim(longest, 1))
    await soon('Node takes the longest name there is', async () => (await seen(longest)).node !== undefined)
  },
)

differenceTest(
  'One ping of a packet is answered',
  { expects: ['ping-limit'] },
  async ({ agent, node, stranger, soon }) => {
    for (const [peer, answers] of [
      [agent, 5],
      [node, 1],
    ] as const) {
      const pings = Array.from({ length: 5 }, () => stranger.ping(peer))
      await stranger.send(peer, ...pings)
      // Packets of one sender stay in order here: with the answer to this one, all to the others have come.
      const last = stranger.ping(peer)
      await stranger.send(peer, last)
      await soon(`${peer.name} answers`, () => stranger.acksOf(last) === 1)
      assert.equal(pings.filter((ping) => stranger.acksOf(ping) > 0).length, answers)
    }
  },
)

differenceTest(
  'A message has a bounded number of fields',
  { expects: ['packet-invalid'] },
  async ({ agent, node, stranger, soon }) => {
    for (const [peer, answers] of [
      [agent, 1],
      [node, 0],
    ] as const) {
      const ping = stranger.ping(peer)
      await stranger.send(peer, withFields(encodeSwimMessage(ping), 65))
      const last = stranger.ping(peer)
      await stranger.send(peer, last)
      await soon(`${peer.name} answers`, () => stranger.acksOf(last) === 1)
      assert.equal(stranger.acksOf(ping), answers)
    }
  },
)

differenceTest('Strangers do not use up what is to be told', {}, async ({ agent, node, stranger, soon, seen }) => {
  for (const [other, peer, isToldToStrangers] of [
    ['node', agent, true],
    ['agent', node, false],
  ] as const) {
    stranger.heard.length = 0
    const pings: Ping[] = []
    // Until the other knows, the news is still in the queue.
    const told = peer.setTags({ told: 'to members' })
    await soon('the other is told', async () => {
      pings.push(stranger.ping(peer))
      await stranger.send(peer, pings.at(-1) as Ping)
      return (await seen(peer.name))[other]?.tags.told === 'to members'
    })
    await told
    await soon('all are answered', () => pings.every((ping) => stranger.acksOf(ping) === 1))
    const more = stranger.heard.filter(({ type }) => type !== 'ack').map(({ type }) => type)
    assert.equal(more.length > 0, isToldToStrangers, `${peer.name}: ${more.join()}`)
  }
})

differenceTest('A Lamport time that cannot be honest is refused', { expects: ['lamport-leap'] }, async (scene) => {
  const { agent, node, stranger, soon, warned } = scene
  const payload = encodeSerfMessage({ type: 'leave', ltime: 2 ** 53 - 1, node: 'go', prune: false })
  await stranger.send(node, { type: 'user', payload })
  await soon('Node warns', () => warned('lamport-leap'))
  // Its clock is not worn out, and its next message is no leap for others.
  await node.leave()
  await soon('the agent takes its leave', async () => (await agent.view()).get('node')?.state === 'left')
  const theirs = decodeSerfMessage((await stranger.exchange(agent)).userState)
  assert.ok(theirs.type === 'push-pull' && Number(theirs.ltime) < 1_000, JSON.stringify(theirs, replaceBytes))
  assert.equal((await agent.view()).get('go')?.state, 'alive')
})

differenceTest('A pattern has a bound', { expects: ['filter-invalid'] }, async (scene) => {
  const { agent, node, stranger, soon, warned } = scene
  // It matches everything, and would be written out to ten thousand instructions.
  const pattern = `(?:${'x?'.repeat(100)}){50}`
  const query = stranger.query({ type: 'tag', tag: 'role', pattern })
  for (const peer of [agent, node]) await stranger.send(peer, { type: 'user', payload: encodeSerfMessage(query) })
  await soon('Node warns', () => warned('filter-invalid'))
  await soon('the agent acks', () => stranger.answersTo(query).includes('go'))
  assert.deepEqual(stranger.answersTo(query), ['go'])
  // The same query without the filter is for both.
  const plain = stranger.query()
  for (const peer of [agent, node]) await stranger.send(peer, { type: 'user', payload: encodeSerfMessage(plain) })
  await soon('both ack', () => stranger.answersTo(plain).sort().join() === 'go,node')
})

differenceTest('A relay carries answers, to members', { expects: ['relay-refused'] }, async (scene) => {
  const { agent, node, stranger, soon, warned } = scene
  const message = encodeSerfMessage({ type: 'query-response', ltime: 1, id: 1, from: 'x', flags: 0, payload: NO_BYTES })
  for (const [peer, carries] of [
    [agent, true],
    [node, false],
  ] as const) {
    const before = stranger.heard.length
    const relay = {
      type: 'relay',
      destAddr: Uint8Array.of(127, 0, 0, 1),
      destPort: stranger.port,
      destZone: '',
    } as const
    await stranger.send(peer, { type: 'user', payload: encodeSerfMessage({ ...relay, destName: 'x', message }) })
    if (carries) await soon('the agent sends it to whoever it is for', () => stranger.heard.length > before)
    else await soon('Node warns', () => warned('relay-refused'))
    assert.equal(stranger.heard.length > before, carries)
  }
})

differenceTest('A packet holds a bounded number of messages', { expects: ['packet-invalid'] }, async (scene) => {
  const { agent, node, stranger, soon, warned } = scene
  const nack = { type: 'nack', seqNo: 4_000_000 } as const
  const compounds = Array.from({ length: 10 }, () => encodePacket(Array.from({ length: 120 }, () => nack)))
  const [first, second] = [stranger.ping(agent), stranger.ping(node)]
  for (const [peer, ping] of [
    [agent, first],
    [node, second],
  ] as const) {
    await stranger.send(peer, ...compounds, encodePacket([nack, ping]))
  }
  await soon('Node warns', () => warned('packet-invalid'))
  await soon('the agent answers the ping in it', () => stranger.acksOf(first) === 1)
  assert.equal(stranger.acksOf(second), 0)
})

differenceTest('A datagram unfolds to 64 KiB', { expects: ['packet-invalid'] }, async (scene) => {
  const { agent, node, stranger, soon, warned } = scene
  // A Serf message of a type that there is not: read by nobody.
  const filling = { type: 'user', payload: new Uint8Array(40_000).fill(0xee) } as const
  const [first, second] = [stranger.ping(agent), stranger.ping(node)]
  for (const [peer, ping] of [
    [agent, first],
    [node, second],
  ] as const) {
    const bytes = encodePacket([ping, filling, filling], { compress: true })
    assert.ok(bytes.length < 2_000)
    await stranger.sendBytes(peer, bytes)
  }
  await soon('Node warns', () => warned('packet-invalid'))
  await soon('the agent answers the ping in it', () => stranger.acksOf(first) === 1)
  assert.equal(stranger.acksOf(second), 0)
})

differenceTest(
  'A name that is no text is left out',
  { expects: ['packet-invalid'] },
  async ({ agent, node, stranger, soon, warned }) => {
    const bytes = encodeSwimMessage(stranger.claim('ghost', 1))
    const at = Buffer.from(bytes).indexOf('ghost')
    assert.ok(at > 0)
    bytes[at] = 0xff
    for (const peer of [agent, node]) await stranger.send(peer, bytes)
    await soon('Node warns', () => warned('packet-invalid'))
    const names = async (peer: SerfAgent | NodeMember): Promise<string[]> => [...(await peer.view()).keys()]
    await soon('the agent takes it', async () => (await names(agent)).some((name) => name.endsWith('host')))
    assert.ok(!(await names(node)).some((name) => name.endsWith('host')))
  },
)

differenceTest('An exchange does not undo a leave', {}, async ({ agent, node, stranger, soon }) => {
  const left = node.leave()
  await soon('the agent hears that Node leaves', () =>
    agent.log.some(({ text }) => text === 'serf: messageLeaveType: node'),
  )
  const [theirs, ours] = await Promise.all(
    [agent, node].map(async (peer) => decodeSerfMessage((await stranger.exchange(peer)).userState)),
  )
  await left
  assert.ok(theirs?.type === 'push-pull' && ours?.type === 'push-pull')
  // The agent passes on the time of the leave itself; whoever hears that, and no goodbye, takes it for a join as late as the leave.
  assert.equal(Number(ours.statusLtimes.get('node')), Number(theirs.statusLtimes.get('node')) - 1)
  await soon('the agent holds it left', async () => (await agent.view()).get('node')?.state === 'left')
})

differenceTest(
  'A dead name is free when the dead are no longer told the news',
  { knobs: { reclaimAfterMs: 200 } },
  async (scene) => {
    const { agent, node, stranger, soon, seen } = scene
    const elsewhere = await Stranger.open()
    try {
      for (const peer of [agent, node]) {
        await stranger.send(peer, stranger.claim('ghost', 1))
        await stranger.send(peer, { type: 'dead', node: 'ghost', from: 'go', incarnation: 1 })
      }
      await soon('both hold it dead', async () => {
        const ghost = await seen('ghost')
        return ghost.agent?.state === 'dead' && ghost.node?.state === 'dead'
      })
      await soon('Node gives its name to another', async () => {
        await elsewhere.send(node, elsewhere.claim('ghost', 1))
        return (await seen('ghost')).node?.address === `127.0.0.1:${elsewhere.port}`
      })
      await elsewhere.send(agent, elsewhere.claim('ghost', 1))
      await soon('the agent tells of a conflict', () => agent.conflictsAbout('ghost') > 0)
      assert.equal((await seen('ghost')).agent?.state, 'dead')
    } finally {
      elsewhere.close()
    }
  },
)

differenceTest('Who is refused hears of it', {}, async ({ stage, agent, soon }) => {
  const options = { name: 'go', profile: 'lan', join: [agent.address], expects: ['name-refused'] } as const
  const refused = (await stage.intrude('node', options)) as NodeMember
  await soon('it hears who holds the name', () =>
    refused.warnings.some((text) => text.includes('"code":"name-refused"') && text.includes(agent.address)),
  )
  await soon('both tell of the conflict', () => refused.conflictsAbout('go') > 0 && agent.conflictsAbout('go') > 0)
})

const LOCAL_ONLY = { knobs: { allowedCidrs: ['127.0.0.1/32'] }, expects: ['source-refused'] }

differenceTest('Ranges of addresses hold for all that comes in', LOCAL_ONLY, async ({ agent, node, soon, warned }) => {
  const outsider = await Stranger.open('127.0.0.2')
  try {
    const [first, second] = [outsider.ping(agent), outsider.ping(node)]
    await outsider.send(node, second)
    await outsider.send(agent, first)
    await soon('Node warns', () => warned('source-refused'))
    await soon('the agent answers', () => outsider.acksOf(first) === 1)
    assert.equal(outsider.acksOf(second), 0)
  } finally {
    outsider.close()
  }
})

differenceTest('Helpers are few to each host', { expects: ['relay-limit'] }, async (scene) => {
  const { agent, node, stranger, soon, warned } = scene
  const pingsFor = (name: string): number =>
    stranger.heard.filter((one) => one.type === 'ping' && one.node === name).length
  for (const [peer, ghost, made] of [
    [agent, 'ghost-of-go', 150],
    [node, 'ghost-of-node', 128],
  ] as const) {
    const { addr, port } = stranger.claim(ghost, 1)
    const target = { target: addr, port, node: ghost }
    const source = { sourceAddr: null, sourcePort: 0, sourceNode: '' }
    for (let seqNo = 1; seqNo <= 150; seqNo++) {
      await stranger.send(peer, { type: 'indirect-ping', seqNo, ...target, nack: false, ...source })
    }
    await soon(`${peer.name} makes ${made} of 150 pings`, () => pingsFor(ghost) >= made)
  }
  await soon('Node warns', () => warned('relay-limit'))
  assert.equal(pingsFor('ghost-of-node'), 128)
})

differenceTest('Forcing a member to leave that lives', {}, async ({ agent, node, soon, seen }) => {
  await node.forceLeave('go')
  await soon('the agent hears of it', () => agent.log.some(({ text }) => text === 'serf: messageLeaveType: go'))
  await soon('and denies it', async () => (await seen('go')).node?.state === 'alive')
  // The other way nobody hears of it: the agent finds no one alive to tell.
  await agent.forceLeave('node')
  assert.equal((await seen('node')).agent?.state, 'leaving')
  await node.join([agent.address])
  await soon('a join of its own puts that right', async () => (await seen('node')).agent?.state === 'alive')
  assert.ok(!node.history.some(({ type }) => type === 'dead' || type === 'left'), node.tail())
})

differenceTest('Pruning a member that lives', {}, async ({ agent, node, soon, seen }) => {
  await node.forceLeave('go', { prune: true })
  await soon('the agent hears of it', () => agent.log.some(({ text }) => text === 'serf: messageLeaveType: go'))
  await soon('and denies it in time', async () => (await seen('go')).node?.state === 'alive')
  assert.ok(!node.history.some(({ type }) => type === 'reap'), node.tail())
})

differenceTest('Who joins learns before it tells', {}, async ({ stage, stranger }) => {
  for (const [program, told] of [
    ['agent', [['newcomer']]],
    ['node', [[], ['newcomer', 'seed']]],
  ] as const) {
    const seed = await Seed.open([stranger.record('seed', 1)])
    try {
      const newcomer = await stage.intrude(program, { name: 'newcomer', profile: 'lan' })
      await newcomer.join([seed.address])
      assert.deepEqual(
        seed.told.map((names) => names.sort()),
        told,
        program,
      )
    } finally {
      seed.close()
    }
  }
})

differenceTest('An exchange holds a bounded number of members', { expects: ['stream-invalid'] }, async (scene) => {
  const { agent, node, soon, warned } = scene
  // A head that announces so many; none follows.
  const none = new Uint8Array()
  const head = joinPushPull(false, new Array<Uint8Array>(MAX_PUSH_PULL_MEMBERS + 1).fill(none), none)
  const [first, second] = [dial(agent, head), dial(node, head)]
  try {
    await soon('Node warns', () => warned('stream-invalid'))
    await soon('Node hangs up', () => second.closed)
    assert.equal(first.closed, false, 'the agent waits for the members')
  } finally {
    for (const stream of [first, second]) stream.destroy()
  }
})

differenceTest('A filter is not asked the same thing all the time', {}, async ({ agent, stranger, soon }) => {
  const asked: string[] = []
  const accept = ({ name }: { readonly name: string }): boolean => {
    asked.push(name)
    return name !== 'ghost'
  }
  // In this process: a function cannot be told to another.
  const choosy = new Membership({ name: 'choosy', bind: '127.0.0.1:0', accept })
  try {
    await choosy.start()
    await choosy.join([agent.address])
    const peer = { name: 'choosy', address: choosy.local.address }
    for (let incarnation = 1; incarnation <= 20; incarnation++) {
      await stranger.send(peer, stranger.claim('ghost', incarnation))
    }
    await stranger.send(agent, stranger.claim('ghost', 21))
    await soon('the agent takes it in', async () => (await agent.view()).get('ghost')?.state === 'alive')
    const before = asked.filter((name) => name === 'go').length
    await agent.setTags({ changed: 'yes' })
    await soon('who was let in is asked about with its new tags', () => choosy.member('go')?.rawTags.changed === 'yes')
    assert.equal(asked.filter((name) => name === 'ghost').length, 1)
    assert.equal(asked.filter((name) => name === 'go').length, before + 1)
    assert.equal(choosy.member('ghost'), undefined)
    assert.equal((await agent.view()).get('choosy')?.state, 'alive')
  } finally {
    await choosy.close()
  }
})

differenceTest('Seeds are asked again', {}, async ({ stage, agent, node, soon, seen }) => {
  // Who has left is not looked for, and who comes in its place knows nobody.
  const port = Number(agent.address.split(':').pop())
  await agent.leave()
  await soon('Node is alone', async () => (await seen('go')).node?.state === 'left')
  const next = await stage.start('agent', { name: 'next', profile: 'lan', port })
  // It looks every half minute, more or less, whether it is among others.
  await stage.until('Node asks its seed again', 60_000, async () => {
    const [ours, theirs] = [await node.view(), await next.view()]
    const isOne = ours.get('next')?.state === 'alive' && theirs.get('node')?.state === 'alive'
    return isOne ? undefined : 'they have not met'
  })
})

function bothHoldDead(name: string, soon: Scene['soon'], seen: Scene['seen']): Promise<void> {
  return soon('both hold it dead', async () => {
    const sight = await seen(name)
    return sight.agent?.state === 'dead' && sight.node?.state === 'dead'
  })
}

/** The message with fields more that nobody knows, up to that many: its map, which has fewer than 16, becomes one with a longer head. */
function withFields(message: Uint8Array, fields: number): Uint8Array {
  const [type = 0, head = 0] = message
  assert.equal(head & 0xf0, 0x80)
  // A name of three characters, and nil.
  const unknown = Array.from({ length: fields - (head & 0x0f) }, (_, index) => [
    0xa3,
    0x78,
    0x30 + index / 10,
    0x30 + (index % 10),
    0xc0,
  ])
  return Uint8Array.of(type, 0xde, fields >> 8, fields & 0xff, ...message.subarray(2), ...unknown.flat())
}

function replaceBytes(_: string, value: unknown): unknown {
  return value instanceof Uint8Array || value instanceof Map ? String(value) : value
}
