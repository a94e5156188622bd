import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { utf8 } from '../../../src/base/bytes.ts'
import { encodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import type { SerfMember } from '../../../src/wire/types.ts'
import { amongGhosts, answer, asked } from './query-support.ts'
import { addressOf, alive, Mesh, type Station } from './support.ts'

/** Somebody at 10.0.0.<number> says that our name is its own. */
function rival(mesh: Mesh, us: Station, number = 66): void {
  mesh.feed(us, alive(number, 9, { node: 'us' }))
}

/** The voice of one who knows us at 10.0.0.<number>, or nobody of our name. */
function vote(number: number | undefined): Uint8Array {
  const { ip: addr, port } = addressOf(number ?? 1)
  const member: SerfMember = { name: 'us', addr, port, tags: new Map(), status: 1, vsn: new Uint8Array(6) }
  return encodeSerfMessage({ type: 'conflict-response', member: number === undefined ? null : member })
}

/** A rival comes, which says whether it is there, and each ghost from 2 on gives its voice; absent: what it sends instead. Gives the notices of the end. */
function afterVotes(voices: readonly (number | undefined | Uint8Array)[], isThere = true): string[] {
  const { mesh, us } = amongGhosts(voices.length + 2)
  rival(mesh, us)
  mesh.run(700)
  const { ltime, id } = asked(mesh, 'us')
  voices.forEach((voice, at) => {
    const payload = voice instanceof Uint8Array ? voice : vote(voice)
    mesh.tell(us, answer(`ghost-${at + 2}`, ltime, id, { payload }))
  })
  if (isThere) mesh.tell(us, answer('us', ltime, id, { flags: 1 }))
  us.told()
  mesh.run(6500)
  return us
    .told()
    .map((notice) => (notice.type === 'warning' ? notice.code : notice.type))
    .filter((type) => !['member-suspect', 'member-dead', 'conflict'].includes(type))
}

const LOST = ['conflict-lost', 'conflict-lost']

describe('two of one name', () => {
  test('who learns of another by its name asks everybody', () => {
    const { mesh, us } = amongGhosts(3)
    rival(mesh, us)
    mesh.run(700)
    const { name, payload, filters, flags, relayFactor } = asked(mesh, 'us')
    assert.deepEqual([name, payload, filters, flags, relayFactor], ['_serf_conflict', utf8('us'), [], 1, 0])
  })

  test('a conflict that comes before the members is about those as well', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1)
    const claim = alive(66, 9, { node: 'us' })
    mesh.exchange(us, { members: [claim, alive(2), alive(3)] })
    mesh.run(700)
    assert.equal(asked(mesh, 'us').name, '_serf_conflict')
  })

  test('a conflict about another name is none of ours', () => {
    const { mesh, us } = amongGhosts(3)
    mesh.feed(us, alive(66, 9, { node: 'ghost-3' }))
    mesh.run(1000)
    assert.ok(us.told().some(({ type }) => type === 'conflict'))
    assert.ok(mesh.gossiped('us').every(({ type }) => type !== 'query'))
  })

  test('SF-80: it stays with more than half of the voices, and goes without', () => {
    assert.deepEqual(afterVotes([1, 1, 66]), [])
    assert.deepEqual(afterVotes([1, 66, 66]), LOST)
    assert.deepEqual(afterVotes([1, 66]), LOST, 'half is not enough')
    assert.deepEqual(afterVotes([1, undefined]), LOST, 'one that knows nobody of the name has a voice')
    assert.deepEqual(afterVotes([66]), LOST)
    assert.deepEqual(afterVotes([1]), [])
  })

  test('the same endpoint in 16 bytes is ours', () => {
    const addr = Uint8Array.from([...new Array<number>(10).fill(0), 0xff, 0xff, 10, 0, 0, 1])
    const member: SerfMember = { name: 'us', addr, port: 7946, tags: new Map(), status: 1, vsn: new Uint8Array(6) }
    assert.deepEqual(afterVotes([encodeSerfMessage({ type: 'conflict-response', member })]), [])
  })

  test('what is no voice does not count', () => {
    const broken = [new Uint8Array(0), Uint8Array.of(6), Uint8Array.of(8, 0x80), utf8('yes')]
    assert.deepEqual(afterVotes([...broken, 1]), [])
    assert.deepEqual(afterVotes([...broken, 66]), LOST)
  })

  test('a voice with an address of no length counts, and is not for us', () => {
    const member: SerfMember = {
      name: 'us',
      addr: new Uint8Array(3),
      port: 7946,
      tags: new Map(),
      status: 1,
      vsn: new Uint8Array(6),
    }
    assert.deepEqual(afterVotes([encodeSerfMessage({ type: 'conflict-response', member })]), LOST)
  })

  test('against one that does not answer itself no vote is lost', () => {
    assert.deepEqual(afterVotes([66, 66, 66], false), ['conflict-undecided'])
    assert.deepEqual(afterVotes([1, 1, 66], false), [])
  })

  test('SF-82: without a single voice it stays, and warns', () => {
    assert.deepEqual(afterVotes([]), ['conflict-undecided'])
  })

  test('SF-81: with the option off nobody is asked, and it stays', () => {
    const { mesh, us } = amongGhosts(3, { resolveConflicts: false })
    rival(mesh, us)
    mesh.run(7000)
    assert.ok(mesh.gossiped('us').every(({ type }) => type !== 'query'))
    const types = us.told().map(({ type }) => type)
    assert.ok(types.includes('conflict') && !types.includes('conflict-lost'))
  })

  test('one vote at a time, and not for every claim that comes', () => {
    const { mesh, us } = amongGhosts(3, { queryTimeoutMult: 200 })
    for (let round = 0; round < 60; round++) {
      rival(mesh, us)
      mesh.run(500)
    }
    // 30 s: three notices of a conflict, one vote of 40 s.
    const ids = mesh.gossiped('us').flatMap((message) => (message.type === 'query' ? [message.id] : []))
    assert.equal(new Set(ids).size, 1)
  })

  test('it asks again for a rival that stays, but at most once in ten seconds', () => {
    const { mesh, us } = amongGhosts(3)
    for (let round = 0; round < 50; round++) {
      rival(mesh, us)
      mesh.run(500)
    }
    const ids = mesh.gossiped('us').flatMap((message) => (message.type === 'query' ? [message.id] : []))
    assert.equal(new Set(ids).size, 3)
  })

  test('who leaves anyway does not ask', () => {
    const { mesh, us } = amongGhosts(3)
    mesh.call(us, (serf, now) => serf.leave(now))
    rival(mesh, us)
    mesh.run(500)
    assert.ok(mesh.gossiped('us').every(({ type }) => type !== 'query'))
  })
})
