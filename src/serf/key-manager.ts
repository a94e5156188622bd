// Keys changed while the cluster runs (serf-behaviour §33): what one member does when an operator's query asks it to install, use, remove
// or list keys. One change after the other; where the keys are kept in a file too, it is rewritten before the keys change and before
// that is answered. Knows neither how a query came nor how the answer goes, and never tells a key to anybody but who asked for the list.
//
//   asked ──► waiting ──first in line──► file is written ──stored──► the keys change ──► answered
import { DecodeError, OptionsError } from '../base/errors.ts'
import { tracer } from '../base/log.ts'
import { formatKey, Keyring } from '../wire/keyring.ts'
import { decodeSerfMessage, encodeSerfMessage } from '../wire/serf-messages.ts'
import type { KeyAsker, KeyChange, KeyOperation, Keys } from './key-state.ts'
import { formatKeyringFile } from './keyring-file.ts'
import type { SerfState } from './state.ts'

const trace = tracer('serf:keys')

/** What of the state this file touches. */
type KeysPart = Pick<SerfState, 'keys' | 'outbox'>

/** Changes that wait at once. An operator makes one at a time. */
export const MAX_WAITING_CHANGES = 64

/** Keys that a query may bring the keyring to. Each is tried on whatever comes and no key opens; a rotation needs two.
 *  Differs: Serf installs keys without end. */
export const MAX_INSTALLED_KEYS = 128

const NO_KEYRING: Readonly<Record<KeyOperation, string>> = {
  install: 'No keyring to modify (encryption not enabled)',
  use: 'No keyring to modify (encryption not enabled)',
  remove: 'No keyring to modify (encryption not enabled)',
  list: 'Keyring is empty (encryption not enabled)',
}

/** What is answered while encryption comes in by rounds of restarts. Differs: Serf then tells its keys in the clear to whoever asks, and takes
 *  keys of anybody. */
const STAGED =
  'Keys are neither told nor changed while plain messages are taken or sent (verifyIncoming, verifyOutgoing)'

/** Does what a key query asks, now or when its turn has come, and answers it once. */
export function receiveKeyQuery(
  state: KeysPart,
  operation: KeyOperation,
  payload: Uint8Array,
  asker: KeyAsker,
  now: number,
): void {
  if (state.keys.isStaged) {
    asker.answer(answerOf(false, STAGED), now)
    return
  }
  if (operation === 'list') {
    // Whatever it holds: Serf does not look at it either.
    asker.answer(listed(state.keys, asker), now)
    return
  }
  const key = keyOf(payload)
  const { keyring, waiting, isWriting } = state.keys
  if (key === undefined) {
    const message = `a query to ${operation} a key holds none`
    state.outbox.notify({ type: 'warning', code: 'message-invalid', message })
    // Differs: older agents of Serf crash on it, and newer ones give no reason.
    asker.answer(answerOf(false, 'Invalid key request payload'), now)
  } else if (keyring === undefined) {
    asker.answer(answerOf(false, NO_KEYRING[operation]), now)
  } else if (waiting.length >= MAX_WAITING_CHANGES) {
    asker.answer(answerOf(false, `${waiting.length} changes of keys wait already`), now)
  } else {
    waiting.push({ change: operation, key, asker })
    if (!isWriting) changeNext(state, now)
  }
}

/** The file is written, or could not be.
 *  Differs: Serf changes its keys first, and keeps the change also where it answers that it failed. */
export function keysStored(state: KeysPart, error: string | undefined, now: number): void {
  const { keys, outbox } = state
  keys.isWriting = false
  const first = keys.waiting.shift()
  if (first === undefined) return
  if (error === undefined) {
    changed(state, first.change, first.key)
    first.asker.answer(answerOf(true, ''), now)
  } else {
    const message = `Failed to write keyring file: ${error}`
    outbox.notify({ type: 'warning', code: 'keyring-unwritten', message: `${message}; the keys stay as they were` })
    first.asker.answer(answerOf(false, message), now)
  }
  changeNext(state, now)
}

/** Goes on with those that wait, up to one that must be written first. */
function changeNext(state: KeysPart, now: number): void {
  const { keys, outbox } = state
  for (let first = keys.waiting[0]; first !== undefined; first = keys.waiting[0]) {
    const { change, key, asker } = first
    const next = new Keyring((keys.keyring as Keyring).inOrder)
    const refusal = apply(next, change, key)
    if (refusal === undefined && keys.hasFile) {
      keys.isWriting = true
      outbox.notify({ type: 'store-keys', bytes: formatKeyringFile(next.inOrder) })
      return
    }
    keys.waiting.shift()
    if (refusal === undefined) changed(state, change, key)
    asker.answer(answerOf(refusal === undefined, refusal ?? ''), now)
  }
}

function changed({ keys }: KeysPart, change: KeyChange, key: Uint8Array): void {
  const keyring = keys.keyring as Keyring
  apply(keyring, change, key)
  trace('%s a key of %d bytes: there are %d now', change, key.length, keyring.inOrder.length)
}

/** Changes `keyring`, or gives the reason why not, and changes nothing. */
function apply(keyring: Keyring, change: KeyChange, key: Uint8Array): string | undefined {
  try {
    if (change === 'use') keyring.use(key)
    else if (change === 'remove') keyring.remove(key)
    else if (keyring.inOrder.length >= MAX_INSTALLED_KEYS && !keyring.has(key)) return 'the keyring is full'
    else keyring.add(key)
    return undefined
  } catch (error) {
    if (error instanceof OptionsError) return error.limit
    throw error
  }
}

function keyOf(payload: Uint8Array): Uint8Array | undefined {
  try {
    const message = decodeSerfMessage(payload)
    return message.type === 'key-request' ? message.key : undefined
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

function answerOf(result: boolean, message: string, keys: readonly string[] = [], primaryKey = ''): Uint8Array {
  return encodeSerfMessage({ type: 'key-response', result, message, keys, primaryKey })
}

/** All keys, or as many as an answer holds, with a note. */
function listed({ keyring }: Keys, asker: KeyAsker): Uint8Array {
  if (keyring === undefined) return answerOf(false, NO_KEYRING.list)
  const keys = keyring.inOrder.map(formatKey)
  const primary = formatKey(keyring.primary)
  const all = answerOf(true, '', keys, primary)
  if (asker.fits(all)) return all
  const first = (count: number): Uint8Array => {
    const note = `truncated key list response, showing first ${count} of ${keys.length} keys`
    return answerOf(true, note, keys.slice(0, count), primary)
  }
  let least = 0
  for (let most = keys.length - 1; least < most; ) {
    const middle = Math.ceil((least + most) / 2)
    if (asker.fits(first(middle))) least = middle
    else most = middle - 1
  }
  return first(least)
}
