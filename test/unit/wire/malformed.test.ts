import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DecodeError, DecryptError } from '../../../src/base/errors.ts'
import { decodePacket } from '../../../src/wire/packet.ts'
import { StreamReader, shouldAnswer } from '../../../src/wire/stream.ts'
import type { Fields, Vector } from './vectors.ts'
import { sealingOf, Tally, vectorsOf } from './vectors.ts'

type Outcome = 'accept' | 'reject' | 'partial' | 'ignore'

/** Where the verdict is not the decoder's to reach: what the decoder does, and who judges. By the start of the name. */
const ELSEWHERE: readonly (readonly [name: string, here: Outcome, why: string])[] = [
  ['udp-packet/ping-wrong-node', 'accept', 'no ack: the member compares the name with its own'],
  ['tcp-stream/ping-wrong-node', 'accept', 'no answer: the member compares the name with its own'],
  ['udp-packet/alive-vsn-zero', 'accept', 'no effect: the claims compare the versions'],
  ['udp-packet/alive-vsn-min-above-max', 'accept', 'no effect: the claims compare the versions'],
  ['tcp-stream/pushpull-incompatible', 'accept', 'answered, not merged: the push/pull compares the versions'],
  ['tcp-stream/pushpull-vsn-missing', 'accept', 'answered, not merged: the push/pull compares the versions'],
  ['tcp-answer/answer-error', 'accept', 'an error message: the exchange reports it'],
  ['tcp-answer/answer-wrong-type', 'accept', 'an ack: the exchange wants a push/pull'],
]

/** Where we differ on purpose. */
const OURS: readonly (readonly [name: string, here: Outcome, why: string])[] = [
  ['udp-packet/compress-at-limit', 'reject', '40 MiB from one datagram: we unfold 64 KiB'],
]

/** Never reached the end of a message: what came is dropped when the stream closes or times out. */
const UNFINISHED = 'unfinished'

/** The only vectors whose verdict is reached by waiting: each ends within its message, or is nothing at all. */
const WAITED_FOR: readonly string[] = [
  'tcp-stream/empty-connection-a',
  'tcp-stream/ping-truncated-a',
  'tcp-stream/pushpull-no-header-a',
  'tcp-stream/pushpull-states-missing-a',
  'tcp-stream/pushpull-userstate-truncated-a',
  'tcp-stream/user-truncated-a',
  'tcp-stream/encrypted-frame-truncated-a',
  'tcp-stream/compress-msgpack-truncated-a',
  'tcp-stream/label-cut-a',
  'tcp-answer/answer-empty-a',
  'tcp-answer/answer-truncated-a',
  'tcp-stream/empty-connection-b',
  'tcp-stream/ping-truncated-b',
  'tcp-stream/pushpull-no-header-b',
  'tcp-stream/label-cut-b',
  'tcp-answer/answer-truncated-b',
]

function packetOutcome({ bytes, params }: Vector): { outcome: Outcome; error?: unknown } {
  try {
    const { messages, problems } = decodePacket(bytes, sealingOf(params))
    if (problems.length === 0) return { outcome: 'accept' }
    return { outcome: messages.length === 0 ? 'reject' : 'partial' }
  } catch (error) {
    return { outcome: 'reject', error }
  }
}

function streamOutcome({ bytes, params, layer }: Vector): { outcome: Outcome | typeof UNFINISHED; error?: unknown } {
  const role = layer === 'tcp-answer' ? 'dialler' : 'listener'
  const reader = new StreamReader({ sealing: sealingOf(params), role })
  try {
    const found = reader.push(bytes)
    if (found === undefined) return { outcome: UNFINISHED }
    const isNothing = found.message.type === 'user' && found.message.payload.length === 0
    return { outcome: isNothing ? 'ignore' : 'accept' }
  } catch (error) {
    return { outcome: 'reject', error }
  }
}

/** The text that Go's listener answers with, where it answers with an error message. */
function answerOf(expect: Fields): string | undefined {
  const outcome = (expect.go_new ?? expect.go) as Fields | undefined
  const answer = outcome?.response ?? outcome?.responseDecrypted
  if (!(answer instanceof Uint8Array) || answer[0] !== 0x0d) return undefined
  const reader = new StreamReader({ sealing: sealingOf({}), role: 'dialler' })
  const found = reader.push(answer)
  assert.ok(found?.message.type === 'error')
  return found.message.error
}

test('every malformed vector gets its verdict from the decoder, or is judged where the tables say', (t) => {
  const tally = new Tally()
  const used = new Set<string>()
  const waited: string[] = []
  for (const vector of vectorsOf('memberlist-malformed')) {
    const { name, layer, verdict, expect } = vector
    const { outcome, error } = layer === 'udp-packet' ? packetOutcome(vector) : streamOutcome(vector)
    if (error !== undefined)
      assert.ok(error instanceof DecodeError || error instanceof DecryptError, `${name}: ${error}`)
    if (layer === 'tcp-stream' && verdict === 'reject') {
      const answer = answerOf(expect)
      assert.equal(shouldAnswer(error), answer !== undefined, `${name}: answered`)
      if (answer !== undefined) assert.equal((error as Error).message, answer, name)
      if (answer !== undefined) tally.add('answered in the words of Go')
    }
    const row = [...ELSEWHERE, ...OURS].find(([start]) => name.startsWith(start))
    if (row !== undefined) {
      assert.equal(outcome, row[1], `${name}: ${row[2]}`)
      used.add(row[0])
      tally.add(OURS.includes(row) ? 'ours' : 'elsewhere')
      continue
    }
    const allowed: Record<string, readonly string[]> = {
      accept: ['accept'],
      partial: ['partial'],
      reject: ['reject', UNFINISHED],
      ignore: ['ignore', UNFINISHED],
      either: ['accept', 'reject'],
    }
    assert.ok(allowed[verdict as string]?.includes(outcome), `${name}: ${outcome}, not ${verdict}`)
    if (outcome === UNFINISHED) waited.push(name)
    tally.add(verdict as string)
  }
  t.diagnostic(JSON.stringify(tally.counts))
  assert.deepEqual(waited, WAITED_FOR, 'no reader waits where it could judge')
  assert.equal(used.size, ELSEWHERE.length + OURS.length, 'no row of the tables is stale')
  assert.deepEqual(tally.counts, {
    accept: 30,
    reject: 130,
    partial: 3,
    ignore: 6,
    either: 4,
    elsewhere: 14,
    ours: 1,
    'answered in the words of Go': 20,
  })
})
