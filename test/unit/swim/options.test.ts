// The knobs: profiles of serf-behaviour §1, bounds and relations.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OptionsError } from '../../../src/base/errors.ts'
import {
  PROFILES,
  type Profile,
  resolveSwimOptions,
  SWIM_OPTION_NAMES,
  type SwimOptions,
} from '../../../src/swim/options.ts'

const SWITCHES = ['streamPings', 'buddySystem', 'stallRule', 'verdictChecks', 'lastPings']

function refusal(profile: Profile, given: Partial<Record<keyof SwimOptions, unknown>>): OptionsError {
  try {
    resolveSwimOptions(profile, given as Partial<SwimOptions>)
  } catch (error) {
    assert.ok(error instanceof OptionsError)
    return error
  }
  assert.fail('it was taken')
}

describe('serf-behaviour §1: profiles', () => {
  it('have the defaults of memberlist, but for reclaiming', () => {
    const table: Partial<Record<keyof SwimOptions, readonly [lan: unknown, wan: unknown, local: unknown]>> = {
      streamTimeoutMs: [10_000, 30_000, 1000],
      indirectChecks: [3, 3, 1],
      retransmitMult: [4, 4, 2],
      suspicionMult: [4, 6, 3],
      suspicionMaxTimeoutMult: [6, 6, 6],
      pushPullIntervalMs: [30_000, 60_000, 15_000],
      probeIntervalMs: [1000, 5000, 1000],
      probeTimeoutMs: [500, 3000, 200],
      streamPings: [true, true, true],
      buddySystem: [true, true, true],
      stallRule: [true, true, true],
      verdictChecks: [true, true, true],
      lastPings: [true, true, true],
      awarenessMaxMultiplier: [8, 8, 8],
      gossipIntervalMs: [200, 500, 100],
      gossipFanout: [3, 4, 3],
      gossipToTheDeadMs: [30_000, 60_000, 15_000],
      maxPacketBytes: [1400, 1400, 1400],
    }
    assert.deepEqual([...Object.keys(table), 'reclaimAfterMs'].sort(), [...SWIM_OPTION_NAMES].sort())
    for (const [option, values] of Object.entries(table)) {
      const found = (['lan', 'wan', 'local'] as const).map((profile) => PROFILES[profile][option as keyof SwimOptions])
      assert.deepEqual(found, values, option)
    }
  })

  it('pass their own check', () => {
    for (const profile of ['lan', 'wan', 'local'] as const) {
      assert.deepEqual(resolveSwimOptions(profile, {}), PROFILES[profile])
    }
  })
})

describe('swim/options.ts', () => {
  it('a dead name is free by default once the dead are no longer told of it, and never is never', () => {
    for (const profile of ['lan', 'wan', 'local'] as const) {
      assert.equal(PROFILES[profile].reclaimAfterMs, PROFILES[profile].gossipToTheDeadMs)
    }
    const reclaimAfterMs = (given: Partial<SwimOptions>): number => resolveSwimOptions('lan', given).reclaimAfterMs
    assert.equal(reclaimAfterMs({ gossipToTheDeadMs: 5000 }), 5000)
    assert.equal(reclaimAfterMs({ gossipToTheDeadMs: 0 }), 1)
    assert.equal(reclaimAfterMs({ gossipToTheDeadMs: 5000, reclaimAfterMs: 0 }), 0)
    assert.equal(reclaimAfterMs({ reclaimAfterMs: 7 }), 7)
  })

  it('an explicit undefined leaves the default, a foreign key is ignored, the result is frozen', () => {
    const given = { probeTimeoutMs: undefined, gossipFanout: 5, name: 'x' } as unknown as Partial<SwimOptions>
    const options = resolveSwimOptions('wan', given)
    assert.deepEqual(options, { ...PROFILES.wan, gossipFanout: 5 })
    assert.ok(Object.isFrozen(options))
    assert.deepEqual(given, { probeTimeoutMs: undefined, gossipFanout: 5, name: 'x' })
  })

  it('a number out of bounds, a fraction, NaN and a text are refused by name, value and limit', () => {
    for (const option of SWIM_OPTION_NAMES) {
      if (SWITCHES.includes(option)) continue
      for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '1000', null]) {
        const error = refusal('lan', { [option]: value })
        assert.deepEqual([error.option, error.value], [option, value])
        assert.match(error.limit, /^must be a whole number from \d+ to \d+$/)
      }
    }
    for (const option of SWITCHES) assert.equal(refusal('lan', { [option]: 1 }).option, option)
  })

  it('the probe timeout must be below the probe interval', () => {
    assert.equal(refusal('lan', { probeTimeoutMs: 1000 }).option, 'probeTimeoutMs')
    assert.equal(refusal('lan', { probeIntervalMs: 500 }).option, 'probeTimeoutMs')
    assert.equal(resolveSwimOptions('lan', { probeTimeoutMs: 999 }).probeTimeoutMs, 999)
  })

  it('a profile that is none is refused, also one that every object has', () => {
    for (const profile of ['LAN', '', 'toString', 'constructor']) {
      assert.equal(refusal(profile as Profile, {}).option, 'profile')
    }
  })
})
