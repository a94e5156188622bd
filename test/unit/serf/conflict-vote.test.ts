import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { utf8 } from '../../../src/base/bytes.ts'
import { encodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import type { SerfMember, SerfMessage } from '../../../src/wire/types.ts'
import { amongGhosts, answer, asked, request } from './query-support.ts'
import { addressOf, alive, dead, Mesh, type Station } from './support.ts'

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

/** As a packet holds it. */
function asUser(message: SerfMessage): { type: 'user'; payload: Uint8Array } {
  return { type: 'user', payload: encodeSerfMessage(message) }
}

/** A rival comes, which says whether it is there, and each ghost from 2 on gives its voice; absent: what it sends instead. Gives the notices of the end. */
function afterVotes(
  voices: readonly (number | undefined | Uint8Array)[],
  isThere = true,
  invented: readonly number[] = [],
): string[] {
  const { mesh, us } = amongGhosts(voices.length + 2)
  rival(mesh, us)
  mesh.run(700)
  const { ltime, id } = asked(mesh, 'us')
  voices.forEach((voice, at) => {
    const payload = voice instanceof Uint8Array ? voice : vote(voice)
    mesh.tell(us, answer(`ghost-${at + 2}`, ltime, id, { payload }))
  })
  invented.forEach((voice, at) => {
    mesh.tell(us, answer(`invented-${at}`, ltime, id, { payload: vote(voice) }))
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

  test('the other one is asked straight too: gossip leaves one out now and then', () => {
    const { mesh, us } = amongGhosts(3)
    rival(mesh, us)
    mesh.run(700)
    const { payload } = asUser(asked(mesh, 'us'))
    const toRival = mesh.sent.filter(({ from, to }) => from === 'us' && to === 'ghost-66')
    assert.deepEqual(
      toRival.map(({ message }) => message),
      [{ type: 'user', payload }],
    )
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

  test('names that nobody knows have a voice only where no member has', () => {
    assert.deepEqual(afterVotes([1, 1], true, [66, 66, 66, 66]), [])
    assert.deepEqual(afterVotes([66], true, [1, 1, 1]), LOST)
    assert.deepEqual(afterVotes([], true, [66, 66, 1]), LOST)
    assert.deepEqual(afterVotes([], true, [1]), [])
  })

  test('who has answered does not end it: one that is gone for us may have a voice', () => {
    const { mesh, us } = amongGhosts(4)
    mesh.feed(us, dead(4))
    rival(mesh, us)
    mesh.run(700)
    const { ltime, id } = asked(mesh, 'us')
    us.told()
    for (const flags of [1, 0]) {
      for (const from of ['ghost-2', 'ghost-3', 'us']) {
        mesh.tell(us, answer(from, ltime, id, { flags, payload: flags === 0 ? vote(1) : new Uint8Array(0) }))
      }
    }
    mesh.tell(us, ...['ghost-4', 'x', 'y'].map((from) => answer(from, ltime, id, { payload: vote(66) })))
    mesh.run(6500)
    assert.ok(
      us.told().every((notice) => notice.type !== 'warning'),
      'two of three members are for us',
    )
  })

  test('the user’s limits are not those of a vote', () => {
    const { mesh, us } = amongGhosts(3, { querySizeLimit: 60 })
    rival(mesh, us)
    mesh.run(700)
    assert.equal(asked(mesh, 'us').name, '_serf_conflict')
    const other = amongGhosts(3)
    for (let count = 0; count < 1024; count++) other.mesh.call(other.us, (serf, now) => serf.query(request(), now))
    rival(other.mesh, other.us)
    other.us.told()
    other.mesh.run(700)
    assert.ok(other.us.told().every((notice) => notice.type !== 'warning' || notice.code !== 'conflict-undecided'))
  })

  test('a name so long that no packet holds the question is a warning each time, and ends nothing', () => {
    const mesh = new Mesh()
    const name = '€'.repeat(300)
    const us = mesh.add(name, 1)
    mesh.feed(us, alive(2), alive(3))
    us.told()
    for (let round = 0; round < 2; round++) {
      mesh.feed(us, alive(66, 9, { node: name }))
      mesh.run(11_000)
      const codes = us.told().flatMap((notice) => (notice.type === 'warning' ? [notice.code] : []))
      assert.deepEqual(
        codes.filter((code) => code !== 'name-refused'),
        ['conflict-undecided'],
        `round ${round}`,
      )
    }
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
