import assert from 'node:assert/strict'
import type { Socket } from 'node:dgram'
import diagnostics from 'node:diagnostics_channel'
import { afterEach, describe, it } from 'node:test'
import { utf8 } from '../../../src/base/bytes.ts'
import { TransportError } from '../../../src/base/errors.ts'
import type { TransportHandlers } from '../../../src/driver/host.ts'
import { nodeHost } from '../../../src/node/host.ts'
import type { Address } from '../../../src/wire/address.ts'
import { at, bind, closeAll, handlers, Inbox, LIMIT, openResources, turns, WITH_IPV6 } from '../support.ts'

const host = nodeHost()

afterEach(closeAll)

interface Packet {
  readonly bytes: Uint8Array
  readonly from: Address
  readonly at: number
}

interface Failure {
  readonly to: Address
  readonly error: Error
  readonly isRemote: boolean
}

async function bound(where: string, more: Partial<TransportHandlers> = {}) {
  const packets = new Inbox<Packet>()
  const failures = new Inbox<Failure>()
  const transport = await bind(
    at(where),
    handlers({
      packet: (bytes, from, arrival) => packets.put({ bytes, from, at: arrival }),
      sendFailed: (to, error, isRemote) => failures.put({ to, error, isRemote }),
      ...more,
    }),
  )
  return { transport, packets, failures }
}

/** The dgram socket inside the next transport that `make` binds. */
async function withSocket<Made>(make: () => Promise<Made>): Promise<{ made: Made; socket: Socket }> {
  let socket: Socket | undefined
  const seen = (message: unknown) => {
    socket = (message as { socket: Socket }).socket
  }
  diagnostics.subscribe('udp.socket', seen)
  try {
    const made = await make()
    assert.ok(socket)
    return { made, socket }
  } finally {
    diagnostics.unsubscribe('udp.socket', seen)
  }
}

async function exchange(left: string, right: string, seenFrom: string): Promise<void> {
  const one = await bound(left)
  const two = await bound(right)
  const target = at(right === '::' ? seenFrom : right, two.transport.local.port)
  const before = host.clock.now()
  one.transport.send(utf8('hello'), target)
  const packet = await two.packets.take()
  assert.deepEqual(packet.bytes, utf8('hello'))
  assert.equal(packet.from.key, at(seenFrom, one.transport.local.port).key)
  assert.equal(packet.from.ip.length, at(seenFrom).ip.length)
  assert.ok(packet.at >= before && packet.at <= host.clock.now())
  two.transport.send(utf8('answer'), packet.from)
  const answer = await one.packets.take()
  assert.deepEqual(answer.bytes, utf8('answer'))
  assert.equal(answer.from.key, target.key)
  await Promise.all([one.transport.close(), two.transport.close()])
}

describe('node/udp.ts', () => {
  it('a datagram and its answer pass on IPv4', LIMIT, () => exchange('127.0.0.1', '127.0.0.1', '127.0.0.1'))

  it('a datagram and its answer pass on IPv6', WITH_IPV6, () => exchange('::1', '::1', '::1'))

  it('a socket on :: hears both families, IPv4 in 4 bytes, and answers both', WITH_IPV6, async () => {
    await exchange('127.0.0.1', '::', '127.0.0.1')
    await exchange('::1', '::', '::1')
  })

  it('a packet is a plain array that owns exactly its memory', LIMIT, async () => {
    const { transport, packets } = await bound('127.0.0.1')
    transport.send(utf8('to myself'), transport.local)
    const { bytes } = await packets.take()
    assert.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype)
    assert.equal(bytes.buffer.byteLength, bytes.length)
    await transport.close()
  })

  it('an empty datagram arrives as one, and the largest that UDP carries arrives whole', LIMIT, async () => {
    const { transport, packets } = await bound('127.0.0.1')
    transport.send(new Uint8Array(0), transport.local)
    assert.equal((await packets.take()).bytes.length, 0)
    transport.send(new Uint8Array(65_507).fill(7), transport.local)
    assert.equal((await packets.take()).bytes.length, 65_507)
    await transport.close()
  })

  it('what cannot be sent is told, never thrown, in a later turn, and the socket works on', LIMIT, async () => {
    const { transport, packets, failures } = await bound('127.0.0.1')
    const cases: [what: RegExp, packet: Uint8Array, to: Address][] = [
      [/EMSGSIZE/, new Uint8Array(64 * 1024), transport.local],
      [/ERR_SOCKET_BAD_PORT/, utf8('x'), at('127.0.0.1', 0)],
      [/address family/, utf8('x'), at('::1', transport.local.port)],
    ]
    for (const [what, packet, to] of cases) {
      transport.send(packet, to)
      assert.equal(failures.size, 0, 'not inside the call')
      const failure = await failures.take()
      assert.equal(failure.to, to)
      assert.ok(failure.error instanceof TransportError)
      assert.match(failure.error.message, what)
      assert.ok(failure.error.message.includes(to.key))
      assert.equal(failure.isRemote, true, 'whom nobody can send to has not answered')
    }
    transport.send(utf8('still here'), transport.local)
    assert.deepEqual((await packets.take()).bytes, utf8('still here'))
    await transport.close()
  })

  it('an IPv4 target on a socket of one IPv6 address is told', WITH_IPV6, async () => {
    const { transport, failures } = await bound('::1')
    transport.send(utf8('x'), at('127.0.0.1', 9))
    assert.match((await failures.take()).error.message, /address family/)
    await transport.close()
  })

  it('what the network answers to a send is told as remote', LIMIT, async () => {
    const { made, socket } = await withSocket(() => bound('127.0.0.1'))
    const { transport, failures } = made
    const to = at('127.0.0.1', 9)
    for (const code of ['ENETUNREACH', 'EHOSTUNREACH', 'ECONNREFUSED']) {
      // Loopback never says so: the system call alone is replaced.
      socket.send = ((...all: unknown[]) => {
        const told = all.at(-1) as (error: Error) => void
        process.nextTick(told, Object.assign(new Error(`send ${code}`), { code }))
      }) as Socket['send']
      transport.send(utf8('x'), to)
      const failure = await failures.take()
      assert.equal(failure.isRemote, true, code)
      assert.equal((failure.error.cause as NodeJS.ErrnoException).code, code)
    }
    await transport.close()
  })

  it('a packet that a stuck system has no room for is dropped, and the drop is told', LIMIT, async () => {
    const { made, socket } = await withSocket(() => bound('127.0.0.1'))
    socket.getSendQueueSize = () => 4 * 1024 * 1024 + 1
    made.transport.send(utf8('x'), made.transport.local)
    const { error, isRemote } = await made.failures.take()
    assert.match(error.message, /already wait/)
    assert.equal(isRemote, false)
    await made.transport.close()
  })

  it('a port where nobody listens harms neither the socket nor the process', LIMIT, async () => {
    const gone = await bound('127.0.0.1')
    await gone.transport.close()
    const { transport, packets } = await bound('127.0.0.1', { sendFailed: () => {} })
    for (let count = 0; count < 50; count++) transport.send(utf8('anyone?'), gone.transport.local)
    transport.send(utf8('me'), transport.local)
    assert.deepEqual((await packets.take()).bytes, utf8('me'))
    await transport.close()
  })

  it('a passing error of the socket is survived, a final one is told once and ends it', LIMIT, async () => {
    const before = openResources()
    const failed = new Inbox<Error>()
    const { made, socket } = await withSocket(() => bound('127.0.0.1', { failed: (error) => failed.put(error) }))
    const { transport, packets } = made
    const coded = (code: string) => Object.assign(new Error(`recvmsg ${code}`), { code })
    for (const code of ['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENOBUFS']) socket.emit('error', coded(code))
    transport.send(utf8('alive'), transport.local)
    assert.deepEqual((await packets.take()).bytes, utf8('alive'))
    assert.equal(failed.size, 0)
    socket.emit('error', coded('EBADF'))
    socket.emit('error', coded('EBADF'))
    const error = await failed.take()
    assert.ok(error instanceof TransportError)
    assert.match(error.message, /EBADF/)
    transport.send(utf8('into the void'), transport.local)
    await turns()
    assert.equal(failed.size, 0)
    await transport.close()
    assert.deepEqual(openResources(), before)
  })

  it('a burst of 10,000 datagrams in one turn neither crashes nor blocks what comes after', LIMIT, async () => {
    const { transport: sender } = await bound('127.0.0.1', { sendFailed: () => {} })
    let count = 0
    const last = new Inbox<true>()
    const { transport: receiver } = await bound('127.0.0.1', {
      packet: (bytes) => {
        count++
        if (bytes.length === 1) last.put(true)
      },
    })
    const packet = new Uint8Array(1400)
    for (let sent = 0; sent < 10_000; sent++) sender.send(packet, receiver.local)
    // The system may drop any of them: the last word is repeated until it is heard.
    const repeat = setInterval(() => sender.send(new Uint8Array(1), receiver.local), 5)
    await last.take()
    clearInterval(repeat)
    assert.ok(count > 100, `${count} arrived`)
    await Promise.all([sender.close(), receiver.close()])
  })

  it('nothing is told once close was called, and sending is without effect', LIMIT, async () => {
    const { transport, packets, failures } = await bound('127.0.0.1')
    transport.send(utf8('on its way'), transport.local)
    transport.send(utf8('x'), at('127.0.0.1', 0))
    transport.send(new Uint8Array(64 * 1024), transport.local)
    const closing = transport.close()
    transport.send(utf8('too late'), transport.local)
    await closing
    await turns()
    assert.equal(packets.size + failures.size, 0)
  })
})
