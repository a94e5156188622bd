// `npm run fuzz`: mutated and random input against every decoder, whole members and a live one, in bounded time. A crash prints the
// input and the one line that replays it. The same seed gives the same inputs.
//
//   npm run fuzz -- --inputs 1000000 --seed 7        all targets, by their shares
//   npm run fuzz -- --target packet --from 812 --inputs 1     one of them again
//   npm run fuzz -- --replay 'packet plain 0800ff'   given bytes, to the decoders and to a member of each kind
//   npm run fuzz -- --collect [--target payload]     writes one small input for each behaviour met into the corpus
import { parseArgs } from 'node:util'
import { collect } from './collect.ts'
import { held, mebibytes } from './heap.ts'
import { parseInputs } from './input.ts'
import { type LiveOutcome, runLive } from './live.ts'
import { replay, runTarget, TARGETS, type TargetName, type TargetReport } from './targets.ts'
import { Watchdog } from './watchdog.ts'

/** Of all inputs, in hundredths. */
const SHARES: Readonly<Record<TargetName | 'live', number>> = {
  packet: 44,
  stream: 8,
  serf: 18,
  tags: 4,
  payload: 4,
  member: 16,
  live: 6,
}
/** Heap beyond the start that a run may leave behind: compiled code and its statistics, which V8 keeps. */
const MAX_GROWTH_BYTES = 8 * 2 ** 20
/** No input may take so long, on however busy a machine: a stream is read in three ways, and encoded again. */
const MAX_INPUT_MS = 3000
const HANGS_AFTER_MS = 20_000
const WARM_UP_INPUTS = 6000

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    from: { type: 'string', default: '0' },
    target: { type: 'string' },
    replay: { type: 'string' },
    collect: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed)
const thrown: string[] = []
process.on('unhandledRejection', (reason) => thrown.push(`rejection: ${String(reason)}`))
process.on('uncaughtException', (error) => thrown.push(error.stack ?? error.message))

await main()
if (thrown.length > 0) fail(thrown.join('\n'))

async function main(): Promise<void> {
  try {
    if (values.replay !== undefined) {
      for (const line of await replay(parseInputs(values.replay))) console.log(line)
    } else if (values.collect) {
      await collect(Number(values.inputs), seed, values.target)
    } else {
      await run(Number(values.inputs))
    }
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error))
  }
}

async function run(inputs: number): Promise<void> {
  const only = values.target
  if (only !== undefined && !(only in SHARES)) throw new Error(`no target ${only}: ${Object.keys(SHARES).join(', ')}`)
  const count = (target: keyof typeof SHARES): number =>
    only === undefined ? Math.floor((inputs * SHARES[target]) / 100) : only === target ? inputs : 0
  console.log(`fuzz: ${inputs} inputs, seed ${seed}, Node ${process.version}`)
  const lines = TARGETS.map((target) => `${target} input NUMBER: ${again(target, 'NUMBER')}`)
  const watchdog = new Watchdog(HANGS_AFTER_MS, lines)
  const from = Number(values.from)
  if (only === undefined)
    for (const target of TARGETS) await runTarget({ target, seed: seed ^ 1, from: 0, inputs: WARM_UP_INPUTS })
  const before = await held()
  let total = 0
  for (const [place, target] of TARGETS.entries()) {
    if (count(target) === 0) continue
    const report = await fire(target, place, { from, inputs: count(target), watchdog })
    total += report.inputs
    tell(report)
  }
  await watchdog.stop()
  const after = await held()
  tellHeap('heap of the decoders and the members of this process', before.heapBytes, after.heapBytes)
  if (count('live') > 0) {
    const outcome = await runLive({ seed, inputs: count('live') })
    total += outcome.inputs
    tellLive(outcome)
  }
  console.log(`fuzz: ${total} inputs, nothing thrown`)
}

async function fire(
  target: TargetName,
  place: number,
  { from, inputs, watchdog }: { from: number; inputs: number; watchdog: Watchdog },
): Promise<TargetReport> {
  let last = from
  try {
    return await runTarget({
      target,
      seed,
      from,
      inputs,
      began(number) {
        last = number
        watchdog.began(place, number)
      },
    })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new Error(`${target} input ${last}: ${message}\n  again: ${again(target, last)}`, { cause: error })
  } finally {
    watchdog.rest()
  }
}

/** The line that gives this input again; to members, with all that came before it in its epoch. */
function again(target: TargetName, number: number | string): string {
  return `npm run fuzz -- --seed ${seed} --target ${target} --from ${number} --inputs 1`
}

function tell({ target, inputs, ms, slowestMs, slowestAt, totals }: TargetReport): void {
  const rate = Math.round(inputs / (ms / 1000))
  console.log(
    `${target.padEnd(7)} ${String(inputs).padStart(8)} inputs  ${String(rate).padStart(7)}/s  slowest ${slowestMs.toFixed(1)} ms (input ${slowestAt})`,
  )
  if (slowestMs > MAX_INPUT_MS)
    fail(`${target}: input ${slowestAt} took ${slowestMs.toFixed(0)} ms, at most ${MAX_INPUT_MS}`)
  if (totals === undefined) return
  const { packetsIn, packetsOut, bytesIn, bytesOut, mostAnswers, mostToStrangers, mostGain, questions, warnings } =
    totals
  console.log(
    `        ${packetsIn} packets in, ${packetsOut} out; ${mebibytes(bytesIn)} in, ${mebibytes(bytesOut)} out; ` +
      `at most ${mostAnswers} packets at once after one; ${questions} pings, each answered at once`,
  )
  console.log(
    `        to addresses of no member: at most ${mostToStrangers} bytes at once, at most ${mostGain} more than had come`,
  )
  console.log(`        warnings: ${inWords(warnings)}`)
}

function tellLive(outcome: LiveOutcome): void {
  const { packets, packetsDropped, streams, ms, before, after, answers, doubts } = outcome
  console.log(
    `live    ${String(packets + streams).padStart(8)} inputs  ${String(Math.round((packets + streams) / (ms / 1000))).padStart(7)}/s  ` +
      `${packets} packets (${packetsDropped} dropped by the system), ${streams} streams`,
  )
  console.log(
    `        ${answers.asked} pings, ${answers.missed} missed, median ${answers.medianMs.toFixed(1)} ms, slowest ` +
      `${answers.slowestMs.toFixed(1)} ms; longest turn ${after.longestTurnMs.toFixed(1)} ms; doubts of its peer: ${doubts}`,
  )
  console.log(`        warnings: ${inWords(after.stats.warnings)}`)
  console.log(`        told as events: ${inWords(after.told)}`)
  if (packetsDropped > 0) fail(`${packetsDropped} packets never arrived: the run is no proof`)
  if (after.thrown.length > 0) fail(after.thrown.join('\n'))
  if (after.state !== 'alive') fail(`the member holds itself for ${after.state}`)
  if (answers.missed > 0) fail(`${answers.missed} pings were not answered within a probe timeout`)
  if (doubts > 0) fail('its peer doubted that the member is there')
  if (after.known.length > 2) fail(`${after.known.length} members are still known`)
  tellHeap('heap of the live member', before.heapBytes, after.heapBytes)
}

function tellHeap(what: string, before: number, after: number): void {
  const grown = after - before
  console.log(
    `${what}: ${mebibytes(before)} before, ${mebibytes(after)} after (at most ${mebibytes(MAX_GROWTH_BYTES)} more)`,
  )
  if (grown > MAX_GROWTH_BYTES) fail(`${what} has grown by ${mebibytes(grown)}`)
}

function inWords(counts: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(counts).sort(([, left], [, right]) => right - left)
  return sorted.map(([name, count]) => `${name} ${count}`).join(', ')
}

function fail(why: string): void {
  console.error(`fuzz: FAILED: ${why}`)
  process.exitCode = 1
}
