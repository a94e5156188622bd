// Turns of the real event loop, and a fake one.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { takeTurns } from '../../../src/sim/turns.ts'

describe('sim/turns', () => {
  it('lets promises go on between two turns', async () => {
    const log: string[] = []
    let turns = 0
    await takeTurns(() => {
      log.push(`turn ${++turns}`)
      void Promise.resolve().then(() => log.push(`promise ${turns}`))
      return turns < 3
    })
    assert.deepEqual(log, ['turn 1', 'promise 1', 'turn 2', 'promise 2', 'turn 3', 'promise 3'])
  })

  it('rejects with what a turn throws, and takes no more', async () => {
    let turns = 0
    const broken = takeTurns(() => {
      turns++
      throw new Error('broken')
    })
    await assert.rejects(broken, /broken/)
    await takeTurns(() => false)
    assert.equal(turns, 1)
  })

  it('says so where the event loop was a fake when it was loaded, in place of waiting for ever', async () => {
    const { setImmediate } = globalThis
    const fake = Object.assign(() => {}, { clock: {} })
    Object.assign(globalThis, { setImmediate: fake })
    try {
      const path = '../../../src/sim/turns.ts?with-a-fake'
      const loaded: typeof import('../../../src/sim/turns.ts') = await import(path)
      await assert.rejects(
        loaded.takeTurns(() => false),
        /setImmediate was a fake when rollcall\/sim was loaded/,
      )
    } finally {
      Object.assign(globalThis, { setImmediate })
    }
  })
})
