// How soon a SIGKILL is known, as a test: for one profile, plain and encrypted, a mixed cluster beside one of Go alone. Each kill keeps the
// bound; the medians are compared over the kills of both plays, which differ in the cipher alone.
import assert from 'node:assert/strict'
import { compare, DETECTION_PLAYS, delayOf, type Kill, ratioOfMedians, tableOf } from './detection.ts'
import { goMissing } from './go-build.ts'
import { interopTest } from './interop-test.ts'
import { judge } from './scenario-test.ts'
import { mixedCast, pureCast, type Scenario } from './scenarios.ts'
import { Stage } from './stage.ts'

/** In each cluster of each play. */
const KILLS = 24
/** At most so much slower than Go, in the median. */
const LIMIT = 1.1
/** A test that cries wolf once in a thousand runs is run for nothing: the limit fails only what is above it beyond that doubt. */
const CONFIDENCE = 0.998
/** Below the time after which test/run.ts takes a file for hung. */
const WITHIN_MS = 290_000

export function detectionTest(profile: 'lan' | 'local'): void {
  interopTest(
    `a killed process is known to be dead as soon as in a cluster of Go alone, ${profile}`,
    async (stage) => {
      const [ours, theirs]: [Kill[], Kill[]] = [[], []]
      for (const scenario of DETECTION_PLAYS.filter((one) => one.profile === profile)) {
        const kills = await killBoth(stage, scenario)
        ours.push(...kills[0])
        theirs.push(...kills[1])
      }
      await stage.step(`the medians, of ${ours.length} kills in each, are within ${LIMIT} of each other`, async () => {
        const { ratio, least, most } = ratioOfMedians(ours.map(delayOf), theirs.map(delayOf), CONFIDENCE, Math.random)
        const range = `${least.toFixed(2)} to ${most.toFixed(2)} with confidence ${CONFIDENCE}`
        stage.note(`${profile}: ratio of the medians ${ratio.toFixed(3)}, ${range}, ${ours.length} kills in each`)
        assert.ok(least <= LIMIT, `slower than Go by more than ${LIMIT}: ${ratio.toFixed(2)}, ${range}`)
      })
    },
    { lacks: async () => goMissing(), withinMs: WITHIN_MS },
  )
}

async function killBoth({ step, note }: Stage, scenario: Scenario): Promise<[mixed: Kill[], pure: Kill[]]> {
  const how = scenario.isEncrypted ? 'encrypted' : 'plain'
  const [mixed, pure] = [new Stage(step, note), new Stage(step, note)]
  const kills: [Kill[], Kill[]] = [[], []]
  await step(`${KILLS} members of each cluster are dead everywhere within the bound, ${how}`, async () => {
    const [ours = [], theirs = []] = await compare(mixed, pure, [mixedCast(scenario), pureCast(scenario)], KILLS)
    kills[0].push(...ours)
    kills[1].push(...theirs)
    for (const line of tableOf({ mixed: ours, 'Go alone': theirs })) note(`${scenario.id}, ${line}`)
  })
  await judge(mixed, scenario.id, pure.agents)
  for (const fault of pure.faults()) note(`Go alone: ${fault}`)
  return kills
}
