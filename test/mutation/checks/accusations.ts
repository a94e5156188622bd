// Accusations, denials and verdicts: who is called dead, by whom, on whose word, and how long that takes (SWIM §3, §4; Lifeguard §IV).
import assert from 'node:assert/strict'
import type { Cluster } from '../../../src/sim/cluster.ts'
import { allKnowWithinMs, neverLaterThanMs, suspicionMinMs } from '../../sim/support/bounds.ts'
import {
  assertNone,
  assertNoneTold,
  beside,
  type Check,
  exceptOf,
  hold,
  onCluster,
  othersThan,
  THREE,
  told,
  watchIncarnations,
  wordsOf,
} from '../check.ts'

const VICTIM = 'm-3'
const PAIRS = [
  ['m-1', 'm-2'],
  ['m-2', 'm-1'],
] as const

const crash: Check = {
  name: 'a crash is known to all in time and not too soon, and nobody else is judged',
  seeds: THREE,
  play: (seed) =>
    onCluster(12, { seed }, async (cluster) => {
      const crashedAt = cluster.now
      cluster.crash(VICTIM)
      await cluster.until(() => hold(cluster, cluster.names, VICTIM, ({ state }) => state === 'dead'), {
        withinMs: allKnowWithinMs(12),
        what: 'all know of the crash',
      })
      await cluster.run(10_000)
      const verdicts = told(cluster, ['member-dead'])
      assertNone(wordsOf(verdicts.filter(({ about }) => about !== VICTIM)), 'nobody else is declared dead')
      assert.equal(verdicts.length, 11, 'each is told it once')
      const firstMs = Math.min(...verdicts.map(({ atMs }) => atMs)) - crashedAt
      assert.ok(firstMs >= suspicionMinMs(12), `declared dead ${firstMs.toFixed(0)} ms after the crash`)
      assertNoneTold(cluster, ['member-recover', 'member-join'], 'nobody comes back', crashedAt)
    }),
}

const nacks: Check = {
  name: 'ML-31: a member whose helpers do not hear it either is dead, and its accusers are in good health',
  seeds: THREE,
  // So short that the helpers' nacks are back before the verdict.
  play: (seed) =>
    onCluster(6, { seed, options: { probeTimeoutMs: 200 } }, async (cluster) => {
      cluster.crash(VICTIM)
      let worst = 0
      const isKnown = (): boolean => {
        for (const name of cluster.names) worst = Math.max(worst, cluster.member(name).health)
        return hold(cluster, cluster.names, VICTIM, ({ state }) => state === 'dead')
      }
      await cluster.until(isKnown, { withinMs: allKnowWithinMs(6), what: 'all know of the crash' })
      assert.equal(worst, 0, 'nobody counts it against itself')
    }),
}

const foreignAcks: Check = {
  name: 'a crash is known though other members answer all the while',
  seeds: THREE,
  play: (seed) =>
    onCluster(3, { seed }, async (cluster) => {
      cluster.crash(VICTIM)
      const until = cluster.now + neverLaterThanMs(3)
      const isDead = (): boolean => hold(cluster, ['m-1'], VICTIM, ({ state }) => state === 'dead')
      while (!isDead() && cluster.now < until) {
        // Both accusers, or each would hear it of the other.
        for (const [from, to] of PAIRS) {
          cluster
            .member(from)
            .ping(to)
            .catch(() => {})
        }
        await cluster.run(100)
      }
      assert.ok(isDead(), 'm-1 finds out')
    }),
}

const throughOthers: Check = {
  name: 'ML-22: two members that reach each other through others alone accuse nobody',
  seeds: THREE,
  play: (seed) =>
    onCluster(5, { seed }, async (cluster) => {
      const { now } = cluster
      cluster.cut('m-1', 'm-2')
      await cluster.run(60_000)
      assertNoneTold(cluster, ['member-suspect', 'member-dead'], 'nobody is accused', now)
    }),
}

const denial: Check = {
  name: 'who is accused and lives denies with a higher number, and all take it back',
  seeds: THREE,
  play: (seed) =>
    onCluster(5, { seed, options: { pushPullIntervalMs: 0 } }, async (cluster) => {
      const wrong = watchIncarnations(cluster)
      const accused = cluster.member(VICTIM)
      const before = accused.local.incarnation
      const others = othersThan(cluster, VICTIM)
      const { now } = cluster
      // Long enough for one accuser, too short for a verdict.
      cluster.partition([[VICTIM], others])
      const isAccused = (): boolean => others.some((name) => cluster.member(name).member(VICTIM)?.state === 'suspect')
      await cluster.until(isAccused, { what: `${VICTIM} is accused` })
      cluster.heal()
      await cluster.run(4_000)
      assert.equal(accused.local.state, 'alive', 'it itself knows that it lives')
      await cluster.until(() => others.every((name) => cluster.member(name).member(VICTIM)?.state === 'alive'), {
        withinMs: 2_000,
        what: `all hold ${VICTIM} alive again`,
      })
      assert.ok(accused.local.incarnation > before, 'its number is higher')
      assert.ok(
        hold(cluster, others, VICTIM, ({ incarnation }) => incarnation > before),
        'all know it by that',
      )
      await cluster.run(40_000)
      assertNoneTold(cluster, ['member-dead'], 'nobody is declared dead', now)
      assertNone(wrong, 'numbers rise')
    }),
}

const denialToAll: Check = {
  name: 'a denial reaches those too who have heard of the accusation alone, and never ask the accused',
  seeds: THREE,
  play: (seed) => {
    const common = { pushPullIntervalMs: 0, retransmitMult: 10 }
    const asker = { ...common, probeIntervalMs: 1_000 }
    const options = exceptOf('m-1', asker, { ...common, probeIntervalMs: 600_000 })
    return onCluster(6, { seed, options }, async (cluster) => {
      const { links } = cluster.simulation.network
      const accused = cluster.member(VICTIM)
      const before = accused.local.incarnation
      const others = othersThan(cluster, VICTIM).filter((name) => name !== 'm-1')
      const hearsay = (): boolean => hold(cluster, others, VICTIM, ({ state }) => state === 'suspect')
      cluster.partition([[VICTIM], othersThan(cluster, VICTIM)])
      await cluster.until(hearsay, { what: `all have heard that ${VICTIM} is accused` })
      // Its accuser asks it again, and tells it so, but does not hear it; the others hear it, and say nothing to it.
      links.heal('m-1', VICTIM)
      for (const name of others) links.heal(VICTIM, name)
      const denies = (): boolean => accused.local.incarnation > before
      await cluster.until(denies, { withinMs: 20_000, everyMs: 1, what: `${VICTIM} is told that it is accused` })
      assert.ok(hearsay(), 'nobody has heard the denial yet')
      cluster.crash('m-1')
      await cluster.run(4_000)
      assert.ok(
        hold(cluster, others, VICTIM, ({ state, incarnation }) => state === 'alive' && incarnation > before),
        'all hold it alive again',
      )
    })
  },
}

/** It has streams alone, and none to the victim: what it believes is told in exchanges, and comes late. */
const SHUT_IN = 'm-5'

const oldNews: Check = {
  name: 'what one member alone believes is hearsay to all others, and what is old changes nothing',
  seeds: THREE,
  play: (seed) => {
    const options = exceptOf(SHUT_IN, { pushPullIntervalMs: 1_500 })
    return onCluster(6, { seed, options }, async (cluster) => {
      const wrong = watchIncarnations(cluster)
      const { now } = cluster
      for (const name of othersThan(cluster, SHUT_IN)) {
        cluster.cut(SHUT_IN, name, name === VICTIM ? {} : { kind: 'packets' })
      }
      await cluster.run(90_000)
      assertNone(wrong, 'numbers rise')
      const about = told(cluster, ['member-suspect', 'member-dead'], now).filter((event) => event.about === VICTIM)
      const verdicts = about.filter(({ observer, type }) => observer !== SHUT_IN && type === 'member-dead')
      assertNone(wordsOf(verdicts), 'nobody else is convinced')
      assert.ok(
        about.some(({ observer }) => observer !== SHUT_IN),
        'it accuses, and is heard',
      )
    })
  },
}

const stale: Check = {
  name: 'who still holds the dead for alive brings nobody back',
  seeds: THREE,
  play: (seed) => {
    const options = exceptOf(SHUT_IN, { probeIntervalMs: 600_000, pushPullIntervalMs: 6_000 })
    return onCluster(6, { seed, options }, async (cluster) => {
      const wrong = watchIncarnations(cluster)
      const { now } = cluster
      for (const name of othersThan(cluster, SHUT_IN)) cluster.cut(SHUT_IN, name, { kind: 'packets' })
      cluster.crash(VICTIM)
      const others = othersThan(cluster, SHUT_IN)
      const rows = cluster.simulation.network.links
      for (const name of others) rows.cut(SHUT_IN, name)
      await cluster.until(() => hold(cluster, others, VICTIM, ({ state }) => state === 'dead'), {
        withinMs: allKnowWithinMs(6),
        what: 'all others know of the crash',
      })
      cluster.heal()
      await cluster.run(20_000)
      const back = told(cluster, ['member-join', 'member-recover'], now).filter(({ about }) => about === VICTIM)
      assertNone(wordsOf(back), 'the dead stay dead')
      assertNone(wrong, 'numbers rise')
    })
  },
}

const lone: Check = {
  name: 'ML-33, ML-34: a lone accuser waits the longest, however often it accuses',
  seeds: THREE,
  play: (seed) => {
    const options = exceptOf('m-1', { probeIntervalMs: 1_000 }, { probeIntervalMs: 600_000, pushPullIntervalMs: 0 })
    return onCluster(6, { seed, options }, async (cluster) => {
      cluster.crash(VICTIM)
      await cluster.run(60_000)
      const [accused, dead, ...more] = told(cluster, ['member-suspect', 'member-dead']).filter(
        ({ observer, about }) => observer === 'm-1' && about === VICTIM,
      )
      assert.ok(accused !== undefined && dead !== undefined && more.length === 0, 'it is accused and judged')
      const [tookMs, longestMs] = [dead.atMs - accused.atMs, 6 * suspicionMinMs(6)]
      assert.ok(Math.abs(tookMs - longestMs) < 50, `suspect for ${tookMs.toFixed(0)} ms of ${longestMs}`)
    })
  },
}

const agreed: Check = {
  name: 'ML-33: once enough have accused the suspicion is over when the shortest time is',
  seeds: THREE,
  play: (seed) =>
    onCluster(20, { seed }, async (cluster) => {
      cluster.crash(VICTIM)
      await cluster.run(allKnowWithinMs(20))
      for (const observer of cluster.names) {
        const about = told(cluster, ['member-suspect', 'member-dead']).filter((event) => event.observer === observer)
        const [accused, dead] = [about[0], about[1]]
        assert.ok(accused !== undefined && dead !== undefined, `${observer} accuses and judges`)
        const tookMs = dead.atMs - accused.atMs
        assert.ok(tookMs < 2 * suspicionMinMs(20), `${observer} waits ${tookMs.toFixed(0)} ms`)
      }
    }),
}

const hearsay: Check = {
  name: 'of two halves that meet again nobody believes the other about those at its own side',
  seeds: THREE,
  play: (seed) =>
    onCluster(6, { seed, options: { reconnectIntervalMs: 3_000 } }, async (cluster) => {
      const wrong = watchIncarnations(cluster)
      const { now } = cluster
      const halves = [
        ['m-1', 'm-2', 'm-3'],
        ['m-4', 'm-5', 'm-6'],
      ] as const
      cluster.partition(halves)
      await cluster.run(25_000) // long enough for verdicts, too short for anyone to be forgotten
      cluster.heal()
      await cluster.settle({ withinMs: 30_000 })
      await cluster.run(30_000)
      await cluster.settle({ withinMs: 0 })
      const own = told(cluster, ['member-dead'], now).filter(({ observer, about }) =>
        halves.some((half) => half.some((name) => name === observer) && half.some((name) => name === about)),
      )
      assertNone(wordsOf(own), 'nobody is declared dead at its own side')
      assertNone(wrong, 'numbers rise')
    }),
}

const wronglyDead: Check = {
  name: 'ML-45: who is declared dead and lives hears of it by gossip, and denies at once',
  seeds: THREE,
  play: (seed) => {
    // Gossip alone can tell it: no exchange, no reaching for the dead, no helper that still pings it. The verdict is told for three
    // seconds, not only in the two rounds after it is heard.
    const options = {
      pushPullIntervalMs: 0,
      reconnectIntervalMs: 3_600_000,
      indirectChecks: 0,
      retransmitMult: 40,
    }
    return onCluster(8, { seed, options }, async (cluster) => {
      const others = othersThan(cluster, VICTIM)
      cluster.partition([[VICTIM], others])
      // As long as one suspects it, that one pings it, and says so with the ping.
      const isDead = (): boolean => hold(cluster, others, VICTIM, ({ state }) => state === 'dead')
      await beside(`all declare ${VICTIM} dead`, cluster.until(isDead, { withinMs: neverLaterThanMs(8) }))
      const before = cluster.member(VICTIM).local.incarnation
      // It hears, and is not heard: whoever answered its pings would tell it with the answer.
      for (const name of others) cluster.simulation.network.links.heal(name, VICTIM)
      await cluster.until(() => cluster.member(VICTIM).local.incarnation > before, {
        withinMs: 1_000,
        what: `${VICTIM} denies`,
      })
    })
  },
}

const buddy: Check = {
  name: 'ML-24: a suspect hears of it with the next ping, though nobody gossips of it any more',
  seeds: THREE,
  play: (seed) =>
    onCluster(3, { seed, options: { pushPullIntervalMs: 0, suspicionMult: 20 } }, async (cluster) => {
      const others = othersThan(cluster, VICTIM)
      cluster.partition([[VICTIM], others])
      await cluster.until(() => hold(cluster, others, VICTIM, ({ state }) => state === 'suspect'), {
        what: `${VICTIM} is suspect`,
      })
      await cluster.run(2_500) // gossip has said it often enough
      cluster.heal()
      await cluster.until(() => hold(cluster, others, VICTIM, ({ state }) => state === 'alive'), {
        withinMs: 12_000,
        what: `${VICTIM} has denied`,
      })
    }),
}

const missedDenial: Check = {
  name: 'who missed a denial hears it again as soon as it accuses, and declares nobody dead that answers it',
  seeds: THREE,
  play: (seed) =>
    onCluster(3, { seed, options: { pushPullIntervalMs: 0 } }, async (cluster) => {
      cluster.pause('m-2')
      await cluster.until(() => hold(cluster, [VICTIM], 'm-2', ({ state }) => state === 'suspect'), {
        what: 'm-2 is suspect',
      })
      // m-2 denies, and has said so often enough while m-3 hears nothing.
      cluster.partition([[VICTIM], ['m-1', 'm-2']])
      cluster.resume('m-2')
      cluster.pause(VICTIM)
      await cluster.run(6_000)
      cluster.heal()
      cluster.resume(VICTIM)
      await cluster.until(() => hold(cluster, [VICTIM], 'm-2', ({ state }) => state === 'alive'), {
        withinMs: 4_000,
        what: 'm-2 lives to m-3 again',
      })
      const verdicts = told(cluster, ['member-dead']).filter(({ about }) => about === 'm-2')
      assertNone(wordsOf(verdicts), 'it is not declared dead')
    }),
}

const listed: Check = {
  name: 'an exchange tells of suspicions',
  seeds: THREE,
  play: (seed) => {
    const options = exceptOf(SHUT_IN, { probeIntervalMs: 600_000, pushPullIntervalMs: 200 }, { pushPullIntervalMs: 0 })
    return onCluster(5, { seed, options }, async (cluster) => {
      for (const name of othersThan(cluster, SHUT_IN)) cluster.cut(SHUT_IN, name, { kind: 'packets' })
      cluster.crash(VICTIM)
      const accusers = othersThan(cluster, SHUT_IN)
      await cluster.until(() => hold(cluster, accusers, VICTIM, ({ state }) => state === 'suspect'), {
        what: `${VICTIM} is suspect`,
      })
      await cluster.until(() => hold(cluster, [SHUT_IN], VICTIM, ({ state }) => state === 'suspect'), {
        withinMs: 2_500,
        what: `${SHUT_IN} has heard of it`,
      })
    })
  },
}

/** Until it has just sent a packet that answers none: a probe is under way. */
function untilItProbes(cluster: Cluster, name: string): Promise<void> {
  const { traffic } = cluster.host(name).station
  let [sent, heard] = [traffic.sent.packets, traffic.delivered.packets]
  let hasPinged = false
  const isProbing = (): boolean => {
    hasPinged ||= traffic.sent.packets - sent > traffic.delivered.packets - heard
    sent = traffic.sent.packets
    heard = traffic.delivered.packets
    return hasPinged
  }
  return cluster.until(isProbing, { everyMs: 0, what: `${name} probes` })
}

const stall: Check = {
  name: 'ML-37: who stands still accuses nobody when it goes on',
  seeds: THREE,
  play: (seed) =>
    onCluster(5, { seed }, async (cluster) => {
      const { now } = cluster
      for (const pauseMs of [2_000, 5_000, 20_000]) {
        await untilItProbes(cluster, VICTIM)
        cluster.pause(VICTIM)
        await cluster.run(pauseMs)
        cluster.resume(VICTIM)
        await cluster.run(15_000)
      }
      const wrong = told(cluster, ['member-suspect', 'member-dead'], now).filter(
        ({ observer, about }) => observer === VICTIM || about !== VICTIM,
      )
      assertNone(wordsOf(wrong), 'it accuses nobody, and nobody but it is accused')
    }),
}

const stalledJudge: Check = {
  name: 'ML-37: who stands still gives those that it suspects so much longer to deny',
  seeds: THREE,
  play: (seed) =>
    // So few that nobody can confirm: each suspicion lasts four seconds.
    onCluster(3, { seed }, async (cluster) => {
      cluster.pause('m-2')
      await cluster.until(() => hold(cluster, [VICTIM], 'm-2', ({ state }) => state === 'suspect'), {
        what: 'm-2 is suspect',
      })
      // The machine that all run on sleeps. Whoever wakes first must wait for who wakes last.
      for (const name of ['m-1', VICTIM]) cluster.pause(name)
      await cluster.run(6_000)
      for (const name of ['m-1', VICTIM]) cluster.resume(name)
      await cluster.run(10)
      cluster.resume('m-2')
      await cluster.run(30_000)
      assertNoneTold(cluster, ['member-dead'], 'nobody is declared dead')
    }),
}

const health: Check = {
  name: 'ML-30: local health is as bad as can be for who hears nobody, and good again when it hears',
  seeds: THREE,
  play: (seed) =>
    onCluster(5, { seed }, async (cluster) => {
      const alone = cluster.member(VICTIM)
      assert.equal(alone.health, 0, 'healthy at first')
      cluster.partition([[VICTIM], othersThan(cluster, VICTIM)])
      await cluster.run(60_000)
      assert.ok(alone.health >= 2, `health ${alone.health} after a minute alone`)
      cluster.heal()
      await cluster.run(90_000)
      assert.equal(alone.health, 0, 'healthy again')
    }),
}

export const ACCUSATIONS = {
  crash,
  nacks,
  foreignAcks,
  throughOthers,
  denial,
  denialToAll,
  oldNews,
  stale,
  lone,
  agreed,
  hearsay,
  wronglyDead,
  buddy,
  missedDenial,
  listed,
  stall,
  stalledJudge,
  health,
} as const satisfies Record<string, Check>
