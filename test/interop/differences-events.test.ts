// What docs/differences-from-serf.md lists of user events, intents and queues, shown beside a real agent, as in differences.test.ts.
import assert from 'node:assert/strict'
import { decodeSerfMessage } from '../../src/wire/index.ts'
import type { SerfPushPull } from '../../src/wire/types.ts'
import { differenceTest, type Scene } from './support/difference-test.ts'
import type { NodeMember } from './support/node-member-client.ts'
import type { Peer } from './support/peer.ts'
import type { SerfAgent } from './support/serf-agent.ts'
import type { Stranger } from './support/stranger.ts'

const NOTHING = new Uint8Array(0)

differenceTest('Events of an exchange come in their order', {}, async ({ agent, node, stranger, soon }) => {
  const events = [5, 3, 4].map((ltime) => ({ ltime, events: [{ name: `at-${ltime}`, payload: NOTHING }] }))
  for (const peer of [agent, node]) await stranger.exchange(peer, [], { eventLtime: 6, events })
  await soon('both hear all', () => namesHeard(agent).length === 3 && namesHeard(node).length === 3)
  assert.deepEqual(namesHeard(agent), ['at-5', 'at-3', 'at-4'])
  assert.deepEqual(namesHeard(node), ['at-3', 'at-4', 'at-5'])
})

differenceTest('What is kept of user events has a bound', { expects: ['event-limit'] }, async (scene) => {
  const { agent, node, stranger, soon, warned } = scene
  // More than 6 MiB of one time, each below Serf's ceiling; and one above it.
  const crowd = Array.from({ length: 750 }, (_, at) => ({ name: `crowd-${at}`, payload: new Uint8Array(9_000) }))
  const large = { name: 'large', payload: new Uint8Array(9_216) }
  const events = [
    { ltime: 5, events: crowd },
    { ltime: 6, events: [large, { name: 'small', payload: NOTHING }] },
  ]
  for (const peer of [agent, node]) await stranger.exchange(peer, [], { eventLtime: 7, events })
  await soon('both have read all of it', () => [agent, node].every((peer) => namesHeard(peer).includes('small')))
  assert.ok(warned('event-limit'))
  assert.equal(namesHeard(agent).length, crowd.length + 2)
  const taken = namesHeard(node).length
  assert.ok(taken > 300 && taken < crowd.length && !namesHeard(node).includes('large'), `${taken}`)
  const [theirs, ours] = await Promise.all([agent, node].map(async (peer) => (await stranger.exchange(peer)).userState))
  assert.ok((theirs?.length ?? 0) > 6 * 2 ** 20, `${theirs?.length}`)
  assert.ok((ours?.length ?? 0) < 6 * 2 ** 20, `${ours?.length}`)
  // What the agent tells of it again is no trouble, and what is sent then comes to both.
  await node.join([agent.address])
  await agent.event('after')
  await soon('the next event comes to both', () => [agent, node].every((peer) => namesHeard(peer).includes('after')))
})

differenceTest(
  'A full queue drops at once',
  { expects: ['queue-full'], knobs: { maxQueueDepth: 8 } },
  async ({ agent, node, soon, warned }) => {
    const names = Array.from({ length: 40 }, (_, at) => `burst-${at}`)
    await Promise.all(names.map((name) => node.event(name)))
    await soon('Node warns', () => warned('queue-full'))
    await soon('the agent hears what was left', () => namesHeard(agent).length >= 8)
    // What was dropped is lost to gossip alone.
    await node.join([agent.address])
    await soon('an exchange brings the rest', () => namesHeard(agent).length === names.length)
    assert.deepEqual(namesHeard(agent).toSorted(), names.toSorted())
  },
)

differenceTest('What fits no packet is not queued', { expects: ['message-invalid'] }, async (scene) => {
  const { agent, node, stranger, soon, warned } = scene
  const event = {
    type: 'user-event',
    ltime: 3,
    name: 'large',
    payload: new Uint8Array(3_000),
    coalesce: false,
  } as const
  await stranger.tell(node, event)
  await soon('Node delivers it, and warns', () => namesHeard(node).includes('large') && warned('message-invalid'))
  await node.event('small')
  await soon('what comes after it goes out', () => namesHeard(agent).includes('small'))
  assert.deepEqual(namesHeard(agent), ['small'])
  await node.join([agent.address])
  await soon('an exchange brings it', () => namesHeard(agent).includes('large'))
})

differenceTest('User messages have a share of each packet', {}, async (scene) => {
  const { agent, node, soon } = scene
  await storm(scene)
  await node.event('through')
  await soon('the agent hears the event', () => namesHeard(agent).includes('through'))
  await soon('and more of the storm after it', () => {
    const at = agent.log.findIndex(({ text }) => text === 'agent: Received event: user-event: through')
    return agent.log.slice(at).filter(({ text }) => text.startsWith(STORM)).length > 20
  })
})

differenceTest('What a member says of itself goes first', {}, async (scene) => {
  const { agent, node, soon } = scene
  await storm(scene)
  const left = node.leave()
  await soon('the agent hears that it leaves', () => agent.log.some(({ text }) => text === LEAVE_OF_NODE))
  await left
  await soon('and holds it left', async () => (await agent.view()).get('node')?.state === 'left')
  const texts = agent.log.map(({ text }) => text)
  const before = texts.slice(0, texts.indexOf(LEAVE_OF_NODE)).filter((text) => text.startsWith(STORM)).length
  assert.ok(before < STORM_INTENTS / 2, `${before} of ${STORM_INTENTS} went before it`)
  // It was not the end of the storm that let it through.
  assert.ok(texts.slice(texts.indexOf(LEAVE_OF_NODE)).some((text) => text.startsWith(STORM)))
})

differenceTest('Nobody takes our leave back', {}, async ({ agent, node, stranger, soon }) => {
  const left = node.leave()
  await soon('the agent hears that it leaves', () => agent.log.some(({ text }) => text === LEAVE_OF_NODE))
  await stranger.tell(node, { type: 'join', ltime: 500, node: 'node' })
  const ours = stateOf(await stranger.exchange(node))
  assert.ok(Number(ours.statusLtimes.get('node')) < 500, `${ours.statusLtimes.get('node')}`)
  await left
  await soon('the agent holds it left', async () => (await agent.view()).get('node')?.state === 'left')
  assert.ok(!agent.log.some(({ text }) => text === 'serf: messageJoinType: node'), 'it was not told on')
  assert.ok(!agent.history.some(({ type, name }) => type === 'dead' && name === 'node'))

  // The agent takes the same back for itself, and tells all that it stays.
  const theirs = agent.leave()
  await soon('it has begun', () => agent.log.some(({ text }) => text === 'agent: requesting graceful leave from Serf'))
  await stranger.tell(agent, { type: 'join', ltime: 1_000, node: 'go' })
  // Packets and streams are read side by side: the exchange may be answered before the join is read.
  await soon('it takes it', async () => {
    return Number(stateOf(await stranger.exchange(agent)).statusLtimes.get('go')) === 1_000
  })
  await theirs
})

differenceTest('A leave is told at its own time', {}, async ({ agent, node, stranger, soon, seen }) => {
  stranger.ackPayload = NOTHING
  for (const peer of [agent, node]) {
    await stranger.send(peer, stranger.claim('gone', 1), stranger.claim('back', 1))
  }
  await soon('both know them', async () => {
    const [gone, back] = [await seen('gone'), await seen('back')]
    return [gone, back].every((one) => one.agent?.state === 'alive' && one.node?.state === 'alive')
  })
  for (const peer of [agent, node]) {
    await stranger.tell(peer, { type: 'leave', ltime: 10, node: 'gone', prune: false })
    await stranger.send(peer, { type: 'dead', node: 'gone', from: 'gone', incarnation: 1 })
    await stranger.tell(peer, { type: 'join', ltime: 20, node: 'back' })
  }
  await soon('it has left', async () => {
    const gone = await seen('gone')
    return gone.agent?.state === 'left' && gone.node?.state === 'left'
  })
  const timeOf = async (peer: Peer, name: string): Promise<number> =>
    Number(stateOf(await stranger.exchange(peer)).statusLtimes.get(name))
  for (const peer of [agent, node]) await stranger.tell(peer, { type: 'join', ltime: 15, node: 'gone' })
  await soon('the agent tells the leave at the time of the join', async () => (await timeOf(agent, 'gone')) === 15)
  await answered(stranger, node, soon)
  assert.equal(await timeOf(node, 'gone'), 10)

  // An old leave of one that is back, at the time of its newest join.
  await soon(
    'both know of the join',
    async () => (await timeOf(agent, 'back')) === 20 && (await timeOf(node, 'back')) === 20,
  )
  const old = { ltime: 21, statusLtimes: new Map([['back', 20]]), leftMembers: ['back'] }
  for (const peer of [agent, node]) await stranger.exchange(peer, [], old)
  await soon('the agent holds it for leaving', async () => (await seen('back')).agent?.state === 'leaving')
  await answered(stranger, node, soon)
  assert.equal((await seen('back')).node?.state, 'alive')
})

differenceTest('Who announced a leave and stays counts as alive again', {}, async (scene) => {
  const { stage, agent, node, stranger, soon, seen } = scene
  // By an exchange, of which nothing is told on: the agent does not hear of it.
  await stranger.exchange(node, [], { ltime: 51, statusLtimes: new Map([['go', 50]]), leftMembers: ['go'] })
  await soon('Node holds the agent for leaving', async () => (await seen('go')).node?.state === 'leaving')
  assert.ok(!agent.log.some(({ text }) => text === 'serf: messageLeaveType: go'))
  await stage.until('Node asks it after 12 s', 16_000, async () =>
    agent.log.some(({ text }) => text === 'serf: messageLeaveType: go') ? undefined : 'it has not heard of a leave',
  )
  await soon('the agent denies it', async () => (await seen('go')).node?.state === 'alive')
})

const STORM_INTENTS = 300
const STORM = 'serf: messageJoinType: storm-'
const LEAVE_OF_NODE = 'serf: messageLeaveType: node'

/** Node has intents of strangers to tell for many seconds: three fill a packet. */
async function storm({ stranger, node, agent, soon }: Scene): Promise<void> {
  for (let at = 0; at < STORM_INTENTS; at++) {
    await stranger.tell(node, { type: 'join', ltime: 2 + at, node: `storm-${at}-${'x'.repeat(380)}` })
  }
  await soon('it begins', () => agent.log.some(({ text }) => text.startsWith(STORM)))
}

/** What was sent before this has been read: packets of one sender stay in order. */
async function answered(stranger: Stranger, node: NodeMember, soon: Scene['soon']): Promise<void> {
  const last = stranger.ping(node)
  await stranger.send(node, last)
  await soon('Node has read all', () => stranger.acksOf(last) === 1)
}

function namesHeard(peer: SerfAgent | NodeMember): string[] {
  return peer.userEvents.map(({ name }) => name)
}

function stateOf({ userState }: { readonly userState: Uint8Array }): SerfPushPull {
  const state = decodeSerfMessage(userState)
  assert.ok(state.type === 'push-pull')
  return state
}
