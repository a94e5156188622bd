// A dead member that comes back without asking anybody is found again: by a Go agent's reconnector, and by ours. With one member dead and
// one alive Serf tries at every interval (serf-behaviour §31), so the wait has a bound.
import { interopTest } from './support/interop-test.ts'
import type { Program } from './support/peer.ts'
import { detectionBoundMs } from './support/timing.ts'
import { everyoneAgrees, everyoneElseTold } from './support/views.ts'

/** Serf's interval between two looks. */
const RECONNECT_MS = 30_000

for (const [seeker, lost] of [
  ['agent', 'node'],
  ['node', 'agent'],
] as const satisfies readonly (readonly [Program, Program])[]) {
  interopTest(`who runs as ${seeker} finds a dead ${lost} again that has come back`, async (stage) => {
    const profile = 'local'
    const finder = await stage.start(seeker, { name: 'finder', profile })
    const before = await stage.start(lost, { name: 'lost', profile, join: [finder.address] })
    await everyoneAgrees(stage, 'two alive', 5_000)
    await stage.kill(before)
    await everyoneElseTold(stage, 'dead', before, { withinMs: detectionBoundMs(profile, 2) })
    const since = performance.now()
    await stage.start(lost, { name: 'lost', profile, port: Number(before.address.split(':').pop()) })
    await everyoneAgrees(stage, 'two alive again', RECONNECT_MS + 5_000)
    stage.note(
      `the ${seeker} found the ${lost} ${((performance.now() - since) / 1000).toFixed(1)} s after it came back`,
    )
  })
}
