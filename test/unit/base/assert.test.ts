// Our own bugs stop.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AssertionError, assert as assertThat, unreachable } from '../../../src/base/assert.ts'

describe('base/assert.ts', () => {
  it('a fact that holds says nothing, one that does not is named', () => {
    assertThat(true, 'water is wet')
    assert.throws(
      () => assertThat(false, 'water is wet'),
      (error) => error instanceof AssertionError && error.message === 'broken invariant: water is wet',
    )
  })

  it('a case that cannot be throws when it is', () => {
    assert.throws(() => unreachable('x' as never), AssertionError)
  })
})
