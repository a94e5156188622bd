// Whole members that hold news back (serf-behaviour §29): what listeners, readers of `changes()` and the list see of it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Change } from '../../src/changes.ts'
import { Membership } from '../../src/membership.ts'
import type { MembershipOptions } from '../../src/options.ts'
import { Simulation } from '../../src/sim/simulation.ts'

/** The periods of Serf's agent. */
const HELD = {
  coalescePeriodMs: 3000,
  quiescentPeriodMs: 1000,
  userCoalescePeriodMs: 3000,
  userQuiescentPeriodMs: 1000,
}

/** m-1, which holds news back, runs alone; others are made as they are asked for, and have joined it. */
async function stage() {
  const simulation = new Simulation({ seed: 1 })
  const make = (number: number, options: MembershipOptions = {}): Membership => {
    const [name, ip] = [`m-${number}`, `10.0.0.${number}`]
    const host = simulation.host(simulation.station(name, ip))
    return new Membership({ name, bind: `${ip}:7946`, host, ...options })
  }
  const first = make(1, HELD)
  const told: string[] = []
  for (const type of ['member-join', 'member-left', 'member-dead', 'member-update'] as const) {
    first.on(type, ({ member }) => told.push(`${type} ${member.name}, ${first.size}`))
  }
  first.on('user-event', ({ name, ltime }) => told.push(`${name} ${ltime}`))
  first.on('closed', () => told.push('closed'))
  await simulation.finish(first.start())
  const join = async (number: number): Promise<Membership> => {
    const other = make(number)
    await simulation.finish(other.join(['10.0.0.1']))
    return other
  }
  const take = (): string[] => told.splice(0)
  return { simulation, first, join, take, told }
}

/** What a reader finds at once. */
async function readable(simulation: Simulation, changes: AsyncIterator<Change>): Promise<string[]> {
  const found: string[] = []
  let isWaiting = false
  const read = async (): Promise<void> => {
    for (;;) {
      isWaiting = true
      const { value, done } = await changes.next()
      isWaiting = false
      if (done === true) return
      if (value.kind === 'view') found.push(`view ${value.members.map(({ name }: { name: string }) => name).join()}`)
      if (value.kind === 'change') found.push(`${value.event.type} ${value.event.member.name}`)
    }
  }
  void read()
  await simulation.until(() => isWaiting && found.length > 0)
  return found
}

describe('a member that holds news back', () => {
  it('SF-60: tells of several that came in one turn, and lists them before', async () => {
    const { simulation, first, join, take } = await stage()
    for (const number of [2, 3, 4]) await join(number)
    assert.equal(first.size, 4)
    assert.deepEqual(take(), [])
    const before = simulation.now
    await simulation.until(() => take().join() === 'member-join m-2, 4,member-join m-3, 4,member-join m-4, 4')
    assert.ok(simulation.now - before <= 1100, `${simulation.now - before} ms`)
  })

  it('tells what waits before it gives a view, and nothing twice', async () => {
    const { simulation, first, join, take } = await stage()
    const second = await join(2)
    assert.deepEqual(take(), [])
    const late = await readable(simulation, first.changes())
    assert.deepEqual(late, ['view m-1,m-2'])
    assert.deepEqual(take(), ['member-join m-2, 2'])
    await simulation.finish(second.leave())
    await simulation.run(5000)
    assert.deepEqual(late, ['view m-1,m-2', 'member-left m-2'])
    assert.deepEqual(take(), ['member-left m-2, 2'])
  })

  it('tells a reader that has its view already what came of it', async () => {
    const { simulation, first, join } = await stage()
    const early = await readable(simulation, first.changes())
    const second = await join(2)
    await simulation.finish(second.setTags({ role: 'log' }))
    assert.deepEqual(early, ['view m-1'])
    await simulation.run(5000)
    assert.deepEqual(early, ['view m-1', 'member-join m-2'])
  })

  it('tells what waits when it is closed, and a listener may close it as well', async () => {
    const { simulation, first, join, take } = await stage()
    await join(2)
    first.once('member-join', () => void first.close())
    assert.deepEqual(take(), [])
    const closed = first.close()
    assert.deepEqual(take(), ['member-join m-2, 2'])
    await simulation.finish(closed)
    assert.deepEqual(take(), ['closed'])
  })

  it('tells what waits when a listener closes it', async () => {
    const { simulation, first, join, take } = await stage()
    await join(2)
    first.once('user-event', () => void first.close())
    assert.deepEqual(take(), [])
    first.sendEvent('over')
    assert.deepEqual(take(), ['over 1', 'member-join m-2, 2'])
    await simulation.finish(first.close())
    assert.deepEqual(take(), ['closed'])
  })

  it('tells what waits when it leaves', async () => {
    const { simulation, first, join, take } = await stage()
    await join(2)
    assert.deepEqual(take(), [])
    await simulation.finish(first.leave({ timeoutMs: 10 }))
    assert.deepEqual(take(), ['member-join m-2, 2', 'closed'])
  })

  it('tells the newest of the user events that may be coalesced', async () => {
    const { simulation, join, take } = await stage()
    const second = await join(2)
    await simulation.run(5000)
    take()
    for (const version of [1, 2, 3]) second.sendEvent('deploy', { version }, { coalesce: true })
    second.sendEvent('restart')
    await simulation.until(() => take().join() === 'restart 4')
    await simulation.until(() => take().join() === 'deploy 3')
    await simulation.run(60_000)
    assert.deepEqual(take(), [])
  })
})
