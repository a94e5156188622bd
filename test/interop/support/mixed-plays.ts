// Ten members, five of them Go: three of Debian's old agents, two with the current Serf; and five of ours. One play, four times: `lan` and
// `local`, plain and encrypted. Played with Go alone when the allow-list is recorded. Every wait is for a condition, with a deadline that
// follows from the protocol's numbers.
import { randomBytes } from 'node:crypto'
import type { GoPeer } from './go-peer.ts'
import { NodeMember } from './node-member-client.ts'
import { monotonicMs, type Peer, type Program } from './peer.ts'
import type { Cast, Scenario } from './scenarios.ts'
import { SerfAgent } from './serf-agent.ts'
import type { LoggingPeer, Stage, StartOptions } from './stage.ts'
import { detectionBoundMs, spreadBoundMs, TIMING } from './timing.ts'
import { everyoneAgrees, everyoneElseTold, timeOf } from './views.ts'

/** The Go members stand at even places. */
export const TEN: readonly Program[] = [
  'agent',
  'node',
  'serf',
  'node',
  'agent',
  'node',
  'serf',
  'node',
  'agent',
  'node',
]

/** A query of an agent waits 16 gossip intervals for each power of ten of members (serf-behaviour A.6). */
const QUERY_MS = { lan: 6_400, local: 3_200 } as const

/** By then gossip has brought a prune to all that it will reach. */
const PRUNE_EVERY_MS = 3_000

export const MIXED_PLAYS: readonly Scenario[] = (['lan', 'local'] as const).flatMap((profile) =>
  [false, true].map((isEncrypted) => ({
    id: `mixed-${profile}${isEncrypted ? '-encrypted' : ''}`,
    title: `five Go and five Node members are one cluster, ${profile}, ${isEncrypted ? 'encrypted' : 'plain'}`,
    cast: TEN,
    understudies: ['serf', 'agent'],
    profile,
    isEncrypted,
    play,
  })),
)

async function play(stage: Stage, cast: Cast): Promise<void> {
  const own = new Play(stage, cast)
  await stage.step('all ten are alive in the list of each', () => own.gather())
  await stage.step('changes of tags cross both ways', () => own.changeTags())
  // Before intents pile up: behind those of others an agent's own leave comes late, and its goodbye early.
  await stage.step('a Go agent is replaced by Node under its name and address, and back, without a conflict', () =>
    own.replace(),
  )
  await stage.step('one that crashed is back at once as the other kind, without a conflict', () =>
    own.replaceTheCrashed(),
  )
  // At `local` what gossip misses waits for an exchange, which would hide it.
  if (cast.profile === 'lan') {
    await stage.step('changes of the tags of all reach all by gossip alone', () => own.changeAllTags())
  }
  await stage.step('a conflict about a name is told on both sides, and the holder keeps it', () => own.conflicts())
  await stage.step('a live member of either kind that is forced out denies it', () => own.forceOutTheLiving())
  await stage.step('one killed of each kind is dead everywhere within the bound', () => own.kill())
  await stage.step('the dead are forced out and erased by either kind', () => own.forceOutTheDead())
}

class Play {
  readonly #stage: Stage
  readonly #cast: Cast
  readonly #secretKey: string = randomBytes(32).toString('base64')
  readonly #spreadMs: number

  constructor(stage: Stage, cast: Cast) {
    this.#stage = stage
    this.#cast = cast
    this.#spreadMs = spreadBoundMs(cast.profile)
  }

  async gather(): Promise<void> {
    await Promise.all(
      this.#cast.cast.map((program, index) =>
        this.#stage.start(program, this.#options(this.#name(index), { kind: program, place: `${index}` })),
      ),
    )
    // Each to the one before it: Node to agent, Serf to Node, Node to Serf, agent to Node.
    for (let index = 1; index < this.#cast.cast.length; index++) {
      await this.#at(index).join([this.#at(index - 1).address])
    }
    const start = performance.now()
    // At `local` a broadcast is sent so few times that some news waits for an exchange; a member begins its first within two intervals.
    const withinMs = this.#cast.profile === 'lan' ? 5_000 : 2 * TIMING.local.pushPullIntervalMs
    await everyoneAgrees(this.#stage, 'ten alive', withinMs)
    this.#stage.note(`ten alive everywhere ${(performance.now() - start).toFixed(0)} ms after the last join`)
  }

  /** One of each program; one tag changes, one goes, one is new. */
  async changeTags(): Promise<void> {
    const changed = [0, 1, 2].map((index) => this.#at(index))
    await Promise.all(
      changed.map((peer) => peer.setTags({ kind: 'changed', role: 'log', 'new key': 'ünï = çode, and more' })),
    )
    // At `lan` gossip brings it to all; a change that waits for an exchange was told in vain.
    await everyoneAgrees(this.#stage, 'the new tags', this.#cast.profile === 'lan' ? 5_000 : this.#spreadMs)
    for (const peer of changed) await everyoneElseTold(this.#stage, 'update', peer)
  }

  /** Nothing older of them is in the air by now, against which whoever told it in vain would defend itself. */
  async changeAllTags(): Promise<void> {
    const since = monotonicMs()
    const changed = this.#stage.running
    await Promise.all(changed.map((peer) => peer.setTags({ kind: 'changed again', of: peer.name })))
    await everyoneAgrees(this.#stage, 'the new tags of all', 5_000)
    for (const peer of changed) await everyoneElseTold(this.#stage, 'update', peer, { since })
  }

  async conflicts(): Promise<void> {
    const { stranger } = this.#cast
    await this.#intrude(stranger, this.#at(0)) // an old agent is the holder
    await this.#intrude(stranger, this.#at(2)) // a current Serf is
    await this.#intrude('serf', this.#at(1)) // Node is
    await this.#intrude('agent', this.#at(3))
    await everyoneAgrees(this.#stage, 'the holders under their names', this.#spreadMs)
  }

  /** Someone claims the holder's name, and meets the holder itself first: each tells of the other. Then it asks the others who bears the
   *  name, and ends when they say: not you. */
  async #intrude(program: Program, holder: Peer): Promise<void> {
    const options = this.#options(holder.name, { role: 'intruder' })
    const expects = [...(options.expects ?? []), 'conflict-lost']
    const intruder = await this.#stage.intrude(program, { ...options, expects })
    const ended = endOfTheLoser(intruder, QUERY_MS[this.#cast.profile] + 10_000)
    await intruder.join([holder.address])
    for (const [who, peer] of Object.entries({ holder, intruder })) {
      await this.#stage.until(`the ${who} of ${holder.name} tells of the conflict`, 5_000, async () =>
        peer.conflictsAbout(holder.name) > 0 ? undefined : 'it has not',
      )
    }
    await ended
  }

  /** The accused denies the announcement of its leave with a join of its own. Whoever misses that hears of it in an exchange. */
  async forceOutTheLiving(): Promise<void> {
    for (const [by, about] of [
      [this.#at(0), this.#at(7)],
      [this.#at(1), this.#at(8)],
      [this.#at(2), this.#at(9)],
    ] as const) {
      const witnesses = this.#stage.agents.filter((peer) => peer.isRunning && peer !== about)
      const marks = witnesses.map(({ log }) => log.length)
      await by.forceLeave(about.name)
      await this.#stage.until(`Go members hear ${about.name} deny that it leaves`, this.#spreadMs, async () =>
        witnesses.some((witness, index) => heardDenial(witness, marks[index] ?? 0, about.name))
          ? undefined
          : 'none has',
      )
    }
    await everyoneAgrees(this.#stage, 'ten alive still', this.#spreadMs)
  }

  async kill(): Promise<void> {
    const { profile } = this.#cast
    const victims = [4, 5].map((index) => this.#at(index))
    const killedAt = await Promise.all(victims.map((peer) => this.#stage.kill(peer)))
    // Whoever came under the name of another stands in its place.
    const boundMs = detectionBoundMs(profile, new Set(this.#stage.peers.map(({ name }) => name)).size)
    await everyoneAgrees(this.#stage, 'the killed dead', boundMs)
    for (const [index, peer] of victims.entries()) {
      const since = killedAt[index] ?? 0
      await everyoneElseTold(this.#stage, 'dead', peer, { since })
      const seconds = this.#stage.running.map(
        (other) => ((timeOf(other, 'dead', peer, since) ?? Number.NaN) - since) / 1000,
      )
      this.#stage.note(
        `${peer.program} killed: dead after ${Math.min(...seconds).toFixed(1)} s, everywhere after ` +
          `${Math.max(...seconds).toFixed(1)} s, of ${boundMs / 1000} s allowed`,
      )
    }
  }

  async forceOutTheDead(): Promise<void> {
    const [deadAgent, deadNode] = [this.#at(4), this.#at(5)]
    await this.#forceOut(this.#at(3), deadAgent)
    await this.#forceOut(this.#at(0), deadNode)
    await this.#erase(this.#at(1), deadAgent)
    await this.#erase(this.#at(2), deadNode)
  }

  async #forceOut(by: Peer, about: Peer): Promise<void> {
    this.#stage.verdicts.set(about.name, 'left')
    await by.forceLeave(about.name)
    await everyoneAgrees(this.#stage, `${about.name} left`, this.#spreadMs)
    await everyoneElseTold(this.#stage, 'left', about)
  }

  /** No exchange repairs a prune that gossip did not bring to all: whoever asked for it asks again. */
  async #erase(by: Peer, about: Peer): Promise<void> {
    this.#stage.verdicts.set(about.name, 'erased')
    let askedAt = Number.NEGATIVE_INFINITY
    let asked = 0
    await everyoneAgrees(this.#stage, `${about.name} no more`, this.#spreadMs, async () => {
      if (performance.now() - askedAt < PRUNE_EVERY_MS) return
      askedAt = performance.now()
      asked++
      await by.forceLeave(about.name, { prune: true })
    })
    if (asked > 1) this.#stage.note(`${about.name} was erased everywhere after ${asked} requests`)
  }

  async replace(): Promise<void> {
    await this.#succeed(8, async (before) => {
      await before.leave()
      await everyoneAgrees(this.#stage, `${before.name} left`, this.#spreadMs)
    })
  }

  /** Nobody has noticed the crash: the others hold the name alive, at the address in the bytes in which it was told. Not the one that
   *  left: who was killed may be called dead, and no mishap of its leave would be seen. */
  async replaceTheCrashed(): Promise<void> {
    await this.#succeed(4, (before) => this.#stage.kill(before))
  }

  /** An agent is followed by Node under its name and address, and that by an agent. */
  async #succeed(index: number, end: (before: Peer) => Promise<unknown>): Promise<void> {
    const { name } = this.#at(index)
    const told = this.#stage.running.map((peer) => [peer, peer.conflictsAbout(name)] as const)
    for (const program of [this.#cast.stranger, 'agent'] as const) {
      const before = this.#at(index)
      const since = monotonicMs()
      await end(before)
      const port = Number(before.address.split(':').pop())
      const tags = { kind: program, life: `${this.#stage.peers.length}` }
      const after = await this.#stage.start(program, { ...this.#options(name, tags), port })
      await after.join([this.#at(0).address])
      if (after.address !== before.address) throw new Error(`${after.address} is not ${before.address}`)
      await everyoneAgrees(this.#stage, `${name} as ${program}`, this.#spreadMs)
      if (!this.#stage.killed.has(name)) await everyoneElseTold(this.#stage, 'join', after, { since })
      if (after.conflictsAbout(name) > 0) throw new Error(`${name} met a conflict as ${program}`)
    }
    const upset = told.filter(([peer, before]) => peer.conflictsAbout(name) > before).map(([peer]) => peer.name)
    if (upset.length > 0) throw new Error(`a conflict about ${name}, told by ${upset.join(', ')}`)
  }

  /** The latest of its place. */
  #at(index: number): Peer {
    const peer = this.#stage.peers.findLast(({ name }) => name === this.#name(index))
    if (peer === undefined) throw new Error(`nobody at place ${index}`)
    return peer
  }

  #name(index: number): string {
    return `${this.#cast.cast[index]}-${index}.mixed`
  }

  #options(name: string, tags: Readonly<Record<string, string>>): StartOptions {
    return {
      name,
      profile: this.#cast.profile,
      tags,
      expects: ['name-refused'],
      ...(this.#cast.isEncrypted ? { secretKey: this.#secretKey } : {}),
    }
  }
}

/** Ends by itself, in the way of its kind. */
async function endOfTheLoser(intruder: Peer, withinMs: number): Promise<void> {
  if (intruder instanceof NodeMember) {
    const reason = await intruder.closed(withinMs)
    if (reason !== 'conflict') throw new Error(`${intruder.name} lost the vote, and closed: ${reason}`)
  } else if (intruder instanceof SerfAgent) {
    const code = await intruder.ended(withinMs)
    if (code !== 0) throw new Error(`the agent that lost the vote ended with code ${code}`)
  } else {
    await (intruder as GoPeer).ended(withinMs)
  }
}

/** After the mark: a leave of that name, and later a join. */
function heardDenial({ log }: LoggingPeer, mark: number, name: string): boolean {
  const later = log.slice(mark).map(({ text }) => text)
  const leave = later.indexOf(`serf: messageLeaveType: ${name}`)
  return leave !== -1 && later.includes(`serf: messageJoinType: ${name}`, leave)
}
