import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteMemo, crowdMemo, crowdSize, expectCrowd } from '../../../src/base/byte-memo.ts'
import { hexOf, utf8 } from '../../../src/base/bytes.ts'

test('what is kept is found by the same bytes, wherever they stand, and by no others', () => {
  const memo = new ByteMemo<string>(16)
  assert.equal(memo.keep(utf8('alive m-1'), 'one'), 'one')
  assert.equal(memo.find(utf8('alive m-1')), 'one')
  assert.equal(memo.find(utf8('<alive m-1>'), 1, 10), 'one')
  for (const other of ['alive m-2', 'alive m-', 'alive m-10', '']) assert.equal(memo.find(utf8(other)), undefined)
})

test('what is found is what was kept for those very bytes, however full it is', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 300 }), (keys) => {
      const memo = new ByteMemo<string>(32)
      for (const key of keys) {
        memo.keep(key, hexOf(key))
        assert.equal(memo.find(key), hexOf(key))
      }
      for (const key of keys) assert.ok([undefined, hexOf(key)].includes(memo.find(key)))
    }),
  )
})

test('it holds no more than its slots, and of as few as half of them nearly all', () => {
  const memo = new ByteMemo<number>(256)
  const keys = Array.from({ length: 1024 }, (_, at) => utf8(`member-${at}`))
  const found = (): number => keys.filter((key) => memo.find(key) !== undefined).length
  for (const key of keys.slice(0, 128)) memo.keep(key, 0)
  assert.ok(found() > 100, `${found()} of 128`)
  for (const key of keys) memo.keep(key, 0)
  assert.ok(found() <= 256, `${found()} of 256 slots`)
})

test('a table for a crowd grows with it, up to a bound, and keeps what it holds', () => {
  const memo = crowdMemo<number>(1)
  const keys = Array.from({ length: 10_000 }, (_, at) => utf8(`member-${at}`))
  const found = (): number => keys.filter((key) => memo.find(key) !== undefined).length
  // Of the whole process: nothing else of this file makes it grow.
  assert.equal(crowdSize(), 256)
  memo.keep(utf8('member-0'), 7)
  expectCrowd(256)
  assert.equal(crowdSize(), 256)
  expectCrowd(257)
  assert.equal(crowdSize(), 512)
  assert.equal(memo.find(utf8('member-0')), 7)
  expectCrowd(65_536)
  assert.equal(crowdSize(), 4096)
  for (const key of keys.slice(0, 2048)) memo.keep(key, 0)
  assert.ok(found() > 1700, `${found()} of 2048`)
  for (const key of keys) memo.keep(key, 0)
  assert.ok(found() <= 4096, `${found()} of 4096 slots`)
})
