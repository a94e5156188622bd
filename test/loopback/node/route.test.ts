// Which address others are told, on machines of every kind: network namespaces with interfaces and routes of their own.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { nodeHost } from '../../../src/node/host.ts'
import { routedAddresses } from '../../../src/node/route.ts'
import { formatIp } from '../../../src/wire/address.ts'
import { LIMIT, openResources, turns } from '../support.ts'

const SPACE = `rc-adv-${process.pid}`

/** Skipped aloud where namespaces cannot be made, but never under CI. */
const WITH_NAMESPACES = {
  ...LIMIT,
  skip: canMakeNamespaces() || process.env.CI === 'true' ? false : 'network namespaces need root and ip',
} as const

describe('node/route.ts on this machine', () => {
  it('tells addresses of ours, or none, and leaves nothing open', LIMIT, async () => {
    const open = openResources()
    for (const wildcard of [new Uint8Array(4), new Uint8Array(16)]) {
      const routed = (await routedAddresses(wildcard)).map(formatIp)
      const chosen = await nodeHost().reachableAddress(wildcard)
      assert.ok(routed.length <= (wildcard.length === 4 ? 1 : 2))
      assert.ok(chosen === undefined || formatIp(chosen.ip) !== formatIp(wildcard))
    }
    await turns()
    assert.deepEqual(openResources(), open)
  })
})

describe('the address that others are told, on a machine with', { concurrency: false }, () => {
  before(() => {
    if (WITH_NAMESPACES.skip !== false) return
    ip('netns', 'add', SPACE)
  })
  after(() => {
    if (WITH_NAMESPACES.skip === false) ip('netns', 'del', SPACE)
  })

  it('no interface up: none', WITH_NAMESPACES, () => {
    assert.deepEqual(reachable(), { '0.0.0.0': undefined, '::': undefined })
  })

  it('loopback alone: that, and it says that nobody else reaches it', WITH_NAMESPACES, () => {
    within('link', 'set', 'lo', 'up')
    const { '0.0.0.0': four, '::': both } = reachable()
    assert.deepEqual([four?.ip, both?.ip], ['127.0.0.1', '::1'])
    assert.match(four?.doubt ?? '', /nobody on another machine/)
  })

  it('one network and a bridge of containers: the network, without a doubt', WITH_NAMESPACES, () => {
    addInterface('docker0', '172.17.0.1/16')
    addInterface('eth0', '192.168.77.2/24')
    assert.deepEqual(reachable()['0.0.0.0'], { ip: '192.168.77.2' })
  })

  it('two networks and no default route: the first, which is a guess', WITH_NAMESPACES, () => {
    addInterface('eth1', '10.77.0.2/24')
    const { ip: address, doubt } = reachable()['0.0.0.0'] ?? assert.fail()
    assert.ok(['192.168.77.2', '10.77.0.2'].includes(address))
    assert.match(doubt ?? '', /no default route/)
  })

  it('a default route: that of its interface, and nothing is sent to find it', WITH_NAMESPACES, () => {
    for (const [way, device, address] of [
      ['10.77.0.1', 'eth1', '10.77.0.2'],
      ['192.168.77.1', 'eth0', '192.168.77.2'],
    ] as const) {
      within('route', 'replace', 'default', 'via', way, 'dev', device)
      const sent = datagramsSent()
      assert.deepEqual(reachable()['0.0.0.0'], { ip: address })
      assert.equal(datagramsSent(), sent)
    }
  })

  it('an IPv6 network too: for `::` that, also where only IPv4 has a default route', WITH_NAMESPACES, () => {
    within('-6', 'addr', 'add', 'fd00:77::2/64', 'dev', 'eth1', 'nodad')
    assert.deepEqual(reachable()['::'], { ip: 'fd00:77::2' })
    within('-6', 'addr', 'add', 'fd00:78::2/64', 'dev', 'eth0', 'nodad')
    within('-6', 'route', 'add', 'default', 'via', 'fd00:78::1', 'dev', 'eth0')
    assert.deepEqual(reachable()['::'], { ip: 'fd00:78::2' })
  })

  it('IPv6 alone: for `::` that, and for IPv4 only loopback is left', WITH_NAMESPACES, () => {
    for (const device of ['docker0', 'eth0', 'eth1']) within('-4', 'addr', 'flush', 'dev', device)
    const { '0.0.0.0': four, '::': both } = reachable()
    assert.deepEqual(both, { ip: 'fd00:78::2' })
    assert.equal(four?.ip, '127.0.0.1')
    assert.ok(four?.doubt !== undefined)
  })
})

interface Said {
  readonly ip: string
  readonly doubt?: string
}

/** What a process in the namespace would tell, by what it is bound to. */
function reachable(): { readonly '0.0.0.0': Said | undefined; readonly '::': Said | undefined } {
  const host = JSON.stringify(import.meta.resolve('../../../src/node/host.ts'))
  const address = JSON.stringify(import.meta.resolve('../../../src/wire/address.ts'))
  const source = `
    const { nodeHost } = await import(${host})
    const { formatIp } = await import(${address})
    const said = {}
    for (const length of [4, 16]) {
      const wildcard = new Uint8Array(length)
      const found = await nodeHost().reachableAddress(wildcard)
      said[formatIp(wildcard)] = found && { ...found, ip: formatIp(found.ip) }
    }
    console.log(JSON.stringify(said))`
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '--eval', source]
  const text = execFileSync('ip', ['netns', 'exec', SPACE, ...node], { encoding: 'utf8' })
  return { '0.0.0.0': undefined, '::': undefined, ...JSON.parse(text) }
}

/** A pair of interfaces, so that the near one has a carrier. */
function addInterface(device: string, address: string): void {
  within('link', 'add', device, 'type', 'veth', 'peer', 'name', `${device}-far`)
  within('addr', 'add', address, 'dev', device)
  for (const end of [device, `${device}-far`]) within('link', 'set', end, 'up')
}

function datagramsSent(): number {
  const text = execFileSync('ip', ['netns', 'exec', SPACE, 'cat', '/proc/net/snmp'], { encoding: 'utf8' })
  const [names = '', counts = ''] = text.split('\n').filter((line) => line.startsWith('Udp:'))
  return Number(counts.split(' ')[names.split(' ').indexOf('OutDatagrams')])
}

function within(...words: string[]): void {
  ip('-n', SPACE, ...words)
}

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'inherit'] })
}

function canMakeNamespaces(): boolean {
  const name = `rc-adv-try-${process.pid}`
  try {
    execFileSync('ip', ['netns', 'add', name], { stdio: 'ignore' })
    execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
