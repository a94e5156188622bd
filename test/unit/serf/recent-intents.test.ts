// Intents about strangers: serf-behaviour §23.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { alive, joinIntent, leaveIntent, Mesh } from './support.ts'

describe('intents about strangers', () => {
  it('SF-16: of more than 4096 strangers the oldest is forgotten, with one warning each', () => {
    const { mesh, us } = knowing()
    const strangers = Array.from({ length: 4096 - 3 }, (_, at) => leaveIntent(`stranger-${at}`, 5))
    mesh.tell(us, leaveIntent('ghost-3', 5), leaveIntent('ghost-4', 5), leaveIntent('ghost-5', 5), ...strangers)
    mesh.run(200_000)
    assert.ok(us.told().every((notice) => notice.type === 'warning' && notice.code === 'queue-depth'))
    // Renewed, it is the youngest of all; a repetition changes nothing.
    mesh.tell(us, leaveIntent('ghost-3', 6), leaveIntent('ghost-4', 5))
    assert.deepEqual(us.told(), [])
    mesh.tell(us, leaveIntent('ghost-6', 5))
    const [notice, ...more] = us.told()
    assert.ok(notice?.type === 'warning' && notice.code === 'intent-limit' && more.length === 0)
    assert.match(notice.message, /ghost-4/)
    mesh.feed(us, alive(3), alive(4), alive(5), alive(6))
    assert.deepEqual(
      [3, 4, 5, 6].map((number) => us.stateOf(`ghost-${number}`)),
      ['leaving', 'alive', 'leaving', 'leaving'],
    )
  })

  it('what exchanges list is kept apart: thousands who left are no reason to warn, nor to forget what was told', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-3', 5), leaveIntent('ghost-5', 5))
    const gone = Array.from({ length: 20_000 }, (_, at) => `pod-${at}`)
    const statusLtimes = { ...Object.fromEntries(gone.map((name, at) => [name, at + 1])), 'ghost-5': 9 }
    mesh.exchange(us, { ltime: 30_000, statusLtimes, leftMembers: gone })
    mesh.run(1000)
    assert.deepEqual(us.told(), [])
    mesh.feed(us, alive(3), alive(4, 1, { node: 'pod-0' }), alive(5), alive(6, 1, { node: 'pod-19999' }))
    assert.deepEqual(
      ['ghost-3', 'ghost-5', 'pod-19999', 'pod-0'].map((name) => us.stateOf(name)),
      [
        'leaving',
        'alive', // a newer one counts, wherever it was learnt
        'leaving',
        'alive', // there is a bound all the same, and the oldest went
      ],
    )
  })

  it('SF-16: after five minutes no stranger takes up room', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, ...Array.from({ length: 4096 }, (_, at) => leaveIntent(`stranger-${at}`, 5)))
    mesh.run(316_000)
    us.told()
    mesh.tell(us, ...Array.from({ length: 4096 }, (_, at) => leaveIntent(`other-${at}`, 5)))
    assert.deepEqual(us.told(), [])
  })

  it('a stranger with a name longer than a member may have is not remembered and not told on', () => {
    const { mesh, us } = knowing()
    const [longest, tooLong] = ['x'.repeat(512), 'x'.repeat(513)]
    mesh.tell(us, leaveIntent(tooLong, 5), joinIntent(tooLong, 6))
    assert.deepEqual(
      us.told().map((notice) => (notice.type === 'warning' ? [notice.code, notice.message.length < 100] : notice.type)),
      [
        ['message-invalid', true],
        ['message-invalid', true],
      ],
    )
    mesh.run(5000)
    assert.deepEqual(mesh.gossiped('us'), [])
    mesh.tell(us, leaveIntent(longest, 7))
    mesh.feed(us, alive(3, 1, { node: longest }))
    assert.equal(us.stateOf(longest), 'leaving')
  })

  it('SF-16: an intent expires after five minutes, not before', () => {
    for (const [afterMs, state] of [
      [290_000, 'leaving'],
      [316_000, 'alive'],
    ] as const) {
      const { mesh, us } = knowing()
      mesh.tell(us, leaveIntent('ghost-3', 5))
      mesh.run(afterMs)
      mesh.feed(us, alive(3))
      assert.equal(us.stateOf('ghost-3'), state)
    }
  })

  it('SF-16: one of a name at most: whatever is said of it, it takes one place', () => {
    const { mesh, us } = knowing()
    for (let ltime = 5; ltime < 5 + 8192; ltime += 2) {
      mesh.tell(us, leaveIntent('ghost-3', ltime), joinIntent('ghost-3', ltime + 1))
    }
    assert.deepEqual(
      us.told().filter((notice) => notice.type === 'warning' && notice.code === 'intent-limit'),
      [],
    )
    mesh.feed(us, alive(3))
    assert.equal(us.stateOf('ghost-3'), 'alive')
  })
})

function knowing() {
  const mesh = new Mesh()
  const us = mesh.add('us', 1)
  mesh.feed(us, alive(2))
  us.told()
  return { mesh, us }
}
