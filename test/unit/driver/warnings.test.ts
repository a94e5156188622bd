import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { WARNING_INTERVAL_MS, Warnings } from '../../../src/driver/warnings.ts'

describe('Warnings', () => {
  it('tells the first of a code at once', () => {
    assert.deepEqual(new Warnings().offer('packet-invalid', 'why', 5), {
      type: 'warning',
      code: 'packet-invalid',
      message: 'why',
      suppressed: 0,
    })
  })

  it('holds the others back for ten seconds, and says then how many they were', () => {
    const warnings = new Warnings()
    warnings.offer('packet-invalid', 'first', 0)
    for (let now = 0; now < WARNING_INTERVAL_MS; now += 100) {
      assert.equal(warnings.offer('packet-invalid', 'more', now), undefined)
    }
    const next = warnings.offer('packet-invalid', 'last', WARNING_INTERVAL_MS)
    assert.deepEqual([next?.message, next?.suppressed], ['last', 100])
    assert.equal(warnings.offer('packet-invalid', 'more', WARNING_INTERVAL_MS + 1), undefined)
    assert.equal(warnings.offer('packet-invalid', 'again', 2 * WARNING_INTERVAL_MS)?.suppressed, 1)
  })

  it('cuts off a message that a stranger made long', () => {
    assert.equal(new Warnings().offer('packet-invalid', 'x'.repeat(60_000), 0)?.message.length, 500)
  })

  it('writes out line ends and escapes in what a stranger wrote, within the bound', () => {
    const told = (message: string) => new Warnings().offer('packet-invalid', message, 0)?.message
    assert.equal(told('alive of m2\n\u001b[2Kall is well'), 'alive of m2\\u{a}\\u{1b}[2Kall is well')
    assert.equal(told('\n'.repeat(500))?.length, 500)
  })

  it('counts each code for itself, told or held back', () => {
    const warnings = new Warnings()
    assert.notEqual(warnings.offer('packet-invalid', '', 0), undefined)
    assert.notEqual(warnings.offer('stream-invalid', '', 0), undefined)
    assert.equal(warnings.offer('packet-invalid', '', 1), undefined)
    assert.deepEqual(warnings.totals(), { 'packet-invalid': 2, 'stream-invalid': 1 })
  })
})
