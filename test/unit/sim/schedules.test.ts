// Trials are data from a seed: the same for the same seed, and each holds as much trouble as is promised.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { resolveOptions } from '../../../src/options.ts'
import { BREAKING, lengthOf, membersIn } from '../../../src/sim/faults.ts'
import { trialOf } from '../../../src/sim/schedules.ts'

const SEEDS = Array.from({ length: 300 }, (_, seed) => seed)

describe('sim/schedules.ts', () => {
  it('the same seed gives the same trial, and another another', () => {
    assert.deepEqual(trialOf(7), trialOf(7))
    assert.notDeepEqual(trialOf(7).faults, trialOf(8).faults)
  })

  it('a trial is data: it comes back from JSON as it was', () => {
    for (const seed of SEEDS) assert.deepEqual(JSON.parse(JSON.stringify(trialOf(seed))), trialOf(seed))
  })

  it('each has at least 5 members, 120 s of faults, and 3 kinds of fault that break something', () => {
    for (const seed of SEEDS) {
      const { members, faultsMs, faults } = trialOf(seed)
      assert.ok(members >= 5 && faultsMs >= 120_000)
      const kinds = new Set(faults.map(({ kind }) => kind).filter((kind) => BREAKING.includes(kind)))
      assert.ok(kinds.size >= 3, `seed ${seed} has ${kinds.size}`)
    }
  })

  it('faults are in order, within the time, of members that are there, and every kind comes up', () => {
    const kinds = new Set<string>()
    for (const seed of SEEDS) {
      const { members, faultsMs, faults } = trialOf(seed)
      for (const fault of faults) {
        kinds.add(fault.kind)
        assert.ok(fault.atMs >= 0 && fault.atMs < faultsMs)
        assert.ok((lengthOf(fault) ?? 1) > 0)
        assert.ok(membersIn(fault).every((member) => Number.isInteger(member) && member >= 1 && member <= members))
        if (fault.kind === 'partition') assert.deepEqual([...fault.groups.flat()].sort(), numbers(members))
        if (fault.kind === 'cut') assert.notEqual(fault.from, fault.to)
      }
      const times = faults.map(({ atMs }) => atMs)
      assert.deepEqual(
        times,
        times.toSorted((left, right) => left - right),
      )
    }
    assert.deepEqual(
      [...BREAKING, 'event', 'query', 'tags'].filter((kind) => !kinds.has(kind)),
      [],
    )
  })

  it('about one in ten has socket buffers of 2 to 20 KB, some have machines that refuse packets, and most have neither', () => {
    const machines = SEEDS.map((seed) => trialOf(seed).machines ?? {})
    const sizes = machines.flatMap(({ bufferBytes }) => bufferBytes ?? [])
    assert.ok(sizes.length >= 20 && sizes.length <= 40, `${sizes.length} of ${SEEDS.length}`)
    assert.ok(Math.min(...sizes) >= 2_000 && Math.max(...sizes) <= 20_000 && Math.min(...sizes) < 5_000)
    const refusing = machines.filter(({ refusesPackets }) => refusesPackets).length
    assert.ok(refusing >= 40 && refusing <= 80, `${refusing}`)
  })

  it('while a disk does not sync its member mostly says goodbye, which asks it to', () => {
    let [broken, felt] = [0, 0]
    for (const seed of SEEDS) {
      const { faults } = trialOf(seed)
      for (const fault of faults) {
        if (fault.kind !== 'disk' || fault.fault !== 'sync') continue
        broken++
        const isWithin = (atMs: number): boolean => atMs >= fault.atMs && atMs <= fault.atMs + fault.forMs
        if (
          faults.some(
            ({ kind, atMs, ...of }) =>
              kind === 'leave' && 'member' in of && of.member === fault.member && isWithin(atMs),
          )
        )
          felt++
      }
    }
    assert.ok(broken > 20 && felt >= broken / 2 && felt < broken, `${felt} of ${broken}`)
  })

  it('its options are ones that a member takes', () => {
    for (const seed of SEEDS) resolveOptions(trialOf(seed).options)
  })
})

function numbers(most: number): number[] {
  return Array.from({ length: most }, (_, at) => at + 1)
}
