// Real `serf` agents and Node processes in one cluster, as witnesses of each other: membership, tags, death, leave; plain, encrypted, IPv6.
// The Go agents' logs are read: no warning or error that a pure-Go run of the same scenario does not print.
import assert from 'node:assert/strict'
import { interopTest } from './support/interop-test.ts'
import { readAllowList, unexcused } from './support/logs.ts'
import { canBind } from './support/ports.ts'
import { SCENARIOS } from './support/scenarios.ts'

for (const scenario of SCENARIOS) {
  const { host } = scenario
  interopTest(
    scenario.title,
    async (stage) => {
      await scenario.play(stage, scenario)
      await stage.stop()
      for (const doubt of stage.doubts()) stage.note(doubt)
      await stage.step('nobody failed, and nobody was called dead who was not', async () => {
        assert.deepEqual(stage.faults(), [], await stage.dump())
      })
      await stage.step('the agents log no warning or error that pure Go does not', async () => {
        const names = stage.peers.map(({ name }) => name)
        const lines = stage.agents.flatMap(({ log }) => log)
        assert.ok(lines.length > 0, 'the agents logged')
        assert.deepEqual(unexcused(lines, names, scenario.id, readAllowList()), [], await stage.dump())
      })
    },
    { lacks: async () => (host === undefined || (await canBind(host)) ? undefined : `no ${host} on this machine`) },
  )
}
