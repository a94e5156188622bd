// Faults happen as they are written down, overlap as they would, and are not counted where they cannot be.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Cluster } from '../../../src/sim/cluster.ts'
import type { Fault } from '../../../src/sim/faults.ts'
import { Injecting } from '../../../src/sim/injecting.ts'

async function standing(members = 4) {
  const cluster = new Cluster({ seed: 1, transcript: 'off', options: { snapshotPath: 'snapshot' } })
  await cluster.start(members)
  await cluster.settle()
  return { cluster, injecting: new Injecting(cluster) }
}

/** Whether a packet from one to the other would go, and a piece of a stream. */
function goes(cluster: Cluster, from: number, to: number): [boolean, boolean] {
  const { links } = cluster.simulation.network
  const judge = (carries: 'packet' | 'stream'): boolean =>
    typeof links.judge(`m-${from}`, `m-${to}`, carries, 100) === 'number'
  return [judge('packet'), judge('stream')]
}

const forMs = 10_000
const atMs = 0

describe('sim/injecting.ts', () => {
  it('of two cuts of one link the one that cuts more counts, and the other stays when that one ends', async () => {
    const { cluster, injecting } = await standing()
    const packets: Fault = { kind: 'cut', atMs, forMs, from: 1, to: 2, isOneWay: true, cuts: 'packets' }
    const all: Fault = { kind: 'isolate', atMs, forMs, member: 2, side: 'in', cuts: 'all' }
    await injecting.begin(packets)
    assert.deepEqual(
      [goes(cluster, 1, 2), goes(cluster, 2, 1), goes(cluster, 3, 2)],
      [
        [false, true],
        [true, true],
        [true, true],
      ],
    )
    await injecting.begin(all)
    assert.deepEqual(
      [goes(cluster, 1, 2), goes(cluster, 3, 2), goes(cluster, 2, 3)],
      [
        [false, false],
        [false, false],
        [true, true],
      ],
    )
    await injecting.end(all)
    assert.deepEqual(
      [goes(cluster, 1, 2), goes(cluster, 3, 2)],
      [
        [false, true],
        [true, true],
      ],
    )
    await injecting.end(packets)
    assert.deepEqual(goes(cluster, 1, 2), [true, true])
  })

  it('a partition cuts between its groups, both ways, and a small MTU takes packets alone', async () => {
    const { cluster, injecting } = await standing()
    const partition: Fault = {
      kind: 'partition',
      atMs,
      forMs,
      groups: [
        [1, 2],
        [3, 4],
      ],
    }
    await injecting.begin(partition)
    assert.deepEqual(
      [goes(cluster, 1, 2), goes(cluster, 1, 3), goes(cluster, 4, 2)],
      [
        [true, true],
        [false, false],
        [false, false],
      ],
    )
    await injecting.end(partition)
    await injecting.begin({ kind: 'mtu', atMs, forMs, bytes: 99, towards: 3 })
    assert.deepEqual(
      [goes(cluster, 1, 3), goes(cluster, 3, 1)],
      [
        [false, true],
        [true, true],
      ],
    )
    await injecting.endAll()
    assert.deepEqual(goes(cluster, 1, 3), [true, true])
  })

  it('what cannot be does not happen and is not counted: the dead do not pause, crash or ask', async () => {
    const { cluster, injecting } = await standing()
    await injecting.begin({ kind: 'crash', atMs, member: 2, how: 'killed' })
    await injecting.begin({ kind: 'pause', atMs, forMs, member: 2 })
    await injecting.begin({ kind: 'crash', atMs, member: 2, how: 'unplugged' })
    await injecting.begin({ kind: 'query', atMs, member: 2 })
    assert.deepEqual([...injecting.counts], [['crash: killed', 1]])
    assert.deepEqual(injecting.running, ['m-1', 'm-3', 'm-4'])
    assert.deepEqual(cluster.names, injecting.running)
  })

  it('two stay up whatever is asked for', async () => {
    const { injecting } = await standing()
    for (const member of [1, 2, 3, 4]) await injecting.begin({ kind: 'crash', atMs, member, how: 'killed' })
    assert.deepEqual(injecting.running, ['m-3', 'm-4'])
    await injecting.begin({ kind: 'leave', atMs, member: 3 })
    assert.deepEqual(injecting.running, ['m-3', 'm-4'])
  })

  it('who crashed is back with its disk or without, and knows what it knew', async () => {
    for (const disk of ['kept', 'lost'] as const) {
      const { cluster, injecting } = await standing()
      await cluster.run(5_000) // the snapshot is written
      const fault: Fault = { kind: 'crash', atMs, member: 2, how: 'killed', downMs: 1000, disk, alone: true }
      await injecting.begin(fault)
      await injecting.end(fault)
      assert.deepEqual([...injecting.counts.keys()], ['crash: killed', `restart: disk ${disk}, finds back alone`])
      assert.equal(cluster.member('m-2').status, 'running')
      assert.equal(cluster.disk('m-2').content('snapshot')?.length === 0, disk === 'lost')
    }
  })

  it('a pause is of one life, and ends with it', async () => {
    const { cluster, injecting } = await standing()
    const pause: Fault = { kind: 'pause', atMs, forMs, member: 2 }
    const crash: Fault = { kind: 'crash', atMs, member: 2, how: 'killed', downMs: 1000 }
    await injecting.begin(pause)
    await injecting.begin(crash)
    await injecting.end(crash)
    await injecting.end(pause)
    await cluster.settle()
    assert.deepEqual(injecting.running.length, 4)
  })

  it('who leaves is back when it has left, at the end of all at the latest', async () => {
    const { cluster, injecting } = await standing()
    const leave: Fault = { kind: 'leave', atMs, member: 2, awayMs: 10, disk: 'lost' }
    await injecting.begin(leave)
    assert.deepEqual([injecting.isLeaving, injecting.running], [true, ['m-1', 'm-3', 'm-4']])
    await injecting.end(leave)
    assert.equal(injecting.isLeaving, true)
    await cluster.until(() => !injecting.isLeaving)
    await injecting.endAll()
    assert.deepEqual(injecting.running, ['m-1', 'm-2', 'm-3', 'm-4'])
    assert.equal(injecting.counts.get('restart: disk lost'), 1)
    await cluster.settle()
  })

  it('a process is slow, late and off the time, and its disk broken, until that ends', async () => {
    const { cluster, injecting } = await standing()
    const { loop, clock, disk } = cluster.host('m-2').station
    const state = () => [loop.lag, loop.slowMs, clock.ratio, disk.fault]
    await injecting.begin({ kind: 'lag', atMs, forMs, member: 2, ms: 20 })
    await injecting.begin({ kind: 'slow', atMs, forMs, member: 2, perPacketMs: 30 })
    await injecting.begin({ kind: 'drift', atMs, forMs, member: 2, ratio: 2 })
    await injecting.begin({ kind: 'disk', atMs, forMs, member: 2, fault: 'stuck' })
    assert.deepEqual(state(), [20, 30, 2, 'stuck'])
    await injecting.endAll()
    assert.deepEqual(state(), [0, 0, 1, undefined])
  })

  it('a call is open until it ends, or its member does', async () => {
    const { cluster, injecting } = await standing()
    await injecting.begin({ kind: 'query', atMs, member: 2 })
    assert.deepEqual(injecting.openCalls, ['m-2 asks all'])
    await cluster.run(10_000)
    assert.deepEqual(injecting.openCalls, [])
    await injecting.begin({ kind: 'query', atMs, member: 3 })
    await injecting.begin({ kind: 'crash', atMs, member: 3, how: 'killed' })
    assert.deepEqual(injecting.openCalls, [])
  })
})
