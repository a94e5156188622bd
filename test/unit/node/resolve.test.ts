import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TransportError } from '../../../src/base/errors.ts'
import { resolveName } from '../../../src/node/resolve.ts'
import { formatIp } from '../../../src/wire/address.ts'

const never = () => assert.fail('the resolver was asked')
const answering =
  (...addresses: string[]) =>
  async () =>
    addresses.map((address) => ({ address }))

describe('node/resolve.ts', () => {
  it('an IP literal is its own address and the resolver is not asked', async () => {
    assert.deepEqual(await resolveName('10.0.0.7', undefined, never), [Uint8Array.of(10, 0, 0, 7)])
    assert.deepEqual((await resolveName('2001:db8::7', undefined, never)).map(formatIp), ['2001:db8::7'])
  })

  it('every address of a name comes once, in the order of the resolver', async () => {
    const found = await resolveName('seeds.test', undefined, answering('10.0.0.2', 'fd00::1', '10.0.0.1', '10.0.0.2'))
    assert.deepEqual(found.map(formatIp), ['10.0.0.2', 'fd00::1', '10.0.0.1'])
  })

  it('a name without addresses, or one that cannot be looked up, rejects with the name and the code', async () => {
    await assert.rejects(resolveName('empty.test', undefined, answering()), {
      name: 'TransportError',
      message: /empty\.test/,
    })
    const failing = () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' }))
    await assert.rejects(resolveName('lost.test', undefined, failing), (error: Error) => {
      assert.ok(error instanceof TransportError)
      assert.match(error.message, /"lost\.test": ENOTFOUND/)
      return true
    })
  })

  it('names that no system resolver takes reject with the typed error', async () => {
    for (const name of ['a\0b', 'x'.repeat(100_000), ' ']) {
      const refusing = () => {
        throw new TypeError('not a host name')
      }
      await assert.rejects(resolveName(name, undefined, refusing), TransportError)
    }
  })

  it('a signal that has fired rejects with its reason before anything is asked', async () => {
    const reason = new Error('enough')
    await assert.rejects(resolveName('seeds.test', AbortSignal.abort(reason), never), reason)
    await assert.rejects(resolveName('10.0.0.7', AbortSignal.abort(reason), never), reason)
  })

  it('a signal that fires during the lookup rejects with its reason, and a late answer or failure is not heard', async () => {
    for (const settle of ['answer', 'fail'] as const) {
      const controller = new AbortController()
      let finish = () => {}
      const slow = () =>
        new Promise<readonly { address: string }[]>((resolve, reject) => {
          finish = () => (settle === 'answer' ? resolve([]) : reject(new Error('late')))
        })
      const asked = resolveName('seeds.test', controller.signal, slow)
      const reason = new Error('enough')
      controller.abort(reason)
      await assert.rejects(asked, reason)
      finish()
      await new Promise(setImmediate) // an unhandled rejection would fail this test here
    }
  })
})
