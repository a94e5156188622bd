import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Deadlines } from '../../src/base/deadlines.ts'
import { ClosedError, JoinError, TimeoutError } from '../../src/base/errors.ts'
import { Random } from '../../src/base/random.ts'
import { Joining, type JoiningOptions, type JoiningSetup } from '../../src/joining.ts'
import type { JoinResult, Seeds } from '../../src/seeds.ts'
import type { Member, MemberState } from '../../src/serf/members.ts'
import { Address, parseIp } from '../../src/wire/address.ts'

const OWN = '10.0.0.1:7946'
const never = new Promise<never>(() => {})

describe('among others', () => {
  it('with every seed in view asks nobody', async () => {
    const world = new World(['10.0.0.2:7946', '10.0.0.3:7946', '10.0.0.9:7946'])
    await world.join(['10.0.0.2', '10.0.0.3', '10.0.0.1'])
    await world.run(3_600_000)
    assert.equal(world.asked.length, 2, 'the first round, ourselves left out')
  })

  it('with no seed in view asks at once when it looks, then about every minute, and tells no warning', async () => {
    const world = new World(['10.0.0.2:7946', '10.0.0.9:7946'])
    await world.join(['10.0.0.2'])
    world.setState('10.0.0.2:7946', 'dead')
    world.answers = () => false
    const lostAt = world.now
    await world.run(3_600_000)
    const times = world.asked.slice(1).map(({ at }) => at)
    assert.ok((times[0] as number) - lostAt <= 45_000, `first after ${times[0]} ms`)
    const pauses = times.slice(1).map((time, at) => time - (times[at] as number))
    assert.ok((pauses[0] as number) >= 15_000 && (pauses[0] as number) <= 45_001, `then after ${pauses[0]} ms`)
    for (const pause of pauses.slice(1)) assert.ok(pause >= 30_000 && pause <= 90_001, `${pause} ms`)
    assert.ok(times.length > 40 && times.length < 90, `${times.length} in an hour`)
    assert.deepEqual([world.warnings, world.announced], [[], 1])
  })

  it('asks no more once the seed is back, and at once when it is lost again', async () => {
    const world = new World(['10.0.0.2:7946', '10.0.0.9:7946'])
    await world.join(['10.0.0.2'])
    world.setState('10.0.0.2:7946', 'dead')
    world.answers = () => false
    await world.run(600_000)
    world.setState('10.0.0.2:7946', 'suspect')
    const asked = world.asked.length
    await world.run(600_000)
    assert.equal(world.asked.length, asked, 'a suspect is a member still')
    world.setState('10.0.0.2:7946', 'left')
    await world.run(45_001)
    assert.ok(world.asked.length > asked)
  })

  it('with some seeds in view asks the others at once, then every five minutes, and those in view never', async () => {
    const world = new World(['10.0.0.2:7946', '10.0.0.3:7946'])
    await world.join(['10.0.0.2', '10.0.0.3'])
    world.setState('10.0.0.3:7946', 'dead')
    world.answers = () => false
    await world.run(3_600_000)
    const later = world.asked.slice(2)
    assert.deepEqual([...new Set(later.map(({ key }) => key))], ['10.0.0.3:7946'])
    assert.ok(later.length >= 8 && later.length <= 25, `${later.length} in an hour`)
    assert.deepEqual(world.warnings, [])
  })

  it('a seed that answers and never is a member address, behind a balancer, is asked every five minutes', async () => {
    const world = new World(['10.0.0.2:7946'])
    await world.join(['10.9.9.9'])
    await world.run(3_600_000)
    const later = world.asked.slice(1)
    assert.ok(later.length >= 8 && later.length <= 25, `${later.length} in an hour`)
    assert.deepEqual([world.warnings, world.announced], [[], 1], 'nobody is told that we join again')
    // It answers no more: we may be cut off.
    world.answers = () => false
    const from = world.asked.length
    await world.run(3_600_000)
    assert.ok(world.asked.length - from > 40, `${world.asked.length - from} in an hour`)
  })

  it('a function or a name is asked again each time', async () => {
    const world = new World(['10.0.0.2:7946', '10.0.0.9:7946'])
    let seeds = ['10.0.0.2']
    await world.join(() => seeds)
    world.setState('10.0.0.2:7946', 'dead')
    seeds = ['10.0.0.4']
    world.answers = () => false
    await world.run(60_000)
    assert.equal(world.asked.at(-1)?.key, '10.0.0.4:7946')
  })

  it('a function that fails once does not make us forget where the seeds were', async () => {
    const world = new World(['10.0.0.2:7946', '10.0.0.9:7946'])
    let calls = 0
    await world.join(() => {
      calls++
      if (calls > 1) throw new Error('no DNS')
      return ['10.0.0.2']
    })
    world.setState('10.0.0.2:7946', 'dead')
    await world.run(3_600_000)
    assert.ok(calls > 40, `${calls} in an hour`)
    world.setState('10.0.0.2:7946', 'alive')
    const before = calls
    await world.run(3_600_000)
    assert.equal(calls, before)
  })
})

describe('alone', () => {
  it('announces us when somebody is found, and says in a warning when nobody is', async () => {
    const world = new World([])
    world.answers = () => false
    assert.deepEqual((await world.join(['10.0.0.2'])).joined, [])
    await world.run(100_000)
    assert.deepEqual([...new Set(world.warnings)], ['join-failed'])
    assert.equal(world.announced, 0)
    world.answers = () => {
      world.states.set('10.0.0.2:7946', 'alive')
      return true
    }
    await world.run(50_000)
    assert.equal(world.announced, 1)
  })

  it('a signal ends the watch, and none is left where there was none before', async () => {
    const world = new World([])
    world.answers = () => false
    const controller = new AbortController()
    await world.join(['10.0.0.2'], { signal: controller.signal })
    controller.abort()
    const asked = world.asked.length
    await world.run(3_600_000)
    assert.equal(world.asked.length, asked)
    assert.equal(world.tasks.next(), undefined, 'no timer is left')
  })

  it('a signal that is aborted during a round in the background ends it', async () => {
    const world = new World([])
    world.answers = () => false
    const controller = new AbortController()
    let calls = 0
    const seeds = (): readonly string[] | Promise<never> => (++calls === 1 ? [] : never)
    await world.join(seeds, { signal: controller.signal })
    await world.run(2000)
    assert.equal(calls, 2)
    controller.abort(new RangeError('enough'))
    await world.run(3_600_000)
    assert.equal(calls, 2)
    assert.equal(world.thrown.length, 0)
  })

  it('once among others a signal has no effect any more', async () => {
    const world = new World(['10.0.0.2:7946'])
    const controller = new AbortController()
    await world.join(['10.0.0.2'], { signal: controller.signal })
    controller.abort()
    await world.run(60_000)
    world.setState('10.0.0.2:7946', 'dead')
    await world.run(60_000)
    assert.ok(world.asked.length > 1)
  })
})

describe('a signal that is aborted before the first look', () => {
  it('does not end the watch of a join that found others, also where they are gone by then', async () => {
    const world = new World(['10.0.0.2:7946'])
    const controller = new AbortController()
    await world.join(['10.0.0.2'], { signal: controller.signal })
    controller.abort()
    world.setState('10.0.0.2:7946', 'dead')
    world.answers = () => false
    await world.run(600_000)
    assert.ok(world.asked.length > 10, `asked ${world.asked.length} times`)
  })

  it('does not end it either where a round in the background found them', async () => {
    const world = new World([])
    world.answers = () => false
    const controller = new AbortController()
    await world.join(['10.0.0.2'], { signal: controller.signal })
    world.answers = (key) => {
      world.setState(key, 'alive')
      return true
    }
    await world.run(2000)
    assert.equal(world.asked.length, 2)
    controller.abort()
    world.setState('10.0.0.2:7946', 'dead')
    world.answers = () => false
    await world.run(600_000)
    assert.ok(world.asked.length > 10, `asked ${world.asked.length} times`)
  })

  it('does not end it where others came by themselves, and does where they never did', async () => {
    for (const comes of [true, false]) {
      const world = new World([])
      world.answers = () => false
      const controller = new AbortController()
      await world.join(['10.0.0.2'], { signal: controller.signal })
      if (comes) world.setState('10.0.0.7:7946', 'alive')
      world.joining.met()
      controller.abort()
      world.setState('10.0.0.7:7946', 'dead')
      await world.run(600_000)
      assert.equal(world.asked.length > 10, comes, `asked ${world.asked.length} times`)
    }
  })

  it('goes on where somebody came during the round that it ends', async () => {
    const world = new World([])
    world.answers = () => false
    const controller = new AbortController()
    let calls = 0
    const seeds = (): readonly string[] | Promise<never> => (++calls === 2 ? never : [])
    await world.join(seeds, { signal: controller.signal })
    await world.run(2000)
    assert.equal(calls, 2)
    world.setState('10.0.0.7:7946', 'alive')
    world.joining.met()
    controller.abort()
    await world.run(0)
    world.setState('10.0.0.7:7946', 'dead')
    await world.run(600_000)
    assert.ok(calls > 10, `asked ${calls} times`)
    assert.deepEqual(world.thrown, [])
  })
})

describe('a join that is aborted while an exchange is under way', () => {
  /** Asks 10.0.0.2, and 10.0.0.3 which never answers, and aborts. */
  async function abandoned(world: World): Promise<void> {
    world.answers = () => undefined
    const controller = new AbortController()
    const joined = world.join(['10.0.0.2', '10.0.0.3'], { signal: controller.signal })
    await flush()
    controller.abort(new RangeError('enough'))
    await assert.rejects(joined, RangeError)
  }

  it('is in all the same where that succeeds: it is announced once, and the seeds are kept', async () => {
    const world = new World([])
    await abandoned(world)
    assert.equal(world.announced, 0)
    world.setState('10.0.0.2:7946', 'alive')
    for (const id of [1, 2]) world.joining.exchangeDone(id, undefined)
    await flush()
    assert.equal(world.announced, 1)
    world.setState('10.0.0.2:7946', 'dead')
    world.answers = () => false
    const from = world.asked.length
    await world.run(600_000)
    assert.ok(world.asked.length - from > 10, `asked ${world.asked.length - from} times`)
  })

  it('and so where one has answered before, and another keeps it waiting', async () => {
    const world = new World([])
    world.answers = (key) => {
      if (key !== '10.0.0.2:7946') return undefined
      world.setState(key, 'alive')
      return true
    }
    const controller = new AbortController()
    const joined = world.join(['10.0.0.2', '10.0.0.3'], { signal: controller.signal })
    await flush()
    controller.abort(new RangeError('enough'))
    await assert.rejects(joined, RangeError)
    assert.equal(world.announced, 1)
    world.joining.exchangeDone(2, undefined)
    await flush()
    assert.equal(world.announced, 1)
    assert.notEqual(world.tasks.next(), undefined, 'the seeds are kept')
  })

  it('is not where it fails, or where it met only ourselves, or where we close', async () => {
    for (const how of ['fails', 'alone', 'closed'] as const) {
      const world = new World([])
      await abandoned(world)
      if (how === 'closed') {
        world.setState('10.0.0.2:7946', 'alive')
        world.isRunning = false
      }
      world.joining.exchangeDone(1, how === 'fails' ? 'refused' : undefined)
      await flush()
      assert.deepEqual([world.announced, world.tasks.next()], [0, undefined], how)
    }
  })

  it('leaves the seeds of another join to be asked', async () => {
    const world = new World([])
    await abandoned(world)
    world.answers = () => false
    await world.join(['10.0.0.4'])
    world.setState('10.0.0.2:7946', 'alive')
    world.joining.exchangeDone(1, undefined)
    await flush()
    assert.equal(world.announced, 1)
    world.setState('10.0.0.2:7946', 'dead')
    const from = world.asked.length
    await world.run(600_000)
    assert.deepEqual([...new Set(world.asked.slice(from).map(({ key }) => key))], ['10.0.0.4:7946'])
  })
})

describe('ourselves', () => {
  it('are every address of this machine where a wildcard is bound, of the families that it covers', async () => {
    for (const [bound, own, asked] of [
      ['0.0.0.0:7946', ['10.0.0.2', 'fd00::2'], ['[fd00::2]:7946', '10.0.0.2:7947']],
      ['[::]:7946', ['10.0.0.2', 'fd00::2'], ['10.0.0.2:7947']],
      ['10.0.0.1:7946', ['10.0.0.2', 'fd00::2'], ['10.0.0.2:7946', '[fd00::2]:7946', '10.0.0.2:7947']],
    ] as const) {
      const world = new World([], { bound, own })
      world.answers = () => false
      await world.join(['10.0.0.2', 'fd00::2', '10.0.0.2:7947'])
      assert.deepEqual(world.asked.map(({ key }) => key).sort(), [...asked].sort(), bound)
    }
  })

  it('or nobody, or one that we refuse, are no join, and the error names all three', async () => {
    const world = new World([])
    const { joined, failed } = await world.join(['10.0.0.2'])
    assert.deepEqual([joined, world.announced], [[], 0])
    assert.match(failed[0]?.error.message ?? '', /ourselves.*nobody.*accept/)
  })
})

describe('a later join', () => {
  it('that succeeds takes the place of the earlier', async () => {
    const world = new World([])
    world.answers = () => false
    await world.join(['10.0.0.2'])
    await world.join(['10.0.0.3'])
    const from = world.asked.length
    await world.run(600_000)
    assert.deepEqual([...new Set(world.asked.slice(from).map(({ key }) => key))], ['10.0.0.3:7946'])
  })

  for (const [how, join] of [
    ['has no seeds', (world: World) => world.join([])],
    ['fails where it was required', (world: World) => assert.rejects(world.join(['10.0.0.3'], REQUIRED), JoinError)],
    ['is aborted', (world: World) => assert.rejects(aborted(world), RangeError)],
    ['is aborted after it resolved', abortedLater],
  ] as const) {
    it(`that ${how} leaves the earlier one's seeds to be asked`, async () => {
      const world = new World([])
      world.answers = () => false
      await world.join(['10.0.0.2'])
      await join(world)
      const from = world.asked.length
      await world.run(600_000)
      const later = world.asked.slice(from).map(({ key }) => key)
      assert.ok(later.length >= 10, `${later.length} in ten minutes`)
      assert.deepEqual([...new Set(later)], ['10.0.0.2:7946'])
    })
  }
})

describe('ignoreOldEvents', () => {
  it('holds for each contact until somebody was met, and not for those that bring halves together later', async () => {
    const world = new World([])
    world.answers = () => false
    await world.join(['10.0.0.2', '10.0.0.3'], { ignoreOldEvents: true })
    await world.run(10_000)
    assert.ok(world.ignoring.length >= 4)
    assert.ok(world.ignoring.every((isIgnoring) => isIgnoring))
    world.setState('10.0.0.9:7946', 'alive')
    await world.run(60_000)
    world.ignoring.length = 0
    await world.run(600_000)
    assert.ok(world.ignoring.length > 0)
    assert.ok(world.ignoring.every((isIgnoring) => !isIgnoring))
  })

  it('is not the rule', async () => {
    const world = new World([])
    await world.join(['10.0.0.2'])
    assert.deepEqual(world.ignoring, [false])
  })
})

describe('limits', () => {
  it('a name that never resolves fails after 10 s, a function that never answers after 30 s', async () => {
    const world = new World([])
    for (const [seeds, limitMs, what] of [
      [['slow'], 10_000, 'slow'],
      [() => never, 30_000, '(seeds function)'],
    ] as const) {
      const joined = world.joining.join(seeds, { signal: undefined, required: false })
      let isDone = false
      void joined.then(() => {
        isDone = true
      })
      await world.run(limitMs - 1)
      assert.equal(isDone, false)
      await world.run(2)
      assert.deepEqual(
        (await joined).failed.map(({ address, error }) => [address, error instanceof TimeoutError]),
        [[what, true]],
      )
    }
  })
})

describe('close', () => {
  it('rejects what is under way, and a late end of an exchange is nobody’s', async () => {
    const world = new World([])
    world.answers = () => undefined
    const joined = world.joining.join(['10.0.0.2'], { signal: undefined, required: false })
    await flush()
    world.isRunning = false
    world.joining.close()
    await assert.rejects(joined, ClosedError)
    world.joining.exchangeDone(1, undefined)
    world.joining.exchangeDone(77, 'of somebody else')
  })
})

const REQUIRED = { required: true }

function aborted(world: World): Promise<JoinResult> {
  const controller = new AbortController()
  const joined = world.join(() => never, { signal: controller.signal })
  controller.abort(new RangeError('enough'))
  return joined
}

async function abortedLater(world: World): Promise<void> {
  const controller = new AbortController()
  await world.join(['10.0.0.3'], { signal: controller.signal })
  controller.abort()
}

async function flush(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await undefined
}

/** All that stands around the joins of one instance: members that are in view or not, contacts that answer or not. */
class World {
  now = 1000
  isRunning = true
  readonly states = new Map<string, MemberState>()
  readonly tasks = new Deadlines<() => void>()
  readonly asked: { readonly key: string; readonly at: number }[] = []
  /** Of each contact, whether old events are ignored. */
  readonly ignoring: boolean[] = []
  readonly warnings: string[] = []
  readonly thrown: unknown[] = []
  announced = 0
  /** Whether a contact is answered; `undefined`: it never ends. */
  answers: (key: string) => boolean | undefined = () => true
  readonly joining: Joining
  #contacts = 0

  /** @param more where we are bound, and the addresses of our machine */
  constructor(present: readonly string[], more: { readonly bound?: string; readonly own?: readonly string[] } = {}) {
    for (const key of present) this.states.set(key, 'alive')
    const memberAt = (key: string, state: MemberState): Member =>
      ({ name: key, address: key, state, isSelf: false }) as Member
    const serf = {
      address: address(OWN),
      hasPeers: () => [...this.states.values()].some((state) => state === 'alive' || state === 'suspect'),
      member: (name: string) => {
        const state = this.states.get(name)
        return state && memberAt(name, state)
      },
      members: () => [...this.states].map(([key, state]) => memberAt(key, state)),
      contact: (to: Address, ignoreOldEvents: boolean) => {
        this.ignoring.push(ignoreOldEvents)
        return this.#contact(to)
      },
      announceJoin: () => void this.announced++,
    }
    const driver = {
      now: () => this.now,
      command: (call: (given: typeof serf, now: number) => unknown) => call(serf, this.now),
      schedule: (key: string, delayMs: number, task: () => void) => this.tasks.set(key, this.now + delayMs, task),
      unschedule: (key: string) => void this.tasks.delete(key),
      warn: (code: string) => void this.warnings.push(code),
    }
    const host = {
      resolve: (name: string) => {
        const ip = parseIp(name)
        return ip === undefined ? never : Promise.resolve([ip])
      },
      ownAddresses: () => (more.own ?? []).map((text) => parseIp(text) as Uint8Array),
      defer: (task: () => void) => void this.thrown.push(task),
    }
    this.joining = new Joining({
      host,
      driver: driver as unknown as JoiningSetup['driver'],
      serf,
      random: new Random(1),
      bound: address(more.bound ?? OWN),
      isRunning: () => this.isRunning,
    })
  }

  async join(seeds: Seeds, options: Partial<JoiningOptions> = {}): Promise<JoinResult> {
    const { signal, required = false, ignoreOldEvents = false } = options
    return this.joining.join(seeds, { signal, required, ignoreOldEvents })
  }

  setState(key: string, state: MemberState): void {
    this.states.set(key, state)
  }

  async run(ms: number): Promise<void> {
    const end = this.now + ms
    await flush()
    for (let next = this.tasks.next(); next !== undefined && next <= end; next = this.tasks.next()) {
      this.now = Math.max(this.now, next)
      this.tasks.popDue(this.now)?.due()
      await flush()
    }
    this.now = end
  }

  #contact(to: Address): number {
    const id = ++this.#contacts
    this.asked.push({ key: to.key, at: this.now })
    const isAnswered = this.answers(to.key)
    if (isAnswered !== undefined) {
      void Promise.resolve().then(() => this.joining.exchangeDone(id, isAnswered ? undefined : 'refused'))
    }
    return id
  }
}

function address(key: string): Address {
  const at = key.lastIndexOf(':')
  const host = key.slice(0, at).replace(/[[\]]/g, '')
  return new Address(parseIp(host) as Uint8Array, Number(key.slice(at + 1)))
}
