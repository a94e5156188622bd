// Checking what a user gave.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  checkBoolean,
  checkKeys,
  checkName,
  checkNumber,
  checkObject,
  checkSignal,
  definedOnly,
} from '../../../src/base/check.ts'
import { OptionsError } from '../../../src/base/errors.ts'

describe('base/check.ts', () => {
  it('keys without a value are left out, falsy values and the object given stay', () => {
    const given = { a: undefined, b: 0, c: null, d: '', e: false }
    assert.deepEqual(definedOnly(given), { b: 0, c: null, d: '', e: false })
    assert.ok('a' in given)
  })

  it('a number is taken from least to most, both included', () => {
    for (const value of [2, 3, 5]) checkNumber('x', value, { least: 2, most: 5 })
    for (const value of [1, 6, 2.5, -3, Number.NaN, Number.POSITIVE_INFINITY, '3', 3n, null, undefined, [3], {}]) {
      assert.throws(
        () => checkNumber('x', value, { least: 2, most: 5 }),
        (error) => error instanceof OptionsError && error.option === 'x' && Object.is(error.value, value),
        String(value),
      )
    }
  })

  it('a fraction is taken where the rule says so', () => {
    checkNumber('x', 2.5, { least: 2, most: 5, fraction: true })
    assert.throws(() => checkNumber('x', Number.NaN, { least: 2, most: 5, fraction: true }), /a number from 2 to 5/)
    assert.throws(() => checkNumber('x', 2.5, { least: 2, most: 5 }), /a whole number from 2 to 5/)
  })

  it('an object is taken, lists and everything else are not', () => {
    for (const value of [{}, Object.create(null), new Map()]) checkObject('x', value)
    for (const value of [null, undefined, [], 'text', 7, () => {}]) {
      assert.throws(() => checkObject('x', value), { code: 'ERR_OPTIONS', option: 'x' })
    }
  })

  it('a key that is not known is named with what there is, unless it has no value', () => {
    checkKeys({ a: 1, b: undefined, c: undefined }, ['a', 'b'])
    assert.throws(() => checkKeys({ a: 1, c: 5 }, ['a', 'b']), {
      code: 'ERR_OPTIONS',
      option: 'c',
      value: 5,
      limit: 'there is no such option: there is a, b',
    })
  })

  it('where the value may be a secret it is hidden, and a long list is not told', () => {
    const many = Array.from({ length: 11 }, (_, at) => `option-${at}`)
    assert.throws(() => checkKeys({ secretkey: 'abc' }, many, true), {
      option: 'secretkey',
      value: '(hidden)',
      limit: 'there is no such option',
    })
  })

  it('a signal is taken, or nothing; what merely exists is not', () => {
    checkSignal(undefined)
    checkSignal(new AbortController().signal)
    for (const value of [null, {}, { aborted: false }, new AbortController(), 5000]) {
      assert.throws(() => checkSignal(value), { code: 'ERR_OPTIONS', option: 'signal' })
    }
  })

  it('true and false are taken, what merely looks like them is not', () => {
    checkBoolean('x', true)
    checkBoolean('x', false)
    for (const value of [0, 1, 'true', null, undefined]) {
      assert.throws(() => checkBoolean('x', value), OptionsError)
    }
  })

  it('a name has something in it; what is no text is none', () => {
    checkName('one', 'm2')
    for (const value of ['', 42, {}, null, undefined]) {
      assert.throws(
        () => checkName('one', value),
        (error) => error instanceof OptionsError && error.option === 'one',
      )
    }
  })
})
