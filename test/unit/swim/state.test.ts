// Small facts about records and numbers.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newRecord } from '../../../src/swim/claims.ts'
import { Feature, isPresent, understands } from '../../../src/swim/member.ts'
import { nextSeqNo, type SwimState } from '../../../src/swim/state.ts'
import { at } from './support.ts'

describe('swim/state.ts', () => {
  it('alive and suspect members are present, dead ones and those that left are not', () => {
    const record = newRecord('m2', at(2), 0)
    const present = (['alive', 'suspect', 'dead', 'left'] as const).map((status) => {
      record.status = status
      return isPresent(record)
    })
    assert.deepEqual(present, [true, true, false, false])
  })

  it('a sequence number has 32 bits and is never 0', () => {
    const state = { seqNo: 0 } as SwimState
    assert.equal(nextSeqNo(state), 1)
    state.seqNo = 0x7fff_ffff
    assert.equal(nextSeqNo(state), 0x8000_0000)
    state.seqNo = 0xffff_fffe
    assert.deepEqual([nextSeqNo(state), nextSeqNo(state), nextSeqNo(state)], [0xffff_ffff, 1, 2])
  })

  it('a member understands what its highest version covers; one that told none understands nothing', () => {
    const record = newRecord('m2', at(2), 0)
    assert.equal(understands(record, Feature.streamPing), false)
    record.vsn = Uint8Array.of(1, 4, 2, 0, 0, 0)
    assert.deepEqual(
      [Feature.streamPing, Feature.nack, Feature.crc].map((feature) => understands(record, feature)),
      [true, true, false],
    )
  })
})
