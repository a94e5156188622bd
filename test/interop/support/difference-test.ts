// One difference from Serf beside a real agent: an agent and a Node member that know each other, and a socket that is neither.
import assert from 'node:assert/strict'
import { interopTest } from './interop-test.ts'
import type { NodeMember, NodeMemberOptions } from './node-member-client.ts'
import type { Sight } from './peer.ts'
import type { SerfAgent } from './serf-agent.ts'
import type { Stage, StartOptions } from './stage.ts'
import { Stranger } from './stranger.ts'

/** Far more than any of it takes, and less than a suspicion of someone who is not there needs to run out. */
const SOON_MS = 4_000

export interface Scene {
  readonly stage: Stage
  readonly agent: SerfAgent
  readonly node: NodeMember
  readonly stranger: Stranger
  /** Waits for something that is to come soon. */
  soon(what: string, holds: () => Promise<boolean> | boolean): Promise<void>
  /** What the one and the other sees of a member. */
  seen(name: string): Promise<{ readonly agent: Sight | undefined; readonly node: Sight | undefined }>
  warned(code: string): boolean
}

/** What Node is told beside what all are told, and what the agent is. */
export interface OwnOptions extends Pick<NodeMemberOptions, 'expects' | 'knobs' | 'secretKey'> {
  readonly go?: Pick<StartOptions, 'flags' | 'secretKey'>
}

/** One agent and one Node member that know each other; in the end they must do so still.
 *  @param entry heading of the page
 *  @param own what Node is told, and the codes of the warnings that it gives for it */
export function differenceTest(entry: string, { go, ...own }: OwnOptions, show: (scene: Scene) => Promise<void>): void {
  interopTest(entry, async (stage) => {
    const agent = (await stage.start('agent', { ...go, name: 'go', profile: 'lan' })) as SerfAgent
    const options = { ...own, name: 'node', profile: 'lan', join: [agent.address] } as const
    const node = (await stage.start('node', options)) as NodeMember
    const stranger = await Stranger.open()
    const soon: Scene['soon'] = (what, holds) =>
      stage.until(what, SOON_MS, async () => ((await holds()) ? undefined : 'it has not come'))
    const seen: Scene['seen'] = async (name) => ({
      agent: agent.isRunning ? (await agent.view()).get(name) : undefined,
      node: (await node.view()).get(name),
    })
    const warned = (code: string): boolean => node.warnings.some((text) => text.includes(`"code":"${code}"`))
    const haveMet = async (): Promise<boolean> =>
      (await seen('node')).agent?.state === 'alive' && (await seen('go')).node?.state === 'alive'
    try {
      await soon('the two meet', haveMet)
      await show({ stage, agent, node, stranger, soon, seen, warned })
      if (node.isRunning && agent.isRunning) assert.ok(await haveMet(), await stage.dump())
      for (const code of own.expects ?? []) assert.ok(warned(code), `no warning ${code}: ${node.warnings.join()}`)
    } finally {
      stranger.close()
    }
    await stage.stop()
    for (const peer of stage.peers) assert.equal(peer.failure, undefined)
  })
}
