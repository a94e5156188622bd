// The user's `validateTags`: makes of the texts that a member tells of itself what the program wants to work with. Ours must fit, or are
// refused at once; of another's that do not fit there is a warning, and the member has no tags but the raw ones. Never thrown out of in
// the middle of things, and nothing is changed meanwhile. When it is asked is serf/members.ts's.
// Source of the interface: Standard Schema 1.0 (https://standardschema.dev), which zod, valibot, arktype and others speak.
import { OptionsError } from './base/errors.ts'
import type { Driver } from './driver/driver.ts'
import type { Host } from './driver/host.ts'
import type { RawTags, ReadTags } from './serf/members.ts'

/** As much of Standard Schema as we use: any object that has this. */
export interface TagsSchema<Tags> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    /** Gives a value, or says why not. Given the tags as texts. A promise is refused: members are looked at in the middle of things. */
    readonly validate: (value: unknown) => SchemaResult<Tags> | Promise<SchemaResult<Tags>>
    /** For types alone: what it gives. */
    readonly types?: { readonly input: unknown; readonly output: Tags } | undefined
  }
}

export type SchemaResult<Value> =
  | { readonly value: Value; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** Issues that a message lists. */
const MAX_ISSUES_SHOWN = 3

/** @throws OptionsError where it is no schema */
export function checkSchema(schema: unknown): asserts schema is TagsSchema<unknown> {
  // Schemas are functions with some libraries.
  const isHolder = (typeof schema === 'object' && schema !== null) || typeof schema === 'function'
  const standard = isHolder ? (schema as Partial<Record<'~standard', unknown>>)['~standard'] : undefined
  const { version, validate } = (typeof standard === 'object' && standard !== null ? standard : {}) as Partial<
    Record<'version' | 'validate', unknown>
  >
  if (version === 1 && typeof validate === 'function') return
  throw new OptionsError('validateTags', schema, "must be a Standard Schema of version 1: an object with '~standard'")
}

/** Throws unless our own tags fit. What the schema itself throws goes to the caller.
 *  @throws OptionsError that says what does not fit, or that the schema answers with a promise */
export function checkOwnTags(schema: TagsSchema<unknown> | undefined, tags: RawTags): void {
  if (schema === undefined) return
  const { issues } = validate(schema, tags)
  if (issues !== undefined) throw new OptionsError('tags', tags, `must fit validateTags: ${describe(issues)}`)
}

/** What a host sees as a member's tags; `undefined` where they do not fit. What the schema throws surfaces as an uncaught exception of the
 *  host, in a turn of its own. */
export function tagsReader(
  schema: TagsSchema<unknown>,
  driver: Pick<Driver, 'ask' | 'warnLater'>,
  host: Pick<Host, 'defer'>,
): ReadTags {
  /** `accept` is shown a member right before it comes in: the same tags are not validated twice. */
  let last: { readonly name: string; readonly rawTags: RawTags; readonly tags: unknown } | undefined
  return (rawTags, name) => {
    if (last !== undefined && last.name === name && isSame(last.rawTags, rawTags)) return last.tags
    const tags = read(rawTags, name)
    last = { name, rawTags, tags }
    return tags
  }

  function read(rawTags: RawTags, name: string): unknown {
    try {
      const result = driver.ask('validateTags', () => validate(schema, rawTags))
      if (result.issues === undefined) return result.value
      driver.warnLater('tags-invalid', `the tags of ${name} do not fit: ${describe(result.issues)}`)
    } catch (error) {
      host.defer(() => {
        throw error
      })
    }
    return undefined
  }
}

/** @throws OptionsError where the answer is none, or a promise */
function validate(schema: TagsSchema<unknown>, tags: RawTags): SchemaResult<unknown> {
  // A copy: there are libraries that change what they are given into what they give.
  const result: unknown = schema['~standard'].validate({ ...tags })
  if (typeof result === 'object' && result !== null) {
    if (!('then' in result)) return result as SchemaResult<unknown>
    // Nobody waits for it: where it rejects later, that is the same mistake.
    Promise.resolve(result).catch(() => {})
  }
  throw new OptionsError('validateTags', schema, 'must answer at once, with a value or issues, and with no promise')
}

function describe(issues: readonly SchemaIssue[]): string {
  const shown = issues.slice(0, MAX_ISSUES_SHOWN).map(({ path = [], message }) => {
    const place = path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.')
    return place === '' ? message : `${place}: ${message}`
  })
  const more = issues.length - shown.length
  return shown.join('; ') + (more > 0 ? `; and ${more} more` : '')
}

function isSame(left: RawTags, right: RawTags): boolean {
  const names = Object.keys(left)
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && left[name] === right[name])
  )
}
