// Figures that others published, each with where it stands and how we have it: `read` in the text or a table, `fig` read off a printed
// figure (about 5 %), `calc` computed from a printed formula. `measured` are ours, of other people's programs. Nothing from memory. What
// can be computed is in support/formulas.ts; nothing else in bench/papers holds a published number.

export type Mark = 'read' | 'fig' | 'calc' | 'measured'

export interface Published<Figures> {
  readonly source: string
  readonly mark: Mark
  readonly figures: Figures
}

const SWIM = 'Das, Gupta, Motivala: SWIM (DSN 2002)'
const LIFEGUARD =
  'Dadgar, Phillips, Currey: Lifeguard: Local Health Awareness for More Accurate Failure Detection (arXiv 1707.00788)'
const LIFEGUARD_BLOG = 'HashiCorp: Making Gossip More Robust with Lifeguard (blog)'
const RAPID = 'Suresh et al.: Stable and Consistent Membership at Scale with Rapid (USENIX ATC 2018)'
const KINSHIP = 'kinship, docs/results'
const GO = 'Go memberlist and Serf, many in one process on two cores'

/** Messages of a member in a period, flat up to 55 members. */
export const SWIM_LOAD: Published<{ sent: number; received: number; belowFiveAt28: number }> = {
  source: `${SWIM}, Fig. 2`,
  mark: 'fig',
  figures: { sent: 2.0, received: 2.0, belowFiveAt28: 0.99 },
}

/** Periods from a failure to its first detection: means of 8 to 40 members lie between these, and do not grow. */
export const SWIM_DETECTION: Published<{ least: number; most: number }> = {
  source: `${SWIM}, Fig. 3(a)`,
  mark: 'fig',
  figures: { least: 1.1, most: 3.3 },
}

/** Members, and the median periods until news of a failure has spread. */
export const SWIM_SPREAD: Published<readonly (readonly [members: number, periods: number])[]> = {
  source: `${SWIM}, Fig. 3(b)`,
  mark: 'fig',
  figures: [
    [6, 1.0],
    [20, 3.0],
    [28, 3.0],
    [35, 2.0],
    [43, 2.5],
    [52, 1.5],
    [56, 2.3],
  ],
}

/** A tenth of what comes is lost everywhere, 17 join in turn: the size at which the group stays. */
export const SWIM_JOINS: Published<{ peak: number; suspicion: number; infection: number; basic: number }> = {
  source: `${SWIM}, Fig. 4 and §5.3`,
  mark: 'fig',
  figures: { peak: 14, suspicion: 12, infection: 4, basic: 2 },
}

/** Per cent of plain SWIM: false verdicts about the healthy, in all and at the healthy; messages and bytes sent. */
export interface LifeguardRow {
  readonly falseAll: number
  readonly falseHealthy: number
  readonly messages: number
  readonly bytes: number
}

/** Totals of the Interval experiment, by the rows of lifeguard-rows.ts; read in copies of the paper's tables. */
export const LIFEGUARD_ROWS: Published<Readonly<Record<string, LifeguardRow>>> = {
  source: `${LIFEGUARD}, tables of false positives and of message load`,
  mark: 'read',
  figures: {
    swim: { falseAll: 100, falseHealthy: 100, messages: 100, bytes: 100 },
    'lha-probe': { falseAll: 67.72, falseHealthy: 32.88, messages: 98.46, bytes: 90.03 },
    'lha-suspicion': { falseAll: 3, falseHealthy: 6.71, messages: 111.31, bytes: 106.52 },
    buddy: { falseAll: 94.08, falseHealthy: 44.57, messages: 100.07, bytes: 99.01 },
    lifeguard: { falseAll: 1.53, falseHealthy: 1.89, messages: 110.59, bytes: 97.97 },
  },
}

/** Per cent of SWIM at alpha 5: median time until all know, false positives. By eye. */
export const LIFEGUARD_TUNING: Published<
  Readonly<Record<string, { readonly median: number; readonly falseAll: number }>>
> = {
  source: LIFEGUARD_BLOG,
  mark: 'fig',
  figures: {
    swim: { median: 100, falseAll: 100 },
    lifeguard: { median: 100, falseAll: 2 },
    'alpha-4': { median: 84.5, falseAll: 5 },
    'alpha-2': { median: 57, falseAll: 14 },
  },
}

/** False positives in all, by members with an anomaly at once, of 128; coarse. */
export const LIFEGUARD_BY_SICK: Published<
  Readonly<Record<number, { readonly swim: number; readonly lifeguard: number }>>
> = {
  source: `${LIFEGUARD}, Fig. 2`,
  mark: 'fig',
  figures: {
    1: { swim: 900, lifeguard: 18 },
    4: { swim: 6_000, lifeguard: 140 },
    8: { swim: 11_000, lifeguard: 110 },
    12: { swim: 23_000, lifeguard: 220 },
    16: { swim: 34_000, lifeguard: 570 },
    20: { swim: 45_000, lifeguard: 740 },
    24: { swim: 58_000, lifeguard: 840 },
    28: { swim: 76_000, lifeguard: 1_300 },
    32: { swim: 81_000, lifeguard: 1_200 },
  },
}

/** 1,000 processes; sizes reported, bootstrap seconds, KB/s of a process in and out: mean, 99th percentile, most. */
export const RAPID_BOOTSTRAP: Published<
  readonly {
    readonly system: string
    readonly seconds: number
    readonly sizes: number
    readonly received?: readonly [number, number, number]
    readonly sent?: readonly [number, number, number]
  }[]
> = {
  source: `${RAPID}, Fig. 5 (seconds), Table 1 (sizes), Table 2 (KB/s)`,
  mark: 'read',
  figures: [
    { system: 'ZooKeeper', seconds: 33, sizes: 1000, received: [0.43, 17.52, 38.86], sent: [0.01, 0.33, 0.67] },
    { system: 'Memberlist', seconds: 45, sizes: 901, received: [0.54, 5.61, 7.36], sent: [0.64, 6.4, 8.04] },
    { system: 'Rapid-C', seconds: 39, sizes: 9 },
    { system: 'Rapid', seconds: 30, sizes: 4, received: [0.71, 3.66, 9.56], sent: [0.71, 3.72, 11.37] },
  ],
}

/** What 1,000 processes did, ten of them sick. */
export const RAPID_FAULTS: Published<{
  readonly crash: readonly string[]
  readonly flip: readonly string[]
  readonly lossy: readonly string[]
}> = {
  source: `${RAPID}, Fig. 8, 9, 10`,
  mark: 'fig',
  figures: {
    crash: ['Rapid: one step for all ten, about 10 s after the first detection of Memberlist'],
    flip: [
      'Memberlist: sizes swing between 990 and 1000, never all ten removed for good',
      'ZooKeeper: does not react',
      'Rapid: exactly the ten removed',
    ],
    lossy: [
      'Memberlist: sizes 992 to 999, still inconsistent near 400 s',
      'ZooKeeper: reacts at about 200 s, not to all',
      'Rapid: exactly the ten removed',
    ],
  },
}

/** Formulas only: support/formulas.ts `serfRounds` and `serfKilobits`. */
export const SERF_CURVE: Published<undefined> = {
  source:
    'the convergence simulator on Serf’s site (hashicorp/serf, website/source/assets/javascripts/lib/_simulator.js)',
  mark: 'calc',
  figures: undefined,
}

/** Simulated, 200 seeds of 120 s, a crash at 60 s; the starved read packets 0.5 to 2.5 s late. Detection is a range over such cells. */
export const KINSHIP_SIMULATED: Published<
  readonly {
    readonly members: number
    readonly starved: number
    readonly lossRatio: number
    /** Of Lifeguard, of SWIM, of SWIM without TCP. */
    readonly falseDeaths: readonly [number, number, number]
    readonly suspicions?: readonly [number, number, number]
    readonly detectionSeconds: readonly [number, number]
  }[]
> = {
  source: KINSHIP,
  mark: 'read',
  figures: [
    {
      members: 50,
      starved: 1,
      lossRatio: 0.01,
      falseDeaths: [0.01, 0.925, 0.9],
      suspicions: [30.3, 145.3, 145.6],
      detectionSeconds: [8.4, 8.8],
    },
    { members: 50, starved: 5, lossRatio: 0.05, falseDeaths: [0.18, 4.475, 4.76], detectionSeconds: [8.4, 8.8] },
    { members: 200, starved: 20, lossRatio: 0.05, falseDeaths: [0.02, 1.1, 1.015], detectionSeconds: [10.9, 11.3] },
  ],
}

/** One of them is killed, `lan`: seconds to the first verdict and until all know, median and 90th percentile. */
export const GO_DETECTION: Published<
  readonly {
    readonly peer: string
    readonly members: number
    readonly victims: number
    readonly first: readonly [number, number]
    readonly all: readonly [number, number]
  }[]
> = {
  source: GO,
  mark: 'measured',
  figures: [
    { peer: 'Go memberlist', members: 10, victims: 40, first: [5.8, 7.5], all: [6.0, 7.8] },
    { peer: 'Go Serf', members: 10, victims: 40, first: [6.1, 7.6], all: [6.4, 7.8] },
    { peer: 'Go memberlist', members: 50, victims: 20, first: [9.0, 11.2], all: [9.3, 11.6] },
    { peer: 'Go Serf', members: 50, victims: 20, first: [8.5, 11.8], all: [8.9, 12.1] },
    { peer: 'Go memberlist', members: 100, victims: 6, first: [10.0, 10.9], all: [10.2, 11.1] },
  ],
}

/** User events of 64 bytes, `lan`: milliseconds until each, and until all have it, median and 99th percentile; packets an event. */
export const GO_EVENTS: Published<
  readonly {
    readonly peer: string
    readonly members: number
    readonly each: readonly [number, number]
    readonly all: readonly [number, number]
    /** Of 60, how many all had. */
    readonly complete: number
    readonly packets: number
  }[]
> = {
  source: GO,
  mark: 'measured',
  figures: [
    { peer: 'Go Serf', members: 10, each: [186, 569], all: [321, 1034], complete: 60, packets: 56 },
    { peer: 'Go Serf', members: 50, each: [302, 706], all: [601, 964], complete: 60, packets: 272 },
    { peer: 'Go Serf', members: 100, each: [360, 747], all: [668, 989], complete: 60, packets: 584 },
  ],
}

/** The line below a table that says where its published figures stand. */
export function sourceOf({ source, mark }: Published<unknown>): string {
  return `Published: ${source} [${mark}].`
}
