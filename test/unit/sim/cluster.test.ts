// The cluster's own manners: names, waits, errors. What its members do is for test/sim.
import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { OptionsError, TimeoutError } from '../../../src/base/errors.ts'
import { Cluster, type ServiceSetup } from '../../../src/sim/cluster.ts'
import { SimulationError } from '../../../src/sim/simulation.ts'

describe('sim/cluster', () => {
  it('names its members, gives each an address of its own, and lets them find each other', async () => {
    const cluster = new Cluster({ seed: 1 })
    await cluster.start(3)
    await cluster.settle()
    await cluster.start(1)
    await cluster.settle()
    assert.deepEqual(cluster.names, ['m-1', 'm-2', 'm-3', 'm-4'])
    assert.equal(cluster.member('m-4').local.address, '10.0.0.4:7946')
    for (const [observer, view] of cluster.views()) {
      assert.deepEqual([...view.keys()].sort(), cluster.names, observer)
      assert.deepEqual(new Set(view.values()), new Set(['alive']))
    }
    assert.equal(cluster.summary(), '  m-1 m-2 m-3 m-4: 4 alive')
    await cluster.close()
  })

  it('takes names too, and goes on counting around them', async () => {
    const cluster = new Cluster({ seed: 1 })
    await cluster.start(['log', 'm-3'])
    await cluster.start(2)
    await cluster.settle()
    assert.deepEqual(cluster.names, ['log', 'm-3', 'm-4', 'm-5'])
    await assert.rejects(cluster.start(['web', 'log']), /option members is .*log is taken/)
    await assert.rejects(cluster.start(['web', 'web']), /web is taken/)
    for (const count of [-1, 1.5, Number.NaN, 64_001]) await assert.rejects(cluster.start(count), /option members is/)
    assert.deepEqual(cluster.names.length, 4)
    await cluster.close()
  })

  it('knows what all others hold of a member', async () => {
    const cluster = new Cluster({ seed: 1 })
    await cluster.start(3)
    await cluster.settle()
    assert.equal(cluster.allHold('m-2', 'alive'), true)
    cluster.crash('m-2')
    assert.equal(cluster.allHold('m-2', 'dead'), false)
    await cluster.until(() => cluster.allHold('m-2', 'dead'))
    assert.equal(cluster.allHold('m-2', 'dead'), true)
    await cluster.close()
    assert.equal(cluster.allHold('m-2', 'dead'), false, 'nobody is left to hold anything')
  })

  it('does what was planned, at its time, beside those who wait', async () => {
    const cluster = new Cluster({ seed: 1 })
    await cluster.start(3)
    await cluster.settle()
    const begin = cluster.now
    cluster.at(begin + 1_000, () => cluster.crash('m-3'))
    cluster.at(begin + 20_000, async () => {
      await cluster.restart('m-3')
      await cluster.settle()
      await cluster.leave('m-2')
    })
    await cluster.run(60_000)
    assert.equal(cluster.now, begin + 60_000)
    assert.deepEqual(cluster.names, ['m-1', 'm-3'])
    assert.equal(cluster.allHold('m-3', 'alive'), true)
    assert.equal(cluster.allHold('m-2', 'left'), true)
    await cluster.close()
  })

  it('takes no notice of fake timers', async () => {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'] })
    try {
      const cluster = new Cluster({
        seed: 1,
        options: { snapshotPath: 'serf.snapshot', secretKey: new Uint8Array(16) },
      })
      await cluster.start(3)
      await cluster.settle()
      await cluster.finish(cluster.member('m-2').query('any').collect())
      await cluster.close()
    } finally {
      mock.timers.reset()
    }
  })

  it('waits no longer for a member that crashes while it starts', async () => {
    const cluster = new Cluster({ seed: 1 })
    await cluster.start(2)
    cluster.crash('m-2')
    cluster.cut('m-2', 'm-1')
    cluster.at(cluster.now + 500, () => cluster.crash('m-2'))
    const began = cluster.now
    await cluster.restart('m-2')
    assert.equal(cluster.now, began + 500)
    await cluster.close()
  })

  it('waits no longer for a member that crashes while it leaves or before it begins', async () => {
    const cluster = new Cluster({ seed: 1 })
    await cluster.start(3)
    await cluster.settle()
    cluster.at(cluster.now + 1, () => cluster.crash('m-3'))
    await cluster.leave('m-3')
    assert.deepEqual(cluster.names, ['m-1', 'm-2'])
    const began = cluster.now
    cluster.at(began + 1, () => cluster.crash('m-5'))
    await cluster.start(2)
    assert.ok(cluster.now < began + 1_500)
    assert.deepEqual(cluster.names, ['m-1', 'm-2', 'm-4'])
    assert.doesNotMatch(cluster.transcript, /m-5 +starts/)
    await cluster.close()
  })

  it('gives options to all, or to each by name', async () => {
    const cluster = new Cluster({ seed: 1, options: (name) => ({ tags: { role: `the ${name}` } }) })
    await cluster.start(2)
    await cluster.settle()
    assert.deepEqual(cluster.member('m-1').member('m-2')?.tags, { role: 'the m-2' })
    await cluster.close()
  })

  it('starts members at moments that the seed decides', async () => {
    const startsOf = async (seed: number): Promise<string> => {
      const cluster = new Cluster({ seed })
      await cluster.start(5)
      await cluster.close()
      return cluster.transcript
        .split('\n')
        .filter((line) => line.includes('starts'))
        .join('\n')
    }
    assert.equal(await startsOf(1), await startsOf(1))
    assert.notEqual(await startsOf(1), await startsOf(2))
  })

  it('keeps what its members tell, with the time', async () => {
    const cluster = new Cluster({ seed: 1 })
    await cluster.start(2)
    await cluster.settle()
    const joins = cluster.events
      .filter(({ type }) => type === 'member-join')
      .map(({ observer, about }) => `${observer} ${about}`)
    assert.deepEqual(joins.sort(), ['m-1 m-2', 'm-2 m-1'])
    assert.ok(cluster.events.every(({ atMs }) => atMs > 0 && atMs <= cluster.now))
    await cluster.close()
  })

  it('gives up waiting with the condition, the seed and the views', async () => {
    const cluster = new Cluster({ seed: 77 })
    await cluster.start(3)
    await cluster.settle()
    cluster.crash('m-3')
    await assert.rejects(cluster.settle({ withinMs: 100 }), (error: Error) => {
      assert.ok(error instanceof TimeoutError)
      assert.match(
        error.message,
        /not within 100 virtual ms: 2 members agree \(seed 77, at [\d.]+ ms\); views:\n {2}m-1 m-2: 3 alive$/,
      )
      return true
    })
    await cluster.close()
  })

  it('is settled only when all running members see each other as they are, and nobody else', async () => {
    const cluster = new Cluster({ seed: 1 })
    await cluster.start(3)
    await cluster.settle()
    cluster.crash('m-2')
    await cluster.settle()
    assert.equal(cluster.member('m-1').member('m-2')?.state, 'dead')
    const telling = cluster.member('m-1').setTags({ now: 'other' })
    assert.notDeepEqual(cluster.member('m-3').member('m-1')?.tags, { now: 'other' })
    await cluster.settle()
    assert.deepEqual(cluster.member('m-3').member('m-1')?.tags, { now: 'other' })
    await cluster.finish(telling)
    await cluster.close()
  })

  it('fails the run with what a listener throws', async () => {
    const cluster = new Cluster({ seed: 5 })
    await cluster.start(1)
    cluster.member('m-1').on('member-join', () => {
      throw new Error('a broken listener')
    })
    await assert.rejects(cluster.start(1), (error: Error) => {
      assert.ok(error instanceof SimulationError)
      assert.match(error.message, /a task threw: a broken listener \(seed 5, /)
      return true
    })
    await cluster.close()
  })

  it('lets a member that is told to start again be a new instance at the old address', async () => {
    const cluster = new Cluster({ seed: 1 })
    await cluster.start(3)
    await cluster.settle()
    const before = cluster.member('m-2')
    cluster.crash('m-2')
    await cluster.restart('m-2')
    await cluster.settle()
    assert.notEqual(cluster.member('m-2'), before)
    assert.equal(cluster.member('m-2').local.address, '10.0.0.2:7946')
    await cluster.close()
  })

  it('refuses what cannot be, naming it', async () => {
    const cluster = new Cluster({ seed: 1 })
    await cluster.start(2)
    assert.throws(() => cluster.member('m-9'), /there is no member m-9/)
    assert.throws(() => cluster.cut('m-1', 'm-9'), /there is no member m-9/)
    await assert.rejects(cluster.restart('m-2'), /m-2 runs already/)
    cluster.crash('m-2')
    assert.throws(() => cluster.crash('m-2'), /m-2 does not run/)
    await cluster.close()
  })

  it('tells of a member that leaves something open behind', async () => {
    const cluster = new Cluster({ seed: 3 })
    await cluster.start(2)
    cluster.host('m-2').clock.wakeAt(1e9, () => {})
    await assert.rejects(cluster.close(), /m-2 has closed and left behind: 1 timers \(seed 3/)
  })

  it('takes note of a member that ends itself', async () => {
    const cluster = new Cluster({ seed: 1 })
    await cluster.start(4)
    await cluster.settle()
    await cluster.finish(cluster.member('m-2').leave())
    await cluster.finish(cluster.member('m-3').close())
    assert.deepEqual(cluster.names, ['m-1', 'm-4'])
    await cluster.until(() => cluster.allHold('m-3', 'dead') && cluster.allHold('m-2', 'left'))
    await cluster.settle({ withinMs: 1_000 })
    await cluster.leave('m-3') // nothing is left but the process
    await assert.rejects(cluster.leave('m-3'), /m-3 does not run/)
    await cluster.restart('m-2')
    await cluster.restart('m-3')
    await cluster.settle()
    assert.deepEqual(cluster.names, ['m-1', 'm-2', 'm-3', 'm-4'])
    await cluster.close()
  })

  it('tells of what a member left open that ended itself, when that is looked for', async () => {
    for (const look of [
      (cluster: Cluster) => cluster.close(),
      (cluster: Cluster) => cluster.restart('m-2'),
      (cluster: Cluster) => cluster.leave('m-2'),
    ]) {
      const cluster = new Cluster({ seed: 3 })
      await cluster.start(2)
      cluster.host('m-2').clock.wakeAt(1e9, () => {})
      await cluster.finish(cluster.member('m-2').leave())
      await assert.rejects(look(cluster), /m-2 has closed and left behind: 1 timers/)
    }
  })

  it('closes members whose disk is stuck, and names the cure where one leaves', async () => {
    const cluster = new Cluster({ seed: 1, options: { snapshotPath: 'serf.snapshot' } })
    await cluster.start(3)
    await cluster.settle()
    for (const name of ['m-1', 'm-2', 'm-3']) cluster.disk(name).stick()
    await cluster.run(5_000)
    const cure = /m-2 has closed and left behind: 1 files; its disk is stuck, which disk\('m-2'\)\.mend\(\) ends/
    await assert.rejects(cluster.leave('m-2'), cure)
    await cluster.finish(cluster.member('m-3').leave())
    await cluster.close()
    assert.deepEqual(cluster.names, [])
  })

  it('lets members join through one that is not paused, where there is one', async () => {
    const cluster = new Cluster({ seed: 1 })
    await cluster.start(3)
    await cluster.settle()
    cluster.pause('m-1')
    cluster.crash('m-3')
    await cluster.restart('m-3')
    await cluster.start(1)
    assert.match(cluster.transcript, /m-4 +joined 10\.0\.0\.2:7946/)
    assert.doesNotMatch(cluster.transcript, /joined nobody/)
    await cluster.close()
  })

  it('refuses options that mean nothing, naming option, value and limit', async () => {
    const wrong: readonly [unknown, RegExp][] = [
      [undefined, /option options is undefined: must be an object/],
      [{}, /option seed is undefined: a whole number of 32 bits, from 0 to 4294967295/],
      [{ seed: '1' }, /option seed is "1"/],
      [{ seed: 1, loss: 1 }, /option loss is "\(hidden\)": there is no such option/],
      [{ seed: 1, secretKey: 'x' }, /option secretKey is "\(hidden\)"/],
      [{ seed: 1, lossRatio: 2 }, /option lossRatio is 2/],
      [{ seed: 1, transcript: 'packet' }, /option transcript is "packet": 'off', 'events' or 'packets'/],
      [{ seed: 1, spreadMs: -1 }, /option spreadMs is -1: finite, 0 or more/],
      [{ seed: 1, spreadMs: Number.NaN }, /option spreadMs is NaN/],
      [{ seed: 1, service: {} }, /option service is an object: must be a function/],
      [{ seed: 1, checks: 'yes' }, /option checks is "yes"/],
      [{ seed: 1, options: { name: 'x' } }, /option options\.name is "x": the cluster gives name/],
      [{ seed: 1, options: { advertise: '10.0.0.9' } }, /option options\.advertise is/],
    ]
    for (const [options, message] of wrong) {
      assert.throws(
        () => new Cluster(options as never),
        (error) => error instanceof OptionsError && message.test(error.message),
        String(message),
      )
    }
    const cluster = new Cluster({ seed: 1, options: () => ({ name: 'x' }) as never })
    await assert.rejects(cluster.start(1), /option options\.name is "x"/)
  })

  it('closes members that are paused, too, and takes a second close', async () => {
    const cluster = new Cluster({ seed: 1 })
    await cluster.start(3)
    cluster.pause('m-2')
    await cluster.run(1_000)
    await cluster.close()
    await cluster.close()
    assert.deepEqual(cluster.names, [])
  })

  it('heals one link or all', async () => {
    const cluster = new Cluster({ seed: 1, latencyMs: 1 })
    await cluster.start(3)
    const { links } = cluster.simulation.network
    const cutLinks = (): string[] => {
      const names = cluster.names
      const pairs = names.flatMap((from) => names.filter((to) => to !== from).map((to) => [from, to] as const))
      return pairs
        .filter(([from, to]) => links.judge(from, to, 'packet', 1) === 'cut')
        .map(([from, to]) => `${from}>${to}`)
    }
    cluster.cut('m-1', 'm-2', { isOneWay: true })
    assert.deepEqual(cutLinks(), ['m-1>m-2'])
    cluster.partition([['m-1'], ['m-2', 'm-3']])
    assert.deepEqual(cutLinks(), ['m-1>m-2', 'm-1>m-3', 'm-2>m-1', 'm-3>m-1'])
    cluster.heal('m-1', 'm-3')
    assert.deepEqual(cutLinks(), ['m-1>m-2', 'm-2>m-1'])
    cluster.heal()
    assert.deepEqual(cutLinks(), [])
    await cluster.close()
  })
})

describe('sim/cluster services', () => {
  /** Counts its own heartbeats, and knows whom it sees. */
  class Service {
    readonly seen = new Set<string>()
    beats = 0
    isClosed = false
    readonly number: number
    readonly #stop: () => void

    constructor({ membership, clock, random }: ServiceSetup) {
      this.number = random.uint32()
      membership.on('member-join', ({ member }) => this.seen.add(member.name))
      this.#stop = clock.every(100, () => this.beats++)
    }

    async close(): Promise<void> {
      this.#stop()
      this.isClosed = true
    }
  }

  it('run beside each member, and are made anew with it', async () => {
    const cluster = new Cluster({ seed: 1, spreadMs: 0, service: (setup) => new Service(setup) })
    await cluster.start(2)
    await cluster.settle()
    const first = cluster.service('m-2')
    assert.deepEqual([...first.seen], ['m-1'])
    cluster.pause('m-2')
    const beats = first.beats
    await cluster.run(1_050)
    assert.equal(first.beats, beats, 'its timers stand still with the process')
    cluster.resume('m-2')
    await cluster.run(1_000)
    assert.ok(first.beats > beats)
    cluster.crash('m-2')
    const atCrash = first.beats
    await cluster.restart('m-2')
    const second = cluster.service('m-2')
    await cluster.run(1_000)
    assert.deepEqual([first.beats, first.isClosed], [atCrash, false], 'nothing of a crashed process runs')
    assert.ok(second.beats >= 10 && second !== first && second.number !== first.number)
    await cluster.leave('m-2')
    await cluster.close()
    assert.deepEqual([second.isClosed, cluster.service('m-1').isClosed], [true, true])
  })

  it('that forget a timer are told of at the end', async () => {
    const cluster = new Cluster({ seed: 1, service: ({ clock }) => clock.every(100, () => {}) })
    await cluster.start(1)
    await assert.rejects(cluster.close(), /m-1 has closed and left behind: 1 timers/)
  })

  it('that cannot be made are told of with the seed and the cause', async () => {
    const cause = new Error('no port')
    const service = (): never => {
      throw cause
    }
    const cluster = new Cluster({ seed: 9, service })
    await assert.rejects(cluster.start(1), (error: Error) => {
      assert.ok(error instanceof SimulationError && error.cause === cause)
      assert.match(error.message, /the service of m-1 cannot be made: no port \(seed 9, /)
      return true
    })
    await cluster.close()
  })

  it('are asked for where there are some', async () => {
    const cluster = new Cluster({ seed: 1 })
    await cluster.start(1)
    assert.throws(() => cluster.service('m-1'), /there is no service/)
    await cluster.close()
  })
})
