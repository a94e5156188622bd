// Whole files on a real disk: bounds of reading, and that a replacement is all or nothing, and for its owner alone.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { readFile as read } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { utf8 } from '../../../src/base/bytes.ts'
import { readFile, replaceFile } from '../../../src/node/files.ts'

const folder = mkdtempSync(join(tmpdir(), 'rollcall-files-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const text = async (path: string): Promise<string> => read(path, 'utf8')
const modeOf = (path: string): number => statSync(path).mode & 0o777

describe('reading a file', () => {
  it('gives all of it, up to the bound, in bytes of its own', async () => {
    const path = join(folder, 'whole')
    for (const size of [0, 1, 99, 100]) {
      const bytes = new Uint8Array(size).fill(7)
      writeFileSync(path, bytes)
      const found = await readFile(path, 100)
      assert.deepEqual(found, bytes)
      assert.equal(found?.buffer.byteLength, size)
    }
  })

  it('gives nothing where there is none', async () => {
    assert.equal(await readFile(join(folder, 'nowhere'), 100), undefined)
    assert.equal(await readFile(join(folder, 'no-folder', 'nowhere'), 100), undefined)
  })

  it('rejects what is larger, and a device without end', async () => {
    const path = join(folder, 'large')
    writeFileSync(path, new Uint8Array(101))
    await assert.rejects(readFile(path, 100), /more than 100 bytes/)
    await assert.rejects(readFile('/dev/zero', 100), /more than 100 bytes/)
  })

  it('rejects with the reason what is no file', async () => {
    await assert.rejects(readFile(folder, 100), { code: 'EISDIR' })
    await assert.rejects(readFile(join(folder, 'whole', 'below'), 100), { code: 'ENOTDIR' })
  })
})

describe('replacing a file', () => {
  it('makes one, and replaces one, for its owner alone whatever it was before', async () => {
    const path = join(folder, 'keys')
    await replaceFile(path, utf8('one'))
    assert.deepEqual([await text(path), modeOf(path)], ['one', 0o600])
    const open = join(folder, 'open')
    writeFileSync(open, 'for all', { mode: 0o644 })
    await replaceFile(open, utf8('two'))
    assert.deepEqual([await text(open), modeOf(open)], ['two', 0o600])
  })

  it('leaves a link a link', async () => {
    const target = join(folder, 'target')
    const link = join(folder, 'link')
    writeFileSync(target, 'old')
    symlinkSync(target, link)
    await replaceFile(link, utf8('new'))
    assert.deepEqual([await text(target), await text(link)], ['new', 'new'])
  })

  it('that fails leaves what was, and nothing beside it', async () => {
    const taken = join(folder, 'taken')
    writeFileSync(join(folder, 'inside'), '')
    await assert.rejects(replaceFile(join(folder, 'inside', 'below'), utf8('x')), { code: 'ENOTDIR' })
    await assert.rejects(replaceFile(join(folder, 'no-folder', 'file'), utf8('x')), { code: 'ENOENT' })
    const inner = mkdtempSync(taken)
    // A name that cannot be taken: the second file is written by then, and must go.
    await assert.rejects(replaceFile(inner, utf8('x')))
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith('.tmp')),
      [],
    )
  })

  it("what a crash left there is in nobody's way, and goes once it is an hour old", async () => {
    const path = join(folder, 'again')
    const [old, fresh, other] = [`${path}.0123456789ab.tmp`, `${path}.ba9876543210.tmp`, `${path}.mine.tmp`]
    const before = `${path}.${process.pid}.1.tmp`
    for (const left of [old, fresh, other, before]) writeFileSync(left, 'a key')
    for (const left of [old, other]) utimesSync(left, 0, 0)
    await replaceFile(path, utf8('one'))
    assert.equal(await text(path), 'one')
    const kept = [fresh, other, before]
    const left = readdirSync(folder).filter((name) => name.startsWith('again.'))
    assert.deepEqual(left.sort(), kept.map((path) => basename(path)).sort())
    for (const path of kept) rmSync(path)
  })

  it('many at once end in one of them, whole', async () => {
    const path = join(folder, 'contested')
    const texts = Array.from({ length: 20 }, (_, at) => `${at} `.repeat(2000))
    await Promise.all(texts.map((one) => replaceFile(path, utf8(one))))
    assert.ok(texts.includes(await text(path)))
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith('.tmp')),
      [],
    )
  })
})
