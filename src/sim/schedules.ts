// A random trial of a cluster, from a seed, as plain data: how many members, with which options, and what happens to them when. Of the kinds
// of fault each trial takes some and lets the others be, so that what takes many of a kind comes up too (swarm testing: Groce et al.,
// ISSTA 2012). The same seed gives the same data; nothing runs here.
import { Random } from '../base/random.ts'
import { PROFILES, type SwimOptions } from '../swim/options.ts'
import { expOf, logOf } from './arithmetic.ts'
import type { SimMemberOptions } from './cluster.ts'
import { BREAKING, type DiskFate, type Fault, type FaultKind } from './faults.ts'
import type { NetworkOptions } from './network.ts'

/** What machines are like: how much their socket buffers hold, and whether they refuse packets to ports that nobody listens on. */
export type MachineOptions = Pick<NetworkOptions, 'bufferBytes' | 'refusesPackets'>

/** A run as data: it can be printed, and replayed by `runTrial`. */
export interface Trial {
  readonly seed: number
  readonly members: number
  /** Of every member. */
  readonly options: SimMemberOptions
  /** Of the machines, as a cluster takes them. Absent: what a simulation has by default. */
  readonly machines?: MachineOptions
  /** How long faults go on, once the cluster stands. */
  readonly faultsMs: number
  readonly faults: readonly Fault[]
}

const FAULTS_MS = 120_000
/** Of a `wan` cluster, whose verdicts take minutes. */
const WAN_FAULTS_MS = 300_000
const [LEAST_MEMBERS, MOST_MEMBERS] = [5, 7]
const [LEAST_KINDS, MOST_KINDS] = [3, 7]
/** Of a small socket buffer: a packet or two, to some ten. */
const [LEAST_BUFFER_BYTES, MOST_BUFFER_BYTES] = [2_000, 20_000]
const SNAPSHOT_PATH = 'snapshot'
const KEY = 'cm9sbGNhbGwtZXhwbG9yZQ=='

/** The trial of a seed. */
export function trialOf(seed: number): Trial {
  const dice = new Dice(new Random(seed ^ 0x5eed))
  const members = dice.between(LEAST_MEMBERS, MOST_MEMBERS)
  const options = { ...optionsOf(dice), ...switchesOf(new Dice(new Random(seed ^ 0x5317c4))) }
  const faultsMs = options.profile === 'wan' ? WAN_FAULTS_MS : FAULTS_MS
  const kinds = dice.some(
    BREAKING.filter((kind) => kind !== 'disk' || options.snapshotPath !== undefined),
    dice.between(LEAST_KINDS, MOST_KINDS),
  )
  const setting: Setting = { members, options, faultsMs, kinds }
  const faults: Fault[] = kinds.map((kind) => faultOf(kind, dice, setting))
  for (let more = dice.between(2, 14); more > 0; more--) {
    faults.push(faultOf(dice.one(kinds), dice, setting))
  }
  for (const kind of ['tags', 'event', 'query'] as const) {
    for (let more = dice.between(1, 8); more > 0; more--) faults.push(faultOf(kind, dice, setting))
  }
  const goodbyes = new Dice(new Random(seed ^ 0x9b7e5))
  faults.push(...faults.flatMap((fault) => goodbyeOf(fault, goodbyes, faultsMs)))
  faults.sort((left, right) => left.atMs - right.atMs)
  const machines = machinesOf(new Dice(new Random(seed ^ 0xb0ffe2)))
  return { seed, members, options, ...(machines === undefined ? {} : { machines }), faultsMs, faults }
}

function optionsOf(dice: Dice): SimMemberOptions {
  const profile = dice.one(['lan', 'lan', 'lan', 'local', 'wan'] as const)
  const [isEncrypted, hasLabel, hasSnapshot] = [dice.chance(0.3), dice.chance(0.2), dice.chance(0.6)]
  return {
    profile,
    ...(isEncrypted ? { secretKey: KEY } : {}),
    ...(hasLabel ? { label: 'explored' } : {}),
    ...(hasSnapshot ? { snapshotPath: SNAPSHOT_PATH } : {}),
    ...(hasSnapshot && dice.chance(0.3) ? { rejoinAfterLeave: true } : {}),
    ...(dice.chance(0.2) ? { compression: false } : {}),
    ...(dice.chance(0.15) ? { coalescePeriodMs: 3000, quiescentPeriodMs: 1000 } : {}),
    ...(dice.chance(0.15) ? { userCoalescePeriodMs: 3000, userQuiescentPeriodMs: 1000 } : {}),
    ...(dice.chance(0.2) ? { maxPacketBytes: dice.between(800, 1200) } : {}),
    ...(dice.chance(0.1) ? { maxQueueDepth: dice.between(2, 8) } : {}),
    ...(dice.chance(0.1) ? { suspicionMult: dice.between(3, 8) } : {}),
    ...(dice.chance(0.1) ? { gossipToTheDeadMs: dice.between(2, 40) * 1000 } : {}),
    ...(dice.chance(0.1) ? { coordinates: false } : {}),
  }
}

/** Each part of the detector that can be switched is, now and then. With dice of their own, so that a new one changes nothing else. */
function switchesOf(dice: Dice): Partial<SwimOptions> {
  const switches = Object.entries(PROFILES.lan).filter(([, value]) => typeof value === 'boolean')
  return Object.fromEntries(switches.flatMap(([name, value]) => (dice.chance(0.1) ? [[name, !value]] : [])))
}

/** Small socket buffers, which a pause or a slow process fills, and closed ports that refuse. With dice of their own too. */
function machinesOf(dice: Dice): MachineOptions | undefined {
  const [isSmall, refuses] = [dice.chance(0.1), dice.chance(0.2)]
  if (!isSmall && !refuses) return undefined
  return {
    ...(isSmall ? { bufferBytes: dice.between(LEAST_BUFFER_BYTES, MOST_BUFFER_BYTES) } : {}),
    ...(refuses ? { refusesPackets: true } : {}),
  }
}

interface Setting {
  readonly members: number
  readonly options: SimMemberOptions
  readonly faultsMs: number
  /** Of which there are faults that break something. */
  readonly kinds: readonly FaultKind[]
}

/** Whether one that is told no seeds finds back in any case: by its snapshot, or because the others reach for it, which are told that it crashed. */
function mayFindBack(kinds: readonly FaultKind[], { snapshotPath }: SimMemberOptions): boolean {
  return snapshotPath !== undefined && !kinds.some((kind) => ['disk', 'leave', 'force-leave'].includes(kind))
}

function faultOf(kind: FaultKind, dice: Dice, { members, options, faultsMs, kinds }: Setting): Fault {
  const atMs = dice.between(0, faultsMs - 1000)
  // One in three goes on until all faults end: healing is to have something to heal.
  const forMs = dice.chance(0.33) ? faultsMs - atMs : dice.lengthMs(faultsMs / 2)
  const member = dice.between(1, members)
  const other = ((member - 1 + dice.between(1, members - 1)) % members) + 1
  const disk: DiskFate = dice.chance(0.6) ? 'kept' : 'lost'
  const towards = dice.chance(0.5) ? { towards: member } : {}
  switch (kind) {
    case 'crash': {
      const how = dice.one(['killed', 'unplugged'] as const)
      if (dice.chance(0.15)) return { kind, atMs, member, how }
      const alone = disk === 'kept' && mayFindBack(kinds, options) && dice.chance(0.8) ? { alone: true } : {}
      return { kind, atMs, member, how, downMs: forMs, disk, ...alone }
    }
    case 'leave':
      return dice.chance(0.25) ? { kind, atMs, member } : { kind, atMs, member, awayMs: forMs, disk }
    case 'pause':
      return { kind, atMs, forMs: dice.lengthMs(40_000), member }
    case 'lag':
      return { kind, atMs, forMs, member, ms: dice.between(50, 5000) }
    case 'slow':
      return { kind, atMs, forMs, member, perPacketMs: dice.between(5, 300) }
    case 'drift':
      return { kind, atMs, forMs, member, ratio: dice.one([0.5, 0.8, 0.95, 1.05, 1.25, 2]) }
    case 'cut':
      return { kind, atMs, forMs, from: member, to: other, isOneWay: dice.chance(0.5), cuts: cutsOf(dice) }
    case 'isolate':
      return { kind, atMs, forMs, member, side: dice.one(['in', 'out', 'both'] as const), cuts: cutsOf(dice) }
    case 'partition':
      return { kind, atMs, forMs, groups: dice.groups(members) }
    case 'loss':
      return { kind, atMs, forMs, ratio: dice.between(2, 60) / 100, ...towards }
    case 'duplication':
      return { kind, atMs, forMs, ratio: dice.between(2, 100) / 100 }
    case 'reordering':
      return { kind, atMs, forMs, ratio: dice.between(2, 100) / 100, ms: dice.lengthMs(4000) }
    case 'latency': {
      const minMs = dice.lengthMs(1000)
      return { kind, atMs, forMs, minMs, maxMs: minMs + dice.lengthMs(1000), ...towards }
    }
    case 'mtu':
      return { kind, atMs, forMs, bytes: dice.between(60, 1300), ...towards }
    case 'disk':
      return { kind, atMs, forMs, member, fault: dice.one(['full', 'read-only', 'sync', 'stuck'] as const) }
    case 'tags':
      return { kind, atMs, member, value: 'x'.repeat(dice.between(0, 200)) + String(dice.between(1, 1_000_000)) }
    case 'event':
      return { kind, atMs, member, coalesce: dice.chance(0.5) }
    case 'query':
      return { kind, atMs, member }
    case 'force-leave':
      return { kind, atMs, member, about: other, prune: dice.chance(0.3) }
  }
}

/** A disk that does not sync is felt by whoever asks it to: hardly anybody but those who leave. */
function goodbyeOf(fault: Fault, dice: Dice, faultsMs: number): readonly Fault[] {
  if (fault.kind !== 'disk' || fault.fault !== 'sync' || dice.chance(0.3)) return []
  const { forMs, member } = fault
  const atMs = Math.min(fault.atMs + Math.floor(forMs / 2), faultsMs - 1)
  const disk: DiskFate = dice.chance(0.6) ? 'kept' : 'lost'
  return [{ kind: 'leave', atMs, member, awayMs: dice.lengthMs(forMs), disk }]
}

function cutsOf(dice: Dice): 'all' | 'packets' {
  return dice.chance(0.6) ? 'all' : 'packets'
}

/** Throws that schedules need. */
class Dice {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** Whole, both ends included. */
  between(least: number, most: number): number {
    return least + this.#random.below(most - least + 1)
  }

  chance(ratio: number): boolean {
    return this.#random.fraction() < ratio
  }

  one<Item>(items: readonly Item[]): Item {
    return items[this.#random.below(items.length)] as Item
  }

  some<Item>(items: readonly Item[], count: number): readonly Item[] {
    return this.#random.shuffle([...items]).slice(0, count)
  }

  /** Up to `mostMs`, from a fiftieth of it: as often short as long, whatever that means. */
  lengthMs(mostMs: number): number {
    const leastMs = mostMs / 50
    return Math.round(leastMs * expOf(logOf(mostMs / leastMs) * this.#random.fraction()))
  }

  /** All members in two or three groups, none of them empty. */
  groups(members: number): number[][] {
    const all = this.#random.shuffle(Array.from({ length: members }, (_, at) => at + 1))
    const count = this.between(2, 3)
    const groups: number[][] = Array.from({ length: count }, (_, at) => [all[at] as number])
    for (const member of all.slice(count)) this.one(groups).push(member)
    return groups.map((group) => group.sort((left, right) => left - right))
  }
}
