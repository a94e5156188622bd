// Members with a snapshot, on pretended disks: they are killed, leave, come back by themselves, and their disks fail.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { textOf, utf8 } from '../../src/base/bytes.ts'
import type { Cluster, SimMemberOptions } from '../../src/sim/cluster.ts'
import type { SimDisk } from '../../src/sim/disk.ts'
import { forEachSeed } from './support/seeds.ts'

const PATH = 'snapshot'
/** Nobody but the snapshot brings anybody back. */
const OPTIONS: SimMemberOptions = { snapshotPath: PATH, reconnectIntervalMs: 0 }
/** A line waits a quarter of a second at most, and half a minute for a disk that failed. */
const WRITTEN_MS = 300
const RETRIED_MS = 30_500

function diskOf(cluster: Cluster, name: string): SimDisk {
  return cluster.host(name).station.disk
}

function fileOf(cluster: Cluster, name: string): string {
  const bytes = diskOf(cluster, name).content(PATH)
  return (bytes && textOf(bytes)) ?? ''
}

function aliveIn(file: string): string[] {
  const there = new Set<string>()
  for (const line of file.split('\n')) {
    const [, not, name = ''] = /^(not-)?alive: (\S+)/.exec(line) ?? []
    if (line === 'leave') there.clear()
    else if (not !== undefined) there.delete(name)
    else if (name !== '') there.add(name)
  }
  return [...there].sort()
}

function codesOf(cluster: Cluster, name: string): string[] {
  return Object.keys(cluster.member(name).stats().warnings)
}

function scenario(title: string, options: SimMemberOptions, run: (cluster: Cluster) => Promise<void>): void {
  it(title, () => forEachSeed({ file: import.meta.url, test: title }, 3, { options }, run))
}

async function started(cluster: Cluster, count: number): Promise<void> {
  await cluster.start(count)
  await cluster.settle()
  await cluster.run(WRITTEN_MS)
}

describe('a member with a snapshot', () => {
  scenario('that is killed comes back by itself, and the others see nobody come or go', OPTIONS, async (cluster) => {
    await started(cluster, 5)
    const { incarnation } = cluster.member('m-3').local
    cluster.crash('m-3')
    const from = cluster.events.length
    await cluster.restart('m-3', { joins: false })
    await cluster.settle()
    assert.ok(cluster.member('m-3').local.incarnation > incarnation)
    const seen = cluster.events.slice(from).filter(({ about, type }) => about === 'm-3' && type !== 'member-suspect')
    assert.deepEqual(
      seen.filter(({ type }) => type !== 'member-recover'),
      [],
    )
    assert.deepEqual(aliveIn(fileOf(cluster, 'm-3')), ['m-1', 'm-2', 'm-3', 'm-4', 'm-5'])
  })

  scenario('that is found dead comes back by itself', OPTIONS, async (cluster) => {
    await started(cluster, 5)
    cluster.crash('m-3')
    await cluster.until(() => cluster.member('m-1').member('m-3')?.state === 'dead')
    await cluster.restart('m-3', { joins: false })
    await cluster.settle()
  })

  scenario(
    'SF-52: that left stays alone when it starts again, and has forgotten its clocks',
    OPTIONS,
    async (cluster) => {
      await started(cluster, 3)
      cluster.member('m-3').sendEvent('one')
      await cluster.run(WRITTEN_MS)
      assert.match(fileOf(cluster, 'm-3'), /^event-clock: 1$/m)
      await cluster.leave('m-3')
      assert.deepEqual(aliveIn(fileOf(cluster, 'm-3')), [])
      await cluster.restart('m-3', { joins: false })
      await cluster.run(120_000)
      const left = cluster.member('m-3')
      assert.equal(left.size, 1)
      // What it has seen in its last life is news in this one.
      const told: string[] = []
      left.on('user-event', ({ name }) => told.push(name))
      await cluster.simulation.finish(left.join([cluster.member('m-1').local.address]))
      await cluster.settle()
      assert.deepEqual(told, ['one'])
    },
  )

  const rejoins = { ...OPTIONS, rejoinAfterLeave: true }
  scenario('SF-52: that left and means to come back comes back by itself', rejoins, async (cluster) => {
    await started(cluster, 3)
    await cluster.leave('m-3')
    assert.match(fileOf(cluster, 'm-3'), /^leave$/m)
    await cluster.restart('m-3', { joins: false })
    await cluster.settle()
  })

  scenario('that starts while all others are down finds them when they are back', OPTIONS, async (cluster) => {
    await started(cluster, 3)
    for (const name of ['m-1', 'm-2', 'm-3']) cluster.crash(name)
    await cluster.restart('m-3', { joins: false })
    await cluster.run(60_000)
    assert.equal(cluster.member('m-3').size, 1)
    assert.ok(codesOf(cluster, 'm-3').includes('join-failed'))
    await cluster.restart('m-2', { joins: false })
    await cluster.settle()
    assert.equal(cluster.member('m-3').size, 2)
  })

  scenario('of which all restart at once are one cluster again, not several', OPTIONS, async (cluster) => {
    await started(cluster, 8)
    const names = [...cluster.names]
    for (const name of names) cluster.crash(name)
    for (const name of names) await cluster.restart(name, { joins: false })
    await cluster.settle({ withinMs: 20_000 })
  })

  scenario('that saw all others die before it was killed still finds them', OPTIONS, async (cluster) => {
    await started(cluster, 3)
    for (const name of ['m-1', 'm-2']) cluster.crash(name)
    await cluster.until(() => ['m-1', 'm-2'].every((name) => cluster.member('m-3').member(name)?.state === 'dead'))
    await cluster.run(WRITTEN_MS)
    assert.deepEqual(aliveIn(fileOf(cluster, 'm-3')), ['m-3'])
    cluster.crash('m-3')
    await cluster.restart('m-3', { joins: false })
    await cluster.restart('m-1', { joins: false })
    await cluster.settle()
    assert.equal(cluster.member('m-3').size, 2)
  })

  scenario(
    'SF-34: that is killed delivers no event once more that it has seen, and each newer one',
    OPTIONS,
    async (cluster) => {
      const told: string[] = []
      const listen = (): void => {
        cluster.member('m-3').on('user-event', ({ name }) => told.push(name))
      }
      await started(cluster, 4)
      listen()
      for (let count = 1; count <= 5; count++) cluster.member('m-1').sendEvent(`old-${count}`)
      await cluster.run(2000)
      assert.equal(told.length, 5)
      cluster.crash('m-3')
      cluster.member('m-1').sendEvent('meanwhile')
      await cluster.run(1000)
      told.length = 0
      const restarted = cluster.restart('m-3', { joins: false })
      listen()
      await restarted
      await cluster.settle()
      await cluster.run(2000)
      assert.deepEqual(told, ['meanwhile'])
      cluster.member('m-2').sendEvent('new')
      await cluster.run(2000)
      assert.deepEqual(told, ['meanwhile', 'new'])
    },
  )

  scenario('lines of an unknown kind are a warning, and no more', OPTIONS, async (cluster) => {
    await started(cluster, 2)
    cluster.crash('m-2')
    diskOf(cluster, 'm-2').put(PATH, utf8(`nonsense\n${fileOf(cluster, 'm-2')}alive: half 10.`))
    await cluster.restart('m-2', { joins: false })
    await cluster.settle()
    assert.ok(codesOf(cluster, 'm-2').includes('snapshot-invalid'))
  })
})

describe('a disk that fails', () => {
  for (const fault of ['read-only', 'full', 'sync', 'stuck'] as const) {
    const title = `SF-55: ${fault}: the member runs on with a warning, and writes all of it once it can`
    scenario(title, OPTIONS, async (cluster) => {
      await started(cluster, 3)
      const disk = diskOf(cluster, 'm-2')
      // What is synced is written anew, or is a goodbye.
      if (fault === 'sync') disk.remove(PATH)
      disk.fault = fault
      const from = cluster.events.length
      await cluster.start(1)
      await cluster.settle()
      for (let count = 0; count < 40; count++) {
        for (let event = 0; event < 4; event++) cluster.member('m-2').sendEvent(`load-${count}`, 'x'.repeat(200))
        await cluster.run(1000)
      }
      assert.deepEqual(codesOf(cluster, 'm-2'), ['snapshot-failed'])
      const expected = ['member-join', 'user-event', 'warning']
      const others = cluster.events.slice(from).filter(({ type }) => !expected.includes(type))
      assert.deepEqual(others, [])
      disk.fault = undefined
      await cluster.run(RETRIED_MS + WRITTEN_MS)
      assert.deepEqual(aliveIn(fileOf(cluster, 'm-2')), ['m-1', 'm-2', 'm-3', 'm-4'])
      cluster.crash('m-2')
      await cluster.restart('m-2', { joins: false })
      await cluster.settle()
    })
  }

  scenario('that is stuck does not keep a member from closing, beyond five seconds', OPTIONS, async (cluster) => {
    await started(cluster, 2)
    diskOf(cluster, 'm-2').fault = 'stuck'
    const from = cluster.now
    await cluster.leave('m-2', { withinMs: 20_000 }).catch((error: unknown) => {
      // The file is closed when the disk gives it back.
      assert.match(String(error), /left behind: 1 files/)
    })
    assert.equal(cluster.member('m-2').status, 'closed')
    assert.ok(cluster.now - from < 10_000)
    diskOf(cluster, 'm-2').fault = undefined
    await cluster.run(1)
    assert.match(fileOf(cluster, 'm-2'), /^leave$/m)
    assert.equal(cluster.host('m-2').leftovers, '')
  })

  scenario('that is read-only from the start is a warning, and its members are found', OPTIONS, async (cluster) => {
    await started(cluster, 3)
    cluster.crash('m-2')
    diskOf(cluster, 'm-2').fault = 'read-only'
    await cluster.restart('m-2', { joins: false })
    await cluster.settle()
    assert.deepEqual(codesOf(cluster, 'm-2'), ['snapshot-failed'])
  })
})
