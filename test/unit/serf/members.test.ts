import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SerfMembers, type SerfRecord } from '../../../src/serf/members.ts'
import { newRecord } from '../../../src/swim/claims.ts'
import { Address } from '../../../src/wire/address.ts'
import { encodeTags } from '../../../src/wire/tags.ts'
import { addressOf, VSN } from './support.ts'

describe('SerfMembers', () => {
  it('projects both tables into one state', () => {
    for (const [serf, swim, state] of [
      ['alive', 'alive', 'alive'],
      ['alive', 'suspect', 'suspect'],
      ['leaving', 'alive', 'leaving'],
      ['leaving', 'suspect', 'leaving'],
      ['left', 'left', 'left'],
      ['left', 'dead', 'left'],
      ['failed', 'dead', 'dead'],
    ] as const) {
      const { members, record } = holding()
      members.mark(record, serf)
      record.swim.status = swim
      assert.equal(members.view('ghost-2')?.state, state, `${serf} and ${swim}`)
    }
  })

  it('knows who is gone and how many are not, whatever becomes of them', () => {
    const members = new SerfMembers('us')
    const names = ['us', 'one', 'two', 'three']
    for (const [at, name] of names.entries())
      members.add({ ...recordOf(name, at + 1), status: name === 'two' ? 'left' : 'alive' })
    const gone = (): string[] => members.gone().map(({ name }) => name)
    const mark = (name: string, status: SerfRecord['status']): void =>
      members.mark(members.get(name) as SerfRecord, status)
    assert.deepEqual([gone(), members.presentSize], [['two'], 3])
    mark('three', 'failed')
    mark('one', 'leaving')
    mark('one', 'left')
    assert.deepEqual([gone(), members.presentSize], [['one', 'two', 'three'], 1])
    mark('three', 'left')
    mark('two', 'alive')
    assert.deepEqual([gone(), members.presentSize], [['one', 'three'], 2])
    members.delete('one')
    members.delete('us')
    members.delete('nobody')
    assert.deepEqual([gone(), members.presentSize], [['three'], 1])
    mark('three', 'alive')
    assert.deepEqual([gone(), members.presentSize, members.size], [[], 2, 2])
  })

  it('shares snapshots that say the same with others of its process, and none that says something else', () => {
    const [one, other] = [holding(), holding()]
    const view = (of: typeof one): unknown => of.members.view('ghost-2')
    assert.equal(view(one), view(other))
    one.members.mark(one.record, 'failed')
    assert.deepEqual(
      [one, other].map((of) => of.members.view('ghost-2')?.state),
      ['dead', 'alive'],
    )
    const changes: readonly ((swim: SerfRecord['swim']) => void)[] = [
      (swim) => (swim.incarnation = 9),
      (swim) => (swim.address = addressOf(77)),
      (swim) => (swim.meta = encodeTags({ role: 'new' })),
      (swim) => (swim.vsn = Uint8Array.of(1, 5, 2, 3, 6, 6)),
    ]
    for (const change of changes) {
      const [changed, same] = [holding(), holding()]
      const before = view(same)
      change(changed.record.swim)
      assert.notDeepEqual(view(changed), before)
      assert.equal(view(same), before)
    }
    const self = new SerfMembers('ghost-2')
    self.add(recordOf('ghost-2', 2))
    assert.deepEqual([self.view('ghost-2')?.isSelf, holding().members.view('ghost-2')?.isSelf], [true, false])
  })

  it('keeps what a validator made of tags to itself', () => {
    const made = { mine: true }
    const validating = (): SerfMembers => {
      const members = new SerfMembers('us', () => made)
      members.add(recordOf('ghost-2', 2))
      return members
    }
    const [one, other] = [validating(), validating()]
    assert.equal(one.view('ghost-2')?.tags, made)
    assert.notEqual(one.view('ghost-2'), other.view('ghost-2'))
    const plain = holding().members.view('ghost-2')
    assert.equal(plain?.tags, plain?.rawTags)
    assert.equal(validating().view('ghost-2')?.tags, made)
  })

  it('gives the same snapshot until something changes', () => {
    const { members, record } = holding()
    const first = members.view('ghost-2')
    assert.equal(members.view('ghost-2'), first)
    record.swim.meta = record.swim.meta.slice()
    assert.equal(members.view('ghost-2'), first, 'the same bytes in another array')
    record.swim.incarnation++
    assert.notEqual(members.view('ghost-2'), first)
  })

  it('sees every change of the record', () => {
    const { members, record } = holding()
    record.swim.incarnation = 7
    assert.equal(members.view('ghost-2')?.incarnation, 7)
    record.swim.address = addressOf(3)
    assert.equal(members.view('ghost-2')?.address, '10.0.0.3:7946')
    record.swim.meta = encodeTags({ role: 'log' })
    assert.deepEqual(members.view('ghost-2')?.tags, { role: 'log' })
    for (const vsn of [
      [3, 5, 5],
      [3, 6, 5],
      [3, 6, 6],
    ] as const) {
      record.swim.vsn = Uint8Array.of(1, 5, 2, ...vsn)
      const [min, max, current] = vsn
      assert.deepEqual(members.view('ghost-2')?.protocol, { min, max, current })
    }
  })

  it('keeps the last snapshot as it was until it is asked for a new one', () => {
    const { members, record } = holding()
    const before = members.view('ghost-2')
    members.mark(record, 'failed')
    assert.equal(members.lastView('ghost-2'), before)
    assert.equal(members.view('ghost-2')?.state, 'dead')
    assert.equal(members.lastView('ghost-2')?.state, 'dead')
  })

  it('gives snapshots that are frozen through and through', () => {
    const { members } = holding()
    const view = members.view('ghost-2')
    assert.ok(Object.isFrozen(view) && Object.isFrozen(view?.tags) && Object.isFrozen(view?.protocol))
  })

  it('writes IPv6 endpoints with brackets, and IPv4 alike in 4 and in 16 bytes', () => {
    const { members, record } = holding()
    record.swim.address = new Address(Uint8Array.of(...new Array<number>(15).fill(0), 1), 7946)
    const { address, host, port } = members.view('ghost-2') as NonNullable<ReturnType<SerfMembers['view']>>
    assert.deepEqual([address, host, port], ['[::1]:7946', '::1', 7946])
    record.swim.address = new Address(Uint8Array.of(...new Array<number>(10).fill(0), 255, 255, 10, 0, 0, 2), 7946)
    assert.equal(members.view('ghost-2')?.address, '10.0.0.2:7946')
  })

  it('marks ourselves, and nobody else', () => {
    const { members } = holding()
    members.add({ ...recordOf('us', 1) })
    assert.deepEqual(
      members.views().map(({ name, isSelf }) => [name, isSelf]),
      [
        ['ghost-2', false],
        ['us', true],
      ],
    )
  })
})

function recordOf(name: string, number: number): SerfRecord {
  const swim = newRecord(name, addressOf(number), 0)
  swim.status = 'alive'
  swim.vsn = VSN
  swim.meta = encodeTags({})
  return { name, swim, status: 'alive', statusLtime: 0, goneAt: 0, conflictToldAt: -1 }
}

function holding() {
  const members = new SerfMembers('us')
  members.add(recordOf('ghost-2', 2))
  return { members, record: members.get('ghost-2') as SerfRecord }
}
