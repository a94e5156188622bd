// A plain cluster of real agents and Node processes at `lan`, for plays in which members suspect each other and are wrong at times.
// Reads who calls whom dead from what the members tell (events, log lines), which costs nothing; asks for views only at the end.
// Judges that processes live, and what agents log; a network of namespaces is netns-cluster.ts.
import type { Place } from './netns.ts'
import { NodeMember } from './node-member-client.ts'
import { type Happening, type Kind, type Peer, type State, until } from './peer.ts'
import { SerfAgent } from './serf-agent.ts'
import { strange } from './trouble.ts'

/** memberlist's and Serf's numbers at `lan` for up to ten members (serf-behaviour §1, §6.2, §20). */
export const LAN = {
  probeIntervalMs: 1_000,
  maxSuspicionMs: 24_000,
  gossipToTheDeadMs: 30_000,
  pushPullIntervalMs: 30_000,
  reconnectIntervalMs: 30_000,
  streamTimeoutMs: 10_000,
} as const

/** Gossip's own time to reach six members, with all that a busy machine may add. */
export const SPREAD_WITHIN_MS = 5_000

export type LanPeer = SerfAgent | NodeMember

export interface LanClusterOptions {
  /** Names it in notes and failures. */
  readonly title: string
  /** The first is everyone's seed. */
  readonly kinds: readonly Kind[]
  /** Codes of warnings that Node members may tell. Default: none. */
  readonly expects?: readonly string[]
  /** Where each runs. Default: all on loopback. */
  readonly places?: readonly Place[]
}

/** One thing a member told. */
export interface Told {
  readonly at: number
  readonly type: Happening['type']
  readonly witness: LanPeer
  readonly name: string
}

export class LanCluster {
  readonly title: string
  readonly peers: readonly LanPeer[]

  protected constructor(title: string, peers: readonly LanPeer[]) {
    this.title = title
    this.peers = peers
  }

  /** Resolves when everyone sees everyone alive. Leaves no process behind when it rejects. */
  static async gather(options: LanClusterOptions): Promise<LanCluster> {
    const peers: LanPeer[] = []
    try {
      peers[0] = await enter(options, 0)
      const seed = peers[0].address
      const entered = options.kinds.slice(1).map(async (_, index) => {
        peers[index + 1] = await enter(options, index + 1, seed)
      })
      await all(entered)
      const cluster = new LanCluster(options.title, peers)
      await cluster.untilOne('the start', 2 * LAN.pushPullIntervalMs + SPREAD_WITHIN_MS)
      return cluster
    } catch (error) {
      await Promise.all(peers.map((peer) => peer?.stop()))
      throw error
    }
  }

  get agents(): SerfAgent[] {
    return this.peers.filter((peer): peer is SerfAgent => peer instanceof SerfAgent)
  }

  get nodes(): NodeMember[] {
    return this.peers.filter((peer): peer is NodeMember => peer instanceof NodeMember)
  }

  at(...indices: readonly number[]): LanPeer[] {
    return indices.map((index) => {
      const peer = this.peers[index]
      if (peer === undefined) throw new Error(`${this.title} has no member ${index}`)
      return peer
    })
  }

  others(...those: readonly LanPeer[]): LanPeer[] {
    return this.peers.filter((peer) => !those.includes(peer))
  }

  /** Waits for a condition. Shows everyone when it does not come in time, or a process ended by itself or told what it should not. */
  async until(
    what: string,
    withinMs: number,
    missing: () => Promise<string | undefined> | string | undefined,
  ): Promise<void> {
    const fallen = (): string | undefined => this.peers.map((peer) => peer.failure).find((one) => one !== undefined)
    try {
      await until(`${this.title}: ${what}`, withinMs, () => (fallen() === undefined ? missing() : undefined))
      const reason = fallen()
      if (reason !== undefined) throw new Error(reason)
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${await this.dump()}`)
    }
  }

  /** Waits until each sees all as alive. */
  async untilOne(after: string, withinMs: number): Promise<void> {
    await this.until(`one cluster after ${after}`, withinMs, async () => {
      const doubt = toldOtherwise(this.peers)
      if (doubt !== undefined) return doubt
      const views = await Promise.all(this.peers.map((peer) => peer.view()))
      const seen = views.flatMap((view, index) =>
        this.peers.map(({ name }) => ({ witness: this.peers[index], name, state: view.get(name)?.state ?? 'unknown' })),
      )
      const wrong = seen.find(({ state }) => state !== 'alive')
      return wrong && `${wrong.witness?.name} sees ${wrong.name} as ${wrong.state}`
    })
  }

  /** Waits until every one of `witnesses` has called every one of `victims` dead, and not taken it back. */
  async untilDead(witnesses: readonly LanPeer[], victims: readonly LanPeer[], withinMs: number): Promise<void> {
    await this.until('dead to the others', withinMs, () => {
      const pair = pairs(witnesses, victims).find(([witness, victim]) => verdict(witness, victim.name) !== 'dead')
      return pair && `${pair[0].name} has not called ${pair[1].name} dead`
    })
  }

  /** What members told from `since` on, of these types. */
  told(since: number, ...types: readonly Happening['type'][]): Told[] {
    return this.peers.flatMap((witness) =>
      witness.history
        .filter(({ at, type }) => types.includes(type) && at >= since)
        .map(({ at, type, name }) => ({ at, type, witness, name })),
    )
  }

  /** Accusations from `since` on that reached an agent which they were about, by the accuser's name. Only agents tell that. */
  denied(since: number): { readonly accuser: string; readonly accused: string }[] {
    return this.agents.flatMap((agent) =>
      agent.log
        .filter(({ at }) => at >= since)
        .map(({ text }) => REFUTING.exec(text)?.[1])
        .filter((accuser) => accuser !== undefined)
        .map((accuser) => ({ accuser, accused: agent.name })),
    )
  }

  /** Warnings and errors of agents that trouble does not explain. For clusters of agents alone too, or the list would be a guess. */
  strangeLines(): string[] {
    const names = this.peers.map(({ name }) => name)
    return this.agents.flatMap(({ name, log }) => strange(log, names).map((line) => `${this.title}: ${name}: ${line}`))
  }

  /** Everyone's view, history and last lines. */
  async dump(): Promise<string> {
    const parts = await Promise.all(
      this.peers.map(async (peer) => {
        const view = await peer.view().catch((error: Error) => error)
        const seen = view instanceof Error ? view.message : [...view].map(([name, { state }]) => `${name} ${state}`)
        return `--- ${this.title}: ${peer.name} ${peer.address} sees ${seen}\n${peer.tail()}`
      }),
    )
    return parts.join('\n')
  }

  /** Idempotent, never rejects. Agents first and at once, so that no log tells of the others' end. */
  async stop(): Promise<void> {
    await Promise.all(this.agents.map((agent) => agent.stop()))
    await Promise.all(this.nodes.map((node) => node.stop()))
  }
}

const REFUTING = /^memberlist: Refuting a (?:suspect|dead) message \(from: (\S+)\)/

/** Each of the one with each of the other, but none with itself. */
export function pairs<Left, Right>(left: readonly Left[], right: readonly Right[]): (readonly [Left, Right])[] {
  return left
    .flatMap((one) => right.map((other) => [one, other] as const))
    .filter(([one, other]) => one !== (other as unknown))
}

function enter({ kinds, expects, places }: LanClusterOptions, index: number, seed?: string): Promise<LanPeer> {
  const kind = kinds[index] ?? 'go'
  const options = {
    name: `${kind}-${index}`,
    profile: 'lan',
    ...(places?.[index] === undefined ? {} : { ...places[index], port: 7946 }),
    ...(seed === undefined ? {} : { join: [seed] }),
  } as const
  return kind === 'go' ? SerfAgent.start(options) : NodeMember.start({ ...options, expects: expects ?? [] })
}

/** Waits for all, also when one fails; then rejects like the first that did: no failure ends what another still plays with. */
export async function all(doings: readonly Promise<void>[]): Promise<void> {
  const ends = await Promise.allSettled(doings)
  const refused = ends.find((end) => end.status === 'rejected')
  if (refused !== undefined) throw refused.reason
}

function toldOtherwise(peers: readonly LanPeer[]): string | undefined {
  for (const [witness, about] of pairs(peers, peers)) {
    const last = verdict(witness, about.name)
    if (last !== undefined && last !== 'alive') return `${witness.name} calls ${about.name} ${last}`
  }
  return undefined
}

/** What a witness told last of a name; `undefined` where it told nothing yet. An agent tells no end of a suspicion. */
function verdict(witness: Peer, name: string): State | undefined {
  const last = witness.history.findLast(
    (one) => one.name === name && one.type !== 'update' && (witness.kind === 'node' || one.type !== 'suspect'),
  )
  switch (last?.type) {
    case 'join':
    case 'recover':
      return 'alive'
    case 'suspect':
    case 'dead':
    case 'leaving':
    case 'left':
      return last.type
    default:
      return undefined
  }
}
