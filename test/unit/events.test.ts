// What member events say of the state before.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MemberEvent } from '../../src/events.ts'
import { Membership } from '../../src/membership.ts'
import { Simulation } from '../../src/sim/simulation.ts'

describe('previous', () => {
  it('is the suspect in the news of a death, and the leaver in the news of a departure', async () => {
    const simulation = new Simulation({ seed: 1 })
    const hosts = [1, 2, 3].map((number) => simulation.host(simulation.station(`host-${number}`, `10.0.0.${number}`)))
    const [first, second, third] = hosts.map(
      (host, at) => new Membership({ host, name: `m-${at + 1}`, bind: `10.0.0.${at + 1}:7946` }),
    ) as [Membership, Membership, Membership]
    await simulation.finish(first.start())
    for (const other of [second, third]) await simulation.finish(other.join(['10.0.0.1']))
    const told: string[] = []
    const note = ({ type, member, previous }: MemberEvent): void => {
      told.push(`${type} ${member.name}: ${previous?.state} to ${member.state}`)
    }
    for (const type of ['member-suspect', 'member-dead', 'member-leaving', 'member-left'] as const) first.on(type, note)
    await simulation.finish(second.leave())
    hosts[2]?.kill()
    await simulation.until(() => first.member('m-3')?.state === 'dead')
    assert.deepEqual(told, [
      'member-leaving m-2: alive to leaving',
      'member-left m-2: leaving to left',
      'member-suspect m-3: alive to suspect',
      'member-dead m-3: suspect to dead',
    ])
    await simulation.finish(first.close())
  })
})
