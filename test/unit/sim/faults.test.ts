// What a fault is called, whom it names, and how long it lasts.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Fault, lengthOf, membersIn, nameOf } from '../../../src/sim/faults.ts'

const FAULTS: readonly (readonly [Fault, string, readonly number[], number | undefined])[] = [
  [{ kind: 'crash', atMs: 0, member: 2, how: 'killed' }, 'crash: killed', [2], undefined],
  [{ kind: 'crash', atMs: 0, member: 2, how: 'unplugged', downMs: 9 }, 'crash: unplugged', [2], 9],
  [{ kind: 'leave', atMs: 0, member: 3 }, 'leave', [3], undefined],
  [{ kind: 'leave', atMs: 0, member: 3, awayMs: 8 }, 'leave', [3], 8],
  [
    { kind: 'cut', atMs: 0, forMs: 5, from: 1, to: 2, isOneWay: true, cuts: 'packets' },
    'cut: packets, one way',
    [1, 2],
    5,
  ],
  [{ kind: 'isolate', atMs: 0, forMs: 5, member: 1, side: 'in', cuts: 'all' }, 'isolate: all, in', [1], 5],
  [{ kind: 'partition', atMs: 0, forMs: 5, groups: [[1, 2], [3]] }, 'partition', [1, 2, 3], 5],
  [{ kind: 'loss', atMs: 0, forMs: 5, ratio: 0.5 }, 'loss', [], 5],
  [{ kind: 'mtu', atMs: 0, forMs: 5, bytes: 100, towards: 4 }, 'mtu', [4], 5],
  [{ kind: 'duplication', atMs: 0, forMs: 5, ratio: 0.5 }, 'duplication', [], 5],
  [{ kind: 'disk', atMs: 0, forMs: 5, member: 1, fault: 'stuck' }, 'disk: stuck', [1], 5],
  [{ kind: 'force-leave', atMs: 0, member: 1, about: 2, prune: true }, 'force-leave', [1, 2], undefined],
  [{ kind: 'query', atMs: 0, member: 1 }, 'query', [1], undefined],
]

describe('sim/faults.ts', () => {
  for (const [fault, name, members, lengthMs] of FAULTS) {
    it(JSON.stringify(fault), () => {
      assert.deepEqual([nameOf(fault), membersIn(fault), lengthOf(fault)], [name, members, lengthMs])
    })
  }
})
