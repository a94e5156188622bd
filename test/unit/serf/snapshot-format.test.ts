// The snapshot file (serf-behaviour §28), line by line: Serf's own format read and written, and whatever else a file may hold.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { concat, utf8 } from '../../../src/base/bytes.ts'
import {
  addressOf,
  clockLine,
  emptySnapshot,
  eventClockLine,
  forgetAll,
  incarnationLine,
  isRecordable,
  LEAVE_LINE,
  MAX_GONE,
  MAX_LINE_BYTES,
  markAlive,
  markGone,
  queryClockLine,
  SnapshotReader,
  type SnapshotReport,
  type SnapshotState,
  snapshotText,
} from '../../../src/serf/snapshot-format.ts'

interface Reading extends SnapshotReport {
  readonly state: SnapshotState
}

function read(content: string | Uint8Array, { rejoinAfterLeave = false, pieceBytes = 1 << 20 } = {}): Reading {
  const bytes = typeof content === 'string' ? utf8(content) : content
  const reader = new SnapshotReader(rejoinAfterLeave)
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.take(bytes.subarray(at, at + pieceBytes))
  return { state: reader.state, ...reader.report() }
}

function alive(content: string): Record<string, string> {
  return Object.fromEntries(read(content).state.alive)
}

/** Every line that Serf has, or had. Files that real agents wrote are read in test/interop/snapshot.test.ts. */
const SERFS_OWN = `alive: n1 127.0.0.1:7946
clock: 1
alive: n2 127.0.0.1:7947
alive: n 3 [::1]:7948
clock: 4
event-clock: 1
query-clock: 2
not-alive: n2
event-clock: 7
clock: 9
alive: n2 127.0.0.1:17947
coordinate: {"Vec":[0,0,0,0,0,0,0,0],"Error":1.5,"Adjustment":0,"Height":1e-05}
`

describe('serf/snapshot-format.ts', () => {
  it('SF-50: a file of real Serf gives the members that were there, and its clocks', () => {
    const { state, skipped, wholeBytes } = read(SERFS_OWN)
    assert.deepEqual(Object.fromEntries(state.alive), {
      n1: '127.0.0.1:7946',
      'n 3': '[::1]:7948',
      n2: '127.0.0.1:17947',
    })
    assert.deepEqual([state.clock, state.eventClock, state.queryClock], [9, 7, 2])
    assert.equal(skipped, 0)
    assert.equal(wholeBytes, SERFS_OWN.length)
  })

  it('the pieces in which a file is read make no difference', () => {
    const whole = read(SERFS_OWN)
    for (const pieceBytes of [1, 2, 7, 64]) assert.deepEqual(read(SERFS_OWN, { pieceBytes }), whole)
  })

  it('SF-51: a line without its end is none, and is not counted among the whole bytes', () => {
    const { state, wholeBytes, skipped } = read('alive: a 10.0.0.1:1\nalive: b 10.0.0.')
    assert.deepEqual(Object.fromEntries(state.alive), { a: '10.0.0.1:1' })
    assert.deepEqual([wholeBytes, skipped], [20, 0])
    assert.equal(read('alive: a 10.0.0.1:1').wholeBytes, 0)
  })

  it('SF-52: a goodbye forgets members and clocks, and what follows it counts again', () => {
    const { state } = read('alive: a 10.0.0.1:1\nclock: 5\nevent-clock: 6\nquery-clock: 7\nleave\nclock: 8\n')
    assert.deepEqual({ ...state, alive: state.alive.size }, { ...emptySnapshot(), alive: 0, clock: 8 })
  })

  it('SF-52: a goodbye of one who means to come back forgets nothing', () => {
    const { state } = read('alive: a 10.0.0.1:1\nclock: 5\nleave\n', { rejoinAfterLeave: true })
    assert.deepEqual([[...state.alive.keys()], state.clock], [['a'], 5])
  })

  it('what a line is not is skipped and counted, with the number of the first', () => {
    const { state, skipped, firstSkipped } = read(
      '# a comment\nalive: a 10.0.0.1:1\nnonsense\nalive: nowhere\nalive: b 10.0.0.1\nalive: c host:1\nclock: -1\nclock: 1e3\n\nalive: d 10.0.0.1:0\n',
    )
    assert.deepEqual([[...state.alive.keys()], state.clock], [['a'], 0])
    assert.deepEqual([skipped, firstSkipped], [8, 3])
  })

  it('a line with zeros in it, as a crash of the machine leaves, is skipped', () => {
    const { state, skipped } = read('alive: a 10.0.0.1:1\n\0\0\0\0alive: b 10.0.0.2:1\nalive: c 10.0.0.3:1\n')
    assert.deepEqual([[...state.alive.keys()], skipped], [['a', 'c'], 1])
  })

  it('a name that is not UTF-8 is skipped', () => {
    const line = concat([utf8('alive: '), Uint8Array.of(0xff), utf8(' 10.0.0.1:1\nclock: 3\n')])
    const { state, skipped } = read(line)
    assert.deepEqual([state.alive.size, state.clock, skipped], [0, 3, 1])
  })

  it('a line of the largest size is read, one longer is skipped whole', () => {
    const fixed = 'alive:  10.0.0.1:1'.length
    const name = 'n'.repeat(MAX_LINE_BYTES - fixed)
    assert.deepEqual(alive(`alive: ${name} 10.0.0.1:1\n`), { [name]: '10.0.0.1:1' })
    for (const pieceBytes of [1000, 1 << 20]) {
      const { state, skipped } = read(`alive: ${name}n 10.0.0.1:1\nclock: 3\n`, { pieceBytes })
      assert.deepEqual([state.alive.size, state.clock, skipped], [0, 3, 1])
    }
  })

  it('a time that no clock could go on from is skipped', () => {
    const { state, skipped } = read(
      `clock: ${2 ** 51}\nevent-clock: ${2 ** 51 + 1}\nquery-clock: 18446744073709551615\n`,
    )
    assert.deepEqual([state.clock, state.eventClock, state.queryClock, skipped], [2 ** 51, 0, 0, 2])
  })

  it('of members that went the latest are remembered', () => {
    const lines = Array.from(
      { length: MAX_GONE + 5 },
      (_, at) => `alive: m${at} 10.0.0.1:${at + 1}\nnot-alive: m${at}\n`,
    )
    const { state } = read(lines.join(''))
    assert.equal(state.gone.size, MAX_GONE)
    assert.deepEqual([...state.gone][0], ['m5', '10.0.0.1:6'])
    assert.equal(state.alive.size, 0)
  })

  it('the number we claimed last stands in a comment, with whose it is; one near the end of numbers is let be', () => {
    const { state, skipped } = read('# incarnation: 12 n 1\n# incarnation: 4294967000 n 1\n# incarnation: x\n')
    assert.deepEqual([state.incarnation, state.incarnationOf, skipped], [12, 'n 1', 0])
    assert.equal(incarnationLine(12, 'n 1'), '# incarnation: 12 n 1\n')
  })

  it('a goodbye does not take back the number we claimed: the members we left know it', () => {
    assert.equal(read('# incarnation: 12 n1\nleave\n').state.incarnation, 12)
  })

  it('SF-53: a whole file says what the lines said, and ends as a complete one', () => {
    const { state } = read(`${SERFS_OWN}not-alive: n 3\n# incarnation: 3 n1\n`)
    const again = read(snapshotText(state))
    assert.deepEqual(again.state, state)
    assert.equal(again.isComplete, true)
    assert.equal(again.skipped, 0)
    assert.equal(read(snapshotText(state).slice(0, -1)).isComplete, false)
  })

  it('what lines are made is what they read as', () => {
    const made = emptySnapshot()
    const text = [
      markAlive(made, 'a b', '10.0.0.1:1'),
      markAlive(made, 'c', '[fe80::1]:2'),
      markGone(made, 'a b'),
      clockLine(1),
      eventClockLine(2),
      queryClockLine(3),
    ].join('')
    Object.assign(made, { clock: 1, eventClock: 2, queryClock: 3 })
    assert.deepEqual(read(text).state, made)
    assert.equal(forgetAll(made), LEAVE_LINE)
    assert.deepEqual(read(text + LEAVE_LINE).state, made)
  })

  it('names that would forge lines, or fit none, are not written down', () => {
    for (const name of ['', 'a\nleave', 'a\0b', 'é'.repeat(MAX_LINE_BYTES / 4 + 1)])
      assert.equal(isRecordable(name), false)
    for (const name of ['a', 'a b', 'é', ' ', 'a\r']) assert.equal(isRecordable(name), true)
  })

  it('an address is an IP address and a port', () => {
    assert.equal(addressOf('[2001:db8::1]:7946')?.key, '[2001:db8::1]:7946')
    for (const text of ['', 'host:1', '10.0.0.1', '10.0.0.1:0', 'a/10.0.0.1:1']) {
      assert.equal(addressOf(text), undefined, text)
    }
  })

  it('whatever members there are, a file of them is read as them, whichever way it is cut into pieces', () => {
    const name = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }).filter(isRecordable)
    const address = fc.tuple(fc.nat(255), fc.integer({ min: 1, max: 65_535 })).map(([last, port]) => {
      return `10.0.0.${last}:${port}`
    })
    const time = fc.integer({ min: 0, max: 2 ** 40 })
    const steps = fc.array(fc.tuple(name, fc.option(address, { nil: undefined })), { maxLength: 40 })
    fc.assert(
      fc.property(
        steps,
        time,
        time,
        time,
        fc.integer({ min: 1, max: 50 }),
        (all, clock, eventClock, queryClock, pieceBytes) => {
          const state = emptySnapshot()
          let text = ''
          for (const [who, where] of all)
            text += where === undefined ? markGone(state, who) : markAlive(state, who, where)
          Object.assign(state, { clock, eventClock, queryClock })
          text += clockLine(clock) + eventClockLine(eventClock) + queryClockLine(queryClock)
          const grown = read(text, { pieceBytes })
          assert.deepEqual(grown.state, state)
          assert.equal(grown.skipped, 0)
          assert.deepEqual(read(snapshotText(state), { pieceBytes }).state, state)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('whatever bytes there are, reading ends, in bounds, and says the same for the whole lines alone', () => {
    const word = fc.constantFrom('alive: ', 'not-alive: ', 'clock: ', 'leave', '\n', '#', ' ', '10.0.0.1:1', '\0', '9')
    const piece = fc.oneof(word.map(utf8), fc.uint8Array({ maxLength: 12 }))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const bytes = concat(pieces)
        const all = read(bytes, { pieceBytes: 5 })
        assert.ok(all.wholeBytes <= bytes.length)
        assert.deepEqual(read(bytes.subarray(0, all.wholeBytes)), all)
        for (const address of all.state.alive.values()) assert.ok(addressOf(address))
      }),
      { numRuns: 500 },
    )
  })

  it('a file of 20 MiB is read in little memory: members that came and went, and a line that never ends', () => {
    const reader = new SnapshotReader(false)
    const lines = Array.from({ length: 1000 }, (_, at) => `alive: m${at} 10.0.0.1:${at + 1}\nclock: ${at}\n`).join('')
    const piece = utf8(lines)
    let bytes = 0
    for (; bytes < 20 * 2 ** 20; bytes += piece.length) reader.take(piece)
    const endless = new Uint8Array(1 << 20).fill(0x61)
    for (let count = 0; count < 4; count++) reader.take(endless)
    assert.deepEqual([reader.state.alive.size, reader.state.clock], [1000, 999])
    assert.equal(reader.report().wholeBytes, bytes)
  })
})
