// The bound of the member list.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Deadlines } from '../../../src/base/deadlines.ts'
import { makeRoom } from '../../../src/serf/member-limit.ts'
import { SerfMembers, type SerfStatus } from '../../../src/serf/members.ts'
import type { SerfNotice } from '../../../src/serf/notices.ts'
import { RecentIntents } from '../../../src/serf/recent-intents.ts'
import type { SerfState } from '../../../src/serf/state.ts'
import { newRecord } from '../../../src/swim/claims.ts'
import { MAX_MEMBERS, type MemberRecord } from '../../../src/swim/member.ts'
import { Outbox } from '../../../src/swim/outbox.ts'
import { addressOf } from './support.ts'

/** A list of `count` members, `n0` and on: one by one gone at a later time, but every tenth alive and every eleventh held by SWIM. */
function listOf(count: number) {
  const members = new SerfMembers('us')
  const held = new Map<string, MemberRecord>()
  for (let at = 0; at < count; at++) {
    const swim = newRecord(`n${at}`, addressOf(at % 250), 0)
    const status: SerfStatus = at % 10 === 0 ? 'alive' : at % 2 === 0 ? 'left' : 'failed'
    if (at % 10 === 0 || at % 11 === 0) held.set(swim.name, swim)
    members.add({ name: swim.name, swim, status, statusLtime: 0, goneAt: count - at, conflictToldAt: 0 })
  }
  const outbox = new Outbox<SerfNotice>()
  const swim = { member: (name: string) => held.get(name) }
  const parts = { name: 'us', members, outbox, swim, deadlines: new Deadlines(), recentIntents: new RecentIntents() }
  return { members, outbox, state: parts as unknown as SerfState }
}

describe('makeRoom', () => {
  it('leaves a list alone that is not full', () => {
    const { state, members, outbox } = listOf(MAX_MEMBERS - 1)
    makeRoom(state)
    assert.deepEqual([members.size, outbox.size], [MAX_MEMBERS - 1, 0])
  })

  it('in a full one erases those longest gone, with member-reap; who is here, or held by SWIM, stays', () => {
    const { state, members, outbox } = listOf(MAX_MEMBERS)
    makeRoom(state)
    const step = MAX_MEMBERS / 16
    assert.equal(members.size, MAX_MEMBERS - step)
    const reaped = outbox.take().map((effect) => {
      assert.ok(effect.kind === 'notify' && effect.notice.type === 'member-reap')
      return Number(effect.notice.member.name.slice(1))
    })
    assert.equal(reaped.length, step)
    assert.ok(reaped.every((at) => at % 10 !== 0 && at % 11 !== 0))
    // The last of the list have been gone the longest.
    assert.equal(reaped[0], MAX_MEMBERS - 1)
    assert.ok(Math.min(...reaped) > MAX_MEMBERS - 1.3 * step, `${Math.min(...reaped)}`)
  })
})
