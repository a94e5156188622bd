// Exchanges of more members than one turn reads, where the sender closes as soon as it has sent: every answerer does, ours and Go's.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_BYTES } from '../../src/base/bytes.ts'
import type { Host, TransportHandlers } from '../../src/driver/host.ts'
import { READ_PARTS } from '../../src/driver/stream-reading.ts'
import { Membership } from '../../src/membership.ts'
import { Simulation } from '../../src/sim/simulation.ts'
import { Address } from '../../src/wire/address.ts'
import { Keyring } from '../../src/wire/keyring.ts'
import type { Sealing } from '../../src/wire/packet.ts'
import { StreamReader } from '../../src/wire/stream.ts'
import type { StreamMessage } from '../../src/wire/types.ts'
import { largeState, streamBytes } from '../unit/driver/support.ts'

const KEY = new Uint8Array(32).fill(7)
const COUNT = 2 * READ_PARTS + 100
const PEER = new Address(Uint8Array.of(10, 0, 0, 2), 7946)
const US = new Address(Uint8Array.of(10, 0, 0, 1), 7946)
const DEAF: TransportHandlers = {
  packet: () => {},
  stream: () => undefined,
  sendFailed: () => {},
  failed: () => {},
}

for (const [form, compression, secretKey] of [
  ['plain', false, undefined],
  ['compressed', true, undefined],
  ['sealed', false, KEY],
  ['compressed and sealed', true, KEY],
] as const) {
  describe(`${COUNT} members, ${form}`, () => {
    it('are taken from an answer that closes behind itself', async () => {
      const { simulation, us, peerHost, sealing } = await make()
      const answer = streamBytes(sealing, 'listener', withOneAlive(), compression)
      await peerHost.bind(PEER, {
        ...DEAF,
        stream: (stream) => {
          let isAnswered = false
          const data = (): void => {
            if (isAnswered) return
            isAnswered = true
            stream.write(answer)
            stream.end()
          }
          return { data, closed: () => {} }
        },
      })
      const { joined, failed } = await simulation.finish(us.join([PEER.key]))
      assert.deepEqual([joined, failed], [[PEER.key], []])
      await simulation.run(1000)
      assert.equal(us.member('ghost-0')?.state, 'alive')
      assert.deepEqual(us.stats().warnings, {})
      await simulation.finish(us.close())
    })

    it('are answered where the request half-closes behind itself', async () => {
      const { simulation, us, peerHost, sealing } = await make()
      const transport = await peerHost.bind(PEER, DEAF)
      const reader = new StreamReader({ sealing, role: 'dialler' })
      let answer: StreamMessage | undefined
      let isOver = false
      const request = streamBytes(sealing, 'dialler', largeState(COUNT), compression)
      const stream = transport.dial(US, {
        opened: () => {
          stream.write(request)
          stream.end()
        },
        data: (bytes) => {
          answer ??= reader.push(bytes)?.message
        },
        closed: () => {
          isOver = true
        },
      })
      await simulation.run(1000)
      assert.ok(isOver)
      assert.ok(answer?.type === 'push-pull')
      assert.equal(answer.members[0]?.name, 'us')
      assert.deepEqual(us.stats().warnings, {})
      await simulation.finish(us.close())
    })
  })

  async function make() {
    const simulation = new Simulation({ seed: 1, transcript: 'off' })
    const hostAt = (name: string, { host }: Address): Host => simulation.host(simulation.station(name, host))
    const host = hostAt('us', US)
    const peerHost = hostAt('peer', PEER)
    const quiet = { probeIntervalMs: 3_600_000, gossipIntervalMs: 0, pushPullIntervalMs: 0 }
    const us = new Membership({
      ...quiet,
      host,
      name: 'us',
      bind: US.key,
      compression,
      ...(secretKey && { secretKey }),
    })
    await simulation.finish(us.start())
    const sealing: Sealing = { label: NO_BYTES, keyring: secretKey && new Keyring([secretKey]), cipher: host.cipher }
    return { simulation, us, peerHost, sealing }
  }
}

/** All have left but one, so that whoever asks has met somebody. */
function withOneAlive() {
  const state = largeState(COUNT)
  return { ...state, members: state.members.map((member, at) => (at === 0 ? { ...member, state: 0 } : member)) }
}
