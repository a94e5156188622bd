// A member whose event loop is blocked, on real sockets: what Node's own order of timers and sockets makes of the stall rule.
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { NO_BYTES } from '../../src/base/bytes.ts'
import type { Host, Transport } from '../../src/driver/host.ts'
import { Membership } from '../../src/index.ts'
import { nodeCipher } from '../../src/node/cipher.ts'
import { nodeHost } from '../../src/node/host.ts'
import { decodePacket } from '../../src/wire/packet.ts'
import type { Seen } from './stalls-child.ts'
import { Inbox } from './support.ts'

const LIMIT = { timeout: 60_000 }
const CHILD = fileURLToPath(new URL('stalls-child.ts', import.meta.url))
const BLOCKED_MS = 2_000
const SEALING = { label: NO_BYTES, keyring: undefined, cipher: nodeCipher }

let child: ChildProcess | undefined
let membership: Membership | undefined

afterEach(async () => {
  await membership?.close()
  membership = undefined
  if (child?.connected) {
    child.send('end')
    await once(child, 'exit')
  }
  child = undefined
  other?.close()
  other = undefined
})

/** In whose turn the event loop is blocked, once a ping has been sent. After the last two Node runs late timers before it reads. */
const PHASES: Readonly<Record<string, (block: () => void) => void>> = {
  'where its timers run': (block) => queueMicrotask(block),
  'where another socket is read': (block) => {
    other?.once('message', block)
    other?.send('now', other.address().port, '127.0.0.1')
  },
  'between the two': (block) => setImmediate(block),
}

let other: Socket | undefined

describe('a member whose event loop is blocked for 2 s in the middle of a probe', () => {
  for (const [where, doBlock] of Object.entries(PHASES)) {
    it(`ML-37: ${where}, accuses nobody of the three that run`, LIMIT, async () => {
      const { address } = (await spawnOthers()) as { address: string }
      other = createSocket('udp4')
      other.bind(0, '127.0.0.1')
      await once(other, 'listening')
      const pings = new Inbox<true>()
      const accusations: string[] = []
      membership = new Membership({ name: 'blocked', bind: '127.0.0.1:0', profile: 'local', host: listening(pings) })
      for (const type of ['member-suspect', 'member-dead'] as const) {
        membership.on(type, ({ member }) => accusations.push(`${type} ${member.name}`))
      }
      const { joined } = await membership.join([address])
      assert.deepEqual(joined, [address])
      await pings.take()
      assert.equal(membership.size, 4)
      // News may pass one of four by. An exchange brings it, every second; nothing else is to be missing when the block begins.
      while (!Object.values((await ask()).states).every((states) => 'blocked' in states)) await pings.take()

      onPing = () => doBlock(block)
      await pings.take()
      for (let probes = 0; probes < 3; probes++) await pings.take()
      assert.equal(blocked, 1, 'it was blocked once')
      assert.deepEqual(accusations, [])
      assert.ok((membership.stats().warnings.stall ?? 0) > 0, 'it was told')
      const seen = await ask()
      assert.deepEqual(
        seen.accusations.filter((accusation) => !accusation.endsWith(' blocked')),
        [],
      )
      for (const states of Object.values(seen.states)) {
        assert.deepEqual(states, { one: 'alive', two: 'alive', three: 'alive', blocked: 'alive' })
      }
    })
  }
})

let onPing: (() => void) | undefined
let blocked = 0

function block(): void {
  blocked++
  const until = performance.now() + BLOCKED_MS
  while (performance.now() < until);
}

/** The real host; it says when a probe's ping has been handed to the system. */
function listening(pings: Inbox<true>): Host {
  blocked = 0
  onPing = undefined
  const host = nodeHost()
  return {
    ...host,
    async bind(address, handlers): Promise<Transport> {
      const transport = await host.bind(address, handlers)
      return {
        local: transport.local,
        send: (packet, to) => {
          transport.send(packet, to)
          if (!decodePacket(packet, SEALING).messages.some(({ message }) => message.type === 'ping')) return
          pings.put(true)
          const now = onPing
          onPing = undefined
          now?.()
        },
        dial: (to, streamHandlers) => transport.dial(to, streamHandlers),
        close: () => transport.close(),
      }
    },
  }
}

async function spawnOthers(): Promise<unknown> {
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env
  child = fork(CHILD, { execArgv: ['--import', 'tsx'], env })
  const [message] = await once(child, 'message')
  return message
}

async function ask(): Promise<Seen> {
  assert.ok(child !== undefined)
  const answer = once(child, 'message')
  child.send('see')
  const [seen] = await answer
  return seen as Seen
}
