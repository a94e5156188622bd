import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OptionsError } from '../../../src/base/errors.ts'
import { resolveSerfOptions, SERF_OPTION_NAMES, type SerfOptions } from '../../../src/serf/options.ts'

const FLAGS: readonly string[] = ['coordinates', 'resolveConflicts']

describe('resolveSerfOptions', () => {
  it("gives Serf's defaults, frozen", () => {
    const options = resolveSerfOptions({})
    assert.deepEqual(options, {
      broadcastTimeoutMs: 5000,
      leavePropagateDelayMs: 1000,
      recentIntentTimeoutMs: 300_000,
      reapIntervalMs: 15_000,
      reconnectIntervalMs: 30_000,
      reconnectTimeoutMs: 86_400_000,
      tombstoneTimeoutMs: 86_400_000,
      coalescePeriodMs: 0,
      quiescentPeriodMs: 0,
      userCoalescePeriodMs: 0,
      userQuiescentPeriodMs: 0,
      userEventSizeLimit: 512,
      maxQueueDepth: 4096,
      minQueueDepth: 0,
      queueDepthWarning: 128,
      queueCheckIntervalMs: 30_000,
      queryTimeoutMult: 16,
      querySizeLimit: 1024,
      queryResponseSizeLimit: 1024,
      resolveConflicts: true,
      coordinates: true,
    })
    assert.ok(Object.isFrozen(options))
  })

  it('takes what is given, not what is undefined, and nothing that is not its own', () => {
    const given = { reapIntervalMs: 20, broadcastTimeoutMs: undefined, name: 'log-1' }
    const options = resolveSerfOptions(given as unknown as Partial<SerfOptions>)
    assert.deepEqual([options.reapIntervalMs, options.broadcastTimeoutMs], [20, 5000])
    assert.equal(Object.hasOwn(options, 'name'), false)
  })

  it('refuses every knob out of its bounds by name, value and limit', () => {
    for (const option of SERF_OPTION_NAMES) {
      for (const value of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5', null]) {
        assert.throws(
          () => resolveSerfOptions({ [option]: value }),
          (error) =>
            error instanceof OptionsError &&
            error.option === option &&
            Object.is(error.value, value) &&
            error.limit.startsWith(FLAGS.includes(option) ? 'must be true or false' : 'must be a whole number from '),
          `${option} ${value}`,
        )
      }
    }
  })

  it('takes both periods of coalescing, or neither', () => {
    const pairs = [
      ['coalescePeriodMs', 'quiescentPeriodMs'],
      ['userCoalescePeriodMs', 'userQuiescentPeriodMs'],
    ] as const
    for (const [period, quiescent] of pairs) {
      assert.equal(resolveSerfOptions({ [period]: 3000, [quiescent]: 1000 })[period], 3000)
      assert.throws(() => resolveSerfOptions({ [period]: 3000 }), { option: quiescent, value: 0 })
      assert.throws(() => resolveSerfOptions({ [quiescent]: 1000 }), { option: period, value: 0 })
    }
  })

  it('lets the wait after the goodbye be nothing and turns reconnecting off at 0, and takes no other 0', () => {
    const zeroes = [
      'leavePropagateDelayMs',
      'reconnectIntervalMs',
      'minQueueDepth',
      'coalescePeriodMs',
      'quiescentPeriodMs',
      'userCoalescePeriodMs',
      'userQuiescentPeriodMs',
    ] as const
    for (const option of zeroes) assert.equal(resolveSerfOptions({ [option]: 0 })[option], 0)
    for (const option of SERF_OPTION_NAMES.filter((name) => !zeroes.some((zero) => zero === name))) {
      assert.throws(() => resolveSerfOptions({ [option]: 0 }), OptionsError, option)
    }
  })
})
