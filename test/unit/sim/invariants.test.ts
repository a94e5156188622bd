// Invariants have names that say what holds, and an error that is found wherever it is the cause.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { INVARIANTS, InvariantError, invariantErrorIn } from '../../../src/sim/invariants.ts'

describe('sim/invariants.ts', () => {
  it('the error names the invariant, who showed it, and how', () => {
    const error = new InvariantError('told-once', 'm-1', 'it delivers twice')
    assert.equal(error.message, 'told-once: m-1: it delivers twice')
    assert.deepEqual([error.invariant, error.observer, error.name], ['told-once', 'm-1', 'InvariantError'])
  })

  it('it is found behind other errors, and nowhere else', () => {
    const error = new InvariantError('told-once', 'm-1', 'it delivers twice')
    const outer = new Error('a task threw', { cause: new Error('in a listener', { cause: error }) })
    assert.equal(invariantErrorIn(outer), error)
    assert.equal(invariantErrorIn(new Error('else')), undefined)
    assert.equal(invariantErrorIn('else'), undefined)
  })

  it('each name has a sentence', () => {
    for (const [name, says] of Object.entries(INVARIANTS)) assert.ok(/^[a-z-]+$/.test(name) && says.length > 20)
  })
})
