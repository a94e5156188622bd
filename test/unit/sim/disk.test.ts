// The pretended disk keeps what it took, and fails as it is told to.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { textOf, utf8 } from '../../../src/base/bytes.ts'
import type { LogFile } from '../../../src/driver/storage.ts'
import { SimDisk } from '../../../src/sim/disk.ts'

const PATH = 'file'

async function goOn(disk: SimDisk): Promise<LogFile> {
  return (await disk.openLog(PATH, 'go-on')) as LogFile
}

function contentOf(disk: SimDisk, path = PATH): string | undefined {
  const bytes = disk.content(path)
  return bytes && textOf(bytes)
}

describe('sim/disk.ts', () => {
  it('a log keeps what is added and is read from anywhere', async () => {
    const disk = new SimDisk()
    assert.equal(await disk.openLog(PATH, 'read'), undefined)
    const log = await goOn(disk)
    await log.append(utf8('one '))
    await log.append(utf8('two'))
    const into = new Uint8Array(5)
    assert.equal(await log.read(into, 2), 5)
    assert.equal(textOf(into), 'e two')
    assert.equal(await log.read(into, 7), 0)
    await log.truncate(3)
    assert.deepEqual([contentOf(disk), await log.size()], ['one', 3])
    await log.close()
    await log.close()
    assert.equal(disk.nobody.logs, 0)
    await disk.openLog(PATH, 'anew')
    assert.equal(contentOf(disk), '')
  })

  it('a handle stays with its file when the name goes on to another', async () => {
    const disk = new SimDisk()
    const log = await goOn(disk)
    await disk.replaceFile('other', utf8('new'))
    await disk.renameFile('other', PATH)
    assert.equal(await log.size(), undefined)
    await log.append(utf8('lost'))
    assert.deepEqual([contentOf(disk), contentOf(disk, 'other')], ['new', undefined])
    assert.equal(await disk.realPath(PATH), PATH)
    for (let times = 0; times < 2; times++) await disk.removeFile(PATH)
    assert.equal(contentOf(disk), undefined)
  })

  it('whole files are read within a bound, and replaced', async () => {
    const disk = new SimDisk()
    assert.equal(await disk.readFile(PATH, 3), undefined)
    await disk.replaceFile(PATH, utf8('abcd'))
    assert.equal(textOf((await disk.readFile(PATH, 4)) as Uint8Array), 'abcd')
    await assert.rejects(disk.readFile(PATH, 3))
  })

  it('a full disk takes what fits, and a file that is there may still be begun anew', async () => {
    const disk = new SimDisk()
    const log = await goOn(disk)
    disk.fault = 'full'
    disk.roomBytes = 2
    await assert.rejects(log.append(utf8('abc')), { code: 'ENOSPC' })
    assert.equal(contentOf(disk), 'ab')
    await assert.rejects(disk.openLog('new', 'go-on'), { code: 'ENOSPC' })
    await assert.rejects(disk.replaceFile(PATH, utf8('abc')), { code: 'ENOSPC' })
    await disk.openLog(PATH, 'anew')
    disk.fault = undefined
    await log.append(utf8('abc'))
    assert.equal(contentOf(disk), 'abc')
  })

  it('a read-only disk is read; one that never syncs says so', async () => {
    const disk = new SimDisk()
    const log = await goOn(disk)
    disk.fault = 'read-only'
    for (const write of [
      () => disk.openLog(PATH, 'go-on'),
      () => log.append(utf8('a')),
      () => log.truncate(0),
      () => disk.renameFile(PATH, 'other'),
      () => disk.replaceFile(PATH, utf8('a')),
      () => disk.removeFile(PATH),
    ]) {
      await assert.rejects(write(), { code: 'EROFS' })
    }
    assert.ok(await disk.openLog(PATH, 'read'))
    disk.fault = 'sync'
    await log.append(utf8('a'))
    await assert.rejects(log.sync(), { code: 'EIO' })
    await assert.rejects(disk.replaceFile(PATH, utf8('b')), { code: 'EIO' })
    await assert.rejects(disk.renameFile(PATH, 'other'), { code: 'EIO' })
  })

  it('a disk that is stuck answers when it is free again; a process that is gone never hears of it', async () => {
    const disk = new SimDisk()
    const log = await goOn(disk)
    const tenant = { isGone: false, logs: 0 }
    const mounted = disk.mount(tenant)
    disk.fault = 'stuck'
    const written = log.append(utf8('a'))
    assert.equal(contentOf(disk), '')
    disk.fault = undefined
    await written
    assert.equal(contentOf(disk), 'a')
    const theirs = (await mounted.openLog(PATH, 'go-on')) as LogFile
    assert.equal(tenant.logs, 1)
    tenant.isGone = true
    void theirs.append(utf8('b'))
    void mounted.replaceFile(PATH, utf8('c'))
    void mounted.renameFile(PATH, 'd')
    void mounted.removeFile(PATH)
    void mounted.readFile(PATH, 9)
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    assert.equal(contentOf(disk), 'a')
  })

  it('what was done is in the journal from when one is asked for', async () => {
    const disk = new SimDisk()
    const log = await goOn(disk)
    await log.append(utf8('before'))
    disk.journal = []
    await log.append(utf8('a'))
    await log.truncate(1)
    await disk.renameFile(PATH, 'other')
    await disk.removeFile('other')
    await disk.removeFile('nothing')
    assert.deepEqual(disk.journal, [
      { kind: 'write', path: PATH, bytes: utf8('a') },
      { kind: 'cut', path: PATH, length: 1 },
      { kind: 'rename', from: PATH, to: 'other' },
      { kind: 'remove', path: 'other' },
    ])
  })
})

describe('sim/disk verbs', () => {
  it('break and mend it, tell of it, and count what failed', async () => {
    const disk = new SimDisk()
    const told: string[] = []
    disk.told = (what, isFault) => told.push(`${what}${isFault ? ' !' : ''}`)
    const log = await disk.openLog('log', 'anew')
    const append = async (): Promise<string | undefined> => log?.append(utf8('abc')).then(() => undefined, String)
    disk.fill(2)
    assert.match((await append()) ?? '', /ENOSPC/)
    disk.makeReadOnly()
    assert.match((await append()) ?? '', /EROFS/)
    disk.failSyncs()
    assert.equal(await append(), undefined)
    await assert.rejects(log?.sync() ?? Promise.resolve(), /EIO/)
    disk.stick()
    const waiting = append()
    disk.mend()
    disk.mend()
    assert.equal(await waiting, undefined)
    assert.deepEqual(disk.felt, { full: 1, 'read-only': 1, sync: 1, stuck: 1 })
    disk.erase()
    assert.equal(disk.content('log'), undefined)
    assert.deepEqual(told, [
      'disk is full !',
      'disk is read-only !',
      'disk fails to sync !',
      'disk is stuck !',
      'disk is well',
      'disk is lost, and an empty one in its place !',
    ])
  })

  it('refuse room that is none', () => {
    assert.throws(() => new SimDisk().fill(Number.NaN), { code: 'ERR_OPTIONS', option: 'roomBytes' })
  })
})
