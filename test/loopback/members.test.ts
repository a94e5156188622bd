// Two real members on loopback: what the simulator proves, once more over real sockets.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { afterEach, describe, it } from 'node:test'
import { type MemberEvent, Membership, type MembershipEvent, type MembershipOptions } from '../../src/index.ts'
import { Inbox, LIMIT, openResources, turns, WITH_IPV6 } from './support.ts'

const members: Membership[] = []
const atRest = openResources()

afterEach(async () => {
  await Promise.all(members.splice(0).map((membership) => membership.close()))
  await turns()
  assert.deepEqual(openResources(), atRest)
})

describe('two members', () => {
  it('find each other, tell tags and changes of tags, and say goodbye', LIMIT, async () => {
    const first = make('first', { tags: { role: 'log', zone: 'a' } })
    const second = make('second', { tags: { role: 'web' } })
    const events = inbox(first)
    await first.start()
    const { joined, failed } = await second.join([first.local.address])
    assert.deepEqual([joined, failed], [[first.local.address], []])
    assert.deepEqual(second.member('first')?.tags, { role: 'log', zone: 'a' })
    const arrived = await events.take()
    assert.deepEqual(
      [arrived.type, arrived.member.name, arrived.member.tags],
      ['member-join', 'second', { role: 'web' }],
    )

    await second.setTags({ role: 'api' })
    const updated = await events.take()
    assert.deepEqual(
      [updated.type, updated.previous?.tags, updated.member.tags],
      ['member-update', { role: 'web' }, { role: 'api' }],
    )

    await second.leave()
    const went = [await events.take(), await events.take()]
    assert.deepEqual(
      went.map(({ type }) => type),
      ['member-leaving', 'member-left'],
    )
    assert.equal(first.member('second')?.state, 'left')
    assert.deepEqual(first.stats().warnings, {})
  })

  it('one that is closed without a word is suspected, then dead; its name may come back', LIMIT, async () => {
    const swift = { probeIntervalMs: 100, probeTimeoutMs: 50 }
    const first = make('first', swift)
    const second = make('second', swift)
    const events = inbox(first)
    await first.start()
    await second.join([first.local.address])
    const { address } = second.local
    await second.close()
    const types = [await events.take(), await events.take(), await events.take()].map(({ type }) => type)
    assert.deepEqual(types, ['member-join', 'member-suspect', 'member-dead'])

    const again = make('second', { ...swift, bind: address })
    await again.join([first.local.address])
    const back = await events.take()
    assert.deepEqual([back.type, back.previous?.state], ['member-join', 'dead'])
  })

  it(
    'know each other under a key; who has none or another one is kept out, with a bounded warning',
    LIMIT,
    async () => {
      const secretKey = randomBytes(32)
      const first = make('first', { secretKey: secretKey.toString('base64') })
      await first.start()
      const { address } = first.local
      const second = make('second', { secretKey: new Uint8Array(secretKey) })
      assert.deepEqual((await second.join([address])).joined, [address])
      await second.setTags({ role: 'log' })
      assert.deepEqual(first.member('second')?.tags, { role: 'log' })

      const warnings = warningsOf(first)
      for (const options of [{}, { secretKey: randomBytes(32) }, { secretKey: randomBytes(16) }]) {
        const stranger = make(`stranger-${members.length}`, options)
        const { joined, failed } = await stranger.join([address])
        assert.deepEqual([joined, failed.length], [[], 1])
        assert.equal(stranger.size, 1)
        await stranger.close()
      }
      assert.equal(first.size, 2)
      assert.deepEqual(warnings, ['stream-invalid'])
      assert.equal(first.stats().warnings['stream-invalid'], 3)
    },
  )

  it('with different labels do not join, with one warning each time it could be told', LIMIT, async () => {
    const first = make('first', { label: 'red' })
    await first.start()
    const { address } = first.local
    const warnings = warningsOf(first)
    for (const options of [{ label: 'blue' }, {}, { label: 'reddish' }]) {
      const stranger = make(`stranger-${members.length}`, options)
      const { joined, failed } = await stranger.join([address])
      assert.deepEqual([joined, failed[0]?.error.message], [[], 'closed without an answer'])
      assert.equal(stranger.size, 1)
    }
    assert.equal(first.size, 1)
    assert.deepEqual(warnings, ['stream-invalid'])
    assert.equal(first.stats().warnings['stream-invalid'], 3)
    const friend = make('friend', { label: 'red' })
    assert.deepEqual((await friend.join([address])).joined, [address])
  })

  it('find each other over IPv6', WITH_IPV6, async () => {
    const first = make('first', { bind: '[::1]:0' })
    const second = make('second', { bind: '[::1]:0' })
    await first.start()
    assert.match(first.local.address, /^\[::1\]:\d+$/)
    assert.deepEqual((await second.join([first.local.address])).joined, [first.local.address])
    await second.setTags({ role: 'log' })
    assert.deepEqual(first.member('second')?.tags, { role: 'log' })
    assert.deepEqual([first.member('second')?.host, first.stats().warnings], ['::1', {}])
  })

  it('join by name, and one who is named by itself alone joins nobody', LIMIT, async () => {
    const first = make('first')
    await first.start()
    const { port } = first.local
    const second = make('second')
    // Where localhost has an IPv6 address too, nobody listens there.
    const { joined } = await second.join([`localhost:${port}`])
    assert.deepEqual(joined, [`127.0.0.1:${port}`])
    const own = await first.join([`127.0.0.1:${port}`])
    assert.deepEqual(own, { joined: [], failed: [] })
  })
})

function make(name: string, options: MembershipOptions = {}): Membership {
  const membership = new Membership({ name, bind: '127.0.0.1:0', profile: 'local', ...options })
  members.push(membership)
  return membership
}

/** What a member tells of others. */
function inbox(membership: Membership): Inbox<MemberEvent> {
  const events = new Inbox<MemberEvent>()
  for (const type of [
    'member-join',
    'member-suspect',
    'member-recover',
    'member-dead',
    'member-leaving',
    'member-left',
    'member-update',
  ] as const) {
    membership.on(type, (event: Extract<MembershipEvent, MemberEvent>) => events.put(event))
  }
  return events
}

/** The codes of warnings told from now on. */
function warningsOf(membership: Membership): string[] {
  const codes: string[] = []
  membership.on('warning', ({ code }) => codes.push(code))
  return codes
}
