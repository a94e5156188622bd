import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Accept, acceptOf } from '../../src/accept.ts'
import { OptionsError } from '../../src/base/errors.ts'
import type { Driver } from '../../src/driver/driver.ts'
import { Membership } from '../../src/membership.ts'
import { Simulation, SimulationError } from '../../src/sim/simulation.ts'
import type { Station } from '../../src/sim/station.ts'

const MEMBER = { name: 'm-2' } as Parameters<Accept>[0]
const DRIVER: Pick<Driver, 'ask'> = { ask: (_option, ask, ...about) => ask(...about) }

/** What is asked through, and what was put off. */
function asked(accept: Accept): { answer: boolean; deferred: (() => void)[] } {
  const deferred: (() => void)[] = []
  const answer = acceptOf(accept, DRIVER, { defer: (task) => void deferred.push(task) })(MEMBER)
  return { answer, deferred }
}

describe('accept', () => {
  it('passes on yes and no', () => {
    for (const said of [true, false]) {
      assert.deepEqual(
        asked((member) => member === MEMBER && said),
        { answer: said, deferred: [] },
      )
    }
  })

  it('that throws says no, and what it throws surfaces in a turn of its own', () => {
    const { answer, deferred } = asked(() => {
      throw new RangeError('broken')
    })
    assert.equal(answer, false)
    assert.equal(deferred.length, 1)
    assert.throws(deferred[0] as () => void, new RangeError('broken'))
  })

  it('that answers with anything but true or false says no, a promise above all', () => {
    for (const said of [Promise.resolve(true), undefined, null, 1, 'yes']) {
      const { answer, deferred } = asked((() => said) as unknown as Accept)
      assert.equal(answer, false)
      assert.throws(deferred[0] as () => void, (error) => error instanceof OptionsError && error.option === 'accept')
    }
  })
})

describe('a member with a veto', () => {
  /** m-1 with the veto and m-2 without, on a simulated network; m-2 has asked to join. */
  async function pair(accept: Accept, more = {}) {
    const simulation = new Simulation({ seed: 1 })
    const stations: Station[] = []
    const make = (name: string, ip: string, options = {}): Membership => {
      const station = simulation.station(name, ip)
      stations.push(station)
      const host = simulation.host(station)
      return new Membership({ name, bind: `${ip}:7946`, host, ...options })
    }
    const guarded = make('m-1', '10.0.0.1', { accept, ...more })
    const other = make('m-2', '10.0.0.2', { tags: { role: 'log' } })
    const warnings: string[] = []
    guarded.on('warning', ({ code }) => warnings.push(code))
    await simulation.finish(guarded.start())
    const exchanges = (): number => stations.reduce((sum, { traffic }) => sum + traffic.streams.dialled, 0)
    return { simulation, guarded, other, warnings, exchanges }
  }

  it('takes in whom it accepts, and sees every change of tags first', async () => {
    const seen: string[] = []
    const { simulation, guarded, other } = await pair(({ name, tags }) => {
      seen.push(`${name} ${tags.role}`)
      return tags.role !== 'spy'
    })
    await simulation.finish(other.join(['10.0.0.1']))
    assert.equal(guarded.member('m-2')?.tags.role, 'log')
    await simulation.finish(other.setTags({ role: 'spy' }))
    await simulation.run(5000)
    assert.deepEqual([guarded.member('m-2')?.state, guarded.member('m-2')?.tags.role], ['alive', 'log'])
    await simulation.finish(other.setTags({ role: 'web' }))
    await simulation.run(5000)
    assert.equal(guarded.member('m-2')?.tags.role, 'web')
    assert.deepEqual(seen, ['m-2 log', 'm-2 spy', 'm-2 web'])
  })

  it('ML-55: a periodic exchange asks about nobody who was taken in', async () => {
    const seen: string[] = []
    const every = { pushPullIntervalMs: 1000 }
    const { simulation, other, exchanges } = await pair(({ name }) => seen.push(name) > 0, every)
    await simulation.finish(other.join(['10.0.0.1']))
    const before = exchanges()
    await simulation.until(() => exchanges() >= before + 10, { withinMs: 30_000 })
    assert.deepEqual(seen, ['m-2'])
  })

  it('keeps out whom it refuses: no event, a warning, one question in ten seconds', async () => {
    let questions = 0
    const { simulation, guarded, other, warnings } = await pair(() => {
      questions++
      return false
    })
    const joined: string[] = []
    guarded.on('member-join', ({ member }) => joined.push(member.name))
    await simulation.finish(other.join(['10.0.0.1']))
    await simulation.run(60_000)
    assert.deepEqual([joined, guarded.size], [[], 1])
    assert.ok(warnings.length > 0 && warnings.every((code) => code === 'member-refused'), warnings.join())
    assert.ok(questions <= 7, `${questions} questions in 60 s`)
  })

  it('surfaces what its function throws, and goes on', async () => {
    const { simulation, guarded, other } = await pair(() => {
      throw new RangeError('broken')
    })
    const error = await simulation.finish(other.join(['10.0.0.1'])).then(
      () => simulation.run(1000).then(() => undefined),
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof SimulationError && error.cause instanceof RangeError, String(error))
    assert.deepEqual([guarded.status, guarded.size], ['running', 1])
  })

  it('does not let its function change the instance that asks; looking around is fine', async () => {
    const errors: unknown[] = []
    const around: number[] = []
    const holder: { membership?: Membership } = {}
    const asked: Accept = () => {
      around.push(holder.membership?.members().length ?? 0)
      holder.membership?.setTags({ role: 'web' }).catch((error: unknown) => errors.push(error))
      return true
    }
    const { simulation, guarded, other } = await pair(asked)
    holder.membership = guarded
    await simulation.finish(other.join(['10.0.0.1']))
    assert.deepEqual(around, [1])
    assert.ok(errors[0] instanceof OptionsError, String(errors[0]))
    assert.equal(errors[0].option, 'accept')
    assert.equal(errors[0].value, asked, "the user's own function")
    assert.deepEqual([guarded.local.tags, guarded.member('m-2')?.state], [{}, 'alive'])
  })

  it('may close the instance that asks', async () => {
    const holder: { membership?: Membership } = {}
    const { simulation, guarded, other } = await pair(() => {
      void holder.membership?.close()
      return true
    })
    holder.membership = guarded
    await simulation.finish(other.join(['10.0.0.1']))
    assert.equal(guarded.status, 'closed')
  })
})

describe('allowedCidrs', () => {
  /** A member at 10.0.0.1 with those ranges, and another at 10.0.9.9. */
  async function pair(allowedCidrs: readonly string[]) {
    const simulation = new Simulation({ seed: 1 })
    const make = (name: string, ip: string, options = {}): Membership => {
      const host = simulation.host(simulation.station(name, ip))
      return new Membership({ name, bind: `${ip}:7946`, host, ...options })
    }
    const guarded = make('m-1', '10.0.0.1', { allowedCidrs })
    const other = make('m-2', '10.0.9.9')
    const warnings: string[] = []
    guarded.on('warning', ({ code }) => warnings.push(code))
    await simulation.finish(guarded.start())
    return { simulation, guarded, other, warnings }
  }

  it('a stream from outside is not read, and the newcomer is told nobody answered', async () => {
    const { simulation, guarded, other, warnings } = await pair(['10.0.0.0/24'])
    const { joined, failed } = await simulation.finish(other.join(['10.0.0.1']))
    assert.deepEqual([joined, failed.map(({ address }) => address)], [[], ['10.0.0.1:7946']])
    assert.deepEqual([guarded.size, warnings], [1, ['source-refused']])
    assert.ok((guarded.stats().warnings['source-refused'] ?? 0) >= 1)
  })

  it('inside them all is as ever', async () => {
    const { simulation, guarded, other, warnings } = await pair(['192.168.0.0/16', '10.0.9.9/32'])
    assert.equal((await simulation.finish(other.join(['10.0.0.1']))).joined.length, 1)
    await simulation.run(5000)
    assert.deepEqual([guarded.member('m-2')?.state, warnings], ['alive', []])
  })

  it('a seed outside is a mistake: an address at once, a name when it is resolved', async () => {
    const { simulation, guarded } = await pair(['10.0.0.0/24'])
    await assert.rejects(guarded.join(['10.0.0.2', '10.0.9.9']), { option: 'seeds', value: '10.0.9.9' })
    const { joined, failed } = await simulation.finish(guarded.join(['m-2']))
    assert.deepEqual([joined, failed.map(({ address }) => address)], [[], ['10.0.9.9:7946']])
    assert.match(failed[0]?.error.message ?? '', /inside allowedCidrs/)
    await simulation.finish(guarded.close())
  })
})
