// The way back: whom a restart asks, in which order, how many at once, and for how long.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Random } from '../../src/base/random.ts'
import { Rejoining, type RejoiningSetup } from '../../src/rejoining.ts'
import { Address, parseIp } from '../../src/wire/address.ts'
import { parseCidr } from '../../src/wire/cidr.ts'

interface Stage {
  readonly asked: string[]
  readonly warnings: string[]
  /** What was set to happen, and after how long. */
  readonly pauses: { readonly delayMs: number; readonly task: () => void }[]
  readonly answers: Map<string, 'in' | 'one' | 'alone' | 'never'>
  readonly thrown: unknown[]
  hasPeers: boolean
  /** Names in view. */
  readonly inView: Set<string>
  isRunning: boolean
  begin(): Promise<void>
  /** The next pause is over. */
  goOn(): Promise<void>
}

function stage(
  known: { readonly alive?: Readonly<Record<string, string>>; readonly gone?: Readonly<Record<string, string>> },
  more: Partial<RejoiningSetup> = {},
): Stage {
  const asked: string[] = []
  const thrown: unknown[] = []
  const warnings: string[] = []
  const pauses: Stage['pauses'] = []
  const answers: Stage['answers'] = new Map()
  const self = new Address(parseIp('10.0.0.1') as Uint8Array, 7946)
  const world = { hasPeers: false, isRunning: true, inView: new Set<string>() }
  const contact = async ({ key }: Address): Promise<void> => {
    asked.push(key)
    const answer = answers.get(key)
    if (answer === 'never') await new Promise(() => {})
    if (answer === undefined) throw new Error('refused')
    if (answer === 'in') for (const name of Object.keys(known.alive ?? {})) world.inView.add(name)
    if (answer === 'in' || answer === 'one') world.hasPeers = true
  }
  const memberOf = (name: string): object | undefined => (world.inView.has(name) ? { state: 'alive' } : undefined)
  const setup = {
    host: { defer: (task: () => void) => void thrown.push(task) },
    driver: {
      schedule: (_: string, delayMs: number, task: () => void) => void pauses.push({ delayMs, task }),
      warn: (code: string, message: string) => void warnings.push(`${code}: ${message}`),
    },
    serf: { hasPeers: () => world.hasPeers, member: memberOf, local: { name: 'self' }, address: self },
    joining: { contact },
    random: new Random(1),
    isRunning: () => world.isRunning,
    ...more,
  } as unknown as RejoiningSetup
  const { alive = {}, gone = {} } = known
  const rejoining = new Rejoining(setup, {
    alive: new Map(Object.entries(alive)),
    gone: new Map(Object.entries(gone)),
  })
  return Object.assign(world, {
    asked,
    warnings,
    pauses,
    answers,
    thrown,
    begin: async () => {
      rejoining.begin()
      await settled()
    },
    goOn: async () => {
      pauses.shift()?.task()
      await settled()
    },
  })
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await Promise.resolve()
}

/** So many members, from 10.0.1.1 on. */
function members(count: number, subnet = 1): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`m-${subnet}-${at}`, `10.0.${subnet}.${at + 1}:1`]),
  )
}

describe('rejoining.ts', () => {
  it('whoever is in the file is asked, but not ourselves, by name or address, and nobody outside the ranges', async () => {
    const alive = { self: '10.0.0.9:7946', other: '10.0.0.1:7946', outside: '192.168.0.1:1', inside: '10.0.0.2:1' }
    const cidr = parseCidr('10.0.0.0/8')
    assert.ok(cidr !== undefined)
    const play = stage({ alive }, { allowedCidrs: [cidr] })
    await play.begin()
    assert.deepEqual(play.asked, ['10.0.0.2:1'])
  })

  it('where nobody is to be asked nothing happens, and nothing is warned of', async () => {
    const play = stage({ alive: { self: '10.0.0.1:7946' } })
    await play.begin()
    assert.deepEqual([play.asked, play.warnings, play.pauses.length], [[], [], 0])
  })

  it('members are asked in random order, those that were gone after them, the latest first', async () => {
    const play = stage({ alive: members(20), gone: members(3, 2) })
    await play.begin()
    const [first, last] = [play.asked.slice(0, 20), play.asked.slice(20)]
    assert.deepEqual([...first].sort(), Object.values(members(20)).sort())
    assert.notDeepEqual(first, Object.values(members(20)))
    assert.deepEqual(last, ['10.0.2.3:1', '10.0.2.2:1', '10.0.2.1:1'])
  })

  it('the first who lets us in is the last to be asked; at most four are asked at once', async () => {
    const play = stage({ alive: members(20) })
    for (const address of Object.values(members(20))) play.answers.set(address, 'never')
    await play.begin()
    assert.equal(play.asked.length, 4)
    const second = stage({ alive: members(20) })
    for (const address of Object.values(members(20))) second.answers.set(address, 'in')
    await second.begin()
    assert.ok(second.asked.length <= 4)
    assert.deepEqual(second.warnings, [])
  })

  it('who lets us in and knows only some does not keep us from asking the rest; those that were gone are let be then', async () => {
    const play = stage({ alive: members(20), gone: members(3, 2) })
    for (const address of Object.values(members(20))) play.answers.set(address, 'one')
    await play.begin()
    assert.deepEqual([...play.asked].sort(), Object.values(members(20)).sort())
  })

  it('who is alone again asks again, however often; a look sends nothing', async () => {
    const play = stage({ alive: members(1) })
    play.answers.set('10.0.1.1:1', 'one')
    await play.begin()
    for (let round = 1; round <= 3; round++) {
      assert.equal(play.asked.length, round)
      await play.goOn()
      assert.equal(play.asked.length, round)
      play.hasPeers = false
      await play.goOn()
    }
    assert.deepEqual(play.warnings, [])
  })

  it('who answers and knows nobody has not let us in', async () => {
    const play = stage({ alive: members(1) })
    play.answers.set('10.0.1.1:1', 'alone')
    await play.begin()
    assert.equal(play.pauses.length, 1)
    assert.deepEqual(play.warnings, [
      'join-failed: none of the 1 members of the snapshot has let us in; the last was 10.0.1.1:1: it answered, but named nobody whom we take',
    ])
  })

  it('while nobody has let us in all are asked again, with pauses that grow to half a minute, and a warning each', async () => {
    const play = stage({ alive: members(2) })
    await play.begin()
    const pauses: number[] = []
    for (let round = 0; round < 8; round++) {
      pauses.push(play.pauses[0]?.delayMs ?? 0)
      await play.goOn()
    }
    for (const [round, pauseMs] of pauses.entries()) {
      const wanted = Math.min(30_000, 1000 * 2 ** round)
      assert.ok(pauseMs >= wanted / 2 && pauseMs < 1.5 * wanted, `${pauseMs} in round ${round}`)
    }
    assert.equal(play.asked.length, 18)
    assert.equal(play.warnings.length, 9)
    assert.match(play.warnings[0] as string, /^join-failed: none of the 2 members .* refused$/)
    play.answers.set('10.0.1.2:1', 'in')
    await play.goOn()
    assert.deepEqual([play.asked.length, play.thrown], [20, []])
  })

  it('who has found others meanwhile, or runs no more, asks nobody', async () => {
    for (const end of ['hasPeers', 'isRunning'] as const) {
      const play = stage({ alive: members(2) })
      await play.begin()
      play.asked.length = 0
      if (end === 'hasPeers') play.hasPeers = true
      else play.isRunning = false
      await play.goOn()
      assert.deepEqual(play.asked, [])
    }
  })
})
