import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { utf8 } from '../../../src/base/bytes.ts'
import { QueryError, SizeError, TimeoutError } from '../../../src/base/errors.ts'
import type { ReceivedQuery } from '../../../src/serf/notices.ts'
import { encodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import type { SerfQuery, SerfRelay } from '../../../src/wire/types.ts'
import {
  amongGhosts,
  answer,
  answersTold,
  asked,
  direct,
  queriesTold,
  query,
  request,
  warningsTold,
} from './query-support.ts'
import { addressOf, alive, dead, leaveIntent, Mesh, type Station } from './support.ts'

function received(mesh: Mesh, us: Station, more: Parameters<typeof query>[0] = {}): ReceivedQuery {
  mesh.tell(us, query(more))
  const [told] = queriesTold(us)
  if (told === undefined) throw new Error('the query was not told')
  return told
}

function respond(mesh: Mesh, us: Station, to: ReceivedQuery, payload: Uint8Array = Uint8Array.of(9)): void {
  mesh.call(us, (serf, now) => serf.respond(to, payload, now))
}

describe('answering', () => {
  test('the response goes straight to the asker, with nothing beside it and no checksum', () => {
    const { mesh, us } = amongGhosts(3)
    const asked = received(mesh, us)
    us.serf.respond(asked, Uint8Array.of(9), mesh.now)
    const effects = us.serf.take()
    assert.equal(effects.length, 1)
    const [effect] = effects
    assert.ok(effect?.kind === 'packet')
    assert.deepEqual([effect.to.key, effect.parts.length, effect.crc], ['10.0.0.2:7946', 1, false])
    const bytes = encodeSerfMessage(answer('us', 7, 77, { payload: Uint8Array.of(9) }))
    assert.deepEqual([...(effect.parts[0] ?? [])], [8, ...bytes])
  })

  test('SF-41: the second response is an error, and is not sent', () => {
    const { mesh, us } = amongGhosts(3)
    const asked = received(mesh, us)
    respond(mesh, us, asked)
    assert.throws(() => respond(mesh, us, asked), QueryError)
    assert.equal(direct(mesh, 'us').length, 1)
  })

  test('SF-44: one that comes too late is an error, and is not sent', () => {
    const { mesh, us } = amongGhosts(3)
    const [early, late] = [received(mesh, us), received(mesh, us, { id: 78 })]
    mesh.run(2999)
    respond(mesh, us, early)
    mesh.run(1)
    assert.throws(() => respond(mesh, us, late), TimeoutError)
    assert.equal(direct(mesh, 'us').length, 1)
  })

  test('SF-46: a response of 1025 bytes is refused with both numbers, and another may follow; one of 1024 goes', () => {
    const { mesh, us } = amongGhosts(3)
    const asked = received(mesh, us)
    const around = encodeSerfMessage(answer('us', 7, 77, { payload: new Uint8Array(900) })).length - 900
    const largest = 1024 - around
    assert.throws(
      () => respond(mesh, us, asked, new Uint8Array(largest + 1)),
      (error) => error instanceof SizeError && error.usedBytes === 1025 && error.allowedBytes === 1024,
    )
    assert.deepEqual(direct(mesh, 'us'), [])
    respond(mesh, us, asked, new Uint8Array(largest))
    assert.equal(direct(mesh, 'us').length, 1)
  })

  test('to our own query, too large a response is refused as any other', () => {
    const { mesh, us } = amongGhosts(2)
    mesh.call(us, (serf, now) => serf.query(request(), now))
    const [own] = queriesTold(us)
    assert.ok(own !== undefined)
    assert.throws(() => respond(mesh, us, own, new Uint8Array(1024)), SizeError)
    respond(mesh, us, own)
    assert.throws(() => respond(mesh, us, own), QueryError)
  })
})

describe('what others may make us send', () => {
  /** A datagram of queries that want an ack. */
  function flood(more: Parameters<typeof query>[0]): SerfQuery[] {
    return Array.from({ length: 1000 }, (_, id) => query({ id, flags: 1, ...more }))
  }

  test('of a datagram of queries so many acks and relays go out and no more, and others a second later', () => {
    for (const relayFactor of [0, 1, 16]) {
      const { mesh, us } = amongGhosts(30)
      mesh.tell(us, ...flood({ relayFactor }))
      const sent = direct(mesh, 'us').length
      assert.ok(sent > 512 - 17 && sent <= 512, `${sent} with ${relayFactor} relays each`)
      const told = us.told()
      assert.ok(told.some((notice) => notice.type === 'warning' && notice.code === 'query-limit'))
      assert.equal(told.filter(({ type }) => type === 'query').length, 1000, 'all are told')
      mesh.run(1000)
      mesh.forgetSent()
      mesh.tell(us, ...flood({ ltime: 8, relayFactor }))
      const later = direct(mesh, 'us').length
      assert.ok(later > 256 - 17 && later <= 256 + 17, `${later} a second later`)
    }
  })

  test('where no member is far fewer go, and no relays of them', () => {
    const { mesh, us } = amongGhosts(30)
    const { ip: addr, port } = addressOf(50)
    mesh.tell(us, ...flood({ addr, port, relayFactor: 16, sourceNode: 'newcomer' }))
    assert.equal(direct(mesh, 'us', 'ghost-50').length, 32)
    assert.equal(direct(mesh, 'us').length, 32)
  })

  test('what strangers are refused is not taken from the members', () => {
    const { ip, port } = addressOf(50)
    const relayed = encodeSerfMessage(answer('ghost-3', 7, 1))
    const nowhere: SerfRelay = {
      type: 'relay',
      destAddr: ip,
      destPort: port,
      destZone: '',
      destName: 'nobody',
      message: relayed,
    }
    for (const unwanted of [
      flood({ addr: ip, port, sourceNode: 'nobody' }),
      new Array<SerfRelay>(1000).fill(nowhere),
    ]) {
      const { mesh, us } = amongGhosts(5)
      mesh.tell(us, ...unwanted)
      mesh.forgetSent()
      mesh.tell(us, query({ ltime: 8, flags: 1 }))
      assert.equal(direct(mesh, 'us', 'ghost-2').length, 1)
    }
  })

  test('so it is with what Serf answers by itself', () => {
    for (const name of ['_serf_conflict', '_serf_list-keys']) {
      const { mesh, us } = amongGhosts(5)
      mesh.tell(us, ...flood({ flags: 0, name, payload: utf8('ghost-3') }))
      assert.equal(direct(mesh, 'us', 'ghost-2').length, 512, name)
    }
  })

  test('what a listener answers goes to the asker all the same', () => {
    const { mesh, us } = amongGhosts(30)
    mesh.tell(us, ...flood({ relayFactor: 3 }))
    const asked = queriesTold(us)
    mesh.forgetSent()
    for (const one of asked) respond(mesh, us, one)
    assert.equal(direct(mesh, 'us', 'ghost-2').length, 1000)
    assert.ok(direct(mesh, 'us').length <= 1003)
    assert.deepEqual([...new Set(warningsTold(us))], ['query-limit'])
  })
})

describe('relays', () => {
  test('ack and response go through so many others beside, each another', () => {
    const { mesh, us } = amongGhosts(8)
    const asked = received(mesh, us, { relayFactor: 3, flags: 1 })
    for (const stage of ['ack', 'response']) {
      if (stage === 'response') {
        mesh.forgetSent()
        respond(mesh, us, asked)
      }
      const relays = mesh.sent.filter(({ message }) => message.type === 'user' && message.payload[0] === 9)
      assert.equal(new Set(relays.map(({ to }) => to)).size, 3, stage)
      assert.equal(relays.length, 3, stage)
      assert.ok(relays.every(({ to }) => to !== 'ghost-2' && to !== 'us'))
      const [straight] = direct(mesh, 'us', 'ghost-2')
      for (const { to } of relays) {
        const [relay] = direct(mesh, 'us', to) as SerfRelay[]
        assert.deepEqual([...(relay?.destAddr ?? []), relay?.destPort, relay?.destName], [10, 0, 0, 2, 7946, 'ghost-2'])
        assert.deepEqual(relay?.message, straight && encodeSerfMessage(straight))
      }
    }
  })

  test('only of those alive who know how', () => {
    const { mesh, us } = amongGhosts(3)
    mesh.feed(us, alive(4, 1, { vsn: Uint8Array.of(1, 4, 2, 2, 4, 4) }), alive(5), alive(6), alive(7))
    mesh.feed(us, dead(5))
    mesh.tell(us, leaveIntent('ghost-6', 50))
    us.told()
    mesh.forgetSent()
    respond(mesh, us, received(mesh, us, { relayFactor: 5 }))
    const through = mesh.sent.filter(({ message }) => message.type === 'user' && message.payload[0] === 9)
    assert.deepEqual(through.map(({ to }) => to).sort(), ['ghost-3', 'ghost-7'])
  })

  test('sixteen at most, whatever the asker wishes', () => {
    const { mesh, us } = amongGhosts(60)
    respond(mesh, us, received(mesh, us, { relayFactor: 50 }))
    assert.equal(direct(mesh, 'us').filter(({ type }) => type === 'relay').length, 16)
  })

  test('where there are fewer members than it takes, none', () => {
    const { mesh, us } = amongGhosts(4)
    respond(mesh, us, received(mesh, us, { relayFactor: 4 }))
    assert.deepEqual(
      direct(mesh, 'us').map(({ type }) => type),
      ['query-response'],
    )
    respond(mesh, us, received(mesh, us, { id: 5, relayFactor: 3 }))
    assert.ok(direct(mesh, 'us').some(({ type }) => type === 'relay'))
  })

  test('a response that is too large to be relayed is refused whole', () => {
    const { mesh, us } = amongGhosts(4)
    const asked = received(mesh, us, { relayFactor: 2 })
    const around = encodeSerfMessage(answer('us', 7, 77, { payload: new Uint8Array(900) })).length - 900
    assert.throws(() => respond(mesh, us, asked, new Uint8Array(1024 - around)), SizeError)
    assert.deepEqual(direct(mesh, 'us'), [])
    assert.equal(asked.isAnswered, false)
  })

  test('an ack that is too large to be relayed goes straight alone', () => {
    const size = encodeSerfMessage(answer('us', 7, 77, { flags: 1 })).length
    const { mesh, us } = amongGhosts(5, { queryResponseSizeLimit: size + 10 })
    mesh.tell(us, query({ flags: 1, relayFactor: 2 }))
    assert.deepEqual(
      direct(mesh, 'us').map(({ type }) => type),
      ['query-response'],
    )
  })

  test('an answer to us that comes by a relay is taken, and sent to nobody', () => {
    const { mesh, us } = amongGhosts(3)
    const ltime = mesh.call(us, (serf, now) => serf.query(request(), now))
    mesh.run(400)
    const message = encodeSerfMessage(answer('ghost-2', ltime, asked(mesh, 'us').id))
    us.told()
    mesh.forgetSent()
    const { ip: destAddr, port: destPort } = us.address
    mesh.tell(us, { type: 'relay', destAddr, destPort, destZone: '', destName: 'us', message })
    assert.deepEqual(answersTold(us), ['response ghost-2'])
    assert.deepEqual(direct(mesh, 'us'), [])
  })

  test('what another answers we pass on untouched, to a member', () => {
    const { mesh, us } = amongGhosts(3)
    const message = Uint8Array.from([...encodeSerfMessage(answer('ghost-2', 4, 44)), 0xc1])
    const { ip: destAddr, port: destPort } = addressOf(3)
    mesh.tell(us, { type: 'relay', destAddr, destPort, destZone: '', destName: 'ghost-3', message })
    const passed = mesh.sent.filter(({ to, message }) => to === 'ghost-3' && message.type === 'user')
    assert.deepEqual(
      passed.map(({ message }) => message.type === 'user' && [...message.payload]),
      [[...message]],
    )
  })

  test('also where the name is missing or wrong: the address is what counts', () => {
    const { mesh, us } = amongGhosts(3)
    const message = encodeSerfMessage(answer('ghost-2', 4, 44))
    const { ip: destAddr, port: destPort } = addressOf(3)
    for (const destName of ['', 'ghost-2', 'nobody']) {
      mesh.tell(us, { type: 'relay', destAddr, destPort, destZone: '', destName, message })
    }
    assert.equal(direct(mesh, 'us', 'ghost-3').length, 3)
  })

  test('to where no member is nothing is passed on', () => {
    const { mesh, us } = amongGhosts(3)
    const message = encodeSerfMessage(answer('ghost-2', 4, 44))
    const { ip: destAddr, port: destPort } = addressOf(50)
    mesh.tell(us, { type: 'relay', destAddr, destPort, destZone: '', destName: 'ghost-3', message })
    assert.deepEqual(direct(mesh, 'us'), [])
    assert.deepEqual(warningsTold(us), ['relay-refused'])
  })

  test('for an asker at no member’s address there are none', () => {
    const { mesh, us } = amongGhosts(8)
    const { ip: addr, port } = addressOf(50)
    for (const sourceNode of ['ghost-2', 'nobody', '']) {
      mesh.tell(us, query({ id: 1 + sourceNode.length, addr, port, sourceNode, flags: 1, relayFactor: 3 }))
      const warnings = us.notices.flatMap((notice) => (notice.type === 'warning' ? [notice.code] : []))
      // A name that we do not know may be somebody who has only just come.
      assert.deepEqual(warnings, sourceNode === 'ghost-2' ? ['relay-refused'] : [])
      const [asked] = queriesTold(us)
      assert.ok(asked !== undefined)
      respond(mesh, us, asked)
      us.told()
    }
    assert.equal(direct(mesh, 'us', 'ghost-50').length, 6, 'the acks and the responses go straight')
    assert.deepEqual(
      direct(mesh, 'us').filter(({ type }) => type === 'relay'),
      [],
    )
  })

  test('of a datagram of relays so many are passed on and no more, and others a second later', () => {
    const { mesh, us } = amongGhosts(3)
    const { ip: destAddr, port: destPort } = addressOf(3)
    const relays = Array.from({ length: 1000 }, (_, id): SerfRelay => {
      const message = encodeSerfMessage(answer('ghost-2', 4, id))
      return { type: 'relay', destAddr, destPort, destZone: '', destName: 'ghost-3', message }
    })
    mesh.tell(us, ...relays)
    assert.equal(direct(mesh, 'us', 'ghost-3').length, 512)
    assert.deepEqual([...new Set(warningsTold(us))], ['relay-refused'])
    mesh.run(1000)
    mesh.forgetSent()
    mesh.tell(us, ...relays)
    assert.equal(direct(mesh, 'us', 'ghost-3').length, 256)
  })

  test('what is no answer is not passed on, a relay in a relay least of all', () => {
    const { mesh, us } = amongGhosts(3)
    const { ip: destAddr, port: destPort } = addressOf(3)
    const relay = { type: 'relay', destAddr, destPort, destZone: '', destName: 'ghost-3' } as const
    const inner = encodeSerfMessage({ ...relay, message: encodeSerfMessage(answer('ghost-2', 4, 44)) })
    mesh.tell(us, { ...relay, message: inner }, { ...relay, message: new Uint8Array(0) })
    assert.deepEqual(direct(mesh, 'us'), [])
    assert.deepEqual(warningsTold(us), ['relay-refused', 'relay-refused'])
  })

  test('SF-43: whatever the relay factor, the asker has exactly one response of each', () => {
    for (const relayFactor of [0, 1, 3, 9]) {
      const mesh = new Mesh(relayFactor + 1)
      const stations = Array.from({ length: 10 }, (_, at) => mesh.add(`m-${at}`, at + 1))
      for (const station of stations.slice(1)) mesh.join(station, stations[0] as Station)
      mesh.run(2000)
      for (const station of stations) station.told()
      const asker = stations[4] as Station
      mesh.call(asker, (serf, now) => serf.query(request({ relayFactor, wantsAcks: true, timeoutMs: 5000 }), now))
      const told: string[] = []
      for (let step = 0; step < 50; step++) {
        mesh.run(100)
        for (const station of stations) {
          const queries: ReceivedQuery[] = []
          for (const notice of station.notices) if (notice.type === 'query') queries.push(notice.query)
          if (station === asker) told.push(...answersTold(asker))
          else station.told()
          for (const one of queries) mesh.call(station, (serf, now) => serf.respond(one, new Uint8Array(1), now))
        }
      }
      told.push(...answersTold(asker))
      const names = stations.map(({ serf }) => serf.local.name)
      const wanted = names.flatMap((name) => [`ack ${name}`, `response ${name}`])
      assert.deepEqual(told.sort(), [...wanted, 'complete'].sort(), `relay factor ${relayFactor}`)
    }
  })
})
