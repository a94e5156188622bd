// Exchanges of more members than one turn reads, over real sockets, where the end of the stream comes while they are read.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { NO_BYTES } from '../../src/base/bytes.ts'
import { Membership, type MembershipOptions } from '../../src/index.ts'
import { nodeCipher } from '../../src/node/cipher.ts'
import { Keyring } from '../../src/wire/keyring.ts'
import type { Sealing } from '../../src/wire/packet.ts'
import { StreamReader } from '../../src/wire/stream.ts'
import type { PushPull, StreamMessage } from '../../src/wire/types.ts'
import { largeState, streamBytes } from '../unit/driver/support.ts'
import { LIMIT, openResources, turns } from './support.ts'

const KEY = new Uint8Array(32).fill(7)
const COUNT = 5000
const QUIET = { probeIntervalMs: 3_600_000, gossipIntervalMs: 0, pushPullIntervalMs: 0 } as const

const members: Membership[] = []
const atRest = openResources()

afterEach(async () => {
  await Promise.all(members.splice(0).map((membership) => membership.close()))
  await turns()
  assert.deepEqual(openResources(), atRest)
})

describe(`exchanges of ${COUNT} members`, () => {
  it('two members tell each other all they know, compressed and sealed', LIMIT, async () => {
    const [first, second] = [make('first', { secretKey: KEY }), make('second', { secretKey: KEY })]
    await first.start()
    await converse(first, aliveState('a'), 'end', KEY)
    await known(first, COUNT + 1)
    const { joined, failed } = await second.join([first.local.address])
    assert.deepEqual([joined, failed], [[first.local.address], []])
    await known(second, COUNT + 2)

    // Now each has thousands to tell, of which the other knows none.
    await converse(first, aliveState('b', 1000), 'end', KEY)
    await converse(second, aliveState('c', 1000), 'end', KEY)
    await known(first, COUNT + 1002)
    await known(second, COUNT + 1002)
    assert.deepEqual((await second.join([first.local.address])).failed, [])
    await known(first, COUNT + 2002)
    await known(second, COUNT + 2002)
    for (const one of [first, second]) assert.deepEqual(one.stats().warnings, {})
  })

  it('an answer that closes behind itself is read to its end', LIMIT, async () => {
    const us = make('us')
    const answer = streamBytes(sealingOf(), 'listener', aliveState('a'), true)
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end(answer))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const { joined, failed } = await us.join([address])
    assert.deepEqual([joined, failed], [[address], []])
    await known(us, COUNT + 1)
    assert.deepEqual(us.stats().warnings, {})
    server.close()
    await once(server, 'close')
  })

  it('a request that half-closes behind itself is answered', LIMIT, async () => {
    const us = make('us')
    await us.start()
    const answer = await converse(us, aliveState('a'), 'half-close')
    assert.ok(answer?.type === 'push-pull')
    await known(us, COUNT + 1)
    assert.deepEqual(us.stats().warnings, {})
  })
})

function make(name: string, options: MembershipOptions = {}): Membership {
  const membership = new Membership({ ...QUIET, ...options, name, bind: '127.0.0.1:0' })
  members.push(membership)
  return membership
}

async function known(membership: Membership, count: number): Promise<void> {
  while (membership.size < count) await turns(1)
  assert.equal(membership.size, count)
}

/** Tells a member a state, gives its answer, and ends the stream in its way: after the answer, or behind the request. */
async function converse(
  membership: Membership,
  state: PushPull,
  ending: 'end' | 'half-close',
  key?: Uint8Array,
): Promise<StreamMessage | undefined> {
  const sealing = sealingOf(key)
  const reader = new StreamReader({ sealing, role: 'dialler' })
  let answer: StreamMessage | undefined
  const { port } = membership.local
  const socket: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {})
  await once(socket, 'connect')
  const request = streamBytes(sealing, 'dialler', state, true)
  socket.on('data', (bytes) => {
    answer ??= reader.push(bytes)?.message
  })
  if (ending === 'half-close') socket.end(request)
  else socket.write(request)
  socket.on('end', () => socket.end())
  await once(socket, 'close')
  return answer
}

function aliveState(prefix: string, count = COUNT): PushPull {
  const state = largeState(count)
  return {
    ...state,
    members: state.members.map((member) => ({ ...member, name: `${prefix}-${member.name}`, state: 0 })),
  }
}

function sealingOf(secretKey?: Uint8Array): Sealing {
  return { label: NO_BYTES, keyring: secretKey && new Keyring([secretKey]), cipher: nodeCipher }
}
