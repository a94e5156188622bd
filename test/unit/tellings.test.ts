import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ClosedError, TimeoutError } from '../../src/base/errors.ts'
import { Tellings } from '../../src/tellings.ts'

/** Tellings over a driver whose commands give what `ticket` says, in the middle of which `meanwhile` is called. */
function telling(meanwhile: (tellings: Tellings, ticket: number) => void = () => {}) {
  const tasks = new Map<string, () => void>()
  let last = 0
  const tellings: Tellings = new Tellings(
    {
      command: (call) => {
        const result = call(undefined as never, 0)
        meanwhile(tellings, last)
        return result
      },
      schedule: (key, delayMs, task) => void tasks.set(`${key} ${delayMs}`, task),
      unschedule: (key) => void tasks.delete(`${key} 500`),
    },
    500,
  )
  return { tellings, tasks, command: () => ++last }
}

describe('a telling', () => {
  it('ends when the broadcast of its ticket has been told', async () => {
    const { tellings, tasks, command } = telling()
    const [first, second] = [tellings.until('a', command), tellings.until('b', command)]
    assert.deepEqual([...tasks.keys()], ['telling:1 500', 'telling:2 500'])
    tellings.told(2)
    tellings.told(77)
    await second
    tellings.told(1)
    await first
    assert.equal(tasks.size, 0)
  })

  it('that is told in the very call that makes it ends at once, with no limit', async () => {
    const { tellings, tasks, command } = telling((own, ticket) => own.told(ticket))
    await tellings.until('a', command)
    assert.equal(tasks.size, 0)
  })

  it('that takes too long rejects, and says what stands', async () => {
    const { tellings, tasks, command } = telling()
    const waiting = tellings.until('the new tags are set', command)
    for (const task of tasks.values()) task()
    await assert.rejects(waiting, (error) => {
      return error instanceof TimeoutError && /^the new tags are set, but .* 500 ms$/.test(error.message)
    })
  })

  it('rejects with what its command throws, and where all is closed', async () => {
    const { tellings, command } = telling()
    const refused = tellings.until('a', () => {
      throw new RangeError('no')
    })
    await assert.rejects(refused, RangeError)
    const waiting = tellings.until('b', command)
    tellings.close()
    await assert.rejects(waiting, ClosedError)
  })
})
