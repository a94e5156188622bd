// Five Go and five Node processes in one cluster with the `lan` profile, plain and encrypted. The other profile has a file of its own, so
// that the two are played side by side.
import { MIXED_PLAYS } from './support/mixed-plays.ts'
import { scenarioTest } from './support/scenario-test.ts'

for (const scenario of MIXED_PLAYS.filter(({ profile }) => profile === 'lan')) scenarioTest(scenario)
