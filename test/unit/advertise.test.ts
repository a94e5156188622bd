import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chooseAdvertised } from '../../src/advertise.ts'
import { TransportError } from '../../src/base/errors.ts'
import type { Reachable } from '../../src/driver/host.ts'
import { type MembershipOptions, resolveOptions } from '../../src/options.ts'
import { formatIp, parseIp } from '../../src/wire/address.ts'

describe('advertise.ts', () => {
  it('what was given goes before what is bound, and that before what the host thinks', async () => {
    assert.equal((await choose({ advertise: '10.0.0.7', bind: '10.0.0.5:1' })).ip, '10.0.0.7')
    assert.equal((await choose({ advertise: '10.0.0.7:9', bind: '0.0.0.0:1' })).ip, '10.0.0.7')
    assert.equal((await choose({ bind: '10.0.0.5:1' })).ip, '10.0.0.5')
    assert.equal((await choose({ bind: '0.0.0.0:1' }, { ip: '10.0.0.1' })).ip, '10.0.0.1')
    assert.equal((await choose({ bind: '[::]:1' }, { ip: 'fd00::1' })).ip, 'fd00::1')
  })

  it('says so in a warning where the host is in doubt, and nothing where it is not', async () => {
    assert.deepEqual((await choose({}, { ip: '10.0.0.1' })).warnings, [])
    const { warnings } = await choose({}, { ip: '172.17.0.1', doubt: 'it looks odd' })
    assert.deepEqual(
      warnings.map(({ code, message }) => [code, /172\.17\.0\.1.*it looks odd.*'advertise'/.test(message)]),
      [['advertise-guess', true]],
    )
  })

  it('warns of a public address without a key, however it came to be chosen', async () => {
    const secretKey = new Uint8Array(32)
    for (const [options, reachable] of [
      [{ advertise: '8.8.4.4' }, undefined],
      [{ bind: '8.8.4.4:1' }, undefined],
      [{ bind: '[2a00::1]:1' }, undefined],
      [{}, { ip: '8.8.4.4' }],
    ] as const) {
      const open = await choose(options, reachable)
      assert.deepEqual(open.codes, ['unencrypted-public'], JSON.stringify(options))
      assert.deepEqual((await choose({ ...options, secretKey }, reachable)).codes, [])
    }
    for (const bind of ['10.0.0.1:1', '127.0.0.1:1', '169.254.1.1:1', '[fd00::1]:1', '[::1]:1']) {
      assert.deepEqual((await choose({ bind })).codes, [])
    }
  })

  it('where nobody could reach us it is an error that says what to give', async () => {
    await assert.rejects(choose({ bind: '0.0.0.0:1' }), (error) => {
      assert.ok(error instanceof TransportError)
      assert.match(error.message, /0\.0\.0\.0:1: give 'advertise'/)
      return true
    })
  })
})

async function choose(options: MembershipOptions, reachable?: { readonly ip: string; readonly doubt?: string }) {
  const given: Reachable | undefined = reachable && { ...reachable, ip: parseIp(reachable.ip) as Uint8Array }
  const { ip, warnings } = await chooseAdvertised(resolveOptions(options), { reachableAddress: async () => given })
  return { ip: formatIp(ip), warnings, codes: warnings.map(({ code }) => code) }
}
