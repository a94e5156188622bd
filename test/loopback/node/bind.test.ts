import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import dgram from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { TransportError } from '../../../src/base/errors.ts'
import { at, bind, closeAll, handlers, LIMIT, openResources, turns, WITH_IPV6 } from '../support.ts'

afterEach(closeAll)

function isBindError(protocol: string, key: string, code: string) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof TransportError)
    assert.equal(error.code, 'ERR_TRANSPORT')
    assert.ok(error.message.startsWith(`cannot bind ${protocol} ${key}: ${code}`), error.message)
    return true
  }
}

/** What two workers of one cluster meet that bind one after the other. */
async function workers(...how: string[]): Promise<string[]> {
  const file = fileURLToPath(new URL('./cluster-workers.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...how], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  assert.deepEqual(await once(child, 'close'), [0, null])
  return output.trim().split('\n')
}

describe('node/transport.ts bind', () => {
  it('port 0 finds one number for UDP and TCP', LIMIT, async () => {
    const transport = await bind(at('127.0.0.1'), handlers())
    const { port } = transport.local
    assert.ok(port > 0)
    assert.equal(transport.local.host, '127.0.0.1')
    // Both are taken: nobody else can bind either.
    const udp = dgram.createSocket('udp4').bind({ port, address: '127.0.0.1', exclusive: true })
    assert.equal((await once(udp, 'error'))[0].code, 'EADDRINUSE')
    udp.close()
    const tcp = net.createServer().listen({ port, host: '127.0.0.1', exclusive: true })
    assert.equal((await once(tcp, 'error'))[0].code, 'EADDRINUSE')
    await transport.close()
  })

  it('a second bind of the same port in this process is refused and leaves nothing open', LIMIT, async () => {
    const before = openResources()
    const transport = await bind(at('127.0.0.1'), handlers())
    const held = openResources()
    const key = transport.local.key
    await assert.rejects(bind(transport.local, handlers()), isBindError('TCP', key, 'EADDRINUSE'))
    assert.deepEqual(openResources(), held)
    await transport.close()
    assert.deepEqual(openResources(), before)
  })

  it('where only the UDP port is in use, TCP is given up again', LIMIT, async () => {
    const before = openResources()
    // A number that TCP finds is free for TCP; one that UDP finds may be some connection's.
    const finder = net.createServer().listen(0, '127.0.0.1')
    await once(finder, 'listening')
    const { port } = finder.address() as net.AddressInfo
    const other = dgram.createSocket('udp4').bind(port, '127.0.0.1')
    await once(other, 'listening')
    await new Promise((resolve) => finder.close(resolve))
    await turns()
    const held = openResources()
    const address = at('127.0.0.1', port)
    await assert.rejects(bind(address, handlers()), isBindError('UDP', address.key, 'EADDRINUSE'))
    assert.deepEqual(openResources(), held)
    const tcp = net.createServer().listen({ port, host: '127.0.0.1', exclusive: true })
    await once(tcp, 'listening')
    await new Promise((resolve) => tcp.close(resolve))
    await new Promise<void>((resolve) => other.close(resolve))
    await turns()
    assert.deepEqual(openResources(), before)
  })

  it('an address of another machine is refused with the typed error', LIMIT, async () => {
    const before = openResources()
    // 198.51.100.0/24 is for documentation (RFC 5737); binding sends nothing.
    await assert.rejects(bind(at('198.51.100.9'), handlers()), isBindError('TCP', '198.51.100.9:0', 'EADDRNOTAVAIL'))
    await turns()
    assert.deepEqual(openResources(), before)
  })

  for (const [way, protocol, what] of [
    ['udp', 'UDP', 'a UDP port'],
    ['tcp', 'TCP', 'a TCP port'],
    ['both', 'TCP', 'the port of a transport'],
    ['member', 'TCP', 'the port of a member'],
  ] as const) {
    it(`workers of a cluster never share ${what}: the second is refused by name`, LIMIT, async () => {
      const [first = '', second = ''] = await workers(way)
      const port = /^bound (\d+)$/.exec(first)?.[1]
      assert.equal(second, `cannot bind ${protocol} 127.0.0.1:${port}: EADDRINUSE (the port is in use)`)
    })
  }

  it('workers of a cluster that ask for port 0 get one each', LIMIT, async () => {
    const met = await workers('member', 'any')
    for (const line of met) assert.match(line, /^bound [1-9]\d*$/)
    assert.equal(new Set(met).size, 2, met.join())
  })

  it('IPv6 loopback binds, and is told as it was asked for', WITH_IPV6, async () => {
    const transport = await bind(at('::1'), handlers())
    assert.equal(transport.local.key, `[::1]:${transport.local.port}`)
    await transport.close()
  })

  it('close is idempotent, and the port is free when it resolves', LIMIT, async () => {
    const before = openResources()
    const first = await bind(at('127.0.0.1'), handlers())
    const closing = first.close()
    assert.equal(first.close(), closing)
    await closing
    await first.close()
    assert.deepEqual(openResources(), before)
    const second = await bind(first.local, handlers())
    assert.equal(second.local.port, first.local.port)
    await second.close()
    assert.deepEqual(openResources(), before)
  })
})
