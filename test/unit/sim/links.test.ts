// What lies between two hosts.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OptionsError } from '../../../src/base/errors.ts'
import { Random } from '../../../src/base/random.ts'
import { Links } from '../../../src/sim/links.ts'

const packet = (links: Links, from: string, to: string): number | string => links.judge(from, to, 'packet', 100)
const stream = (links: Links, from: string, to: string): number | string => links.judge(from, to, 'stream', 100)

describe('sim/links', () => {
  it('draws latency evenly from its range, and the same from the same seed', () => {
    const draw = (seed: number): (number | string)[] => {
      const links = new Links(new Random(seed), { latencyMs: { minMs: 2, maxMs: 4 } })
      return Array.from({ length: 1_000 }, () => packet(links, 'a', 'b'))
    }
    const drawn = draw(1) as number[]
    assert.ok(drawn.every((ms) => ms >= 2 && ms < 4))
    const mean = drawn.reduce((sum, ms) => sum + ms, 0) / drawn.length
    assert.ok(Math.abs(mean - 3) < 0.1, `mean ${mean}`)
    assert.deepEqual(draw(1), drawn)
    assert.notDeepEqual(draw(2), drawn)
  })

  it('takes a number and a function for latency too', () => {
    const links = new Links(new Random(1), { latencyMs: 7 })
    assert.equal(packet(links, 'a', 'b'), 7)
    links.setDefault({ latencyMs: (random) => 100 + random.below(1) })
    assert.equal(packet(links, 'a', 'b'), 100)
  })

  it('loses the share it is told, in packets and in pieces of streams', () => {
    const links = new Links(new Random(3), { lossRatio: 0.2 })
    for (const judge of [packet, stream]) {
      const lost = Array.from({ length: 10_000 }, () => judge(links, 'a', 'b')).filter((verdict) => verdict === 'loss')
      assert.ok(Math.abs(lost.length / 10_000 - 0.2) < 0.02, `lost ${lost.length}`)
    }
  })

  it('cuts in one direction only', () => {
    const links = new Links(new Random(1))
    links.cut('a', 'b')
    assert.equal(packet(links, 'a', 'b'), 'cut')
    assert.equal(stream(links, 'a', 'b'), 'cut')
    assert.equal(typeof packet(links, 'b', 'a'), 'number')
    assert.equal(typeof packet(links, 'a', 'c'), 'number')
  })

  it('lets streams through a cut of packets', () => {
    const links = new Links(new Random(1))
    links.cut('a', 'b', 'packets')
    assert.equal(packet(links, 'a', 'b'), 'cut')
    assert.equal(typeof stream(links, 'a', 'b'), 'number')
  })

  it('heals one cut, or all', () => {
    const links = new Links(new Random(1))
    links.cut('a', 'b')
    links.cut('b', 'a')
    links.heal('a', 'b')
    assert.equal(typeof packet(links, 'a', 'b'), 'number')
    assert.equal(packet(links, 'b', 'a'), 'cut')
    links.heal()
    assert.equal(typeof packet(links, 'b', 'a'), 'number')
  })

  it('gives one link properties of its own, and leaves the rest as they were', () => {
    const links = new Links(new Random(1), { latencyMs: 1 })
    links.set('a', 'b', { latencyMs: 50 })
    links.set('a', 'b', { lossRatio: 0 })
    assert.equal(packet(links, 'a', 'b'), 50)
    assert.equal(packet(links, 'b', 'a'), 1)
    links.set('a', 'b', { lossRatio: 1 })
    assert.equal(packet(links, 'a', 'b'), 'loss')
  })

  it('asks every rule: a drop wins, delays add up, a removed rule says nothing', () => {
    const links = new Links(new Random(1), { latencyMs: 1 })
    links.addRule(({ to }) => (to === 'b' ? { delayMs: 10 } : 'pass'))
    links.addRule(() => ({ delayMs: 5 }))
    assert.equal(packet(links, 'a', 'b'), 16)
    assert.equal(packet(links, 'a', 'c'), 6)
    const remove = links.addRule(({ carries, from }) => (carries === 'packet' && from === 'a' ? 'drop' : 'pass'))
    assert.equal(packet(links, 'a', 'b'), 'rule')
    assert.equal(stream(links, 'a', 'b'), 16)
    remove()
    assert.equal(packet(links, 'a', 'b'), 16)
  })

  it('never keeps a host from itself', () => {
    const links = new Links(new Random(1), { lossRatio: 1 })
    links.cut('a', 'a')
    links.addRule(() => 'drop')
    assert.equal(typeof packet(links, 'a', 'a'), 'number')
  })

  it('refuses numbers that mean nothing, naming the option', () => {
    for (const options of [{ lossRatio: 1.1 }, { lossRatio: Number.NaN }, { latencyMs: -1 }, { latencyMs: Infinity }]) {
      assert.throws(() => new Links(new Random(1), options), OptionsError)
    }
    const reversed = { latencyMs: { minMs: 5, maxMs: 4 } }
    assert.throws(() => new Links(new Random(1), reversed), { code: 'ERR_OPTIONS', option: 'latencyMs' })
  })
})
