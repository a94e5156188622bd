// Which lengths of a suspicion are wrong, when one is seen to begin, and whose verdict it was that ended it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Member, MemberState } from '../../../src/serf/members.ts'
import { isOwnVerdict, type SeenSuspicion, seenSuspicion, wrongLength } from '../../../src/sim/suspicion-checks.ts'
import type { TrailEntry } from '../../../src/swim/trail.ts'

const LAN = { probeIntervalMs: 1000, suspicionMult: 4, suspicionMaxTimeoutMult: 6 }
const AT: SeenSuspicion = { earliestAt: 0, latestAt: 0, absentMs: 0, least: 10, most: 10 }

const seen = (more: Partial<SeenSuspicion>): SeenSuspicion => ({ ...AT, ...more })
const row = (state: MemberState, incarnation = 1): Member => ({ name: 'other', state, incarnation }) as Member
const entry = (more: object): TrailEntry => ({ kind: 'dead', by: 'us', incarnation: 1, atMs: 5, ...more }) as TrailEntry

describe('sim/suspicion-checks.ts', () => {
  it('SWIM §4.2: no shorter than the multiple of log10 of the members, at least 1, in probe intervals', () => {
    assert.equal(wrongLength(AT, 4000, 0, LAN), undefined)
    assert.match(wrongLength(AT, 3999, 0, LAN) ?? '', /^after 3999 ms, 4000 ms are the shortest/)
    assert.equal(wrongLength(seen({ least: 1000, most: 1000 }), 12_000, 0, LAN), undefined)
    assert.match(wrongLength(seen({ least: 1000, most: 1000 }), 11_900, 0, LAN) ?? '', /shortest/)
  })

  it('Lifeguard §IV-B: no longer than the longest, in time in which it was there', () => {
    assert.equal(wrongLength(AT, 24_001, 0, LAN), undefined)
    assert.match(
      wrongLength(AT, 24_010, 0, LAN) ?? '',
      /^after 24010 ms in which it was there, 24002 ms are the longest/,
    )
    assert.equal(wrongLength(AT, 24_010, 10, LAN), undefined)
    assert.match(wrongLength(seen({ absentMs: 10 }), 24_010, 10, LAN) ?? '', /longest/)
    assert.equal(wrongLength(seen({ latestAt: 20 }), 24_010, 0, LAN), undefined)
  })

  it('where too few can confirm it the longest is the shortest', () => {
    assert.match(wrongLength(seen({ least: 3, most: 3 }), 4010, 0, LAN) ?? '', /4002 ms are the longest/)
    assert.equal(wrongLength(seen({ least: 3, most: 4 }), 24_000, 0, LAN), undefined)
    assert.match(wrongLength(AT, 2010, 0, { ...LAN, suspicionMult: 2 }) ?? '', /2002 ms are the longest/)
  })

  it('one begins when it is seen, lasts while it is, and may have begun anew at a higher number', () => {
    const [first, later] = [seen({}), seen({ earliestAt: 9, latestAt: 9 })]
    assert.equal(seenSuspicion(undefined, row('alive'), row('suspect'), first), first)
    assert.equal(seenSuspicion(undefined, undefined, row('suspect'), first), first)
    assert.equal(seenSuspicion(first, row('suspect'), row('suspect'), later), first)
    assert.deepEqual(seenSuspicion(first, row('suspect'), row('suspect', 2), later), { ...later, earliestAt: 0 })
    assert.equal(seenSuspicion(first, row('suspect'), row('alive', 2), later), undefined)
    assert.equal(seenSuspicion(undefined, row('alive'), row('alive', 2), later), undefined)
  })

  it('who leaves shows as leaving alone: of one that is under way nothing is known any more, and one that began meanwhile has no known beginning', () => {
    assert.equal(seenSuspicion(AT, row('suspect'), row('leaving'), AT), undefined)
    const after = seenSuspicion(undefined, row('leaving'), row('suspect'), AT)
    assert.equal(wrongLength(after as SeenSuspicion, 1, 0, LAN), undefined)
    assert.match(wrongLength(after as SeenSuspicion, 30_000, 0, LAN) ?? '', /longest/)
  })

  it('a verdict is its own where the story says so, of this suspicion, and nobody else told it', () => {
    const isOwn = (...entries: TrailEntry[]): boolean =>
      isOwnVerdict({ entries: entries.map((told) => ({ ...told, ageMs: 0 })) }, 'us', AT)
    assert.equal(isOwn(entry({})), true)
    assert.equal(isOwn(entry({ by: 'them' })), false)
    assert.equal(isOwn(entry({ heardFrom: '10.0.0.2:7946' })), false)
    assert.equal(isOwn(entry({ atMs: -1 })), false)
    assert.equal(isOwn(entry({}), entry({ by: 'them' })), false)
    assert.equal(isOwn(), false)
  })
})
