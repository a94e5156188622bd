import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { utf8 } from '../../../src/base/bytes.ts'
import { DecodeError } from '../../../src/base/errors.ts'
import { MAX_SERF_EVENTS, MAX_SERF_NAMES } from '../../../src/wire/limits.ts'
import { Writer } from '../../../src/wire/msgpack.ts'
import { decodeSerfMessage, encodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import { readSerfState, type SerfState } from '../../../src/wire/serf-state.ts'
import type { SerfPushPull } from '../../../src/wire/types.ts'

/** Reads to the end; gives also after how many slices. */
function read(bytes: Uint8Array): { readonly state: SerfState; readonly slices: number } {
  const reading = readSerfState(bytes)
  for (let slices = 1; ; slices++) {
    const step = reading.next()
    if (step.done === true) return { state: step.value, slices }
  }
}

function atOnce(bytes: Uint8Array): SerfState {
  const message = decodeSerfMessage(bytes)
  assert.ok(message.type === 'push-pull')
  const { ltime, statusLtimes, leftMembers, eventLtime, queryLtime } = message
  const events = message.events.map((slot) => ({ ...slot, events: [...slot.events] }))
  return {
    ltime,
    statusLtimes: new Map(statusLtimes),
    leftMembers: new Set(leftMembers),
    eventLtime,
    events,
    queryLtime,
  }
}

const ltimes = fc.oneof(fc.nat(), fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }))
const names = fc.string({ unit: 'grapheme', maxLength: 40 })
const messages: fc.Arbitrary<SerfPushPull> = fc.record({
  type: fc.constant('push-pull'),
  ltime: ltimes,
  statusLtimes: fc.array(fc.tuple(names, ltimes), { maxLength: 20 }).map((pairs) => new Map(pairs)),
  leftMembers: fc.array(names, { maxLength: 10 }),
  eventLtime: ltimes,
  events: fc.array(
    fc.record({
      ltime: ltimes,
      events: fc.array(fc.record({ name: names, payload: fc.uint8Array() }), { maxLength: 3 }),
    }),
    { maxLength: 3 },
  ),
  queryLtime: ltimes,
})

describe('Serf part of a push/pull, read in slices', () => {
  it('is read as the decoder of whole messages reads it', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const bytes = encodeSerfMessage(message)
        assert.deepEqual(read(bytes).state, atOnce(bytes))
      }),
    )
  })

  it('mutated bytes are refused by both or by none', () => {
    const base = encodeSerfMessage({
      type: 'push-pull',
      ltime: 300,
      statusLtimes: new Map([
        ['one', 1],
        ['two', 70_000],
      ]),
      leftMembers: ['two'],
      eventLtime: 1,
      events: [{ ltime: 7, events: [{ name: 'deploy', payload: Uint8Array.of(1, 255) }] }],
      queryLtime: 1,
    })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        fc.nat(3),
        (changes, cut) => {
          const bytes = base.slice(0, base.length - cut)
          for (const [place, value] of changes) if (place > 0 && place < bytes.length) bytes[place] = value
          let whole: SerfState | undefined
          try {
            whole = atOnce(bytes)
          } catch (error) {
            assert.ok(error instanceof DecodeError)
          }
          try {
            const { state } = read(bytes)
            if (whole !== undefined) assert.deepEqual(state, whole)
          } catch (error) {
            assert.ok(error instanceof DecodeError, String(error))
            // A key that is nil, or no text, is passed over by the one and refused by the other: Go sends neither.
            if (whole !== undefined) assert.match(error.message, /where a string belongs|UTF-8/)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('an array stands for the fields in the order of Go, and nil for none', () => {
    const writer = new Writer()
    writer.reset()
    writer.byte(2)
    writer.arrayHead(6)
    writer.int(9)
    writer.mapHead(1)
    writer.text('one')
    writer.int(4)
    writer.arrayHead(1)
    writer.text('gone')
    writer.int(5)
    writer.nil()
    writer.int(6)
    assert.deepEqual(read(writer.finish()).state, {
      ltime: 9,
      statusLtimes: new Map([['one', 4]]),
      leftMembers: new Set(['gone']),
      eventLtime: 5,
      events: [],
      queryLtime: 6,
    })
    assert.equal(read(Uint8Array.of(2, 0xc0)).state.statusLtimes.size, 0)
  })

  it('tens of thousands of names come in slices of a few thousand, unknown fields in slices of 64 KiB', () => {
    const statusLtimes = new Map(Array.from({ length: 50_000 }, (_, at) => [`member-${at}`, at] as const))
    const leftMembers = [...statusLtimes.keys()].slice(0, 10_000)
    const rest = { eventLtime: 1, events: [], queryLtime: 1 }
    const { state, slices } = read(
      encodeSerfMessage({ type: 'push-pull', ltime: 1, statusLtimes, leftMembers, ...rest }),
    )
    assert.equal(state.statusLtimes.size, 50_000)
    assert.equal(state.leftMembers.size, 10_000)
    assert.ok(slices >= 15, `${slices}`)

    const writer = new Writer()
    writer.reset()
    writer.byte(2)
    writer.mapHead(1)
    writer.text('Later')
    writer.arrayHead(1_000_000)
    writer.put(new Uint8Array(1_000_000))
    assert.ok(read(writer.finish()).slices >= 15)
  })

  it('events come in slices too, empty slots left out; of a field that comes again the last counts', () => {
    const slot = (ltime: number, count: number) => ({
      ltime,
      events: Array.from({ length: count }, (_, at) => ({ name: `event-${at}`, payload: new Uint8Array(100) })),
    })
    const events = [slot(700, 10_000), slot(3, 0), slot(5, 10_000)]
    const rest = { statusLtimes: new Map(), leftMembers: [], queryLtime: 1 }
    const { state, slices } = read(encodeSerfMessage({ type: 'push-pull', ltime: 1, eventLtime: 1, events, ...rest }))
    assert.deepEqual(state.events, events)
    assert.ok(slices >= 30, `${slices}`)

    const writer = new Writer()
    writer.reset()
    writer.byte(2)
    writer.mapHead(2)
    writer.text('Events')
    writer.arrayHead(1)
    writer.mapHead(0)
    writer.text('Events')
    writer.arrayHead(3)
    writer.nil()
    writer.arrayHead(2)
    writer.int(9)
    writer.arrayHead(1)
    writer.arrayHead(2)
    writer.text('deploy')
    writer.raw(Uint8Array.of(255))
    writer.nil()
    const [only, ...more] = read(writer.finish()).state.events
    assert.deepEqual(only, { ltime: 9, events: [{ name: 'deploy', payload: Uint8Array.of(255) }] })
    assert.equal(more.length, 0)
  })

  it('more events than members can have sent are refused at the head, in one slot or in many', () => {
    const slots = (count: number, one: readonly number[]) => {
      const bytes = new Uint8Array(count * one.length)
      for (let at = 0; at < bytes.length; at++) bytes[at] = one[at % one.length] as number
      const writer = new Writer()
      writer.reset()
      writer.byte(2)
      writer.mapHead(1)
      writer.text('Events')
      writer.arrayHead(count)
      writer.put(bytes)
      return writer.finish()
    }
    const nil = 0xc0
    assert.equal(read(slots(MAX_SERF_EVENTS, [nil])).state.events.length, 0)
    assert.throws(() => read(slots(MAX_SERF_EVENTS + 1, [nil])), /slots/)
    // Slots as arrays of two fields: a time, and a list of so many events that are all zero.
    const twoHundred = [0x92, 5, 0xdc, 0, 200, ...new Array(200).fill(nil)]
    assert.equal(read(slots(300, twoHundred)).state.events.length, 300)
    assert.throws(() => read(slots(330, twoHundred)), /events/)
  })

  it('many fields are refused, many names of a field that comes again too, and slices go across fields', () => {
    const fields = (count: number, one: (writer: Writer, index: number) => void) => {
      const writer = new Writer()
      writer.reset()
      writer.byte(2)
      writer.mapHead(count)
      for (let index = 0; index < count; index++) one(writer, index)
      return writer.finish()
    }
    const unknown = (writer: Writer) => {
      writer.text('')
      writer.nil()
    }
    assert.throws(() => read(fields(65, unknown)), /65 fields/)
    assert.equal(read(fields(64, unknown)).slices, 1)
    const times = (each: number) => (writer: Writer, index: number) => {
      writer.text('StatusLTimes')
      writer.mapHead(each)
      for (let name = 0; name < each; name++) {
        writer.text(`${index}-${name}`)
        writer.int(1)
      }
    }
    const { state, slices } = read(fields(60, times(4000)))
    assert.equal(state.statusLtimes.size, 240_000)
    assert.ok(slices >= 58, `${slices}`)
    assert.throws(() => read(fields(64, times(4200))), /names/)
    const left = (writer: Writer) => {
      writer.text('LeftMembers')
      writer.arrayHead(MAX_SERF_NAMES / 2)
      writer.put(new Uint8Array(MAX_SERF_NAMES / 2).fill(0xa0))
    }
    assert.throws(() => read(fields(3, left)), /names/)
    const values = (writer: Writer) => {
      writer.text('later')
      writer.arrayHead(60_000)
      writer.put(new Uint8Array(60_000))
    }
    assert.ok(read(fields(50, values)).slices >= 45)
  })

  it('a name longer than any packet is left out, and takes no time', () => {
    const writer = new Writer()
    writer.reset()
    writer.byte(2)
    writer.mapHead(1)
    writer.text('LeftMembers')
    writer.arrayHead(3)
    for (const length of [65_535, 65_536, 4]) writer.text('x'.repeat(length))
    assert.deepEqual(
      [...read(writer.finish()).state.leftMembers].map((name) => name.length),
      [65_535, 4],
    )
  })

  it('ML-53: more names than any cluster has are refused at the head, and what is cut short at its end', () => {
    for (const [field, head] of [
      ['StatusLTimes', 'mapHead'],
      ['LeftMembers', 'arrayHead'],
    ] as const) {
      const writer = new Writer()
      writer.reset()
      writer.byte(2)
      writer.mapHead(1)
      writer.text(field)
      writer[head](MAX_SERF_NAMES + 1)
      writer.put(new Uint8Array(2 * MAX_SERF_NAMES + 2))
      assert.throws(() => read(writer.finish()), /names/)
    }
    const bytes = Uint8Array.of(2, 0x81, 0xa6, ...utf8('Events'), 0x92, 0xc0)
    assert.throws(() => read(bytes), DecodeError)
    assert.throws(() => read(Uint8Array.of(1, 0x80)), /type 1/)
    assert.throws(() => read(Uint8Array.of()), DecodeError)
  })
})
