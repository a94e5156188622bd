import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_BYTES } from '../../src/base/bytes.ts'
import { OptionsError } from '../../src/base/errors.ts'
import { Keys, KeysError, type KeysResult } from '../../src/keys.ts'
import type { KeyAnswer } from '../../src/serf/notices.ts'
import { formatKey } from '../../src/wire/keyring.ts'
import { decodeSerfMessage, encodeSerfMessage } from '../../src/wire/serf-messages.ts'
import type { SerfKeyResponse } from '../../src/wire/types.ts'

const K1 = new Uint8Array(16).fill(1)
const K2 = new Uint8Array(32).fill(2)
const MEMBERS = ['us', 'm-2', 'm-3']

function said(answer: Partial<SerfKeyResponse> = {}): Uint8Array {
  return encodeSerfMessage({ type: 'key-response', result: true, message: '', keys: [], primaryKey: '', ...answer })
}

/** Asks members that answer as `answers` says, by the operation; whoever is not in it says yes. */
function asking(answers: Readonly<Record<string, readonly KeyAnswer[]>> = {}) {
  const asked: string[] = []
  const keys = new Keys({
    expected: () => MEMBERS,
    ask: async (operation, payload, relayFactor) => {
      const request = decodeSerfMessage(payload)
      assert.ok(request.type === 'key-request')
      asked.push(`${operation} ${request.key.join().slice(0, 3)} ${relayFactor}`.trim())
      return answers[operation] ?? MEMBERS.map((from) => ({ from, payload: said() }))
    },
  })
  return { keys, asked }
}

const listOf = (held: Readonly<Record<string, readonly Uint8Array[]>>): KeyAnswer[] =>
  Object.entries(held).map(([from, ring]) => {
    const [primary = NO_BYTES] = ring
    return { from, payload: said({ keys: ring.map(formatKey), primaryKey: formatKey(primary) }) }
  })

async function refusal(promise: Promise<KeysResult>): Promise<KeysError> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof KeysError && error.code === 'ERR_KEYS', String(error))
    return error
  }
  return assert.fail('it did not reject')
}

describe('membership.keys', () => {
  it('asks everybody, with a key as bytes or in base64, and resolves where all say yes', async () => {
    const { keys, asked } = asking()
    const result = await keys.install(K2)
    assert.deepEqual([result.members, result.answered, result.errors.size, result.missing], [3, 3, 0, []])
    assert.ok(Object.isFrozen(result))
    await keys.remove(formatKey(K1), { relayFactor: 3 })
    assert.deepEqual(asked, ['install 2,2 0', 'remove 1,1 3'])
  })

  it('does not miss who is gone since it was asked, nor asks again for it', async () => {
    for (const [goneAfter, rounds] of [
      [1, 1],
      [2, 2],
    ] as const) {
      let asked = 0
      const keys = new Keys({
        expected: () => (asked >= goneAfter ? ['us', 'm-2'] : MEMBERS),
        ask: async () => {
          asked++
          return ['us', 'm-2'].map((from) => ({ from, payload: said() }))
        },
      })
      const { members, missing } = await keys.install(K2)
      assert.deepEqual([members, missing, asked], [2, [], rounds])
    }
  })

  it('a list says how many have each key, and how many encrypt with it', async () => {
    const { keys, asked } = asking({ list: listOf({ us: [K1, K2], 'm-2': [K1], 'm-3': [K2, K1] }) })
    const result = await keys.list()
    assert.deepEqual(Object.fromEntries(result.keys), { [formatKey(K1)]: 3, [formatKey(K2)]: 2 })
    assert.deepEqual(Object.fromEntries(result.primaryKeys), { [formatKey(K1)]: 2, [formatKey(K2)]: 1 })
    // Never an empty payload, which old agents die of.
    assert.deepEqual(asked, ['list  0'])
  })

  it('who names no primary key, as older agents do not, is counted for none', async () => {
    const old = { from: 'm-2', payload: said({ keys: [formatKey(K1)], primaryKey: '' }) }
    const { keys } = asking({ list: [...listOf({ us: [K1], 'm-3': [K1] }), old] })
    const { keys: held, primaryKeys } = await keys.list()
    assert.deepEqual([...held], [[formatKey(K1), 3]])
    assert.deepEqual([...primaryKeys], [[formatKey(K1), 2]])
  })

  it('rejects where members refuse, in the words of Serf, with what each of them said', async () => {
    const no = { from: 'm-2', payload: said({ result: false, message: 'requested key is not in the keyring' }) }
    const { keys } = asking({ remove: [{ from: 'us', payload: said() }, no] })
    const { message, result } = await refusal(keys.remove(K1))
    assert.equal(message, '1/3 nodes reported failure: m-2: requested key is not in the keyring')
    assert.deepEqual([...result.errors], [['m-2', 'requested key is not in the keyring']])
    assert.deepEqual([...result.messages], [...result.errors])
    assert.deepEqual([result.members, result.answered, result.missing], [3, 2, ['m-3']])
  })

  it('rejects where members do not answer', async () => {
    const { keys } = asking({ install: [{ from: 'us', payload: said() }] })
    const { message, result } = await refusal(keys.install(K1))
    assert.equal(message, '1/3 nodes reported success; no answer of m-2, m-3')
    assert.deepEqual([result.members, result.answered], [3, 1])
  })

  it('asks all once more where somebody did not answer, and counts what each said last', async () => {
    let round = 0
    const keys = new Keys({
      expected: () => MEMBERS,
      ask: async () => {
        round++
        const no = said({ result: false, message: 'not yet' })
        if (round === 1) return ['us', 'm-2'].map((from) => ({ from, payload: from === 'us' ? no : said() }))
        return ['us', 'm-3'].map((from) => ({ from, payload: said() }))
      },
    })
    const { members, answered } = await keys.install(K1)
    assert.deepEqual([members, answered, round], [3, 3, 2])
  })

  it('an answer that is none counts as a refusal that says so, and for no key', async () => {
    const join = encodeSerfMessage({ type: 'join', ltime: 1, node: 'm-2' })
    const { keys } = asking({
      list: [
        { from: 'us', payload: said({ keys: [formatKey(K1)], primaryKey: formatKey(K1) }) },
        { from: 'm-2', payload: join },
        { from: 'm-3', payload: NO_BYTES },
      ],
    })
    const { message, result } = await refusal(keys.list())
    assert.match(message, /^2\/3 nodes reported failure: m-2: the answer is a join, m-3: the answer cannot be read: /)
    assert.deepEqual([...result.primaryKeys.values()], [1])
  })

  it('a name that nobody expected counts among those that answered', async () => {
    const { keys } = asking({ install: [...MEMBERS, '__proto__'].map((from) => ({ from, payload: said() })) })
    assert.equal((await keys.install(K1)).members, 4)
  })

  it('remarks of members that did what was asked are told', async () => {
    const note = 'truncated key list response, showing first 1 of 30 keys'
    const answers = MEMBERS.map((from) => ({ from, payload: said({ message: note, keys: [formatKey(K1)] }) }))
    const { messages, errors } = await asking({ list: answers }).keys.list()
    assert.deepEqual([messages.get('m-3'), errors.size], [note, 0])
  })
})

describe('using a key', () => {
  it('asks first who has it, and goes on where all do', async () => {
    const { keys, asked } = asking({ list: listOf({ us: [K1, K2], 'm-2': [K2, K1], 'm-3': [K1, K2] }) })
    await keys.use(K2)
    assert.deepEqual(asked, ['list  0', 'use 2,2 0'])
  })

  it('is refused where one that is here lacks it, or does not say so, and nobody is asked to change', async () => {
    const others = listOf({ us: [K1, K2], 'm-3': [K1, K2] })
    for (const [list, rounds] of [
      [[...others, ...listOf({ 'm-2': [K1] })], 1],
      [others, 2],
      [[...others, { from: 'm-2', payload: said({ result: false, message: 'no' }) }], 1],
    ] as const) {
      const { keys, asked } = asking({ list })
      const { message } = await refusal(keys.use(K2))
      assert.ok(message.startsWith('1/3 nodes do not have the key, or do not say so: m-2; nothing is changed'), message)
      assert.deepEqual(asked, new Array(rounds).fill('list  0'))
    }
  })

  it('goes on without asking where it is forced', async () => {
    const { keys, asked } = asking({ list: [] })
    await keys.use(K2, { force: true, relayFactor: 1 })
    assert.deepEqual(asked, ['use 2,2 1'])
  })
})

describe('several at once', () => {
  /** Keys whose answers come when the test says so. */
  function slow() {
    const log: string[] = []
    const open: (() => void)[] = []
    const keys = new Keys({
      expected: () => MEMBERS,
      ask: (operation) => {
        log.push(operation)
        return new Promise((resolve) => {
          open.push(() => resolve(listOf({ us: [K1, K2], 'm-2': [K1, K2], 'm-3': [K1, K2] })))
        })
      },
    })
    /** Ends the first that is under way, and lets what follows begin. */
    const end = async (): Promise<void> => {
      open.shift()?.()
      await new Promise((resolve) => setImmediate(resolve))
    }
    const begun = async (): Promise<string> => {
      await new Promise((resolve) => setImmediate(resolve))
      return log.join(' ')
    }
    return { keys, end, begun }
  }

  it('changes come one after the other, each with its own check', async () => {
    const { keys, end, begun } = slow()
    const all = [keys.install(K2), keys.use(K2), keys.remove(K1)]
    assert.equal(await begun(), 'install')
    await end()
    assert.equal(await begun(), 'install list')
    await end()
    assert.equal(await begun(), 'install list use')
    await end()
    assert.equal(await begun(), 'install list use remove')
    await end()
    await Promise.all(all)
  })

  it('lists run beside one another, and never beside a change', async () => {
    const { keys, end, begun } = slow()
    const all = [keys.list(), keys.list(), keys.install(K2), keys.list()]
    assert.equal(await begun(), 'list list')
    await end()
    assert.equal(await begun(), 'list list')
    await end()
    assert.equal(await begun(), 'list list install')
    await end()
    assert.equal(await begun(), 'list list install list')
    await end()
    await Promise.all(all)
  })

  it('one that fails does not hold up the next', async () => {
    const { keys } = asking({ install: [], list: [] })
    const first = keys.install(K1)
    const list = keys.list()
    const second = keys.remove(K1)
    await refusal(first)
    await refusal(list)
    assert.equal((await second).answered, 3)
  })
})

describe('what the caller gets wrong', () => {
  const { keys, asked } = asking()
  const wrong: readonly (readonly [string, string, () => Promise<unknown>])[] = [
    ['a key of a wrong size', 'key', () => keys.install(new Uint8Array(15))],
    ['a key that is no base64', 'key', () => keys.use('not a key')],
    ['no key', 'key', () => keys.remove(undefined as unknown as string)],
    ['a relay factor', 'relayFactor', () => keys.list({ relayFactor: 256 })],
    ['a force', 'force', () => keys.use(K1, { force: 1 as unknown as boolean })],
    ['a force where there is none', 'force', () => keys.install(K1, { force: true } as object)],
    ['options', 'options', () => keys.use(K1, null as unknown as object)],
  ]
  for (const [what, option, call] of wrong) {
    it(`${what} is a typed error at once, and nobody is asked`, async () => {
      await assert.rejects(call(), (error) => {
        assert.ok(error instanceof OptionsError && error.option === option)
        return true
      })
      assert.deepEqual(asked, [])
    })
  }
})
