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

  it('a notice that is held is heard of by the tap first, and is gone until whoever holds it puts it in', () => {
    const heard: string[] = []
    const outbox = new Outbox<string>(
      (notice) => void heard.push(notice),
      (notice) => notice.startsWith('held'),
    )
    for (const notice of ['held 1', 'told', 'held 2']) outbox.notify(notice)
    outbox.push({ kind: 'notify', notice: 'held 1' })
    assert.deepEqual(
      outbox.take().map((effect) => (effect.kind === 'notify' ? effect.notice : effect.kind)),
      ['told', 'held 1'],
    )
    assert.deepEqual(heard, ['held 1', 'told', 'held 2'])
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
