// Names on a real disk: one for each file, whatever leads there.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { utf8 } from '../../../src/base/bytes.ts'
import { SnapshotFile } from '../../../src/driver/snapshot-file.ts'
import type { LogStorage } from '../../../src/driver/storage.ts'
import { nodeHost } from '../../../src/node/host.ts'
import { realPath, syncFolder } from '../../../src/node/paths.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'rollcall-paths-')))
after(() => rmSync(folder, { recursive: true }))
mkdirSync(join(folder, 'data'))
symlinkSync('data', join(folder, 'to-data'))

describe('node/paths.ts', () => {
  it('a file has one name, by whatever spelling and link, be it there or not', async () => {
    writeFileSync(join(folder, 'data', 'there'), '')
    symlinkSync('to-data/there', join(folder, 'link'))
    symlinkSync('link', join(folder, 'link-to-link'))
    symlinkSync(join(folder, 'to-data', 'new'), join(folder, 'link-to-new'))
    for (const path of ['data/there', './data/../data/there', 'to-data/there', 'link', 'link-to-link']) {
      assert.equal(await realPath(`${folder}/${path}`), join(folder, 'data', 'there'), path)
    }
    for (const path of ['data/new', 'to-data/./new', 'link-to-new']) {
      assert.equal(await realPath(`${folder}/${path}`), join(folder, 'data', 'new'), path)
    }
    assert.equal(await realPath('package.json'), realpathSync('package.json'))
  })

  it('what leads nowhere, or round in a circle, is given back as it is', async () => {
    const [one, two] = [join(folder, 'one'), join(folder, 'two')]
    symlinkSync(one, two)
    symlinkSync(two, one)
    assert.ok([one, two].includes(await realPath(one)))
    const nowhere = join(folder, 'nowhere', 'file')
    assert.equal(await realPath(nowhere), nowhere)
    const below = join(folder, 'data', 'there', 'file')
    assert.equal(await realPath(below), below)
  })

  it('a folder that cannot be brought to the disk is no trouble: the file stands', async () => {
    await syncFolder(folder)
    await syncFolder(join(folder, 'nowhere'))
  })

  it('a link to the snapshot leads to it also once it was put anew, and two names are not two snapshots', async () => {
    const storage = nodeHost().storage as LogStorage
    const [target, link] = [join(folder, 'data', 'snapshot'), join(folder, 'snapshot')]
    symlinkSync(target, link)
    const { file } = await SnapshotFile.open(storage, link, false)
    await file.append(utf8('clock: 1\n'), false)
    await file.replace(utf8('clock: 2\n'))
    await file.append(utf8('clock: 3\n'), false)
    for (const path of [target, link]) assert.equal(readFileSync(path, 'utf8'), 'clock: 2\nclock: 3\n')
    assert.equal(realpathSync(link), target)
    await assert.rejects(SnapshotFile.open(storage, `${folder}/./data/snapshot`, false), /another instance/)
    await file.close()
  })
})
