// The one door of debug: off unless asked for.
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { format } from 'node:util'
import createDebug from 'debug'
import { tracer } from '../../../src/base/log.ts'

const { log } = createDebug
const asked = createDebug.disable()

describe('base/log.ts', () => {
  afterEach(() => {
    createDebug.log = log
    createDebug.enable(asked)
  })

  function traced(names: string, write: () => void): string[] {
    const lines: string[] = []
    createDebug.log = (...values: unknown[]) => lines.push(format(...values))
    createDebug.enable(names)
    write()
    return lines
  }

  it('a room that was not asked for writes nothing, and does not look at what it was given', () => {
    const trace = tracer('test:quiet')
    const value = {
      toString(): string {
        assert.fail('looked at')
      },
    }
    assert.deepEqual(
      traced('rollcall:other', () => trace('%s', value)),
      [],
    )
  })

  it('a room that was asked for writes one line a decision, under its name', () => {
    const trace = tracer('test:loud')
    const lines = traced('rollcall:test:*', () => trace('%s is late by %d ms', 'm2', 7))
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? '', /rollcall:test:loud/)
    assert.match(lines[0] ?? '', /m2 is late by 7 ms/)
  })

  it('one line, whatever a stranger calls itself', () => {
    const lines = traced('rollcall:test:*', () => tracer('test:loud')('%s is late', 'm2\n0.1 s ago  we \u001b[2K'))
    assert.match(lines[0] ?? '', /m2\\u\{a\}0\.1 s ago {2}we \\u\{1b\}\[2K is late/)
  })
})
