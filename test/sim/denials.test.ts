// One who missed a denial: gossip told it a few times and is silent now, and there are no exchanges. It is told again by the accused
// itself, as soon as it accuses; nobody who answers every ping is declared dead for want of a word.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Cluster } from '../../src/sim/cluster.ts'
import { forEachSeed } from './support/seeds.ts'

const ACCUSED = 'm-2'
const UNAWARE = 'm-3'
/** What a suspicion lasts at least, at `lan` in a cluster of three; nobody can shorten it, and nothing lengthens it. */
const SUSPICION_MS = 4_000

const heldBy = (cluster: Cluster, observer: string): string | undefined =>
  cluster.member(observer).member(ACCUSED)?.state

/** The accused falls silent until the unaware one suspects it, then denies to everybody else, who hear it. */
async function denyUnheard(cluster: Cluster): Promise<void> {
  await cluster.start(3)
  await cluster.settle()
  cluster.pause(ACCUSED)
  await cluster.until(() => heldBy(cluster, UNAWARE) === 'suspect', { what: `${UNAWARE} suspects ${ACCUSED}` })
  cluster.partition([[UNAWARE], cluster.names.filter((name) => name !== UNAWARE)])
  cluster.resume(ACCUSED)
  cluster.pause(UNAWARE)
  await cluster.run(6_000)
  cluster.heal()
  cluster.resume(UNAWARE)
}

/** Who declared it dead. That the unaware one is, while it stands still, is no mistake. */
function judges(cluster: Cluster): string[] {
  return cluster.events.flatMap(({ type, observer, about }) =>
    type === 'member-dead' && about === ACCUSED ? [observer] : [],
  )
}

describe('a denial that somebody missed', () => {
  // The play is about one rule; the others of ours only make it come up less often.
  const own = { verdictChecks: false, lastPings: false }
  for (const [kind, more] of [
    ['with all that keeps verdicts true', {}],
    ['by itself', own],
  ] as const) {
    const test = `${kind}, is said again to whoever accuses, before a verdict`
    it(test, async () => {
      const options = { pushPullIntervalMs: 0, ...more }
      await forEachSeed({ file: import.meta.url, test }, 20, { options }, async (cluster) => {
        await denyUnheard(cluster)
        await cluster.until(() => heldBy(cluster, UNAWARE) === 'alive', { withinMs: SUSPICION_MS, what: 'it is heard' })
        const { incarnation } = cluster.member(ACCUSED).local
        await cluster.run(60_000)
        assert.deepEqual(judges(cluster), [])
        assert.equal(cluster.member(ACCUSED).local.incarnation, incarnation, 'nothing new was denied')
      })
    })
  }
})
