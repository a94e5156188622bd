import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Ping } from '../../../src/wire/types.ts'
import { at, Bench, type Sent } from './support.ts'

/** Asks for a ping of `m2`; gives the packet. */
function asked(made: Bench, id = 7): Sent & { readonly ping: Ping } {
  made.swim.ping('m2', at(2), id, made.now)
  const [sent] = made.packets()
  const first = sent?.messages[0]
  assert.ok(sent !== undefined && first?.type === 'ping')
  return { ...sent, ping: first }
}

function bench(): Bench {
  const made = new Bench()
  made.know(3)
  return made
}

describe('serf-behaviour §5.4: a ping that a user asks for', () => {
  it('is one bare packet that names its target, and its answer tells the round trip', () => {
    const made = bench()
    const { to, messages, ping, crc } = asked(made)
    assert.deepEqual([to.key, messages.length, ping.node, ping.sourceNode, crc], [at(2).key, 1, 'm2', 'm1', false])
    made.now += 30
    made.ack(ping.seqNo)
    assert.deepEqual(made.delegate.pingsDone, [{ id: 7, rttMs: 30 }])
  })

  it('tells nothing to anybody else: no coordinate moves, no member has answered a probe', () => {
    const made = bench()
    made.ack(asked(made).ping.seqNo)
    assert.deepEqual([made.delegate.pings, made.delegate.answered], [[], []])
  })

  it('without an answer it ends after the probe timeout, without asking others and without a verdict', () => {
    const made = bench()
    const { ping } = asked(made)
    const end = made.now + made.options.probeTimeoutMs
    made.advanceTo(end - 1)
    assert.deepEqual(made.delegate.pingsDone, [])
    made.advanceTo(end)
    assert.deepEqual(made.delegate.pingsDone, [{ id: 7, problem: 'unanswered' }])
    assert.equal(made.status('m2'), 'alive')
    made.ack(ping.seqNo)
    assert.equal(made.delegate.pingsDone.length, 1)
  })

  it('reaches whom the table does not hold', () => {
    const made = new Bench()
    made.ack(asked(made).ping.seqNo)
    assert.equal(made.delegate.pingsDone.length, 1)
  })

  it('several at once are told apart, and a second answer to one is nobody’s', () => {
    const made = bench()
    const [one, two] = [asked(made, 1), asked(made, 2)]
    made.now += 10
    made.ack(two.ping.seqNo)
    made.ack(two.ping.seqNo)
    made.now += 10
    made.ack(one.ping.seqNo)
    assert.deepEqual(made.delegate.pingsDone, [
      { id: 2, rttMs: 10 },
      { id: 1, rttMs: 20 },
    ])
  })

  it('that cannot be sent ends at once; one to another address does not', () => {
    const made = bench()
    const { to } = asked(made)
    made.swim.sendFailed(at(3), true, made.now)
    // Another packet of ours to the same address, which our own socket refused.
    made.swim.sendFailed(at(2), false, made.now)
    assert.deepEqual(made.delegate.pingsDone, [])
    made.swim.sendFailed(to, false, made.now)
    assert.deepEqual(made.delegate.pingsDone, [{ id: 7, problem: 'unsent' }])
    asked(made, 8)
    made.swim.sendFailed(at(2), true, made.now)
    assert.deepEqual(made.delegate.pingsDone.at(-1), { id: 8, problem: 'unsendable' })
  })

  it('whose answer lay unread while we stood still asks again, and tells the round trip of that', () => {
    const made = bench()
    const { ping } = asked(made)
    made.now += 4000
    made.swim.stalled(4000, made.now)
    made.swim.advance(made.now)
    assert.deepEqual(made.delegate.pingsDone, [])
    made.packets()
    made.ack(ping.seqNo)
    const again = made
      .packets()
      .flatMap(({ messages }) => messages)
      .find(({ type }) => type === 'ping')
    assert.ok(again?.type === 'ping' && again.seqNo !== ping.seqNo && again.node === 'm2')
    made.now += 12
    made.ack(again.seqNo)
    assert.deepEqual(made.delegate.pingsDone, [{ id: 7, rttMs: 12 }])
  })

  it('whose second answer lay unread too is over, and says why', () => {
    const made = bench()
    let { ping } = asked(made)
    for (let time = 0; time < 2; time++) {
      assert.deepEqual(made.delegate.pingsDone, [])
      made.now += 300
      made.swim.stalled(300, made.now)
      made.ack(ping.seqNo)
      const sent = made.packets().flatMap(({ messages }) => messages)
      ping = sent.find((message): message is Ping => message.type === 'ping' && message.node === 'm2') ?? ping
    }
    assert.deepEqual(made.delegate.pingsDone, [{ id: 7, problem: 'stalled' }])
    assert.equal(made.packets().length, 0)
  })

  it('asks again within the time that the first stall left it: a whole timeout, however little was left before', () => {
    const made = bench()
    const { ping } = asked(made)
    const { probeTimeoutMs } = made.options
    made.now += probeTimeoutMs - 1 + 2000
    made.swim.stalled(2000, made.now)
    const end = made.now + probeTimeoutMs
    made.now += 100
    made.ack(ping.seqNo)
    made.advanceTo(end - 1)
    assert.deepEqual(made.delegate.pingsDone, [])
    made.advanceTo(end)
    assert.deepEqual(made.delegate.pingsDone, [{ id: 7, problem: 'unanswered' }])
  })

  it('of a silent member ends however often we stand still', () => {
    const made = bench()
    const { ping } = asked(made)
    const begunAt = made.now
    for (let time = 0; time < 50 && made.delegate.pingsDone.length === 0; time++) {
      made.now += 300
      made.swim.stalled(300, made.now)
      made.swim.advance(made.now)
    }
    assert.deepEqual(made.delegate.pingsDone, [{ id: 7, problem: 'stalled' }])
    assert.ok(made.now - begunAt <= 300 + made.options.probeTimeoutMs + 300, `${made.now - begunAt} ms`)
    made.ack(ping.seqNo)
    assert.equal(made.delegate.pingsDone.length, 1)
  })
})
