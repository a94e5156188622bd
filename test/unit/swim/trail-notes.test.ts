// What is remembered of each step towards a verdict, and away from it: one machine, whose peers are spoken for by the test.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TrailEntry } from '../../../src/swim/trail.ts'
import { WireState } from '../../../src/wire/types.ts'
import { alive, at, type Bench, bench, dead, left, named, pushPull, row, suspect } from './support.ts'

function story(made: Bench, name: string): readonly TrailEntry[] {
  return made.swim.trail.story(name).entries
}

/** Without the times. */
function events(made: Bench, name: string): object[] {
  return story(made, name).map(({ atMs, ...event }) => event)
}

function last(made: Bench, name: string): object | undefined {
  return events(made, name).at(-1)
}

describe('our own probe', () => {
  it('answered in time leaves no trace', () => {
    const made = bench()
    const probe = made.untilProbe()
    made.ack(probe.seqNo)
    assert.deepEqual(events(made, named(probe)), [])
  })

  it('unanswered tells the time it had, who was asked, who of them had no answer either, and how the stream ended', () => {
    const made = bench(5)
    const probe = made.untilProbe()
    const name = named(probe)
    const begunAt = made.now
    made.advanceTo(begunAt + 500)
    const request = made.effects().find((effect) => effect.kind === 'request')
    const helpers = ['m2', 'm3', 'm4', 'm5'].filter((one) => one !== name)
    const [helper] = helpers as [string]
    made.receiveFrom(at(Number(helper.slice(1))), { type: 'nack', seqNo: probe.seqNo })
    made.receiveFrom(at(Number(helper.slice(1))), { type: 'nack', seqNo: probe.seqNo })
    made.receiveFrom(at(77), { type: 'nack', seqNo: probe.seqNo })
    assert.ok(request?.kind === 'request')
    made.swim.requestFailed(request.id, 'refused', made.now)
    made.advanceTo(begunAt + 1000)
    const told = events(made, name)
    const asked = told[1] as { helpers: string[] }
    assert.deepEqual([...asked.helpers].sort(), helpers)
    assert.deepEqual(told, [
      { kind: 'unanswered', timeoutMs: 500, health: 0 },
      { kind: 'helpers-asked', helpers: asked.helpers, overStream: true },
      { kind: 'helper-nack', helper },
      { kind: 'helper-nack', helper: at(77).key },
      { kind: 'stream-failed', error: 'refused' },
      { kind: 'probe-failed', nacks: 2, nacksWanted: 3, health: 1 },
      { kind: 'suspected', by: 'm1', incarnation: 1, endsInMs: 24_000, confirmationsWanted: 2 },
    ])
    assert.deepEqual(
      story(made, name).map(({ atMs }) => atMs - begunAt),
      [500, 500, 500, 500, 500, 1000, 1000],
    )
  })

  it('that the network refuses to carry is told as such', () => {
    const made = bench()
    const probe = made.untilProbe()
    made.swim.sendFailed(probe.to, true, made.now)
    assert.deepEqual(
      events(made, named(probe)).map((event) => (event as TrailEntry).kind),
      ['unsendable', 'helpers-asked'],
    )
  })

  it('answered late, through a helper, or over a stream alone tells how', () => {
    const ways = [{ how: 'directly' }, { how: 'through-helper' }, { how: 'over-stream' }] as const
    for (const { how } of ways) {
      const made = bench()
      const probe = made.untilProbe()
      const name = named(probe)
      made.advanceTo(made.now + 600)
      const request = made.effects().find((effect) => effect.kind === 'request')
      assert.ok(request?.kind === 'request')
      const helper = (events(made, name)[1] as { helpers: string[] }).helpers[0] as string
      if (how === 'over-stream') {
        made.swim.receiveReply(request.id, { type: 'ack', seqNo: probe.seqNo, payload: null }, made.now)
        assert.deepEqual(last(made, name), { kind: 'stream-answered' })
        made.advanceTo(made.now + 400)
        assert.deepEqual(last(made, name), { kind: 'answered', afterMs: 1000, how })
        continue
      }
      const from = Number((how === 'through-helper' ? helper : name).slice(1))
      made.receiveFrom(at(from), { type: 'ack', seqNo: probe.seqNo, payload: null })
      const by = how === 'through-helper' ? { helper } : {}
      assert.deepEqual(last(made, name), { kind: 'answered', afterMs: 600, how, ...by })
    }
  })

  it('of a suspect, answered in time, is told: it stands against the accusation', () => {
    const made = bench(2)
    made.receive(suspect('m2', 1))
    made.ack(made.untilProbe().seqNo)
    assert.deepEqual(last(made, 'm2'), { kind: 'answered', afterMs: 0, how: 'directly' })
  })

  it('a stall of ours in the middle of it stands between', () => {
    const made = bench()
    const probe = made.untilProbe()
    made.advanceTo(made.now + 500)
    made.now += 300
    made.swim.stalled(300, made.now)
    made.advanceTo(made.now + 1000)
    const told = events(made, named(probe)).map((event) => (event as TrailEntry).kind)
    assert.deepEqual(told, ['unanswered', 'helpers-asked', 'stalled', 'probe-failed', 'suspected'])
  })
})

describe('our own socket', () => {
  it('that could not send the ping ends the probe without a verdict, and that is told', () => {
    const made = bench()
    const probe = made.untilProbe()
    made.swim.sendFailed(probe.to, false, made.now)
    assert.deepEqual(events(made, named(probe)), [{ kind: 'unsent' }])
  })
})

describe('a stall of ours', () => {
  it('while the first ping is under way stands before the silence that it may explain', () => {
    const made = bench()
    const probe = made.untilProbe()
    made.now += 4000
    made.swim.stalled(4000, made.now)
    made.advanceTo(made.now + 500)
    const told = events(made, named(probe)).map((event) => (event as TrailEntry).kind)
    assert.deepEqual(told, ['stalled', 'unanswered', 'helpers-asked'])
  })
})

describe('what others say', () => {
  it('an accusation tells the accuser and the time to deny; further ones how much shorter that is; the verdict by whom', () => {
    const made = bench(9)
    made.receive(suspect('m2', 1, 'm3'))
    made.now = 1000
    made.receive(suspect('m2', 1, 'm4'))
    made.receive(suspect('m2', 1, 'm4'))
    made.receive(suspect('m2', 1, 'm5'))
    made.advanceTo(4000)
    assert.deepEqual(
      events(made, 'm2').filter((event) => (event as TrailEntry).kind !== 'unanswered'),
      [
        { kind: 'suspected', by: 'm3', incarnation: 1, endsInMs: 24_000, confirmationsWanted: 2 },
        { kind: 'confirmed', by: 'm4', confirmations: 1, endsInMs: 10_381 },
        { kind: 'confirmed', by: 'm5', confirmations: 2, endsInMs: 3000 },
        { kind: 'dead', by: 'm1', incarnation: 1 },
      ],
    )
  })

  it("another's verdict names it, and a goodbye is one", () => {
    const made = bench()
    made.receive(dead('m2', 1, 'm3'), left('m3', 1))
    assert.deepEqual(events(made, 'm2'), [{ kind: 'dead', by: 'm3', incarnation: 1 }])
    assert.deepEqual(events(made, 'm3'), [{ kind: 'left', incarnation: 1 }])
    made.receive(left('m2', 1))
    assert.deepEqual(last(made, 'm2'), { kind: 'left', incarnation: 1 })
  })

  it('a verdict in our name is ours only where we gave it', () => {
    const made = bench()
    made.receiveFrom(at(66), dead('m2', 1, 'm1'))
    assert.deepEqual(events(made, 'm2'), [{ kind: 'dead', by: 'm1', incarnation: 1, heardFrom: at(66).key }])
    made.receive(suspect('m3', 1, 'm4'))
    made.receiveFrom(at(66), suspect('m3', 1, 'm1'))
    assert.equal((last(made, 'm3') as { heardFrom?: string }).heardFrom, at(66).key)
  })

  it('our own verdicts of members that answered us are kept, whatever strangers invent', () => {
    const made = bench(3)
    for (const answered = new Set<string>(); answered.size < 2; ) {
      const probe = made.untilProbe()
      answered.add(named(probe))
      made.ack(probe.seqNo)
    }
    made.receive(suspect('m2', 1, 'm3'))
    for (let number = 100; number < 2000; number++) made.receive(alive(`m${number}`, 1), suspect(`m${number}`, 1, 'm9'))
    made.advanceTo(made.now + 60_000)
    assert.equal(made.status('m2'), 'dead')
    const told = story(made, 'm2').map(({ kind }) => kind)
    assert.deepEqual([told[0], told.includes('dead')], ['suspected', true])
  })

  it('who denies, and who comes back, is told; who is new is not', () => {
    const made = bench()
    made.receive(suspect('m2', 1), alive('m2', 2), dead('m2', 2), alive('m2', 3))
    assert.deepEqual(
      events(made, 'm2').map((event) => (event as TrailEntry).kind),
      ['suspected', 'refuted', 'dead', 'back'],
    )
    assert.deepEqual(last(made, 'm2'), { kind: 'back', incarnation: 3, address: at(2).key })
    assert.deepEqual(events(made, 'm3'), [])
  })

  it('an accusation in an exchange becomes ours, and tells who it was heard from', () => {
    const made = bench()
    made.swim.receiveRequest(1, pushPull([row('m2', WireState.dead, 1)]), at(4), made.now)
    assert.deepEqual(last(made, 'm2'), {
      kind: 'suspected',
      by: 'm1',
      incarnation: 1,
      endsInMs: 24_000,
      confirmationsWanted: 2,
      heardFrom: at(4).key,
    })
  })

  it('one that claims to be ours by packet is not taken for our own finding', () => {
    const made = bench()
    made.receiveFrom(at(66), suspect('m2', 1, 'm1'))
    assert.equal((last(made, 'm2') as { heardFrom?: string }).heardFrom, at(66).key)
  })

  it('stale claims, and a thousand copies of one, leave no trace', () => {
    const made = bench()
    made.receive(suspect('m2', 2))
    for (let copies = 0; copies < 1000; copies++)
      made.receive(suspect('m2', 2), suspect('m2', 1), alive('m2', 2), dead('m3', 0))
    assert.equal(story(made, 'm2').length, 1)
    assert.equal(story(made, 'm3').length, 0)
  })

  it('the name of an accuser that is too long for any of ours is cut short', () => {
    const made = bench()
    made.receive(suspect('m2', 1, 'x'.repeat(512)))
    assert.equal((last(made, 'm2') as { by: string }).by.length, 128)
  })
})

describe('of ourselves', () => {
  it('who accused us, and what we denied, is told', () => {
    const made = bench()
    made.receive(suspect('m1', 1, 'm3'))
    made.receive(dead('m1', 5, 'm4'))
    made.receiveFrom(at(66), { ...alive('m1', 6), meta: Uint8Array.of(1) })
    assert.deepEqual(events(made, 'm1'), [
      { kind: 'accused', by: 'm3', of: 'suspect', incarnation: 1 },
      { kind: 'denied', incarnation: 2, health: 1 },
      { kind: 'accused', by: 'm4', of: 'dead', incarnation: 5 },
      { kind: 'denied', incarnation: 6, health: 2 },
      { kind: 'accused', by: at(66).key, of: 'alive', incarnation: 6 },
      { kind: 'denied', incarnation: 7, health: 3 },
    ])
  })

  it('an accusation that bears no name tells the address', () => {
    const made = bench()
    made.receiveFrom(at(66), suspect('m1', 1, ''))
    assert.equal((events(made, 'm1')[0] as { by: string }).by, at(66).key)
  })

  it('what cannot be denied stands alone', () => {
    const made = bench()
    made.receive(suspect('m1', 0xffff_ffff, 'm3'))
    assert.deepEqual(events(made, 'm1'), [{ kind: 'accused', by: 'm3', of: 'suspect', incarnation: 0xffff_ffff }])
  })

  it('our own goodbye is told', () => {
    const made = bench()
    made.swim.leave(made.now, 1)
    assert.deepEqual(events(made, 'm1'), [{ kind: 'left', incarnation: 1 }])
  })
})
