// The scenarios of first light, told once and played by any cast: mixed kinds in the test, six Go agents when the allow-list is recorded.
// A scenario waits for conditions with a deadline that follows from the protocol's numbers, never for a fixed time.
import { randomBytes } from 'node:crypto'
import type { Peer, PeerOptions, Program } from './peer.ts'
import type { Stage } from './stage.ts'
import { detectionBoundMs, spreadBoundMs } from './timing.ts'
import { everyoneAgrees, everyoneElseTold } from './views.ts'

export interface Scenario {
  /** Names it in the allow-list. */
  readonly id: string
  /** A fact, as a test's name. */
  readonly title: string
  /** Who plays in the test. */
  readonly cast: readonly Program[]
  /** Who stand in for the Node members, in turn, when Go plays alone. Default: agents. */
  readonly understudies?: readonly Program[]
  readonly profile: 'lan' | 'local'
  readonly isEncrypted: boolean
  readonly host?: string
  readonly play: (stage: Stage, cast: Cast) => Promise<void>
}

/** Whom a play is given. */
export interface Cast extends Pick<Scenario, 'cast' | 'profile' | 'isEncrypted' | 'host'> {
  /** Who comes from outside, where a play needs that: Node, or its understudy. */
  readonly stranger: Program
}

/** The scenario's own cast, with Node. */
export function mixedCast(scenario: Scenario): Cast {
  return { ...scenario, stranger: 'node' }
}

/** The same play with Go alone. */
export function pureCast(scenario: Scenario): Cast {
  const understudies = scenario.understudies ?? ['agent']
  let taken = 0
  const next = (): Program => understudies[taken++ % understudies.length] ?? 'agent'
  return {
    ...scenario,
    cast: scenario.cast.map((one) => (one === 'node' ? next() : one)),
    stranger: understudies[0] ?? 'agent',
  }
}

const MIXED: readonly Program[] = ['agent', 'node', 'agent', 'node', 'node', 'agent']

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
    cast: ['agent', 'node'],
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
    await everyoneAgrees(stage, 'two alive', spreadBoundMs(cast.profile))
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
  await everyoneAgrees(stage, 'six alive', spreadBoundMs(cast.profile))
}

async function changeTags(stage: Stage, cast: Cast, indices: readonly number[]): Promise<void> {
  for (const index of indices) {
    const peer = peerAt(stage, index)
    // One tag changes, one goes, one is new.
    await peer.setTags({ role: 'changed', kind: peer.kind, 'new key': 'ünï = çode, and more' })
    await everyoneAgrees(stage, `the new tags of ${peer.name}`, spreadBoundMs(cast.profile))
    await everyoneElseTold(stage, 'update', peer)
  }
}

async function leave(stage: Stage, cast: Cast, indices: readonly number[]): Promise<void> {
  for (const index of indices) {
    const peer = peerAt(stage, index)
    await peer.leave()
    await everyoneAgrees(stage, `${peer.name} left`, spreadBoundMs(cast.profile))
    await everyoneElseTold(stage, 'left', peer)
  }
}

async function kill(stage: Stage, cast: Cast, indices: readonly number[]): Promise<void> {
  for (const index of indices) {
    const peer = peerAt(stage, index)
    const killedAt = await stage.kill(peer)
    await everyoneAgrees(stage, `${peer.name} dead`, detectionBoundMs(cast.profile, stage.peers.length))
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

const keys = new WeakMap<Stage, string>()

async function enter(stage: Stage, cast: Cast, index: number, join?: readonly string[]): Promise<void> {
  const program = cast.cast[index] ?? 'agent'
  if (!keys.has(stage)) keys.set(stage, randomBytes(32).toString('base64'))
  const options: PeerOptions = {
    name: nameAt(cast, index),
    profile: cast.profile,
    tags: { role: 'log', kind: program, place: `${index}` },
    ...(cast.host === undefined ? {} : { host: cast.host }),
    ...(cast.isEncrypted ? { secretKey: keys.get(stage) ?? '' } : {}),
    ...(join === undefined ? {} : { join }),
  }
  await stage.start(program, options)
}

function nameAt(cast: Cast, index: number): string {
  return `${cast.cast[index] ?? 'agent'}-${index}.first.light`
}

function peerAt(stage: Stage, index: number): Peer {
  const peer = stage.peers.find(({ name }) => name.match(/-(\d+)\./)?.[1] === `${index}`)
  if (peer === undefined) throw new Error(`nobody entered as ${index}`)
  return peer
}
