import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseIp } from '../../../src/wire/address.ts'
import { type AddressKind, kindOf } from '../../../src/wire/address-kind.ts'

const KINDS: Readonly<Record<AddressKind, readonly string[]>> = {
  private: [
    '10.0.0.0',
    '10.255.255.255',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '100.64.0.1',
    '100.127.255.255',
    'fc00::1',
    'fdff::1',
  ],
  public: [
    '9.255.255.255',
    '11.0.0.1',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.0.1',
    '192.169.0.1',
    '100.63.255.255',
    '100.128.0.0',
    '8.8.8.8',
    '203.0.113.7',
    '223.255.255.255',
    '2001:db8::1',
    '2a00::1',
    '::2',
  ],
  link: ['169.254.0.1', 'fe80::1', 'febf::1'],
  loopback: ['127.0.0.1', '127.255.255.255', '::1'],
  none: ['0.0.0.0', '0.1.2.3', '224.0.0.1', '255.255.255.255', '::', 'ff02::1'],
}

describe('wire/address-kind.ts', () => {
  for (const [kind, addresses] of Object.entries(KINDS)) {
    it(`${addresses.join(', ')}: ${kind}`, () => {
      for (const address of addresses) assert.equal(kindOf(parseIp(address) as Uint8Array), kind, address)
    })
  }

  it('IPv4 in 16 bytes is of the same kind as in 4', () => {
    const mapped = new Uint8Array(16)
    mapped.set([255, 255, 10, 0, 0, 1], 10)
    assert.equal(kindOf(mapped), 'private')
  })
})
