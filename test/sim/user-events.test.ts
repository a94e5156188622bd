// User events in clusters that have other things to tell: whether each member hears each of them, once, and how soon.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cluster } from '../../src/sim/cluster.ts'
import { forEachSeed } from './support/seeds.ts'

const quiet = 'SF-30: in a quiet cluster every member delivers every event once, and gossip alone brings nearly all'
test(quiet, async (t) => {
  let [missed, looks] = [0, 0]
  const options = { options: { pushPullIntervalMs: 0 } }
  await forEachSeed({ file: import.meta.url, test: quiet }, 5, options, async (cluster) => {
    await cluster.start(20)
    await cluster.settle()
    const sent = await send(cluster, cluster.names, { everyMs: 100, forMs: 10_000 })
    await cluster.run(3_000)
    for (const name of cluster.names) {
      const heard = heardBy(cluster, name)
      assert.equal(new Set(heard).size, heard.length, `${name} heard one twice`)
      looks += sent.length
      missed += sent.length - heard.length
    }
  })
  t.diagnostic(`${missed} of ${looks} deliveries were missing without exchanges`)
  assert.ok(missed <= 0.002 * looks, `${missed} of ${looks}`)
})

const exchanged = 'what gossip misses an exchange brings, once, and told on to nobody'
test(exchanged, async () => {
  const options = { options: { pushPullIntervalMs: 5_000 } }
  await forEachSeed({ file: import.meta.url, test: exchanged }, 5, options, async (cluster) => {
    await cluster.start(6)
    await cluster.settle()
    for (const from of cluster.names) {
      for (const to of cluster.names) if (from !== to) cluster.link(from, to, { lossRatio: 0.5 })
    }
    const sent = await send(cluster, cluster.names, { everyMs: 200, forMs: 6_000 })
    for (const from of cluster.names) {
      for (const to of cluster.names) if (from !== to) cluster.link(from, to, { lossRatio: 0 })
    }
    await cluster.run(40_000)
    for (const name of cluster.names) assert.deepEqual(heardBy(cluster, name).sort(), [...sent].sort(), name)
  })
})

const churn = 'while members come and go, those that stay hear every event soon'
test(churn, async (t) => {
  const lateMs: number[] = []
  await forEachSeed({ file: import.meta.url, test: churn }, 3, {}, async (cluster) => {
    await cluster.start(30)
    await cluster.settle()
    const [stable, leavers] = [cluster.names.slice(0, 15), cluster.names.slice(15)]
    const going = (async () => {
      for (const [index, name] of leavers.entries()) {
        if (index % 2 === 0) cluster.crash(name)
        else void cluster.member(name).leave()
        await cluster.sleep(1_000)
      }
    })()
    const sent = await send(cluster, stable.slice(0, 4), { everyMs: 100, forMs: 20_000 }, going)
    await cluster.run(5_000)
    lateMs.push(...delays(cluster, stable, sent))
  })
  report(t, lateMs)
  assert.ok(share(lateMs, 3_000) >= 0.998, `${share(lateMs, 3_000)} within 3 s`)
})

const storm = 'under a storm of claims user events keep their share of every packet'
test(storm, async (t) => {
  const lateMs: number[] = []
  await forEachSeed({ file: import.meta.url, test: storm }, 2, {}, async (cluster) => {
    await cluster.start(30)
    await cluster.settle()
    const { names } = cluster
    // Each member says something new of itself again and again: several times what packets have room for, and an event finds no gap.
    let isOver = false
    let round = 0
    const storming = (async () => {
      while (!isOver) {
        round++
        for (const name of names)
          void cluster
            .member(name)
            .setTags({ round: String(round) })
            .catch(() => {})
        await cluster.sleep(250)
      }
    })()
    await cluster.run(2_000)
    const sent = await send(cluster, names.slice(0, 4), { everyMs: 500, forMs: 10_000, bytes: 400 })
    await cluster.run(5_000)
    isOver = true
    await cluster.finish(storming)
    lateMs.push(...delays(cluster, names, sent))
  })
  report(t, lateMs)
  assert.ok(share(lateMs, 3_000) >= 0.99, `${share(lateMs, 3_000)} within 3 s`)
})

/** Sends an event after the other, of one sender after the other; gives their names, in order.
 *  @param beside what goes on beside it */
async function send(
  cluster: Cluster,
  senders: readonly string[],
  { everyMs, forMs, bytes = 20 }: { readonly everyMs: number; readonly forMs: number; readonly bytes?: number },
  beside: Promise<void> = Promise.resolve(),
): Promise<string[]> {
  const sent: string[] = []
  const sending = (async () => {
    for (const end = cluster.now + forMs; cluster.now < end; ) {
      const name = `event-${sent.length}`
      cluster.member(senders[sent.length % senders.length] as string).sendEvent(name, new Uint8Array(bytes))
      sent.push(name)
      await cluster.sleep(everyMs)
    }
  })()
  await cluster.finish(Promise.all([sending, beside]), { withinMs: forMs + 5_000 })
  return sent
}

function heardBy(cluster: Cluster, name: string): string[] {
  return cluster.events
    .filter(({ type, observer }) => type === 'user-event' && observer === name)
    .map(({ about }) => about)
}

/** How long after its sender each of these members heard each event; infinite where it did not. */
function delays(cluster: Cluster, members: readonly string[], sent: readonly string[]): number[] {
  const heard = cluster.events.filter(({ type }) => type === 'user-event')
  const first = new Map<string, number>()
  const at = new Map<string, number>()
  for (const { observer, about, atMs } of heard) {
    if (!first.has(about)) first.set(about, atMs)
    assert.ok(!at.has(`${observer} ${about}`), `${observer} heard ${about} twice`)
    at.set(`${observer} ${about}`, atMs)
  }
  return members.flatMap((name) =>
    sent.map((event) => (at.get(`${name} ${event}`) ?? Number.POSITIVE_INFINITY) - (first.get(event) ?? 0)),
  )
}

function share(lateMs: readonly number[], withinMs: number): number {
  return lateMs.filter((ms) => ms <= withinMs).length / lateMs.length
}

function report(t: { diagnostic(text: string): void }, lateMs: readonly number[]): void {
  const sorted = lateMs.toSorted((one, other) => one - other)
  const at = (part: number): string => String(sorted[Math.floor(part * (sorted.length - 1))])
  t.diagnostic(
    `${sorted.length} deliveries, in ms: half by ${at(0.5)}, 99 % by ${at(0.99)}, 99.8 % by ${at(0.998)}, the last ${at(1)}`,
  )
}
