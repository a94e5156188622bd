// The targets of a fuzz run that need no sockets: each decoder, and whole members. A target is fed by number: the same seed and number are
// the same input, so a run can begin anywhere. Members live for an epoch of inputs and are then closed and made anew.
import { Random } from '../../src/base/random.ts'
import { feedDecoders } from './decoders.ts'
import { inputAt } from './generate.ts'
import { CLUSTERS, type ClusterKind, type Doorway, formatInput, type Input } from './input.ts'
import { type FireTotals, MemberUnderFire, noTotals } from './member.ts'

export const TARGETS = ['packet', 'stream', 'serf', 'tags', 'payload', 'member'] as const
export type TargetName = (typeof TARGETS)[number]

/** Inputs one set of members takes. A crash of a member replays from the beginning of its epoch. */
const EPOCH = 4000
/** So often the event loop turns, for promises and what they throw. */
const TURN_EVERY = 64

export interface TargetReport {
  readonly target: string
  readonly inputs: number
  readonly ms: number
  readonly slowestMs: number
  /** Which input that was. */
  readonly slowestAt: number
  readonly totals?: FireTotals
}

export interface TargetRun {
  readonly target: TargetName
  readonly seed: number
  /** The first input; members begin at that of its epoch. */
  readonly from: number
  readonly inputs: number
  /** Told before each input. */
  began?(number: number): void
  /** Told what an input came to. */
  came?(input: Input, to: string): void
}

/** Feeds `inputs` inputs. @throws Violation with the input */
export function runTarget(run: TargetRun): Promise<TargetReport> {
  return run.target === 'member' ? runMembers(run) : runDecoder(run, run.target)
}

async function runDecoder(run: TargetRun, doorway: Exclude<TargetName, 'member'>): Promise<TargetReport> {
  const watch = new Stopwatch(run)
  for (let number = run.from; number < run.from + run.inputs; number++) {
    // Streams come both ways: theirs, and the answers to ours.
    const way = doorway === 'stream' && number % 3 === 0 ? 'answer' : doorway
    const input = inputAt(run.seed, way, number)
    const random = new Random(number)
    watch.begin(number)
    const outcome = feedDecoders(input, random)
    watch.end(number)
    run.came?.(input, outcome)
    if (number % TURN_EVERY === 0) await turn()
  }
  return watch.report()
}

async function runMembers(run: TargetRun): Promise<TargetReport> {
  const watch = new Stopwatch(run)
  const totals = noTotals()
  const end = run.from + run.inputs
  for (let first = run.from - (run.from % EPOCH); first < end; first += EPOCH) {
    const members = new Map<ClusterKind, MemberUnderFire>()
    for (const cluster of CLUSTERS) members.set(cluster, await MemberUnderFire.start(cluster, run.seed ^ first, totals))
    for (let number = first; number < Math.min(end, first + EPOCH); number++) {
      const input = inputAt(run.seed, memberDoorway(number), number)
      // Mostly to the cluster it is meant for.
      const cluster = number % 16 === 0 ? (CLUSTERS[(number >> 4) % CLUSTERS.length] as ClusterKind) : input.cluster
      const member = members.get(cluster) as MemberUnderFire
      const random = new Random(number ^ run.seed)
      watch.begin(number)
      member.feed({ ...input, cluster }, random)
      watch.end(number)
      if (run.came !== undefined) run.came({ ...input, cluster }, member.takeWarned().join('; '))
      if (number % TURN_EVERY === 0) await turn()
    }
    for (const member of members.values()) await member.close()
  }
  return { ...watch.report(), totals }
}

/** Datagrams mostly. */
function memberDoorway(number: number): Doorway {
  const place = number % 20
  return place < 14 ? 'packet' : place < 18 ? 'stream' : 'answer'
}

/** Feeds a fixed list: to the decoders, and to members of all four clusters. @throws Violation */
export async function replay(inputs: readonly Input[]): Promise<string[]> {
  const said = inputs.map((input) => `${formatInput(input).slice(0, 60)} -> ${feedDecoders(input, new Random(1))}`)
  for (const cluster of CLUSTERS) {
    const member = await MemberUnderFire.start(cluster, 1, noTotals())
    for (const input of inputs) {
      if (input.doorway === 'serf' || input.doorway === 'tags' || input.doorway === 'payload') continue
      if (input.doorway === 'answer') {
        // Something to answer.
        member.membership.join(['10.9.0.1']).catch(() => {})
        await turn()
      }
      member.feed({ ...input, cluster }, new Random(1))
    }
    // Whatever was begun has to come to an end.
    member.host.run(120_000)
    await turn()
    said.push(...member.takeWarned().map((warning) => `a ${cluster} member warns ${warning}`))
    await member.close()
  }
  return said
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

class Stopwatch {
  readonly #run: TargetRun
  #count = 0
  #total = 0
  #began = 0
  #slowest = 0
  #slowestAt = 0

  constructor(run: TargetRun) {
    this.#run = run
  }

  begin(number: number): void {
    this.#run.began?.(number)
    this.#count++
    this.#began = performance.now()
  }

  end(number: number): void {
    const ms = performance.now() - this.#began
    this.#total += ms
    if (ms > this.#slowest) {
      this.#slowest = ms
      this.#slowestAt = number
    }
  }

  report(): TargetReport {
    const { target } = this.#run
    return { target, inputs: this.#count, ms: this.#total, slowestMs: this.#slowest, slowestAt: this.#slowestAt }
  }
}
