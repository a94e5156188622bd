import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ClosedError, OptionsError, TimeoutError, TransportError } from '../../src/base/errors.ts'
import { Pinging } from '../../src/pinging.ts'
import type { Serf } from '../../src/serf/serf.ts'

/** Over a protocol that knows `m2` and `m3`, and counts. */
function pinging() {
  const asked: string[] = []
  const serf = {
    local: { name: 'm1' },
    ping: (name: string) => (name === 'm2' || name === 'm3' ? asked.push(name) : undefined),
  }
  const command = <Result>(call: (serf: Serf, now: number) => Result): Result => call(serf as unknown as Serf, 0)
  return { asked, made: new Pinging({ command }, 500) }
}

describe('pings on request', () => {
  it('each gives the round trip of its own answer', async () => {
    const { made } = pinging()
    const [two, three] = [made.ping('m2'), made.ping('m3')]
    made.pinged(2, { rttMs: 30 })
    made.pinged(1, { rttMs: 10 })
    assert.deepEqual(await Promise.all([two, three]), [10, 30])
  })

  it('whoever asks while one is under way shares its answer; afterwards a new one is sent', async () => {
    const { asked, made } = pinging()
    const both = Promise.all([made.ping('m2'), made.ping('m2')])
    assert.deepEqual(asked, ['m2'])
    made.pinged(1, { rttMs: 10 })
    assert.deepEqual(await both, [10, 10])
    const again = made.ping('m2')
    assert.deepEqual(asked, ['m2', 'm2'])
    made.pinged(2, { rttMs: 20 })
    assert.equal(await again, 20)
  })

  it('without an answer rejects with TimeoutError, which names the member and the time', async () => {
    const { made } = pinging()
    const asked = made.ping('m2')
    made.pinged(1, { problem: 'unanswered' })
    await assert.rejects(asked, (error) => error instanceof TimeoutError && /m2 .* 500 ms/.test(error.message))
    const again = made.ping('m2')
    made.pinged(2, { rttMs: 5 })
    assert.equal(await again, 5)
  })

  it('that could not be sent, or not be measured, says whose fault that is', async () => {
    const cases = [
      ['stalled', TimeoutError, /m2.*our own event loop stood still/],
      ['unsendable', TransportError, /the network refused a ping to m2/],
      ['unsent', TransportError, /our own socket could not send a ping to m2/],
    ] as const
    for (const [problem, kind, message] of cases) {
      const { made } = pinging()
      const asked = made.ping('m2')
      made.pinged(1, { problem })
      await assert.rejects(asked, (error) => error instanceof kind && message.test(error.message))
    }
  })

  it('of a stranger, or of ourselves, is a mistake', async () => {
    const { made, asked } = pinging()
    for (const name of ['m9', '', 'm1', undefined as unknown as string]) {
      await assert.rejects(made.ping(name), (error) => error instanceof OptionsError && error.option === 'name')
    }
    assert.deepEqual(asked, [])
  })

  it('rejects with ClosedError when the instance closes, and an answer that comes later is nobody’s', async () => {
    const { made } = pinging()
    const asked = made.ping('m2')
    made.close()
    await assert.rejects(asked, ClosedError)
    made.pinged(1, { rttMs: 10 })
    made.pinged(77, { rttMs: 10 })
  })

  it('that the protocol refuses to send rejects, and the next is sent', async () => {
    let isClosed = true
    const command = <Result>(call: (serf: Serf, now: number) => Result): Result => {
      if (isClosed) throw new ClosedError()
      return call({ local: { name: 'm1' }, ping: () => 1 } as unknown as Serf, 0)
    }
    const made = new Pinging({ command }, 500)
    await assert.rejects(made.ping('m2'), ClosedError)
    isClosed = false
    const asked = made.ping('m2')
    made.pinged(1, { rttMs: 3 })
    assert.equal(await asked, 3)
  })
})
