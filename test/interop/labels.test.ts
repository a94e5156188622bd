// Labels keep clusters apart: memberlist alone, the current Serf and Node with one label are one cluster, and whoever has another label, or
// none, stays out. Debian's agent is too old for labels.
import assert from 'node:assert/strict'
import { goMissing } from './support/go-build.ts'
import { interopTest } from './support/interop-test.ts'
import type { NodeMember } from './support/node-member-client.ts'
import type { Peer } from './support/peer.ts'
import type { LoggingPeer, Stage } from './support/stage.ts'
import { detectionBoundMs, spreadBoundMs } from './support/timing.ts'
import { everyoneElseTold, timeOf } from './support/views.ts'

const LABEL = 'production'
const KEY = 'dGhlIGtleSBvZiB0aGUgbGFiZWxzISEhISEhISEhISE='

const PLAYS = (['lan', 'local'] as const).flatMap((profile) => [
  { profile, how: 'plain', sealed: { profile } },
  { profile, how: 'encrypted', sealed: { profile, secretKey: KEY } },
])

for (const { profile, how, sealed } of PLAYS) {
  interopTest(
    `Go and Node members with one label are one cluster, and nobody without it gets in, ${profile}, ${how}`,
    async (stage) => {
      // At `local` some news waits for an exchange.
      const soonMs = profile === 'lan' ? 5_000 : spreadBoundMs(profile)
      const refusals = ['packet-invalid', 'stream-invalid']
      const [first, second, third, fourth] = (await Promise.all([
        stage.start('node', { ...sealed, name: 'node-1', label: LABEL, tags: { role: 'log' }, expects: refusals }),
        stage.start('memberlist', { ...sealed, name: 'memberlist-1', label: LABEL, tags: { role: 'log' } }),
        stage.start('node', { ...sealed, name: 'node-2', label: LABEL, expects: refusals }),
        stage.start('serf', { ...sealed, name: 'serf-1', label: LABEL }),
      ])) as [NodeMember, LoggingPeer, NodeMember, LoggingPeer]

      await stage.step('those with the label meet', async () => {
        await first.join([second.address])
        await second.join([third.address])
        await fourth.join([first.address])
        await allSee(stage, soonMs, ['memberlist-1', 'node-1', 'node-2', 'serf-1'])
        assert.equal((await first.view()).get('memberlist-1')?.tags.role, 'log')
        assert.equal((await second.view()).get('node-1')?.tags.role, 'log')
      })
      await stage.step('a change of tags crosses to memberlist and back', async () => {
        await Promise.all([first.setTags({ role: 'new' }), second.setTags({ role: 'new' })])
        await stage.until('both are told', soonMs, async () => {
          const seen = [(await first.view()).get(second.name), (await second.view()).get(first.name)]
          return seen.every((sight) => sight?.tags.role === 'new') ? undefined : JSON.stringify(seen)
        })
      })
      await stage.step('those without it, or with another, do not get in', async () => {
        const strangers = await Promise.all([
          stage.intrude('memberlist', { ...sealed, name: 'stranger-1', label: 'staging' }),
          stage.intrude('node', { ...sealed, name: 'stranger-2', label: 'staging', expects: refusals }),
          stage.intrude('memberlist', { ...sealed, name: 'stranger-3' }),
        ])
        for (const stranger of strangers) {
          for (const member of [first, second]) await assert.rejects(stranger.join([member.address]), stranger.name)
          assert.deepEqual([...(await stranger.view()).keys()], [stranger.name])
          await stranger.stop()
        }
        await allSee(stage, soonMs, ['memberlist-1', 'node-1', 'node-2', 'serf-1'])
        assert.ok(
          second.log.some(({ level, text }) => level === 'ERR' && /label/.test(text)),
          await stage.dump(),
        )
        assert.ok(
          first.warnings.some((text) => text.includes('label')),
          first.tail(),
        )
      })
      await stage.step('a killed Node member is gone at memberlist, a killed memberlist is dead at Node', async () => {
        const withinMs = detectionBoundMs(profile, 4)
        await stage.kill(third)
        await stage.until('memberlist is told', withinMs, async () =>
          timeOf(second, 'gone', third) === undefined ? second.tail() : undefined,
        )
        await stage.kill(second)
        await everyoneElseTold(stage, 'dead', third, { withinMs })
        await everyoneElseTold(stage, 'dead', second, { withinMs })
      })
      await stage.stop()
      assert.deepEqual(stage.faults(), [])
    },
    { lacks: async () => goMissing() },
  )
}

async function allSee(stage: Stage, withinMs: number, names: readonly string[]): Promise<void> {
  const lack = async (peer: Peer): Promise<string | undefined> => {
    const view = await peer.view()
    const alive = [...view].filter(([, { state }]) => state === 'alive').map(([name]) => name)
    return alive.sort().join() === names.join() ? undefined : `${peer.name} sees ${alive.join()}`
  }
  await stage.until(`all see ${names.join()}`, withinMs, async () => {
    const lacks = await Promise.all(stage.running.map(lack))
    return lacks.find((text) => text !== undefined)
  })
}
