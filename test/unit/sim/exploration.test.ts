// A trial runs to an outcome: the same each time, with what happened, and with the invariant that does not hold where one does not.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runTrial } from '../../../src/sim/exploration.ts'
import type { Fault } from '../../../src/sim/faults.ts'
import type { Trial } from '../../../src/sim/schedules.ts'

const atMs = 0

function trial(faults: readonly Fault[], more: Partial<Trial> = {}): Trial {
  return { seed: 1, members: 3, options: {}, faultsMs: 30_000, faults, ...more }
}

describe('sim/exploration.ts', () => {
  it('a trial gives the same outcome twice, and says what happened', async () => {
    const faults: Fault[] = [
      { kind: 'crash', atMs: 1000, member: 2, how: 'killed', downMs: 20_000, disk: 'lost' },
      { kind: 'loss', atMs: 0, forMs: 10_000, ratio: 0.3 },
      { kind: 'event', atMs: 2000, member: 1, coalesce: false },
    ]
    const [one, other] = [
      await runTrial(trial(faults), { transcript: 'events' }),
      await runTrial(trial(faults), { transcript: 'events' }),
    ]
    assert.equal(one.violation, undefined)
    assert.deepEqual(one, other)
    assert.deepEqual([...one.counts].sort(), [
      ['crash: killed', 1],
      ['event', 1],
      ['loss', 1],
      ['restart: disk lost', 1],
    ])
    assert.ok((one.felt.get('dropped: loss') ?? 0) > 0)
    assert.ok(one.transcript.includes('user-event event-1'))
    assert.ok(one.agreedAfterMs !== undefined && one.fingerprint !== '')
  })

  it('small buffers overflow in a pause, machines refuse, disks fail, and each is counted as injected and as felt', async () => {
    const faults: Fault[] = [
      { kind: 'pause', atMs: 1000, forMs: 20_000, member: 2 },
      { kind: 'crash', atMs: 22_000, member: 3, how: 'killed' },
      { kind: 'disk', atMs: 500, forMs: 29_000, member: 1, fault: 'full' },
    ]
    const machines = { bufferBytes: 2_000, refusesPackets: true }
    const options = { snapshotPath: 'snapshot' }
    const { violation, counts, felt } = await runTrial(trial(faults, { machines, options, members: 4 }))
    assert.equal(violation, undefined)
    assert.deepEqual([counts.get('small buffers'), counts.get('refusing machines')], [1, 1])
    for (const what of ['dropped: buffer-full', 'refused', 'disk: full', 'held'])
      assert.ok((felt.get(what) ?? 0) > 0, what)
    const usual = await runTrial(trial(faults, { options, members: 4 }))
    assert.deepEqual([usual.counts.get('small buffers'), usual.counts.get('refusing machines')], [undefined, undefined])
    assert.deepEqual([usual.felt.get('dropped: buffer-full'), usual.felt.get('refused')], [0, 0])
  })

  it('what is felt after the faults have ended is not theirs', async () => {
    // At the end of each trial a process stands still.
    const { violation, felt } = await runTrial(trial([]))
    assert.equal(violation, undefined)
    assert.deepEqual([felt.get('held'), felt.get('late')], [0, 0])
  })

  it('a fault that never ends ends with the faults of the trial', async () => {
    const { violation, agreedAfterMs } = await runTrial(
      trial([{ kind: 'partition', atMs, forMs: 3_600_000, groups: [[1], [2, 3]] }]),
    )
    assert.equal(violation, undefined)
    assert.ok(agreedAfterMs !== undefined && agreedAfterMs > 0)
  })

  it('healed-cluster-agrees: a cluster that nothing brings together again is found', async () => {
    // Who comes back from the dead does so with a higher incarnation, and nobody takes it in.
    const options = { accept: ({ incarnation }: { readonly incarnation: number }) => incarnation === 1 }
    const partition: Fault = { kind: 'partition', atMs, forMs: 20_000, groups: [[1], [2, 3]] }
    const { violation } = await runTrial(trial([partition], { options, faultsMs: 20_000 }))
    assert.equal(violation?.invariant, 'healed-cluster-agrees')
    assert.match(violation.message, /for dead/)
    assert.ok(violation.atMs > 150_000)
  })

  it('calm-stays-calm: a cluster in which something happens all the same is found', async () => {
    // The dead one is erased in the midst of the calm.
    const options = { reconnectTimeoutMs: 30_000, reapIntervalMs: 1000 }
    const { violation } = await runTrial(
      trial([{ kind: 'crash', atMs: 25_000, member: 2, how: 'killed' }], { options }),
    )
    assert.equal(violation?.invariant, 'calm-stays-calm')
    assert.match(violation.message, /member-reap about m-2/)
  })

  it('news-reaches-all: a cluster in which news stays where it is is found', async () => {
    const options = { gossipIntervalMs: 0, pushPullIntervalMs: 0, probeIntervalMs: 3_600_000 }
    const { violation } = await runTrial(trial([], { options }))
    assert.equal(violation?.invariant, 'news-reaches-all')
    assert.match(violation.message, /did not hear/)
  })

  it('nothing-throws: a trial whose members cannot start is found', async () => {
    const { violation } = await runTrial(trial([], { options: { allowedCidrs: ['192.168.0.0/16'] } }))
    assert.ok(violation !== undefined)
  })
})
