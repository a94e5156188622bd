import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, it } from 'node:test'
import { utf8 } from '../../src/base/bytes.ts'
import { ClosedError, JoinError, OptionsError, SizeError, TimeoutError, TransportError } from '../../src/base/errors.ts'
import type { Change } from '../../src/changes.ts'
import type { Host, TransportHandlers } from '../../src/driver/host.ts'
import type { MembershipEvent } from '../../src/events.ts'
import { Membership } from '../../src/membership.ts'
import type { MembershipOptions } from '../../src/options.ts'
import type { SimHost } from '../../src/sim/host.ts'
import { Simulation, SimulationError } from '../../src/sim/simulation.ts'
import { Address } from '../../src/wire/address.ts'

const never = new Promise<never>(() => {})
const MEMBER_EVENTS = ['member-join', 'member-suspect', 'member-recover', 'member-dead', 'member-update'] as const

describe('the constructor', () => {
  it('opens nothing, and refuses wrong options by name', () => {
    const { host, simulation } = stage()
    const membership = new Membership({ host })
    assert.deepEqual([membership.status, membership.size, membership.members()], ['idle', 0, []])
    assert.deepEqual([host.leftovers, simulation.schedule.size], ['', 0])
    assert.throws(() => membership.local, ClosedError)
    assert.throws(() => new Membership({ host, gossipFanout: 0 }), { code: 'ERR_OPTIONS', option: 'gossipFanout' })
  })
})

describe('before the start', () => {
  it('what only a started instance can do is a ClosedError that says so, and the rest is answered', async () => {
    const { host } = stage()
    const membership = new Membership({ host })
    const notYet = { code: 'ERR_CLOSED', message: /not started yet/ }
    assert.throws(() => membership.local, notYet)
    assert.throws(() => membership.explain('m-1'), notYet)
    assert.throws(() => membership.sendEvent('deploy'), notYet)
    assert.throws(() => membership.query('load'), notYet)
    await assert.rejects(membership.ping('m-2'), notYet)
    await assert.rejects(membership.forceLeave('m-2'), notYet)
    await assert.rejects(async () => membership.keys.list(), notYet)
    await membership.setTags({ role: 'log' })
    assert.deepEqual([membership.members(), membership.rtt('m-2'), membership.coordinate()], [[], undefined, undefined])
  })
})

describe('start', () => {
  it('is one start however often it is called', async () => {
    const { simulation, make } = stage()
    const membership = make()
    const [first, second] = [membership.start(), membership.start()]
    assert.equal(first, second)
    await simulation.finish(first)
    await simulation.finish(membership.start())
    assert.equal(membership.status, 'running')
    assert.deepEqual(
      membership.members().map(({ name, state, isSelf }) => [name, state, isSelf]),
      [['m-1', 'alive', true]],
    )
  })

  it('names a member after host and port where no name is given', async () => {
    const { simulation, host } = stage()
    const membership = new Membership({ host, bind: '10.0.0.1:0' })
    await simulation.finish(membership.start())
    const { name, port } = membership.local
    assert.ok(port > 0)
    assert.equal(name, `host-1-${port}`)
  })

  it('is refused where host and port make too long a name, before anything is opened', () => {
    const { host } = stage()
    const long = (length: number): Host => ({ ...hostWith(host, {}), hostname: 'h'.repeat(length) })
    const named = { code: 'ERR_OPTIONS', option: 'name' }
    assert.throws(() => new Membership({ host: long(124) }), named)
    assert.throws(() => new Membership({ host: long(123), bind: '10.0.0.1:0' }), named, 'the port may be a long one')
    assert.equal(new Membership({ host: long(123) }).status, 'idle')
    assert.equal(new Membership({ host: long(124), name: 'm-1' }).status, 'idle')
  })

  it('tells others where it was bound, where it is reachable, or what it is told to tell', async () => {
    for (const [options, address] of [
      [{ bind: '10.0.0.1:80' }, '10.0.0.1:80'],
      [{ bind: '0.0.0.0:80' }, '10.0.0.1:80'],
      [{ bind: '0.0.0.0:80', advertise: '203.0.113.7' }, '203.0.113.7:80'],
      [{ bind: '10.0.0.1:80', advertise: '203.0.113.7:90' }, '203.0.113.7:90'],
    ] as const) {
      const { simulation, host } = stage()
      const membership = new Membership({ host, ...options })
      await simulation.finish(membership.start())
      assert.equal(membership.local.address, address)
    }
  })

  it('where the port is taken leaves nothing open and may be tried again', async () => {
    const { simulation, host, make } = stage()
    const other = await host.bind(new Address(Uint8Array.of(10, 0, 0, 1), 7946), {} as TransportHandlers)
    const membership = make()
    await assert.rejects(simulation.finish(membership.start()), TransportError)
    assert.deepEqual([membership.status, membership.size], ['idle', 0])
    await other.close()
    await simulation.finish(membership.start())
    assert.equal(membership.status, 'running')
    await simulation.finish(membership.close())
    assert.equal(host.leftovers, '')
  })

  it('where nobody could reach us binds nothing and may be tried again', async () => {
    const { simulation, host } = stage()
    let ip: Uint8Array | undefined
    const membership = new Membership({
      host: hostWith(host, { reachableAddress: async () => ip && { ip } }),
      name: 'm-1',
    })
    await assert.rejects(simulation.finish(membership.start()), /TransportError: no interface .* give 'advertise'/)
    assert.deepEqual([membership.status, host.leftovers], ['idle', ''])
    ip = Uint8Array.of(10, 0, 0, 1)
    await simulation.finish(membership.start())
    assert.equal(membership.local.address, '10.0.0.1:7946')
  })

  it('fails where it is closed on the way, at whatever moment, and stays closed', async () => {
    for (let moment = 0; moment < 12; moment++) {
      const { host, simulation, make } = stage()
      const membership = make()
      const started = membership.start().then(
        () => 'started',
        (error: unknown) => error,
      )
      for (let turn = 0; turn < moment; turn++) await undefined
      await simulation.finish(membership.close())
      const outcome = await started
      assert.ok(outcome === 'started' || outcome instanceof ClosedError, `moment ${moment}`)
      assert.equal(membership.status, 'closed', `moment ${moment}`)
      assert.equal(host.leftovers, '', `moment ${moment}`)
    }
  })

  it('is refused once closed', async () => {
    const { simulation, make } = stage()
    const membership = make()
    await simulation.finish(membership.close())
    for (const call of [membership.start(), membership.join([]), membership.setTags({})]) {
      await assert.rejects(call, ClosedError)
    }
  })
})

describe('join', () => {
  it('starts by itself, and says who answered', async () => {
    const { simulation, first, second } = await pair()
    const result = await simulation.finish(second.join(['10.0.0.1:7946', '10.0.0.9']))
    assert.deepEqual(result.joined, ['10.0.0.1:7946'])
    assert.deepEqual(
      result.failed.map(({ address }) => address),
      ['10.0.0.9:7946'],
    )
    assert.deepEqual([first.size, second.size], [2, 2])
  })

  it('resolves also where nobody answers, and asks again, ever less often, until anyone is known', async () => {
    const { simulation, make, makeAt } = stage()
    const membership = make({ streamTimeoutMs: 10 })
    const askedAt: number[] = []
    const warnings = log(membership, 'warning')
    const seeds = (): string[] => {
      askedAt.push(simulation.now)
      return ['10.0.0.2']
    }
    const { joined, failed } = await simulation.finish(membership.join(seeds))
    assert.deepEqual([joined, failed.length], [[], 1])
    await simulation.run(200_000)
    const gaps = askedAt.slice(1).map((time, index) => time - (askedAt[index] as number) - 10)
    const pauses = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]
    assert.ok(gaps.length >= pauses.length - 2, `${gaps.length} rounds`)
    gaps.forEach((gap, at) => {
      const pause = pauses[at] ?? 30_000
      assert.ok(gap >= 0.5 * pause - 10 && gap <= 1.5 * pause + 10, `pause ${at} was ${gap} ms`)
    })
    assert.ok(warnings.length > 0 && warnings.length <= gaps.length)
    assert.ok(warnings.every((event) => event.type === 'warning' && event.code === 'join-failed'))

    await simulation.finish(makeAt(2).start())
    await simulation.until(() => membership.size === 2, { withinMs: 50_000 })
    const rounds = askedAt.length
    await simulation.run(200_000)
    assert.equal(askedAt.length, rounds)
  })

  it('asks again where a function gave only ourselves at first', async () => {
    const { simulation, make, makeAt } = stage()
    const membership = make()
    let seeds = ['10.0.0.1']
    const warnings = log(membership, 'warning')
    assert.deepEqual(await simulation.finish(membership.join(() => seeds)), { joined: [], failed: [] })
    await simulation.finish(makeAt(2).start())
    seeds = ['10.0.0.1', '10.0.0.2']
    await simulation.until(() => membership.size === 2)
    assert.deepEqual(warnings, [], 'to be the first is no trouble')
  })

  it('with no seeds at all asks nobody, ever', async () => {
    const { simulation, make } = stage()
    const membership = make()
    assert.deepEqual(await simulation.finish(membership.join([])), { joined: [], failed: [] })
    const timers = simulation.schedule.steps
    await simulation.run(100)
    assert.ok(simulation.schedule.steps - timers < 10)
  })

  it('ML-60: required, rejects with every reason where nobody answers, and asks no more', async () => {
    const { simulation, make, makeAt } = stage()
    const membership = make()
    const required = { required: true }
    await assert.rejects(simulation.finish(membership.join(['10.0.0.2', 'no-such-name'], required)), (error) => {
      assert.ok(error instanceof JoinError && error.code === 'ERR_JOIN')
      assert.deepEqual(error.failures.map(({ address }) => address).sort(), ['10.0.0.2:7946', 'no-such-name'])
      return true
    })
    assert.equal(membership.status, 'running')
    await simulation.finish(makeAt(2).start())
    await simulation.run(100_000)
    assert.equal(membership.size, 1)
    await assert.rejects(simulation.finish(membership.join(['10.0.0.1'], required)), /no seed to join/)
    await simulation.finish(membership.join(['10.0.0.2'], required))
    assert.equal(membership.size, 2)
  })

  it('refuses wrong seeds before it starts anything', async () => {
    const { make, host } = stage()
    const membership = make()
    await assert.rejects(membership.join(['10.0.0.2:0']), OptionsError)
    await assert.rejects(membership.join('10.0.0.2' as unknown as string[]), OptionsError)
    assert.deepEqual([membership.status, host.leftovers], ['idle', ''])
  })

  it('a seeds function that throws is a seed that failed, and is asked again', async () => {
    const { simulation, second, first } = await pair()
    let asked = 0
    const seeds = (): string[] => {
      if (asked++ === 0) throw new Error('no DNS')
      return ['10.0.0.1']
    }
    const { failed } = await simulation.finish(second.join(seeds))
    assert.equal(failed[0]?.error.message, 'no DNS')
    await simulation.until(() => first.size === 2)
    assert.equal(asked, 2)
  })

  it('skips ourselves, also by loopback where every interface is ours', async () => {
    const { simulation, host } = stage()
    const membership = new Membership({ host, bind: '0.0.0.0:7946' })
    const result = await simulation.finish(membership.join(['127.0.0.1', '10.0.0.1:7946', 'host-1', '0.0.0.0']))
    assert.deepEqual(result, { joined: [], failed: [] })
    assert.equal(host.station.traffic.streams.dialled, 0)
  })

  it('skips ourselves at an address of this machine that is neither bound nor told', async () => {
    const { simulation, host } = stage()
    const membership = new Membership({ host, name: 'm-1', bind: '0.0.0.0:7946', advertise: '10.0.9.7' })
    const result = await simulation.finish(membership.join(['10.0.0.1'], { required: false }))
    assert.deepEqual([result, host.station.traffic.streams.dialled], [{ joined: [], failed: [] }, 0])
  })

  it('through an address that leads back to us is no join: we have met only ourselves', async () => {
    const { simulation, host } = stage()
    const membership = new Membership({
      host: hostWith(host, { ownAddresses: () => [] }),
      name: 'm-1',
      bind: '0.0.0.0:7946',
      advertise: '10.0.9.7',
    })
    const warnings = log(membership, 'warning')
    const { joined, failed } = await simulation.finish(membership.join(['10.0.0.1']))
    assert.ok(host.station.traffic.streams.dialled > 0, 'nothing shows that it is ours')
    assert.deepEqual(joined, [])
    assert.deepEqual(
      failed.map(({ address, error }) => [address, error instanceof TransportError, /ourselves/.test(error.message)]),
      [['10.0.0.1:7946', true, true]],
    )
    assert.equal(membership.size, 1)
    await assert.rejects(simulation.finish(membership.join(['10.0.0.1'], { required: true })), JoinError)
    assert.equal(warnings.length, 0)
    await simulation.finish(membership.join(['10.0.0.1']))
    await simulation.run(5000)
    assert.ok(warnings[0]?.type === 'warning' && warnings[0].code === 'join-failed')
    assert.match(warnings[0].message, /ourselves/)
  })

  it('asks, at once and later, what it was given, whatever has become of the list since', async () => {
    const { simulation, make, makeAt } = stage()
    const membership = make({ streamTimeoutMs: 10 })
    const seeds = ['10.0.0.2']
    const joined = membership.join(seeds)
    seeds[0] = 'no-such-name'
    const { failed } = await simulation.finish(joined)
    assert.deepEqual(
      failed.map(({ address }) => address),
      ['10.0.0.2:7946'],
    )
    await simulation.finish(makeAt(2).start())
    await simulation.until(() => membership.size === 2)
  })

  it('once joined and left alone, asks the seeds again within 45 s, and ever less often, until someone is there', async () => {
    const { simulation, hosts, first, second } = await pair()
    const askedAt: number[] = []
    const seeds = (): string[] => {
      askedAt.push(simulation.now)
      return ['10.0.0.1']
    }
    await simulation.finish(second.join(seeds))
    await simulation.run(100_000)
    assert.equal(askedAt.length, 1, 'among others there is nothing to ask')
    const [seedHost] = hosts as [SimHost]
    seedHost.kill()
    await simulation.until(() => second.member('m-1')?.state === 'dead')
    const aloneAt = simulation.now
    assert.equal(askedAt.length, 1)
    await simulation.run(120_000)
    const pauses = askedAt.slice(1).map((time, at) => time - (at === 0 ? aloneAt : (askedAt[at] as number)))
    const limits = [45_000, 3000, 6000, 12_000, 24_000]
    limits.forEach((limit, at) => {
      const pause = pauses[at] ?? Number.POSITIVE_INFINITY
      assert.ok(pause <= limit + 20, `pause ${at} was ${pause} ms`)
      if (at > 0) assert.ok(pause >= limit / 3, `pause ${at} was ${pause} ms`)
    })
    assert.deepEqual([first.status, second.member('m-1')?.state, second.size], ['running', 'dead', 2])

    const host = simulation.host(seedHost.station)
    const third = new Membership({ host, name: 'm-3', bind: '10.0.0.1:7946' })
    await simulation.finish(third.start())
    await simulation.until(() => second.member('m-3')?.state === 'alive' && third.member('m-2')?.state === 'alive')
    const rounds = askedAt.length
    await simulation.run(100_000)
    assert.equal(askedAt.length, rounds, 'nobody is alone any more')
    await simulation.finish(second.close())
    assert.equal(hosts[1]?.leftovers, '')
  })

  it('a leave ends the watch: whoever goes last asks for nobody', async () => {
    const { simulation, hosts, second } = await pair()
    let asked = 0
    const seeds = (): string[] => {
      asked++
      return ['10.0.0.1']
    }
    await simulation.finish(second.join(seeds))
    await simulation.finish(second.leave())
    await simulation.run(100_000)
    assert.deepEqual([asked, hosts[1]?.leftovers], [1, ''])
  })

  it('of a cluster whose members we refuse is no join, and says that it may be so; they list us all the same', async () => {
    const { simulation, make, makeAt } = stage()
    const first = make()
    await simulation.finish(first.start())
    const { joined, failed } = await simulation.finish(makeAt(2, { accept: () => false }).join(['10.0.0.1']))
    assert.deepEqual(joined, [])
    assert.match(failed[0]?.error.message ?? '', /we refused it by `accept`/)
    assert.equal(first.member('m-2')?.state, 'alive')
  })

  it('a limit that runs out before the first look does not keep us from coming back', async () => {
    const { simulation, hosts, make, makeAt } = stage()
    const quick = { gossipIntervalMs: 10, leavePropagateDelayMs: 0 }
    const [first, second] = [make(quick), makeAt(2, quick)]
    // The other comes to us, and goes: all between two looks of ours.
    const controller = new AbortController()
    await simulation.finish(first.join(['10.0.0.2'], { signal: controller.signal }))
    await simulation.finish(second.start())
    await simulation.finish(second.join(['10.0.0.1']))
    assert.equal(first.member('m-2')?.state, 'alive')
    controller.abort()
    const before = simulation.now
    await simulation.finish(second.leave())
    await simulation.until(() => first.member('m-2')?.state === 'left')
    assert.ok(simulation.now - before < 400, `gone after ${simulation.now - before} ms`)
    const dialled = (): number => (hosts[0] as SimHost).station.traffic.streams.dialled
    const soFar = dialled()
    await simulation.run(300_000)
    assert.ok(dialled() - soFar > 5, `${dialled() - soFar} dialled`)
  })

  it('a second join takes over from the first, whose seeds are asked no more', async () => {
    const { simulation, make } = stage()
    const membership = make()
    let asked = 0
    const seeds = (): string[] => {
      asked++
      return ['10.0.0.8']
    }
    await simulation.finish(membership.join(seeds))
    await simulation.finish(membership.join(['10.0.0.9']))
    const before = asked
    await simulation.run(100_000)
    assert.equal(asked, before)
  })
})

describe('calls without types', () => {
  it('that give no object for options, or no signal for a signal, are refused by name before anything happens', async () => {
    const { make, host } = stage()
    const membership = make()
    for (const wrong of [null, 'text', []] as never[]) {
      const option = 'options'
      await assert.rejects(membership.join([], wrong), { code: 'ERR_OPTIONS', option })
      await assert.rejects(membership.leave(wrong), { code: 'ERR_OPTIONS', option })
      await assert.rejects(membership.forceLeave('m-2', wrong), { code: 'ERR_OPTIONS', option })
      assert.throws(() => membership.changes(wrong), { code: 'ERR_OPTIONS', option })
      assert.throws(() => membership.members(wrong), { code: 'ERR_OPTIONS', option: 'filter' })
    }
    const signal = 5000 as never
    await assert.rejects(membership.join([], { signal }), { code: 'ERR_OPTIONS', option: 'signal' })
    assert.throws(() => membership.changes({ signal }), { code: 'ERR_OPTIONS', option: 'signal' })
    await assert.rejects(membership.join([], { required: 'yes' as never }), { option: 'required' })
    await assert.rejects(membership.join([], { require: true } as never), { option: 'require', value: true })
    await assert.rejects(membership.leave({ timeout: 5 } as never), { option: 'timeout', value: 5 })
    await assert.rejects(membership.forceLeave('m-2', { purge: true } as never), { option: 'purge' })
    assert.throws(() => membership.changes({ abort: null } as never), { option: 'abort' })
    assert.throws(() => membership.members({ tag: { role: 'log' } } as never), { option: 'tag' })
    assert.throws(() => membership.members({ state: 'Alive' as never }), { option: 'state' })
    assert.deepEqual([membership.status, host.leftovers], ['idle', ''])
  })
})

describe('an aborted join', () => {
  it('is not begun where it was aborted before', async () => {
    const { make, host } = stage()
    const membership = make()
    const signal = AbortSignal.abort(new RangeError('enough'))
    await assert.rejects(
      membership.join(() => assert.fail('asked'), { signal }),
      RangeError,
    )
    assert.deepEqual([membership.status, host.leftovers], ['idle', ''])
  })

  it('rejects with the reason, in whatever phase, and leaves no listener; the instance runs on', async () => {
    for (const [phase, seeds] of [
      ['the function', () => never],
      ['a name', ['slow']],
      ['an exchange', ['10.0.0.9']],
    ] as const) {
      const { simulation, host } = stage()
      const resolve: Host['resolve'] = (name, given) => (name === 'slow' ? never : host.resolve(name, given))
      const membership = new Membership({ host: hostWith(host, { resolve }), bind: '10.0.0.1:7946' })
      const controller = new AbortController()
      const { signal } = controller
      const joined = membership.join(seeds, { signal })
      joined.catch(() => {})
      await simulation.run(100)
      assert.equal(getEventListeners(signal, 'abort').length, 1, phase)
      controller.abort(new RangeError('enough'))
      await assert.rejects(simulation.finish(joined), RangeError, phase)
      assert.equal(getEventListeners(signal, 'abort').length, 0, phase)
      assert.equal(membership.status, 'running')
      await simulation.finish(membership.close())
      assert.equal(host.leftovers, '')
    }
  })

  it('one that ends well leaves no listener either', async () => {
    const { simulation, second } = await pair()
    const { signal } = new AbortController()
    await simulation.finish(second.join(['10.0.0.1'], { signal }))
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })

  it('rejects where the signal is aborted while it starts', async () => {
    const { simulation, make } = stage()
    const controller = new AbortController()
    const membership = make()
    const joined = membership.join(() => assert.fail('asked'), { signal: controller.signal })
    controller.abort(new RangeError('enough'))
    await assert.rejects(simulation.finish(joined), RangeError)
  })

  it('whose exchange succeeds all the same makes a member of us, which the seeds bring back', async () => {
    const { simulation, hosts, make, makeAt } = stage()
    const quiet = { reconnectIntervalMs: 0 }
    const [first, second] = [make(quiet), makeAt(2, quiet)]
    await simulation.finish(first.start())
    const controller = new AbortController()
    const joined = second.join(['10.0.0.1'], { signal: controller.signal })
    const station = (): SimHost['station'] => (hosts[1] as SimHost).station
    const rejected = assert.rejects(joined, RangeError)
    await simulation.until(() => station().traffic.streams.dialled > 0)
    controller.abort(new RangeError('enough'))
    await simulation.finish(rejected)
    assert.equal(second.size, 1, 'not yet')
    await simulation.until(() => second.size === 2 && first.size === 2)
    await simulation.finish(first.close())
    await simulation.until(() => second.member('m-1')?.state === 'dead')
    const before = station().traffic.streams.dialled
    await simulation.run(300_000)
    assert.ok(station().traffic.streams.dialled - before > 5, `${station().traffic.streams.dialled - before} dialled`)
  })

  it('asks no more in the background', async () => {
    const { simulation, make } = stage()
    const controller = new AbortController()
    let asked = 0
    const seeds = (): string[] => {
      asked++
      return ['10.0.0.9']
    }
    await simulation.finish(make({ streamTimeoutMs: 10 }).join(seeds, { signal: controller.signal }))
    await simulation.until(() => asked === 2)
    controller.abort()
    await simulation.run(100_000)
    assert.equal(asked, 2)
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
  })
})

describe('close', () => {
  it('ML-64: ends everything at once, tells it once, and may be called again', async () => {
    const { simulation, host, make } = stage()
    const membership = make()
    const events = log(membership, 'closed')
    await simulation.finish(membership.start())
    const closed = membership.close()
    assert.equal(membership.status, 'closed')
    await Promise.all([closed, membership.close(), membership.leave()])
    await membership.close()
    assert.deepEqual(events, [{ type: 'closed', reason: 'closed' }])
    assert.equal(host.leftovers, '')
    const steps = simulation.schedule.steps
    await simulation.run(100_000)
    assert.equal(simulation.schedule.steps, steps, 'nothing happens afterwards')
    assert.equal(membership.local.name, 'm-1', 'what was known can still be read')
  })

  it('rejects a join that is under way, in whatever phase', async () => {
    for (const [phase, seeds] of [
      ['the function', () => never],
      ['a name', ['slow']],
      ['an exchange', ['10.0.0.9']],
    ] as const) {
      const { simulation, host } = stage()
      const aborted: string[] = []
      const resolve: Host['resolve'] = (name, signal) => {
        signal?.addEventListener('abort', () => aborted.push(name))
        return name === 'slow' ? never : host.resolve(name, signal)
      }
      const membership = new Membership({ host: hostWith(host, { resolve }), bind: '10.0.0.1:7946' })
      const joined = membership.join(seeds)
      joined.catch(() => {})
      await simulation.run(100)
      await simulation.finish(membership.close())
      await assert.rejects(simulation.finish(joined, { what: phase }), ClosedError, phase)
      assert.equal(host.leftovers, '')
      if (phase === 'a name') assert.deepEqual(aborted, ['slow'], 'the look-up is given up')
    }
  })

  it('at any moment of a join leaves nothing behind', async () => {
    for (let ms = 0; ms < 6; ms += 0.25) {
      const { simulation, second } = await pair()
      const joined = second.join(['10.0.0.1']).then(
        () => 'joined',
        (error: unknown) => error,
      )
      await simulation.run(ms)
      await simulation.finish(second.close())
      const outcome = await simulation.finish(joined)
      assert.ok(outcome === 'joined' || outcome instanceof ClosedError, `after ${ms} ms`)
      assert.equal(second.status, 'closed')
    }
  })

  it('ends a leave that is under way', async () => {
    const { simulation, first, second } = await joinedPair()
    const left = second.leave()
    await simulation.run(1)
    assert.equal(second.status, 'leaving')
    await simulation.finish(second.close())
    await left
    assert.equal(first.member('m-2')?.state, 'alive')
  })

  it('rejects tags that still wait to be told', async () => {
    const { simulation, second } = await joinedPair()
    const told = second.setTags({ role: 'log' })
    const rejected = assert.rejects(told, ClosedError)
    await simulation.finish(second.close())
    await rejected
  })
})

describe('leave', () => {
  it('says goodbye and closes: the others see it leave, then left', async () => {
    const { simulation, first, second, hosts } = await joinedPair()
    const seen = log(first, 'member-leaving', 'member-left', 'member-dead', 'member-suspect')
    const closed = log(second, 'closed')
    const left = second.leave()
    assert.equal(second.status, 'running', 'a start under way is waited for')
    void second.leave()
    await simulation.run(1)
    assert.equal(second.status, 'leaving')
    await simulation.finish(left)
    assert.equal(second.status, 'closed')
    assert.deepEqual(closed, [{ type: 'closed', reason: 'left' }])
    assert.equal(hosts[1]?.leftovers, '')
    assert.deepEqual(
      seen.map(({ type }) => type),
      ['member-leaving', 'member-left'],
    )
    assert.equal(second.local.state, 'left')
  })

  it('alone it takes no time', async () => {
    const { simulation, make } = stage()
    const membership = make()
    await simulation.finish(membership.start())
    const before = simulation.now
    await simulation.finish(membership.leave())
    assert.equal(simulation.now, before)
  })

  it('never started: just closes', async () => {
    const { simulation, host, make } = stage()
    const membership = make()
    await simulation.finish(membership.leave())
    assert.deepEqual([membership.status, host.leftovers], ['closed', ''])
    await simulation.finish(membership.leave())
  })

  it('during the start waits for it, and then takes back what was announced', async () => {
    const { simulation, make, host } = stage()
    const membership = make()
    const started = membership.start()
    await simulation.finish(membership.leave())
    await started
    assert.deepEqual([membership.status, host.leftovers], ['closed', ''])
  })

  it('during the start waits for it no longer than it may: then nothing was announced, and the start is refused', async () => {
    for (const later of [true, false]) {
      const { simulation, host } = stage()
      const found = { ip: Uint8Array.of(10, 0, 0, 1) }
      const membership = new Membership({
        host: hostWith(host, {
          reachableAddress: () =>
            new Promise((resolve) => host.clock.wakeAt(simulation.now + 300, () => resolve(found))),
        }),
      })
      const refused = assert.rejects(membership.start(), ClosedError)
      const before = simulation.now
      const leaves = later
        ? [membership.leave(), membership.leave({ timeoutMs: 100 })]
        : [membership.leave({ timeoutMs: 100 })]
      await simulation.finish(Promise.all(leaves))
      assert.deepEqual([membership.status, simulation.now - before], ['closed', 100])
      await simulation.run(300)
      await refused
      assert.equal(host.leftovers, '')
    }
  })

  it('during a join: the join is refused, and the leave goes on', async () => {
    const { simulation, first, second } = await joinedPair()
    const joined = assert.rejects(second.join(['10.0.0.9']), ClosedError)
    await simulation.run(1)
    await simulation.finish(second.leave())
    await joined
    assert.equal(first.member('m-2')?.state, 'left')
    await assert.rejects(second.join(['10.0.0.1']), ClosedError)
  })

  it('SF-21: while leaving there is no joining, starting or setting tags', async () => {
    const { simulation, second } = await joinedPair()
    const left = second.leave()
    await simulation.run(1)
    for (const call of [second.join(['10.0.0.1']), second.start(), second.setTags({})]) {
      await assert.rejects(call, ClosedError)
    }
    await simulation.finish(left)
  })

  it('ends in time where nobody answers any more', async () => {
    const { simulation, second } = await joinedPair()
    simulation.network.links.cut('host-1', 'host-2')
    simulation.network.links.cut('host-2', 'host-1')
    const before = simulation.now
    await simulation.finish(second.leave())
    assert.ok(simulation.now - before <= 11_000)
  })

  it('takes no longer than it may', async () => {
    for (const timeoutMs of [0, 50]) {
      const { simulation, second, hosts } = await joinedPair()
      const before = simulation.now
      await simulation.finish(second.leave({ timeoutMs }))
      assert.equal(simulation.now - before, timeoutMs)
      assert.equal(hosts[1]?.leftovers, '')
    }
  })

  it('of several limits the earliest holds, whenever it is given', async () => {
    for (const [limits, tookMs] of [
      [[undefined, 50], 50],
      [[200, 50], 50],
      [[50, 200], 50],
      [[50, undefined, 0], 0],
    ] as const) {
      const { simulation, first, second, hosts } = await joinedPair()
      const before = simulation.now
      const leaves = limits.map((timeoutMs) => second.leave(timeoutMs === undefined ? {} : { timeoutMs }))
      await simulation.finish(Promise.all(leaves))
      assert.equal(simulation.now - before, tookMs, String(limits))
      assert.equal(hosts[1]?.leftovers, '')

      const left = first.leave()
      await simulation.run(10)
      await simulation.finish(Promise.all([left, first.leave({ timeoutMs: 5 })]))
      assert.equal(simulation.now - before - tookMs, 15)
    }
  })

  it('closes also where the goodbye itself fails, and says why', async () => {
    const { simulation, host } = stage()
    let fault: Error | undefined
    const now = (): number => {
      if (fault !== undefined) throw fault
      return host.clock.now()
    }
    const clock = { now, wakeAt: host.clock.wakeAt }
    const membership = new Membership({ host: hostWith(host, { clock }), name: 'm-1', bind: '10.0.0.1:7946' })
    const closed = log(membership, 'closed')
    await simulation.finish(membership.start())
    fault = new RangeError('a fault of the host')
    await assert.rejects(simulation.finish(membership.leave()), fault)
    assert.deepEqual([membership.status, host.leftovers], ['closed', ''])
    assert.deepEqual(closed, [{ type: 'closed', reason: 'left' }])
    await simulation.finish(membership.close())
  })

  it('refuses a limit that is none, and runs on', async () => {
    const { simulation, second } = await joinedPair()
    for (const timeoutMs of [Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY, '5']) {
      await assert.rejects(second.leave({ timeoutMs: timeoutMs as number }), { option: 'timeoutMs' })
    }
    assert.equal(second.status, 'running')
    await simulation.finish(second.leave())
  })

  it('is what the end of an await using block does', async () => {
    const { simulation, first, second } = await joinedPair()
    await simulation.finish(second[Symbol.asyncDispose]())
    assert.deepEqual([second.status, first.member('m-2')?.state], ['closed', 'left'])
  })
})

describe('setTags', () => {
  it('before the start says what is announced with it', async () => {
    const { simulation, make } = stage()
    const membership = make({ tags: { role: 'web' } })
    await membership.setTags({ role: 'log' })
    await simulation.finish(membership.start())
    assert.deepEqual(membership.local.tags, { role: 'log' })
  })

  it('that do not fit is refused at once, before the start too, and changes nothing', async () => {
    const { simulation, make } = stage()
    const membership = make({ tags: { role: 'web' } })
    const tooLong = { role: 'x'.repeat(600) }
    await assert.rejects(membership.setTags(tooLong), SizeError)
    await simulation.finish(membership.start())
    await assert.rejects(membership.setTags(tooLong), SizeError)
    await assert.rejects(membership.setTags({ role: 7 } as unknown as Record<string, string>), OptionsError)
    assert.deepEqual(membership.local.tags, { role: 'web' })
  })

  it('resolves when the others were told', async () => {
    const { simulation, first, second } = await joinedPair()
    const updates = log(first, 'member-update')
    const tags = { role: 'log' }
    const told = second.setTags(tags)
    tags.role = 'changed later'
    await simulation.finish(told)
    assert.deepEqual(first.member('m-2')?.tags, { role: 'log' })
    assert.equal(updates.length, 1)
  })

  it('rejects where they could not be told in time, and stands all the same', async () => {
    const { simulation, make, makeAt } = stage()
    const quiet = { gossipIntervalMs: 0, probeIntervalMs: 3_600_000, pushPullIntervalMs: 0, broadcastTimeoutMs: 70 }
    const [first, second] = [make(quiet), makeAt(2, quiet)]
    await simulation.finish(first.start())
    await simulation.finish(second.join(['10.0.0.1']))
    const before = simulation.now
    await assert.rejects(simulation.finish(second.setTags({ role: 'log' })), TimeoutError)
    assert.ok(simulation.now - before >= 70 && simulation.now - before < 80)
    assert.deepEqual(second.local.tags, { role: 'log' })
  })

  it('several at once all resolve, and the last one counts', async () => {
    const { simulation, first, second } = await joinedPair()
    await simulation.finish(Promise.all(['a', 'b', 'c'].map((role) => second.setTags({ role }))))
    assert.deepEqual([second.local.tags, first.member('m-2')?.tags], [{ role: 'c' }, { role: 'c' }])
  })

  it('during the start is not lost', async () => {
    const { simulation, make } = stage()
    const membership = make()
    const started = membership.start()
    const told = membership.setTags({ role: 'log' })
    await simulation.finish(Promise.all([started, told]))
    assert.deepEqual(membership.local.tags, { role: 'log' })
  })
})

describe('forceLeave', () => {
  it('SF-23: of a member that lives resolves when it is told, and the member is alive again by its own word', async () => {
    const { simulation, first, second } = await joinedPair()
    const told = first.forceLeave('m-2')
    assert.equal(first.member('m-2')?.state, 'leaving')
    await simulation.finish(told)
    await simulation.run(2000)
    assert.deepEqual([first.member('m-2')?.state, second.local.state], ['alive', 'alive'])
  })

  it('of a member that is dead, with nobody else to tell, is done at once; with prune it is erased', async () => {
    const { simulation, first, second } = await joinedPair()
    const reaps: string[] = []
    first.on('member-reap', ({ member }) => reaps.push(member.name))
    await simulation.finish(second.close())
    await simulation.until(() => first.member('m-2')?.state === 'dead', { withinMs: 60_000 })
    const before = simulation.now
    await simulation.finish(first.forceLeave('m-2'))
    assert.equal(first.member('m-2')?.state, 'left')
    await simulation.finish(first.forceLeave('m-2', { prune: true }))
    assert.equal(first.member('m-2'), undefined)
    assert.deepEqual([reaps, simulation.now - before], [['m-2'], 0])
  })

  it('of a name that nobody knows is told all the same', async () => {
    const { simulation, first } = await joinedPair()
    const before = simulation.now
    await simulation.finish(first.forceLeave('nobody'))
    assert.ok(simulation.now > before)
  })

  it('rejects where it could not be told in time, and stands all the same', async () => {
    const { simulation, make, makeAt } = stage()
    const quiet = { gossipIntervalMs: 0, probeIntervalMs: 3_600_000, pushPullIntervalMs: 0, broadcastTimeoutMs: 70 }
    const [first, second] = [make(quiet), makeAt(2, quiet)]
    await simulation.finish(first.start())
    await simulation.finish(second.join(['10.0.0.1']))
    await assert.rejects(simulation.finish(second.forceLeave('m-1')), TimeoutError)
    assert.equal(second.member('m-1')?.state, 'leaving')
  })

  it('takes another name than our own, of at least a character, which fits a packet', async () => {
    const { simulation, first } = await joinedPair()
    for (const name of ['m-1', '', 7 as unknown as string]) {
      await assert.rejects(first.forceLeave(name), { code: 'ERR_OPTIONS', option: 'name' })
    }
    await assert.rejects(first.forceLeave('m-2', { prune: 1 as unknown as boolean }), { option: 'prune' })
    await assert.rejects(first.forceLeave('x'.repeat(2000)), SizeError)
    assert.deepEqual([first.local.state, first.member('m-2')?.state], ['alive', 'alive'])
    await simulation.finish(first.setTags({ still: 'here' }))
  })

  it('is for a member that runs', async () => {
    const { simulation, make } = stage()
    const membership = make()
    await assert.rejects(membership.forceLeave('m-2'), ClosedError)
    await simulation.finish(membership.start())
    await simulation.finish(membership.close())
    await assert.rejects(membership.forceLeave('m-2'), ClosedError)
  })
})

describe('members', () => {
  it('lists by state and by tags, all conditions together', async () => {
    const { simulation, make, makeAt } = stage()
    const first = make({ tags: { role: 'log' } })
    await simulation.finish(first.start())
    await simulation.finish(makeAt(2, { tags: { role: 'log', zone: 'a' } }).join(['10.0.0.1']))
    const third = makeAt(3, { tags: { role: 'web', zone: 'a' } })
    await simulation.finish(third.join(['10.0.0.1']))
    await simulation.finish(third.leave())
    const names = (filter: Parameters<Membership['members']>[0]): string[] =>
      first
        .members(filter)
        .map(({ name }) => name)
        .sort()
    assert.deepEqual(names({}), ['m-1', 'm-2', 'm-3'])
    assert.deepEqual(names({ state: 'alive' }), ['m-1', 'm-2'])
    assert.deepEqual(names({ state: ['left', 'dead'] }), ['m-3'])
    assert.deepEqual(names({ tags: { role: 'log' } }), ['m-1', 'm-2'])
    assert.deepEqual(names({ tags: { zone: 'a' }, state: 'alive' }), ['m-2'])
    assert.deepEqual(names({ tags: { constructor: 'Object' } }), [])
    assert.deepEqual(names({ tags: {} }), ['m-1', 'm-2', 'm-3'])
    assert.equal(first.member('nobody'), undefined)
  })

  it('and all that events carry are frozen', async () => {
    const { simulation, first, second } = await pair()
    const events = log(first, ...MEMBER_EVENTS)
    await simulation.finish(second.join(['10.0.0.1']))
    await simulation.finish(second.setTags({ role: 'log' }))
    assert.deepEqual(
      events.map(({ type }) => type),
      ['member-join', 'member-update'],
    )
    for (const event of events) {
      assert.ok(Object.isFrozen(event) && 'member' in event)
      for (const one of [event.member, event.previous]) {
        assert.ok(one === undefined || (Object.isFrozen(one) && Object.isFrozen(one.tags)))
      }
    }
    assert.ok('member' in events[0]! && !Object.hasOwn(events[0], 'previous'))
    assert.ok('member' in events[1]! && events[1].previous?.tags.role === undefined)
    assert.equal(
      first.member('m-2'),
      first.members().find(({ name }) => name === 'm-2'),
    )
  })
})

describe('listeners', () => {
  it('find the state they are told of, and may call back in', async () => {
    const { simulation, first, second } = await pair()
    const told: string[] = []
    const calls: Promise<unknown>[] = []
    first.on('member-join', ({ member }) => {
      assert.equal(first.member(member.name), member)
      told.push(`join ${member.name}`)
      calls.push(first.setTags({ seen: member.name }), first.join([member.address]))
      told.push('called')
    })
    first.on('member-leaving', ({ member }) => {
      told.push(`leaving ${member.name}`)
      calls.push(first.leave())
    })
    await simulation.finish(second.join(['10.0.0.1']))
    await simulation.finish(Promise.all(calls))
    assert.deepEqual(told, ['join m-2', 'called'])
    assert.deepEqual(first.local.tags, { seen: 'm-2' })
    await simulation.finish(second.leave())
    await simulation.finish(calls.at(-1) as Promise<unknown>)
    assert.deepEqual(told, ['join m-2', 'called', 'leaving m-2'])
    assert.equal(first.status, 'closed')
  })

  it('that close hear nothing more but the end', async () => {
    const { simulation, first, second } = await joinedPair()
    const told: string[] = []
    for (const type of ['member-suspect', 'member-dead', 'member-leaving', 'closed'] as const) {
      first.on(type, (event) => {
        told.push(event.type)
        if (event.type === 'member-leaving') void first.close()
      })
    }
    await simulation.finish(second.leave())
    await simulation.run(60_000)
    assert.deepEqual(told, ['member-leaving', 'closed'])
  })

  it('that throw are an uncaught exception in a turn of its own, after the drain; nothing else is disturbed', async () => {
    const { simulation, first, second } = await pair()
    const told: string[] = []
    const changes = first.changes()
    await changes.next()
    first.on('member-join', ({ member }) => {
      told.push(`join ${member.name}`)
      throw new RangeError('a fault of the listener')
    })
    first.on('member-join', ({ member }) => void told.push(`second listener: join ${member.name}`))
    first.on('member-update', ({ member }) => void told.push(`update ${member.name}`))
    await simulation.finish(second.start())
    const joined = second.join(['10.0.0.1'])
    await assert.rejects(simulation.run(1000), (error) => {
      assert.ok(error instanceof SimulationError && error.cause instanceof RangeError)
      return true
    })
    assert.deepEqual(told, ['join m-2', 'second listener: join m-2'])
    assert.deepEqual((await simulation.finish(joined)).joined, ['10.0.0.1:7946'])
    await simulation.finish(second.setTags({ role: 'log' }))
    assert.deepEqual(told.slice(2), ['update m-2'])
    assert.equal(((await changes.next()).value as Change).kind, 'change')
  })

  it('of the end that throw do not keep it from ending', async () => {
    const { simulation, host, make } = stage()
    const membership = make()
    membership.on('closed', () => {
      throw new RangeError('a fault of the listener')
    })
    await simulation.finish(membership.start())
    await membership.close()
    assert.deepEqual([membership.status, host.leftovers], ['closed', ''])
    await assert.rejects(simulation.run(1), SimulationError)
  })
})

describe('the address that others are told', () => {
  it('is told of in a warning where it is a guess, or public and nothing is encrypted', async () => {
    const { simulation, host } = stage()
    const ip = Uint8Array.of(203, 0, 113, 7)
    const reachableAddress: Host['reachableAddress'] = async () => ({ ip, doubt: 'nobody knows' })
    const membership = new Membership({ host: hostWith(host, { reachableAddress }) })
    const warnings = log(membership, 'warning')
    await simulation.finish(membership.start())
    assert.equal(membership.local.host, '203.0.113.7')
    assert.deepEqual(
      warnings.map((event) => event.type === 'warning' && event.code),
      ['advertise-guess', 'unencrypted-public'],
    )
  })

  it('is not asked for once closed: nothing is bound then', async () => {
    const { simulation, host } = stage()
    let isBound = false
    let found: (() => void) | undefined
    const membership = new Membership({
      host: hostWith(host, {
        reachableAddress: () =>
          new Promise((resolve) => {
            found = () => resolve({ ip: Uint8Array.of(10, 0, 0, 1) })
          }),
        bind: (address, handlers) => {
          isBound = true
          return host.bind(address, handlers)
        },
      }),
    })
    const started = assert.rejects(membership.start(), ClosedError)
    await simulation.finish(membership.close())
    found?.()
    await started
    assert.equal(isBound, false)
  })
})

describe('sockets that fail', () => {
  it('close the instance: pending promises reject, and the end says why', async () => {
    const { simulation, host } = stage()
    let handlers: TransportHandlers | undefined
    const bind: Host['bind'] = (address, given) => {
      handlers = given
      return host.bind(address, given)
    }
    const membership = new Membership({ host: hostWith(host, { bind }), bind: '10.0.0.1:7946' })
    const events = log(membership, 'closed')
    const joined = membership.join(['10.0.0.9'])
    const rejected = assert.rejects(joined, ClosedError)
    await simulation.run(10)
    const error = new TransportError('the network is gone')
    handlers?.failed(error)
    await simulation.run(10)
    await rejected
    assert.deepEqual(events, [{ type: 'closed', reason: 'failed', error }])
    assert.deepEqual([membership.status, host.leftovers], ['closed', ''])
    await membership.close()
  })
})

describe('changes', () => {
  it('gives a view, then each change in the order of the events, and ends with the instance', async () => {
    const { simulation, first, second } = await pair()
    const seen: string[] = []
    const reading = (async () => {
      for await (const change of first.changes()) {
        if (change.kind === 'view') seen.push(`view of ${change.members.length}`)
        if (change.kind === 'change') seen.push(`${change.event.type} ${change.event.member.name}`)
      }
      seen.push('over')
    })()
    await simulation.run(1)
    await simulation.finish(second.join(['10.0.0.1']))
    await simulation.finish(second.setTags({ role: 'log' }))
    await simulation.finish(second.leave())
    await simulation.finish(first.close())
    await simulation.finish(reading)
    assert.deepEqual(seen, [
      'view of 1',
      'member-join m-2',
      'member-update m-2',
      'member-leaving m-2',
      'member-left m-2',
      'over',
    ])
  })

  it('ends where its signal is aborted, and leaves no listener', async () => {
    const { simulation, make } = stage()
    const membership = make()
    await simulation.finish(membership.start())
    const controller = new AbortController()
    const changes = membership.changes({ signal: controller.signal })
    await changes.next()
    const next = changes.next()
    assert.equal(getEventListeners(controller.signal, 'abort').length, 1)
    controller.abort()
    assert.equal((await next).done, true)
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
  })

  it('return() and the end of the instance leave no listener on the signal either', async () => {
    const { simulation, make } = stage()
    const membership = make()
    await simulation.finish(membership.start())
    const { signal } = new AbortController()
    await membership.changes({ signal }).return?.()
    assert.equal(getEventListeners(signal, 'abort').length, 0)
    membership.changes({ signal })
    await simulation.finish(membership.close())
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })

  it('of a closed instance, or with a signal that is aborted already, is the view and the end', async () => {
    const { simulation, make } = stage()
    const membership = make()
    await simulation.finish(membership.start())
    const aborted = membership.changes({ signal: AbortSignal.abort() })
    await simulation.finish(membership.close())
    for (const changes of [aborted, membership.changes()]) {
      assert.equal(((await changes.next()).value as Change).kind, 'view')
      assert.equal((await changes.next()).done, true)
    }
  })
})

describe('stats', () => {
  it('count what went on, and gauge what is', async () => {
    const { simulation, first, second } = await joinedPair()
    await simulation.run(3000)
    const stats = first.stats()
    assert.deepEqual([stats.members, stats.health, stats.streamsOpen, stats.warnings], [2, 0, 0, {}])
    assert.ok(stats.packetsSent > 0 && stats.packetsReceived > 0)
    assert.ok(stats.bytesSent > stats.packetsSent && stats.bytesReceived > stats.packetsReceived)
    assert.equal(second.health, 0)
  })
})

describe('sendEvent', () => {
  it('comes to ourselves at once and to others soon, each with a payload of its own; unpack gives the value', async () => {
    const { simulation, first, second } = await joinedPair()
    const [own, theirs] = [log(first, 'user-event'), log(second, 'user-event')]
    const payload = utf8('v7')
    first.sendEvent('deploy', payload)
    assert.equal(own.length, 1)
    first.sendEvent('config', { keys: ['a', 1] }, { coalesce: true })
    await simulation.run(2000)
    for (const events of [own, theirs]) {
      const [deploy, config] = [...events].sort((left, right) => ltimeOf(left) - ltimeOf(right))
      assert.ok(deploy?.type === 'user-event' && config?.type === 'user-event' && events.length === 2)
      assert.deepEqual([deploy.name, deploy.payload, deploy.ltime, deploy.coalesce], ['deploy', utf8('v7'), 1, false])
      assert.deepEqual(
        [config.name, config.unpack(), config.ltime, config.coalesce],
        ['config', { keys: ['a', 1] }, 2, true],
      )
      assert.ok(Object.isFrozen(deploy))
      deploy.payload.fill(0)
    }
    assert.deepEqual(payload, utf8('v7'))
  })

  it('is refused before the start, after the end, and with what does not fit; nothing is sent then', async () => {
    const { simulation, first, second } = await joinedPair()
    const theirs = log(second, 'user-event')
    assert.throws(() => stage().make().sendEvent('deploy'), ClosedError)
    assert.throws(
      () => first.sendEvent('deploy', new Uint8Array(512)),
      (error) => error instanceof SizeError && error.allowedBytes === 512 && error.usedBytes > 512,
    )
    assert.throws(() => first.sendEvent('deploy', Symbol('x') as unknown as string), OptionsError)
    await simulation.run(2000)
    assert.deepEqual(theirs, [])
    await simulation.finish(first.close())
    assert.throws(() => first.sendEvent('deploy'), ClosedError)
  })

  it('may be called from inside a listener: all are told, in order', async () => {
    const { simulation, first, second } = await joinedPair()
    const theirs = log(second, 'user-event')
    first.once('user-event', () => first.sendEvent('second'))
    first.sendEvent('first')
    await simulation.run(2000)
    assert.deepEqual(theirs.map((event) => event.type === 'user-event' && event.name).sort(), ['first', 'second'])
  })

  it('SF-31: who joins hears of what was sent of late, unless it ignores it; an instance may ignore it from the start', async () => {
    for (const [options, joinOptions, heard] of [
      [{}, {}, ['early']],
      [{}, { ignoreOldEvents: true }, []],
      [{ ignoreOldEvents: true }, {}, []],
    ] as const) {
      const { simulation, make, makeAt } = stage()
      const [first, second] = [make(), makeAt(2, options)]
      await simulation.finish(first.start())
      first.sendEvent('early')
      const events = log(second, 'user-event')
      await simulation.finish(second.join(['10.0.0.1'], joinOptions))
      assert.deepEqual(
        events.map((event) => event.type === 'user-event' && event.name),
        heard,
      )
      first.sendEvent('late')
      await simulation.run(2000)
      assert.deepEqual(
        events.map((event) => event.type === 'user-event' && event.name),
        [...heard, 'late'],
      )
      await simulation.finish(Promise.all([first.close(), second.close()]))
    }
  })

  it('changes() tells of members alone', async () => {
    const { simulation, first } = await joinedPair()
    const changes = first.changes()
    await changes.next()
    first.sendEvent('deploy')
    await simulation.run(1000)
    await simulation.finish(first.close())
    const last = await changes.next()
    assert.equal(last.done, true)
  })
})

function ltimeOf(event: MembershipEvent): number {
  return event.type === 'user-event' ? event.ltime : 0
}

/** One simulated network, with `host-1` at 10.0.0.1 and further hosts as they are asked for. */
function stage() {
  const simulation = new Simulation({ seed: 1 })
  const hosts: SimHost[] = []
  const hostAt = (number: number): SimHost => {
    hosts[number - 1] ??= simulation.host(simulation.station(`host-${number}`, `10.0.0.${number}`))
    return hosts[number - 1] as SimHost
  }
  const makeAt = (number: number, options: MembershipOptions = {}): Membership =>
    new Membership({ host: hostAt(number), name: `m-${number}`, bind: `10.0.0.${number}:7946`, ...options })
  return { simulation, hosts, host: hostAt(1), makeAt, make: (options?: MembershipOptions) => makeAt(1, options) }
}

/** `first` runs, `second` is not started. */
async function pair() {
  const { simulation, hosts, make, makeAt } = stage()
  const [first, second] = [make(), makeAt(2)]
  await simulation.finish(first.start())
  return { simulation, hosts, first, second }
}

async function joinedPair() {
  const all = await pair()
  await all.simulation.finish(all.second.join(['10.0.0.1']))
  return all
}

/** Writes down events of these types, in order. */
function log(membership: Membership, ...types: MembershipEvent['type'][]): MembershipEvent[] {
  const events: MembershipEvent[] = []
  for (const type of types) membership.on(type, (event: MembershipEvent) => void events.push(event))
  return events
}

/** A host with some of its parts replaced. */
function hostWith(host: SimHost, parts: Partial<Host>): Host {
  return {
    clock: host.clock,
    cipher: host.cipher,
    hostname: host.hostname,
    entropy: (into) => host.entropy(into),
    bind: (address, handlers) => host.bind(address, handlers),
    resolve: (name, signal) => host.resolve(name, signal),
    ownAddresses: () => host.ownAddresses(),
    reachableAddress: (wildcard) => host.reachableAddress(wildcard),
    defer: (task) => host.defer(task),
    ...parts,
  }
}
