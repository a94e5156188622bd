import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, it } from 'node:test'
import { OptionsError, TransportError } from '../../src/base/errors.ts'
import type { Host } from '../../src/driver/host.ts'
import { checkSeeds, contactSeeds, joinError, type Seeds, type SeedsSetup } from '../../src/seeds.ts'
import { Address, parseIp } from '../../src/wire/address.ts'
import { parseCidr } from '../../src/wire/cidr.ts'

describe('checkSeeds', () => {
  it('takes every form of a seed, and functions', () => {
    checkSeeds([
      '10.0.0.1',
      '10.0.0.1:7946',
      '[::1]:7946',
      '::1',
      'log.example.org',
      'log.example.org:1',
      'm/10.0.0.1:7',
    ])
    checkSeeds([])
    checkSeeds(() => [])
  })

  it('refuses what can never be a seed, by value', () => {
    for (const seed of ['', 'a:b', '10.0.0.1:0', '10.0.0.1:65536', '/10.0.0.1', 7946, null]) {
      assert.throws(() => checkSeeds(['10.0.0.1', seed]), { option: 'seeds', value: seed })
    }
    for (const seeds of ['10.0.0.1', undefined, { 0: '10.0.0.1' }]) {
      assert.throws(() => checkSeeds(seeds), OptionsError)
    }
  })
})

describe('seeds and allowedCidrs', () => {
  const ranges = [parseCidr('10.0.0.0/24') ?? assert.fail(), parseCidr('fd00::/8') ?? assert.fail()]

  it('an address outside the ranges is refused by value, in every form; a name is not known yet', () => {
    checkSeeds(['10.0.0.1', '[fd00::1]:1', '::ffff:10.0.0.9', 'm/10.0.0.7:1', 'log.example.org'], ranges)
    for (const seed of ['10.0.1.1', '10.0.1.1:7946', 'm/10.0.1.1:7946', '::1', '[2001:db8::1]:7946']) {
      assert.throws(() => checkSeeds(['10.0.0.1', seed], ranges), { option: 'seeds', value: seed })
      assert.throws(() => checkSeeds([seed], []), { option: 'seeds', value: seed })
    }
  })

  it('what a name or a function leads to outside is not contacted, and says why', async () => {
    const { contacted, result } = await ask(() => ['both', '10.0.1.1', '10.0.0.9:1'], { allowedCidrs: ranges })
    assert.deepEqual(contacted.sort(), ['10.0.0.3:7946', '10.0.0.9:1', '[fd00::3]:7946'])
    assert.deepEqual(
      result.failed.map(({ address }) => address),
      ['10.0.1.1:7946'],
    )
    assert.match(result.failed[0]?.error.message ?? '', /allowedCidrs/)
  })
})

describe('contactSeeds', () => {
  it('asks every address of every seed once, and says who answered and who did not, and why', async () => {
    const { result, contacted } = await ask(['10.0.0.2', 'both', '10.0.0.2:7946', 'nobody', '10.0.0.9:1'], {
      refuses: ['10.0.0.9:1'],
    })
    assert.deepEqual(contacted.sort(), ['10.0.0.2:7946', '10.0.0.3:7946', '10.0.0.9:1', '[fd00::3]:7946'])
    assert.deepEqual([...result.joined].sort(), ['10.0.0.2:7946', '10.0.0.3:7946', '[fd00::3]:7946'])
    assert.deepEqual(
      result.failed.map(({ address, error }) => `${address}: ${error.message}`),
      ['nobody: no address', '10.0.0.9:1: refused'],
    )
  })

  it('leaves ourselves out, in whatever form', async () => {
    const own = [at('10.0.0.1:7946'), at('0.0.0.0:7946')]
    const { contacted, result } = await ask(
      ['10.0.0.1', 'us', '::ffff:10.0.0.1', '127.0.0.1', '127.0.1.1:7946', '::1', '0.0.0.0'],
      { own },
    )
    assert.deepEqual([contacted, result], [[], { joined: [], failed: [], found: [] }])
  })

  it('asks loopback where it is another port or we are not bound to it', async () => {
    const wildcard = await ask(['127.0.0.1:7947', '10.0.0.2:7946'], { own: [at('0.0.0.0:7946')] })
    assert.deepEqual(wildcard.contacted, ['127.0.0.1:7947', '10.0.0.2:7946'])
    const bound = await ask(['127.0.0.1:7946'], { own: [at('10.0.0.1:7946')] })
    assert.deepEqual(bound.contacted, ['127.0.0.1:7946'])
  })

  it('asks a function each time, and takes what it throws for a seed that failed', async () => {
    let asked = 0
    const seeds: Seeds = async () => {
      asked++
      if (asked === 1) throw new RangeError('no DNS')
      return ['10.0.0.2']
    }
    const first = await ask(seeds)
    assert.deepEqual(
      first.result.failed.map(({ address, error }) => [address, error.message]),
      [['(seeds function)', 'no DNS']],
    )
    assert.deepEqual((await ask(seeds)).result.joined, ['10.0.0.2:7946'])
  })

  it('a function that throws at once, throws no error, or gives no list: a seed that failed', async () => {
    const functions: unknown[] = [
      () => {
        throw new Error('at once')
      },
      () => Promise.reject('a text'),
      () => '10.0.0.1',
      () => undefined,
    ]
    for (const seeds of functions) {
      const { result, contacted } = await ask(seeds as Seeds)
      assert.deepEqual([contacted, result.joined, result.failed.length], [[], [], 1])
      assert.ok(result.failed[0]?.error instanceof Error)
    }
  })

  it('what a function gives may be wrong in part', async () => {
    const { result } = await ask(() => ['10.0.0.2', 'a:b', 7 as unknown as string])
    assert.deepEqual(result.joined, ['10.0.0.2:7946'])
    assert.deepEqual(
      result.failed.map(({ address, error }) => [address, error instanceof OptionsError]),
      [
        ['a:b', true],
        ['7', true],
      ],
    )
  })

  it('what a function gives or throws may be anything, also what turns into no text', async () => {
    const bare: unknown = Object.create(null)
    const given = await ask((() => [bare, Symbol('s'), '10.0.0.2']) as unknown as Seeds)
    assert.deepEqual(given.result.joined, ['10.0.0.2:7946'])
    assert.deepEqual(
      given.result.failed.map(({ address, error }) => [address, error instanceof OptionsError]),
      [
        ['(an object)', true],
        ['Symbol(s)', true],
      ],
    )
    const thrown = await ask(() => Promise.reject(bare))
    assert.deepEqual(
      thrown.result.failed.map(({ address, error }) => [address, error.message]),
      [['(seeds function)', '(an object)']],
    )
  })

  it('contacts at most ten at a time, and all of them', async () => {
    let open = 0
    let most = 0
    const seeds = Array.from({ length: 35 }, (_, number) => `10.0.1.${number}`)
    const { result } = await ask(seeds, {
      contact: async () => {
        most = Math.max(most, ++open)
        for (let turn = 0; turn < 5; turn++) await undefined
        open--
      },
    })
    assert.deepEqual([result.joined.length, most], [35, 10])
  })
})

describe('a round', () => {
  const never = new Promise<never>(() => {})

  it('gives every address found, and does not contact those that are known', async () => {
    const { result, contacted } = await ask(['both', '10.0.0.2', 'us'], {
      own: [at('10.0.0.1:7946')],
      known: ['10.0.0.3:7946', '10.0.0.2:7946'],
    })
    assert.deepEqual(contacted.sort(), ['127.0.1.1:7946', '[fd00::3]:7946'])
    assert.deepEqual(result.found.map(({ key }) => key).sort(), [
      '10.0.0.2:7946',
      '10.0.0.3:7946',
      '127.0.1.1:7946',
      '[fd00::3]:7946',
    ])
  })

  it('a name that is slow to resolve holds up no other seed', async () => {
    const contacted: string[] = []
    const asked = ask(['slow', '10.0.0.2'], {
      resolve: (name) => (name === 'slow' ? never : Promise.resolve([parseIp(name) as Uint8Array])),
      contact: async (to) => void contacted.push(to.key),
    })
    asked.catch(() => {})
    for (let turn = 0; turn < 20; turn++) await undefined
    assert.deepEqual(contacted, ['10.0.0.2:7946'])
  })

  it('what takes longer than its limit to resolve, or to be given, is a seed that failed', async () => {
    const late = async (): Promise<never> => {
      throw new TransportError('too late')
    }
    const name = await ask(['slow', '10.0.0.2'], {
      resolve: (name) => (name === 'slow' ? never : Promise.resolve([parseIp(name) as Uint8Array])),
      limits: { limitResolving: (name, work) => (name === 'slow' ? late() : work) },
    })
    assert.deepEqual(
      [name.result.joined, name.result.failed.map(({ address, error }) => `${address}: ${error.message}`)],
      [['10.0.0.2:7946'], ['slow: too late']],
    )
    const given = await ask(() => never, { limits: { limitFunction: late } })
    assert.deepEqual(
      given.result.failed.map(({ address, error }) => `${address}: ${error.message}`),
      ['(seeds function): too late'],
    )
  })

  it('resolves at most ten names at a time, and all of them', async () => {
    let open = 0
    let most = 0
    const seeds = Array.from({ length: 35 }, (_, number) => `name-${number}`)
    const { result } = await ask(seeds, {
      resolve: async (name) => {
        most = Math.max(most, ++open)
        for (let turn = 0; turn < 5; turn++) await undefined
        open--
        return [Uint8Array.of(10, 0, 1, Number(name.slice(5)))]
      },
    })
    assert.deepEqual([result.joined.length, most], [35, 10])
  })
})

describe('an aborted round', () => {
  const never = new Promise<never>(() => {})

  it('is not begun where the signal was aborted before', async () => {
    const seeds = (): never => assert.fail('asked')
    await assert.rejects(ask(seeds, { signal: AbortSignal.abort(new RangeError('enough')) }), RangeError)
  })

  it('rejects with the reason, whatever it waits for, and leaves no listener', async () => {
    for (const [seeds, more] of [
      [() => never, {}],
      [['slow'], { resolve: () => never }],
      [['10.0.0.2'], { contact: () => never }],
    ] as const) {
      const controller = new AbortController()
      const asked = ask(seeds, { ...more, signal: controller.signal })
      for (let turn = 0; turn < 20; turn++) await undefined
      assert.ok(getEventListeners(controller.signal, 'abort').length > 0)
      controller.abort(new RangeError('enough'))
      await assert.rejects(asked, RangeError)
      assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
    }
  })

  it('contacts nobody else after it', async () => {
    const controller = new AbortController()
    const contacted: string[] = []
    const seeds = Array.from({ length: 30 }, (_, number) => `10.0.1.${number}`)
    const asked = ask(seeds, {
      signal: controller.signal,
      contact: async (to) => {
        contacted.push(to.key)
        if (contacted.length === 10) controller.abort(new RangeError('enough'))
      },
    })
    await assert.rejects(asked, RangeError)
    for (let turn = 0; turn < 20; turn++) await undefined
    assert.equal(contacted.length, 10)
  })

  it('a round that ends well leaves no listener either', async () => {
    const controller = new AbortController()
    await ask(['10.0.0.2', 'both'], { signal: controller.signal })
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
  })
})

describe('joinError', () => {
  it('names every address and why, or that there was none', () => {
    const failed = [
      { address: '10.0.0.2:7946', error: new Error('refused') },
      { address: 'log', error: new Error('no address') },
    ]
    assert.equal(joinError({ failed }).message, 'no seed answered: 10.0.0.2:7946: refused; log: no address')
    assert.deepEqual(joinError({ failed }).failures, failed)
    assert.equal(joinError({ failed: [] }).message, 'no seed to join')
  })
})

interface Script {
  readonly own?: readonly Address[]
  readonly allowedCidrs?: SeedsSetup['allowedCidrs']
  readonly refuses?: readonly string[]
  readonly known?: readonly string[]
  readonly limits?: Partial<Pick<SeedsSetup, 'limitResolving' | 'limitFunction'>>
  readonly contact?: (to: Address) => Promise<void>
  readonly resolve?: Host['resolve']
  readonly signal?: AbortSignal
}

const NAMES: Readonly<Record<string, readonly string[]>> = {
  both: ['10.0.0.3', 'fd00::3'],
  us: ['10.0.0.1', '127.0.1.1'],
}

async function ask(seeds: Seeds, script: Script = {}) {
  const contacted: string[] = []
  const resolveName: Host['resolve'] = async (name) => {
    const ip = parseIp(name)
    if (ip !== undefined) return [ip]
    const ips = NAMES[name]
    if (ips === undefined) throw new TransportError('no address')
    return ips.map((text) => parseIp(text) as Uint8Array)
  }
  const setup: SeedsSetup = {
    host: { resolve: script.resolve ?? resolveName } as Host,
    defaultPort: 7946,
    ownAddresses: script.own ?? [],
    allowedCidrs: script.allowedCidrs,
    isKnown: (to) => script.known?.includes(to.key) === true,
    limitResolving: (_, work) => work,
    limitFunction: (work) => work,
    ...script.limits,
    contact: async (to) => {
      contacted.push(to.key)
      if (script.refuses?.includes(to.key)) throw new TransportError('refused')
      await script.contact?.(to)
    },
  }
  const result = await contactSeeds(seeds, setup, script.signal)
  return { result, contacted }
}

function at(text: string): Address {
  const [host, port] = text.split(':') as [string, string]
  return new Address(parseIp(host) as Uint8Array, Number(port))
}
