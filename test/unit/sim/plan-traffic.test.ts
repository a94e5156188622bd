import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { mistakesOf } from '../../../src/sim/plan-mistakes.ts'
import { probeFigures } from '../../../src/sim/plan-probes.ts'
import { spreadOf } from '../../../src/sim/plan-spread.ts'
import { exchangeBytes, messageBytes, type Sizes, trafficOf } from '../../../src/sim/plan-traffic.ts'
import { resolveSwimOptions, type SwimOptions } from '../../../src/swim/options.ts'

const SIZES: Sizes = { nameBytes: 4, tagBytes: 2, encrypted: false }

function traffic(members: number, lossRatio: number, given: Partial<SwimOptions> = {}, sizes = SIZES) {
  const options = resolveSwimOptions('lan', given)
  const setting = { members, lossRatio, latencyMs: 0.5 }
  const probes = probeFigures(options, setting)
  const spread = spreadOf(options, setting, 2)
  return trafficOf(options, setting, sizes, { probes, spread, mistakes: mistakesOf(options, setting, probes, spread) })
}

describe('at rest', () => {
  test('SWIM §5: a member sends two packets an interval, however many there are', () => {
    for (const members of [2, 50, 5000]) {
      const { sent, received, gossipShare } = traffic(members, 0)
      assert.equal(sent.packets, 2)
      assert.deepEqual(received, sent)
      assert.equal(gossipShare, 0)
    }
  })

  test('they are a ping and an ack', () => {
    const { ping, ack } = messageBytes(SIZES)
    assert.equal(traffic(50, 0).sent.bytes, ping + ack)
  })

  test('it begins a full exchange each interval, longer ones above 32 members', () => {
    const perMinute = (members: number): number => traffic(members, 0).streams.exchanges * 60
    assert.deepEqual(
      [30, 50, 100].map(perMinute).map((value) => Number(value.toFixed(3))),
      [2, 1, 0.667],
    )
    assert.equal(traffic(30, 0, { pushPullIntervalMs: 0 }).streams.exchanges, 0)
    assert.equal(traffic(30, 0).streams.pings, 0)
  })
})

describe('under loss', () => {
  test('of what is sent the share that is not lost is received', () => {
    const { sent, received } = traffic(30, 0.2)
    assert.ok(Math.abs(received.packets / sent.packets - 0.8) < 1e-9)
    assert.ok(sent.packets > 5 && sent.bytes > 600)
  })

  test('each lost ping or ack asks helpers, and a stream', () => {
    assert.ok(Math.abs(traffic(10, 0.05).streams.pings - 0.0975) < 0.001)
    assert.equal(traffic(10, 0.05, { streamPings: false }).streams.pings, 0)
    // Without gossip, which would tell of the more suspicions the fewer are asked.
    const without = { gossipIntervalMs: 0 }
    const helpers = [0, 1, 3].map((indirectChecks) => traffic(10, 0.05, { indirectChecks, ...without }).sent.packets)
    assert.ok(helpers.every((packets, at) => packets > (helpers[at - 1] ?? 0)))
  })

  test('news of suspicions takes more of what gossip carries the larger the cluster is, and never more is counted than it carries', () => {
    const shares = [10, 100, 1000].map((members) => traffic(members, 0.3).gossipShare)
    assert.ok(shares.every((share, at) => share > 5 * (shares[at - 1] ?? 0)))
    assert.ok((shares[2] as number) > 1)
    const { sent } = traffic(1000, 0.3)
    assert.ok(sent.bytes < 15 * 1400 + 1500)
  })

  test('without gossip there is no packet but those of probes', () => {
    const { sent } = traffic(30, 0.3, { gossipIntervalMs: 0 })
    assert.ok(sent.packets < 8)
  })
})

describe('bytes', () => {
  test('longer names, tags and a key make them more', () => {
    const plain = traffic(30, 0)
    const sealed = traffic(30, 0, {}, { ...SIZES, encrypted: true })
    assert.equal(sealed.sent.bytes - plain.sent.bytes, 2 * 29)
    assert.ok(traffic(30, 0, {}, { ...SIZES, nameBytes: 20 }).sent.bytes > plain.sent.bytes)
    const tagged = traffic(30, 0, {}, { ...SIZES, tagBytes: 102 })
    assert.equal(tagged.sent.bytes, plain.sent.bytes, 'tags are in no ping')
    assert.ok(tagged.streams.sentBytes > plain.streams.sentBytes)
  })

  test('of a full exchange grow by one row with each member', () => {
    const step = exchangeBytes(SIZES, 11) - exchangeBytes(SIZES, 10)
    assert.ok(step > 60 && step < 160, `${step}`)
    assert.equal(exchangeBytes(SIZES, 1001) - exchangeBytes(SIZES, 1000), step)
    assert.equal(exchangeBytes({ ...SIZES, tagBytes: 12 }, 10) - exchangeBytes(SIZES, 10), 10 * 10)
    assert.equal(exchangeBytes({ ...SIZES, encrypted: true }, 10) - exchangeBytes(SIZES, 10), 34)
  })
})
