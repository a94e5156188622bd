// What many trials came to, put together: how often each fault was injected and felt, and how long it took to agree. And how a trial is printed.
import type { Outcome } from '../../src/sim/exploration.ts'
import type { Trial } from '../../src/sim/schedules.ts'

/** All that the generator offers, as `nameOf` names it: what never happened in a long list of seeds was not explored. */
export const OFFERED: readonly string[] = [
  ...['killed', 'unplugged'].map((how) => `crash: ${how}`),
  ...['kept', 'lost', 'kept, finds back alone'].map((disk) => `restart: disk ${disk}`),
  ...['all', 'packets'].flatMap((cuts) => ['one way', 'both ways'].map((ways) => `cut: ${cuts}, ${ways}`)),
  ...['all', 'packets'].flatMap((cuts) => ['in', 'out', 'both'].map((side) => `isolate: ${cuts}, ${side}`)),
  ...['full', 'read-only', 'sync', 'stuck'].map((fault) => `disk: ${fault}`),
  ...['leave', 'pause', 'lag', 'slow', 'drift', 'partition', 'loss', 'duplication', 'reordering', 'latency', 'mtu'],
  ...['force-leave', 'tags', 'event', 'query', 'small buffers', 'refusing machines'],
]

/** Effects on traffic, timers and disks that each must have had somewhere while faults went on. */
const FELT: readonly string[] = [
  ...['duplicated', 'reordered', 'delayed', 'refused', 'resent', 'held', 'lagged', 'slowed', 'late', 'drifted'],
  ...['cut', 'loss', 'host-down', 'too-big', 'no-listener', 'buffer-full'].map((why) => `dropped: ${why}`),
  ...['full', 'read-only', 'sync', 'stuck'].map((fault) => `disk: ${fault}`),
]

/** A tally as data, to be sent from one process to another. */
export interface TallyData {
  readonly runs: number
  readonly counts: readonly (readonly [string, number])[]
  readonly felt: readonly (readonly [string, number])[]
  readonly agreedMs: readonly number[]
}

export class Tally {
  runs = 0
  readonly #counts = new Map<string, number>()
  readonly #felt = new Map<string, number>()
  readonly #agreedMs: number[] = []

  add({ counts, felt, agreedAfterMs }: Outcome): void {
    const agreedMs = agreedAfterMs === undefined ? [] : [agreedAfterMs]
    this.addData({ runs: 1, counts: [...counts], felt: [...felt], agreedMs })
  }

  /** What another has put together. */
  addData({ runs, counts, felt, agreedMs }: TallyData): void {
    this.runs += runs
    for (const [what, times] of counts) this.#counts.set(what, (this.#counts.get(what) ?? 0) + times)
    for (const [what, times] of felt) this.#felt.set(what, (this.#felt.get(what) ?? 0) + times)
    this.#agreedMs.push(...agreedMs)
  }

  toData(): TallyData {
    return { runs: this.runs, counts: [...this.#counts], felt: [...this.#felt], agreedMs: this.#agreedMs }
  }

  /** What was offered, and never happened or never had an effect. */
  missing(): readonly string[] {
    return [
      ...OFFERED.filter((what) => (this.#counts.get(what) ?? 0) === 0),
      ...FELT.filter((what) => (this.#felt.get(what) ?? 0) === 0),
    ]
  }

  /** Virtual milliseconds within which such a share of the runs agreed, of those that did; `undefined` where none did. */
  agreedMs(share: number): number | undefined {
    const sorted = this.#agreedMs.toSorted((left, right) => left - right)
    return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  }

  toString(): string {
    const seconds = (share: number): string => {
      const ms = this.agreedMs(share)
      return ms === undefined ? 'never' : (ms / 1000).toFixed(1)
    }
    const listed = (counts: ReadonlyMap<string, number>): string =>
      [...counts]
        .filter(([, times]) => times > 0)
        .sort(byName)
        .map(([what, times]) => `  ${what.padEnd(34)} ${times}`)
        .join('\n')
    return [
      `${this.runs} runs; injected:`,
      listed(this.#counts),
      'felt, in packets, pieces, timers and writes, until the faults ended:',
      listed(this.#felt),
      `virtual seconds from the end of the faults until all agreed: median ${seconds(0.5)}, 99 % ${seconds(0.99)}, longest ${seconds(1)}`,
    ].join('\n')
  }
}

function byName([left]: [string, number], [right]: [string, number]): number {
  return left < right ? -1 : 1
}

/** The one command that runs it again. */
export function replayCommand(seed: number): string {
  return `npm run explore -- --seed ${seed} --transcript events`
}

/** The same of a trial that stands in a file: its seed alone is another trial. */
export function replayOfFile(path: string): string {
  return `npm run explore -- --trial ${JSON.stringify(path)} --transcript events`
}

/** A trial as data, one fault a line. */
export function asText(trial: Trial): string {
  const { faults, ...rest } = trial
  const lines = faults.map((fault) => `    ${JSON.stringify(fault)}`)
  return `{ ${JSON.stringify(rest).slice(1, -1)}, "faults": [\n${lines.join(',\n')}\n] }`
}
