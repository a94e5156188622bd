// The veto: what is asked, and how often.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_BYTES } from '../../../src/base/bytes.ts'
import { Acceptance, REFUSAL_STANDS_MS } from '../../../src/serf/acceptance.ts'
import type { AnyMember } from '../../../src/serf/members.ts'
import { encodeTags } from '../../../src/wire/tags.ts'
import { addressOf, alive } from './support.ts'

/** A veto with a list of what it was asked. */
function veto(answer: (member: AnyMember) => boolean) {
  const asked: AnyMember[] = []
  const acceptance = new Acceptance((member) => {
    asked.push(member)
    return answer(member)
  })
  return { asked, accepts: acceptance.accepts.bind(acceptance) }
}

describe('Acceptance', () => {
  it('shows the member as it would be, frozen', () => {
    const { asked, accepts } = veto(() => true)
    assert.equal(accepts(alive(2, 7, { meta: encodeTags({ role: 'log' }) }), addressOf(2), 0), true)
    assert.deepEqual(asked, [
      {
        name: 'ghost-2',
        state: 'alive',
        tags: { role: 'log' },
        rawTags: { role: 'log' },
        address: '10.0.0.2:7946',
        host: '10.0.0.2',
        port: 7946,
        incarnation: 7,
        isSelf: false,
        protocol: { min: 2, max: 5, current: 5 },
      },
    ])
    for (const part of [asked[0], asked[0]?.tags, asked[0]?.protocol]) assert.ok(Object.isFrozen(part))
  })

  it('a no stands for ten seconds, whatever the incarnation, and is then asked for anew', () => {
    const { asked, accepts } = veto(() => asked.length > 1)
    for (let at = 0; at < REFUSAL_STANDS_MS; at += 10) assert.equal(accepts(alive(2, 1 + at), addressOf(2), at), false)
    assert.equal(asked.length, 1)
    assert.equal(accepts(alive(2, 1), addressOf(2), REFUSAL_STANDS_MS), true)
    assert.equal(asked.length, 2)
  })

  it('a no to a name does not stand for other tags or another address of it, nor for another name', () => {
    const { asked, accepts } = veto(({ rawTags }) => rawTags.role === 'log')
    assert.equal(accepts(alive(2), addressOf(2), 0), false)
    assert.equal(accepts(alive(2, 2, { meta: encodeTags({ role: 'log' }) }), addressOf(2), 1), true)
    assert.equal(accepts(alive(2), addressOf(3), 2), false)
    assert.equal(accepts(alive(3), addressOf(2), 3), false)
    assert.equal(asked.length, 4)
  })

  it('a yes is not remembered: whoever was taken in does not ask again by itself', () => {
    const { asked, accepts } = veto(() => true)
    accepts(alive(2), addressOf(2), 0)
    accepts(alive(2), addressOf(2), 0)
    assert.equal(asked.length, 2)
  })

  it('a claim with fewer than six versions is refused unasked, as memberlist does', () => {
    const { asked, accepts } = veto(() => true)
    assert.equal(accepts(alive(2, 1, { vsn: NO_BYTES }), addressOf(2), 0), false)
    assert.equal(accepts(alive(2, 1, { vsn: Uint8Array.of(1, 5, 2, 2, 5) }), addressOf(2), 0), false)
    assert.deepEqual(asked, [])
  })

  it('remembers so many refusals and no more: then the oldest is asked about anew', () => {
    const { asked, accepts } = veto(() => false)
    for (let number = 0; number <= 1024; number++) accepts({ ...alive(2), node: `n${number}` }, addressOf(2), number)
    accepts({ ...alive(2), node: 'n1024' }, addressOf(2), 1025)
    assert.equal(asked.length, 1025)
    accepts({ ...alive(2), node: 'n0' }, addressOf(2), 1026)
    assert.equal(asked.length, 1026)
  })
})
