// Whether it is us: when we hold ourselves for cut off, what that does to accusations and suspicions, and when it ends.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Isolation } from '../../../src/swim/isolation.ts'
import { alive, at, type Bench, bench, indirectPing, named, pushPull, suspect } from './support.ts'

describe('swim/isolation.ts', () => {
  it('three different members unanswered in a row make it, one again and again does not', () => {
    const isolation = new Isolation(true, 0)
    for (const name of ['m2', 'm2', 'm2', 'm3', 'm3']) assert.equal(isolation.unanswered(name), false)
    assert.equal(isolation.isIsolated, false)
    assert.equal(isolation.unanswered('m4'), true)
    assert.equal(isolation.unanswered('m5'), false, 'told once')
    assert.deepEqual([isolation.isIsolated, isolation.names], [true, ['m2', 'm3', 'm4']])
  })

  it('any answer ends it, and gives since when nobody was heard', () => {
    const isolation = new Isolation(true, 0)
    assert.equal(isolation.heard(500), undefined)
    for (const name of ['m2', 'm3', 'm4']) isolation.unanswered(name)
    assert.equal(isolation.heard(9000), 500)
    assert.equal(isolation.isIsolated, false)
    assert.equal(isolation.heard(9500), undefined)
    for (const name of ['m2', 'm3']) isolation.unanswered(name)
    assert.equal(isolation.isIsolated, false, 'it counts anew')
  })

  it('an answer between two silent members means that we are heard', () => {
    const isolation = new Isolation(true, 0)
    isolation.unanswered('m2')
    isolation.unanswered('m3')
    isolation.heard(3000)
    isolation.unanswered('m4')
    assert.equal(isolation.isIsolated, false)
  })

  it('its limit ends it once, until somebody answers', () => {
    const isolation = new Isolation(true, 0)
    for (const name of ['m2', 'm3', 'm4']) isolation.unanswered(name)
    assert.equal(isolation.expire(20_000, 19_999), undefined)
    assert.equal(isolation.expire(20_000, 20_000), 0)
    assert.equal(isolation.expire(20_000, 40_000), undefined)
    assert.equal(isolation.unanswered('m5'), false)
    assert.equal(isolation.isIsolated, false)
    isolation.heard(50_000)
    for (const name of ['m2', 'm3', 'm4']) isolation.unanswered(name)
    assert.equal(isolation.isIsolated, true)
  })

  it('a stall of ours is no time in which nobody answered', () => {
    const isolation = new Isolation(true, 0)
    isolation.stalled(4000, 5000)
    assert.equal(isolation.heardAt, 4000)
    isolation.stalled(4000, 5000)
    assert.equal(isolation.heardAt, 5000, 'never later than now')
  })

  it('switched off, nothing makes it', () => {
    const isolation = new Isolation(false, 0)
    for (const name of ['m2', 'm3', 'm4', 'm5']) assert.equal(isolation.unanswered(name), false)
    assert.equal(isolation.isIsolated, false)
  })
})

describe('a member whom nobody answers', () => {
  /** The limit is far away: what is silent for so long is judged by no test here. */
  const PATIENT = { isolationRule: true, suspicionMaxTimeoutMult: 100 }

  /** Lets probes go unanswered until so many have ended; gives whom they were of. */
  function unanswered(made: Bench, probes: number): string[] {
    const names: string[] = []
    while (names.length < probes) names.push(named(made.untilProbe()))
    made.advanceTo(made.now + made.options.probeIntervalMs * (made.swim.health + 1) - 1)
    return names
  }

  function suspects(made: Bench, last: number): string[] {
    const names = Array.from({ length: last - 1 }, (_, index) => `m${index + 2}`)
    return names.filter((name) => made.status(name) === 'suspect')
  }

  it('accuses the first two, then nobody, and says once why', () => {
    const made = bench(9, PATIENT)
    const names = unanswered(made, 6)
    assert.deepEqual(suspects(made, 9), names.slice(0, 2).sort())
    assert.deepEqual(
      made.delegate.warnings.map(({ code }) => code),
      ['isolated'],
    )
    assert.match(
      made.delegate.warnings[0]?.message ?? '',
      new RegExp(`^none of ${names.slice(0, 3).join(', ')} answers`),
    )
  })

  it('without the rule accuses one after the other', () => {
    const made = bench(9, { ...PATIENT, isolationRule: false })
    unanswered(made, 6)
    assert.equal(suspects(made, 9).length, 5)
  })

  it('judges nobody: that time does not count for a suspicion, which goes on where it stood when somebody answers', () => {
    const made = bench(9, { isolationRule: true, suspicionMaxTimeoutMult: 15 })
    made.receive(suspect('m9', 1, 'm8'), suspect('m9', 1, 'm7'))
    const endsAt = 24_667
    unanswered(made, 6)
    assert.ok(made.now > endsAt + 5000 && made.now < 60_000)
    assert.equal(made.status('m9'), 'suspect')
    const answeredAt = made.now
    answer(made)
    // Nobody had answered since the start, at 0, and the suspicion began then. Our own accusation may have shortened it to its minimum.
    made.advanceTo(answeredAt + 3999)
    assert.equal(made.status('m9'), 'suspect')
    made.advanceTo(answeredAt + endsAt)
    assert.equal(made.status('m9'), 'dead')
  })

  /** Two accusers of m9, at 0; then nobody answers. Gives when m9 is to be judged. */
  function accusing(): { readonly made: Bench; readonly endsAt: number } {
    const made = bench(9, { isolationRule: true, suspicionMaxTimeoutMult: 15 })
    made.receive(suspect('m9', 1, 'm8'), suspect('m9', 1, 'm7'))
    unanswered(made, 6)
    made.hush()
    return { made, endsAt: endOf(made, 'm9') }
  }

  it('is heard again with each kind of answer: all of that time is given back', () => {
    const answers: Record<string, (made: Bench) => void> = {
      'the ack of a ping that a user asked for': answer,
      'the ack of a probe': (made) => made.ack(made.untilProbe().seqNo),
      'a nack of the running probe': (made) => {
        const { seqNo } = made.untilProbe()
        made.advanceTo(made.now + made.options.probeTimeoutMs)
        made.receive({ type: 'nack', seqNo })
      },
      'the ack of a probe over a stream': (made) => {
        const { seqNo } = made.untilProbe()
        made.advanceTo(made.now + made.options.probeTimeoutMs)
        made.swim.receiveReply(requestOf(made), { type: 'ack', seqNo, payload: null }, made.now)
      },
      'the answer of an exchange': (made) => {
        const id = made.swim.pushPull(at(2), false)
        made.swim.receiveReply(id, pushPull([]), made.now)
      },
      'the ack of a ping for another': (made) => {
        made.receive(indirectPing('m3', 77))
        made.ack(pingSent(made))
      },
    }
    for (const [kind, give] of Object.entries(answers)) {
      const { made, endsAt } = accusing()
      give(made)
      assert.equal(endOf(made, 'm9'), endsAt + made.now, kind)
    }
  })

  it('is heard by nobody where what comes answers no question of ours, as whoever wants can send it', () => {
    const strays: Record<string, (made: Bench) => void> = {
      'an ack': (made) => made.ack(4_000_000),
      'an ack of a probe that is over': (made) => made.ack(1),
      'a nack': (made) => made.receive({ type: 'nack', seqNo: 4_000_000 }),
      'a nack of a probe whose helpers were not asked yet': (made) => {
        made.receive({ type: 'nack', seqNo: made.untilProbe().seqNo })
      },
      'an error in place of an exchange': (made) => {
        const id = made.swim.pushPull(at(2), false)
        made.swim.receiveReply(id, { type: 'error', error: 'no' }, made.now)
      },
      'the ack of another ping over a stream': (made) => {
        const { seqNo } = made.untilProbe()
        made.advanceTo(made.now + made.options.probeTimeoutMs)
        made.swim.receiveReply(requestOf(made), { type: 'ack', seqNo: seqNo + 1, payload: null }, made.now)
      },
    }
    for (const [kind, give] of Object.entries(strays)) {
      const { made, endsAt } = accusing()
      give(made)
      assert.equal(endOf(made, 'm9'), endsAt, kind)
    }
  })

  it('gives a suspicion that began meanwhile only the time since then', () => {
    const { made } = accusing()
    const name = ['m2', 'm3', 'm4', 'm5', 'm6'].find((other) => made.status(other) === 'alive') as string
    const beganAt = made.now
    made.receive(suspect(name, 1, 'm8'))
    const endsAt = endOf(made, name)
    made.advanceTo(beganAt + 1234)
    answer(made)
    assert.equal(endOf(made, name), endsAt + 1234)
  })

  it('is cut off no longer than a suspicion can last, to the millisecond, and what is due then has all its time once more', () => {
    const setup = { isolationRule: true, suspicionMaxTimeoutMult: 15 }
    // Whom it probes late, it does not accuse before it holds itself for cut off.
    const late = unanswered(bench(9, setup), 5)[4] as string
    const made = bench(9, setup)
    made.receive(suspect(late, 1, 'm99'))
    made.advanceTo(59_999)
    assert.equal(endOf(made, late), 60_000)
    made.advanceTo(60_000)
    assert.deepEqual([made.status(late), endOf(made, late)], ['suspect', 120_000])
  })

  it('counts a stall once: what it gave to suspicions itself is not given again with the answer', () => {
    const made = bench(9, { isolationRule: true, suspicionMaxTimeoutMult: 15 })
    made.receive(suspect('m9', 1, 'm8'), suspect('m9', 1, 'm7'))
    made.now = 900
    made.swim.stalled(900, made.now)
    unanswered(made, 6)
    const endsAt = endOf(made, 'm9')
    answer(made)
    assert.equal(endOf(made, 'm9'), endsAt + made.now - 900)
  })

  it('hears a denial that lay on its way, and has killed nobody', () => {
    const made = bench(9, PATIENT)
    const [first] = unanswered(made, 10)
    made.receive(alive(first as string, 2))
    assert.equal(made.status(first as string), 'alive')
    assert.ok(made.delegate.take().every((line) => !line.startsWith('gone')))
  })

  it('comes to a verdict in the end: alone for as long as a suspicion can last, it judges like everybody', () => {
    const made = bench(9, { isolationRule: true })
    // Half an hour in which nothing is ever heard: all of eight are found dead.
    made.advanceTo(1_800_000)
    assert.equal(made.delegate.take().filter((line) => line.startsWith('gone')).length, 8)
  })

  it('of three members the two that are left of nobody are found as ever', () => {
    const made = bench(3, { isolationRule: true })
    made.advanceTo(20_000)
    assert.deepEqual([made.status('m2'), made.status('m3')], ['dead', 'dead'])
    assert.deepEqual(made.delegate.warnings, [])
  })
})

/** When the suspicion of a member ends, as it stands. */
function endOf(made: Bench, name: string): number {
  const end = made.swim.member(name)?.suspicion?.endsAt
  assert.ok(end !== undefined, `${name} is suspect`)
  return end
}

/** A ping that we ask for, and its answer. */
function answer(made: Bench): void {
  made.effects()
  made.swim.ping('m8', at(8), 1, made.now)
  made.ack(pingSent(made))
}

/** The number of the one ping that was sent just now. */
function pingSent(made: Bench): number {
  const pings = made.packets().flatMap(({ messages }) => messages.filter(({ type }) => type === 'ping'))
  const [first] = pings
  assert.ok(first?.type === 'ping' && pings.length === 1, 'one ping')
  return first.seqNo
}

/** The number of the stream that was opened just now. */
function requestOf(made: Bench): number {
  const opened = made.effects().find(({ kind }) => kind === 'request')
  assert.ok(opened?.kind === 'request', 'a stream was opened')
  return opened.id
}
