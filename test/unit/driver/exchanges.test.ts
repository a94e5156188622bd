import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_BYTES, utf8 } from '../../../src/base/bytes.ts'
import {
  Exchanges,
  type ExchangesSetup,
  MAX_INBOUND_BYTES,
  MAX_INBOUND_STREAMS,
} from '../../../src/driver/exchanges.ts'
import { wrapCompressed } from '../../../src/wire/compress.ts'
import { MAX_STREAM_PART_BYTES } from '../../../src/wire/limits.ts'
import type { Sealing } from '../../../src/wire/packet.ts'
import { encodePushPull, encodeSwimMessage } from '../../../src/wire/swim-messages.ts'
import { type PushPull, type StreamMessage, SwimType } from '../../../src/wire/types.ts'
import { addressOf, FakeStream, largeState, PEER, readWritten, sealingOf, streamBytes } from './support.ts'

const STREAM_TIMEOUT_MS = 1000
const KEY = new Uint8Array(32).fill(7)
const STATE: PushPull = { type: 'push-pull', join: false, members: [], userState: NO_BYTES }
const STATE_BODY = encodePushPull(STATE)
const PING: StreamMessage = { type: 'ping', seqNo: 7, node: 'us', sourceAddr: null, sourcePort: 0, sourceNode: '' }
/** A push/pull that announces 20 MiB of user state and lacks the last byte of it. */
const UNFINISHED = encodePushPull({ ...STATE, userState: new Uint8Array(20 * 1024 * 1024) }).subarray(0, -1)
const ACK: StreamMessage = { type: 'ack', seqNo: 7, payload: null }

describe('a request of ours', () => {
  it('is written when the stream opens, and its answer goes up once, as soon as it is whole', () => {
    const all = exchanges()
    const stream = ask(all)
    assert.deepEqual(stream.written, [])
    stream.open()
    assert.deepEqual(readWritten(all.sealing, 'listener', stream), STATE)
    const answer = streamBytes(all.sealing, 'listener', STATE)
    for (const byte of answer) {
      assert.deepEqual(all.log, [])
      stream.say(Uint8Array.of(byte))
    }
    assert.deepEqual(all.log, ['replied 1 push-pull'])
    assert.ok(stream.isDestroyed)
    assertIdle(all)
  })

  it('what comes behind the answer is ignored', () => {
    const all = exchanges()
    const stream = ask(all)
    stream.open()
    const answer = streamBytes(all.sealing, 'listener', STATE)
    stream.say(Uint8Array.of(...answer, ...answer))
    assert.deepEqual(all.log, ['replied 1 push-pull'])
  })

  it('fails with what the host says of a stream that never opened', () => {
    const all = exchanges()
    ask(all).close(new Error('refused'))
    assert.deepEqual(all.log, ['failed 1 refused'])
    assertIdle(all)
  })

  it('fails where the other side closes before its answer is whole', () => {
    const all = exchanges()
    const stream = ask(all)
    stream.open()
    stream.say(streamBytes(all.sealing, 'listener', STATE).subarray(0, 3))
    stream.close()
    assert.deepEqual(all.log, ['failed 1 closed without an answer'])
    assert.ok(stream.isDestroyed)
    assertIdle(all)
  })

  it('fails where the answer is no message, and is not answered in turn', () => {
    const all = exchanges()
    const stream = ask(all)
    stream.open()
    const written = stream.written.length
    stream.say(Uint8Array.of(99, 1, 2, 3))
    assert.match(all.log.join(), /^failed 1 /)
    assert.equal(stream.written.length, written)
    assert.ok(stream.isDestroyed)
    assertIdle(all)
  })

  it('has one limit for dialling and one for the answer', () => {
    const all = exchanges()
    const stream = ask(all)
    all.run(499)
    stream.open()
    all.run(499)
    stream.say(streamBytes(all.sealing, 'listener', STATE).subarray(0, 3))
    all.run(1)
    assert.deepEqual(all.log, ['failed 1 no answer within 500 ms'], 'a byte in between gives no more time')
    assert.ok(stream.isDestroyed)
    assertIdle(all)
  })

  it('that opens late has its full time for the answer', () => {
    const all = exchanges()
    const stream = ask(all)
    all.run(400)
    stream.open()
    all.run(499)
    assert.deepEqual(all.log, [])
    stream.say(streamBytes(all.sealing, 'listener', STATE))
    assert.deepEqual(all.log, ['replied 1 push-pull'])
    assertIdle(all)
  })

  it('fails where dialling takes too long', () => {
    const all = exchanges()
    const stream = ask(all)
    all.run(500)
    assert.deepEqual(all.log, ['failed 1 no answer within 500 ms'])
    assert.ok(stream.isDestroyed)
    assertIdle(all)
  })

  it('a probe has one limit for all of it', () => {
    const all = exchanges()
    const stream = ask(all, 'probe')
    all.run(300)
    stream.open()
    all.run(200)
    assert.deepEqual(all.log, ['failed 1 no answer within 500 ms'])
    assertIdle(all)
  })

  it('several at once do not meet', () => {
    const all = exchanges()
    const [first, second] = [ask(all, 'push-pull', 1), ask(all, 'push-pull', 2)]
    first.open()
    second.open()
    second.say(streamBytes(all.sealing, 'listener', { type: 'error', error: 'no' }))
    first.say(streamBytes(all.sealing, 'listener', STATE))
    assert.deepEqual(all.log, ['replied 2 error', 'replied 1 push-pull'])
    assertIdle(all)
  })
})

describe('a request of theirs', () => {
  it('goes up when it is whole, is answered in the same turn, and the stream ended', () => {
    const all = exchanges({ answer: () => STATE_BODY })
    const stream = accept(all)
    for (const byte of streamBytes(all.sealing, 'dialler', STATE)) stream.say(Uint8Array.of(byte))
    assert.deepEqual(all.log, ['requested 1 push-pull'])
    assert.deepEqual(readWritten(all.sealing, 'dialler', stream), STATE)
    assert.ok(stream.isEnded && !stream.isDestroyed)
    stream.close()
    assertIdle(all)
  })

  it('is answered as well where they half-close after it', () => {
    const all = exchanges({ answer: () => STATE_BODY })
    const stream = accept(all)
    stream.say(streamBytes(all.sealing, 'dialler', STATE))
    stream.close()
    assert.deepEqual(readWritten(all.sealing, 'dialler', stream), STATE)
    assert.ok(stream.isEnded && !stream.isDestroyed, 'what is queued still goes out')
    assertIdle(all)
  })

  it('that nobody answers closes the stream: a ping for another name', () => {
    const all = exchanges()
    const stream = accept(all)
    stream.say(streamBytes(all.sealing, 'dialler', PING))
    assert.deepEqual(all.log, ['requested 1 ping'])
    assert.deepEqual(stream.written, [])
    assert.ok(stream.isEnded)
    stream.close()
    assertIdle(all)
  })

  it('an answer that comes too late for its stream is dropped', () => {
    const all = exchanges()
    const stream = accept(all)
    stream.say(streamBytes(all.sealing, 'dialler', PING))
    stream.close()
    all.exchanges.reply(1, encodeSwimMessage(ACK as Extract<StreamMessage, { type: 'ack' }>))
    all.exchanges.reply(99, STATE_BODY)
    assert.deepEqual(stream.written, [])
    assertIdle(all)
  })

  it('what they say after their request is ignored', () => {
    const all = exchanges({ answer: () => STATE_BODY })
    const stream = accept(all)
    stream.say(streamBytes(all.sealing, 'dialler', STATE))
    stream.say(streamBytes(all.sealing, 'dialler', STATE))
    stream.say(Uint8Array.of(99))
    assert.deepEqual(all.log, ['requested 1 push-pull'])
  })

  it('closed in silence is no trouble; closed within a message is', () => {
    const silent = exchanges()
    accept(silent).close()
    assert.deepEqual(silent.log, [])
    assertIdle(silent)

    const broken = exchanges()
    const stream = accept(broken)
    stream.say(streamBytes(broken.sealing, 'dialler', STATE).subarray(0, 3))
    stream.close()
    assert.deepEqual(broken.log, [`stream-invalid stream of ${PEER.key} ended within a message`])
    assert.ok(stream.isDestroyed, 'no answer will come, so a half-closed stream is not kept')
    assertIdle(broken)
  })

  it('has one limit for the request and one for the answer to go out', () => {
    const slow = exchanges()
    const stream = accept(slow)
    slow.run(STREAM_TIMEOUT_MS - 1)
    stream.say(streamBytes(slow.sealing, 'dialler', STATE).subarray(0, 3))
    slow.run(1)
    assert.deepEqual(slow.log, [`stream-invalid ${PEER.key} took longer than ${STREAM_TIMEOUT_MS} ms`])
    assert.ok(stream.isDestroyed)
    assertIdle(slow)

    const deaf = exchanges({ answer: () => STATE_BODY })
    const unread = accept(deaf)
    deaf.run(STREAM_TIMEOUT_MS - 1)
    unread.say(streamBytes(deaf.sealing, 'dialler', STATE))
    deaf.run(STREAM_TIMEOUT_MS - 1)
    assert.ok(!unread.isDestroyed)
    deaf.run(1)
    assert.ok(unread.isDestroyed)
    assert.deepEqual(deaf.log, ['requested 1 push-pull'], 'a peer that does not read is no news')
    assertIdle(deaf)
  })

  it('ML-54: above 127 streams at once takes the place of the unanswered one that waits longest, which is told once', () => {
    const all = exchanges({ answer: () => STATE_BODY })
    const ours = ask(all)
    const streams = Array.from({ length: MAX_INBOUND_STREAMS }, (_, at) => accept(all, at === 1 ? addressOf(3) : PEER))
    assert.equal(MAX_INBOUND_STREAMS, 127)
    assert.equal(all.exchanges.size, 1 + 127)
    streams[0]?.say(streamBytes(all.sealing, 'dialler', STATE))
    all.log.length = 0

    const newcomer = accept(all)
    assert.deepEqual(all.log, [`stream-limit 127 streams are open: that of ${addressOf(3).key} is cut`])
    assert.deepEqual(cutOf(streams), [1], 'an answer on its way is let go out')
    assert.equal(all.exchanges.size, 1 + 127)
    assert.ok(!ours.isDestroyed, 'streams of ours are neither counted nor cut')
    newcomer.say(streamBytes(all.sealing, 'dialler', STATE))
    assert.deepEqual(readWritten(all.sealing, 'dialler', newcomer), STATE, 'it is served')

    streams[5]?.close()
    accept(all)
    assert.deepEqual(cutOf(streams), [1, 5], 'where one is over nobody has to go')
    accept(all)
    assert.deepEqual(cutOf(streams), [1, 2, 5])
  })

  it('is refused where 127 answers are still going out, until one is over', () => {
    const all = exchanges({ answer: () => STATE_BODY })
    const streams = Array.from({ length: MAX_INBOUND_STREAMS }, () => accept(all))
    for (const stream of streams) stream.say(streamBytes(all.sealing, 'dialler', STATE))
    all.log.length = 0
    assert.ok(accept(all).isDestroyed)
    assert.deepEqual(all.log, ['stream-limit 127 streams are open'])
    assert.deepEqual([cutOf(streams), all.exchanges.size], [[], 127])
    streams[5]?.close()
    assert.ok(!accept(all).isDestroyed)
  })

  it('all unfinished requests together hold no more than the budget: who holds most is cut', () => {
    const all = exchanges()
    const from = [3, 4, 5].map(addressOf)
    const [small, large, middle] = from.map((peer) => accept(all, peer)) as [FakeStream, FakeStream, FakeStream]
    const all3 = [small, large, middle]
    large.say(UNFINISHED)
    middle.say(UNFINISHED.subarray(0, -1))
    small.say(UNFINISHED.subarray(0, -2))
    const fourth = accept(all)
    const rest = MAX_INBOUND_BYTES - (3 * UNFINISHED.length - 3)
    fourth.say(UNFINISHED.subarray(0, rest))
    assert.deepEqual([cutOf(all3), all.log], [[], []], 'the budget is filled to the last byte')
    fourth.say(UNFINISHED.subarray(rest, rest + 1))
    const cut = (number: number): string =>
      `stream-limit ${MAX_INBOUND_BYTES} bytes of streams are held: that of ${addressOf(number).key} is cut`
    assert.deepEqual([cutOf(all3), all.log], [[1], [cut(4)]], 'not the one that spoke last')

    // What was cut has given its share back: as much again fits.
    const fifth = accept(all)
    fifth.say(UNFINISHED.subarray(0, -1))
    assert.deepEqual([cutOf(all3), all.log], [[1], [cut(4)]])
    assert.equal(all.exchanges.size, 4)
    middle.say(new Uint8Array(2))
    assert.deepEqual(
      [cutOf(all3), all.log],
      [
        [1, 2],
        [cut(4), cut(5)],
      ],
      'also the one that speaks',
    )
    assert.ok(!fourth.isDestroyed && !fifth.isDestroyed)
  })

  it('what ends gives its share of the budget back', () => {
    const all = exchanges()
    const streams = [accept(all), accept(all), accept(all)]
    for (const stream of streams) stream.say(UNFINISHED)
    streams[0]?.close()
    all.log.length = 0
    const fourth = accept(all)
    fourth.say(UNFINISHED)
    assert.deepEqual([cutOf([...streams, fourth]), all.log], [[0], []], 'only the one that closed is gone')
  })

  it('every way to end gives its place back', () => {
    const all = exchanges({ answer: () => STATE_BODY })
    for (let round = 0; round < 3 * MAX_INBOUND_STREAMS; round++) {
      const stream = accept(all)
      assert.ok(!stream.isDestroyed, `round ${round}`)
      if (round % 4 === 0) stream.close()
      if (round % 4 === 1) stream.close(new Error('reset'))
      if (round % 4 === 2) stream.say(Uint8Array.of(99))
      if (round % 4 === 3) stream.say(streamBytes(all.sealing, 'dialler', STATE))
      stream.close()
    }
    assertIdle(all)
    accept(all)
    all.run(STREAM_TIMEOUT_MS)
    assertIdle(all)
  })
})

describe('a stream that cannot be read', () => {
  it('is told why where memberlist tells it: encrypted here and not there, and the reverse', () => {
    for (const [ours, theirs, text] of [
      [sealingOf({ secretKey: KEY }), sealingOf(), /remote state is not encrypted/],
      [sealingOf(), sealingOf({ secretKey: KEY }), /encryption is not configured/],
    ] as const) {
      const all = exchanges({ sealing: ours })
      const stream = accept(all)
      stream.say(streamBytes(theirs, 'dialler', STATE))
      assert.match(all.log.join(), /^stream-invalid stream of 10\.0\.0\.2:7946: /)
      const answer = readWritten(ours, 'dialler', stream)
      assert.ok(answer.type === 'error')
      assert.match(answer.error, text)
      assert.ok(stream.isEnded && !stream.isDestroyed)
      stream.close()
      assertIdle(all)
    }
  })

  it('is closed without a word where the label is wrong or the message is none', () => {
    for (const [ours, bytes] of [
      [sealingOf({ label: utf8('red') }), streamBytes(sealingOf({ label: utf8('blue') }), 'dialler', STATE)],
      [sealingOf({ label: utf8('red') }), streamBytes(sealingOf(), 'dialler', STATE)],
      [sealingOf(), streamBytes(sealingOf({ label: utf8('blue') }), 'dialler', STATE)],
      [sealingOf(), Uint8Array.of(99, 1, 2)],
    ] as const) {
      const all = exchanges({ sealing: ours })
      const stream = accept(all)
      stream.say(bytes)
      assert.match(all.log.join(), /^stream-invalid /)
      assert.equal(all.log.length, 1)
      assert.deepEqual(stream.written, [])
      assert.ok(stream.isEnded)
    }
  })

  it('that announces more than 20 MiB is refused at once', () => {
    const all = exchanges({ sealing: sealingOf({ secretKey: KEY }) })
    const stream = accept(all)
    stream.say(Uint8Array.of(10, 0x7f, 0xff, 0xff, 0xff))
    const answer = readWritten(all.sealing, 'dialler', stream)
    assert.ok(answer.type === 'error' && /larger than limit/.test(answer.error))
  })

  it('that says more than it may before its message is whole is cut off', () => {
    const all = exchanges()
    const stream = accept(all)
    // A push/pull whose header begins with a name of 21 MiB.
    stream.say(Uint8Array.of(6, 0x81, 0xdb, 0x01, 0x50, 0x00, 0x00))
    assert.match(all.log.join(), /^stream-invalid /)
    assert.ok(stream.isEnded)
  })
})

describe('sealed exchanges', () => {
  it('go both ways under a key and a label, compressed or not', () => {
    for (const compress of [true, false]) {
      const sealing = sealingOf({ secretKey: KEY, label: utf8('red') })
      const theirs = exchanges({ sealing, compress, answer: () => STATE_BODY })
      const ours = exchanges({ sealing, compress })
      const here = ask(ours)
      here.open()
      const there = accept(theirs)
      for (const bytes of here.written) there.say(bytes)
      for (const bytes of there.written) here.say(bytes)
      assert.deepEqual([ours.log, theirs.log], [['replied 1 push-pull'], ['requested 1 push-pull']])
    }
  })
})

describe('compression', () => {
  it('shows on the wire both ways where it is on, and not where it is off', () => {
    for (const [compress, type] of [
      [true, SwimType.compress],
      [false, SwimType.pushPull],
    ] as const) {
      const all = exchanges({ compress, answer: () => STATE_BODY })
      const ours = ask(all)
      ours.open()
      const theirs = accept(all)
      theirs.say(streamBytes(all.sealing, 'dialler', STATE))
      assert.deepEqual([ours.written[0]?.[0], theirs.written[0]?.[0]], [type, type])
    }
  })
})

describe('a message that is read in several turns', () => {
  const LARGE = largeState(3000)

  it('is read where the sender closes as soon as it is sent: an answer', () => {
    for (const error of [undefined, new Error('reset')]) {
      const all = exchanges({ compress: true })
      const stream = ask(all)
      stream.open()
      stream.say(streamBytes(all.sealing, 'listener', LARGE, true))
      stream.close(error)
      assert.deepEqual(all.log, [])
      all.run(1)
      assert.deepEqual(all.log, ['replied 1 push-pull'], 'also where an error came after it')
      assertIdle(all)
    }
  })

  it('is read and answered where the sender half-closes as soon as it is sent: a request', () => {
    for (const sealing of [sealingOf(), sealingOf({ secretKey: KEY })]) {
      const all = exchanges({ sealing, answer: () => STATE_BODY })
      const stream = accept(all)
      stream.say(streamBytes(sealing, 'dialler', LARGE, true))
      stream.close()
      assert.deepEqual([all.log, stream.isDestroyed], [[], false])
      all.run(1)
      assert.deepEqual(all.log, ['requested 1 push-pull'])
      assert.deepEqual(readWritten(sealing, 'dialler', stream), STATE)
      assert.ok(stream.isEnded && !stream.isDestroyed, 'what is queued still goes out')
      // The host has told its end already, and will not tell it again. What was sealed for it counts as held for a phase more.
      if (sealing.keyring === undefined) assertIdle(all)
      all.run(STREAM_TIMEOUT_MS)
      assert.deepEqual([all.log.length, stream.isDestroyed], [1, sealing.keyring !== undefined])
      assertIdle(all)
    }
  })

  it('is not read on, and that is told, where the sender of a request is gone', () => {
    const all = exchanges({ answer: () => STATE_BODY })
    const stream = accept(all)
    stream.say(streamBytes(all.sealing, 'dialler', LARGE, true))
    stream.close(new Error('reset'))
    assert.deepEqual(all.log, [`stream-invalid stream of ${PEER.key} broke before its message was read: reset`])
    assertIdle(all)
  })

  it('that is cut short fails once all that came is read, and not before', () => {
    const ours = exchanges()
    const stream = ask(ours)
    stream.open()
    stream.say(streamBytes(ours.sealing, 'listener', LARGE).subarray(0, -1))
    stream.close()
    assert.deepEqual(ours.log, [])
    ours.run(1)
    assert.deepEqual(ours.log, ['failed 1 closed without an answer'])
    assertIdle(ours)

    const theirs = exchanges()
    const request = accept(theirs)
    request.say(streamBytes(theirs.sealing, 'dialler', LARGE).subarray(0, -1))
    request.close()
    theirs.run(1)
    assert.deepEqual(theirs.log, [`stream-invalid stream of ${PEER.key} ended within a message`])
    assert.ok(request.isDestroyed)
    assertIdle(theirs)
  })

  it('of many streams one is read a turn, each in turn, and none waits for ever', () => {
    const all: All = exchanges({ answer: () => void all.pass(1) })
    const streams = Array.from({ length: 20 }, () => accept(all))
    const bytes = streamBytes(all.sealing, 'dialler', largeState(5000), true)
    // Three reads each. The first of the first is in the turn in which all comes.
    for (const stream of streams) stream.say(bytes)
    for (let turns = 1; turns < 60; turns++) {
      assert.ok(all.log.length < 20, `${turns} turns`)
      assert.equal(all.exchanges.nextDeadline(), all.now() + 1)
      all.run(1)
    }
    assert.deepEqual(
      all.log,
      streams.map((_, at) => `requested ${at + 1} push-pull`),
    )
  })

  it('is finished before all others are begun: as many streams as may be open fit into the budget', () => {
    const all: All = exchanges({ answer: () => STATE_BODY })
    const streams = Array.from({ length: MAX_INBOUND_STREAMS }, () => accept(all))
    const bytes = streamBytes(all.sealing, 'dialler', largeState(3500), true)
    for (const stream of streams) stream.say(bytes)
    for (let turns = 0; turns < 2 * MAX_INBOUND_STREAMS; turns++) all.run(1)
    assert.deepEqual(cutOf(streams), [])
    assert.ok(streams.every(({ isEnded }) => isEnded))
  })

  it('of several that unfold to all they may one is unfolded at a time: they fit into the budget, and others are answered meanwhile', () => {
    const all = exchanges()
    const streams = Array.from({ length: 8 }, () => accept(all))
    const bomb = wrapCompressed(new Uint8Array(41_943_040))
    for (const stream of streams) stream.say(bomb)
    let turns = 0
    for (; all.exchanges.nextDeadline() === all.now() + 1; turns++) {
      if (turns === 30) accept(all).say(streamBytes(all.sealing, 'dialler', PING))
      all.run(1)
      if (turns === 32) assert.ok(all.log.includes('requested 9 ping'), 'it waits for no bomb')
    }
    assert.ok(turns >= 8 * 16, `${turns} turns`)
    assert.deepEqual(
      all.log.filter((line) => line.startsWith('stream-limit')),
      [],
    )
    assert.equal(all.log.filter((line) => line.startsWith('stream-invalid')).length, 8, 'zeros are no message')
  })

  it('keeps what comes meanwhile waiting, our own answers first', () => {
    const all = exchanges()
    accept(all).say(streamBytes(all.sealing, 'dialler', LARGE, true))
    accept(all).say(streamBytes(all.sealing, 'dialler', PING))
    const ours = ask(all)
    ours.open()
    ours.say(streamBytes(all.sealing, 'listener', STATE))
    assert.deepEqual(all.log, [])
    all.run(1)
    assert.deepEqual(all.log, ['replied 1 push-pull', 'requested 2 ping', 'requested 1 push-pull'])
  })

  it('reads that take long end the turn as well, and what follows from them counts', () => {
    const all: All = exchanges({ answer: () => void all.pass(7) })
    const [first, second] = [accept(all), accept(all)]
    first.say(streamBytes(all.sealing, 'dialler', PING))
    second.say(streamBytes(all.sealing, 'dialler', PING))
    assert.deepEqual(all.log, ['requested 1 ping'])
    assert.equal(all.exchanges.nextDeadline(), all.now() + 1)
    all.run(1)
    assert.deepEqual(all.log, ['requested 1 ping', 'requested 2 ping'])
  })

  it('is not given up for its limit while it waits for us to read it', () => {
    const all = exchanges({ answer: () => STATE_BODY })
    const stream = accept(all)
    const ours = ask(all)
    ours.open()
    all.pass(STREAM_TIMEOUT_MS)
    stream.say(streamBytes(all.sealing, 'dialler', largeState(7000), true))
    ours.say(streamBytes(all.sealing, 'listener', largeState(7000), true))
    for (let turn = 0; turn < 8; turn++) all.run(1)
    assert.deepEqual(all.log.toSorted(), ['replied 1 push-pull', 'requested 1 push-pull'])
  })

  it('whoever dribbles is given up in time, though it was read a moment ago', () => {
    const all = exchanges()
    const stream = accept(all)
    const bytes = streamBytes(all.sealing, 'dialler', LARGE)
    stream.say(bytes.subarray(0, -10))
    all.run(STREAM_TIMEOUT_MS - 1)
    stream.say(bytes.subarray(-10, -9))
    all.run(1)
    assert.deepEqual(all.log, [`stream-invalid ${PEER.key} took longer than ${STREAM_TIMEOUT_MS} ms`])
    assertIdle(all)
  })

  it('counts into the budget with what was read of it, not with its bytes alone', () => {
    const all = exchanges()
    const streams: FakeStream[] = []
    // 70,000 members take 18 MB once they are read, and a twentieth of that on the wire.
    const bytes = streamBytes(all.sealing, 'dialler', largeState(70_000), true)
    assert.ok(4 * bytes.length < MAX_INBOUND_BYTES / 10)
    for (let count = 0; count < 4; count++) {
      const stream = accept(all)
      stream.say(bytes.subarray(0, -1))
      streams.push(stream)
    }
    assert.deepEqual(cutOf(streams), [])
    for (const stream of streams) stream.say(bytes.subarray(-1))
    for (let turn = 0; turn < 200; turn++) all.run(1)
    assert.ok(cutOf(streams).length > 0)
    assert.match(all.log[0] as string, /^stream-limit /)
    assert.ok(all.log.includes('requested 4 push-pull'), 'those that stay are read to the end')
  })
})

describe('what waits to be read', () => {
  it('gives its place back with the answer, whatever that is, where they had half-closed before it was read', () => {
    const sealing = sealingOf({ secretKey: KEY })
    for (const [request, written] of [
      [streamBytes(sealing, 'dialler', STATE), 1],
      [streamBytes(sealing, 'dialler', PING), 0],
      [streamBytes(sealingOf(), 'dialler', STATE), 1],
    ] as const) {
      const all: All = exchanges({
        sealing,
        answer: (message) => (message.type === 'push-pull' ? STATE_BODY : undefined),
      })
      accept(all).say(streamBytes(sealing, 'dialler', largeState(3000), true))
      const streams = Array.from({ length: MAX_INBOUND_STREAMS - 1 }, () => accept(all))
      for (const stream of streams) {
        stream.say(request)
        stream.close()
      }
      assert.equal(all.exchanges.size, MAX_INBOUND_STREAMS)
      for (let turn = 0; turn < 2 * MAX_INBOUND_STREAMS; turn++) all.run(0.1)
      const newcomers = Array.from({ length: MAX_INBOUND_STREAMS - 1 }, () => accept(all))
      assert.deepEqual(cutOf([...streams, ...newcomers]), [])
      assert.ok(streams.every((stream) => stream.written.length === written && stream.isEnded && !stream.isDestroyed))
    }
  })

  it('a sealed answer to whoever had half-closed counts as held, for a phase', () => {
    const sealing = sealingOf({ secretKey: KEY })
    const body = encodePushPull({ ...STATE, userState: new Uint8Array(MAX_INBOUND_BYTES / 3.9) })
    const all: All = exchanges({ sealing, answer: () => body })
    const first = accept(all)
    first.say(streamBytes(sealing, 'dialler', largeState(3000), true))
    const streams = Array.from({ length: 5 }, () => accept(all))
    for (const stream of streams) {
      stream.say(streamBytes(sealing, 'dialler', STATE))
      stream.close()
    }
    for (let turn = 0; turn < 10; turn++) all.run(1)
    assert.ok(streams.every(({ written }) => written.length === 1))
    assert.equal(cutOf([first, ...streams]).length, 3, 'three of the six are within the budget')
    all.run(STREAM_TIMEOUT_MS)
    assertIdle(all)
  })

  it('does not give way to a newcomer while most others have us wait', () => {
    const all = exchanges()
    const streams = Array.from({ length: MAX_INBOUND_STREAMS }, () => accept(all))
    streams[0]?.say(streamBytes(all.sealing, 'dialler', largeState(3000), true))
    streams[1]?.say(streamBytes(all.sealing, 'dialler', PING))
    accept(all)
    assert.deepEqual(cutOf(streams), [2], 'the first two wait for us')
    all.run(1)
    assert.deepEqual(all.log.slice(1), ['requested 2 ping', 'requested 1 push-pull'])
  })

  it('gives way where most wait for us: newcomers do not cut one another before they can speak', () => {
    const all = exchanges()
    const streams = Array.from({ length: MAX_INBOUND_STREAMS }, () => accept(all))
    for (const stream of streams) stream.say(streamBytes(all.sealing, 'dialler', largeState(3000), true))
    const newcomers = [accept(all), accept(all), accept(all)]
    assert.deepEqual([cutOf(streams), cutOf(newcomers)], [[0, 1, 2], []])
  })

  it('counts into the budget before it is read', () => {
    const all = exchanges()
    accept(all).say(streamBytes(all.sealing, 'dialler', largeState(3000), true))
    // With what the first has read by now this is too much for the third.
    const streams = Array.from({ length: 3 }, () => accept(all))
    for (const stream of streams) stream.say(UNFINISHED)
    assert.deepEqual(cutOf(streams), [0])
  })

  it('is forgotten with its stream', () => {
    const all = exchanges()
    const streams = [accept(all), accept(all)]
    for (const stream of streams) stream.say(streamBytes(all.sealing, 'dialler', largeState(3000), true))
    all.exchanges.close()
    assertIdle(all)
    all.run(1)
    assert.deepEqual(all.log, [])
  })
})

describe('answers on their way out', () => {
  /** Larger than a quarter of the budget, sealed. */
  const ANSWER = encodePushPull({ ...STATE, userState: new Uint8Array(MAX_INBOUND_BYTES / 3.9) })

  it('that are sealed are held for each stream, and count into the budget until they are gone', () => {
    const sealing = sealingOf({ secretKey: KEY })
    const all = exchanges({ sealing, answer: () => ANSWER })
    const streams = Array.from({ length: 4 }, () => accept(all))
    const [first, second, third, fourth] = streams as [FakeStream, FakeStream, FakeStream, FakeStream]
    const request = streamBytes(sealing, 'dialler', STATE)
    for (const stream of [first, second, third]) stream.say(request)
    assert.deepEqual(cutOf(streams), [])
    third.close()
    fourth.say(request)
    assert.deepEqual(cutOf(streams), [], 'what has gone out holds nothing')
    const fifth = accept(all)
    fifth.say(request)
    assert.deepEqual([cutOf([...streams, fifth]).length, all.log.at(-1)?.split(' ')[0]], [1, 'stream-limit'])
  })

  it('that are not sealed are the same bytes for all, and are not counted', () => {
    const all = exchanges({ answer: () => ANSWER })
    const streams = Array.from({ length: 6 }, () => accept(all))
    for (const stream of streams) stream.say(streamBytes(all.sealing, 'dialler', STATE))
    assert.deepEqual(cutOf(streams), [])
  })

  it('a sealed reason why a stream was not read counts as well', () => {
    const sealing = sealingOf({ secretKey: KEY })
    const all = exchanges({ sealing })
    const streams = Array.from({ length: 4 }, () => accept(all))
    // Frames that lack their end fill the budget but for 50 bytes.
    const frame = new Uint8Array(MAX_STREAM_PART_BYTES + 4)
    frame.set([SwimType.encrypt, MAX_STREAM_PART_BYTES >>> 24, (MAX_STREAM_PART_BYTES >>> 16) & 0xff])
    for (const stream of streams.slice(0, 3)) stream.say(frame)
    streams[3]?.say(frame.subarray(0, MAX_INBOUND_BYTES - 3 * frame.length - 50))
    assert.deepEqual([cutOf(streams), all.log], [[], []])
    const fifth = accept(all)
    fifth.say(Uint8Array.of(SwimType.pushPull))
    assert.equal(readWritten(sealing, 'dialler', fifth).type, 'error')
    assert.ok((fifth.written[0] as Uint8Array).length > 50)
    assert.deepEqual([cutOf(streams), fifth.isDestroyed], [[0], false])
  })
})

describe('closing', () => {
  it('destroys every stream and forgets every deadline, and tells nobody', () => {
    const all = exchanges({ answer: () => STATE_BODY })
    const streams = [ask(all), accept(all), accept(all)]
    streams[0]?.open()
    streams[2]?.say(streamBytes(all.sealing, 'dialler', STATE))
    all.log.length = 0
    all.exchanges.close()
    assert.ok(streams.every(({ isDestroyed }) => isDestroyed))
    assertIdle(all)
    all.run(100_000)
    assert.deepEqual(all.log, [])
  })

  it('in the middle of a request, a refusal or an answer leaves nothing behind', () => {
    const close = (all: All): undefined => void all.exchanges.close()
    const asked = exchanges({ answer: () => close(asked) })
    accept(asked).say(streamBytes(asked.sealing, 'dialler', STATE))
    assertIdle(asked)

    for (const sealing of [sealingOf(), sealingOf({ secretKey: KEY })]) {
      const refusing: All = exchanges({ sealing, refused: () => close(refusing) })
      accept(refusing).say(Uint8Array.of(99, 1, 2))
      assert.equal(refusing.log.length, 1)
      assertIdle(refusing)
    }

    const full: All = exchanges({ refused: () => close(full) })
    const streams = Array.from({ length: MAX_INBOUND_STREAMS + 1 }, () => accept(full))
    assert.ok(streams.every(({ isDestroyed }) => isDestroyed))
    assertIdle(full)

    const heavy: All = exchanges({ refused: () => close(heavy) })
    const holders = Array.from({ length: 4 }, () => accept(heavy))
    for (const stream of holders) stream.say(UNFINISHED)
    assert.ok(holders.every(({ isDestroyed }) => isDestroyed))
    assertIdle(heavy)

    const late: All = exchanges({ failed: () => close(late) })
    ask(late, 'push-pull', 1)
    ask(late, 'push-pull', 2)
    late.run(500)
    assert.deepEqual(late.log, ['failed 1 no answer within 500 ms'])
    assertIdle(late)
  })
})

describe('a stall of ours', () => {
  it('moves the limit of every stream, of either side and in every phase', () => {
    const all = exchanges()
    const ours = ask(all)
    const theirs = accept(all)
    const ended = accept(all)
    ended.say(Uint8Array.of(99, 1))
    all.exchanges.postpone(3000)
    all.run(3499)
    assert.deepEqual(cutOf([ours, theirs, ended]), [])
    all.run(1)
    assert.deepEqual(cutOf([ours, theirs, ended]), [0])
    all.run(500)
    assert.deepEqual(cutOf([ours, theirs, ended]), [0, 1, 2])
    assertIdle(all)
  })
})

interface Script {
  readonly sealing?: Sealing
  readonly compress?: boolean
  /** What is answered to a request; nothing by default. */
  readonly answer?: (message: StreamMessage) => Uint8Array | undefined
  readonly refused?: () => void
  readonly failed?: () => void
}

interface All {
  readonly exchanges: Exchanges
  readonly sealing: Sealing
  readonly log: string[]
  readonly dialled: FakeStream[]
  now(): number
  /** Time passes and nobody is woken. */
  pass(ms: number): void
  run(ms: number): void
}

function exchanges(script: Script = {}): All {
  const { sealing = sealingOf(), compress = false } = script
  const log: string[] = []
  const dialled: FakeStream[] = []
  let now = 0
  const setup: ExchangesSetup = {
    sealing,
    compress,
    streamTimeoutMs: STREAM_TIMEOUT_MS,
    nonce: () => sealing.keyring && new Uint8Array(12),
    now: () => now,
    dial: (to, handlers) => {
      const stream = new FakeStream(to, handlers)
      dialled.push(stream)
      return stream
    },
    requested: (id, message, from) => {
      assert.equal(from, PEER)
      log.push(`requested ${id} ${message.type}`)
      const body = script.answer?.(message)
      if (body !== undefined) all.exchanges.reply(id, body)
    },
    replied: (id, message) => void log.push(`replied ${id} ${message.type}`),
    failed: (id, error) => {
      log.push(`failed ${id} ${error}`)
      script.failed?.()
    },
    refused: (code, message) => {
      log.push(`${code} ${message}`)
      script.refused?.()
    },
  }
  const pass = (ms: number): void => {
    now += ms
  }
  const run = (ms: number): void => {
    pass(ms)
    all.exchanges.advance(now)
  }
  const all: All = { exchanges: new Exchanges(setup), sealing, log, dialled, now: () => now, pass, run }
  return all
}

function ask({ exchanges, dialled }: All, purpose: 'push-pull' | 'probe' = 'push-pull', id = 1): FakeStream {
  exchanges.request({ id, purpose, to: PEER, body: STATE_BODY, timeoutMs: 500 })
  return dialled.at(-1) as FakeStream
}

function accept({ exchanges }: All, from = PEER): FakeStream {
  const stream = new FakeStream(from)
  stream.handlers = exchanges.accept(stream)
  if (stream.handlers === undefined) stream.destroy()
  return stream
}

/** Places of the streams that were destroyed. */
function cutOf(streams: readonly FakeStream[]): number[] {
  return streams.flatMap(({ isDestroyed }, at) => (isDestroyed ? [at] : []))
}

function assertIdle({ exchanges }: All): void {
  assert.deepEqual([exchanges.size, exchanges.nextDeadline()], [0, undefined])
}
