import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { utf8 } from '../../../src/base/bytes.ts'
import { ClosedError, TransportError } from '../../../src/base/errors.ts'
import { Random } from '../../../src/base/random.ts'
import { CLOSE_LIMIT_MS } from '../../../src/driver/snapshot-writer.ts'
import { KEY_QUERIES } from '../../../src/serf/key-queries.ts'
import { parseKeyringFile } from '../../../src/serf/keyring-file.ts'
import { encodeCompound } from '../../../src/wire/compound.ts'
import { decodePacket } from '../../../src/wire/packet.ts'
import { decodeSerfMessage, encodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import { encodeSwimMessage } from '../../../src/wire/swim-messages.ts'
import { type PacketMessage, SwimType } from '../../../src/wire/types.ts'
import {
  addressOf,
  alive,
  closedSetup,
  PEER,
  type Running,
  receive,
  running,
  sealingOf,
  sentMessages,
  streamBytes,
  US,
} from './support.ts'

const KEY = new Uint8Array(32).fill(7)
const PING: PacketMessage = { type: 'ping', seqNo: 7, node: 'us', sourceAddr: null, sourcePort: 0, sourceNode: '' }

describe('allowedCidrs', () => {
  it('a packet from outside is not even decoded: counted, told as source-refused, and not answered', async () => {
    const all = await running({ allowedCidrs: ['10.0.0.2/32'] })
    const { host, driver, notices } = all
    host.handlers.packet(utf8('nonsense'), addressOf(3), host.now)
    assert.deepEqual(driver.stats().warnings, { 'source-refused': 1 })
    assert.equal(driver.stats().packetsReceived, 1)
    assert.match(JSON.stringify(notices), /packet of 10\.0\.0\.3:7946/)
    receive(all, [PING])
    assert.equal(sentMessages(all).length, 1, 'one from inside is')
  })

  it('a stream from outside is refused before a byte of it is read, one from inside is taken', async () => {
    const { host, driver } = await running({ allowedCidrs: ['10.0.0.2/32'] })
    const refused = host.accept(addressOf(3))
    assert.deepEqual([refused.handlers, driver.stats().streamsOpen], [undefined, 0])
    assert.deepEqual(driver.stats().warnings, { 'source-refused': 1 })
    host.accept(addressOf(2))
    assert.equal(driver.stats().streamsOpen, 1)
  })

  it('a listener that closes when it hears of it ends it there', async () => {
    const { host, driver } = await running({
      allowedCidrs: [],
      listener: (notice, { driver }) => {
        if (notice.type === 'warning') void driver.close()
      },
    })
    host.accept(addressOf(3))
    assert.equal(driver.stats().streamsOpen, 0)
  })
})

describe('a question to the user', () => {
  it('takes no command until it is answered, also where it throws', async () => {
    const { driver } = await running()
    const command = (): number => driver.command((serf) => serf.size)
    assert.throws(() => driver.ask('accept', command), { option: 'accept', value: command })
    assert.equal(command(), 1)
  })

  it('takes none after a question within it either', async () => {
    const { driver } = await running()
    const command = (): number => driver.command((serf) => serf.size)
    const outer = (): number => driver.ask('validateTags', () => 1) + command()
    assert.throws(() => driver.ask('accept', outer), { option: 'accept', value: outer })
    assert.equal(command(), 1)
  })

  it('keeps what need not be done at once, and does it first when the transition is over', async () => {
    const { driver } = await running()
    const done: string[] = []
    driver.commandSoon(() => void done.push('at once'))
    driver.ask('accept', () => driver.commandSoon(() => void done.push('kept')))
    assert.deepEqual(done, ['at once'])
    driver.command(() => void done.push('command'))
    driver.command(() => {})
    assert.deepEqual(done, ['at once', 'command', 'kept'])
    await driver.close()
    driver.commandSoon(() => assert.fail('closed'))
  })

  it('may warn: that is told with the next news, when a listener may call back in', async () => {
    const sizes: number[] = []
    const { driver } = await running({
      listener: (notice, { driver }) => {
        if (notice.type === 'warning') sizes.push(driver.command((serf) => serf.size))
      },
    })
    driver.ask('validateTags', () => driver.warnLater('tags-invalid', 'm-2'))
    assert.deepEqual([sizes, driver.stats().warnings], [[], { 'tags-invalid': 1 }])
    driver.command(() => {})
    assert.deepEqual(sizes, [1])
  })
})

describe('the timer', () => {
  it('is one at any moment, set for the earliest deadline of machine, streams and tasks', async () => {
    const all = await running({ gossipIntervalMs: 200, pushPullIntervalMs: 3000 })
    const { host, driver, serf } = all
    const random = new Random(3)
    let tasks = 0
    for (let step = 0; step < 400; step++) {
      const dice = random.below(6)
      if (dice === 0) receive(all, [alive(2 + random.below(4), 1 + random.below(50))])
      if (dice === 1) host.accept().say(utf8('\x00'))
      if (dice === 2) driver.schedule(`task ${random.below(5)}`, random.below(400), () => void tasks++)
      if (dice === 3) driver.unschedule(`task ${random.below(5)}`)
      if (dice === 4) driver.command((machine) => machine.contact(PEER))
      if (dice === 5) host.dialled.at(-1)?.close(new TransportError('reset'))
      const next = serf.nextDeadline() as number
      assert.equal(host.timers, 1)
      assert.ok((host.nextWake as number) <= next)
      host.run(random.below(150))
      assert.equal(host.timers, 1)
      assert.ok((host.nextWake as number) > host.now)
    }
    assert.equal(host.mostTimers, 1)
    assert.ok(tasks > 20, `${tasks} tasks ran`)
  })

  it('is set anew only where the earliest deadline changes', async () => {
    const { host, driver } = await running()
    const wakes: number[] = []
    const { wakeAt } = host.clock
    host.clock.wakeAt = (at, wake) => {
      wakes.push(at)
      return wakeAt(at, wake)
    }
    driver.schedule('late', 100_000, () => {})
    assert.deepEqual(wakes, [])
    driver.schedule('early', 10, () => {})
    assert.deepEqual(wakes, [host.now + 10])
  })

  it('is set anew when what a stream says moves its limit', async () => {
    const { host } = await running({ streamTimeoutMs: 500, probeIntervalMs: 3_600_000, reapIntervalMs: 3_600_000 })
    const stream = host.accept()
    assert.equal(host.nextWake, host.now + 500)
    host.now += 200
    stream.say(Uint8Array.of(99, 1, 2, 3))
    assert.ok(stream.isEnded)
    assert.equal(host.nextWake, host.now + 500)
  })

  it('a task runs once, at its time, and the last one set under a key counts', async () => {
    const { host, driver } = await running()
    const ran: string[] = []
    driver.schedule('a', 100, () => ran.push('first'))
    driver.schedule('a', 50, () => ran.push('second'))
    driver.schedule('b', 70, () => ran.push('never'))
    driver.unschedule('b')
    host.run(49)
    assert.deepEqual(ran, [])
    host.run(1000)
    assert.deepEqual(ran, ['second'])
  })

  it('a task may set itself again without starving the rest', async () => {
    const { host, driver } = await running()
    let ran = 0
    const task = (): void => {
      ran++
      driver.schedule('a', 10, task)
    }
    driver.schedule('a', 10, task)
    host.run(1000)
    assert.equal(ran, 100)
  })
})

describe('the drain', () => {
  it('sends what an input led to before it returns, and tells afterwards', async () => {
    const order: string[] = []
    const all = await running({
      coordinates: false,
      listener: (notice, { host }) => order.push(`${notice.type}, ${host.sent.length} sent`),
    })
    receive(all, [alive(2), PING])
    assert.deepEqual(order, ['member-join, 1 sent'])
    const sent = sentMessages(all)
    assert.equal(sent[0]?.to, PEER.key)
    assert.deepEqual(sent[0]?.message, { type: 'ack', seqNo: 7, payload: null })
  })

  it('tells in the order of the machine, also where a listener calls back in', async () => {
    const order: string[] = []
    const all = await running({
      listener: (notice, { driver }) => {
        order.push('member' in notice ? `${notice.type} ${notice.member.name}` : notice.type)
        if (notice.type === 'member-join' && notice.member.name === 'ghost-2') {
          driver.command((serf, now) => serf.setTags({ role: 'log' }, now))
          receive(all, [alive(5)])
          order.push('returned')
        }
      },
    })
    receive(all, [alive(2), alive(3), alive(4)])
    assert.deepEqual(order, [
      'member-join ghost-2',
      'returned',
      'member-join ghost-3',
      'member-join ghost-4',
      'member-join ghost-5',
    ])
  })

  it('a listener may close: nothing of what waited is told', async () => {
    const closes: Promise<void>[] = []
    const all = await running({ listener: (_notice, { driver }) => void closes.push(driver.close()) })
    receive(all, [alive(2), alive(3), alive(4)])
    assert.equal(all.notices.length, 1)
    assert.equal(all.host.timers, 0)
    await Promise.all(closes)
    assert.equal(all.host.isBound, false)
  })

  it('a listener may close in what it has led to itself: neither the rest of that nor a warning is told', async () => {
    const all: Running = await running({
      listener: (notice, { driver }) => {
        const name = 'member' in notice ? notice.member.name : notice.type
        if (name === 'ghost-2') receive(all, [alive(4), alive(5), alive(6)])
        if (name === 'ghost-5') {
          driver.warn('packet-invalid', 'before the end')
          void driver.close()
          driver.warn('stream-invalid', 'after the end')
        }
      },
    })
    receive(all, [alive(2), alive(3)])
    const told = all.notices.map((notice) => ('member' in notice ? notice.member.name : notice.type))
    assert.deepEqual(told, ['ghost-2', 'ghost-3', 'ghost-4', 'ghost-5'])
    all.driver.warn('join-failed', 'long after the end')
    assert.equal(all.notices.length, 4)
  })

  it('a listener may leave: the end comes in order', async () => {
    const all = await running({
      listener: (notice, { driver }) => {
        if (notice.type === 'member-dead') driver.command((serf, now) => serf.leave(now))
      },
    })
    receive(all, [alive(2), { type: 'dead', node: 'ghost-2', incarnation: 1, from: 'ghost-9' }])
    assert.deepEqual(
      all.notices.map(({ type }) => type),
      ['member-join', 'member-dead', 'departed'],
    )
  })

  it('a command gives what its call gave, and passes on what it threw', async () => {
    const { driver } = await running()
    assert.equal(
      driver.command(() => 7),
      7,
    )
    assert.throws(
      () =>
        driver.command(() => {
          throw new RangeError('no')
        }),
      RangeError,
    )
  })

  it('hands the machine the time of arrival, and not that of the handing over', async () => {
    const all = await running({ tombstoneTimeoutMs: 1000, reapIntervalMs: 100 })
    receive(all, [alive(2)])
    const arrivedAt = all.host.now
    all.host.now += 900
    const goodbye = encodeSwimMessage({ type: 'dead', node: 'ghost-2', incarnation: 1, from: 'ghost-2' })
    all.host.handlers.packet(goodbye, PEER, arrivedAt)
    all.host.run(200)
    assert.equal(all.notices.at(-1)?.type, 'member-reap')
  })
})

describe('packets that are of no use', () => {
  it('are counted, told once, and never thrown', async () => {
    const all = await running()
    const { host, driver, notices } = all
    const bad = [utf8('nonsense'), new Uint8Array(0), Uint8Array.of(4, 0xc1), Uint8Array.of(244, 3, 1, 2, 3, 0)]
    for (let round = 0; round < 25; round++) {
      for (const bytes of bad) host.handlers.packet(bytes, PEER, host.now)
    }
    assert.deepEqual(driver.stats().warnings, { 'packet-invalid': 100 })
    assert.equal(driver.stats().packetsReceived, 100)
    assert.deepEqual(
      notices.map((notice) => (notice.type === 'warning' ? [notice.code, notice.suppressed] : notice)),
      [['packet-invalid', 0]],
    )
    assert.ok(notices[0]?.type === 'warning' && notices[0].message.includes(PEER.key))
    host.now += 10_000
    host.handlers.packet(utf8('nonsense'), PEER, host.now)
    assert.deepEqual(
      notices.map((notice) => (notice.type === 'warning' ? notice.suppressed : notice)),
      [0, 99],
    )
  })

  it('with another label, without ours, or with one where we have none: refused, each with a reason', async () => {
    const none = await running()
    receive(none, [alive(2)], sealingOf({ label: utf8('blue') }))
    const red = await running({ label: utf8('red') })
    receive(red, [alive(2)], sealingOf({ label: utf8('blue') }))
    red.host.now += 10_000
    receive(red, [alive(2)], sealingOf())
    for (const all of [none, red]) {
      assert.equal(all.serf.size, 1)
      assert.ok(all.notices.every((notice) => notice.type === 'warning' && notice.code === 'packet-invalid'))
    }
    const reasons = red.notices.map((notice) => (notice.type === 'warning' ? notice.message : ''))
    assert.match(reasons[0] as string, /label of another cluster/)
    assert.match(reasons[1] as string, /no label where one is wanted/)
    receive(red, [alive(2)])
    assert.equal(red.serf.size, 2)
  })

  it('under a strange key, or without one: undecryptable', async () => {
    const all = await running({ secretKey: KEY })
    receive(all, [alive(2)], sealingOf({ secretKey: new Uint8Array(32).fill(8) }))
    receive(all, [alive(2)], sealingOf())
    assert.equal(all.serf.size, 1)
    assert.deepEqual(all.driver.stats().warnings, { 'packet-undecryptable': 2 })
    assert.equal(all.notices.length, 1)
    receive(all, [alive(2)])
    assert.equal(all.serf.size, 2)
  })

  it('a broken part of a compound is a warning, the others are taken', async () => {
    const all = await running()
    const parts = [encodeSwimMessage(alive(2)), Uint8Array.of(99, 1), encodeSwimMessage(alive(3))]
    all.host.handlers.packet(encodeCompound(parts), PEER, all.host.now)
    assert.deepEqual(
      all.notices.map(({ type }) => type),
      ['warning', 'member-join', 'member-join'],
    )
  })

  it('a datagram that could not be sent is a warning, and the machine hears of it', async () => {
    const all = await running()
    receive(all, [alive(2)])
    all.host.run(3000)
    all.host.handlers.sendFailed(addressOf(2), new TransportError('no route'), false)
    const notice = all.notices.find(({ type }) => type === 'warning')
    assert.ok(notice?.type === 'warning' && notice.code === 'packet-unsent')
    assert.equal(notice.message, 'packet to 10.0.0.2:7946: no route')
  })
})

describe('sealing', () => {
  it('every packet has a nonce of its own, asked for only where there is a key', async () => {
    const plain = await running()
    const sealed = await running({ secretKey: KEY })
    for (const all of [plain, sealed]) for (let times = 0; times < 20; times++) receive(all, [PING])
    assert.deepEqual([plain.host.sent.length, plain.host.nonces.length], [20, 0])
    assert.equal(sealed.host.sent.length, 20)
    assert.equal(new Set(sealed.host.nonces).size, 20)
    const packets = sealed.host.sent.map(({ packet }) => packet.join())
    assert.equal(new Set(packets).size, 20)
    assert.equal(sentMessages(sealed)[0]?.message.type, 'ack')
  })

  it('with a key that is only to be read with yet nothing is sealed, and no nonce asked for', async () => {
    const all = await running({ secretKey: KEY })
    Object.assign(all.sealing, { verifyIncoming: false, verifyOutgoing: false })
    receive(all, [PING])
    receive(all, [PING], sealingOf())
    receive(all, [PING], sealingOf({ secretKey: KEY }))
    assert.equal(all.host.nonces.length, 0)
    const answers = all.host.sent.map(({ packet }) => decodePacket(packet, sealingOf()).messages[0]?.message.type)
    assert.deepEqual(answers, ['ack', 'ack', 'ack'])
    all.driver.command((serf) => serf.contact(PEER))
    all.host.dialled[0]?.open()
    assert.notEqual(all.host.dialled[0]?.written[0]?.[0], SwimType.encrypt)
  })

  it('compresses packets and streams where it is told to, and only there', async () => {
    for (const compress of [true, false]) {
      const all = await running({ compress, gossipIntervalMs: 200 })
      receive(
        all,
        [2, 3, 4, 5].map((number) => alive(number)),
      )
      all.host.run(1000)
      const layers = all.host.sent.flatMap(({ packet }) => decodePacket(packet, all.sealing).layers)
      assert.equal(
        layers.some(({ kind }) => kind === 'compress'),
        compress,
      )
      all.driver.command((serf) => serf.contact(PEER))
      all.host.dialled.at(-1)?.open()
      assert.equal(all.host.dialled.at(-1)?.written[0]?.[0], compress ? SwimType.compress : SwimType.pushPull)
    }
  })

  it('gossip to whoever understands checksums has one, to others none', async () => {
    for (const [most, hasChecksum] of [
      [5, true],
      [4, false],
    ] as const) {
      const all = await running({ gossipIntervalMs: 200, probeIntervalMs: 3_600_000 })
      receive(all, [{ ...alive(2), vsn: Uint8Array.of(1, most, 2, 2, 5, 5) }])
      all.host.run(1000)
      assert.ok(all.host.sent.length > 0)
      for (const { packet } of all.host.sent) {
        const { layers } = decodePacket(packet, all.sealing)
        assert.equal(
          layers.some(({ kind }) => kind === 'crc'),
          hasChecksum,
        )
      }
    }
  })

  it('counts what goes out and comes in', async () => {
    const all = await running()
    receive(all, [PING])
    const { packetsSent, bytesSent, packetsReceived, bytesReceived } = all.driver.stats()
    assert.deepEqual([packetsSent, packetsReceived], [1, 1])
    assert.equal(bytesSent, all.host.sent[0]?.packet.length)
    assert.equal(bytesReceived, encodeSwimMessage(PING).length)
  })
})

describe('keys that are in a file too', () => {
  const OTHER = new Uint8Array(16).fill(8)

  /** A member whose file is written when the test says so, and a peer that asks it to install a key. */
  async function keeping(refuses?: () => never) {
    const writes: { readonly bytes: Uint8Array; done(): void; fail(error: unknown): void }[] = []
    const storeKeys = (bytes: Uint8Array): Promise<void> => {
      refuses?.()
      return new Promise((resolve, reject) => writes.push({ bytes, done: () => resolve(), fail: reject }))
    }
    const all = await running({ secretKey: KEY, storeKeys })
    let id = 6
    const install = (): Uint8Array =>
      encodeSerfMessage({
        type: 'query',
        ltime: 5,
        id: id++,
        addr: PEER.ip,
        port: PEER.port,
        sourceNode: 'peer',
        filters: [],
        flags: 0,
        relayFactor: 0,
        timeoutNs: 3_000_000_000,
        name: KEY_QUERIES.install,
        payload: encodeSerfMessage({ type: 'key-request', key: OTHER }),
      })
    const ask = (): void => receive(all, [{ type: 'user', payload: install() }])
    ask()
    const answers = (): boolean[] =>
      sentMessages(all).flatMap(({ message }) => {
        const response = message.type === 'user' ? decodeSerfMessage(message.payload) : undefined
        if (response?.type !== 'query-response') return []
        const answer = decodeSerfMessage(response.payload)
        return answer.type === 'key-response' ? [answer.result] : []
      })
    return { ...all, ask, writes, answers, turn: () => new Promise((resolve) => setImmediate(resolve)) }
  }

  it('seal as before until the file is written, then the change holds and is answered', async () => {
    const { sealing, writes, answers, turn, notices } = await keeping()
    assert.deepEqual([writes.length, sealing.keyring?.keys.length, answers()], [1, 1, []])
    assert.deepEqual(parseKeyringFile(writes[0]?.bytes ?? utf8('')).keys, [KEY, OTHER])
    writes[0]?.done()
    await turn()
    assert.deepEqual([sealing.keyring?.keys.length, answers()], [2, [true]])
    assert.ok(!notices.some(({ type }) => type === 'warning'))
  })

  it('that a host refuses to write in the very call stay, and the next change is taken', async () => {
    const all = await keeping(() => {
      throw new Error('read-only')
    })
    await all.turn()
    assert.deepEqual(all.answers(), [false])
    assert.ok(all.notices.some((notice) => notice.type === 'warning' && notice.code === 'keyring-unwritten'))
    all.ask()
    await all.turn()
    assert.deepEqual(all.answers(), [false], 'a second time')
  })

  it('that cannot be written stay, whatever the reason was thrown as', async () => {
    for (const error of [new Error('no space left'), 'no space left', undefined]) {
      const { sealing, writes, answers, turn, driver } = await keeping()
      writes[0]?.fail(error)
      await turn()
      assert.deepEqual([sealing.keyring?.keys.length, answers()], [1, [false]])
      assert.equal(driver.stats().warnings['keyring-unwritten'], 1)
    }
  })

  it('are written to the end before all is closed, and nothing is told of it', async () => {
    const { driver, writes, turn, sealing, host } = await keeping()
    let isClosed = false
    const closing = driver.close().then(() => {
      isClosed = true
    })
    await turn()
    assert.equal(isClosed, false)
    const sent = host.sent.length
    writes[0]?.done()
    await closing
    assert.deepEqual([host.sent.length, sealing.keyring?.keys.length], [sent, 1])
  })

  it('that a disk never writes keep nobody who closes for longer than five seconds', async () => {
    const { driver, turn, host } = await keeping()
    let isClosed = false
    const closing = driver.close().then(() => {
      isClosed = true
    })
    await turn()
    host.run(CLOSE_LIMIT_MS - 1)
    await turn()
    assert.equal(isClosed, false)
    host.run(1)
    await closing
    assert.equal(host.timers, 0)
  })
})

describe('opening and closing', () => {
  it('before the machine runs, packets and streams fall on deaf ears', async () => {
    const { driver, host, notices } = closedSetup()
    await driver.open(US)
    host.handlers.packet(encodeSwimMessage(alive(2)), PEER, host.now)
    assert.equal(host.accept().isDestroyed, true)
    assert.throws(() => driver.command(() => 0), ClosedError)
    assert.deepEqual([notices, host.sent, host.timers], [[], [], 0])
  })

  it('where binding fails nothing is kept, and it may be tried again', async () => {
    const { driver, host } = closedSetup()
    const { bind } = host
    host.bind = () => Promise.reject(new TransportError('in use'))
    await assert.rejects(driver.open(US), TransportError)
    host.bind = bind
    assert.equal((await driver.open(US)).key, US.key)
    await driver.close()
    assert.equal(host.isBound, false)
  })

  it('close while it is bound ends only when what was bound is closed', async () => {
    const { driver, host } = closedSetup()
    const opened = driver.open(US)
    const closed = driver.close()
    await Promise.all([closed, assert.rejects(opened, ClosedError)])
    await driver.close()
    assert.equal(host.isBound, false)
  })

  it('close waits for a binding under way, whatever comes of it', async () => {
    for (const comesTrue of [true, false]) {
      const { driver, host } = closedSetup()
      const { bind } = host
      let go = (): void => {}
      const gate = new Promise<void>((resolve) => {
        go = resolve
      })
      host.bind = async (address, handlers) => {
        await gate
        if (!comesTrue) throw new TransportError('in use')
        return bind.call(host, address, handlers)
      }
      const opened = assert.rejects(driver.open(US), comesTrue ? ClosedError : TransportError)
      let isClosed = false
      const closed = driver.close().then(() => {
        isClosed = true
        assert.equal(host.isBound, false)
      })
      for (let turn = 0; turn < 20; turn++) await undefined
      assert.equal(isClosed, false)
      go()
      await Promise.all([opened, closed])
    }
  })

  it('after close nothing is told, sent, armed or answered, whatever the host still brings', async () => {
    const all = await running()
    const { host, driver, notices } = all
    receive(all, [alive(2)])
    driver.schedule('task', 10, () => assert.fail('a task ran'))
    driver.command((serf) => serf.contact(PEER))
    const theirs = host.accept()
    const { handlers } = host
    const before = notices.length
    host.sent.length = 0
    await driver.close()
    assert.equal(host.timers, 0)
    assert.ok(theirs.isDestroyed && host.dialled[0]?.isDestroyed)
    handlers.packet(encodeSwimMessage(PING), PEER, host.now)
    handlers.packet(utf8('nonsense'), PEER, host.now)
    handlers.sendFailed(PEER, new TransportError('no'), true)
    handlers.failed(new TransportError('no'))
    assert.equal(host.accept().isDestroyed, true)
    driver.schedule('later', 10, () => assert.fail('a task ran'))
    driver.unschedule('later')
    host.run(100_000)
    assert.equal(notices.length, before)
    assert.deepEqual([host.sent.length, host.timers], [0, 0])
    assert.throws(() => driver.command(() => 0), ClosedError)
  })

  it('sockets that fail for good are told once, as they are', async () => {
    const all = await running()
    const error = new TransportError('gone')
    all.host.handlers.failed(error)
    assert.deepEqual(all.notices, [{ type: 'failed', error }])
  })

  it('a listener that closes on a warning stops the packet that led to it', async () => {
    const all = await running({ listener: (_notice, { driver }) => void driver.close() })
    const parts = [Uint8Array.of(99, 1), encodeSwimMessage(alive(2))]
    all.host.handlers.packet(encodeCompound(parts), PEER, all.host.now)
    assert.equal(all.notices.length, 1)
    assert.equal(all.serf.size, 1)
  })

  it('a listener that closes on a stream that took too long stops what else was due', async () => {
    const all = await running({
      streamTimeoutMs: 500,
      tombstoneTimeoutMs: 1,
      reapIntervalMs: 600,
      listener: (notice, { driver }) => {
        if (notice.type === 'warning') void driver.close()
      },
    })
    receive(all, [alive(2), { type: 'dead', node: 'ghost-2', incarnation: 1, from: 'ghost-2' }])
    all.host.accept()
    all.host.now += 700
    all.host.run(0)
    assert.equal(all.notices.at(-1)?.type, 'warning')
    assert.equal(all.serf.size, 2, 'nobody is erased any more')
  })

  it('a stream that is open when a listener closes leaves neither deadline nor stream', async () => {
    const all: Running = await running({ listener: (_notice, { driver }) => void driver.close() })
    const stream = all.host.accept()
    stream.say(streamBytes(all.sealing, 'dialler', { type: 'user', payload: utf8('nonsense') }))
    assert.equal(all.driver.stats().streamsOpen, 0)
    assert.equal(all.host.timers, 0)
  })
})
