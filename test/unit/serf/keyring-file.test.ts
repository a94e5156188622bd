import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { utf8 } from '../../../src/base/bytes.ts'
import { DecodeError } from '../../../src/base/errors.ts'
import { formatKeyringFile, MAX_KEYRING_FILE_BYTES, parseKeyringFile } from '../../../src/serf/keyring-file.ts'

const key = (number: number): Uint8Array => new Uint8Array(16).fill(number)
const keys = fc.uniqueArray(
  fc.constantFrom(16, 24, 32).chain((length) => fc.uint8Array({ minLength: length, maxLength: length })),
  { minLength: 1, maxLength: 10, selector: (bytes) => bytes.join() },
)

describe('a keyring file', () => {
  it('is the text that Go writes: two spaces, a key a line, no end of line', () => {
    const text = '[\n  "AQEBAQEBAQEBAQEBAQEBAQ==",\n  "AgICAgICAgICAgICAgICAg=="\n]'
    assert.deepEqual(formatKeyringFile([key(1), key(2)]), utf8(text))
  })

  it('is read as it was written, the first is primary', () => {
    fc.assert(
      fc.property(keys, (held) => {
        const file = formatKeyringFile(held)
        assert.ok(file.length <= MAX_KEYRING_FILE_BYTES)
        assert.deepEqual(parseKeyringFile(file).keys, held)
      }),
    )
  })

  it('is read in any layout of JSON, a repeated key once', () => {
    const text = '["AQEBAQEBAQEBAQEBAQEBAQ==","AQEBAQEBAQEBAQEBAQEBAQ=="]\n'
    assert.deepEqual(parseKeyringFile(utf8(text)).keys, [key(1)])
  })

  const SECRET = 'c2VjcmV0LXNlY3JldC1zZWM='
  for (const [what, text, problem] of [
    ['nothing', '', /no JSON/],
    ['half of it', `["${SECRET}", "${SECRET}`, /no JSON/],
    ['no list', `{"keys": ["${SECRET}"]}`, /no list of keys/],
    ['null', 'null', /no list of keys/],
    ['an empty list', '[]', /no keys/],
    ['numbers', '[1, 2]', /no list of keys/],
    ['no base64', `["${SECRET}!"]`, /the key at 0: a key is standard base64/],
    ['a key of a wrong size', `["AQEBAQEBAQEBAQEBAQEBAQ==", "${SECRET}"]`, /the key at 1: key size must be/],
  ] as const) {
    it(`that holds ${what} is an error that shows no key`, () => {
      assert.throws(
        () => parseKeyringFile(utf8(text)),
        (error) => {
          assert.ok(error instanceof DecodeError)
          assert.match(error.message, problem)
          assert.ok(!`${error.stack} ${String(error.cause)}`.includes(SECRET.slice(0, 8)))
          return true
        },
      )
    })
  }

  it('that holds anything at all is keys or the typed error', () => {
    const texts = fc.oneof(
      fc.json(),
      fc.string(),
      fc.array(fc.base64String()).map((list) => JSON.stringify(list)),
    )
    fc.assert(
      fc.property(fc.oneof(texts.map(utf8), fc.uint8Array()), (bytes) => {
        try {
          assert.ok(parseKeyringFile(bytes).keys.length > 0)
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error
        }
      }),
    )
  })
})
