import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { OptionsError } from '../../src/base/errors.ts'
import { nodeHost } from '../../src/node/host.ts'
import { defaultName, type MembershipOptions, resolveOptions } from '../../src/options.ts'
import { SERF_OPTION_NAMES } from '../../src/serf/options.ts'
import { SWIM_OPTION_NAMES } from '../../src/swim/options.ts'

const SECRET = 'cg8StVXbQJ0gPvMd9o7yrg=='
const BYTES = Uint8Array.from({ length: 16 }, (_, at) => 200 + at)

describe('resolveOptions', () => {
  it('gives defaults for everything, frozen', () => {
    const options = resolveOptions({})
    assert.equal(options.bind.key, '0.0.0.0:7946')
    assert.deepEqual(
      [options.name, options.advertise, options.keyring, options.host, options.compression, options.tags],
      [undefined, undefined, undefined, undefined, true, {}],
    )
    assert.equal(options.label.length, 0)
    assert.equal(options.swim.probeIntervalMs, 1000)
    assert.equal(options.serf.reapIntervalMs, 15_000)
    for (const part of [options, options.swim, options.serf, options.tags]) assert.ok(Object.isFrozen(part))
  })

  it('treats an option that is undefined as one that is not there', () => {
    const all = Object.fromEntries([...SWIM_OPTION_NAMES, ...SERF_OPTION_NAMES].map((name) => [name, undefined]))
    const given = {
      ...all,
      name: undefined,
      bind: undefined,
      tags: undefined,
      profile: undefined,
      secretKey: undefined,
    }
    assert.deepEqual(resolveOptions(given as unknown as MembershipOptions), resolveOptions({}))
  })

  it('lets knobs of both rooms stand beside the others and win over the profile', () => {
    const { swim, serf } = resolveOptions({ profile: 'wan', gossipFanout: 7, reapIntervalMs: 30 })
    assert.deepEqual([swim.probeIntervalMs, swim.gossipFanout, serf.reapIntervalMs], [5000, 7, 30])
  })

  it("does not change, keep or freeze the caller's object", () => {
    const tags: Record<string, string> = { role: 'log' }
    const given = { tags, name: 'log-1' }
    const options = resolveOptions(given)
    tags.role = 'web'
    assert.deepEqual(options.tags, { role: 'log' })
    assert.ok(!Object.isFrozen(given) && !Object.isFrozen(tags))
  })

  it('reads addresses of both families, with and without a port', () => {
    for (const [bind, key] of [
      ['10.0.0.5:1', '10.0.0.5:1'],
      ['10.0.0.5', '10.0.0.5:7946'],
      ['[::1]:0', '[::1]:0'],
      ['::1', '[::1]:7946'],
    ] as const) {
      assert.equal(resolveOptions({ bind }).bind.key, key)
    }
    assert.deepEqual(resolveOptions({ advertise: '10.0.0.5' }).advertise, {
      ip: Uint8Array.of(10, 0, 0, 5),
      port: undefined,
    })
  })

  it('reads ranges of addresses: none given is anywhere, an empty list nowhere', () => {
    const ranges = ['10.0.0.0/8', 'fd00::/8']
    const { allowedCidrs } = resolveOptions({ allowedCidrs: ranges })
    assert.deepEqual(
      allowedCidrs?.map(({ ip, bits }) => [ip.length, bits]),
      [
        [4, 8],
        [16, 8],
      ],
    )
    assert.ok(Object.isFrozen(allowedCidrs) && !Object.isFrozen(ranges))
    assert.equal(resolveOptions({}).allowedCidrs, undefined)
    assert.deepEqual(resolveOptions({ allowedCidrs: [] }).allowedCidrs, [])
    const many = new Array<string>(1024).fill('10.0.0.0/8')
    resolveOptions({ allowedCidrs: many })
    assert.throws(() => resolveOptions({ allowedCidrs: [...many, '::/0'] }), { option: 'allowedCidrs' })
  })

  it('takes keys as bytes or as base64, the first of a keyring is primary', () => {
    const keys = [BYTES, SECRET]
    assert.deepEqual(resolveOptions({ secretKey: SECRET }).keyring?.primary.length, 16)
    assert.deepEqual(resolveOptions({ keyring: keys }).keyring?.primary, BYTES)
    assert.deepEqual(resolveOptions({ keyring: keys }).keyring?.keys.length, 2)
    assert.deepEqual(resolveOptions({ secretKey: BYTES }).keyring?.primary, BYTES)
  })

  it('takes the path of a keyring alone, or beside the keys that begin it', () => {
    for (const keyring of [undefined, [SECRET]]) {
      const resolved = resolveOptions(
        keyring === undefined ? { keyringPath: 'k.json' } : { keyringPath: 'k.json', keyring },
      )
      assert.deepEqual([resolved.keyringPath, resolved.keyring?.keys.length], ['k.json', keyring?.length])
    }
  })

  it('verifies both ways unless it is told otherwise', () => {
    const verify = (given: MembershipOptions): readonly boolean[] => {
      const { verifyIncoming, verifyOutgoing } = resolveOptions(given)
      return [verifyIncoming, verifyOutgoing]
    }
    assert.deepEqual(verify({}), [true, true])
    assert.deepEqual(verify({ verifyIncoming: false }), [false, true])
    assert.deepEqual(verify({ verifyIncoming: false, verifyOutgoing: false }), [false, false])
  })
})

describe('wrong options', () => {
  const long = 'é'.repeat(65)
  for (const [given, option, limit] of [
    [{ name: '' }, 'name', /1 to 128 bytes/],
    [{ name: long }, 'name', /1 to 128 bytes/],
    [{ name: 7 }, 'name', /text/],
    [{ bind: 'localhost:7946' }, 'bind', /'ip:port'/],
    [{ bind: '10.0.0.5:65536' }, 'bind', /port 0 to 65535/],
    [{ bind: 'log/10.0.0.5:7946' }, 'bind', /'ip:port'/],
    [{ bind: '' }, 'bind', /'ip:port'/],
    [{ bind: 7946 }, 'bind', /'ip:port'/],
    [{ bind: null }, 'bind', /'ip:port'/],
    [{ advertise: '0.0.0.0:7946' }, 'advertise', /others can dial/],
    [{ advertise: '[::]:7946' }, 'advertise', /others can dial/],
    [{ advertise: '10.0.0.5:0' }, 'advertise', /others can dial/],
    [{ advertise: 'gw.example.org' }, 'advertise', /'ip:port'/],
    [{ profile: 'moon' }, 'profile', /'lan', 'wan' or 'local'/],
    [{ profile: null }, 'profile', /'lan', 'wan' or 'local'/],
    [{ profile: 'toString' }, 'profile', /'lan', 'wan' or 'local'/],
    [{ tags: ['a'] }, 'tags', /object of strings/],
    [{ tags: null }, 'tags', /object of strings/],
    [{ tags: new Map([['role', 'log']]) }, 'tags', /object of strings/],
    [{ tags: { port: 80 } }, 'tags.port', /a string/],
    [{ tags: { role: 'x'.repeat(600) } }, 'tags', /take \d{3} bytes encoded, 512 are allowed/],
    [{ label: 'x'.repeat(256) }, 'label', /255 bytes/],
    [{ label: BYTES }, 'label', /text/],
    [{ compression: 'yes' }, 'compression', /true or false/],
    [{ probeIntervalMs: 0 }, 'probeIntervalMs', /whole number from 10/],
    [{ probeTimeoutMs: 1000 }, 'probeTimeoutMs', /below probeIntervalMs/],
    [{ reapIntervalMs: 1.5 }, 'reapIntervalMs', /whole number/],
    [{ keyring: [] }, 'keyring', /at least one/],
    [{ host: {} }, 'host', /must offer clock, cipher, hostname/],
    [{ host: 'node' }, 'host', /must offer clock/],
    [{ allowedCidrs: '10.0.0.0/8' }, 'allowedCidrs', /a list of at most 1024 ranges/],
    [{ allowedCidrs: ['10.0.0.0/8', '10.0.0.1'] }, 'allowedCidrs[1]', /'10\.0\.0\.0\/8' or/],
    [{ allowedCidrs: [8] }, 'allowedCidrs[0]', /a range like/],
    [{ accept: true }, 'accept', /a function/],
    [{ accept: null }, 'accept', /a function/],
    [{ reconnectTimeoutFor: 5000 }, 'reconnectTimeoutFor', /a function/],
    [{ verifyIncoming: 'no' }, 'verifyIncoming', /true or false/],
    [{ verifyOutgoing: 0 }, 'verifyOutgoing', /true or false/],
    [{ verifyOutgoing: false }, 'verifyOutgoing', /true where verifyIncoming is/],
    [{ keyringPath: '' }, 'keyringPath', /path of a file/],
    [{ keyringPath: 7 }, 'keyringPath', /path of a file/],
    [{ snapshotPath: '' }, 'snapshotPath', /path of a file/],
    [{ snapshotPath: 'a\0b' }, 'snapshotPath', /path of a file/],
    [
      { snapshotPath: 'file', host: { ...nodeHost(), storage: undefined } },
      'snapshotPath',
      /a host that has a storage/,
    ],
    [{ rejoinAfterLeave: true }, 'rejoinAfterLeave', /needs snapshotPath/],
    [{ snapshotPath: 'file', rejoinAfterLeave: 1 }, 'rejoinAfterLeave', /true or false/],
    [
      { keyringPath: 'keys.json', host: { ...nodeHost(), storage: undefined } },
      'keyringPath',
      /a host that has a storage/,
    ],
    [
      { keyringPath: 'keys.json', maxPacketBytes: 840, label: 'x'.repeat(100) },
      'maxPacketBytes',
      /with this label and encryption/,
    ],
    [{ maxPacketBytes: 800, label: 'x'.repeat(255) }, 'maxPacketBytes', /at least \d+ with this label/],
  ] as const) {
    it(`${inspect(given, { maxStringLength: 30 })} names ${option} and the limit`, () => {
      assert.throws(
        () => resolveOptions(given as unknown as MembershipOptions),
        (error) => {
          assert.ok(error instanceof OptionsError)
          assert.deepEqual([error.code, error.option], ['ERR_OPTIONS', option])
          assert.match(error.limit, limit)
          assert.ok(error.message.includes(option) && error.message.includes(error.limit))
          return true
        },
      )
    })
  }

  it('carry the value as it was given', () => {
    assert.throws(() => resolveOptions({ gossipFanout: -3 }), { option: 'gossipFanout', value: -3 })
    assert.throws(() => resolveOptions({ bind: 'nowhere' }), { option: 'bind', value: 'nowhere' })
  })

  it('that nobody knows are refused by name, also those of a prototype', () => {
    for (const option of ['probeIntervall', 'toString', 'secretkey']) {
      assert.throws(() => resolveOptions({ [option]: 1 }), { option, limit: 'there is no such option' })
    }
    assert.throws(() => resolveOptions(undefined as unknown as MembershipOptions), { option: 'options' })
  })
})

describe('keys', () => {
  for (const [what, given, option] of [
    ['of a wrong size', { secretKey: SECRET.slice(4) }, 'secretKey'],
    ['of bytes of a wrong size', { secretKey: BYTES.subarray(1) }, 'secretKey'],
    ['that are no base64', { secretKey: `${SECRET}!` }, 'secretKey'],
    ['in a keyring', { keyring: [SECRET, `${SECRET}!`] }, 'keyring[1]'],
    ['beside the path of a keyring', { secretKey: SECRET, keyringPath: 'keys.json' }, 'secretKey'],
    ['beside a keyring', { secretKey: SECRET, keyring: [SECRET] }, 'secretKey'],
    ['in place of a keyring', { keyring: SECRET }, 'keyring'],
    ['under a misspelt name', { secretkey: SECRET }, 'secretkey'],
    ['under another name, as bytes', { encryptKey: BYTES }, 'encryptKey'],
  ] as const) {
    it(`${what} are refused and shown nowhere in the error`, () => {
      assert.throws(
        () => resolveOptions(given as unknown as MembershipOptions),
        (error) => {
          assert.ok(error instanceof OptionsError)
          assert.equal(error.option, option)
          const shown = `${error.message} ${error.limit} ${inspect(error, { showHidden: true })}`
          assert.ok(!shown.includes(SECRET.slice(4, 20)), shown)
          assert.ok(!shown.includes('201, 202'), shown)
          return true
        },
      )
    })
  }

  it('are never numbers: 16 is no key of sixteen zeros', () => {
    for (const secretKey of [16, 24, 32, [1, 2], {}, null, true]) {
      const options = { secretKey } as unknown as MembershipOptions
      assert.throws(() => resolveOptions(options), { option: 'secretKey', value: '(hidden)' })
      const ring = { keyring: [secretKey] } as unknown as MembershipOptions
      assert.throws(() => resolveOptions(ring), { option: 'keyring[0]', value: '(hidden)' })
    }
  })
})

describe('the default name', () => {
  it('is host name and port, and an error where that is too long for a name', () => {
    assert.equal(defaultName('log', 7946), 'log-7946')
    assert.equal(defaultName('h'.repeat(123), 7946).length, 128)
    assert.throws(() => defaultName('h'.repeat(124), 7946), { code: 'ERR_OPTIONS', option: 'name', limit: /128 bytes/ })
    assert.throws(() => defaultName('ö'.repeat(62), 7946), { option: 'name' })
  })
})
