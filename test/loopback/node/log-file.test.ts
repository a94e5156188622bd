// Files that grow on a real disk: what was added stands, names change in one piece, and what is no file is refused.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { utf8 } from '../../../src/base/bytes.ts'
import type { LogFile } from '../../../src/driver/storage.ts'
import { openLog, renameFile } from '../../../src/node/log-file.ts'
import { LIMIT } from '../support.ts'

const folder = mkdtempSync(join(tmpdir(), 'rollcall-log-'))
after(() => rmSync(folder, { recursive: true }))

async function goOn(path: string): Promise<LogFile> {
  return (await openLog(path, 'go-on')) as LogFile
}

describe('node/log-file.ts', LIMIT, () => {
  it('a log is made, added to, read from anywhere, cut, and begun anew', async () => {
    const path = join(folder, 'a')
    assert.equal(await openLog(path, 'read'), undefined)
    const log = await goOn(path)
    await log.append(utf8('one '))
    await log.append(utf8('two'))
    await log.sync()
    const into = new Uint8Array(5)
    assert.deepEqual([await log.read(into, 2), Buffer.from(into).toString()], [5, 'e two'])
    assert.equal(await log.read(into, 7), 0)
    await log.truncate(3)
    await log.append(utf8('!'))
    assert.deepEqual([readFileSync(path, 'utf8'), await log.size()], ['one!', 4])
    assert.equal(statSync(path).mode & 0o777 & ~0o644, 0)
    await log.close()
    await log.close()
    const fresh = (await openLog(path, 'anew')) as LogFile
    assert.equal(readFileSync(path, 'utf8'), '')
    await fresh.close()
  })

  it('a name goes on to another file in one piece, and the handle of the old one knows', async () => {
    const [path, other] = [join(folder, 'b'), join(folder, 'b.new')]
    const log = await goOn(path)
    writeFileSync(other, 'new')
    await renameFile(other, path)
    assert.equal(await log.size(), undefined)
    assert.equal(readFileSync(path, 'utf8'), 'new')
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('b')),
      ['b'],
    )
    await log.close()
    const again = await goOn(path)
    unlinkSync(path)
    assert.equal(await again.size(), undefined)
    await again.close()
  })

  it('what is no file is refused at once, a pipe too that nobody reads', async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    for (const mode of ['read', 'go-on'] as const) {
      await assert.rejects(openLog(pipe, mode), /is no file/)
      await assert.rejects(openLog(folder, mode), /is no file|EISDIR/)
    }
    await assert.rejects(openLog(join(folder, 'nowhere', 'file'), 'go-on'), { code: 'ENOENT' })
    await assert.rejects(renameFile(join(folder, 'nowhere'), join(folder, 'c')), { code: 'ENOENT' })
  })
})
