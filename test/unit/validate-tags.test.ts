import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OptionsError } from '../../src/base/errors.ts'
import type { Driver } from '../../src/driver/driver.ts'
import { Membership } from '../../src/membership.ts'
import type { RawTags } from '../../src/serf/members.ts'
import { Simulation, SimulationError } from '../../src/sim/simulation.ts'
import { checkOwnTags, checkSchema, type SchemaResult, type TagsSchema, tagsReader } from '../../src/validate-tags.ts'

interface Tags {
  readonly role: string
  readonly weight: number
}

const BAD = { issues: [{ message: 'must be a whole number', path: ['weight'] }] }

/** A schema of `role` and a whole `weight`, as a library would make it, and what it was asked. */
function services(meanwhile: (tags: RawTags) => void = () => {}) {
  const asked: RawTags[] = []
  const validate = (value: unknown): SchemaResult<Tags> => {
    const tags = value as RawTags
    asked.push(tags)
    meanwhile(tags)
    const weight = Number(tags.weight)
    if (tags.role === undefined || !Number.isInteger(weight)) return BAD
    return { value: { role: tags.role, weight } }
  }
  const schema: TagsSchema<Tags> = { '~standard': { version: 1, vendor: 'test', validate } }
  return { schema, asked }
}

const answering = (answer: unknown): TagsSchema<Tags> => ({
  '~standard': { version: 1, vendor: 'test', validate: () => answer as SchemaResult<Tags> },
})

/** Something that answers, and what was put off and warned of. */
function reader(schema: TagsSchema<unknown>) {
  const deferred: (() => void)[] = []
  const warnings: string[] = []
  const driver: Pick<Driver, 'ask' | 'warnLater'> = {
    ask: (_option, ask, ...about) => ask(...about),
    warnLater: (code, message) => void warnings.push(`${code}: ${message}`),
  }
  return { read: tagsReader(schema, driver, { defer: (task) => void deferred.push(task) }), deferred, warnings }
}

describe('a schema', () => {
  it('is anything with a Standard Schema of version 1, a function as well', () => {
    checkSchema(services().schema)
    checkSchema(Object.assign(() => {}, services().schema))
  })

  it('is refused where it is none', () => {
    const standard = services().schema['~standard']
    for (const given of [
      null,
      7,
      'tags',
      () => true,
      {},
      { '~standard': null },
      { '~standard': { ...standard, version: 2 } },
      { '~standard': { ...standard, validate: undefined } },
    ]) {
      assert.throws(() => checkSchema(given), { code: 'ERR_OPTIONS', option: 'validateTags' })
    }
  })
})

describe('our own tags', () => {
  it('fit, or are refused with the issues', () => {
    checkOwnTags(services().schema, { role: 'log', weight: '1' })
    checkOwnTags(undefined, { anything: 'goes' })
    assert.throws(() => checkOwnTags(services().schema, { role: 'log' }), {
      code: 'ERR_OPTIONS',
      option: 'tags',
      message: /weight: must be a whole number/,
    })
  })

  it('are refused with a few of many issues, by any kind of path', () => {
    const issues = [
      { message: 'one', path: ['a', { key: 'b' }, 0] },
      { message: 'two', path: undefined },
      { message: 'three', path: [Symbol('c')] },
      { message: 'four' },
      { message: 'five' },
    ]
    assert.throws(() => checkOwnTags(answering({ issues }), {}), /a\.b\.0: one; two; Symbol\(c\): three; and 2 more$/)
  })

  it('are not held against a schema that answers later: that is refused, and its promise is let go', async () => {
    for (const answer of [
      Promise.resolve({ value: {} }),
      Promise.reject(new Error('later')),
      undefined,
      'yes',
      () => {},
    ]) {
      assert.throws(() => checkOwnTags(answering(answer), {}), { code: 'ERR_OPTIONS', option: 'validateTags' })
    }
    // A rejection that nobody handles would end the process in the next turn.
    await new Promise((resolve) => setImmediate(resolve))
  })

  it('get what the schema throws to the caller', () => {
    const broken = services(() => {
      throw new RangeError('broken')
    })
    assert.throws(() => checkOwnTags(broken.schema, {}), new RangeError('broken'))
  })
})

describe("a member's tags", () => {
  it('are what the schema gives', () => {
    const { read, deferred, warnings } = reader(services().schema)
    assert.deepEqual(read({ role: 'log', weight: '3' }, 'm-2'), { role: 'log', weight: 3 })
    assert.deepEqual([deferred, warnings], [[], []])
  })

  it('are nothing where they do not fit, with a warning', () => {
    const { read, deferred, warnings } = reader(services().schema)
    assert.equal(read({ role: 'log' }, 'm-2'), undefined)
    assert.deepEqual(warnings, ['tags-invalid: the tags of m-2 do not fit: weight: must be a whole number'])
    assert.equal(deferred.length, 0)
  })

  it('are nothing where the schema throws or answers later, and that surfaces in a turn of its own', () => {
    const throwing = services(() => {
      throw new RangeError('broken')
    })
    for (const [schema, kind] of [
      [throwing.schema, RangeError],
      [answering(Promise.resolve({ value: {} })), OptionsError],
    ] as const) {
      const { read, deferred, warnings } = reader(schema)
      assert.equal(read({}, 'm-2'), undefined)
      assert.deepEqual([deferred.length, warnings.length], [1, 0])
      assert.throws(deferred[0] as () => void, kind)
    }
  })

  it('are given as a copy, since a library may change it in place', () => {
    const inPlace: TagsSchema<unknown> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) => ({ value: Object.assign(value as object, { weight: 3 }) }),
      },
    }
    const tags = Object.freeze({ role: 'log', weight: '3' })
    checkOwnTags(inPlace, tags)
    const { read, deferred } = reader(inPlace)
    assert.deepEqual([read(tags, 'm-2'), deferred], [{ role: 'log', weight: 3 }, []])
    assert.deepEqual(tags, { role: 'log', weight: '3' })
  })

  it('are validated once for those that ask about the same in a row', () => {
    const { schema, asked } = services()
    const { read } = reader(schema)
    const first = read({ role: 'log', weight: '3' }, 'm-2')
    assert.equal(read({ weight: '3', role: 'log' }, 'm-2'), first)
    assert.equal(asked.length, 1)
    for (const [tags, name] of [
      [{ role: 'log', weight: '4' }, 'm-2'],
      [{ role: 'log', weight: '4' }, 'm-3'],
      [{ role: 'log', weight: '4', more: '' }, 'm-3'],
      [{ role: 'log', weight: '4', less: '' }, 'm-3'],
    ] as const) {
      read(tags, name)
    }
    assert.equal(asked.length, 5)
  })
})

describe('a member that validates tags', () => {
  const OURS = { role: 'log', weight: '1' }

  /** m-1, which validates, runs; m-2, which does not, has joined it where `tags` are given. */
  async function pair({
    meanwhile,
    tags,
    ...more
  }: {
    meanwhile?: (tags: RawTags) => void
    tags?: RawTags
    accept?: (member: { readonly tags: Tags | undefined; readonly rawTags: RawTags }) => boolean
  }) {
    const simulation = new Simulation({ seed: 1 })
    const { schema, asked } = services(meanwhile)
    const hostOf = (name: string, ip: string) => simulation.host(simulation.station(name, ip))
    const typed = new Membership({
      name: 'm-1',
      bind: '10.0.0.1:7946',
      host: hostOf('m-1', '10.0.0.1'),
      tags: OURS,
      validateTags: schema,
      ...more,
    })
    const other = new Membership({
      name: 'm-2',
      bind: '10.0.0.2:7946',
      host: hostOf('m-2', '10.0.0.2'),
      tags: tags ?? {},
    })
    const events: string[] = []
    for (const type of ['member-join', 'member-update'] as const) {
      typed.on(type, ({ member, previous }) => {
        events.push(`${type} ${previous?.tags?.weight} ${member.tags?.weight}`)
      })
    }
    const warnings: string[] = []
    typed.on('warning', ({ code }) => warnings.push(code))
    await simulation.finish(typed.start())
    if (tags !== undefined) await simulation.finish(other.join(['10.0.0.1']))
    return { simulation, typed, other, asked, events, warnings }
  }

  it('sees what they mean: its own, those that come, and those that change', async () => {
    const { simulation, typed, other, events, warnings } = await pair({ tags: { role: 'web', weight: '2' } })
    assert.deepEqual([typed.local.tags, typed.local.rawTags], [{ role: 'log', weight: 1 }, OURS])
    assert.deepEqual(typed.member('m-2')?.tags, { role: 'web', weight: 2 })
    await simulation.finish(other.setTags({ role: 'web', weight: '3' }))
    assert.deepEqual(events, ['member-join undefined 2', 'member-update 2 3'])
    assert.deepEqual(
      typed.members({ tags: { weight: '3' } }).map(({ name }) => name),
      ['m-2'],
      'a filter compares texts',
    )
    assert.deepEqual(warnings, [])
  })

  it('has a member whose tags do not fit all the same, and every change of them is an event', async () => {
    const { simulation, typed, other, events, warnings } = await pair({ tags: { role: 'web' } })
    const seen = () => [typed.member('m-2')?.tags, typed.member('m-2')?.rawTags]
    assert.deepEqual(seen(), [undefined, { role: 'web' }])
    await simulation.finish(other.setTags({ role: 'db' }))
    assert.deepEqual(seen(), [undefined, { role: 'db' }])
    await simulation.finish(other.setTags({ role: 'db', weight: '5' }))
    assert.deepEqual(seen(), [
      { role: 'db', weight: 5 },
      { role: 'db', weight: '5' },
    ])
    assert.deepEqual(events, [
      'member-join undefined undefined',
      'member-update undefined undefined',
      'member-update undefined 5',
    ])
    // The second within ten seconds is held back.
    assert.deepEqual([warnings, typed.stats().warnings['tags-invalid']], [['tags-invalid'], 2])
  })

  it('validates once for each change, also where a veto is shown them first, and in no other event', async () => {
    const shown: unknown[] = []
    const { simulation, typed, other, asked } = await pair({
      tags: { role: 'web', weight: '2' },
      accept: ({ tags }) => shown.push(tags) > 0,
    })
    const before = asked.length
    assert.deepEqual(shown, [{ role: 'web', weight: 2 }])
    assert.equal(asked.filter(({ role }) => role === 'web').length, 1)
    await simulation.run(60_000)
    assert.equal(asked.length, before)
    await simulation.finish(other.close())
    await simulation.until(() => typed.member('m-2')?.state === 'dead')
    assert.equal(asked.length, before)
    assert.equal(typed.member('m-2')?.tags?.weight, 2)
  })

  it('refuses its own that do not fit, and changes nothing', async () => {
    const host = new Simulation({ seed: 1 })
    const options = { host: host.host(host.station('m-1', '10.0.0.1')), validateTags: services().schema }
    assert.throws(() => new Membership(options), { code: 'ERR_OPTIONS', option: 'tags' })
    assert.throws(() => new Membership({ ...options, tags: { role: 'log', weight: 'much' } }), { option: 'tags' })
    const { simulation, typed } = await pair({})
    await assert.rejects(simulation.finish(typed.setTags({ role: 'log' })), { code: 'ERR_OPTIONS', option: 'tags' })
    assert.deepEqual(typed.local.tags, { role: 'log', weight: 1 })
    await simulation.finish(typed.setTags({ role: 'log', weight: '9' }))
    assert.deepEqual(typed.local.tags, { role: 'log', weight: 9 })
  })

  it('surfaces what its schema throws about another, and goes on', async () => {
    const { simulation, typed, other } = await pair({
      meanwhile: ({ role }) => {
        if (role === 'evil') throw new RangeError('broken')
      },
    })
    const joining = other.setTags({ role: 'evil', weight: '1' }).then(() => other.join(['10.0.0.1']))
    const error = await simulation.finish(joining).then(
      () => simulation.run(1000).then(() => undefined),
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof SimulationError && error.cause instanceof RangeError, String(error))
    assert.deepEqual([typed.status, typed.size, typed.member('m-2')?.tags], ['running', 2, undefined])
  })

  it('lets its schema look around, and change nothing', async () => {
    const holder: { typed?: Membership<Tags> } = {}
    const found: unknown[] = []
    const { simulation, typed, other } = await pair({
      tags: { role: 'web', weight: '2' },
      meanwhile: ({ weight }) => {
        if (weight !== '3') return
        found.push(holder.typed?.members().map(({ tags }) => tags?.weight))
        holder.typed?.setTags(OURS).catch((error: unknown) => found.push(error))
      },
    })
    holder.typed = typed
    await simulation.finish(other.setTags({ role: 'web', weight: '3' }))
    await simulation.run(1000)
    assert.deepEqual(found[0], [1, 2], 'as they were')
    assert.ok(found[1] instanceof OptionsError && found[1].option === 'validateTags', String(found[1]))
    assert.equal(typed.member('m-2')?.tags?.weight, 3)
  })

  it('tells its warnings after the news, so that a listener may call back in', async () => {
    const { simulation, typed, other } = await pair({})
    const order: string[] = []
    typed.on('member-join', () => order.push('join'))
    typed.on('warning', () => {
      order.push(`warning, ${typed.size} members`)
      void typed.setTags({ role: 'log', weight: '7' })
    })
    await simulation.finish(other.join(['10.0.0.1']))
    await simulation.run(1000)
    assert.deepEqual(order, ['warning, 2 members', 'join'])
    assert.equal(other.member('m-1')?.tags.weight, '7')
  })
})
