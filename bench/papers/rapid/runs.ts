// The experiments of Rapid's paper (§7) with our members at `lan`, which is what it ran Memberlist with: one job, one cluster. Every second
// each process tells the size of its view. Knows no table and no other run.
import { Cluster, type SimMemberOptions } from '../../../src/sim/cluster.ts'
import { Sizes } from '../support/sizes.ts'
import { quantile } from '../support/statistics.ts'

const SECOND_MS = 1000
/** Rapid's one-way faults. */
const FLIP_MS = 20_000
const FLIPS_FOR_MS = 300_000
const LOSS_FROM_MS = 90_000
const LOSS_FOR_MS = 310_000
const LOSS_RATIO = 0.8
const CRASHED_FOR_MS = 100_000
/** Right for good: until the end, and for a whole turn of the flip-flop. */
const FOR_GOOD_MS = 40_000
/** The seed process is alone for so long before the others start. */
const ALONE_MS = 10_000
const SETTLED_WITHIN_MS = 600_000

/** Beside `members`: `sick` of them crash, or hear nothing for 20 of 40 s, or lose 80 % of what they send. */
export type RapidJob =
  | (Common & { readonly kind: 'crash' | 'flip' | 'lossy'; readonly sick: number })
  | (Common & { readonly kind: 'storm' })

interface Common {
  readonly members: number
  readonly seed: number
  /** In place of defaults, for every member. */
  readonly knobs?: SimMemberOptions
}

/** What a fault did, in the eyes of the healthy. */
export interface FaultResult {
  /** Milliseconds from the fault to the first verdict about a sick one, and to the moment from which all healthy held exactly the healthy
   *  for members until the end; absent where that never was. */
  readonly firstMs?: number
  readonly allMs?: number
  /** The different sizes told, in order. */
  readonly sizes: readonly number[]
  /** Of what was told after the first verdict, the share that was exactly the healthy. */
  readonly rightShare: number
  /** Times that a sick one came back into a healthy view. */
  readonly returns: number
  /** Verdicts about the healthy: at the healthy, and at the sick. */
  readonly falseAtHealthy: number
  readonly falseAtSick: number
}

export interface StormResult {
  /** From the start of the storm until every process has told the full size. */
  readonly allMs: number
  /** How many different sizes were told. */
  readonly sizes: number
  /** KB/s of a process in a second, over UDP, and over TCP too where it came in: mean, 99th percentile, most. */
  readonly received: readonly [number, number, number]
  readonly sent: readonly [number, number, number]
}

export type RapidResult = FaultResult | StormResult

export function run(job: RapidJob): Promise<RapidResult> {
  return job.kind === 'storm' ? storm(job) : fault(job)
}

async function fault({
  kind,
  members,
  sick,
  seed,
  knobs = {},
}: Exclude<RapidJob, { kind: 'storm' }>): Promise<FaultResult> {
  const cluster = new Cluster({ seed, options: knobs, transcript: 'off' })
  const sizes = new Sizes(cluster)
  await cluster.start(members, { withinMs: SETTLED_WITHIN_MS })
  const areAll = (): boolean => {
    sizes.read()
    return cluster.names.every((name) => sizes.of(name) === members)
  }
  await cluster.until(areAll, { withinMs: SETTLED_WITHIN_MS, everyMs: SECOND_MS, what: 'all know all' })
  const dice = cluster.simulation.random('sick')
  const sickNames = new Set(dice.shuffle([...cluster.names]).slice(0, sick))
  const healthy = cluster.names.filter((name) => !sickNames.has(name))
  if (kind === 'lossy') await cluster.run(LOSS_FROM_MS)
  const began = cluster.now
  const endsAt = began + (kind === 'crash' ? CRASHED_FOR_MS : kind === 'flip' ? FLIPS_FOR_MS : LOSS_FOR_MS)
  begin(kind, cluster, sickNames)

  const told = new Set<number>()
  let [firstMs, allMs]: [number | undefined, number | undefined] = [undefined, undefined]
  let [looks, right, returns, falseAtHealthy, falseAtSick] = [0, 0, 0, 0, 0]
  while (cluster.now < endsAt) {
    await cluster.run(SECOND_MS)
    for (const { atMs, observer, type, about } of sizes.read()) {
      const isHealthy = !sickNames.has(observer)
      if (type === 'member-join' && isHealthy && sickNames.has(about)) returns++
      if (type !== 'member-dead') continue
      if (!sickNames.has(about)) isHealthy ? falseAtHealthy++ : falseAtSick++
      else if (isHealthy) firstMs ??= atMs - began
    }
    let areRight = true
    for (const name of healthy) {
      const size = sizes.of(name)
      const isRight = size === healthy.length && [...sickNames].every((one) => !sizes.holds(name, one))
      told.add(size)
      if (!isRight) areRight = false
      if (firstMs === undefined) continue
      looks++
      if (isRight) right++
    }
    allMs = areRight ? (allMs ?? cluster.now - began) : undefined
  }
  if (allMs !== undefined && endsAt - began - allMs < FOR_GOOD_MS) allMs = undefined
  await cluster.close()
  return {
    ...(firstMs === undefined ? {} : { firstMs }),
    ...(allMs === undefined ? {} : { allMs }),
    sizes: [...told].sort((left, right) => left - right),
    rightShare: right / looks,
    returns,
    falseAtHealthy,
    falseAtSick,
  }
}

function begin(kind: 'crash' | 'flip' | 'lossy', cluster: Cluster, sick: ReadonlySet<string>): void {
  const { links } = cluster.simulation.network
  const began = cluster.now
  if (kind === 'crash') {
    for (const name of sick) cluster.crash(name)
  } else if (kind === 'flip') {
    const isDeaf = (): boolean => Math.floor((cluster.now - began) / FLIP_MS) % 2 === 0
    links.addRule(({ to }) => (sick.has(to) && isDeaf() ? 'drop' : 'pass'))
  } else {
    links.addRule(({ from }, dice) => (sick.has(from) && dice.fraction() < LOSS_RATIO ? 'drop' : 'pass'))
  }
}

async function storm({ members, seed, knobs = {} }: Extract<RapidJob, { kind: 'storm' }>): Promise<StormResult> {
  const cluster = new Cluster({ seed, options: knobs, transcript: 'off' })
  const { schedule } = cluster.simulation
  const sizes = new Sizes(cluster)
  await cluster.start(1)
  await cluster.run(ALONE_MS)
  const began = cluster.now
  const told = new Set<number>()
  const full = new Set<string>()
  const [received, sent]: [number[], number[]] = [[], []]
  const before = new Map<string, readonly [number, number]>()
  const look = (): void => {
    sizes.read()
    for (const name of cluster.names) {
      const size = sizes.of(name)
      told.add(size)
      if (size === members) full.add(name)
      const { traffic } = cluster.host(name).station
      const now = [traffic.delivered.bytes + traffic.streams.bytes, traffic.sent.bytes] as const
      const [receivedBefore, sentBefore] = before.get(name) ?? [0, 0]
      received.push((now[0] - receivedBefore) / SECOND_MS)
      sent.push((now[1] - sentBefore) / SECOND_MS)
      before.set(name, now)
    }
    if (full.size < members) schedule.at(schedule.now + SECOND_MS, look)
  }
  look()
  await cluster.start(members - 1, { withinMs: SETTLED_WITHIN_MS })
  await cluster.until(() => full.size === members, { withinMs: SETTLED_WITHIN_MS, everyMs: SECOND_MS })
  const allMs = cluster.now - began
  await cluster.close()
  return { allMs, sizes: told.size, received: spreadOf(received), sent: spreadOf(sent) }
}

function spreadOf(values: readonly number[]): readonly [number, number, number] {
  const mean = values.reduce((total, value) => total + value, 0) / values.length
  return [mean, quantile(values, 0.99), quantile(values, 1)]
}
