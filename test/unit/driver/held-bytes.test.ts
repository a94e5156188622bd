import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HeldBytes } from '../../../src/driver/held-bytes.ts'

describe('held bytes', () => {
  it('are what each holds now, and the sum of it', () => {
    const held = new HeldBytes<string>()
    held.set('a', 10)
    held.set('b', 20)
    held.set('a', 5)
    assert.equal(held.total, 25)
    held.set('b', 0)
    held.set('c', 0)
    assert.equal(held.total, 5)
    held.clear()
    assert.equal(held.total, 0)
    held.set('a', 7)
    assert.equal(held.total, 7, 'nothing is left of what was cleared')
  })

  it('name who holds most: the one asked for where nobody holds more', () => {
    const held = new HeldBytes<string>()
    assert.equal(held.most('a'), 'a', 'nobody holds anything')
    held.set('b', 20)
    held.set('c', 30)
    assert.equal(held.most('a'), 'c')
    held.set('a', 30)
    assert.equal(held.most('a'), 'a')
    assert.equal(held.most('b'), 'c')
    held.set('c', 0)
    assert.equal(held.most('b'), 'a')
  })
})
