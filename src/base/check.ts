// Checking what a user gave: shared by every room that owns options. Throws `OptionsError` and nothing else.
import { OptionsError } from './errors.ts'

/** What a numeric option may be. */
export interface NumberRule {
  readonly least: number
  readonly most: number
  /** Fractions are allowed; otherwise only whole numbers. */
  readonly fraction?: boolean
}

/** Names an error lists. */
const MAX_NAMES_LISTED = 10

/** The same object without keys whose value is `undefined`, so that a spread does not erase a default. */
export function definedOnly<Options extends object>(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options
}

/** Throws unless `value` is a number that fits `rule`. */
export function checkNumber(option: string, value: unknown, rule: NumberRule): void {
  const kind = rule.fraction === true ? 'a number' : 'a whole number'
  const fits =
    typeof value === 'number' &&
    value >= rule.least &&
    value <= rule.most &&
    (rule.fraction === true || Number.isInteger(value))
  if (!fits) throw new OptionsError(option, value, `must be ${kind} from ${rule.least} to ${rule.most}`)
}

/** Throws unless `value` is an object, not a list, not nothing: callers without types forget. */
export function checkObject(option: string, value: unknown): void {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isObject) throw new OptionsError(option, value, 'must be an object')
}

/** Throws for a key that `known` does not name: most likely it is misspelt. One whose value is `undefined` counts as not given.
 *  @param isHidden keep the value out of the error: it may be a secret */
export function checkKeys(given: object, known: Iterable<string>, isHidden = false): void {
  const names = new Set(known)
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || names.has(key)) continue
    // So many that nobody reads them are not listed.
    const list = names.size > MAX_NAMES_LISTED ? '' : `: there is ${[...names].join(', ')}`
    throw new OptionsError(key, isHidden ? '(hidden)' : value, `there is no such option${list}`)
  }
}

/** Throws unless `value` can be the name of a member: callers without types forget. */
export function checkName(option: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw new OptionsError(option, value, 'must be the name of a member')
}

/** Throws unless `signal` is absent or an abort signal, by its shape. */
export function checkSignal(signal: unknown): void {
  if (signal === undefined) return
  const given = (typeof signal === 'object' && signal !== null ? signal : {}) as Partial<
    Record<'aborted' | 'addEventListener', unknown>
  >
  const isSignal = typeof given.aborted === 'boolean' && typeof given.addEventListener === 'function'
  if (!isSignal) throw new OptionsError('signal', signal, 'must be an AbortSignal')
}

/** Throws unless `value` is true or false. */
export function checkBoolean(option: string, value: unknown): void {
  if (typeof value !== 'boolean') throw new OptionsError(option, value, 'must be true or false')
}
