// Real `serf` agents and Node processes in one cluster, as witnesses of each other: membership, tags, death, leave; plain, encrypted, IPv6.
// The Go agents' logs are read: no warning or error that a pure-Go run of the same scenario does not print.
import { scenarioTest } from './support/scenario-test.ts'
import { SCENARIOS } from './support/scenarios.ts'

for (const scenario of SCENARIOS) scenarioTest(scenario)
