// What docs/differences-from-serf.md says of accusations and verdicts, beside a real agent.
import assert from 'node:assert/strict'
import { NO_BYTES } from '../../src/base/bytes.ts'
import { differenceTest } from './support/difference-test.ts'

differenceTest('A verdict about a member that is well is checked', {}, async (scene) => {
  const { agent, node, stranger, soon, seen } = scene
  stranger.ackPayload = NO_BYTES
  for (const peer of [agent, node]) await stranger.send(peer, stranger.claim('ghost', 1))
  await soon('both know it', async () => {
    const ghost = await seen('ghost')
    return ghost.agent?.state === 'alive' && ghost.node?.state === 'alive'
  })
  const accusations = (): number =>
    stranger.heard.filter((one) => one.type === 'suspect' && one.node === 'ghost' && one.from === 'node').length
  await stranger.send(node, { type: 'dead', node: 'ghost', from: 'far', incarnation: 1 })
  await soon('Node asks it, and tells it what is said of it', () => accusations() > 0)
  // It answers, and so the verdict is not believed; nor does Node tell the agent of it.
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  const answered = await seen('ghost')
  assert.deepEqual([answered.agent?.state, answered.node?.state], ['alive', 'alive'])
  await stranger.send(agent, { type: 'dead', node: 'ghost', from: 'far', incarnation: 1 })
  await soon('the agent believes it at once', async () => (await seen('ghost')).agent?.state === 'dead')

  // One that answers nobody is dead half a second later, by the same word.
  for (const peer of [agent, node]) await stranger.send(peer, stranger.claim('other', 1))
  stranger.ackPayload = undefined
  await soon('both know the other', async () => (await seen('other')).node?.state === 'alive')
  await stranger.send(node, { type: 'dead', node: 'other', from: 'far', incarnation: 1 })
  await soon('Node takes the verdict, and tells it', async () => {
    const other = await seen('other')
    return other.node?.state === 'dead' && other.agent?.state === 'dead'
  })
})

differenceTest('Who missed a denial is told again', {}, async ({ agent, node, stranger, soon, seen }) => {
  // Before the ghost is known, and told by gossip: both deny what is said of them at 1.
  for (const peer of [agent, node]) {
    await stranger.send(peer, { type: 'suspect', node: peer.name, from: 'far', incarnation: 1 })
  }
  const incarnationOf = async (peer: typeof agent | typeof node): Promise<number> =>
    (await stranger.exchange(peer)).members.find(({ name }) => name === peer.name)?.incarnation ?? 0
  const haveDenied = async (): Promise<boolean> => (await incarnationOf(agent)) > 1 && (await incarnationOf(node)) > 1
  await soon('both have denied', haveDenied)
  const numbers = [await incarnationOf(agent), await incarnationOf(node)]
  stranger.ackPayload = NO_BYTES
  for (const peer of [agent, node]) await stranger.send(peer, stranger.claim('ghost', 1))
  await soon('both know the ghost', async () => {
    const ghost = await seen('ghost')
    return ghost.agent?.state === 'alive' && ghost.node?.state === 'alive'
  })
  // What is still gossiped has been told.
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  const said = (name: string): readonly number[] =>
    stranger.heard.flatMap((one) => (one.type === 'alive' && one.node === name ? [one.incarnation] : []))
  const before = [said(agent.name).length, said(node.name).length]

  for (const type of ['suspect', 'dead'] as const) {
    const heard = said(node.name).length
    for (const peer of [agent, node])
      await stranger.send(peer, { type, node: peer.name, from: 'ghost', incarnation: 1 })
    await soon(`Node answers the ghost's ${type}`, () => said(node.name).length > heard)
    // One each probe interval.
    await new Promise((resolve) => setTimeout(resolve, 1_200))
  }
  assert.deepEqual(said(node.name).slice(before[1]), [numbers[1], numbers[1]], 'twice, with the number that it had')
  assert.equal(said(agent.name).length, before[0], 'the agent says nothing')
  // Whoever tells the same in the name of another, or is not known, is not answered.
  await stranger.send(node, { type: 'suspect', node: node.name, from: agent.name, incarnation: 1 })
  await stranger.send(node, { type: 'suspect', node: node.name, from: 'far', incarnation: 1 })
  await new Promise((resolve) => setTimeout(resolve, 500))
  assert.equal(said(node.name).length, (before[1] as number) + 2)
  assert.deepEqual([await incarnationOf(agent), await incarnationOf(node)], numbers, 'nobody denies anew')
})
