// Lookup, the order of probing and random samples: SWIM §4.3, serf-behaviour §4.7, §5.1 and §7.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AssertionError } from '../../../src/base/assert.ts'
import { Random } from '../../../src/base/random.ts'
import { newRecord } from '../../../src/swim/claims.ts'
import type { MemberRecord } from '../../../src/swim/member.ts'
import { MemberTable } from '../../../src/swim/member-table.ts'
import { at, Bench, dead, left } from './support.ts'

const anyone = (): boolean => true
const nobody = (): boolean => false

function table(size: number, seed = 1): MemberTable {
  const made = new MemberTable(new Random(seed))
  for (let number = 1; number <= size; number++) made.add(newRecord(`m${number}`, at(number), 0))
  return made
}

function names(members: readonly MemberRecord[]): string[] {
  return members.map(({ name }) => name)
}

describe('SWIM §4.3: the order of probing', () => {
  it('ML-20: every round gives each member once, and rounds differ', () => {
    const made = table(20)
    const rounds = Array.from({ length: 6 }, () =>
      Array.from({ length: 20 }, () => made.nextInRound(anyone, nobody)?.name ?? ''),
    )
    for (const round of rounds) assert.equal(new Set(round).size, 20)
    assert.equal(new Set(rounds.map((round) => round.join())).size, 6)
  })

  it('between two turns of a member lie at most 2N - 2 turns of others', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const made = table(7, seed)
      const last = new Map<string, number>()
      for (let turn = 0; turn < 700; turn++) {
        const name = made.nextInRound(anyone, nobody)?.name ?? ''
        assert.ok(turn - (last.get(name) ?? turn) <= 2 * 7 - 1)
        last.set(name, turn)
      }
    }
  })

  it('a newcomer stands anywhere in the order, not always at its end', () => {
    const places = new Array<number>(10).fill(0)
    for (let seed = 1; seed <= 2000; seed++) {
      const made = table(9, seed)
      made.add(newRecord('new', at(99), 0))
      const place = names(made.all()).indexOf('new')
      places[place] = (places[place] as number) + 1
    }
    for (const count of places) assert.ok(count > 130 && count < 280, `${places}`)
  })

  it('looks at each member once at most, and gives nobody where nobody fits', () => {
    const made = table(9)
    let looks = 0
    const found = made.nextInRound(() => {
      looks++
      return false
    }, nobody)
    assert.deepEqual([found, looks], [undefined, 9])
    assert.equal(new MemberTable(new Random(1)).nextInRound(anyone, anyone), undefined)
  })

  it('a member is added once', () => {
    const made = table(3)
    assert.throws(() => made.add(newRecord('m2', at(2), 0)), AssertionError)
  })
})

describe('serf-behaviour §4.7: forgetting', () => {
  it('ML-12: who is to be forgotten stays to the end of the round, and is gone from list and lookup then', () => {
    const made = table(5)
    const isGone = (member: MemberRecord): boolean => member.name === 'm3'
    for (let turn = 0; turn < 5; turn++) {
      made.nextInRound(anyone, isGone)
      assert.equal(made.get('m3')?.name, 'm3')
    }
    made.nextInRound(anyone, isGone)
    assert.equal(made.get('m3'), undefined)
    assert.deepEqual(names(made.all()).sort(), ['m1', 'm2', 'm4', 'm5'])
    assert.equal(made.size, 4)
    made.add(newRecord('m3', at(3), 0))
    assert.equal(made.size, 5)
  })

  it('rounds end, and the dead are forgotten, where nobody is left to probe', () => {
    const made = table(5)
    made.nextInRound(nobody, (member) => member.name !== 'm1')
    assert.deepEqual(names(made.all()), ['m1'])
  })

  it('ML-12: the machine forgets the dead and those that left after gossipToTheDeadMs, and not at it', () => {
    for (const goodbye of [dead, left]) {
      const made = new Bench({ gossipToTheDeadMs: 5000 })
      made.know(2)
      made.now = 3000
      made.swim.advance(3000)
      made.receive(goodbye('m2', 1))
      const phase = (made.swim.nextDeadline() as number) % 1000
      made.advanceTo(7000 + phase)
      assert.notEqual(made.swim.member('m2'), undefined)
      made.advanceTo(9000)
      assert.equal(made.swim.member('m2'), undefined)
      assert.equal(made.swim.size, 1)
      assert.equal(made.status('m1'), 'alive')
    }
  })

  it('ML-12: while others are probed, a dead member outlives its time up to the end of the round', () => {
    const made = new Bench({ gossipToTheDeadMs: 0 })
    made.know(20)
    const order = new Set<string>()
    const probeOnce = (): void => {
      const probe = made.untilProbe()
      made.ack(probe.seqNo)
      order.add(probe.to.key)
    }
    for (let probes = 0; probes < 19; probes++) probeOnce()
    assert.equal(order.size, 19)
    probeOnce()
    made.receive(dead('m2', 1))
    for (let probes = 0; probes < 17; probes++) {
      probeOnce()
      assert.equal(made.status('m2'), 'dead')
    }
    for (let probes = 0; probes < 2; probes++) probeOnce()
    assert.equal(made.swim.member('m2'), undefined)
  })

  it('we ourselves are never forgotten, not even after we left', () => {
    const made = new Bench({ gossipToTheDeadMs: 0 })
    made.know(2)
    made.swim.leave(0, 1)
    made.receive(dead('m2', 1))
    made.advanceTo(20_000)
    assert.equal(made.swim.size, 1)
    assert.equal(made.status('m1'), 'left')
  })
})

describe('serf-behaviour §7: random samples', () => {
  it('are different members that fit, at most as many as asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0, max: 6 }),
        fc.integer(),
        (size, count, seed) => {
          const made = table(size, seed)
          const isEven = (member: MemberRecord): boolean => Number(member.name.slice(1)) % 2 === 0
          const found = names(made.sample(count, isEven))
          assert.ok(found.length <= count)
          assert.equal(new Set(found).size, found.length)
          for (const name of found) assert.equal(Number(name.slice(1)) % 2, 0)
        },
      ),
    )
  })

  it('find all there are in a table of fewer than three times as many', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const made = table(8, seed)
      assert.deepEqual(names(made.sample(3, (member) => member.name === 'm5' || member.name === 'm7')).sort(), [
        'm5',
        'm7',
      ])
    }
  })

  it('give everyone the same chance', () => {
    const made = table(20)
    const counts = new Map<string, number>()
    for (let draws = 0; draws < 4000; draws++) {
      for (const name of names(made.sample(3, anyone))) counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    assert.equal(counts.size, 20)
    for (const count of counts.values()) assert.ok(count > 480 && count < 720, `${count} of 600`)
  })

  it('come to an end in a large table where nobody fits', () => {
    let looks = 0
    const found = table(1000).sample(3, () => {
      looks++
      return false
    })
    assert.deepEqual(found, [])
    assert.ok(looks <= 3000)
  })

  it('leave the order of probing as it is', () => {
    const made = table(5)
    const before = names(made.all())
    made.sample(3, anyone)
    assert.deepEqual(names(made.all()), before)
  })
})
