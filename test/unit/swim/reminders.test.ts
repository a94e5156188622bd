// Word to one member that lags behind: who stands accused and cannot know, and who missed what we denied.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { WireState } from '../../../src/wire/types.ts'
import { alive, at, Bench, bench, dead, left, Mesh, metaOf, ping, pushPull, row, suspect } from './support.ts'

describe('serf-behaviour §4 hardening: a member that does not know it stands accused is told', () => {
  it('a stale alive claim of a member that is suspect, dead or left is answered by the accusation, to its address', () => {
    for (const accusation of [suspect('m2', 5), dead('m2', 5), left('m2', 5)]) {
      const made = bench()
      made.receive(alive('m2', 5), accusation)
      made.hush()
      made.receive(alive('m2', 1))
      const [sent, ...others] = made.packets()
      assert.deepEqual(others, [])
      assert.deepEqual(sent?.messages, [suspect('m2', 5, 'm1')])
      assert.equal(sent?.to.key, '10.0.0.2:7946')
      assert.equal(made.swim.queued, 0)
    }
  })

  it('at most once a probe interval for each member, and never while it is alive', () => {
    const made = bench()
    made.receive(dead('m2', 5), dead('m3', 5))
    made.hush()
    made.receive(alive('m2', 1), alive('m2', 1), alive('m3', 1), alive('m4', 1))
    assert.deepEqual(
      made.packets().map(({ to }) => to.key),
      ['10.0.0.2:7946', '10.0.0.3:7946'],
    )
    made.now = 999
    made.receive(alive('m2', 1))
    assert.deepEqual(made.packets(), [])
    made.now = 1000
    made.receive(alive('m2', 1))
    assert.equal(made.packets().length, 1)
  })

  it('64 in a probe interval, whoever is reminded and whatever tells of them; the rest at the next occasions', () => {
    const made = new Bench({ probeIntervalMs: 1000 })
    const names = Array.from({ length: 200 }, (_, index) => `m${index + 2}`)
    for (const name of names) made.receive(alive(name, 5), left(name, 5))
    made.outbox.take()
    const stale = (): void =>
      made.swim.receiveRequest(1, pushPull(names.map((name) => row(name, WireState.alive, 1))), at(2), made.now)
    const reminded = (): string[] => made.packets().map(({ to }) => to.key)
    const denied = new Set<string>()
    for (let round = 0; round < 4; round++) {
      made.now = 1000 * round
      stale()
      const told = reminded()
      assert.equal(told.length, round < 3 ? 64 : 200 - 3 * 64)
      stale()
      made.receive(alive(names[199] as string, 1))
      made.now += 999
      stale()
      assert.deepEqual(reminded(), [], 'no more within the interval')
      // Who is told denies, and is out of the way of the others.
      for (const name of names) {
        const member = made.swim.member(name)
        if (!told.includes(member?.address.key ?? '') || denied.has(name)) continue
        denied.add(name)
        made.receive(alive(name, 6))
      }
      made.outbox.take()
    }
    assert.equal(denied.size, 200)
  })

  it('ML-18: a member that restarts at 1 is alive again where it was dead at 100, without any exchange', () => {
    const mesh = new Mesh()
    const peer = mesh.add('m2', { pushPullIntervalMs: 0 })
    peer.receive(alive('m1', 100))
    peer.hush()
    peer.receive(dead('m1', 100))
    const restarted = mesh.add('m1', { pushPullIntervalMs: 0 })
    restarted.receive(alive('m2', 1))
    mesh.run(3000)
    assert.equal(peer.status('m1'), 'alive')
    assert.ok((peer.incarnation('m1') as number) > 100)
  })
})

describe('a member that accuses us of what we have denied is told again', () => {
  /** `m1` at incarnation 2, having denied 1. Its denial has been told, and missed. */
  function denied(last = 5): Bench {
    const made = bench(last)
    made.receive(suspect('m1', 1))
    made.hush()
    assert.equal(made.incarnation('m1'), 2)
    return made
  }

  it('by our claim to be alive, to its address, with the number we have: nothing is raised, gossiped or reported', () => {
    for (const accusation of [suspect('m1', 1, 'm3'), dead('m1', 1, 'm3')]) {
      for (const verdictChecks of [true, false]) {
        const made = bench(5, { verdictChecks, meta: metaOf('tags') })
        made.receive(suspect('m1', 1))
        made.hush()
        const health = made.swim.health
        made.receiveFrom(at(3), accusation)
        const [sent, ...others] = made.packets()
        assert.deepEqual(others, [])
        assert.deepEqual(sent?.messages, [alive('m1', 2, { meta: metaOf('tags') })])
        assert.deepEqual([sent?.to.key, sent?.crc], [at(3).key, true])
        assert.deepEqual([made.incarnation('m1'), made.swim.queued, made.swim.health], [2, 0, health])
        assert.deepEqual([made.delegate.take(), made.delegate.codes()], [[], []])
      }
    }
  })

  it('with the answer to its ping, before its ack', () => {
    const made = denied()
    made.receiveFrom(at(3), ping('m1', 7), suspect('m1', 1, 'm3'))
    const kinds = made.packets().map(({ to, messages }) => [to.key, messages.map(({ type }) => type)])
    assert.deepEqual(kinds, [
      [at(3).key, ['alive']],
      [at(3).key, ['ack']],
    ])
  })

  it('at most once a probe interval for each member', () => {
    const made = denied()
    for (const from of ['m3', 'm3', 'm4', 'm3']) made.receiveFrom(at(Number(from[1])), suspect('m1', 1, from))
    assert.deepEqual(
      made.packets().map(({ to }) => to.key),
      [at(3).key, at(4).key],
    )
    made.now = 999
    made.receiveFrom(at(3), dead('m1', 1, 'm3'))
    assert.deepEqual(made.packets(), [])
    made.now = 1000
    made.receiveFrom(at(3), dead('m1', 1, 'm3'))
    assert.equal(made.packets().length, 1)
  })

  it('64 in a probe interval, together with those who are told that they stand accused', () => {
    const made = denied(100)
    for (let number = 2; number <= 40; number++) made.receiveFrom(at(number), suspect('m1', 1, `m${number}`))
    assert.equal(made.packets().length, 39)
    for (let number = 41; number <= 100; number++) made.receive(left(`m${number}`, 1), alive(`m${number}`, 1))
    assert.equal(made.packets().length, 25)
    made.receiveFrom(at(50), suspect('m1', 1, 'm50'))
    assert.deepEqual(made.packets(), [])
    made.now = 1000
    made.receiveFrom(at(50), suspect('m1', 1, 'm50'))
    assert.equal(made.packets().length, 1)
  })

  it('a number that we have not denied yet is denied as ever, by gossip alone', () => {
    const made = denied()
    made.receiveFrom(at(3), suspect('m1', 2, 'm3'))
    assert.deepEqual([made.packets(), made.incarnation('m1'), made.swim.queued], [[], 3, 1])
  })

  it('nobody is told but the accuser itself: no stranger, nobody who tells of others, nor from elsewhere, nor ourselves', () => {
    const made = denied()
    made.receive(suspect('m1', 1, 'm3'))
    made.receiveFrom(at(4), suspect('m1', 1, 'm3'), dead('m1', 1, 'm3'))
    made.receiveFrom(at(3, 4000), suspect('m1', 1, 'm3'))
    made.receiveFrom(at(99), suspect('m1', 1, 'm99'))
    made.receiveFrom(at(1), suspect('m1', 1, 'm1'), dead('m1', 1, 'm1'))
    made.receiveFrom(at(3), suspect('m2', 0, 'm3'))
    assert.deepEqual(made.packets(), [])
  })

  it('what an exchange says is answered by the exchange', () => {
    const made = denied()
    made.swim.receiveRequest(1, pushPull([row('m1', WireState.suspect, 1), row('m1', WireState.left, 1)]), at(3), 0)
    assert.deepEqual(made.packets(), [])
  })

  it('who leaves denies nothing', () => {
    const made = denied()
    made.swim.leave(0, 1)
    made.hush()
    made.receiveFrom(at(3), suspect('m1', 1, 'm3'), dead('m1', 1, 'm3'))
    assert.deepEqual(made.packets(), [])
  })

  it('one whom gossip left out holds us alive again after its next ping', () => {
    const mesh = new Mesh()
    const quiet = { pushPullIntervalMs: 0, gossipIntervalMs: 0 }
    const [us, other] = [mesh.add('m1', quiet), mesh.add('m2', quiet)]
    mesh.join('m2', 'm1')
    mesh.run(5000)
    for (const made of [us, other]) made.hush()
    us.receive(suspect('m1', us.incarnation('m1') as number))
    us.hush()
    other.receive(suspect('m1', other.incarnation('m1') as number))
    assert.equal(other.status('m1'), 'suspect')
    mesh.run(7500)
    assert.deepEqual([other.status('m1'), other.incarnation('m1')], ['alive', us.incarnation('m1')])
  })
})
