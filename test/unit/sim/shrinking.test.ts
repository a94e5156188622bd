// Shrinking leaves what a failure needs and nothing else, and ends.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Fault } from '../../../src/sim/faults.ts'
import { type Trial, trialOf } from '../../../src/sim/schedules.ts'
import { shrinkTrial } from '../../../src/sim/shrinking.ts'

const forMs = 1000

function trial(faults: readonly Fault[], more: Partial<Trial> = {}): Trial {
  return { seed: 1, members: 7, options: { profile: 'wan', label: 'x' }, faultsMs: 120_000, faults, ...more }
}

const pause = (member: number, atMs = 0): Fault => ({ kind: 'pause', atMs, forMs, member })
const members = (smaller: Trial): number[] =>
  smaller.faults.flatMap((fault) => ('member' in fault ? [fault.member] : []))

describe('sim/shrinking.ts', () => {
  it('of a long schedule the two faults stay that fail together, wherever they stand', async () => {
    const long = trialOf(3)
    const faults = [...long.faults.slice(0, 5), pause(2, 111), ...long.faults.slice(5), pause(3, 222)]
    const needs = (smaller: Trial, atMs: number): boolean =>
      smaller.faults.some((fault) => fault.atMs === atMs && fault.kind === 'pause')
    const smallest = await shrinkTrial(trial(faults), async (smaller) => needs(smaller, 111) && needs(smaller, 222))
    assert.deepEqual(
      smallest,
      trial([{ ...pause(1, 111) }, { ...pause(2, 222) }], { members: 2, options: {}, faultsMs: 1222 }),
    )
  })

  it('members that are not needed go, and those after them move up in every fault', async () => {
    const faults: Fault[] = [
      { kind: 'cut', atMs: 0, forMs, from: 3, to: 6, isOneWay: true, cuts: 'all' },
      {
        kind: 'partition',
        atMs: 5,
        forMs,
        groups: [
          [1, 3, 5],
          [2, 4],
          [6, 7],
        ],
      },
      { kind: 'loss', atMs: 9, forMs, ratio: 0.5, towards: 6 },
    ]
    const smallest = await shrinkTrial(
      trial(faults),
      async (smaller) => smaller.faults.length === 3 && smaller.members >= 4,
    )
    assert.equal(smallest.members, 4)
    assert.deepEqual(smallest.faults, [
      { kind: 'cut', atMs: 0, forMs, from: 3, to: 4, isOneWay: true, cuts: 'all' },
      { kind: 'partition', atMs: 5, forMs, groups: [[1, 3], [2], [4]] },
      { kind: 'loss', atMs: 9, forMs, ratio: 0.5, towards: 4 },
    ])
  })

  it('options that are not needed go, with those that make no sense without them', async () => {
    const options = {
      profile: 'wan',
      snapshotPath: 's',
      rejoinAfterLeave: true,
      coalescePeriodMs: 9,
      quiescentPeriodMs: 9,
    } as const
    const smallest = await shrinkTrial(trial([], { options }), async (smaller) => smaller.options.profile === 'wan')
    assert.deepEqual(smallest.options, { profile: 'wan' })
  })

  it('machines become as they usually are, but for what is needed', async () => {
    const machines = { bufferBytes: 2_000, refusesPackets: true }
    const smallest = await shrinkTrial(
      trial([], { machines }),
      async (smaller) => smaller.machines?.bufferBytes === 2_000,
    )
    assert.deepEqual(smallest.machines, { bufferBytes: 2_000 })
    assert.equal('machines' in (await shrinkTrial(trial([], { machines }), async () => true)), false)
  })

  it('what fails with nothing shrinks to nothing, and what needs all stays as it is', async () => {
    const empty = await shrinkTrial(trial([pause(1), pause(2)]), async () => true)
    assert.deepEqual([empty.faults, empty.members, empty.options], [[], 2, {}])
    const whole = trial([pause(1), pause(2)])
    assert.equal(await shrinkTrial(whole, async () => false), whole)
  })

  it('it ends after so many runs', async () => {
    let runs = 0
    const faults = Array.from({ length: 64 }, (_, at) => pause((at % 7) + 1, at))
    const smallest = await shrinkTrial(trial(faults), async (smaller) => ++runs > 0 && members(smaller).length > 40, {
      maxRuns: 10,
    })
    assert.equal(runs, 10)
    assert.ok(members(smallest).length > 40)
  })
})
