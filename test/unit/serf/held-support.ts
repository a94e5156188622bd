// What the tests of news that is held back share: a machine that holds it, and what it has told.
import assert from 'node:assert/strict'
import { utf8 } from '../../../src/base/bytes.ts'
import { encodeTags } from '../../../src/wire/tags.ts'
import type { Alive, SerfUserEvent } from '../../../src/wire/types.ts'
import { alive, Mesh, type Station } from './support.ts'

/** The periods of Serf's agent. */
export const HELD = {
  coalescePeriodMs: 3000,
  quiescentPeriodMs: 1000,
  userCoalescePeriodMs: 3000,
  userQuiescentPeriodMs: 1000,
}

export const log = (tags: Readonly<Record<string, string>>): Partial<Alive> => ({ meta: encodeTags(tags) })

export function event(ltime: number, name: string, payload = '', coalesce = true): SerfUserEvent {
  return { type: 'user-event', ltime, name, payload: utf8(payload), coalesce }
}

/** A machine that holds news back and knows ghosts 2 and 3, of which it has told. */
export function knowing(options = {}): { readonly mesh: Mesh; readonly us: Station } {
  const mesh = new Mesh()
  const us = mesh.add('us', 1, { ...HELD, ...options })
  mesh.feed(us, alive(2), alive(3))
  mesh.run(1000)
  assert.deepEqual(us.toldInShort(), ['member-join ghost-2', 'member-join ghost-3'])
  return { mesh, us }
}

/** `ghost-2 join alive x` for each notice since the last call: name, kind, state, the tag `v`. */
export function told(us: Station): string[] {
  return us.told().map((notice) => {
    if (!('member' in notice)) return notice.type
    const { name, state, rawTags } = notice.member
    return [name, notice.type.slice('member-'.length), state, rawTags.v].filter((word) => word !== undefined).join(' ')
  })
}
