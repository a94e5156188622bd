import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { printable } from '../../../src/base/printable.ts'

describe('text of strangers', () => {
  it('is left as it is where it is plain, in whatever writing', () => {
    for (const text of ['', 'web-1.example', 'ключ', '名前', 'naïve 🦊', 'a\\b']) assert.equal(printable(text), text)
  })

  it('has its ends of lines, escapes, turns of direction and halves of characters written out', () => {
    assert.equal(printable('a\nb\r\tc'), 'a\\u{a}b\\u{d}\\u{9}c')
    assert.equal(printable('\u001b[2K\u009b1A\u007f'), '\\u{1b}[2K\\u{9b}1A\\u{7f}')
    assert.equal(printable('\u2028\u202egnp\u2066\u200f'), '\\u{2028}\\u{202e}gnp\\u{2066}\\u{200f}')
    assert.equal(printable('x\ud800'), 'x\\u{d800}')
  })
})
