import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { explain, explanationOf } from '../../src/explain.ts'
import type { Serf } from '../../src/serf/serf.ts'
import { Trail, type TrailEntry, type TrailEvent } from '../../src/swim/trail.ts'

/** The sentence for an event of `m2`, seen from `us`. */
function sentence(event: TrailEvent): string {
  const entry: TrailEntry = { ...event, atMs: 1000 }
  const { text } = explanationOf('m2', 'us', 'alive', { entries: [entry], forgotten: 0 }, 1000)
  return (text.split('\n')[1] as string).replace('0.000 s ago  ', '')
}

describe('explain', () => {
  it('gives entries with their age, the state, and text with a line an entry; all of it is frozen', () => {
    const entries: TrailEntry[] = [
      { kind: 'unanswered', timeoutMs: 500, health: 0, atMs: 1000 },
      { kind: 'refuted', incarnation: 3, atMs: 12_500 },
    ]
    const explained = explanationOf('m2', 'us', 'alive', { entries, forgotten: 2 }, 13_000)
    assert.deepEqual(
      explained.entries.map(({ kind, ageMs, atMs }) => [kind, ageMs, atMs]),
      [
        ['unanswered', 12_000, 1000],
        ['refuted', 500, 12_500],
      ],
    )
    assert.deepEqual([explained.name, explained.state, explained.forgotten], ['m2', 'alive', 2])
    assert.equal(
      explained.text,
      [
        'm2 is alive; seen from us:',
        '2 earlier entries are gone',
        '12.000 s ago  it did not answer our ping within 500 ms',
        ' 0.500 s ago  it denied, with incarnation 3: alive',
      ].join('\n'),
    )
    assert.equal(String(explained), explained.text)
    for (const frozen of [explained, explained.entries, explained.entries[0]]) assert.ok(Object.isFrozen(frozen))
  })

  it('of whom nothing is remembered says so, and of ourselves too', () => {
    const nothing = { entries: [], forgotten: 0 }
    assert.equal(
      String(explanationOf('m2', 'us', 'dead', nothing, 0)),
      'm2 is dead; nothing is remembered of how that came',
    )
    assert.match(String(explanationOf('m9', 'us', undefined, nothing, 0)), /^m9 is in no list of ours;/)
    assert.match(String(explanationOf('us', 'us', 'alive', nothing, 0)), /^us, ourselves, is alive;/)
    assert.equal('state' in explanationOf('m9', 'us', undefined, nothing, 0), false)
  })

  const cases: [string, TrailEvent][] = [
    [
      'it did not answer our ping within 500 ms; our own health was 2',
      { kind: 'unanswered', timeoutMs: 500, health: 2 },
    ],
    ['the network refused our ping of it', { kind: 'unsendable' }],
    ['our own socket could not send our ping of it: the probe ended without a verdict', { kind: 'unsent' }],
    [
      'we asked m3, m4 and m5 to ping it, and we pinged it over TCP',
      { kind: 'helpers-asked', helpers: ['m3', 'm4', 'm5'], overStream: true },
    ],
    ['we asked m3 to ping it', { kind: 'helpers-asked', helpers: ['m3'], overStream: false }],
    ['there was nobody to ask', { kind: 'helpers-asked', helpers: [], overStream: false }],
    ['there was nobody to ask; we pinged it over TCP', { kind: 'helpers-asked', helpers: [], overStream: true }],
    ['m3 got no answer from it either', { kind: 'helper-nack', helper: 'm3' }],
    ['it answered over TCP', { kind: 'stream-answered' }],
    ['it did not answer over TCP: refused', { kind: 'stream-failed', error: 'refused' }],
    ['it answered our ping after 0.600 s', { kind: 'answered', afterMs: 600, how: 'directly' }],
    ['it answered through m3 after 0.600 s', { kind: 'answered', afterMs: 600, how: 'through-helper', helper: 'm3' }],
    [
      'it counts as answering after 1.000 s: over TCP alone, UDP does not get through',
      { kind: 'answered', afterMs: 1000, how: 'over-stream' },
    ],
    [
      'the probe ended without an answer; of 3 helpers 2 told us in time that they had none either; our own health is now 1',
      { kind: 'probe-failed', nacks: 2, nacksWanted: 3, health: 1 },
    ],
    ['the probe ended without an answer', { kind: 'probe-failed', nacks: 0, nacksWanted: 0, health: 0 }],
    [
      'we suspect it, at incarnation 1: dead in 24.000 s unless it denies, sooner if 2 others accuse it too',
      { kind: 'suspected', by: 'us', incarnation: 1, endsInMs: 24_000, confirmationsWanted: 2 },
    ],
    [
      'm3 suspects it, at incarnation 1: dead in 4.000 s unless it denies',
      { kind: 'suspected', by: 'm3', incarnation: 1, endsInMs: 4000, confirmationsWanted: 0 },
    ],
    [
      'we suspect it, by the word of 10.0.0.4:7946, at incarnation 1: dead in 9.000 s unless it denies, sooner if another accuses it too',
      {
        kind: 'suspected',
        by: 'us',
        incarnation: 1,
        endsInMs: 9000,
        confirmationsWanted: 1,
        heardFrom: '10.0.0.4:7946',
      },
    ],
    [
      'm4 suspects it too: dead in 3.000 s unless it denies',
      { kind: 'confirmed', by: 'm4', confirmations: 1, endsInMs: 3000 },
    ],
    [
      'we suspect it too: dead in 3.000 s unless it denies',
      { kind: 'confirmed', by: 'us', confirmations: 2, endsInMs: 3000 },
    ],
    [
      'we suspect it too, by the word of 10.0.0.66:7946: dead in 3.000 s unless it denies',
      { kind: 'confirmed', by: 'us', confirmations: 2, endsInMs: 3000, heardFrom: '10.0.0.66:7946' },
    ],
    [
      'somebody without a name suspects it too: dead in 3.000 s unless it denies',
      { kind: 'confirmed', by: '', confirmations: 2, endsInMs: 3000 },
    ],
    ['it denied, with incarnation 2: alive', { kind: 'refuted', incarnation: 2 }],
    ['the time to deny was over: we declared it dead', { kind: 'dead', by: 'us', incarnation: 2 }],
    [
      '10.0.0.66:7946 told us, in our own name, that it is dead, at incarnation 2',
      { kind: 'dead', by: 'us', incarnation: 2, heardFrom: '10.0.0.66:7946' },
    ],
    ['somebody without a name declared it dead, at incarnation 2', { kind: 'dead', by: '', incarnation: 2 }],
    ['m3 declared it dead, at incarnation 2', { kind: 'dead', by: 'm3', incarnation: 2 }],
    ['the goodbye was heard: it has left', { kind: 'left', incarnation: 2 }],
    [
      'it is alive again, at 10.0.0.2:7946, with incarnation 3',
      { kind: 'back', incarnation: 3, address: '10.0.0.2:7946' },
    ],
    ['its leave was announced, at Lamport time 7', { kind: 'leave-announced', ltime: 7 }],
    ['it was taken off the list', { kind: 'erased' }],
    ['m3 said that we are suspect, at incarnation 1', { kind: 'accused', by: 'm3', of: 'suspect', incarnation: 1 }],
    [
      'somebody without a name said that we are dead, at incarnation 1',
      { kind: 'accused', by: '', of: 'dead', incarnation: 1 },
    ],
    ['m3 told of us what is not so, at incarnation 1', { kind: 'accused', by: 'm3', of: 'alive', incarnation: 1 }],
    ['we denied, with incarnation 2; our own health is now 1', { kind: 'denied', incarnation: 2, health: 1 }],
    [
      'we ourselves stood still for 4.200 s, until now; our own health is now 1',
      { kind: 'stalled', lengthMs: 4200, health: 1 },
    ],
  ]
  for (const [expected, event] of cases) {
    it(`says: ${expected}`, () => {
      assert.equal(sentence(event), expected)
    })
  }

  it('names of strangers forge no lines and move no cursor', () => {
    const by = 'x\n0.001 s ago  it denied, with incarnation 9: alive\u001b[2K'
    const entries: TrailEntry[] = [{ kind: 'dead', by, incarnation: 1, atMs: 0 }]
    const { text } = explanationOf('m2\u202e\n', 'us', 'dead', { entries, forgotten: 0 }, 0)
    assert.deepEqual(text.split('\n'), [
      'm2\\u{202e}\\u{a} is dead; seen from us:',
      '0.000 s ago  x\\u{a}0.001 s ago  it denied, with incarnation 9: alive\\u{1b}[2K declared it dead, at incarnation 1',
    ])
  })

  it('of a member that stands accused tells the stall that came last, of others not', () => {
    const trail = new Trail({ selfName: 'us', probeIntervalMs: 1000, hasAnswered: () => true })
    trail.saw('m2', { kind: 'unanswered', timeoutMs: 500, health: 0 }, 10)
    trail.stalled(4000, 1, 5000)
    const lastKind = (state: string): string | undefined => {
      const serf = { local: { name: 'us' }, member: () => ({ state }), trail } as unknown as Serf
      return explain(serf, 'm2', 6000).entries.at(-1)?.kind
    }
    assert.equal(lastKind('suspect'), 'stalled')
    assert.equal(lastKind('alive'), 'unanswered')
  })
})
