// Program: plays the scenarios with Go agents alone and writes which warnings and errors they print, normalised, with counts, into
// the allow-list. `node --import tsx record-allow-list.ts [--scenario ID] [--runs N] [--at-once] [--write] [--fresh]`: ID is the beginning
// of one; without `--write` it only prints; counts are added to those of the file, unless `--fresh` forgets those of the chosen
// scenarios first. Nothing else may write that file.
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { DETECTION_PLAYS } from './detection.ts'
import { ALLOW_LIST_FILE, type AllowedLine, type AllowList, isTrouble, normalise, readAllowList } from './logs.ts'
import { MIXED_PLAYS } from './mixed-plays.ts'
import { pureCast, SCENARIOS, type Scenario } from './scenarios.ts'
import { serfOnPath } from './serf-agent.ts'
import { Stage } from './stage.ts'

const { values } = parseArgs({
  options: {
    scenario: { type: 'string' },
    runs: { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
    fresh: { type: 'boolean', default: false },
    'at-once': { type: 'boolean', default: false },
  },
})

const serf = serfOnPath()
if (serf === undefined) throw new Error('no serf on the PATH')
const agent = execFileSync(serf, ['version'], { encoding: 'utf8' }).split('\n', 1)[0] ?? ''
const chosen = [...SCENARIOS, ...MIXED_PLAYS, ...DETECTION_PLAYS].filter(
  ({ id }) => values.scenario === undefined || id.startsWith(values.scenario),
)

const forgotten = new Set(values.fresh ? chosen.map(({ id }) => id) : [])

for (let run = 1; run <= Number(values.runs); run++) {
  const rounds = values['at-once'] ? [chosen] : chosen.map((scenario) => [scenario])
  for (const round of rounds) {
    const plays = await Promise.all(
      round.map(async (scenario) => ({ scenario, lines: await playWithGo(scenario, run) })),
    )
    if (values.write) for (const { scenario, lines } of plays) write(scenario.id, lines)
  }
}

function write(id: string, lines: ReadonlyMap<string, number> | undefined): void {
  const before = existsSync(ALLOW_LIST_FILE) ? readAllowList() : { agent, runs: {}, spoilt: {}, allowed: [] }
  const list = forgotten.delete(id) ? without(before, id) : before
  const next = lines === undefined ? withSpoiltRun(list, id) : withRun(list, id, lines)
  writeFileSync(ALLOW_LIST_FILE, `${JSON.stringify(next, undefined, 2)}\n`)
}

/** Normalised warnings and errors of one run, with how often each was printed; `undefined` when Go alone fails the scenario. */
async function playWithGo(scenario: Scenario, run: number): Promise<Map<string, number> | undefined> {
  const say = (text: string): void => console.log(`${scenario.id}, run ${run}: ${text}`)
  const stage = new Stage(async (title, part) => {
    const start = performance.now()
    await part()
    say(`${((performance.now() - start) / 1000).toFixed(1)} s: ${title}`)
  }, say)
  const failures: string[] = []
  try {
    await scenario.play(stage, pureCast(scenario))
  } catch (error) {
    failures.push((error as Error).message)
  } finally {
    await stage.stop()
  }
  for (const doubt of stage.doubts()) say(doubt)
  failures.push(...stage.faults())
  if (failures.length > 0) {
    say(`SPOILT, Go alone fails this: ${failures.join('; ')}`)
    return undefined
  }
  const names = stage.peers.map(({ name }) => name)
  const counts = new Map<string, number>()
  for (const line of stage.agents.flatMap(({ log }) => log).filter(isTrouble)) {
    const text = normalise(line, names)
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  for (const [line, count] of counts) say(`${count} x ${line}`)
  return counts
}

function without({ runs, spoilt, allowed, ...rest }: AllowList, scenario: string): AllowList {
  const drop = (counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
    Object.fromEntries(Object.entries(counts).filter(([id]) => id !== scenario))
  const kept = allowed.filter((entry) => entry.scenario !== scenario)
  return { ...rest, runs: drop(runs), spoilt: drop(spoilt), allowed: kept }
}

function withSpoiltRun(list: AllowList, scenario: string): AllowList {
  return { ...list, spoilt: { ...list.spoilt, [scenario]: (list.spoilt[scenario] ?? 0) + 1 } }
}

function withRun(list: AllowList, scenario: string, lines: ReadonlyMap<string, number>): AllowList {
  const allowed = new Map<string, AllowedLine>(list.allowed.map((entry) => [`${entry.scenario} ${entry.line}`, entry]))
  for (const [line, count] of lines) {
    const before = allowed.get(`${scenario} ${line}`)
    allowed.set(`${scenario} ${line}`, {
      scenario,
      line,
      seenInRuns: (before?.seenInRuns ?? 0) + 1,
      seenLines: (before?.seenLines ?? 0) + count,
    })
  }
  const sorted = [...allowed.entries()].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, entry]) => entry)
  return { ...list, agent, runs: { ...list.runs, [scenario]: (list.runs[scenario] ?? 0) + 1 }, allowed: sorted }
}
