// A name that is taken: whoever claims it later, of whichever kind, asks the members, of either kind, who bears it, and goes; whoever bore it stays.
import assert from 'node:assert/strict'
import { goMissing } from './support/go-build.ts'
import type { GoPeer } from './support/go-peer.ts'
import { interopTest } from './support/interop-test.ts'
import type { NodeMember } from './support/node-member-client.ts'
import type { Peer } from './support/peer.ts'
import type { SerfAgent } from './support/serf-agent.ts'
import { spreadBoundMs } from './support/timing.ts'
import { everyoneAgrees } from './support/views.ts'

/** The default timeout of a query at `local`, up to nine members, and a second. */
const VOTE_MS = 1_600 + 1_000
/** For processes to end on a busy machine, and for the conflict to be heard of. */
const SLACK_MS = 4_000

interopTest(
  'SF-80: a newcomer under a name that is taken loses the vote of Go and Node members, whichever kind it is, and the holder stays',
  async (stage) => {
    const options = (name: string) => ({ name, profile: 'local', expects: ['name-refused'] }) as const
    const holders: readonly Peer[] = await Promise.all([
      stage.start('agent', options('agent-1')),
      stage.start('serf', options('serf-1')),
      stage.start('node', options('node-1')),
      stage.start('node', options('node-2')),
    ])
    const [first, ...others] = holders as [Peer, ...Peer[]]
    for (const peer of others) await peer.join([first.address])
    await everyoneAgrees(stage, 'four', spreadBoundMs('local'))
    for (const holder of holders.slice(0, 3)) {
      for (const program of ['node', 'agent', 'serf'] as const) {
        await stage.step(`${program} claims the name of ${holder.name}`, async () => {
          const expects = ['name-refused', 'conflict-lost']
          const newcomer = await stage.intrude(program, { ...options(holder.name), expects })
          const seed = holders.find((peer) => peer !== holder)?.address ?? ''
          const ended = endOf(newcomer)
          await newcomer.join([seed])
          await ended
          assert.ok(holder.isRunning && holder.failure === undefined, holder.failure)
          await everyoneAgrees(stage, 'the holders under their names', spreadBoundMs('local'))
        })
      }
    }
    await stage.stop()
    assert.deepEqual(stage.faults(), [], await stage.dump())
  },
  { lacks: async () => goMissing() },
)

/** It is told to go by itself, and does. */
async function endOf(newcomer: Peer): Promise<void> {
  const withinMs = VOTE_MS + SLACK_MS
  if (newcomer.program === 'node') assert.equal(await (newcomer as NodeMember).closed(withinMs), 'conflict')
  else if (newcomer.program === 'agent') assert.equal(await (newcomer as SerfAgent).ended(withinMs), 0)
  else await (newcomer as GoPeer).ended(withinMs)
}
