import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OptionsError } from '../../src/base/errors.ts'
import type { Driver } from '../../src/driver/driver.ts'
import { type ReconnectTimeoutFor, reconnectTimeoutOf } from '../../src/reconnect-timeout.ts'
import { Cluster } from '../../src/sim/cluster.ts'

const MEMBER = { name: 'm-2' } as Parameters<ReconnectTimeoutFor>[0]
const DRIVER: Pick<Driver, 'ask'> = { ask: (_option, ask, ...about) => ask(...about) }

/** What is asked through, and what was put off. */
function asked(given: ReconnectTimeoutFor): { answer: number; deferred: (() => void)[] } {
  const deferred: (() => void)[] = []
  const answer = reconnectTimeoutOf(given, DRIVER, { defer: (task) => void deferred.push(task) })(MEMBER, 500)
  return { answer, deferred }
}

describe('the word of the user about how long a member stays', () => {
  it('holds, 0 and for ever among them', () => {
    for (const said of [0, 1.5, 7000, Number.POSITIVE_INFINITY]) {
      assert.deepEqual(
        asked((member, defaultMs) => (member === MEMBER && defaultMs === 500 ? said : -1)),
        { answer: said, deferred: [] },
      )
    }
  })

  it('is not heard where it throws: the default holds, and the error surfaces in a turn of its own', () => {
    const { answer, deferred } = asked(() => {
      throw new RangeError('broken')
    })
    assert.equal(answer, 500)
    assert.equal(deferred.length, 1)
    assert.throws(deferred[0] as () => void, new RangeError('broken'))
  })

  it('is not heard where it is no time, a promise above all', () => {
    for (const said of [Promise.resolve(7), undefined, null, '7', true, Number.NaN, -1]) {
      const { answer, deferred } = asked((() => said) as unknown as ReconnectTimeoutFor)
      assert.equal(answer, 500)
      assert.throws(deferred[0] as () => void, (error) => {
        return error instanceof OptionsError && error.option === 'reconnectTimeoutFor'
      })
    }
  })
})

describe('a member with a word about how long others stay', () => {
  it('is asked about whoever is gone, erases by it, and cannot be changed by it meanwhile', async () => {
    const refused: unknown[] = []
    const asked: string[] = []
    const cluster: Cluster = new Cluster({
      seed: 1,
      options: (name) => ({
        reapIntervalMs: 1000,
        reconnectTimeoutFor: ({ name: about, state }, defaultMs) => {
          if (name !== 'm-1') return defaultMs
          asked.push(`${about} ${state} ${defaultMs}`)
          if (refused.length === 0)
            cluster
              .member('m-1')
              .setTags({ a: 'b' })
              .catch((error) => refused.push(error))
          return 3000
        },
      }),
    })
    await cluster.start(3)
    await cluster.settle()
    cluster.crash('m-3')
    await cluster.until(() => cluster.member('m-1').member('m-3')?.state === 'dead')
    await cluster.run(5000)
    assert.equal(cluster.member('m-1').member('m-3'), undefined)
    assert.equal(cluster.member('m-2').member('m-3')?.state, 'dead')
    assert.deepEqual([...new Set(asked)], ['m-3 dead 86400000'])
    const [error] = refused
    assert.ok(error instanceof OptionsError && error.option === 'reconnectTimeoutFor', String(error))
    assert.deepEqual(cluster.member('m-1').local.tags, {})
    await cluster.close()
  })
})
