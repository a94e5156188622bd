import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { describe, it } from 'node:test'
import { chooseReachable, type Interfaces } from '../../../src/node/interfaces.ts'
import { formatIp, parseIp } from '../../../src/wire/address.ts'

const ANY4 = new Uint8Array(4)
const ANY6 = new Uint8Array(16)
const LOOPBACK = [
  { address: '127.0.0.1', internal: true },
  { address: '::1', internal: true },
]

function machine(...addresses: string[]): Interfaces {
  return { lo: LOOPBACK, eth0: addresses.map((address) => ({ address, internal: false })) }
}

function chosen(interfaces: Interfaces, wildcard: Uint8Array): string | undefined {
  const ip = chooseReachable(interfaces, wildcard)
  return ip === undefined ? undefined : formatIp(ip)
}

describe('node/interfaces.ts for 0.0.0.0', () => {
  for (const address of ['10.1.2.3', '172.16.0.1', '172.31.255.1', '192.168.4.5', '100.64.0.9', '100.127.1.1']) {
    it(`private ${address} goes before a global address listed earlier`, () => {
      assert.equal(chosen(machine('203.0.114.7', address), ANY4), address)
    })
  }

  for (const address of ['172.15.0.1', '172.32.0.1', '192.167.0.1', '100.63.0.1', '100.128.0.1', '11.0.0.1']) {
    it(`${address} is not private: the first global address wins`, () => {
      assert.equal(chosen(machine('8.8.4.4', address), ANY4), '8.8.4.4')
      assert.equal(chosen(machine(address, '10.0.0.1'), ANY4), '10.0.0.1')
    })
  }

  it('the first of several private addresses wins', () => {
    assert.equal(chosen(machine('192.168.0.2', '10.0.0.2'), ANY4), '192.168.0.2')
  })

  it('a private address of a loopback interface does not beat one that others reach', () => {
    const interfaces = {
      lo: [{ address: '10.9.9.9', internal: true }],
      ...{ eth0: [{ address: '8.8.4.4', internal: false }] },
    }
    assert.equal(chosen(interfaces, ANY4), '8.8.4.4')
    assert.equal(chosen({ lo: [...LOOPBACK, ...interfaces.lo] }, ANY4), '10.9.9.9')
  })

  it('a self-assigned 169.254 address is better than loopback only', () => {
    assert.equal(chosen(machine('169.254.7.7'), ANY4), '169.254.7.7')
    assert.equal(chosen(machine('169.254.7.7', '8.8.4.4'), ANY4), '8.8.4.4')
  })

  it('loopback is chosen where nothing else is up', () => {
    assert.equal(chosen(machine(), ANY4), '127.0.0.1')
    assert.equal(chosen(machine('2001:db8::1', 'fd00::1'), ANY4), '127.0.0.1')
  })

  it('nothing is chosen where no interface is up, or what is listed is no address', () => {
    assert.equal(chosen({}, ANY4), undefined)
    assert.equal(chosen({ gone: undefined, odd: [{ address: 'nonsense', internal: false }] }, ANY4), undefined)
    assert.equal(
      chosen(
        {
          eth0: [
            { address: '0.0.0.0', internal: false },
            { address: '224.0.0.1', internal: false },
          ],
        },
        ANY4,
      ),
      undefined,
    )
  })
})

describe('node/interfaces.ts for ::', () => {
  it('a unique local IPv6 address goes before a global one, and both before IPv4', () => {
    assert.equal(chosen(machine('10.0.0.1', '2a00::1', 'fd00::2'), ANY6), 'fd00::2')
    assert.equal(chosen(machine('10.0.0.1', '2a00::1'), ANY6), '2a00::1')
  })

  it('IPv6 link-local is never chosen: a private IPv4 address is', () => {
    assert.equal(chosen(machine('fe80::1', 'febf::1', '8.8.4.4', '10.0.0.1'), ANY6), '10.0.0.1')
  })

  it('loopback is IPv6 first, and last of all', () => {
    assert.equal(chosen(machine(), ANY6), '::1')
    assert.equal(chosen(machine('fe80::1'), ANY6), '::1')
    assert.equal(chosen(machine('169.254.7.7'), ANY6), '169.254.7.7')
  })
})

describe('node/interfaces.ts on this machine', () => {
  it('reads what os.networkInterfaces() gives', () => {
    for (const wildcard of [ANY4, ANY6]) {
      const ip = chooseReachable(networkInterfaces(), wildcard)
      const listed = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address))
      assert.ok(ip === undefined || listed.some((text) => formatIp(parseIp(text) ?? ANY4) === formatIp(ip)))
    }
  })
})
