import assert from 'node:assert/strict'
import diagnostics from 'node:diagnostics_channel'
import { once } from 'node:events'
import net from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { utf8 } from '../../../src/base/bytes.ts'
import { TransportError } from '../../../src/base/errors.ts'
import type { Stream, StreamHandlers } from '../../../src/driver/host.ts'
import { nodeHost } from '../../../src/node/host.ts'
import { bindTransport } from '../../../src/node/transport.ts'
import {
  at,
  bind,
  closeAll,
  handlers,
  Inbox,
  LIMIT,
  openResources,
  type StreamLog,
  streamLog,
  turns,
  WITH_IPV6,
} from '../support.ts'

const host = nodeHost()

afterEach(closeAll)

/** A transport whose accepted streams wait to be taken, each with its log. */
async function accepting(where = '127.0.0.1', own: (log: StreamLog, stream: Stream) => StreamHandlers = (log) => log) {
  const streams = new Inbox<{ stream: Stream; log: StreamLog }>()
  const transport = await bind(
    at(where),
    handlers({
      stream: (stream) => {
        const log = streamLog()
        streams.put({ stream, log })
        return own(log, stream)
      },
    }),
  )
  return { transport, streams }
}

/** The next socket that a listener of this process accepts, as Node announces it. */
function nextAccepted(): { promise: Promise<net.Socket>; stop: () => void } {
  let seen: (message: unknown) => void = () => {}
  const promise = new Promise<net.Socket>((resolve) => {
    seen = (message) => resolve((message as { socket: net.Socket }).socket)
  })
  diagnostics.subscribe('net.server.socket', seen)
  return { promise, stop: () => void diagnostics.unsubscribe('net.server.socket', seen) }
}

async function roundTrip(listen: string, dialled: string): Promise<void> {
  const { transport, streams } = await accepting(listen)
  const caller = streamLog()
  const call = transport.dial(at(dialled, transport.local.port), caller)
  assert.deepEqual(caller.told, [], 'not inside the call')
  call.write(utf8('request'))
  const { stream, log } = await streams.take()
  assert.equal(stream.peer.host, dialled)
  assert.equal(stream.peer.ip.length, at(dialled).ip.length)
  assert.equal(await log.texts.take(), 'request')
  stream.write(utf8('answer'))
  stream.end()
  assert.equal(await caller.ends.take(), undefined)
  assert.equal(await log.ends.take(), undefined)
  assert.deepEqual(caller.told, ['opened', 'answer', 'closed'])
  assert.deepEqual(log.told, ['request', 'closed'])
  await transport.close()
}

describe('node/tcp.ts and node/stream.ts', () => {
  it('a request and its answer pass on IPv4, and both sides hear one close', LIMIT, () =>
    roundTrip('127.0.0.1', '127.0.0.1'),
  )

  it('a request and its answer pass on IPv6', WITH_IPV6, () => roundTrip('::1', '::1'))

  it('a listener on :: accepts both families, IPv4 in 4 bytes', WITH_IPV6, async () => {
    await roundTrip('::', '127.0.0.1')
    await roundTrip('::', '::1')
  })

  it('a refused dial is a typed error, told later, once', LIMIT, async () => {
    const gone = await accepting()
    await gone.transport.close()
    const { transport } = await accepting()
    const before = openResources()
    const caller = streamLog()
    transport.dial(gone.transport.local, caller)
    assert.deepEqual(caller.told, [])
    const error = await caller.ends.take()
    assert.ok(error instanceof TransportError)
    assert.match(error.message, /ECONNREFUSED/)
    assert.ok(error.message.includes(gone.transport.local.key))
    await turns()
    assert.deepEqual(caller.told, ['closed'])
    assert.deepEqual(openResources(), before)
    await transport.close()
  })

  it('a dial that Node refuses at once is told later too', LIMIT, async () => {
    const { transport } = await accepting()
    const caller = streamLog()
    transport.dial(at('127.0.0.1', 0), caller)
    assert.deepEqual(caller.told, [])
    assert.ok((await caller.ends.take()) instanceof TransportError)
    assert.deepEqual(caller.told, ['closed'])
    await transport.close()
  })

  it('a peer that half-closes after its request gets its answer', LIMIT, async () => {
    const { transport, streams } = await accepting()
    const peer = net.connect({ port: transport.local.port, host: '127.0.0.1', allowHalfOpen: true })
    peer.end('request')
    const { stream, log } = await streams.take()
    assert.equal(await log.ends.take(), undefined)
    assert.deepEqual(log.told, ['request', 'closed'])
    const answer = new Uint8Array(3_000_000).fill(97)
    stream.write(answer)
    stream.end()
    let received = 0
    peer.on('data', (bytes) => {
      received += bytes.length
    })
    await once(peer, 'end')
    assert.equal(received, answer.length)
    await once(peer, 'close')
    assert.deepEqual(log.told, ['request', 'closed'], 'closed was the last word')
    await transport.close()
  })

  it('closed waits for what is queued, also when the other side has finished before', LIMIT, async () => {
    const { transport, streams } = await accepting()
    const { promise: accepted, stop } = nextAccepted()
    const peer = net.connect({ port: transport.local.port, host: '127.0.0.1', allowHalfOpen: true })
    const socket = await accepted
    stop()
    const { stream, log } = await streams.take()
    stream.write(new Uint8Array(20_000_000))
    stream.end()
    peer.end()
    await once(socket, 'end')
    await turns()
    assert.deepEqual(log.told, [])
    let received = 0
    peer.on('data', (bytes) => {
      received += bytes.length
    })
    assert.equal(await log.ends.take(), undefined)
    await once(peer, 'close')
    assert.equal(received, 20_000_000)
    await transport.close()
  })

  it('an answer arrives whole although the peer sent more than was asked for', LIMIT, async () => {
    const { transport } = await accepting('127.0.0.1', (log, stream) => ({
      ...log,
      data: () => {
        stream.write(new Uint8Array(1_000_000).fill(97))
        stream.end()
      },
    }))
    const peer = net.connect({ port: transport.local.port, host: '127.0.0.1' })
    peer.write(new Uint8Array(5_000_000)) // unread, it would make the system reset the answer
    let received = 0
    peer.on('data', (bytes) => {
      received += bytes.length
    })
    await once(peer, 'close')
    assert.equal(received, 1_000_000)
    await transport.close()
  })

  it('a dialled stream is over when the other side closes, and leaves nothing open', LIMIT, async () => {
    const { transport } = await accepting()
    const before = openResources()
    const server = net.createServer({ allowHalfOpen: true }, (socket) => socket.end('bye'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const caller = streamLog()
    transport.dial(at('127.0.0.1', (server.address() as net.AddressInfo).port), caller)
    assert.equal(await caller.ends.take(), undefined)
    assert.deepEqual(caller.told, ['opened', 'bye', 'closed'])
    await new Promise((resolve) => server.close(resolve)) // waits for its side of the connection
    await turns()
    assert.deepEqual(openResources(), before)
    await transport.close()
  })

  it('destroy is the last of a stream: its owner hears nothing, the other side hears the end', LIMIT, async () => {
    const { transport, streams } = await accepting()
    const caller = streamLog()
    const call = transport.dial(transport.local, caller)
    await caller.opens.take()
    const { log } = await streams.take()
    call.destroy()
    call.destroy()
    call.write(utf8('too late'))
    call.end()
    await log.ends.take()
    await turns()
    assert.deepEqual(caller.told, ['opened'])
    assert.deepEqual(log.told, ['closed'])
    await transport.close()
  })

  it('bytes that come after end are not told, and end and write after it do nothing', LIMIT, async () => {
    const { transport, streams } = await accepting()
    const caller = streamLog()
    const call = transport.dial(transport.local, caller)
    call.write(utf8('one way'))
    call.end()
    call.end()
    call.write(utf8('too late'))
    const { stream, log } = await streams.take()
    await log.ends.take()
    stream.write(utf8('unasked'))
    stream.end()
    assert.equal(await caller.ends.take(), undefined)
    assert.deepEqual(caller.told, ['opened', 'closed'])
    assert.deepEqual(log.told, ['one way', 'closed'])
    await transport.close()
  })

  it('a reset is told to the owner as a typed error, whoever accepted or dialled', LIMIT, async () => {
    const { transport, streams } = await accepting()
    const server = net.createServer((socket) => socket.once('data', () => socket.resetAndDestroy()))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const caller = streamLog()
    transport.dial(at('127.0.0.1', (server.address() as net.AddressInfo).port), caller).write(utf8('x'))
    const peer = net.connect({ port: transport.local.port, host: '127.0.0.1' })
    const { log } = await streams.take()
    peer.resetAndDestroy()
    for (const { ends } of [caller, log]) {
      const error = await ends.take()
      assert.ok(error instanceof TransportError)
      assert.match(error.message, /ECONNRESET/)
    }
    server.close()
    await transport.close()
  })

  it('a reset while the answer to a half-closed peer is being written surfaces nowhere', LIMIT, async () => {
    const { transport, streams } = await accepting()
    const peer = net.connect({ port: transport.local.port, host: '127.0.0.1', allowHalfOpen: true })
    peer.end('request')
    const { stream, log } = await streams.take()
    await log.ends.take()
    const before = openResources().length
    stream.write(new Uint8Array(20_000_000))
    stream.end()
    await once(peer, 'readable')
    peer.resetAndDestroy()
    await once(peer, 'close')
    while (openResources().length >= before) await turns(1)
    assert.deepEqual(log.told, ['request', 'closed'])
    await transport.close()
  })

  it('a stream that nobody wants is closed', LIMIT, async () => {
    const transport = await bind(at('127.0.0.1'), handlers({ stream: () => undefined }))
    const peer = net.connect({ port: transport.local.port, host: '127.0.0.1' })
    peer.on('error', () => {})
    await once(peer, 'close')
    await transport.close()
  })

  it('a stream destroyed while it is being accepted tells its owner nothing', LIMIT, async () => {
    const { transport, streams } = await accepting('127.0.0.1', (log, stream) => {
      stream.destroy()
      return log
    })
    const caller = streamLog()
    transport.dial(transport.local, caller)
    const { log } = await streams.take()
    await caller.ends.take()
    await turns()
    assert.deepEqual(log.told, [])
    await transport.close()
  })

  it('a peer that makes us keep more than 64 MiB is cut off', LIMIT, async () => {
    const { transport, streams } = await accepting()
    const peer = net.connect({ port: transport.local.port, host: '127.0.0.1' })
    peer.on('error', () => {})
    peer.pause()
    const { stream, log } = await streams.take()
    const piece = new Uint8Array(16 * 1024 * 1024)
    for (let count = 0; count < 6; count++) stream.write(piece)
    assert.deepEqual(log.told, [], 'not inside the call')
    const error = await log.ends.take()
    assert.ok(error instanceof TransportError)
    assert.match(error.message, /67108864 bytes already wait/)
    peer.destroy()
    await transport.close()
  })

  it('beyond the limit of open streams a connection is closed unread and counted, until one ends', LIMIT, async () => {
    const streams = new Inbox<Stream>()
    const own = handlers({
      stream: (stream) => {
        streams.put(stream)
        return streamLog()
      },
    })
    const transport = await bindTransport(at('127.0.0.1'), own, host.clock.now, 2)
    const dial = () => {
      const peer = net.connect({ port: transport.local.port, host: '127.0.0.1' })
      peer.on('error', () => {})
      return peer
    }
    const peers = [dial(), dial()]
    const first = await streams.take()
    await streams.take()
    assert.equal(transport.refusedStreams, 0)
    await once(dial(), 'close')
    assert.equal(transport.refusedStreams, 1)
    assert.equal(streams.size, 0)
    first.destroy()
    await once(peers[0] as net.Socket, 'close')
    peers.push(dial())
    await streams.take()
    for (const peer of peers) peer.destroy()
    await transport.close()
  })

  it(
    'a passing error of the listener is survived, a final one is told once and ends both sockets',
    LIMIT,
    async (test) => {
      const before = openResources()
      const failed = new Inbox<Error>()
      const create = test.mock.method(net, 'createServer')
      const transport = await bind(
        at('127.0.0.1'),
        handlers({ stream: () => undefined, failed: (error) => failed.put(error) }),
      )
      const server = create.mock.calls[0]?.result as net.Server
      const coded = (code: string) => Object.assign(new Error(`accept ${code}`), { code })
      for (const code of ['EMFILE', 'ECONNABORTED']) server.emit('error', coded(code))
      const peer = net.connect({ port: transport.local.port, host: '127.0.0.1' })
      peer.on('error', () => {})
      await once(peer, 'close')
      assert.equal(failed.size, 0)
      server.emit('error', coded('EBADF'))
      server.emit('error', coded('EBADF'))
      const error = await failed.take()
      assert.ok(error instanceof TransportError)
      assert.match(error.message, /EBADF/)
      await turns()
      assert.equal(failed.size, 0)
      assert.deepEqual(openResources(), before)
      await transport.close()
    },
  )
})

describe('node/stream.ts, streams that are forgotten', () => {
  it('a half-closed stream that its owner forgets is closed after 30 s', LIMIT, async (test) => {
    const { transport, streams } = await accepting()
    test.mock.timers.enable({ apis: ['setTimeout'] })
    const peer = net.connect({ port: transport.local.port, host: '127.0.0.1', allowHalfOpen: true })
    peer.on('error', () => {})
    peer.end('request')
    const { log } = await streams.take()
    await log.ends.take()
    const closing = once(peer, 'close')
    test.mock.timers.tick(29_999)
    await turns()
    assert.equal(peer.closed, false)
    test.mock.timers.tick(1)
    peer.resume()
    await closing
    assert.deepEqual(log.told, ['request', 'closed'])
    await transport.close()
  })

  it('a stream whose other side never closes is over 30 s after end, and its owner hears why', LIMIT, async (test) => {
    const { transport, streams } = await accepting()
    test.mock.timers.enable({ apis: ['setTimeout'] })
    const peer = net.connect({ port: transport.local.port, host: '127.0.0.1', allowHalfOpen: true })
    peer.on('error', () => {})
    const { stream, log } = await streams.take()
    stream.end()
    peer.resume()
    await once(peer, 'end')
    test.mock.timers.tick(29_999)
    await turns()
    assert.deepEqual(log.told, [])
    test.mock.timers.tick(1)
    assert.match((await log.ends.take())?.message ?? '', /not closed within 30000 ms/)
    peer.destroy()
    await transport.close()
  })
})

describe('node/transport.ts close', () => {
  it('close while a dial is under way resolves, tells nothing and leaves nothing open', LIMIT, async () => {
    const before = openResources()
    const target = await accepting()
    const held = openResources()
    for (const wait of [0, 1, 2]) {
      const { transport } = await accepting()
      const caller = streamLog()
      transport.dial(target.transport.local, caller).write(utf8('x'))
      await turns(wait)
      const heard = caller.told.length
      await transport.close()
      await turns()
      assert.equal(caller.told.length, heard, `${wait} turns after the dial`)
    }
    // The other side has accepted some of them: they end by themselves.
    while (target.streams.size > 0) {
      const { stream, log } = await target.streams.take()
      await log.ends.take()
      stream.destroy()
    }
    await turns()
    assert.deepEqual(openResources(), held)
    await target.transport.close()
    assert.deepEqual(openResources(), before)
  })

  it('close ends accepted and dialled streams in whatever state, silently', LIMIT, async () => {
    const before = openResources()
    const { transport, streams } = await accepting()
    const calls = Array.from({ length: 10 }, () => {
      const log = streamLog()
      return { log, stream: transport.dial(transport.local, log) }
    })
    for (const [index, { log, stream }] of calls.entries()) {
      await log.opens.take()
      if (index % 3 === 0) stream.write(new Uint8Array(8_000_000))
      if (index % 3 === 1) stream.end()
    }
    const accepted = await Promise.all(calls.map(() => streams.take()))
    const closing = transport.close()
    const told = () => [...calls, ...accepted].map(({ log }) => log.told.length)
    const heard = told()
    await closing
    await turns()
    assert.deepEqual(told(), heard)
    assert.deepEqual(openResources(), before)
  })

  it('a dial after close does nothing and tells nothing', LIMIT, async () => {
    const target = await accepting()
    const { transport } = await accepting()
    await transport.close()
    const caller = streamLog()
    const stream = transport.dial(target.transport.local, caller)
    stream.write(utf8('x'))
    await turns()
    assert.deepEqual(caller.told, [])
    await target.transport.close()
    await turns()
  })
})
