// A scenario as a test: the mixed cast plays it, then what holds for every scenario is judged, and the agents' logs are read.
import assert from 'node:assert/strict'
import { goMissing } from './go-build.ts'
import { interopTest } from './interop-test.ts'
import { missesTheKilled, normalise, readAllowList, unexcused } from './logs.ts'
import { canBind } from './ports.ts'
import { mixedCast, type Scenario } from './scenarios.ts'
import type { LoggingPeer, Stage } from './stage.ts'

export function scenarioTest(scenario: Scenario): void {
  interopTest(
    scenario.title,
    async (stage) => {
      await scenario.play(stage, mixedCast(scenario))
      await judge(stage, scenario.id)
    },
    { lacks: () => lacksFor(scenario) },
  )
}

/** Ends the play. Nobody failed, and the agents logged no warning or error that pure-Go runs of that scenario do not print.
 *  @param pure agents of a pure-Go cluster that played the same beside it: what they print is excused too */
export async function judge(stage: Stage, id: string, pure: readonly LoggingPeer[] = []): Promise<void> {
  await stage.stop()
  for (const doubt of stage.doubts()) stage.note(doubt)
  await stage.step('nobody failed, and nobody was called dead who was not', async () => {
    assert.deepEqual(stage.faults(), [], await stage.dump())
  })
  await stage.step('the agents log no warning or error that pure Go does not', async () => {
    const names = stage.peers.map(({ name }) => name)
    const killed = new Set(stage.peers.flatMap(({ name, address }) => (stage.killed.has(name) ? [name, address] : [])))
    const lines = stage.agents.flatMap(({ log }) => log).filter((line) => !missesTheKilled(line, killed))
    assert.ok(lines.length > 0, 'the agents logged')
    const pureNames = pure.map(({ name }) => name)
    const excused = new Set(pure.flatMap(({ log }) => log).map((line) => normalise(line, pureNames)))
    const doubtful = unexcused(lines, names, id, readAllowList()).filter((line) => !excused.has(line))
    assert.deepEqual(doubtful, [], await stage.dump())
  })
}

async function lacksFor({ host, cast }: Scenario): Promise<string | undefined> {
  if (host !== undefined && !(await canBind(host))) return `no ${host} on this machine`
  return cast.some((program) => program === 'serf' || program === 'memberlist') ? goMissing() : undefined
}
