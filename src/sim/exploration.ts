// Runs trials: a cluster starts, faults go on for a while with every invariant looked at after every step, then all of them stop, and the
// cluster must come to agree, stay calm, and tell news to all. What is found is an outcome, not an error: who runs trials wants the next one.
// Deterministic: the same trial gives the same outcome, to the byte.
import { TimeoutError } from '../base/errors.ts'
import { resolveOptions } from '../options.ts'
import { agreeWithinMs, disagreement } from './agreement.ts'
import { beCalm, type Demand, noticeAndDeny } from './calm.ts'
import { Cluster } from './cluster.ts'
import { lengthOf } from './faults.ts'
import { Injecting } from './injecting.ts'
import { InvariantError, type InvariantName, invariantErrorIn } from './invariants.ts'
import type { MachineOptions, Trial } from './schedules.ts'
import type { TranscriptDetail } from './transcript.ts'

/** What a trial came to. */
export interface Outcome {
  readonly trial: Trial
  /** The invariant that does not hold, the first that was found; absent: all hold. */
  readonly violation: Violation | undefined
  /** What happened, in words, and how often. */
  readonly counts: ReadonlyMap<string, number>
  /** What of it packets, streams, timers and disks felt until the faults ended, in words, and how often. */
  readonly felt: ReadonlyMap<string, number>
  /** Virtual milliseconds from the end of the faults until all agreed; `undefined` where they did not. */
  readonly agreedAfterMs: number | undefined
  /** The same for the same trial, whatever machine it ran on. */
  readonly fingerprint: string
  /** As much of the run as was asked for. */
  readonly transcript: string
}

export interface Violation {
  readonly invariant: InvariantName
  readonly message: string
  /** Virtual milliseconds since the beginning of the run. */
  readonly atMs: number
}

export interface TrialOptions {
  /** Default `off`. */
  readonly transcript?: TranscriptDetail
}

const EVERY_MS = 100
/** What members were asked to do ends within the longest of its limits: a leave with all its parts takes 11 s, a query at most as long, a join
 *  waits for streams. Those limits stand still while a process does. */
const CALLS_WITHIN_MS = 120_000

/** As it is counted: who comes back so does it by its seeds, and of who is declared to have left it may be that nobody reaches for it. Who
 *  finds back alone, by its snapshot, is told no seeds. */
const BY_SEEDS: readonly string[] = ['restart: disk kept', 'restart: disk lost', 'force-leave']

/** Runs a trial. Rejects only where the trial itself makes no sense. */
export async function runTrial(trial: Trial, { transcript = 'off' }: TrialOptions = {}): Promise<Outcome> {
  const run = new TrialRun(trial, transcript)
  return run.outcome()
}

class TrialRun {
  readonly #trial: Trial
  readonly #cluster: Cluster
  #injecting: Injecting | undefined
  #felt: ReadonlyMap<string, number> | undefined
  #agreedAfterMs: number | undefined

  constructor(trial: Trial, transcript: TranscriptDetail) {
    this.#trial = trial
    const { seed, options, machines } = trial
    this.#cluster = new Cluster({ ...machines, seed, options, checks: true, transcript })
  }

  async outcome(): Promise<Outcome> {
    let violation: Violation | undefined
    try {
      await this.#run()
    } catch (error) {
      violation = this.#violationOf(error)
    }
    const { sent, delivered } = this.#cluster.simulation.network.traffic
    return {
      trial: this.#trial,
      violation,
      counts: this.#injecting?.counts ?? new Map(),
      felt: this.#felt ?? this.#feltSoFar(),
      agreedAfterMs: this.#agreedAfterMs,
      fingerprint: `${this.#cluster.simulation.schedule.steps}/${sent.packets}/${sent.bytes}/${delivered.bytes}/${this.#cluster.now}`,
      transcript: this.#cluster.transcript,
    }
  }

  async #run(): Promise<void> {
    const cluster = this.#cluster
    await cluster.start(this.#trial.members)
    await this.#agree()
    const injecting = new Injecting(cluster)
    this.#injecting = injecting
    for (const what of inWords(this.#trial.machines)) injecting.count(what)
    await this.#inject(injecting)
    const healedAt = cluster.now
    await this.#letGo(injecting)
    await this.#agree()
    this.#agreedAfterMs = cluster.now - healedAt
    // A probe that began before is over, whoever began it.
    const { swim, serf } = resolveOptions(this.#trial.options)
    await cluster.run(swim.probeIntervalMs * (swim.awarenessMaxMultiplier + 1))
    await this.#agree()
    // What is held back is told: news of before is no stir.
    await cluster.run(serf.coalescePeriodMs)
    const demand: Demand = (...demanded) => this.#demand(...demanded)
    await beCalm(cluster, swim, demand)
    await noticeAndDeny(cluster, swim, demand)
    await cluster.close()
  }

  async #inject(injecting: Injecting): Promise<void> {
    const { faults, faultsMs } = this.#trial
    const began = this.#cluster.now
    const moments = faults.flatMap((fault) => {
      const lengthMs = lengthOf(fault)
      const begin = { atMs: Math.min(fault.atMs, faultsMs), act: () => injecting.begin(fault) }
      if (lengthMs === undefined || fault.atMs + lengthMs >= faultsMs) return [begin]
      return [begin, { atMs: fault.atMs + lengthMs, act: () => injecting.end(fault) }]
    })
    for (const { atMs, act } of moments.sort((left, right) => left.atMs - right.atMs)) {
      await this.#cluster.run(Math.max(0, began + atMs - this.#cluster.now))
      await act()
    }
    await this.#cluster.run(Math.max(0, began + faultsMs - this.#cluster.now))
  }

  /** All faults end, and what members were asked to do comes to its end. */
  async #letGo(injecting: Injecting): Promise<void> {
    await injecting.endAll()
    this.#felt = this.#feltSoFar()
    await this.#cluster.run(EVERY_MS)
    const why = (): string => injecting.openCalls.join(', ')
    const left = (): string => `a leave has not ended, or left something open; ${why()}`
    await this.#demand('calls-end', () => !injecting.isLeaving, CALLS_WITHIN_MS, left)
    await injecting.endAll() // who has left only now, and was to come back
    await this.#demand('calls-end', () => injecting.openCalls.length === 0, CALLS_WITHIN_MS, why)
  }

  async #agree(): Promise<void> {
    const cluster = this.#cluster
    const { swim, serf } = resolveOptions(this.#trial.options)
    const members = this.#trial.members
    const running = cluster.names.length
    const came = this.#injecting?.counts
    const asksSeeds = [...(came?.keys() ?? [])].some((what) => BY_SEEDS.includes(what))
    const withinMs = agreeWithinMs({ swim, serf, members, running, asksSeeds })
    const why = (): string | undefined =>
      disagreement(new Map(cluster.names.map((name) => [name, cluster.member(name)])))
    await this.#demand(
      'healed-cluster-agrees',
      () => why() === undefined,
      withinMs,
      () => why() ?? '',
    )
  }

  /** Of the disks too, each fault by what it made fail or wait. */
  #feltSoFar(): ReadonlyMap<string, number> {
    const { traffic } = this.#cluster.simulation.network
    const felt = new Map<string, number>([...Object.entries(traffic.felt), ['delayed', traffic.delayed]])
    for (const [why, { packets }] of Object.entries(traffic.dropped)) felt.set(`dropped: ${why}`, packets)
    for (const { disk } of this.#cluster.simulation.network.stations) {
      for (const [fault, times] of Object.entries(disk.felt)) {
        const what = `disk: ${fault}`
        felt.set(what, (felt.get(what) ?? 0) + times)
      }
    }
    return felt
  }

  /** Waits until it holds. */
  async #demand(invariant: InvariantName, holds: () => boolean, withinMs: number, why: () => string): Promise<void> {
    try {
      await this.#cluster.until(holds, { everyMs: EVERY_MS, withinMs, what: invariant })
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error
      throw new InvariantError(
        invariant,
        '*',
        `not within ${Math.round(withinMs)} virtual ms: ${why()}\n${this.#cluster.summary()}`,
      )
    }
  }

  #violationOf(error: unknown): Violation {
    const known = invariantErrorIn(error)
    const message = error instanceof Error ? (known ?? error).message : String(error)
    const atMs = this.#cluster.now
    if (known !== undefined) return { invariant: known.invariant, message, atMs }
    const isLate = error instanceof TimeoutError
    const cause = error instanceof Error && error.cause instanceof Error ? `\n${error.cause.stack}` : ''
    return { invariant: isLate ? 'calls-end' : 'nothing-throws', message: `${message}${cause}`, atMs }
  }
}

/** As it is counted: once a trial whose machines are so. */
function inWords({ bufferBytes, refusesPackets }: MachineOptions = {}): readonly string[] {
  return [...(bufferBytes === undefined ? [] : ['small buffers']), ...(refusesPackets ? ['refusing machines'] : [])]
}
