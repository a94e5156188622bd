import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { concat, utf8 } from '../../../src/base/bytes.ts'
import { asUserMessage, readSerfMessage } from '../../../src/serf/intent-memo.ts'
import { decodeSerfMessage, encodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import { SwimType } from '../../../src/wire/types.ts'

const join = encodeSerfMessage({ type: 'join', ltime: 3, node: 'm-1' })

describe('intents that come again', () => {
  it('are read and wrapped as anew, whatever they are', () => {
    const mutated = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }).map((edits) => {
      const bytes = Uint8Array.from(join)
      for (const [at, value] of edits) bytes[at % bytes.length] = value
      return bytes
    })
    const hostile = fc
      .tuple(fc.constantFrom(0, 1, 2, 3), fc.uint8Array({ maxLength: 300 }))
      .map(([type, rest]) => concat([Uint8Array.of(type), rest]))
    fc.assert(
      fc.property(fc.oneof(mutated, hostile), (bytes) => {
        const expected = outcomeOf(() => decodeSerfMessage(bytes))
        for (let time = 0; time < 3; time++) {
          assert.deepEqual(
            outcomeOf(() => readSerfMessage(bytes)),
            expected,
          )
          assert.deepEqual(asUserMessage(bytes), concat([Uint8Array.of(SwimType.user), bytes]))
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('are one object; a user event, whose payload a user gets, is read anew', () => {
    assert.equal(readSerfMessage(join), readSerfMessage(Uint8Array.from(join)))
    assert.equal(asUserMessage(join), asUserMessage(Uint8Array.from(join)))
    const payload = utf8('mine')
    const event = encodeSerfMessage({ type: 'user-event', ltime: 3, name: 'deploy', payload, coalesce: false })
    assert.notEqual(readSerfMessage(event), readSerfMessage(event))
  })
})

function outcomeOf(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    return String(error)
  }
}
