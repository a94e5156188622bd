// How a service is tested that holds a member: here with Node's own test runner, and it would look the same with any other.
//
//   node --import tsx --test examples/simulator/leadership.test.ts
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cluster } from 'rollcall/sim'
import { Leadership } from './leadership.ts'

const SIZE = 5

/** Five members, each with a service of its own, that agree. Most packets take 5 ms, a few half a second. */
async function started(seed: number, graceMs = 30_000): Promise<Cluster<Leadership>> {
  const cluster = new Cluster({
    seed,
    latencyMs: { kind: 'log-normal', medianMs: 5, sigma: 1, maxMs: 500 },
    service: ({ membership, clock }) => new Leadership({ membership, clock, clusterSize: SIZE, graceMs }),
  })
  await cluster.start(['ada', 'ben', 'cleo', 'dan', 'eve'])
  await cluster.settle()
  await cluster.until(() => leaders(cluster).length === 1, { what: 'somebody leads' })
  return cluster
}

const leaders = (cluster: Cluster<Leadership>): string[] =>
  cluster.names.filter((name) => cluster.service(name).isLeader)

/** True once `name` leads. That two lead is an error at any moment. */
function leads(cluster: Cluster<Leadership>, name: string): boolean {
  const found = leaders(cluster)
  assert.ok(found.length <= 1, `${found.join(' and ')} lead at the same time`)
  return found[0] === name
}

test('a leader without a majority stops before another one begins', async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const cluster = await started(seed)
    assert.deepEqual(leaders(cluster), ['ada'])
    cluster.partition([
      ['ada', 'ben'],
      ['cleo', 'dan', 'eve'],
    ])
    await cluster.until(() => leads(cluster, 'cleo'), { what: 'the majority has a leader' })
    assert.equal(cluster.service('ada').isLeader, false)
    cluster.heal()
    await cluster.until(() => leads(cluster, 'ada'), { what: 'ada is back, and leads' })
    await cluster.close()
  }
})

test('a leader whose process stood still is followed by another, and gives way when it goes on', async () => {
  const cluster = await started(1)
  cluster.pause('ada')
  // It still believes that it leads, and can do nothing: what it does when it goes on is for fencing to refuse.
  await cluster.until(() => cluster.service('ben').isLeader, { what: 'ben leads' })
  cluster.resume('ada')
  await cluster.settle()
  await cluster.until(() => leads(cluster, 'ada'), { what: 'one leads again' })
  await cluster.close()
})

test('a leader that leaves is followed at once, but for the time of grace', async () => {
  const cluster = await started(1)
  await cluster.leave('ada')
  const left = cluster.now
  await cluster.until(() => leads(cluster, 'ben'))
  assert.ok(cluster.now - left < 31_000, `it took ${cluster.now - left} ms`)
  await cluster.close()
})

test('without a time of grace two lead at once in some runs, and this is how one finds out', async () => {
  const wrong: number[] = []
  for (let seed = 1; seed <= 10; seed++) {
    const cluster = await started(seed, 0)
    cluster.partition([
      ['ada', 'ben'],
      ['cleo', 'dan', 'eve'],
    ])
    await cluster.until(() => cluster.service('cleo').isLeader)
    if (cluster.service('ada').isLeader) wrong.push(seed)
    await cluster.close()
  }
  // Of 30 seeds it was 13 without, 7 with 2.5 s, 1 with 5 s, none with 10 s.
  assert.ok(wrong.length > 0, 'no seed found it')
})
