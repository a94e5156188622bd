// User events: what is delivered, told on, kept and refused. serf-behaviour §21, §23, §25.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { NO_BYTES, utf8 } from '../../../src/base/bytes.ts'
import { SizeError } from '../../../src/base/errors.ts'
import { UserEvents } from '../../../src/serf/event-state.ts'
import type { SerfNotice } from '../../../src/serf/notices.ts'
import type { SerfState } from '../../../src/serf/state.ts'
import { applyListedEvents } from '../../../src/serf/user-events.ts'
import { encodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import type { SerfEventSlot, SerfUserEvent, Uint64 } from '../../../src/wire/types.ts'
import { vectorsOf } from '../wire/vectors.ts'
import { alive, Mesh, type Station, serfStateOf } from './support.ts'

function event(name: string, ltime: Uint64, payload: Uint8Array = NO_BYTES, coalesce = false): SerfUserEvent {
  return { type: 'user-event', ltime, name, payload, coalesce }
}

function slot(ltime: Uint64, ...names: string[]): SerfEventSlot {
  return { ltime, events: names.map((name) => ({ name, payload: NO_BYTES })) }
}

type EventNotice = Extract<SerfNotice, { type: 'user-event' }>

/** `<name> <ltime>` of each event delivered since the last look, and the codes of warnings. */
function delivered(station: Station): string[] {
  return station.told().flatMap((notice) => {
    if (notice.type === 'warning') return [notice.code]
    return notice.type === 'user-event' ? [`${notice.name} ${notice.ltime}`] : []
  })
}

function knowing(options = {}) {
  const mesh = new Mesh()
  const us = mesh.add('us', 1, options)
  mesh.feed(us, alive(2))
  us.told()
  return { mesh, us }
}

function send(mesh: Mesh, station: Station, name: string, payload: Uint8Array = NO_BYTES, coalesce = false): void {
  mesh.call(station, (serf, now) => serf.sendEvent(name, payload, coalesce, now))
}

describe('sending', () => {
  it('SF-02: the first user event of a fresh cluster has time 1, the second 2, and both come to ourselves at once', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1)
    send(mesh, us, 'deploy', utf8('one'), true)
    send(mesh, us, 'deploy')
    const notices = us.told().filter((notice): notice is EventNotice => notice.type === 'user-event')
    assert.deepEqual(notices, [
      { type: 'user-event', name: 'deploy', payload: utf8('one'), ltime: 1, coalesce: true },
      { type: 'user-event', name: 'deploy', payload: NO_BYTES, ltime: 2, coalesce: false },
    ])
  })

  it('others are told, with the flag; alone nobody is, and whoever comes hears of it in the exchange', () => {
    const { mesh, us } = knowing()
    send(mesh, us, 'deploy', Uint8Array.of(0, 255), true)
    mesh.run(1000)
    const told = mesh.gossiped('us')
    assert.ok(told.length > 0)
    for (const message of told) assert.deepEqual(message, event('deploy', 1, Uint8Array.of(0, 255), true))

    const alone = new Mesh()
    const first = alone.add('first', 1)
    send(alone, first, 'deploy')
    assert.equal(first.serf.queues.events, 0)
    const second = alone.add('second', 2)
    alone.join(second, first)
    assert.deepEqual(delivered(second), ['deploy 1'])
  })

  it('what we send is a copy: neither the caller nor a listener can change what others are told', () => {
    const { mesh, us } = knowing()
    const payload = utf8('good')
    send(mesh, us, 'deploy', payload)
    payload.fill(0)
    const [notice] = us.told().filter((notice): notice is EventNotice => notice.type === 'user-event')
    assert.deepEqual(notice?.payload, utf8('good'))
    notice?.payload.fill(1)
    assert.deepEqual(serfStateOf(mesh.exchange(us, {})).events, [
      { ltime: 1, events: [{ name: 'deploy', payload: utf8('good') }] },
    ])
  })

  it('SF-32: an event that takes userEventSizeLimit bytes on the wire is sent, one byte more is a SizeError that says both', () => {
    for (const limit of [100, 512, 1200]) {
      const { mesh, us } = knowing({ userEventSizeLimit: limit })
      const bare = encodeSerfMessage(event('deploy', 1, new Uint8Array(40))).length - 40
      send(mesh, us, 'deploy', new Uint8Array(limit - bare))
      mesh.run(3000)
      const [told] = mesh.gossiped('us')
      assert.equal(encodeSerfMessage(told as SerfUserEvent).length, limit)
      assert.throws(
        () => send(mesh, us, 'deploy', new Uint8Array(limit - bare + 1)),
        (error) => error instanceof SizeError && error.usedBytes === limit + 1 && error.allowedBytes === limit,
      )
      assert.throws(() => send(mesh, us, 'd'.repeat(limit + 1)), SizeError)
      assert.equal(us.serf.sendsEventsAt, 2, 'the clock has not moved for what was refused')
    }
  })

  it('the bytes an error names are those the event would have taken, whatever its length', () => {
    const { mesh, us } = knowing({ userEventSizeLimit: 1 })
    for (const length of [0, 1, 31, 32, 33, 255, 256, 511, 513, 65_535, 65_536, 70_000]) {
      assert.throws(
        () => send(mesh, us, 'deploy', new Uint8Array(length)),
        (error) =>
          error instanceof SizeError &&
          error.usedBytes ===
            encodeSerfMessage(event('deploy', 1, length === 0 ? NO_BYTES : new Uint8Array(length))).length,
        `${length}`,
      )
    }
  })

  it('SF-32: what no packet holds is refused, whatever the limit says', () => {
    const { mesh, us } = knowing({ userEventSizeLimit: 9216 })
    let allowed = 0
    assert.throws(
      () => send(mesh, us, 'deploy', new Uint8Array(5000)),
      (error) => {
        allowed = error instanceof SizeError ? error.allowedBytes : 0
        return allowed > 1300 && allowed < 1400
      },
    )
    const bare = encodeSerfMessage(event('deploy', 1, new Uint8Array(40))).length - 40
    send(mesh, us, 'deploy', new Uint8Array(allowed - bare))
    us.told()
    mesh.run(5000)
    assert.ok(mesh.gossiped('us').length > 0)
    assert.throws(() => send(mesh, us, 'deploy', new Uint8Array(allowed - bare + 1)), SizeError)
  })
})

describe('hearing', () => {
  it('what a lone Go node does with a user event: clock, delivery and what it tells on', () => {
    let cases = 0
    for (const { name, bytes, expect } of vectorsOf('serf-behaviour')) {
      if (!/user-event|push-pull-as-message/.test(name)) continue
      cases++
      const { mesh, us } = knowing()
      mesh.tell(us, bytes)
      const go = (expect as { go: Record<string, unknown> }).go
      const events = (go.events ?? []) as {
        value: { LTime: number; Name: string; Payload: Uint8Array; Coalesce: boolean }
      }[]
      assert.deepEqual(
        us.told().filter((notice) => notice.type === 'user-event'),
        events.map(({ value }) => ({
          type: 'user-event',
          name: value.Name,
          payload: value.Payload,
          ltime: value.LTime,
          coalesce: value.Coalesce,
        })),
        name,
      )
      const { event: eventTime } = go.clocks as { event: string }
      assert.equal(us.serf.sendsEventsAt, Number(eventTime), name)
      mesh.run(1000)
      const userBytes = mesh.sent.flatMap(({ from, message }) =>
        from === 'us' && message.type === 'user' ? [message.payload] : [],
      )
      const rebroadcast = (go.rebroadcast ?? []) as Uint8Array[]
      assert.equal(userBytes.length > 0, rebroadcast.length > 0, name)
      for (const sent of userBytes) assert.deepEqual(sent, rebroadcast[0], name)
    }
    assert.equal(cases, 3)
  })

  it('SF-30: however often it comes, by packet and by exchange, an event is delivered once and queued once', () => {
    const { mesh, us } = knowing()
    for (let times = 0; times < 5; times++) {
      mesh.tell(us, event('deploy', 7, utf8('v2')))
      mesh.exchange(us, { eventLtime: 8, events: [{ ltime: 7, events: [{ name: 'deploy', payload: utf8('v2') }] }] })
    }
    assert.deepEqual(delivered(us), ['deploy 7'])
    assert.equal(us.serf.queues.events, 1)
    mesh.tell(us, event('deploy', 7, utf8('v2'), true))
    assert.deepEqual(delivered(us), [], 'the flag makes no other event of it')
  })

  it('another name, another payload or another time is another event', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, event('a', 7), event('b', 7), event('a', 7, utf8('b')), event('ab', 7), event('a', 8))
    assert.deepEqual(delivered(us), ['a 7', 'b 7', 'a 7', 'ab 7', 'a 8'])
  })

  it('it is told on byte for byte, whatever follows it', () => {
    const { mesh, us } = knowing()
    const odd = Uint8Array.from([...encodeSerfMessage(event('deploy', 5)), 0xc0, 1, 2])
    mesh.tell(us, odd)
    mesh.run(1000)
    const told = mesh.sent.flatMap(({ message }) => (message.type === 'user' ? [message.payload] : []))
    assert.ok(told.length > 0)
    for (const bytes of told) assert.deepEqual(bytes, odd)
  })

  it('they come in the order of acceptance, not of time', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, event('late', 9), event('early', 3))
    assert.deepEqual(delivered(us), ['late 9', 'early 3'])
  })

  it('SF-33: an event 513 ticks old is dropped with a warning; one of 512 is taken, once', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, event('now', 999))
    assert.equal(us.serf.sendsEventsAt, 1000)
    us.told()
    mesh.tell(us, event('old', 1000 - 513), event('just', 1000 - 512), event('just', 1000 - 512))
    assert.deepEqual(delivered(us), ['event-old', 'just 488'])
    mesh.tell(us, event('next', 1000), event('just', 1000 - 512))
    assert.deepEqual(delivered(us), ['next 1000', 'event-old'])
  })

  it('in the beginning nothing is too old: an event of time 0 is one like others', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, event('first', 511), event('zero', 0))
    assert.deepEqual(delivered(us), ['first 511', 'zero 0'])
  })
})

describe('exchanges', () => {
  it('SF-31: who joins hears what was sent of late, in the order of time, and tells nobody; with ignoreOldEvents it hears nothing of it', () => {
    for (const isIgnoring of [false, true]) {
      const mesh = new Mesh()
      const [first, second] = [mesh.add('first', 1), mesh.add('second', 2)]
      for (const name of ['one', 'two', 'three']) send(mesh, first, name)
      mesh.join(second, first, isIgnoring)
      assert.deepEqual(delivered(second), isIgnoring ? [] : ['one 1', 'two 2', 'three 3'])
      assert.equal(second.serf.queues.events, 0)
      send(mesh, first, 'four')
      mesh.run(2000)
      assert.deepEqual(delivered(second), ['four 4'])
      // The exchange that ignores is over, and later ones are like any other.
      mesh.exchange(second, { eventLtime: 7, events: [slot(2, 'two'), slot(6, 'six')] })
      assert.deepEqual(delivered(second), ['six 6'])
    }
  })

  it('both sides hear of each other: who is joined is told by the request', () => {
    const mesh = new Mesh()
    const [first, second] = [mesh.add('first', 1), mesh.add('second', 2)]
    send(mesh, second, 'from-second')
    mesh.join(second, first)
    assert.deepEqual(delivered(first), ['from-second 1'])
  })

  it('SF-03: after an exchange with a peer at event time 100 our next event has time 100 or later', () => {
    for (const [theirs, ours] of [
      [0, 1],
      [1, 1],
      [2, 2],
      [100, 100],
    ] as const) {
      const { mesh, us } = knowing()
      mesh.exchange(us, { eventLtime: theirs })
      us.told()
      send(mesh, us, 'deploy')
      assert.deepEqual(delivered(us), [`deploy ${ours}`])
      assert.equal(serfStateOf(mesh.exchange(us, {})).eventLtime, ours + 1)
    }
  })

  it('the ring of a peer is taken in the order of time, however it stands there', () => {
    const { mesh, us } = knowing()
    mesh.exchange(us, { eventLtime: 515, events: [slot(513, 'x'), slot(514, 'y', 'z'), slot(3, 'a'), slot(510, 'w')] })
    assert.deepEqual(delivered(us), ['a 3', 'w 510', 'x 513', 'y 514', 'z 514'])
  })

  it('what a peer lists that is too old for us is no news, and no warning: it lists it again and again', () => {
    const { mesh, us } = knowing()
    mesh.exchange(us, { eventLtime: 1000, events: [slot(5, 'old'), slot(990, 'new')] })
    assert.deepEqual(delivered(us), ['new 990'])
  })

  it('thousands of events are taken in slices, fewer in each where they are large, and all of them', () => {
    for (const { count, size, most } of [
      { count: 5000, size: 0, most: 1024 },
      { count: 500, size: 9000, most: 8 },
    ]) {
      const payload = new Uint8Array(size)
      const half = count / 2
      const named = (from: number, to: number): SerfEventSlot['events'] =>
        Array.from({ length: to - from }, (_, at) => ({ name: `event-${from + at}`, payload }))
      const slots = [
        { ltime: 7, events: named(half, count) },
        { ltime: 5, events: named(0, half) },
      ]
      const told: string[] = []
      const notify = (notice: SerfNotice): void => {
        if (notice.type === 'user-event') told.push(`${notice.name} ${notice.ltime}`)
      }
      const taking = applyListedEvents(
        { events: new UserEvents(), outbox: { notify } } as unknown as SerfState,
        slots,
        0,
      )
      const all: string[] = []
      for (let isDone = false; !isDone; ) {
        isDone = taking.next(0).done === true
        assert.ok(told.length <= most, `${told.length} of ${size} bytes in one slice`)
        all.push(...told.splice(0))
      }
      assert.deepEqual(
        all,
        Array.from({ length: count }, (_, at) => `event-${at} ${at < half ? 5 : 7}`),
      )
    }
  })

  it('we tell what we kept, in the order of time, each slot once, and the very bytes again while nothing is new', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, event('b', 600), event('a', 590), event('c', 600))
    const first = mesh.exchange(us, {}).userState
    const { events, eventLtime } = serfStateOf(mesh.exchange(us, {}))
    assert.deepEqual(events, [slot(590, 'a'), slot(600, 'b', 'c')])
    assert.equal(eventLtime, 601)
    assert.deepEqual(mesh.exchange(us, {}).userState, first)
    mesh.tell(us, event('d', 600 + 512))
    assert.deepEqual(serfStateOf(mesh.exchange(us, {})).events, [slot(590, 'a'), slot(1112, 'd')])
  })

  it('ignoreOldEvents of an instance: what the first exchange tells of was sent before we came, whoever began it', () => {
    const { mesh, us } = knowing({ setup: { ignoreOldEvents: true } })
    mesh.exchange(us, { eventLtime: 10, events: [slot(8, 'old')] })
    mesh.exchange(us, { eventLtime: 12, events: [slot(8, 'old'), slot(9, 'old'), slot(10, 'new')] })
    assert.deepEqual(delivered(us), ['new 10'])
  })

  it('an exchange that tells of no event ever is not the first: two that are new may meet before the others are met', () => {
    for (const eventLtime of [0, 1]) {
      const { mesh, us } = knowing({ setup: { ignoreOldEvents: true } })
      mesh.exchange(us, { eventLtime })
      mesh.exchange(us, { eventLtime: 3, events: [slot(2, 'old')] })
      mesh.exchange(us, { eventLtime: 5, events: [slot(4, 'since')] })
      assert.deepEqual(delivered(us), ['since 4'])
    }
  })

  it('an event older than our clock is told in the next exchange all the same', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, event('newer', 9))
    mesh.exchange(us, {})
    mesh.tell(us, event('older', 4))
    assert.deepEqual(serfStateOf(mesh.exchange(us, {})).events, [slot(4, 'older'), slot(9, 'newer')])
  })
})

describe('what nobody should believe', () => {
  it('a time more than 2^40 ahead is dropped with a warning, by packet and by exchange, and nothing of it is kept', () => {
    const { mesh, us } = knowing()
    for (const ltime of [2 ** 41, 2n ** 64n - 1n]) {
      mesh.tell(us, event('forged', ltime))
      mesh.exchange(us, { eventLtime: ltime, events: [slot(ltime, 'forged'), slot(2 ** 40 - 5, 'honest')] })
    }
    const codes = delivered(us)
    assert.ok(
      codes.every((code) => code === 'lamport-leap' || code === `honest ${2 ** 40 - 5}`),
      codes.join(),
    )
    assert.equal(us.serf.queues.events, 0)
    send(mesh, us, 'ours')
    const told = us.told().filter((notice) => notice.type === 'user-event')
    assert.equal(told.length, 1)
  })

  it('one above the ceiling of Serf is refused with a warning, by packet and by exchange, before it is looked at', () => {
    const { mesh, us } = knowing()
    mesh.exchange(us, { eventLtime: 9, events: [slot(5, 'honest')] })
    const at = (size: number): Uint8Array => new Uint8Array(size - 'name'.length)
    mesh.exchange(us, {
      eventLtime: 9,
      events: [
        { ltime: 6, events: [{ name: 'name', payload: at(19e6) }] },
        { ltime: 7, events: [{ name: 'name', payload: at(9217) }] },
        { ltime: 8, events: [{ name: 'name', payload: at(9216) }] },
      ],
    })
    mesh.run(1000)
    assert.deepEqual(delivered(us), ['honest 5', 'event-limit', 'event-limit', 'name 8'])
    mesh.tell(us, event('name', 8, at(9217)))
    assert.deepEqual(delivered(us), ['event-limit'])
    assert.deepEqual(
      serfStateOf(mesh.exchange(us, {})).events.map(({ ltime }) => ltime),
      [5, 8],
    )
  })

  it('what is too much is a warning, and not told on', () => {
    const { mesh, us } = knowing()
    const payload = new Uint8Array(9000)
    let codes: string[] = []
    for (let at = 0; at < 1000 && !codes.includes('event-limit'); at++) {
      mesh.tell(us, event(`flood-${at}`, 7, payload))
      codes = delivered(us)
    }
    assert.deepEqual(codes, ['event-limit'])
  })

  it('an event that fits no packet of ours is delivered and kept, and is not told on: a warning', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, event('large', 7, new Uint8Array(2000)))
    assert.deepEqual(delivered(us), ['message-invalid', 'large 7'])
    assert.equal(us.serf.queues.events, 0)
    assert.equal(serfStateOf(mesh.exchange(us, {})).events.length, 1)
  })

  it('bytes of any kind in the place of an event do nothing worse than a warning', () => {
    const { mesh, us } = knowing()
    const base = encodeSerfMessage(event('deploy', 300, utf8('payload'), true))
    fc.assert(
      fc.property(fc.nat(base.length - 1), fc.nat(255), fc.nat(base.length), (place, value, cut) => {
        const bytes = base.slice(0, base.length - (cut % 4))
        if (place > 0 && place < bytes.length) bytes[place] = value
        mesh.tell(us, bytes)
        for (const notice of us.told()) assert.ok(notice.type === 'user-event' || notice.type === 'warning')
      }),
      { numRuns: 500 },
    )
  })
})
