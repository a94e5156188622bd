import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_BYTES, utf8 } from '../../src/base/bytes.ts'
import { DecodeError, OptionsError } from '../../src/base/errors.ts'
import type { Driver } from '../../src/driver/driver.ts'
import { packPayload } from '../../src/pack.ts'
import { sendEvent, userEventOf } from '../../src/sending.ts'
import type { Serf } from '../../src/serf/serf.ts'

/** A driver that takes down what it is told to send. */
function recorder() {
  const sent: unknown[][] = []
  const serf = { sendEvent: (...given: unknown[]) => void sent.push(given) } as unknown as Serf
  const driver = { command: (call: (serf: Serf, now: number) => unknown) => call(serf, 7) } as Pick<Driver, 'command'>
  return { driver, sent }
}

describe('sendEvent', () => {
  it('takes bytes and texts as they are, nothing as no bytes, and packs the rest', () => {
    const { driver, sent } = recorder()
    for (const payload of [Uint8Array.of(0, 255), 'ä', undefined, '', { at: [1, null] }, 0, null, false]) {
      sendEvent(driver, 'deploy', payload, {})
    }
    assert.deepEqual(
      sent.map(([, payload]) => payload),
      [
        Uint8Array.of(0, 255),
        utf8('ä'),
        NO_BYTES,
        NO_BYTES,
        packPayload({ at: [1, null] }),
        packPayload(0),
        packPayload(null),
        packPayload(false),
      ],
    )
  })

  it('says whether it may be coalesced: not unless asked', () => {
    const { driver, sent } = recorder()
    sendEvent(driver, 'deploy', 'x', {})
    sendEvent(driver, 'deploy', 'x', { coalesce: true })
    assert.deepEqual(
      sent.map(([name, , coalesce, now]) => [name, coalesce, now]),
      [
        ['deploy', false, 7],
        ['deploy', true, 7],
      ],
    )
  })

  it('refuses at once, by name, what is no name, no payload and no option, and sends nothing', () => {
    const { driver, sent } = recorder()
    for (const [option, call] of [
      ['name', () => sendEvent(driver, 7 as unknown as string, 'x', {})],
      ['name', () => sendEvent(driver, 'half \ud800', 'x', {})],
      ['payload', () => sendEvent(driver, 'deploy', (() => 1) as unknown as string, {})],
      ['payload', () => sendEvent(driver, 'deploy', new Map(), {})],
      ['options', () => sendEvent(driver, 'deploy', 'x', true as unknown as object)],
      ['coalesce', () => sendEvent(driver, 'deploy', 'x', { coalesce: 1 as unknown as boolean })],
      ['colaesce', () => sendEvent(driver, 'deploy', 'x', { colaesce: true } as object)],
    ] as const) {
      assert.throws(call, (error) => error instanceof OptionsError && error.option === option, option)
    }
    assert.deepEqual(sent, [])
  })
})

describe('the event', () => {
  const notice = { type: 'user-event', name: 'deploy', ltime: 3, coalesce: true } as const

  it('unpacks what was packed, and nothing as nothing', () => {
    const event = userEventOf({ ...notice, payload: packPayload({ version: 'v7', at: [1, 2] }) })
    assert.deepEqual(event.unpack(), { version: 'v7', at: [1, 2] })
    assert.equal(userEventOf({ ...notice, payload: NO_BYTES }).unpack(), undefined)
    assert.deepEqual([event.type, event.name, event.ltime, event.coalesce], ['user-event', 'deploy', 3, true])
  })

  it('throws a typed error where the bytes are no structured value', () => {
    for (const payload of [utf8('v7 is out'), Uint8Array.of(0xc1), Uint8Array.of(0xdd, 255, 255, 255, 255)]) {
      assert.throws(() => userEventOf({ ...notice, payload }).unpack(), DecodeError)
    }
  })
})
