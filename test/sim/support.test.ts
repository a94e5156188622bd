// The support of this folder, fed with lies: a scenario that fails under one seed must say so, and how to see it again.
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { forEachSeed, seeds } from './support/seeds.ts'
import { inSeconds, spreadOf } from './support/timing.ts'

describe('forEachSeed', () => {
  it('names the seed that fails, the line that replays it, and the end of its transcript', async () => {
    const played: number[] = []
    const failing = forEachSeed({ file: import.meta.url, test: 'a name (odd)' }, 5, {}, async (cluster) => {
      played.push(cluster.seed)
      await cluster.start(2)
      assert.notEqual(cluster.seed, 3, 'three is a lie')
    })
    await assert.rejects(failing, (error: Error) => {
      assert.match(error.message, /^seed 3: three is a lie\n/)
      assert.match(
        error.message,
        /\nreplay: SEED=3 npx tsx test\/run\.ts test\/sim\/support\.test\.ts -- --test-name-pattern="a name .odd."\n/,
      )
      assert.match(error.message, / m-2 +joined 10\.0\.0\.1:7946$/)
      return true
    })
    assert.deepEqual(played, [1, 2, 3])
  })
})

describe('seeds', () => {
  const { SEED, CI } = process.env
  const setTo = (name: string, value: string | undefined): void => {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  afterEach(() => {
    setTo('SEED', SEED)
    setTo('CI', CI)
  })

  it('are all of them, or the one in the environment, which must be a whole number', () => {
    setTo('CI', undefined)
    setTo('SEED', undefined)
    assert.deepEqual(seeds(3), [1, 2, 3])
    setTo('SEED', '17')
    assert.deepEqual(seeds(3), [17])
    setTo('SEED', '1.5')
    assert.throws(() => seeds(3), /whole number/)
  })

  it('are all of them where CI=true: one of the environment is refused', () => {
    setTo('CI', 'true')
    setTo('SEED', '17')
    assert.throws(() => seeds(3), /SEED is 17: where CI=true all seeds run/)
    setTo('SEED', undefined)
    assert.deepEqual(seeds(3), [1, 2, 3])
  })
})

describe('spreadOf', () => {
  it('gives the median, the tail and the worst', () => {
    const values = Array.from({ length: 101 }, (_, index) => 100 * (100 - index))
    assert.deepEqual(spreadOf(values), { p50: 5_000, p99: 9_900, max: 10_000 })
    assert.equal(inSeconds(spreadOf(values)), '5.00 / 9.90 / 10.00')
  })
})
