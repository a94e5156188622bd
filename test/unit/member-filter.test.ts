import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { filterOf, type MemberFilter } from '../../src/member-filter.ts'
import type { Member, MemberState } from '../../src/serf/members.ts'

function member(state: MemberState, tags: Readonly<Record<string, string>> = {}): Member {
  return { state, tags, rawTags: tags } as Member
}

describe('a filter of members', () => {
  it('that asks for nothing is none', () => {
    for (const filter of [{}, { state: undefined }, { tags: {} }, { tags: undefined }]) {
      assert.equal(filterOf(filter as MemberFilter), undefined)
    }
  })

  it('takes one state, several, and none at all', () => {
    const states = ['alive', 'suspect', 'leaving', 'left', 'dead'] as const
    const taken = (state: MemberFilter['state'] & {}) => states.filter((one) => filterOf({ state })?.(member(one)))
    assert.deepEqual(taken('left'), ['left'])
    assert.deepEqual(taken(['suspect', 'alive']), ['alive', 'suspect'])
    assert.deepEqual(taken(states), states)
    assert.deepEqual(taken([]), [])
  })

  it('takes tags that are there with these very values, all of them, and the state beside them', () => {
    const filter = filterOf({ state: 'alive', tags: { role: 'log', zone: 'a' } }) ?? assert.fail()
    assert.equal(filter(member('alive', { role: 'log', zone: 'a', more: '1' })), true)
    assert.equal(filter(member('dead', { role: 'log', zone: 'a' })), false)
    assert.equal(filter(member('alive', { role: 'log' })), false)
    assert.equal(filter(member('alive', { role: 'log', zone: 'b' })), false)
    assert.equal(filterOf({ tags: { constructor: 'Object' } })?.(member('alive')), false)
  })

  for (const [what, filter, option, value] of [
    ['no object', [], 'filter', []],
    ['a misspelt key', { tag: { role: 'log' } }, 'tag', { role: 'log' }],
    ['a state in capitals', { state: 'Alive' }, 'state', 'Alive'],
    ['a state that is none among others', { state: ['alive', 'failed'] }, 'state', ['alive', 'failed']],
    ['null for a state', { state: null }, 'state', null],
    ['null for tags', { tags: null }, 'tags', null],
    ['a list for tags', { tags: ['role'] }, 'tags', ['role']],
    ['a number for a tag', { tags: { port: 80 } }, 'tags.port', 80],
  ] as const) {
    it(`with ${what} is an OptionsError that names it`, () => {
      assert.throws(() => filterOf(filter as never), { code: 'ERR_OPTIONS', option, value })
    })
  }
})
