// The error family: codes, names and what a message says.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  ClosedError,
  DecodeError,
  DecryptError,
  JoinError,
  MembershipError,
  OptionsError,
  SizeError,
  StorageError,
  TimeoutError,
  TransportError,
} from '../../../src/base/errors.ts'

describe('base/errors.ts', () => {
  it('every class has its stable code and its own name, and is of the family', () => {
    const cause = new Error('below')
    const all: readonly (readonly [error: MembershipError, code: string])[] = [
      [new OptionsError('bind', 1, 'must be text'), 'ERR_OPTIONS'],
      [new DecodeError('cut', cause), 'ERR_DECODE'],
      [new DecryptError('no key', cause), 'ERR_DECRYPT'],
      [new SizeError('tags', 600, 512), 'ERR_SIZE'],
      [new JoinError([]), 'ERR_JOIN'],
      [new TimeoutError('no answer in 5 ms'), 'ERR_TIMEOUT'],
      [new TransportError('port in use', cause), 'ERR_TRANSPORT'],
      [new ClosedError(), 'ERR_CLOSED'],
      [new StorageError('/etc/keys', 'not a list', cause), 'ERR_STORAGE'],
    ]
    for (const [error, code] of all) {
      assert.ok(error instanceof MembershipError && error instanceof Error)
      assert.equal(error.code, code)
      assert.equal(error.name, error.constructor.name)
      assert.match(String(error), new RegExp(`^${error.constructor.name}: `))
    }
  })

  it('a cause is kept, and where there is none the property is absent', () => {
    const cause = new Error('below')
    assert.equal(new TransportError('x', cause).cause, cause)
    assert.ok(!('cause' in new TransportError('x')))
  })

  it('a wrong option is named with what was given and what would do, short and on one line', () => {
    const shown = (value: unknown): string => new OptionsError('bind', value, 'must be text').message
    assert.equal(shown('a"b\nc'), 'option bind is "a\\"b\\nc": must be text')
    assert.equal(shown(12.5), 'option bind is 12.5: must be text')
    assert.equal(shown(undefined), 'option bind is undefined: must be text')
    assert.equal(shown(null), 'option bind is null: must be text')
    assert.equal(shown([1, 2]), 'option bind is a list of 2: must be text')
    assert.equal(shown({ a: 1 }), 'option bind is an object: must be text')
    assert.equal(
      shown(() => 1),
      'option bind is a function: must be text',
    )
    assert.equal(shown(12n), 'option bind is 12: must be text')
    assert.equal(shown(Symbol('x')), 'option bind is Symbol(x): must be text')
    assert.ok(shown('x'.repeat(10_000)).length < 130)
  })

  it('the bytes of a key are counted, not shown', () => {
    const { message } = new OptionsError('secretKey', Uint8Array.of(222, 173), 'must have 16, 24 or 32 bytes')
    assert.equal(message, 'option secretKey is 2 bytes: must have 16, 24 or 32 bytes')
  })

  it('a join that failed names every address and its reason', () => {
    const failures = [
      { address: '10.0.0.1:7946', error: new Error('refused') },
      { address: '10.0.0.2:7946', error: new Error('no answer') },
    ]
    const error = new JoinError(failures)
    assert.equal(error.message, 'no seed answered: 10.0.0.1:7946: refused; 10.0.0.2:7946: no answer')
    assert.equal(error.failures, failures)
    assert.equal(new JoinError([]).message, 'no seed to join')
  })

  it('a file that cannot be used is named', () => {
    const { message, path } = new StorageError('/etc/keys.json', 'permission denied')
    assert.deepEqual([message, path], ['/etc/keys.json: permission denied', '/etc/keys.json'])
  })

  it('a size that is exceeded says used and allowed bytes', () => {
    const { message, usedBytes, allowedBytes } = new SizeError('tags', 600, 512)
    assert.deepEqual([message, usedBytes, allowedBytes], ['tags takes 600 bytes, 512 are allowed', 600, 512])
  })
})
