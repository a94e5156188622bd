import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addressOf, sendableHost } from '../../../src/node/peer-address.ts'
import { Address, parseIp } from '../../../src/wire/address.ts'

const ipOf = (text: string): Uint8Array => parseIp(text) ?? assert.fail(text)
const mapped = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 1)

describe('node/peer-address.ts', () => {
  it('a mapped address is told in 4 bytes, in either spelling', () => {
    assert.deepEqual(addressOf('::ffff:10.0.0.1', 7)?.ip, Uint8Array.of(10, 0, 0, 1))
    assert.deepEqual(addressOf('::ffff:a00:1', 7)?.ip, Uint8Array.of(10, 0, 0, 1))
  })

  it('an address with an interface is told without it', () => {
    assert.equal(addressOf('fe80::1%eth0', 7)?.key, '[fe80::1]:7')
  })

  it('a socket that names no endpoint has no address', () => {
    assert.equal(addressOf(undefined, 7), undefined)
    assert.equal(addressOf('10.0.0.1', undefined), undefined)
    assert.equal(addressOf('nonsense', 7), undefined)
  })

  it('a socket of one family sends to that family only', () => {
    assert.equal(sendableHost(ipOf('127.0.0.1'), new Address(ipOf('fd00::1'), 7)), undefined)
    assert.equal(sendableHost(ipOf('::1'), new Address(ipOf('10.0.0.1'), 7)), undefined)
    assert.equal(sendableHost(ipOf('::1'), new Address(ipOf('fd00::1'), 7)), 'fd00::1')
    assert.equal(sendableHost(ipOf('0.0.0.0'), new Address(mapped, 7)), '10.0.0.1')
  })

  it('a socket bound to :: sends to both', () => {
    assert.equal(sendableHost(ipOf('::'), new Address(ipOf('10.0.0.1'), 7)), '::ffff:10.0.0.1')
    assert.equal(sendableHost(ipOf('::'), new Address(mapped, 7)), '::ffff:10.0.0.1')
    assert.equal(sendableHost(ipOf('::'), new Address(ipOf('fd00::1'), 7)), 'fd00::1')
  })
})
