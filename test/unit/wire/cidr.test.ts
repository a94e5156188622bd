import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { formatIp, parseIp } from '../../../src/wire/address.ts'
import { isWithin, parseCidr } from '../../../src/wire/cidr.ts'

function within(range: string, ip: string): boolean {
  const cidr = parseCidr(range)
  assert.ok(cidr, range)
  return isWithin([cidr], parseIp(ip) ?? assert.fail(ip))
}

/** The 16 bytes that stand for an IPv4 address. */
function mapped(ip: string): Uint8Array {
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...(parseIp(ip) as Uint8Array))
}

describe('parseCidr', () => {
  it('reads ranges of both families, and IPv4 ranges in their form of 16 bytes', () => {
    for (const [text, ip, bits] of [
      ['10.0.0.0/8', '10.0.0.0', 8],
      ['0.0.0.0/0', '0.0.0.0', 0],
      ['192.168.1.7/32', '192.168.1.7', 32],
      ['fd00::/8', 'fd00::', 8],
      ['::/0', '::', 0],
      ['::1/128', '::1', 128],
      ['::ffff:10.0.0.0/104', '10.0.0.0', 8],
      ['::ffff:0:0/96', '0.0.0.0', 0],
    ] as const) {
      const cidr = parseCidr(text)
      assert.deepEqual([cidr && formatIp(cidr.ip), cidr?.bits], [ip, bits], text)
    }
  })

  it('takes nothing else', () => {
    const wrong = [
      '',
      '/',
      '10.0.0.0',
      '10.0.0.0/',
      '10.0.0.0/33',
      '10.0.0.0/-1',
      '10.0.0.0/08',
      '10.0.0/8',
      '10.0.0.0/8/8',
    ]
    wrong.push(
      'fd00::/129',
      '::ffff:10.0.0.0/95',
      '::ffff:10.0.0.0/129',
      '[fd00::]/8',
      'host/8',
      ' 10.0.0.0/8',
      '10.0.0.0/8 ',
    )
    for (const text of wrong) assert.equal(parseCidr(text), undefined, text)
  })
})

describe('isWithin', () => {
  it('ends where the range ends, at whole bytes and between them', () => {
    for (const [range, inside, outside] of [
      ['10.0.0.0/8', '10.255.255.255', '11.0.0.0'],
      ['10.0.0.0/9', '10.127.255.255', '10.128.0.0'],
      ['172.16.0.0/12', '172.31.255.255', '172.32.0.0'],
      ['192.168.1.6/31', '192.168.1.7', '192.168.1.8'],
      ['192.168.1.7/32', '192.168.1.7', '192.168.1.6'],
      ['fd00::/8', 'fdff::1', 'fe00::'],
      ['2001:db8::/33', '2001:db8:7fff::', '2001:db8:8000::'],
      ['::1/128', '::1', '::2'],
    ] as const) {
      assert.deepEqual([within(range, inside), within(range, outside)], [true, false], range)
    }
  })

  it('bits beyond the prefix mean nothing', () => {
    assert.deepEqual([within('10.1.2.3/8', '10.9.9.9'), within('10.1.2.3/8', '11.1.2.3')], [true, false])
  })

  it('IPv4 mapped into 16 bytes is matched by IPv4 ranges, and no IPv4 address by an IPv6 range', () => {
    const ten = [parseCidr('10.0.0.0/8') ?? assert.fail()]
    assert.deepEqual([isWithin(ten, mapped('10.1.1.1')), isWithin(ten, mapped('11.1.1.1'))], [true, false])
    const all = [parseCidr('::/0') ?? assert.fail()]
    assert.deepEqual(
      [isWithin(all, mapped('10.1.1.1')), isWithin(all, parseIp('10.1.1.1') as Uint8Array)],
      [false, false],
    )
    assert.equal(within('0.0.0.0/0', 'fd00::1'), false)
  })

  it('any of several ranges will do, and none holds nobody', () => {
    const ranges = ['10.0.0.0/8', 'fd00::/8'].map((text) => parseCidr(text) ?? assert.fail())
    assert.deepEqual(
      ['10.1.1.1', 'fd00::1', '11.1.1.1'].map((ip) => isWithin(ranges, parseIp(ip) as Uint8Array)),
      [true, true, false],
    )
    assert.equal(isWithin([], parseIp('10.1.1.1') as Uint8Array), false)
  })

  it('agrees with the comparison of bits, one by one', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    )
    const bitsOf = (ip: Uint8Array): string => [...ip].map((byte) => byte.toString(2).padStart(8, '0')).join('')
    fc.assert(
      fc.property(bytes, fc.nat(128), fc.nat(127), (ip, wanted, flipped) => {
        fc.pre(ip.length === 4 || ip[0] !== 0)
        const bits = Math.min(wanted, 8 * ip.length)
        const other = ip.slice()
        const at = flipped % (8 * ip.length)
        other[at >> 3] = (other[at >> 3] as number) ^ (0x80 >> (at & 7))
        const same = bitsOf(ip).slice(0, bits) === bitsOf(other).slice(0, bits)
        assert.equal(isWithin([{ ip, bits }], other), same)
        assert.equal(isWithin([{ ip, bits }], ip), true)
      }),
    )
  })
})
