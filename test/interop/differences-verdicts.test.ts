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
