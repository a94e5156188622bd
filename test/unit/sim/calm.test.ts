// A calm cluster passes, and each thing that must not happen in one is found.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TimeoutError } from '../../../src/base/errors.ts'
import { beCalm, type Demand, noticeAndDeny } from '../../../src/sim/calm.ts'
import { Cluster, type SimMemberOptions } from '../../../src/sim/cluster.ts'
import { InvariantError, type InvariantName, invariantErrorIn } from '../../../src/sim/invariants.ts'
import { resolveSwimOptions } from '../../../src/swim/options.ts'

async function calm(options: SimMemberOptions = {}) {
  const cluster = new Cluster({ seed: 5, transcript: 'off', options })
  await cluster.start(4)
  await cluster.settle()
  await cluster.run(5_000)
  const demand: Demand = async (invariant, holds, withinMs, why) => {
    try {
      await cluster.until(holds, { withinMs, everyMs: 100 })
    } catch (error) {
      if (error instanceof TimeoutError) throw new InvariantError(invariant, '*', why())
      throw error
    }
  }
  return { cluster, demand, swim: resolveSwimOptions('lan', options) }
}

async function violates(invariant: InvariantName, run: Promise<void>): Promise<void> {
  await assert.rejects(run, (error) => invariantErrorIn(error)?.invariant === invariant)
}

describe('sim/calm.ts', () => {
  it('lets a calm cluster pass, which hears news, notices a silence and hears a denial', async () => {
    const { cluster, demand, swim } = await calm()
    await beCalm(cluster, swim, demand)
    await noticeAndDeny(cluster, swim, demand)
    assert.ok(cluster.events.some(({ type, about }) => type === 'member-recover' && about === 'm-2'))
  })

  it('calm-stays-calm: finds a member that changes by itself', async () => {
    const { cluster, demand, swim } = await calm()
    void cluster.sleep(10_000).then(() => cluster.member('m-3').setTags({ role: 'new' }))
    await violates('calm-stays-calm', beCalm(cluster, swim, demand))
  })

  for (const kind of ['events', 'queries'] as const) {
    it(`clocks-become-level: finds that the clocks of ${kind} never come to be level`, async () => {
      const { cluster, demand, swim } = await calm({ pushPullIntervalMs: 1000 })
      const liar = cluster.member('m-3')
      const { stats } = liar
      liar.stats = () => {
        const read = stats.call(liar)
        return { ...read, ltimes: { ...read.ltimes, [kind]: read.ltimes[kind] + 1 } }
      }
      await violates('clocks-become-level', beCalm(cluster, swim, demand))
    })
  }

  it('calm-stays-calm: finds one that changes while the clocks become level', async () => {
    const { cluster, demand, swim } = await calm({ pushPullIntervalMs: 1000 })
    const liar = cluster.member('m-3')
    const { stats } = liar
    const levelAt = cluster.now + 5000
    liar.stats = () => {
      const read = stats.call(liar)
      return cluster.now < levelAt ? { ...read, ltimes: { ...read.ltimes, events: 77 } } : read
    }
    void cluster.sleep(2000).then(() => cluster.member('m-2').setTags({ role: 'new' }))
    await violates('calm-stays-calm', beCalm(cluster, swim, demand))
  })

  it('news-reaches-all: finds one that hears nothing', async () => {
    const { cluster, demand, swim } = await calm({ pushPullIntervalMs: 1000 })
    // Packets of its probes pass, streams too; what carries news does not.
    for (const other of ['m-1', 'm-2', 'm-4'])
      cluster.simulation.network.links.set(other, 'm-3', { maxPacketBytes: 90 })
    const deaf = cluster.member('m-3')
    deaf.removeAllListeners('user-event')
    await violates('news-reaches-all', beCalm(cluster, swim, demand))
  })

  it('silence-is-noticed: finds a cluster in which nobody looks', async () => {
    const { cluster, demand, swim } = await calm({ probeIntervalMs: 86_400_000 })
    await violates('silence-is-noticed', noticeAndDeny(cluster, { ...swim, probeIntervalMs: 1000 }, demand))
  })

  it('denial-is-heard: finds one that cannot be heard when it goes on', async () => {
    const { cluster, demand, swim } = await calm()
    const resume = cluster.resume.bind(cluster)
    cluster.resume = (name) => {
      resume(name)
      for (const other of cluster.names) if (other !== name) cluster.cut(name, other)
    }
    await violates('denial-is-heard', noticeAndDeny(cluster, swim, demand))
  })
})
