// What `npm run explore` is asked for, read from its arguments: every number is checked, for a search that runs nothing looks like one that
// finds nothing. Runs nothing itself; a trial in a file is for trial-file.ts.
import { parseArgs } from 'node:util'
import type { TranscriptDetail } from '../../src/sim/transcript.ts'
import type { Piece } from './processes.ts'

export interface Asked {
  /** Of seeds; not looked at where there is a file. */
  readonly list: Piece
  /** A file with a trial, in place of the list. */
  readonly trial: string | undefined
  /** Real milliseconds. */
  readonly forMs: number
  /** Failures after which it ends. */
  readonly failures: number
  readonly transcript: TranscriptDetail
  readonly processes: number
  readonly shrinks: boolean
  /** It was begun by another process, which waits for the result. */
  readonly tellsResult: boolean
  /** What the processes that it begins are told as well. */
  readonly passedOn: readonly string[]
}

const WITHOUT_END = 1_000_000_000
const MOST_PROCESSES = 64
const DETAILS: readonly TranscriptDetail[] = ['off', 'events', 'packets']

/** Reads them. @throws Error that says which is wrong, and what it may be */
export function askedFor(args: readonly string[], freshSeed: number): Asked {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string' },
      seed: { type: 'string' },
      seeds: { type: 'string' },
      trial: { type: 'string' },
      transcript: { type: 'string', default: 'off' },
      failures: { type: 'string', default: '1' },
      'no-shrink': { type: 'boolean', default: false },
      processes: { type: 'string', default: '1' },
      result: { type: 'boolean', default: false },
    },
  })
  const { trial, minutes, failures } = values
  const transcript = DETAILS.find((detail) => detail === values.transcript)
  if (transcript === undefined) throw wrong('transcript', values.transcript, DETAILS.join(', '))
  const processes = whole('processes', values.processes, 1, MOST_PROCESSES)
  for (const other of ['seed', 'seeds', 'minutes'] as const) {
    if (trial !== undefined && values[other] !== undefined)
      throw new Error(`--trial is one run: --${other} says nothing`)
  }
  if (processes > 1 && (trial !== undefined || transcript !== 'off')) {
    throw new Error('--processes is for lists of seeds: neither --trial nor --transcript goes with it')
  }
  const forMs = minutes === undefined ? Number.POSITIVE_INFINITY : Number(minutes) * 60_000
  if (!(forMs > 0) || minutes === '') throw wrong('minutes', minutes, 'a number above 0')
  const passedOn = ['--failures', failures]
  if (minutes !== undefined) passedOn.push('--minutes', minutes)
  if (values['no-shrink']) passedOn.push('--no-shrink')
  return {
    list: listOf(values, freshSeed),
    trial,
    forMs,
    failures: whole('failures', failures, 1),
    transcript,
    processes,
    shrinks: !values['no-shrink'],
    tellsResult: values.result,
    passedOn,
  }
}

function listOf(
  { seed, seeds, minutes }: { seed?: string; seeds?: string; minutes?: string },
  freshSeed: number,
): Piece {
  const range = /^(\d+)-(\d+)$/.exec(seeds ?? '')
  if (range !== null) {
    if (seed !== undefined) throw new Error(`--seeds ${seeds} says where it begins: --seed ${seed} says it again`)
    const from = whole('seeds', range[1] as string, 0)
    const to = whole('seeds', range[2] as string, 0)
    if (to < from) throw wrong('seeds', seeds, 'a number from 1, or the first and the last of a list: 1-40')
    return { from, count: to - from + 1 }
  }
  const from = seed === undefined ? freshSeed : whole('seed', seed, 0)
  const isOne = seed !== undefined && minutes === undefined
  return { from, count: seeds === undefined ? (isOne ? 1 : WITHOUT_END) : whole('seeds', seeds, 1) }
}

function whole(option: string, text: string, least: number, most: number = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw wrong(option, text, `a whole number from ${least}${most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`}`)
}

function wrong(option: string, value: unknown, limit: string): Error {
  return new Error(`--${option} is ${JSON.stringify(value)}, and must be ${limit}`)
}
