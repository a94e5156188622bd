import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { within } from '../../../src/driver/within.ts'
import { FakeHost } from './support.ts'

const tooLate = (): never => {
  throw new Error('too late')
}

describe('driver/within.ts', () => {
  it('gives what the work comes to, be it a failure, and leaves no timer', async () => {
    const host = new FakeHost()
    assert.equal(await within(host.clock, 100, Promise.resolve('done'), tooLate), 'done')
    await assert.rejects(within(host.clock, 100, Promise.reject(new Error('no')), tooLate), /^Error: no$/)
    assert.equal(host.timers, 0)
  })

  it('once the work had its time, it is what `late` says, whatever the work comes to then', async () => {
    for (const end of [0, 1] as const) {
      const host = new FakeHost()
      const ends: [(value: string) => void, (error: Error) => void][] = []
      const work = new Promise<string>((...both) => ends.push(both))
      const [given, thrown] = [() => 'late', tooLate].map((late) => within(host.clock, 100, work, late))
      thrown?.catch(() => {})
      host.run(99)
      assert.equal(host.timers, 2)
      host.run(1)
      assert.equal(await given, 'late')
      await assert.rejects(thrown as Promise<string>, /too late/)
      ends[0]?.[end](new Error('at last') as never)
      await Promise.resolve()
      assert.equal(host.timers, 0)
    }
  })
})
