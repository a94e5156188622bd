// News that waits to be told together: Debian's agent, which always coalesces its members (3 s, or 1 s of quiet), and a Node member with the
// same periods, in one cluster, told of the same things. Where they differ is in docs/differences-from-serf.md.
import assert from 'node:assert/strict'
import { interopTest } from './support/interop-test.ts'
import type { NodeMember } from './support/node-member-client.ts'
import type { SerfAgent } from './support/serf-agent.ts'

const HELD = {
  coalescePeriodMs: 3000,
  quiescentPeriodMs: 1000,
  userCoalescePeriodMs: 3000,
  userQuiescentPeriodMs: 1000,
}
/** Gossip, the longest period, and a busy machine. */
const TOLD_WITHIN_MS = 15_000

interopTest('an agent and a Node member that hold news back tell the same, but for what Serf loses', async (stage) => {
  const profile = 'lan'
  const agent = (await stage.start('agent', { name: 'agent-1', profile })) as SerfAgent
  const held = (await stage.start('node', { name: 'held', profile, knobs: HELD, join: [agent.address] })) as NodeMember
  /** What the agent's handlers were given. */
  const handed = (): string[] =>
    agent.log.flatMap(({ text }) => /^agent: Received event: ((?:member|user)-.*)$/.exec(text)?.[1] ?? [])
  const events = (): string[] => held.userEvents.map(({ name }) => name)
  let before = 0

  await stage.step('both tell of each other', async () => {
    await stage.until('both have told', TOLD_WITHIN_MS, async () => {
      const isTold = handed().length >= 1 && held.history.length >= 1
      return isTold ? undefined : `${handed().join()}; ${JSON.stringify(held.history)}`
    })
    before = handed().length
  })

  let newcomer: NodeMember
  await stage.step(
    'SF-62: a newcomer that changes its tags at once is told of as new; the agent tells the change alone',
    async () => {
      newcomer = (await stage.start('node', { name: 'newcomer', profile, tags: { v: '1' } })) as NodeMember
      await newcomer.join([agent.address, held.address])
      await newcomer.setTags({ v: '2' })
      await stage.until('both have told', TOLD_WITHIN_MS, async () => {
        const isTold = handed().length > before && held.history.some(({ name }) => name === 'newcomer')
        return isTold ? undefined : `${handed().slice(before).join()}; ${JSON.stringify(held.history)}`
      })
      assert.deepEqual(handed().slice(before), ['member-update'])
      const told = held.history.filter(({ name }) => name === 'newcomer').map(({ type }) => type)
      assert.deepEqual(told, ['join'])
      assert.equal((await held.view()).get('newcomer')?.tags.v, '2')
      before = handed().length
    },
  )

  await stage.step('of user events of one name both tell the newest', async () => {
    for (const payload of ['1', '2', '3']) await newcomer.event('deploy', Buffer.from(payload), true)
    await stage.until('both have told', TOLD_WITHIN_MS, async () => {
      const isTold = handed().includes('user-event: deploy') && events().includes('deploy')
      return isTold ? undefined : `${handed().slice(before).join()}; ${events().join()}`
    })
    await newcomer.event('fence', Buffer.from(''), true)
    await stage.until('both have told what came after', TOLD_WITHIN_MS, async () => {
      const isTold = handed().includes('user-event: fence') && events().includes('fence')
      return isTold ? undefined : `${handed().slice(before).join()}; ${events().join()}`
    })
    assert.deepEqual(events(), ['deploy', 'fence'])
    assert.equal(Buffer.from(held.userEvents[0]?.payload ?? []).toString(), '3')
    const user = handed().filter((text) => text.startsWith('user-event'))
    assert.deepEqual(user, ['user-event: deploy', 'user-event: fence'])
  })

  await stage.step(
    'SF-63: the agent tells the old change again with news of another; the Node member does not',
    async () => {
      before = handed().length
      await stage.start('node', { name: 'another', profile, join: [agent.address] })
      await stage.until('both have told', TOLD_WITHIN_MS, async () => {
        const told = handed().slice(before)
        const isTold = told.includes('member-join') && told.includes('member-update')
        return isTold && held.history.at(-1)?.name === 'another'
          ? undefined
          : `${told.join()}; ${JSON.stringify(held.history)}`
      })
      const told = held.history.map(({ type, name }) => `${type} ${name}`)
      assert.deepEqual(told, ['join agent-1', 'join newcomer', 'join another'])
    },
  )
})
