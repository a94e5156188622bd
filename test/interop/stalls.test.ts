// A member whose process stood still, beside real agents: when it wakes it accuses nobody (the stall rule), and is soon alive everywhere
// again. Blocked by a busy loop, by a wait, by SIGSTOP, at the worst time: a ping has just left, its answer will not be read before late
// timers run. What an agent does after a SIGSTOP is noted beside it.
import assert from 'node:assert/strict'
import { interopTest } from './support/interop-test.ts'
import { LAN, LanCluster, type LanPeer, SPREAD_WITHIN_MS } from './support/lan-cluster.ts'
import type { NodeMember } from './support/node-member-client.ts'
import { monotonicMs } from './support/peer.ts'
import type { SerfAgent } from './support/serf-agent.ts'
import { detectionBoundMs } from './support/timing.ts'

/** A stall's own warning, and the streams that timed out meanwhile. */
const EXPECTED = ['stall', 'stream-invalid']

/** Who was called dead learns it from the packets that waited at its socket, or from its next exchange at the latest. */
const BACK_WITHIN_MS: number = LAN.pushPullIntervalMs + SPREAD_WITHIN_MS

/** What a member makes of its sleep it tells at the end of the probe that was running, or of one begun right after: at most two probe
 *  intervals, stretched by a health that a stall and two denials have spoilt. */
const TELLS_WITHIN_MS: number = 2 * LAN.probeIntervalMs * 4

interopTest(
  'ML-37: a Node member that stood still for 2, 5 and 30 s, and by SIGSTOP for 20 s, beside four Go agents accuses nobody when it wakes',
  async (stage) => {
    const cluster = await LanCluster.gather({
      title: 'stalled',
      kinds: ['go', 'go', 'go', 'go', 'node'],
      expects: EXPECTED,
    })
    try {
      const [node] = cluster.nodes as [NodeMember]
      for (const ms of [2_000, 5_000, 30_000]) {
        await stage.step(`its event loop was blocked for ${ms} ms`, async () => {
          const from = monotonicMs()
          const { to } = await node.block({ ms, how: 'busy', when: 'ping' })
          stage.note(`blocked ${ms} ms: ${await awake(cluster, [node], from, to)}`)
        })
      }
      await stage.step('it was stopped for 20000 ms', async () => {
        const from = monotonicMs()
        const { to } = await node.block({ ms: 20_000, how: 'stopped', when: 'ping' })
        stage.note(`stopped 20000 ms: ${await awake(cluster, [node], from, to)}`)
      })
      await stage.step('for comparison: an agent was stopped for 20000 ms', async () => {
        const [agent] = cluster.agents as [SerfAgent]
        const from = monotonicMs()
        agent.signal('SIGSTOP')
        await pause(20_000)
        agent.signal('SIGCONT')
        const to = monotonicMs()
        await cluster.untilOne('the stop of an agent', BACK_WITHIN_MS)
        const backMs = monotonicMs() - to
        await observe(to)
        const accused = cluster.told(to, 'suspect').filter(({ witness }) => witness === agent)
        const denied = cluster.denied(to).filter(({ accuser }) => accuser === agent.name)
        stage.note(
          `agent stopped 20000 ms: ${calledDead(cluster, [agent], from)}, one cluster ${(backMs / 1000).toFixed(1)} s after it woke; ` +
            `it suspected ${accused.map(({ name }) => name).join(', ') || 'nobody'}, and ${denied.map((one) => one.accused).join(', ') || 'nobody'} denied a word of its`,
        )
      })
    } finally {
      await cluster.stop()
    }
    assert.deepEqual(cluster.strangeLines(), [])
  },
  { withinMs: 280_000 },
)

interopTest(
  'ML-37: two Node members that stand still at once, or right after a ping has left, accuse nobody when they wake',
  async (stage) => {
    const cluster = await LanCluster.gather({
      title: 'two stalled',
      kinds: ['go', 'go', 'go', 'node', 'node'],
      expects: EXPECTED,
    })
    try {
      const nodes = cluster.nodes as [NodeMember, NodeMember]
      await stage.step('both for 10 s', async () => {
        const from = monotonicMs()
        const blocked = await Promise.all(nodes.map((node) => node.block({ ms: 10_000, how: 'idle', when: 'now' })))
        const to = Math.max(...blocked.map((one) => one.to))
        stage.note(`two blocked 10000 ms: ${await awake(cluster, nodes, from, to)}`)
      })
      // Within the direct part of the probe, within the indirect one, beyond its end, and beyond the next one's.
      for (const ms of [300, 700, 1_200, 2_200]) {
        await stage.step(`one right after its ping, for ${ms} ms`, async () => {
          const from = monotonicMs()
          const { to } = await nodes[0].block({ ms, how: 'idle', when: 'ping' })
          stage.note(`blocked after a ping ${ms} ms: ${await awake(cluster, [nodes[0]], from, to)}`)
        })
      }
      await stage.step('one that suspects an agent, which denies it while it cannot hear', async () => {
        stage.note(await sleepThroughDenial(cluster, nodes[0], cluster.agents[0] as SerfAgent))
      })
    } finally {
      await cluster.stop()
    }
    assert.deepEqual(cluster.strangeLines(), [])
  },
  { withinMs: 200_000 },
)

/** What must hold of members that slept from `from` to `to`; a text for the note. */
async function awake(cluster: LanCluster, sleepers: readonly NodeMember[], from: number, to: number): Promise<string> {
  await cluster.untilOne('the stall', BACK_WITHIN_MS)
  const backMs = Math.max(0, monotonicMs() - to)
  await observe(to)
  const names = new Set(sleepers.map(({ name }) => name))
  const told = cluster.told(from, 'suspect', 'dead')
  const byThem = told.filter(({ witness, name }) => names.has(witness.name) && !names.has(name))
  const healthy = told.filter(({ type, name }) => type === 'dead' && !names.has(name))
  const denied = cluster.denied(from).filter(({ accuser }) => names.has(accuser))
  const dump = async (): Promise<string> => `woke at ${to.toFixed(0)}\n${await cluster.dump()}`
  assert.deepEqual(
    byThem.map(({ type, name }) => `${type} ${name}`),
    [],
    await dump(),
  )
  assert.deepEqual(denied, [], `an agent denied what a sleeper said\n${await dump()}`)
  assert.deepEqual(
    healthy.map(({ witness, name }) => `${witness.name} ${name}`),
    [],
    await dump(),
  )
  return `accused nobody, ${calledDead(cluster, sleepers, from)}, one cluster within ${(backMs / 1000).toFixed(1)} s of the waking`
}

/** The sleeper has reason to suspect the agent when it falls asleep, sleeps longer than any suspicion, and must not call it dead for what
 *  it finds unread when it wakes. */
async function sleepThroughDenial(cluster: LanCluster, sleeper: NodeMember, agent: SerfAgent): Promise<string> {
  const from = monotonicMs()
  const said = (type: 'suspect' | 'dead'): boolean =>
    cluster.told(from, type).some(({ witness, name }) => witness === sleeper && name === agent.name)
  agent.signal('SIGSTOP')
  const suspects = (): string | undefined => (said('suspect') ? undefined : 'it does not')
  await cluster.until(`${sleeper.name} suspects ${agent.name}`, detectionBoundMs('lan', 5), suspects)
  const asleep = sleeper.block({ ms: LAN.maxSuspicionMs + LAN.probeIntervalMs, how: 'idle', when: 'now' })
  await pause(LAN.probeIntervalMs / 2)
  agent.signal('SIGCONT')
  await cluster.until(`${agent.name} denies it`, LAN.pushPullIntervalMs, () =>
    cluster.denied(from).some(({ accused }) => accused === agent.name) ? undefined : 'it does not',
  )
  const { to } = await asleep
  await cluster.untilOne('the denial', BACK_WITHIN_MS)
  const backMs = Math.max(0, monotonicMs() - to)
  await observe(to)
  assert.ok(!said('dead'), `${sleeper.name} called ${agent.name} dead\n${await cluster.dump()}`)
  return `asleep when its suspicion was denied: called nobody dead, one cluster within ${(backMs / 1000).toFixed(1)} s of the waking`
}

/** Time for what a member may still make of its sleep. */
async function observe(since: number): Promise<void> {
  await pause(Math.max(0, since + TELLS_WITHIN_MS - monotonicMs()))
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}

function calledDead(cluster: LanCluster, sleepers: readonly LanPeer[], from: number): string {
  const dead = cluster.told(from, 'dead').filter(({ name }) => sleepers.some((one) => one.name === name))
  return `called dead by ${new Set(dead.map(({ witness }) => witness)).size} members meanwhile`
}
