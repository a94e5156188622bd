// The list of what the machine wants of the world.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Outbox } from '../../../src/swim/outbox.ts'
import { at } from './support.ts'

describe('swim/outbox.ts', () => {
  it('gives effects in the order in which they came, once', () => {
    const outbox = new Outbox<string>()
    outbox.push({ kind: 'packet', to: at(2), parts: [], crc: false })
    outbox.notify('joined')
    outbox.push({ kind: 'reply', id: 3, body: new Uint8Array(1) })
    assert.equal(outbox.size, 3)
    assert.deepEqual(
      outbox.take().map((effect) => (effect.kind === 'notify' ? effect.notice : effect.kind)),
      ['packet', 'joined', 'reply'],
    )
    assert.equal(outbox.size, 0)
    assert.deepEqual(outbox.take(), [])
  })

  it('what comes in while a list is read belongs to the next', () => {
    const outbox = new Outbox<string>()
    outbox.notify('a')
    const seen: string[] = []
    for (const effect of outbox.take()) {
      if (effect.kind === 'notify') seen.push(effect.notice)
      outbox.notify('b')
    }
    assert.deepEqual(seen, ['a'])
    assert.equal(outbox.size, 1)
  })
})
