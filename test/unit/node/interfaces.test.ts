import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { describe, it } from 'node:test'
import { addressesOf, chooseReachable, type Interfaces } from '../../../src/node/interfaces.ts'
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
  return choice(interfaces, wildcard)?.address
}

/** The address, and why it may be the wrong one. @param routed addresses that the default route bears */
function choice(interfaces: Interfaces, wildcard: Uint8Array, ...routed: string[]) {
  const found = chooseReachable(
    interfaces,
    wildcard,
    routed.map((text) => parseIp(text) as Uint8Array),
  )
  return found && { address: formatIp(found.ip), doubt: found.doubt }
}

/** Interfaces of one address each, beside loopback. */
function devices(addresses: Readonly<Record<string, string | readonly string[]>>): Interfaces {
  const entries = Object.entries(addresses).map(([device, texts]) => [
    device,
    [texts].flat().map((address) => ({ address, internal: false })),
  ])
  return { lo: LOOPBACK, ...Object.fromEntries(entries) }
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

describe('node/interfaces.ts with a default route', () => {
  const TWO = devices({ eth0: '10.0.0.2', eth1: '192.168.1.2' })

  it('of several private addresses that of the default route wins, without a doubt', () => {
    assert.deepEqual(choice(TWO, ANY4, '192.168.1.2'), { address: '192.168.1.2', doubt: undefined })
    assert.deepEqual(choice(TWO, ANY4, '10.0.0.2'), { address: '10.0.0.2', doubt: undefined })
  })

  it('without such a route the first wins, and the doubt names the others', () => {
    const { address, doubt } = choice(TWO, ANY4) ?? assert.fail()
    assert.equal(address, '10.0.0.2')
    assert.match(doubt ?? '', /no default route .* eth0, or 192\.168\.1\.2 of eth1/)
    assert.equal(choice(devices({ eth0: '10.0.0.2' }), ANY4)?.doubt, undefined, 'one alone is no guess')
    assert.equal(choice(devices({ eth0: ['10.0.0.2', '10.0.0.3'] }), ANY4)?.doubt, undefined, 'one interface')
  })

  it('a private address of the interface of the default route goes before a public one that it bears', () => {
    const mixed = devices({ eth0: ['8.8.4.4', '10.0.0.2'], eth1: '10.1.0.2' })
    assert.deepEqual(choice(mixed, ANY4, '8.8.4.4'), { address: '10.0.0.2', doubt: undefined })
  })

  it('a private address of another interface goes before the public one of the default route', () => {
    const cloud = devices({ eth0: '8.8.4.4', eth1: '10.0.0.2' })
    assert.deepEqual(choice(cloud, ANY4, '8.8.4.4'), {
      address: '10.0.0.2',
      doubt: 'the default route is that of eth0, which has 8.8.4.4',
    })
    assert.equal(choice(cloud, ANY4)?.doubt, undefined, 'without such a route it is the only private one')
  })

  it('a unique local address of another interface than the default route is a guess too', () => {
    const tunnel = devices({ eth0: '2a00::1', tun0: 'fd00::2' })
    assert.match(choice(tunnel, ANY6, '2a00::1')?.doubt ?? '', /default route is that of eth0/)
    const mixed = devices({ eth0: '10.0.0.2', eth1: 'fd00::2' })
    assert.deepEqual(choice(mixed, ANY6, '10.0.0.2'), { address: 'fd00::2', doubt: undefined }, 'a route of IPv4 alone')
    assert.equal(choice(devices({ eth0: ['2a00::1', 'fd00::2'] }), ANY6, '2a00::1')?.doubt, undefined)
  })

  it('a public address alone is a guess', () => {
    assert.deepEqual(choice(devices({ eth0: '8.8.4.4' }), ANY4, '8.8.4.4'), {
      address: '8.8.4.4',
      doubt: 'no private address leads out of this machine',
    })
    assert.equal(
      choice(devices({ eth0: '8.8.4.4', eth1: '9.9.9.9' }), ANY4, '9.9.9.9')?.address,
      '9.9.9.9',
      'that of the default route first',
    )
  })

  const bridges = ['docker0', 'br-0123456789ab', 'podman1', 'cni0', 'virbr0', 'lxdbr0', 'vboxnet0', 'vmnet8']
  const newer = ['incusbr0', 'kube-ipvs0', 'kube-bridge', 'weave', 'cilium_host', 'nodelocaldns']
  for (const device of [...bridges, ...newer]) {
    it(`the bridge ${device} within the machine goes after all that leaves it`, () => {
      const bridge = { [device]: '172.17.0.1' }
      const found = choice(devices({ ...bridge, eth0: '10.0.0.2' }), ANY4)
      assert.deepEqual(found, { address: '10.0.0.2', doubt: undefined })
      assert.equal(choice(devices({ ...bridge, eth0: '8.8.4.4' }), ANY4)?.address, '8.8.4.4')
      const alone = choice(devices(bridge), ANY4)
      assert.equal(alone?.address, '172.17.0.1')
      assert.match(alone?.doubt ?? '', /looks like a network within this machine/)
    })
  }

  it('a bridge that bears the default route is no inner network, and br0 never is one', () => {
    assert.deepEqual(choice(devices({ virbr0: '10.0.0.2', eth0: '10.1.0.2' }), ANY4, '10.0.0.2'), {
      address: '10.0.0.2',
      doubt: undefined,
    })
    assert.deepEqual(choice(devices({ br0: '10.0.0.2' }), ANY4), { address: '10.0.0.2', doubt: undefined })
  })

  it('what others cannot reach, or what a machine gave itself, is a guess', () => {
    assert.match(choice(machine(), ANY4)?.doubt ?? '', /nobody on another machine/)
    assert.match(choice(machine('169.254.7.7'), ANY4)?.doubt ?? '', /given to it/)
  })

  it('of IPv6 the public address of the default route is the rule, and any other one a guess', () => {
    const global = devices({ eth0: '2a00::1', eth1: '2a01::1' })
    assert.deepEqual(choice(global, ANY6, '2a01::1'), { address: '2a01::1', doubt: undefined })
    assert.equal(choice(global, ANY6)?.doubt, 'no private address leads out of this machine')
    assert.deepEqual(choice(devices({ eth0: ['2a00::1', '10.0.0.1'] }), ANY6, '10.0.0.1'), {
      address: '2a00::1',
      doubt: undefined,
    })
  })

  it('IPv6 has no say where only IPv4 is bound', () => {
    assert.equal(choice(devices({ eth0: '2a00::1', eth1: '10.0.0.2' }), ANY4, '2a00::1')?.address, '10.0.0.2')
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

describe('node/interfaces.ts, all addresses', () => {
  it('are those of every interface and family, and what is no address is left out', () => {
    const odd = { gone: undefined, odd: [{ address: 'nonsense', internal: false }] }
    const all = addressesOf({ ...odd, ...devices({ eth0: ['10.0.0.2', 'fd00::2'], eth1: '8.8.4.4' }) })
    assert.deepEqual(all.map(formatIp), ['127.0.0.1', '::1', '10.0.0.2', 'fd00::2', '8.8.4.4'])
  })
})

describe('node/interfaces.ts on this machine', () => {
  it('reads what os.networkInterfaces() gives', () => {
    for (const wildcard of [ANY4, ANY6]) {
      const ip = chooseReachable(networkInterfaces(), wildcard)?.ip
      const listed = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address))
      assert.ok(ip === undefined || listed.some((text) => formatIp(parseIp(text) ?? ANY4) === formatIp(ip)))
    }
  })
})
