// What members at rest cost, in counts that no machine changes: tasks of the schedule and packets a member and virtual second. Who adds
// a timer or a packet to the quiet of a cluster pays for it in every real member too.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cluster } from '../../src/sim/cluster.ts'

const MEMBERS = 60
const SECONDS = 60

test('at rest a member takes two packets and at most four steps a second, and remembers no event it was told not to', async () => {
  const cluster = new Cluster({ seed: 5, transcript: 'off', keepsEvents: false })
  await cluster.start(MEMBERS)
  await cluster.settle()
  const isQuiet = (): boolean => cluster.names.every((name) => cluster.member(name).stats().queued === 0)
  await cluster.until(isQuiet, { everyMs: 1000 })
  const { schedule, network } = cluster.simulation
  const [steps, packets] = [schedule.steps, network.traffic.sent.packets]
  await cluster.run(SECONDS * 1000)
  const perSecond = (count: number): number => count / MEMBERS / SECONDS
  const packetsEach = perSecond(network.traffic.sent.packets - packets)
  const stepsEach = perSecond(schedule.steps - steps)
  assert.ok(packetsEach > 1.9 && packetsEach < 2.1, `${packetsEach} packets`)
  assert.ok(stepsEach > 3 && stepsEach < 4, `${stepsEach} steps`)
  assert.deepEqual(cluster.events, [])
  await cluster.close()
})
