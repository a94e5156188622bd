// The operator's verbs for keys, as `membership.keys` (serf-behaviour §33): each asks every member at once, and says what each of them
// said. One change at a time; lists may run beside one another. Knows how answers add up, not how they come.
import { checkBoolean, checkKeys, checkNumber, checkObject } from './base/check.ts'
import { MembershipError } from './base/errors.ts'
import { printable } from './base/printable.ts'
import type { KeyChange, KeyOperation } from './serf/key-state.ts'
import type { KeyAnswer } from './serf/notices.ts'
import { formatKey, parseKey } from './wire/keyring.ts'
import { decodeSerfMessage, encodeSerfMessage } from './wire/serf-messages.ts'
import type { SerfKeyResponse } from './wire/types.ts'

/** What every verb takes. */
export interface KeyOptions {
  /** How many others each answer goes through beside, against loss: 0 to 255. Default 0. */
  readonly relayFactor?: number
}

export interface UseKeyOptions extends KeyOptions {
  /** Do it also where not every member has the key: those that do not will hear nothing that is sent from then on. Default false. */
  readonly force?: boolean
}

/** What the members said. Names are those of members, keys are base64. */
export interface KeysResult {
  /** Members that were asked: all that are alive or suspect, ourselves included. */
  readonly members: number
  /** Members that answered. */
  readonly answered: number
  /** Why members refused, or what was wrong with their answers. */
  readonly errors: ReadonlyMap<string, string>
  /** Members that did not answer in time. */
  readonly missing: readonly string[]
  /** What members remarked, such as that a list is cut short; the reasons in `errors` are among these. */
  readonly messages: ReadonlyMap<string, string>
  /** How many members hold each key; empty but for `list`. */
  readonly keys: ReadonlyMap<string, number>
  /** How many members encrypt with each key; empty but for `list`. */
  readonly primaryKeys: ReadonlyMap<string, number>
}

/** Not every member did what was asked. Those that did have done it: `result` says who said what. */
export class KeysError extends MembershipError {
  readonly result: KeysResult

  constructor(message: string, result: KeysResult) {
    super('ERR_KEYS', printable(message))
    this.result = result
  }
}

export interface KeysSetup {
  /** Asks all members, and gives what came once all have answered or the time is up. @throws ClosedError, SizeError, QueryError */
  ask(operation: KeyOperation, payload: Uint8Array, relayFactor: number): Promise<readonly KeyAnswer[]>
  /** Names of those that should answer now, ourselves included. */
  expected(): readonly string[]
}

export class Keys {
  readonly #setup: KeysSetup
  /** Ends with the last change that was asked for. */
  #change: Promise<unknown> = Promise.resolve()
  /** Lists asked for since. */
  readonly #lists = new Set<Promise<unknown>>()

  constructor(setup: KeysSetup) {
    this.#setup = setup
  }

  /** Gives every member the key, so that it can read what others will encrypt with it. 16, 24 or 32 bytes, or their base64.
   *  @throws KeysError where a member refused or did not answer: the others have it. OptionsError, ClosedError */
  async install(key: string | Uint8Array, options: KeyOptions = {}): Promise<KeysResult> {
    return this.#ask('install', key, checked(options))
  }

  /** Makes every member encrypt with the key. Asks first who has it.
   *  @throws KeysError where a member that is here does not have it, or does not say so: nothing is changed then, unless `force` was
   *  given; or where one refused or did not answer: the others use it. OptionsError, ClosedError */
  async use(key: string | Uint8Array, options: UseKeyOptions = {}): Promise<KeysResult> {
    checkObject('options', options)
    checkKeys(options, ['relayFactor', 'force'])
    const { force = false, ...rest } = options
    checkBoolean('force', force)
    return this.#ask('use', key, checked(rest), force)
  }

  /** Takes the key from every member. One that a member encrypts with is refused there.
   *  @throws KeysError where a member refused or did not answer: the others do not have it any more. OptionsError, ClosedError */
  async remove(key: string | Uint8Array, options: KeyOptions = {}): Promise<KeysResult> {
    return this.#ask('remove', key, checked(options))
  }

  /** Who has which keys, and encrypts with which. @throws KeysError where a member did not say. OptionsError, ClosedError */
  async list(options: KeyOptions = {}): Promise<KeysResult> {
    const relayFactor = checked(options)
    const list = this.#change.then(() => this.#run('list', NO_KEY, relayFactor))
    const ended: Promise<unknown> = list.then(ignore, ignore).then(() => this.#lists.delete(ended))
    this.#lists.add(ended)
    return resultOf(await list)
  }

  #ask(change: KeyChange, key: string | Uint8Array, relayFactor: number, isForced = true): Promise<KeysResult> {
    const bytes = parseKey(key, 'key')
    const before = Promise.all([this.#change, ...this.#lists])
    const result = before.then(async () => {
      if (!isForced) await this.#demand(bytes, relayFactor)
      return resultOf(await this.#run(change, bytes, relayFactor))
    })
    this.#change = result.then(ignore, ignore)
    return result
  }

  /** Throws unless everybody who is here has the key. */
  async #demand(key: Uint8Array, relayFactor: number): Promise<void> {
    const wanted = formatKey(key)
    const tally = await this.#run('list', NO_KEY, relayFactor)
    const without = [...tally.keysOf].filter(([, keys]) => !keys.includes(wanted)).map(([name]) => name)
    const { result } = tally
    const unsure = [...without, ...result.errors.keys(), ...result.missing]
    if (unsure.length === 0) return
    const reason = `${unsure.length}/${result.members} nodes do not have the key, or do not say so: ${named(unsure)}`
    throw new KeysError(`${reason}; nothing is changed: install it there first, or give force`, result)
  }

  /** Asks a second time where somebody did not answer: gossip misses a member now and then, and to do it again does nothing. Differs: Serf
   *  asks once. */
  async #run(operation: KeyOperation, key: Uint8Array, relayFactor: number): Promise<Tally> {
    let expected = this.#setup.expected()
    const payload = encodeSerfMessage({ type: 'key-request', key })
    const answers = new Map<string, Uint8Array>()
    for (let round = 1; round <= ROUNDS; round++) {
      for (const answer of await this.#setup.ask(operation, payload, relayFactor))
        answers.set(answer.from, answer.payload)
      if (expected.every((name) => answers.has(name))) break
      // Who is gone since answers no more, and is not missed.
      const here = new Set(this.#setup.expected())
      expected = expected.filter((name) => here.has(name) || answers.has(name))
      if (expected.every((name) => answers.has(name))) break
    }
    return tallied(expected, answers)
  }
}

const NO_KEY: Uint8Array = new Uint8Array(0)

/** How often members are asked that do not answer. */
const ROUNDS = 2

/** Names that an error lists. */
const MAX_NAMED = 10

function ignore(): void {}

function checked(options: KeyOptions): number {
  checkObject('options', options)
  checkKeys(options, ['relayFactor'])
  const { relayFactor = 0 } = options
  checkNumber('relayFactor', relayFactor, { least: 0, most: 255 })
  return relayFactor
}

/** All answers to one question. */
interface Tally {
  readonly result: KeysResult
  /** Keys of each member that told its own. */
  readonly keysOf: ReadonlyMap<string, readonly string[]>
}

function tallied(expected: readonly string[], answers: ReadonlyMap<string, Uint8Array>): Tally {
  const errors = new Map<string, string>()
  const messages = new Map<string, string>()
  const keys = new Map<string, number>()
  const primaryKeys = new Map<string, number>()
  const keysOf = new Map<string, readonly string[]>()
  for (const [from, payload] of answers) {
    const answer = read(payload)
    const message = typeof answer === 'string' ? answer : answer.message
    if (message !== '') messages.set(from, message)
    if (typeof answer === 'string' || !answer.result) {
      errors.set(from, message)
      continue
    }
    keysOf.set(from, answer.keys)
    for (const key of new Set(answer.keys)) count(keys, key)
    // Differs: Serf counts whoever names no primary key as one that has the empty one.
    if (answer.primaryKey !== '') count(primaryKeys, answer.primaryKey)
  }
  const missing = expected.filter((name) => !answers.has(name))
  const members = missing.length + answers.size
  const result: KeysResult = { members, answered: answers.size, errors, missing, messages, keys, primaryKeys }
  return { result: Object.freeze(result), keysOf }
}

/** The answer, or what is wrong with it. */
function read(payload: Uint8Array): SerfKeyResponse | string {
  try {
    const message = decodeSerfMessage(payload)
    return message.type === 'key-response' ? message : `the answer is a ${message.type}`
  } catch (error) {
    return `the answer cannot be read: ${error instanceof Error ? error.message : String(error)}`
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

/** The result, where all went well. The texts begin as Serf's do. */
function resultOf({ result }: Tally): KeysResult {
  const { members, answered, errors, missing } = result
  if (errors.size > 0) {
    const reasons = [...errors].map(([name, message]) => `${name}: ${message || 'no reason'}`)
    throw new KeysError(`${errors.size}/${members} nodes reported failure: ${named(reasons)}`, result)
  }
  if (missing.length > 0) {
    throw new KeysError(`${answered}/${members} nodes reported success; no answer of ${named(missing)}`, result)
  }
  return result
}

function named(names: readonly string[]): string {
  const first = names.slice(0, MAX_NAMED).join(', ')
  return names.length > MAX_NAMED ? `${first} and ${names.length - MAX_NAMED} others` : first
}
