import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_BYTES } from '../../../src/base/bytes.ts'
import { newRecord } from '../../../src/swim/claims.ts'
import type { MemberRecord } from '../../../src/swim/member.ts'
import { encodedOf, OurState } from '../../../src/swim/our-state.ts'
import { encodePushPull } from '../../../src/wire/swim-messages.ts'
import { WireState } from '../../../src/wire/types.ts'
import { at, metaOf, pushPull, row, VERSIONS } from './support.ts'

function record(number: number): MemberRecord {
  const made = newRecord(`m${number}`, at(number), 0)
  return Object.assign(made, { vsn: VERSIONS, meta: NO_BYTES, incarnation: number, status: 'alive' })
}

describe('what we tell in an exchange', () => {
  it('is every member with its state, in the order given, and what the layer above adds', () => {
    const members = [record(3), record(1), record(2)]
    Object.assign(members[1] as MemberRecord, { status: 'left' })
    Object.assign(members[2] as MemberRecord, { status: 'suspect', meta: metaOf('two') })
    const userState = Uint8Array.of(2, 0x80)
    const rows = [
      row('m3', WireState.alive, 3),
      row('m1', WireState.left, 1),
      row('m2', WireState.suspect, 2, { meta: metaOf('two') }),
    ]
    for (const join of [true, false]) {
      assert.deepEqual(
        new OurState().encode(members, userState, join),
        encodePushPull(pushPull(rows, { join, userState })),
      )
    }
  })

  it('is the very same bytes until something changes, with and without the join flag', () => {
    const ours = new OurState()
    const members = [record(1), record(2)]
    const plain = ours.encode(members, NO_BYTES, false)
    const joining = ours.encode(members, NO_BYTES, true)
    assert.notDeepEqual(plain, joining)
    assert.equal(ours.encode(members, NO_BYTES, false), plain)
    assert.equal(ours.encode(members, NO_BYTES, true), joining)
  })

  it('is made anew after every kind of change, and is then what a fresh encoding is', () => {
    const userState = Uint8Array.of(2)
    const changes: readonly ((members: MemberRecord[]) => void)[] = [
      ([one]) => Object.assign(one as MemberRecord, { incarnation: 9 }),
      ([one]) => Object.assign(one as MemberRecord, { status: 'dead' }),
      ([one]) => Object.assign(one as MemberRecord, { meta: metaOf('new') }),
      ([one]) => Object.assign(one as MemberRecord, { vsn: Uint8Array.of(1, 5, 2, 2, 5, 4) }),
      ([one]) => Object.assign(one as MemberRecord, { vsn: new Uint8Array(6) }),
      ([one]) => Object.assign(one as MemberRecord, { address: at(77) }),
      (members) => members.push(record(9)),
      (members) => members.pop(),
      (members) => members.shift(),
      (members) => members.reverse(),
      (members) => members.splice(0, 1, record(1)),
    ]
    for (const change of changes) {
      const ours = new OurState()
      const members = [record(1), record(2), record(3)]
      const before = [ours.encode(members, userState, false), ours.encode(members, userState, true)]
      change(members)
      const after = [ours.encode(members, userState, false), ours.encode(members, userState, true)]
      const fresh = [new OurState().encode(members, userState, false), new OurState().encode(members, userState, true)]
      assert.deepEqual(after, fresh)
      if (String(change).includes('splice')) continue // another record that says the same
      assert.notDeepEqual(after, before, String(change))
    }
  })

  it('takes other bytes of the layer above, though no member has changed', () => {
    const ours = new OurState()
    const members = [record(1)]
    for (const join of [true, false]) {
      const first = ours.encode(members, Uint8Array.of(1), join)
      const second = ours.encode(members, Uint8Array.of(2), join)
      assert.deepEqual([first.at(-1), second.at(-1)], [1, 2])
    }
  })

  it('what is kept of a member shares no memory with what was encoded around it', () => {
    const bytes = encodedOf(record(4))
    assert.equal(bytes.buffer.byteLength, bytes.length)
  })

  it('a member is encoded once and not again until it changes', () => {
    const member = record(4)
    const bytes = encodedOf(member)
    assert.equal(encodedOf(member), bytes)
    member.incarnation++
    assert.notDeepEqual(encodedOf(member), bytes)
  })
})
