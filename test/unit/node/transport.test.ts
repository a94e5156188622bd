import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TransportError } from '../../../src/base/errors.ts'
import { bindPair } from '../../../src/node/transport.ts'

/** First halves that find ports 1, 2, 3 ... when asked for 0, and count what stays bound. */
function listeners() {
  const pretended = {
    found: 0,
    open: 0,
    first: async (port: number) => {
      pretended.open++
      return {
        port: port === 0 ? ++pretended.found : port,
        close: async () => {
          pretended.open--
        },
      }
    },
  }
  return pretended
}

const failure = (code: string) => new TransportError('no', Object.assign(new Error(code), { code }))

describe('node/transport.ts bindPair', () => {
  it('the second half is bound to the number that the first found', async () => {
    const { first } = listeners()
    const [one, two] = await bindPair(0, first, async (port) => port)
    assert.equal(one.port, 1)
    assert.equal(two, 1)
  })

  it('for port 0 a number in use is given up and another tried', async () => {
    const halves = listeners()
    const [one] = await bindPair(0, halves.first, async (port) => {
      if (port < 4) throw failure('EADDRINUSE')
    })
    assert.equal(one.port, 4)
    assert.equal(halves.open, 1)
  })

  it('after ten numbers in use it rejects with the last error and nothing stays bound', async () => {
    const halves = listeners()
    const errors: Error[] = []
    const second = async () => {
      errors.push(failure('EADDRINUSE'))
      throw errors.at(-1)
    }
    await assert.rejects(bindPair(0, halves.first, second), (error) => error === errors[9])
    assert.equal(halves.found, 10)
    assert.equal(halves.open, 0)
  })

  it('a given port, or another error, is not tried again', async () => {
    for (const [port, code] of [
      [7946, 'EADDRINUSE'],
      [0, 'EADDRNOTAVAIL'],
    ] as const) {
      const halves = listeners()
      let attempts = 0
      const second = async () => {
        attempts++
        throw failure(code)
      }
      await assert.rejects(bindPair(port, halves.first, second), TransportError)
      assert.equal(attempts, 1)
      assert.equal(halves.open, 0)
    }
  })
})
