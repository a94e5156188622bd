// SIGKILL of a process of either kind is known as soon in a mixed cluster as in one of Go alone: both are killed member by member at the
// same moments. A tight figure takes more kills than a test has time for: `npm run soak` has them; what so few can show is asserted here.
import assert from 'node:assert/strict'
import { compare, DETECTION_PLAYS, delayOf, ratioOfMedians, tableOf } from './support/detection.ts'
import { goMissing } from './support/go-build.ts'
import { interopTest } from './support/interop-test.ts'
import { judge } from './support/scenario-test.ts'
import { mixedCast, pureCast } from './support/scenarios.ts'
import { Stage } from './support/stage.ts'

const KILLS = 32
/** At most so much slower than Go, in the median. */
const LIMIT = 1.1
/** A test that cries wolf once in a thousand runs is run for nothing: the limit fails only what is above it beyond that doubt. */
const CONFIDENCE = 0.998

for (const scenario of DETECTION_PLAYS.filter(
  ({ id }) => id === 'detection-lan' || id === 'detection-local-encrypted',
)) {
  interopTest(
    scenario.title,
    async (stage) => {
      const pure = new Stage(stage.step, stage.note)
      await stage.step(`${KILLS} members of each cluster are dead everywhere within the bound`, async () => {
        const [ours = [], theirs = []] = await compare(stage, pure, [mixedCast(scenario), pureCast(scenario)], KILLS)
        for (const line of tableOf({ mixed: ours, 'Go alone': theirs })) stage.note(line)
        const { ratio, least, most } = ratioOfMedians(ours.map(delayOf), theirs.map(delayOf), CONFIDENCE, Math.random)
        const range = `${least.toFixed(2)} to ${most.toFixed(2)} with confidence ${CONFIDENCE}`
        stage.note(`ratio of the medians ${ratio.toFixed(3)}, ${range}`)
        assert.ok(least <= LIMIT, `slower than Go by more than ${LIMIT}: ${ratio.toFixed(2)}, ${range}`)
      })
      await judge(stage, scenario.id, pure.agents)
      assert.deepEqual(pure.faults(), [])
    },
    { lacks: async () => goMissing(), withinMs: 280_000 },
  )
}
