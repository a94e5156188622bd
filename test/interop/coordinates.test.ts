// Coordinates beside Go: members of both kinds behind relays that delay packets by 10 and 40 ms. What Serf's own `serf rtt` says of round
// trips to and from Node members must be what it says of Go members behind the same relays; and what Node says must be the same.
import assert from 'node:assert/strict'
import { goMissing } from './support/go-build.ts'
import type { GoPeer } from './support/go-peer.ts'
import { interopTest } from './support/interop-test.ts'
import type { NodeMember } from './support/node-member-client.ts'
import type { Peer, Program } from './support/peer.ts'
import { holdPort } from './support/ports.ts'
import { Relay } from './support/relay.ts'
import { judge } from './support/scenario-test.ts'
import type { SerfAgent } from './support/serf-agent.ts'
import type { Stage } from './support/stage.ts'

const DELAYS_MS = [10, 40] as const
/** Each member probes each other one about every 5 s. */
const CONVERGED_AFTER_MS = 150_000
/** Of what is said of Go. */
const WITHIN_SHARE = 0.2

interface Seat {
  readonly peer: Peer
  readonly relay: Relay
}

interface Cast {
  /** By delay: an agent, another Go member, a Node member. */
  readonly agents: Record<number, SerfAgent>
  readonly go: Record<number, GoPeer>
  readonly node: Record<number, NodeMember>
  readonly relays: readonly Relay[]
}

interopTest(
  'serf rtt says of Node members behind relays what it says of Go members behind the same ones, and so does Node',
  async (stage) => {
    const cast = await behindRelays(stage)
    try {
      await stage.step('all meet through the relays', () => allMeet(stage))
      await new Promise((resolve) => setTimeout(resolve, CONVERGED_AFTER_MS))
      await stage.step('Go members know how far they are from each other', () => goKnows(stage, cast))
      await stage.step('the relays delay by what they say', async () => honest(stage, cast.relays))
      await stage.step('serf rtt, on agents, to and between Node members', () => serfRtt(stage, cast))
      await stage.step('membership.rtt', () => ourRtt(stage, cast))
      await stage.step('a ping on request', () => pings(stage, cast))
      await judge(stage, 'coordinates')
    } finally {
      for (const relay of cast.relays) relay.close()
    }
  },
  { withinMs: 235_000, lacks: async () => goMissing() },
)

async function behindRelays(stage: Stage): Promise<Cast> {
  const relays: Relay[] = []
  const seat = async (program: Program, delayMs: number): Promise<Seat> => {
    const held = await holdPort('127.0.0.1')
    const relay = await Relay.open(delayMs, held.port)
    relays.push(relay)
    await held.release()
    const { port } = held
    const name = `${program}-${delayMs}`
    const peer = await stage.start(program, { name, profile: 'lan', port, advertise: relay.address })
    return { peer, relay }
  }
  const cast: Cast = { agents: {}, go: {}, node: {}, relays }
  for (const delayMs of DELAYS_MS) {
    cast.agents[delayMs] = (await seat('agent', delayMs)).peer as SerfAgent
    cast.go[delayMs] = (await seat('serf', delayMs)).peer as GoPeer
    cast.node[delayMs] = (await seat('node', delayMs)).peer as NodeMember
  }
  return cast
}

async function allMeet(stage: Stage): Promise<void> {
  const [first, ...others] = stage.peers
  for (const peer of others) await peer.join([first?.address ?? ''])
  await stage.until('all see all', 30_000, async () => {
    for (const peer of stage.peers) {
      const alive = [...(await peer.view()).values()].filter(({ state }) => state === 'alive')
      if (alive.length !== stage.peers.length) return `${peer.name} sees ${alive.length}`
    }
    return undefined
  })
}

/** What Go says of Go is what we are compared with. On a busy machine it takes longer to be anywhere near the truth. */
async function goKnows(stage: Stage, { agents, go }: Cast): Promise<void> {
  await stage.until('Go is near the truth', 45_000, async () => {
    for (const from of DELAYS_MS) {
      for (const to of DELAYS_MS) {
        const agent = agents[from] as SerfAgent
        const said = await agent.rtt(agent.name, (go[to] as GoPeer).name)
        if (!isNear(said, from + to)) return `${agent.name} to ${to} ms: ${said} ms`
      }
    }
    return undefined
  })
}

async function honest(stage: Stage, relays: readonly Relay[]): Promise<void> {
  for (const relay of relays) {
    const { packets, meanMs, mostMs } = relay.report()
    stage.note(
      `${relay.delayMs} ms: ${packets} packets, held ${meanMs.toFixed(2)} ms on average, ${mostMs.toFixed(1)} at most`,
    )
    assert.ok(packets > 100)
    assert.ok(meanMs >= relay.delayMs - 1 && meanMs < relay.delayMs + 5, `${meanMs} ms`)
  }
}

/** What an agent says of pairs with a Node member in them, beside what it says of the pairs with a Go member in its place. */
async function serfRtt(stage: Stage, { agents, go, node }: Cast): Promise<void> {
  for (const from of DELAYS_MS) {
    const agent = agents[from] as SerfAgent
    for (const to of DELAYS_MS) {
      const ofGo = await agent.rtt(agent.name, (go[to] as GoPeer).name)
      const ofNode = await agent.rtt(agent.name, (node[to] as NodeMember).name)
      assertAlike(stage, `${agent.name} to ${to} ms`, ofNode, ofGo, from + to)
    }
    // Between two that are not the agent.
    const ofGo = await agent.rtt((go[10] as GoPeer).name, (go[40] as GoPeer).name)
    for (const [one, other] of [
      [node[10], go[40]],
      [go[10], node[40]],
      [node[10], node[40]],
    ] as [Peer, Peer][]) {
      assertAlike(
        stage,
        `${agent.name} of ${one.name} to ${other.name}`,
        await agent.rtt(one.name, other.name),
        ofGo,
        50,
      )
    }
  }
}

async function ourRtt(stage: Stage, { agents, go, node }: Cast): Promise<void> {
  const agent = agents[10] as SerfAgent
  for (const from of DELAYS_MS) {
    for (const to of DELAYS_MS) {
      const [one, other] = [node[from] as NodeMember, go[to] as GoPeer]
      const theirs = await agent.rtt((from === 10 ? agent : (agents[40] as SerfAgent)).name, other.name)
      assertAlike(stage, `${one.name} of itself to ${other.name}`, await one.rtt(other.name), theirs, from + to)
    }
  }
  const between = await (node[10] as NodeMember).rtt((go[10] as GoPeer).name, (go[40] as GoPeer).name)
  assertAlike(stage, 'node-10 of two Go members', between, await agent.rtt('serf-10', 'serf-40'), 50)
}

/** Node and Go ping the same members: the fastest of three, since this machine does much else. */
async function pings(stage: Stage, { go, node }: Cast): Promise<void> {
  for (const to of DELAYS_MS) {
    const target = go[to] as GoPeer
    const ours = await fastest(() => (node[40] as NodeMember).ping(target.name))
    const theirs = await fastest(() => (go[to === 10 ? 40 : 10] as GoPeer).ping(target.name, target.address))
    stage.note(`ping of ${target.name}: Node ${ours.toFixed(1)} ms, Go behind the other relay ${theirs.toFixed(1)} ms`)
    const asked = 40 + to
    assert.ok(ours >= asked - 1 && ours < asked * 1.3, `${ours} ms, the relays delay by ${asked}`)
    const ofNode = await fastest(() =>
      (go[40] as GoPeer).ping((node[to] as NodeMember).name, (node[to] as NodeMember).address),
    )
    assert.ok(ofNode >= asked - 1 && ofNode < asked * 1.3, `${ofNode} ms, the relays delay by ${asked}`)
    assert.ok(Math.abs(ofNode - ours) < 0.2 * asked)
  }
}

async function fastest(ping: () => Promise<number>): Promise<number> {
  return Math.min(await ping(), await ping(), await ping())
}

/** @param trueMs what the relays of both sides delay by */
function assertAlike(stage: Stage, what: string, ofNode: number, ofGo: number, trueMs: number): void {
  const off = Math.abs(ofNode - ofGo) / ofGo
  stage.note(`${what}: ${ofNode.toFixed(1)} ms, in Go's case ${ofGo.toFixed(1)} ms, the relays delay by ${trueMs}`)
  assert.ok(off <= WITHIN_SHARE, `${what}: ${ofNode} ms, of Go ${ofGo} ms`)
  // Both could be wrong alike.
  assert.ok(isNear(ofNode, trueMs), `${what}: ${ofNode} ms, the relays delay by ${trueMs}`)
}

function isNear(saidMs: number, trueMs: number): boolean {
  return saidMs > 0.7 * trueMs && saidMs < 1.5 * trueMs + 5
}
