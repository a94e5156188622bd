// Which members a caller wants listed. Checks the filter as it was given: one that is misspelt would list everyone, or nobody.
import { checkKeys, checkObject } from './base/check.ts'
import { OptionsError } from './base/errors.ts'
import { checkTags } from './options.ts'
import type { AnyMember, MemberState } from './serf/members.ts'

/** Which members to list; all conditions must hold. */
export interface MemberFilter {
  /** One state, or any of several. */
  readonly state?: MemberState | readonly MemberState[]
  /** Tags that must have exactly these values, as texts: `rawTags` where the tags are validated. */
  readonly tags?: Readonly<Record<string, string>>
}

const STATES: readonly unknown[] = Object.keys({
  alive: true,
  suspect: true,
  leaving: true,
  left: true,
  dead: true,
} satisfies Record<MemberState, true>)

/** A test of members; `undefined` where all are wanted. @throws OptionsError */
export function filterOf(filter: MemberFilter): ((member: AnyMember) => boolean) | undefined {
  checkObject('filter', filter)
  checkKeys(filter, ['state', 'tags'])
  const { state, tags = {} } = filter
  const states: readonly unknown[] | undefined = state === undefined ? undefined : [state].flat()
  if (states?.every((one) => STATES.includes(one)) === false) {
    throw new OptionsError('state', state, `must be one or several of ${STATES.join(', ')}`)
  }
  checkTags(tags)
  const wanted = Object.entries(tags)
  if (states === undefined && wanted.length === 0) return undefined
  return (member) =>
    (states === undefined || states.includes(member.state)) &&
    wanted.every(([key, value]) => Object.hasOwn(member.rawTags, key) && member.rawTags[key] === value)
}
