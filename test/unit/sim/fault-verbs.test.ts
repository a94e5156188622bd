// The verbs that break and mend: what each does to members, that it is written down and counted, and what is refused.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OptionsError } from '../../../src/base/errors.ts'
import { Cluster, type ClusterOptions } from '../../../src/sim/cluster.ts'

async function started(count: number, options: Partial<ClusterOptions> = {}): Promise<Cluster> {
  const cluster = new Cluster({ seed: 1, ...options })
  await cluster.start(count)
  await cluster.settle()
  return cluster
}

const toldOf = (cluster: Cluster, about: string, type: string): number =>
  cluster.events.filter((event) => event.about === about && event.type === type).length

describe('sim/fault-verbs', () => {
  it('notes each verb in the transcript, and counts it', async () => {
    const cluster = await started(3, { options: { snapshotPath: 'serf.snapshot' } })
    const before = cluster.transcript.length
    cluster.link('m-1', 'm-2', { lossRatio: 0.1 })
    cluster.links({ duplicateRatio: 0.2 })
    cluster.cut('m-1', 'm-2')
    cluster.cut('m-1', 'm-2', { isOneWay: true, kind: 'packets' })
    cluster.partition([['m-1'], ['m-2', 'm-3']])
    cluster.heal('m-1', 'm-2')
    cluster.heal('m-1')
    cluster.heal()
    cluster.pause('m-3')
    cluster.resume('m-3')
    cluster.lag('m-3', { kind: 'exponential', meanMs: 5 })
    cluster.lag('m-3', 0)
    cluster.slow('m-3', 2)
    cluster.slow('m-3', 0)
    cluster.drift('m-3', 1.5)
    cluster.drift('m-3', 1)
    cluster.disk('m-3').fill(10)
    cluster.disk('m-3').mend()
    const lines = cluster.transcript.slice(before).trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => line.slice(14).replace(/\s+/, ' ')),
      [
        '* link m-1 -> m-2: loses 0.1',
        '* links: doubles 0.2',
        '* cut m-1 <-> m-2',
        '* cut m-1 -> m-2, packets only',
        '* partition m-1 | m-2 m-3',
        '* heal m-1 <-> m-2',
        '* heal m-1',
        '* heal',
        'm-3 paused',
        'm-3 resumed',
        'm-3 reads late: 0 ms and exponential with mean 5 ms',
        'm-3 reads in time',
        'm-3 works 2 ms on each packet',
        'm-3 works fast',
        'm-3 clock runs 1.5 times as fast',
        'm-3 clock runs true',
        'm-3 disk is full',
        'm-3 disk is well',
      ],
    )
    cluster.crash('m-3')
    await cluster.restart('m-3', { disk: 'lost' })
    await cluster.leave('m-2')
    assert.deepEqual(cluster.injected, {
      crash: 1,
      restart: 1,
      leave: 1,
      pause: 1,
      cut: 2,
      partition: 1,
      link: 2,
      lag: 1,
      slow: 1,
      drift: 1,
      disk: 2, // full, and lost
    })
    assert.match(cluster.transcript, /m-3 +disk is lost/)
    await cluster.close()
  })

  it('links that copy and hold back packets do so, and nobody is held for dead', async () => {
    const cluster = await started(4)
    cluster.links({ duplicateRatio: 0.3, reorderRatio: 0.2, reorderMs: 40 })
    const { traffic } = cluster.simulation.network
    const sent = traffic.sent.packets
    await cluster.run(20_000)
    const packets = traffic.sent.packets - sent
    assert.ok(Math.abs(traffic.felt.duplicated / packets - 0.3) < 0.1, `${traffic.felt.duplicated} of ${packets}`)
    assert.ok(Math.abs(traffic.felt.reordered / packets - 0.2) < 0.1, `${traffic.felt.reordered} of ${packets}`)
    assert.equal(cluster.events.filter(({ type }) => type === 'member-dead').length, 0)
    await cluster.settle()
    await cluster.close()
  })

  it('a link that takes small packets only loses the large ones', async () => {
    const cluster = await started(3)
    cluster.links({ maxPacketBytes: 40 })
    await cluster.run(10_000)
    assert.ok(cluster.simulation.network.traffic.dropped['too-big'].packets > 0)
    await cluster.close()
  })

  it('a member whose reader starves for longer than a probe takes is suspected, and accuses others', async () => {
    const cluster = await started(6)
    cluster.lag('m-3', 1_500)
    await cluster.run(15_000)
    assert.ok(toldOf(cluster, 'm-3', 'member-suspect') > 0, 'nobody felt it')
    const accused = cluster.events.filter(({ observer, type }) => observer === 'm-3' && type === 'member-suspect')
    assert.ok(accused.length > 0, 'what it reads late it holds against others, for its timers are on time')
    const { felt } = cluster.host('m-3').station.traffic
    assert.ok(felt.lagged > 0)
    assert.equal(felt.late, 0)
    cluster.lag('m-3', 0)
    await cluster.run(30_000)
    await cluster.settle()
    await cluster.close()
  })

  it('a member with too slow a worker loses packets, and its timers are late', async () => {
    const cluster = await started(6, { bufferBytes: 1_500 })
    cluster.slow('m-3', 400)
    await cluster.run(20_000)
    const { felt, dropped } = cluster.host('m-3').station.traffic
    assert.ok(felt.slowed > 20 && felt.late > 0, JSON.stringify(felt))
    assert.ok(dropped['buffer-full'].packets > 0, 'its buffer never was full')
    assert.ok(toldOf(cluster, 'm-3', 'member-suspect') > 0, 'nobody felt it')
    cluster.slow('m-3', 0)
    await cluster.run(30_000)
    await cluster.settle()
    await cluster.close()
  })

  it('a clock that runs twice as fast probes twice as often', async () => {
    const pingsOf = async (ratio: number): Promise<number> => {
      const cluster = await started(2, { transcript: 'packets', options: { gossipIntervalMs: 60_000 } })
      cluster.drift('m-2', ratio)
      const before = cluster.transcript.length
      await cluster.run(30_000)
      await cluster.close()
      return cluster.transcript.slice(before).match(/m-2 +-> m-1: .*ping \d/g)?.length ?? 0
    }
    const [slow, right, fast] = [await pingsOf(0.5), await pingsOf(1), await pingsOf(2)]
    assert.ok(right > 20 && Math.abs(fast / right - 2) < 0.1, `${fast} in place of ${right}`)
    assert.ok(Math.abs(slow / right - 0.5) < 0.05, `${slow} in place of ${right}`)
  })

  it('lag, slowness and drift belong to the machine: a restart does not end them', async () => {
    const cluster = await started(3)
    cluster.lag('m-2', 5)
    cluster.drift('m-2', 1.1)
    cluster.crash('m-2')
    await cluster.restart('m-2')
    const { loop, clock } = cluster.host('m-2').station
    assert.deepEqual([loop.lag, clock.ratio], [5, 1.1])
    await cluster.close()
  })

  it('a restart finds its disk, or an empty one', async () => {
    const cluster = await started(3, { options: { snapshotPath: 'serf.snapshot' } })
    await cluster.run(2_000)
    const sizes: (number | undefined)[] = []
    for (const disk of ['kept', 'lost'] as const) {
      cluster.crash('m-2')
      sizes.push(cluster.disk('m-2').content('serf.snapshot')?.length)
      const restarting = cluster.restart('m-2', { disk })
      sizes.push(cluster.disk('m-2').content('serf.snapshot')?.length)
      await restarting
      await cluster.settle()
    }
    const [before, kept, again, lost] = sizes
    assert.ok(before !== undefined && before > 0 && again !== undefined)
    assert.equal(kept, before)
    assert.equal(lost, undefined)
    await cluster.close()
  })

  it('refuses what cannot be, at once, naming option, value and limit', async () => {
    const cluster = await started(2)
    const before = cluster.transcript
    const wrong: readonly [() => void, RegExp][] = [
      [() => cluster.lag('m-1', -1), /option latency is -1: finite, 0 ms or more/],
      [() => cluster.lag('m-1', { minMs: 3, maxMs: 2 }), /option latency.maxMs is 2/],
      [() => cluster.slow('m-1', -1), /option perPacketMs is -1: from 0 to 60000/],
      [() => cluster.slow('m-1', Number.NaN), /option perPacketMs/],
      [() => cluster.drift('m-1', 0), /option ratio is 0: from 0.1 to 10/],
      [() => cluster.links({ lossRatio: 2 }), /option lossRatio is 2/],
      [() => cluster.link('m-1', 'm-2', { reorderMs: -2 }), /option reorderMs is -2/],
      [() => cluster.cut('m-1', 'm-2', { kind: 'udp' as 'packets' }), /option kind is "?'?udp"?'?: 'all' or 'packets'/],
      [() => cluster.partition([['m-1'], ['m-2', 'm-1']]), /option groups is .*m-1 is in two/],
      [() => cluster.crash('m-1', { how: 'dead' as 'killed' }), /option how is/],
      [() => cluster.disk('m-1').fill(-1), /option roomBytes is -1: 0 or more/],
      [
        () => cluster.link('m-1', 'm-2', { loss: 1 } as never),
        /option loss is 1: there is no such option: there is latencyMs/,
      ],
      [() => cluster.links({ loss: 1 } as never), /option loss is 1/],
      [() => cluster.link('m-1', 'm-2', undefined as never), /option options is undefined: must be an object/],
      [() => cluster.cut('m-1', 'm-2', { oneWay: true } as never), /option oneWay is true: .*isOneWay, kind/],
      [() => cluster.cut('m-1', 'm-2', { isOneWay: 1 } as never), /option isOneWay is 1/],
      [() => cluster.cut('m-1', 'm-1'), /option to is "m-1": another member/],
      [() => cluster.partition(['m-1', 'm-2'] as never), /option groups is a list of 2: lists of names/],
      [() => cluster.partition('m-1' as never), /option groups is "m-1"/],
      [() => cluster.crash('m-1', { disk: 'lost' } as never), /option disk is "lost": .*how/],
    ]
    for (const [verb, message] of wrong) {
      assert.throws(verb, (error: Error) => error instanceof OptionsError && message.test(error.message), String(verb))
    }
    await assert.rejects(cluster.restart('m-1', { disk: 'new' as 'lost' }), /option disk is/)
    for (const verb of [
      () => cluster.lag('m-9', 1),
      () => cluster.slow('m-9', 1),
      () => cluster.drift('m-9', 1),
      () => cluster.disk('m-9'),
      () => cluster.link('m-1', 'm-9', {}),
      () => cluster.partition([['m-1'], ['m-9']]),
      () => cluster.heal('m-9'),
    ]) {
      assert.throws(verb, /there is no member m-9/)
    }
    assert.equal(cluster.transcript, before, 'what was refused is not written down')
    await cluster.close()
  })
})
