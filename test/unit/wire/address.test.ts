import assert from 'node:assert/strict'
import { isIPv6 } from 'node:net'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  Address,
  formatIp,
  isIpv4,
  isWildcard,
  parseHostAndPort,
  parseIp,
  sameEndpoint,
  shortestIp,
} from '../../../src/wire/address.ts'

const MAPPED = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 5])
const PLAIN = Uint8Array.of(10, 0, 0, 5)

describe('wire/address.ts', () => {
  it('an endpoint has one key, whatever the form of its bytes, and keeps the bytes it was given', () => {
    const short = new Address(PLAIN, 7946)
    const long = new Address(MAPPED, 7946)
    assert.equal(short.key, '10.0.0.5:7946')
    assert.equal(long.key, short.key)
    assert.equal(long.ip, MAPPED)
    assert.ok(sameEndpoint(short, long))
    assert.ok(!sameEndpoint(short, new Address(PLAIN, 7947)))
    assert.ok(!sameEndpoint(short, new Address(Uint8Array.of(10, 0, 0, 6), 7946)))
  })

  it('an address of any other length than 4 or 16 is our bug', () => {
    for (const length of [0, 3, 5, 15, 17]) assert.throws(() => new Address(new Uint8Array(length), 1))
  })

  it('IPv4 is told from IPv6 in both forms, and shortened only where it can be', () => {
    assert.ok(isIpv4(PLAIN) && isIpv4(MAPPED))
    assert.deepEqual(shortestIp(MAPPED), PLAIN)
    const six = parseIp('fe80::1') as Uint8Array
    assert.ok(!isIpv4(six))
    assert.equal(shortestIp(six), six)
  })

  it('wildcards are recognised in every form', () => {
    assert.ok(isWildcard(new Uint8Array(4)) && isWildcard(new Uint8Array(16)))
    assert.ok(isWildcard(Uint8Array.from([...MAPPED.slice(0, 12), 0, 0, 0, 0])))
    assert.ok(!isWildcard(PLAIN))
  })

  it('IPv6 is written as RFC 5952 wants it', () => {
    for (const [text, written] of [
      ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
      ['2001:0DB8::0001', '2001:db8::1'],
      ['::', '::'],
      ['::1', '::1'],
      ['1::', '1::'],
      ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
      ['::ffff:192.0.2.1', '192.0.2.1'],
      ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ] as const) {
      assert.equal(formatIp(parseIp(text) as Uint8Array), written)
    }
  })

  it('what is written is read back: every address, both families', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        (six, four) => {
          assert.deepEqual(parseIp(formatIp(four)), four)
          const text = formatIp(six)
          assert.deepEqual(parseIp(text), shortestIp(six))
          assert.ok(isIpv4(six) || isIPv6(text))
        },
      ),
    )
  })

  it('what is no literal is refused', () => {
    for (const text of [
      '',
      '1.2.3',
      '1.2.3.256',
      '01.2.3.4',
      '1.2.3.4.5',
      'a.b.c.d',
      ':::',
      '1::2::3',
      '12345::',
      '1:2:3',
      'fe80::1%eth0',
      '[::1]',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7::8:9',
      ' ::1',
    ]) {
      assert.equal(parseIp(text), undefined, text)
    }
  })

  it('text that is no literal is never read as one, and nothing throws', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const ip = parseIp(text)
        if (ip?.length === 16) assert.ok(isIPv6(text))
      }),
    )
  })

  it('seeds are taken apart the way Serf writes them', () => {
    assert.deepEqual(parseHostAndPort('10.0.0.5'), { host: '10.0.0.5' })
    assert.deepEqual(parseHostAndPort('10.0.0.5:80'), { host: '10.0.0.5', port: 80 })
    assert.deepEqual(parseHostAndPort('log.example.org:7946'), { host: 'log.example.org', port: 7946 })
    assert.deepEqual(parseHostAndPort('n-1/10.0.0.5:80'), { name: 'n-1', host: '10.0.0.5', port: 80 })
    assert.deepEqual(parseHostAndPort('::1'), { host: '::1' })
    assert.deepEqual(parseHostAndPort('[::1]'), { host: '::1' })
    assert.deepEqual(parseHostAndPort('[::1]:80'), { host: '::1', port: 80 })
    assert.deepEqual(parseHostAndPort('n/[fe80::2]:0'), { name: 'n', host: 'fe80::2', port: 0 })
  })

  it('what is no seed is refused', () => {
    for (const text of [
      '',
      ':80',
      '/10.0.0.5',
      'a:b',
      'a:',
      'a:65536',
      'a:123456',
      '[::1',
      '[10.0.0.5]:80',
      '[x]',
      'a:80:90',
      'n/',
    ]) {
      assert.equal(parseHostAndPort(text), undefined, text)
    }
  })
})
