// The scenarios of first light, told once and played by any cast: mixed kinds in the test, six Go agents when the allow-list is recorded.
// A scenario waits for conditions with a deadline that follows from the protocol's numbers, never for a fixed time.
import { randomBytes } from 'node:crypto'
import type { Happening, Kind, Peer, PeerOptions, Sight } from './peer.ts'
import type { Stage } from './stage.ts'

export interface Scenario {
  /** Names it in the allow-list. */
  readonly id: string
  /** A fact, as a test's name. */
  readonly title: string
  /** Who plays in the test. */
  readonly cast: readonly Kind[]
  readonly profile: 'lan' | 'local'
  readonly isEncrypted: boolean
  readonly host?: string
  readonly play: (stage: Stage, cast: Cast) => Promise<void>
}

export type Cast = Pick<Scenario, 'cast' | 'profile' | 'isEncrypted' | 'host'>

/** memberlist's numbers that the deadlines follow from (serf-behaviour 1 and 6.2), for up to ten members. */
const TIMING = {
  lan: { probeIntervalMs: 1_000, maxSuspicionMs: 24_000, pushPullIntervalMs: 30_000 },
  local: { probeIntervalMs: 1_000, maxSuspicionMs: 18_000, pushPullIntervalMs: 15_000 },
} as const

/** Until every member has called a killed one dead: each live member is probed once in `2N - 1` intervals at the latest, the probe
 *  fails one interval later, a suspicion that nobody confirms runs to its maximum, and 2 s are for the spreading. */
export function detectionBoundMs(profile: 'lan' | 'local', members: number): number {
  const { probeIntervalMs, maxSuspicionMs } = TIMING[profile]
  return (2 * members - 1) * probeIntervalMs + probeIntervalMs + maxSuspicionMs + 2_000
}

/** Until news has reached everyone: what gossip misses, a push/pull brings; two rounds, since a partner may know no more. */
export function spreadBoundMs(profile: 'lan' | 'local'): number {
  return 2 * TIMING[profile].pushPullIntervalMs + 5_000
}

const MIXED: readonly Kind[] = ['go', 'node', 'go', 'node', 'node', 'go']

export const SCENARIOS: readonly Scenario[] = [
  {
    id: 'life',
    title: 'three Go and three Node processes meet, change tags and take leave',
    cast: MIXED,
    profile: 'lan',
    isEncrypted: false,
    play: playLife,
  },
  {
    id: 'life-encrypted',
    title: 'three Go and three Node processes meet, change tags and take leave, encrypted',
    cast: MIXED,
    profile: 'lan',
    isEncrypted: true,
    play: playLife,
  },
  {
    id: 'death',
    title: 'a killed process of either kind is dead everywhere, and nobody else is',
    cast: MIXED,
    profile: 'local',
    isEncrypted: false,
    play: playDeath,
  },
  {
    id: 'death-lan-encrypted',
    title: 'a killed process of either kind is dead everywhere, and nobody else is, encrypted and with the LAN profile',
    cast: MIXED,
    profile: 'lan',
    isEncrypted: true,
    play: playDeath,
  },
  {
    id: 'ipv6',
    title: 'one Go and one Node process meet and part over IPv6',
    cast: ['go', 'node'],
    profile: 'lan',
    isEncrypted: false,
    host: '::1',
    play: playPair,
  },
]

async function playLife(stage: Stage, cast: Cast): Promise<void> {
  await stage.step('everyone sees six alive with the right tags, whoever joined whom', () => gather(stage, cast))
  await stage.step('a tag change of either kind reaches everyone', () => changeTags(stage, cast, [1, 0]))
  await stage.step('a graceful leave of either kind is left everywhere and never dead', () =>
    leave(stage, cast, [3, 2]),
  )
}

async function playDeath(stage: Stage, cast: Cast): Promise<void> {
  await stage.step('everyone sees six alive with the right tags, whoever joined whom', () => gather(stage, cast))
  await stage.step('whoever is killed is dead everywhere within the bound', () => kill(stage, cast, [1, 0]))
}

async function playPair(stage: Stage, cast: Cast): Promise<void> {
  await stage.step('each sees the other alive with the right tags', async () => {
    await Promise.all(cast.cast.map((_, index) => enter(stage, cast, index)))
    await peerAt(stage, 1).join([peerAt(stage, 0).address])
    await everyoneAgrees(stage, cast, 'two alive')
  })
  await stage.step('a tag change of either kind reaches the other', () => changeTags(stage, cast, [1, 0]))
  await stage.step('who leaves is left and never dead', () => leave(stage, cast, [1]))
}

/** Six members, whose joins go from either kind to either kind: by command, as part of the start, and to a seed that joined itself. */
async function gather(stage: Stage, cast: Cast): Promise<void> {
  await Promise.all([0, 1, 3, 4, 5].map((index) => enter(stage, cast, index)))
  await peerAt(stage, 1).join([peerAt(stage, 0).address]) // Node to Go
  await enter(stage, cast, 2, [peerAt(stage, 1).address]) // Go to Node, while it starts
  await peerAt(stage, 3).join([peerAt(stage, 1).address]) // Node to Node
  await peerAt(stage, 4).join([peerAt(stage, 2).address]) // Node to Go
  await peerAt(stage, 5).join([peerAt(stage, 3).address]) // Go to Node, by command
  await everyoneAgrees(stage, cast, 'six alive')
}

async function changeTags(stage: Stage, cast: Cast, indices: readonly number[]): Promise<void> {
  for (const index of indices) {
    const peer = peerAt(stage, index)
    // One tag changes, one goes, one is new.
    await peer.setTags({ role: 'changed', kind: peer.kind, 'new key': 'ünï = çode, and more' })
    await everyoneAgrees(stage, cast, `the new tags of ${peer.name}`)
    await everyoneElseTold(stage, 'update', peer)
  }
}

async function leave(stage: Stage, cast: Cast, indices: readonly number[]): Promise<void> {
  for (const index of indices) {
    const peer = peerAt(stage, index)
    await peer.leave()
    await everyoneAgrees(stage, cast, `${peer.name} left`)
    await everyoneElseTold(stage, 'left', peer)
  }
}

async function kill(stage: Stage, cast: Cast, indices: readonly number[]): Promise<void> {
  for (const index of indices) {
    const peer = peerAt(stage, index)
    const killedAt = await stage.kill(peer)
    await everyoneAgrees(stage, cast, `${peer.name} dead`, detectionBoundMs(cast.profile, stage.peers.length))
    await everyoneElseTold(stage, 'dead', peer)
    const seconds = stage.running.map((other) => {
      const told = other.history.find(({ type, name }) => type === 'dead' && name === peer.name)
      return ((told?.at ?? Number.NaN) - killedAt) / 1000
    })
    stage.note(
      `${peer.kind} killed (${cast.profile}): dead after ${Math.min(...seconds).toFixed(1)} s, ` +
        `everywhere after ${Math.max(...seconds).toFixed(1)} s`,
    )
  }
}

/** Waits until every running peer sees each member that ever was in its present state, with its tags and its address, and no other. */
async function everyoneAgrees(
  stage: Stage,
  cast: Cast,
  what: string,
  withinMs: number = spreadBoundMs(cast.profile),
): Promise<void> {
  await stage.until(`everyone sees ${what}`, withinMs, async () => {
    const lacks = await Promise.all(stage.running.map((witness) => lackOf(stage, witness)))
    return lacks.find((lack) => lack !== undefined)
  })
}

/** Waits for the event beside the view: an agent's log line may come a moment after its answer. */
async function everyoneElseTold(stage: Stage, type: Happening['type'], about: Peer): Promise<void> {
  await stage.until(`everyone else tells ${type} of ${about.name}`, 5_000, async () => {
    const silent = stage.running.find(
      (peer) => peer !== about && !peer.history.some((one) => one.type === type && one.name === about.name),
    )
    return silent && `${silent.name} has not told`
  })
}

async function lackOf(stage: Stage, witness: Peer): Promise<string | undefined> {
  const view = await witness.view()
  for (const peer of stage.peers) {
    const state = peer.isRunning ? 'alive' : stage.killed.has(peer.name) ? 'dead' : 'left'
    const wanted: Sight = { state, tags: peer.tags, address: peer.address }
    const seen = view.get(peer.name)
    if (seen === undefined) return `${witness.name} does not know ${peer.name}`
    if (canonical(seen) !== canonical(wanted)) {
      return `${witness.name} sees ${peer.name} as ${canonical(seen)}, not as ${canonical(wanted)}`
    }
  }
  return view.size === stage.peers.length ? undefined : `${witness.name} knows ${[...view.keys()].join(', ')}`
}

/** One text for one sight, whatever the order of its tags. */
function canonical({ state, address, tags }: Sight): string {
  return JSON.stringify([state, address, Object.entries(tags).sort(([left], [right]) => (left < right ? -1 : 1))])
}

const keys = new WeakMap<Stage, string>()

async function enter(stage: Stage, cast: Cast, index: number, join?: readonly string[]): Promise<void> {
  const kind = cast.cast[index] ?? 'go'
  if (!keys.has(stage)) keys.set(stage, randomBytes(32).toString('base64'))
  const options: PeerOptions = {
    name: nameAt(cast, index),
    profile: cast.profile,
    tags: { role: 'log', kind, place: `${index}` },
    ...(cast.host === undefined ? {} : { host: cast.host }),
    ...(cast.isEncrypted ? { secretKey: keys.get(stage) ?? '' } : {}),
    ...(join === undefined ? {} : { join }),
  }
  await stage.start(kind, options)
}

function nameAt(cast: Cast, index: number): string {
  return `${cast.cast[index] ?? 'go'}-${index}.first.light`
}

function peerAt(stage: Stage, index: number): Peer {
  const peer = stage.peers.find(({ name }) => name.match(/-(\d+)\./)?.[1] === `${index}`)
  if (peer === undefined) throw new Error(`nobody entered as ${index}`)
  return peer
}
