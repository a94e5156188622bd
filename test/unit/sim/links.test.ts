// What lies between two hosts.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OptionsError } from '../../../src/base/errors.ts'
import { Random } from '../../../src/base/random.ts'
import { type LinkOptions, Links, linkInWords } from '../../../src/sim/links.ts'

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

  it('heals every cut of one host', () => {
    const links = new Links(new Random(1))
    for (const [from, to] of [
      ['a', 'b'],
      ['b', 'a'],
      ['b', 'c'],
    ] as const)
      links.cut(from, to)
    links.heal('a')
    assert.deepEqual([typeof packet(links, 'a', 'b'), typeof packet(links, 'b', 'a')], ['number', 'number'])
    assert.equal(packet(links, 'b', 'c'), 'cut')
  })

  it('holds back the share it is told, and copies the share it is told', () => {
    const links = new Links(new Random(3), { latencyMs: 2 })
    assert.equal(links.isUnruly, false)
    links.set('a', 'b', { reorderRatio: 0.3, reorderMs: { minMs: 5, maxMs: 6 }, duplicateRatio: 0.1 })
    assert.equal(links.isUnruly, true)
    const held = Array.from({ length: 10_000 }, () => links.holdBack('a', 'b')).filter((ms) => ms > 0)
    assert.ok(Math.abs(held.length / 10_000 - 0.3) < 0.02, `held ${held.length}`)
    assert.ok(held.every((ms) => ms >= 5 && ms < 6))
    const copies = Array.from({ length: 10_000 }, () => links.copy('a', 'b')).filter((ms) => ms !== undefined)
    assert.ok(Math.abs(copies.length / 10_000 - 0.1) < 0.01, `copied ${copies.length}`)
    assert.ok(copies.every((ms) => ms === 2))
    assert.deepEqual([links.holdBack('b', 'a'), links.copy('b', 'a')], [0, undefined])
  })

  it('lets nothing pass that is larger than the link takes, but streams', () => {
    const links = new Links(new Random(1), { maxPacketBytes: 1_400 })
    links.set('a', 'b', { maxPacketBytes: 500 })
    const sent = (to: string, bytes: number): number | string => links.judge('a', to, 'packet', bytes)
    assert.deepEqual([sent('b', 501), sent('c', 1_401)], ['too-big', 'too-big'])
    assert.deepEqual([typeof sent('b', 500), typeof sent('c', 1_400)], ['number', 'number'])
    assert.equal(typeof links.judge('a', 'b', 'stream', 65_536), 'number')
  })

  it('is told in words, as far as it was changed', () => {
    assert.equal(linkInWords({ lossRatio: 0.1, latencyMs: 5 }), 'latency 5 ms, loses 0.1')
    const rest = { duplicateRatio: 0.2, reorderRatio: 0.3, reorderMs: 4, maxPacketBytes: 1_400 }
    assert.equal(linkInWords(rest), 'doubles 0.2, holds back 0.3, holds back for 4 ms, at most 1400 B')
  })

  it('never keeps a host from itself', () => {
    const links = new Links(new Random(1), { lossRatio: 1, duplicateRatio: 1, reorderRatio: 1, maxPacketBytes: 1 })
    links.cut('a', 'a')
    links.addRule(() => 'drop')
    assert.equal(typeof packet(links, 'a', 'a'), 'number')
    assert.deepEqual([links.holdBack('a', 'a'), links.copy('a', 'a')], [0, undefined])
  })

  it('refuses numbers that mean nothing, naming the option', () => {
    const wrong: readonly [LinkOptions, RegExp][] = [
      [{ lossRatio: 1.1 }, /lossRatio is 1.1: from 0 to 1/],
      [{ lossRatio: Number.NaN }, /lossRatio/],
      [{ duplicateRatio: -0.1 }, /duplicateRatio is -0.1: from 0 to 1/],
      [{ reorderRatio: 2 }, /reorderRatio is 2: from 0 to 1/],
      [{ reorderMs: -1 }, /reorderMs is -1: finite, 0 ms or more/],
      [{ latencyMs: -1 }, /latencyMs/],
      [{ latencyMs: Infinity }, /latencyMs/],
      [{ maxPacketBytes: 0 }, /maxPacketBytes is 0: a whole number from 1 to 65507/],
      [{ maxPacketBytes: 1.5 }, /maxPacketBytes/],
      [{ maxPacketBytes: 65_508 }, /maxPacketBytes/],
    ]
    for (const [options, message] of wrong) {
      assert.throws(
        () => new Links(new Random(1), options),
        (error: Error) => error instanceof OptionsError && message.test(error.message),
      )
      const links = new Links(new Random(1), { latencyMs: 3 })
      assert.throws(() => links.set('a', 'b', options), OptionsError)
      assert.throws(() => links.setDefault(options), OptionsError)
      assert.equal(packet(links, 'a', 'b'), 3, 'what was refused changes nothing')
    }
    const reversed = { latencyMs: { minMs: 5, maxMs: 4 } }
    assert.throws(() => new Links(new Random(1), reversed), { code: 'ERR_OPTIONS', option: 'latencyMs.maxMs' })
  })
})
