// A member with a snapshot that is killed under load, again and again, and each time has to find its way back by itself. For
// snapshot.test.ts, and for the soak with more of them.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { utf8 } from '../../src/base/bytes.ts'
import { Random } from '../../src/base/random.ts'
import { Membership } from '../../src/index.ts'
import { SnapshotReader, type SnapshotState } from '../../src/serf/snapshot-format.ts'
import type { Said } from './snapshot-child.ts'

const PROGRAM = fileURLToPath(new URL('./snapshot-child.ts', import.meta.url))
const EVENTS_A_SECOND = 400
/** How long a life lasts after it is in: by chance between these. */
const LEAST_LIFE_MS = 50
const MOST_LIFE_MS = 1200
const MOST_WAIT_MS = 45_000

export interface KillsReport {
  readonly kills: number
  /** Bytes of lines that were known to be written, and how often the file was written anew. */
  readonly bytes: number
  readonly compactions: number
  /** Kills that left a torn line. */
  readonly torn: number
  /** Bytes beyond those known to be written, at most. */
  readonly mostUnknownBytes: number
  readonly events: number
  /** From the start of a process until all saw it back, at most. */
  readonly slowestReturnMs: number
}

/** One life in a process. */
export class Life {
  readonly child: ChildProcess
  readonly said: Said[] = []
  #heard: (() => void)[] = []

  /** @param prefix a command that runs it */
  constructor(args: readonly string[], prefix: readonly string[] = []) {
    const [file = '', ...rest] = [...prefix, process.execPath, '--import', 'tsx', PROGRAM, ...args]
    this.child = spawn(file, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.child.on('message', (said: Said) => {
      this.said.push(said)
      this.#wake()
    })
    this.child.once('exit', () => this.#wake())
  }

  /** The first of its words that are such. */
  async until<Kind extends Said['kind']>(
    kind: Kind,
    isIt: (said: Extract<Said, { kind: Kind }>) => boolean = () => true,
  ): Promise<Extract<Said, { kind: Kind }>> {
    for (;;) {
      const found = this.said.find(
        (one): one is Extract<Said, { kind: Kind }> => one.kind === kind && isIt(one as Extract<Said, { kind: Kind }>),
      )
      if (found !== undefined) return found
      assert.equal(this.child.exitCode, null, `it ended with code ${this.child.exitCode}`)
      await bounded(
        new Promise<void>((resolve) => this.#heard.push(resolve)),
        () => `it has not said ${kind}; last it said ${JSON.stringify(this.said.slice(-10))}`,
      )
    }
  }

  #wake(): void {
    for (const heard of this.#heard.splice(0)) heard()
  }

  /** Gone at once; all it has said is here when it resolves. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const closed = once(this.child, 'close')
    this.child.kill('SIGKILL')
    await closed
  }
}

/** What a file says. */
export function readSnapshot(text: string): SnapshotState {
  const reader = new SnapshotReader(false)
  reader.take(utf8(text))
  assert.equal(reader.report().skipped, 0, 'every whole line is one of ours')
  return reader.state
}

/** Kills it so many times; rejects where anything that was written is lost, or it does not come back. */
export async function killOverAndOver(
  path: string,
  address: string,
  kills: number,
  seed: number,
): Promise<KillsReport> {
  const random = new Random(seed)
  const keepers = await Promise.all(['first', 'second'].map(start))
  const [first, second] = keepers as [Membership, Membership]
  await second.join([first.local.address], { required: true })
  const churn = new Churn(first.local.address)
  const report = { kills: 0, bytes: 0, compactions: 0, torn: 0, mostUnknownBytes: 0, events: 0, slowestReturnMs: 0 }
  let written = ''
  let life: Life | undefined
  try {
    for (let number = 1; number <= kills + 1; number++) {
      const before = number === 1 ? undefined : readSnapshot(wholeLines(written))
      const began = performance.now()
      const seeds = number === 1 ? [first.local.address] : []
      life = new Life([path, address, String(number), String(EVENTS_A_SECOND), ...seeds])
      const { incarnation } = await life.until('started')
      const { said } = life
      await bounded(Promise.all(keepers.map((keeper) => untilBack(keeper, String(number)))), () => {
        const seen = keepers.map((keeper) => JSON.stringify(keeper.member('mortal')))
        const met = said.filter(({ kind }) => kind === 'met' || kind === 'warning').map((one) => JSON.stringify(one))
        return `life ${number} is not back: the others see ${seen.join(' ')}; it told ${met.join(' ')}`
      })
      report.slowestReturnMs = Math.max(report.slowestReturnMs, performance.now() - began)
      if (before !== undefined) assert.ok(incarnation > before.incarnation, 'it goes on above its old number')
      const lifeMs = LEAST_LIFE_MS + random.below(MOST_LIFE_MS - LEAST_LIFE_MS)
      await new Promise((resolve) => setTimeout(resolve, lifeMs))
      await life.kill()
      const after = readFileSync(path, 'utf8')
      check(life.said, before, written, after, report)
      written = after
      report.kills++
    }
    report.kills-- // the last life was its proof
    return report
  } finally {
    await life?.kill()
    await churn.end()
    await Promise.all(keepers.map((keeper) => keeper.close()))
  }
}

type Counts = { -readonly [Key in keyof KillsReport]: KillsReport[Key] }

/** @param written what the file held before this life @param after what it holds now */
function check(
  said: readonly Said[],
  before: SnapshotState | undefined,
  written: string,
  after: string,
  report: Counts,
): void {
  let known = wholeLines(written)
  for (const one of said) {
    if (one.kind === 'event') {
      report.events++
      const seen = before?.eventClock ?? 0
      assert.ok(one.ltime > seen, `an event of ${one.ltime} was told again, ${seen} was in the file`)
    }
    assert.notEqual(one.kind === 'warning' && one.code.startsWith('snapshot'), true, JSON.stringify(one))
    if (one.kind === 'appended') known += one.text
    if (one.kind === 'replaced') {
      known = one.text
      report.compactions++
    }
    if (one.kind === 'appended' || one.kind === 'replaced') report.bytes += one.text.length
  }
  if (!after.endsWith('\n')) report.torn++
  if (after.startsWith(known)) {
    report.mostUnknownBytes = Math.max(report.mostUnknownBytes, after.length - known.length)
    return
  }
  // It was written anew in the moment before the end: then it says at least as much.
  const [least, now] = [readSnapshot(known), readSnapshot(wholeLines(after))]
  assert.ok(now.eventClock >= least.eventClock && now.clock >= least.clock && now.incarnation >= least.incarnation)
  for (const name of ['first', 'second', 'mortal']) assert.equal(now.alive.get(name), least.alive.get(name))
  report.compactions++
}

function wholeLines(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1)
}

async function start(name: string): Promise<Membership> {
  const membership = new Membership({ name, bind: '127.0.0.1:0', profile: 'local' })
  await membership.start()
  return membership
}

/** Rejects with why where it takes longer than anything here does on a busy machine. */
async function bounded<Value>(work: Promise<Value>, why: () => string): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(why())), MOST_WAIT_MS)
  })
  try {
    return await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
  }
}

/** Resolves when the member is alive in this life. */
async function untilBack(keeper: Membership, life: string): Promise<void> {
  for await (const _ of keeper.changes()) {
    const member = keeper.member('mortal')
    if (member?.state === 'alive' && member.tags.life === life) return
  }
}

/** Members that come and leave all the while. */
class Churn {
  readonly #seed: string
  readonly #running: Promise<void>
  #isOver = false

  constructor(seed: string) {
    this.#seed = seed
    this.#running = this.#run()
  }

  async end(): Promise<void> {
    this.#isOver = true
    await this.#running
  }

  async #run(): Promise<void> {
    for (let number = 0; !this.#isOver; number++) {
      const options = {
        name: `guest ${number % 5}`,
        bind: '127.0.0.1:0',
        profile: 'local',
        leavePropagateDelayMs: 1,
      } as const
      const guest = new Membership(options)
      await guest.join([this.#seed])
      await new Promise((resolve) => setTimeout(resolve, 50))
      await guest.leave({ timeoutMs: 1000 })
    }
  }
}
