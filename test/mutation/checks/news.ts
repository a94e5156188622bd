// How what is new gets around: whether it reaches all, the newest of it, at what price, and in which order everyone is asked (SWIM §4.1,
// §4.3).
import assert from 'node:assert/strict'
import { Cluster } from '../../../src/sim/cluster.ts'
import { assertNone, beside, type Check, hold, onCluster, othersThan, THREE } from '../check.ts'

const quiet: Check = {
  name: 'a cluster with no news sends pings and acks, and nothing else',
  seeds: THREE,
  play: (seed) =>
    onCluster(8, { seed, options: { pushPullIntervalMs: 0 } }, async (cluster) => {
      await cluster.run(10_000)
      const { traffic } = cluster.simulation.network
      const before = traffic.sent.packets
      await cluster.run(60_000)
      const each = (traffic.sent.packets - before) / 8 / 60
      // One ping and one ack a second. What was said at the start is forgotten long ago.
      assert.ok(each > 1.9 && each < 2.1, `${each.toFixed(2)} packets a second and member`)
    }),
}

/** Gossip ends by count, so that once in a while it passes somebody by: an exchange is to find that out, and there are none here. */
function mostKnow(cluster: Cluster, name: string, tag: string, value: string): Promise<void> {
  return cluster.until(
    () =>
      cluster.names.filter((each) => hold(cluster, [each], name, ({ rawTags }) => rawTags[tag] === value)).length > 17,
    { withinMs: 3_000, what: `18 of 20 know the last tags of ${name}` },
  )
}

const lossy: Check = {
  name: 'news reaches nearly all by gossip alone, though every fifth packet is lost',
  seeds: THREE,
  // Who starts learns of all by exchanges, however little is gossiped; then there are none.
  play: (seed) =>
    onCluster(20, { seed, options: { pushPullIntervalMs: 2_000, suspicionMult: 20 } }, async (cluster) => {
      const { links } = cluster.simulation.network
      links.addRule(({ carries }) => (carries === 'packet' ? 'pass' : 'drop'))
      links.setDefault({ lossRatio: 0.2 })
      for (const name of ['m-2', 'm-9', 'm-17']) {
        cluster
          .member(name)
          .setTags({ by: name })
          .catch(() => {})
        await mostKnow(cluster, name, 'by', name)
      }
    }),
}

const newest: Check = {
  name: 'ML-42: of what is said of a member in a row the newest stands everywhere',
  seeds: THREE,
  play: (seed) =>
    onCluster(20, { seed, options: { pushPullIntervalMs: 0 } }, async (cluster) => {
      for (const name of ['m-2', 'm-5', 'm-11']) {
        for (let turn = 1; turn <= 3; turn++) {
          cluster
            .member(name)
            .setTags({ turn: String(turn) })
            .catch(() => {})
          await cluster.run(30)
        }
        await mostKnow(cluster, name, 'turn', '3')
      }
    }),
}

const budget: Check = {
  name: 'ML-44: no packet is larger than maxPacketBytes, however much there is to say',
  seeds: THREE,
  play: async (seed) => {
    const cluster = new Cluster({
      seed,
      transcript: 'off',
      spreadMs: 0,
      // Lengths of all kinds, so that packets are filled to the last byte; unpacked, so that it shows.
      options: (name) => ({ compression: false, tags: { filler: 'x'.repeat((37 * Number(name.slice(2))) % 100) } }),
    })
    let longest = 0
    cluster.simulation.network.links.addRule(({ carries, bytes }) => {
      if (carries === 'packet') longest = Math.max(longest, bytes)
      return 'pass'
    })
    await beside('the cluster does not start', cluster.start(40))
    await beside('the cluster does not come to agree', cluster.settle())
    await beside('the cluster does not close', cluster.close())
    assert.ok(longest > 1_390, `the longest packet of ${longest} bytes is nearly full`)
    assert.ok(longest <= 1_400, `a packet of ${longest} bytes`)
  },
}

const rounds: Check = {
  name: 'everyone is asked once a round, in a new order each (SWIM §4.3)',
  seeds: THREE,
  play: async (seed) => {
    const cluster = new Cluster({ seed, transcript: 'packets' })
    await beside('the cluster does not start', cluster.start(6))
    await beside('the cluster does not come to agree', cluster.settle())
    await cluster.run(80_000)
    await beside('the cluster does not close', cluster.close())
    const lines = cluster.transcript.split('\n')
    const asked = lines.flatMap((line) => /^ *\d{5,}\.\d+ +m-2 +-> (m-\d): ping \d/.exec(line)?.[1] ?? [])
    assert.ok(asked.length > 60, `${asked.length} pings`)
    const others = ['m-1', 'm-3', 'm-4', 'm-5', 'm-6']
    // Wherever a round begins, ten pings in a row, of which two rounds may be cut off, hold each of the five.
    const missing = asked.flatMap((_, at) => {
      const some = asked.slice(at, at + 9)
      return some.length < 9 ? [] : others.filter((name) => !some.includes(name)).map((name) => `${name} after ${at}`)
    })
    assertNone(missing, 'nobody is left out')
    const orders = new Set<string>()
    const begins = asked.findIndex((_, at) => new Set(asked.slice(at, at + 5)).size === 5)
    for (let at = begins; at + 5 <= asked.length; at += 5) orders.add(asked.slice(at, at + 5).join(' '))
    assert.ok(orders.size >= 6, `${orders.size} orders in ${asked.length} pings`)
  },
}

const burst: Check = {
  name: 'what is said in exchanges alone reaches who is shut off from gossip',
  seeds: THREE,
  play: (seed) =>
    onCluster(5, { seed, options: { pushPullIntervalMs: 3_000 } }, async (cluster) => {
      for (const name of othersThan(cluster, 'm-5')) cluster.cut('m-5', name, { kind: 'packets' })
      cluster
        .member('m-2')
        .setTags({ role: 'new' })
        .catch(() => {})
      await cluster.until(() => hold(cluster, ['m-5'], 'm-2', ({ rawTags }) => rawTags.role === 'new'), {
        withinMs: 6_000,
        what: 'm-5 knows the tags of m-2',
      })
    }),
}

export const NEWS = { quiet, lossy, newest, budget, rounds, burst } as const satisfies Record<string, Check>
