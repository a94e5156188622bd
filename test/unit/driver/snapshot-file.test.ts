// The snapshot on its disk: found, mended, added to, put anew; and what is left of it whenever the machine stops.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { textOf, utf8 } from '../../../src/base/bytes.ts'
import { StorageError } from '../../../src/base/errors.ts'
import { Random } from '../../../src/base/random.ts'
import { type FoundSnapshot, SnapshotFile } from '../../../src/driver/snapshot-file.ts'
import type { LogFile, LogStorage } from '../../../src/driver/storage.ts'
import { Snapshot } from '../../../src/serf/snapshot.ts'
import type { SnapshotState } from '../../../src/serf/snapshot-format.ts'
import { type DiskChange, SimDisk } from '../../../src/sim/disk.ts'

const PATH = '/var/lib/snapshot'
const COMPACT = `${PATH}.compact`

function open(disk: SimDisk): Promise<FoundSnapshot> {
  return SnapshotFile.open(disk, PATH, false)
}

function contentOf(disk: SimDisk, path = PATH): string | undefined {
  const bytes = disk.content(path)
  return bytes && textOf(bytes)
}

function diskWith(content: string, path = PATH): SimDisk {
  const disk = new SimDisk()
  disk.put(path, utf8(content))
  return disk
}

describe('driver/snapshot-file.ts', () => {
  it('a file that is not there is made, and begins with nothing', async () => {
    const disk = new SimDisk()
    const { file, state, trouble } = await open(disk)
    assert.deepEqual([state.alive.size, trouble], [0, undefined])
    await file.append(utf8('clock: 1\n'), false)
    await file.close()
    await file.close()
    assert.equal(contentOf(disk), 'clock: 1\n')
    assert.equal(disk.nobody.logs, 0)
  })

  it('SF-51: a torn line is taken off, and the next one begins afresh', async () => {
    const disk = diskWith('alive: a 10.0.0.1:1\nalive: nX 10.0.0.')
    const { file, state } = await open(disk)
    assert.deepEqual([...state.alive.keys()], ['a'])
    await file.append(utf8('alive: n3 127.0.0.1:1\n'), false)
    assert.equal(contentOf(disk), 'alive: a 10.0.0.1:1\nalive: n3 127.0.0.1:1\n')
  })

  it('what Serf left behind where it crashed between removing the old file and naming the new one is found', async () => {
    const whole = 'alive: a 10.0.0.1:1\nclock: 1\nevent-clock: 2\nquery-clock: 3\n'
    const disk = diskWith(whole, COMPACT)
    const { state } = await open(disk)
    assert.deepEqual([[...state.alive.keys()], state.queryClock], [['a'], 3])
    assert.deepEqual([contentOf(disk), contentOf(disk, COMPACT)], [whole, undefined])
  })

  it('a new file that is not complete, or stands beside the old one, is not read, and taken away', async () => {
    const torn = diskWith('alive: a 10.0.0.1:1\nclock: 1\n', COMPACT)
    assert.equal((await open(torn)).state.alive.size, 0)
    const disk = diskWith('clock: 9\n')
    disk.put(COMPACT, utf8('clock: 1\nevent-clock: 1\nquery-clock: 1\n'))
    const { file, state } = await open(disk)
    assert.deepEqual([state.clock, torn.content(COMPACT), disk.content(COMPACT)], [9, undefined, undefined])
    // Who removes the file begins afresh.
    await file.close()
    disk.remove(PATH)
    assert.equal((await open(disk)).state.clock, 0)
  })

  it("one that cannot be taken away is in nobody's way", async () => {
    const disk = diskWith('clock: 9\n')
    disk.removeFile = async () => {
      throw Object.assign(new Error('EPERM: operation not permitted'), { code: 'EPERM' })
    }
    const { state, trouble } = await open(disk)
    assert.deepEqual([state.clock, trouble], [9, undefined])
  })

  it('two names of one file are one', async () => {
    const disk = new SimDisk()
    disk.realPath = async () => PATH
    const { file } = await SnapshotFile.open(disk, 'a link', false)
    await assert.rejects(
      SnapshotFile.open(disk, './a link', false),
      (error: unknown) => error instanceof StorageError && error.path === './a link',
    )
    await file.append(utf8('clock: 1\n'), false)
    assert.equal(contentOf(disk), 'clock: 1\n')
    await file.close()
    await (await open(disk)).file.close()
  })

  it('two instances of a process do not write one file', async () => {
    const disk = new SimDisk()
    const { file } = await open(disk)
    await assert.rejects(open(disk), (error: unknown) => error instanceof StorageError && error.path === PATH)
    await file.close()
    await (await open(disk)).file.close()
  })

  it('what another program writes there, or takes away, is not written over', async () => {
    for (const interfere of [
      (disk: SimDisk) => disk.apply({ kind: 'write', path: PATH, bytes: utf8('clock: 5\n') }),
      (disk: SimDisk) => disk.remove(PATH),
      (disk: SimDisk) => disk.put(PATH, utf8('clock: 1\n')),
    ]) {
      const disk = new SimDisk()
      const { file } = await open(disk)
      await file.append(utf8('clock: 1\n'), false)
      interfere(disk)
      await assert.rejects(file.append(utf8('clock: 2\n'), false), /somebody else writes there/)
      await file.replace(utf8('clock: 2\n'))
      await file.append(utf8('clock: 3\n'), true)
      assert.equal(contentOf(disk), 'clock: 2\nclock: 3\n')
    }
  })

  it('a file that can only be read is begun from, and says why it is not written', async () => {
    for (const fault of ['read-only', 'full'] as const) {
      for (const content of ['clock: 4\nclock: 5', undefined]) {
        const disk = content === undefined ? new SimDisk() : diskWith(content)
        disk.fault = fault
        const { file, state, trouble } = await open(disk)
        assert.equal(state.clock, content === undefined ? 0 : 4)
        if (fault === 'read-only' || content === undefined) assert.match(String(trouble), /EROFS|ENOSPC/)
        disk.fault = undefined
        await file.replace(utf8('clock: 6\n'))
        await file.append(utf8('clock: 7\n'), false)
        assert.equal(contentOf(disk), 'clock: 6\nclock: 7\n')
      }
    }
  })

  it('what can never be read or written is an error that names the path, and leaves nothing open', async () => {
    const disk = new SimDisk()
    disk.openLog = async () => {
      throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
    }
    await assert.rejects(open(disk), (error: unknown) => {
      return error instanceof StorageError && error.path === PATH && /permission denied/.test(error.message)
    })
    const healthy = new SimDisk()
    disk.openLog = healthy.openLog.bind(healthy)
    await (await open(disk)).file.close()
  })

  it('what is put anew is on the disk before it gets the name, and lines stand there for sure where that is asked for', async () => {
    const disk = new SimDisk()
    const did: string[] = []
    const storage: LogStorage = {
      openLog: async (path, mode) => {
        const log = (await disk.openLog(path, mode)) as LogFile
        const note = (what: string): void => void did.push(`${what} ${path === PATH ? 'old' : 'new'}`)
        return {
          ...log,
          append: (bytes) => log.append(bytes).then(() => note('append')),
          sync: () => log.sync().then(() => note('sync')),
          close: () => log.close().then(() => note('close')),
        }
      },
      renameFile: (from, to) => disk.renameFile(from, to).then(() => void did.push('rename')),
      removeFile: (path) => disk.removeFile(path),
      realPath: (path) => disk.realPath(path),
    }
    disk.put(PATH, utf8('clock: 1\n'))
    const { file } = await SnapshotFile.open(storage, PATH, false)
    did.length = 0
    await file.replace(utf8('clock: 2\n'))
    assert.deepEqual(did.splice(0), ['append new', 'sync new', 'close new', 'close old', 'rename'])
    await file.append(utf8('clock: 3\n'), true)
    await file.append(utf8('clock: 4\n'), false)
    assert.deepEqual(did.splice(0), ['append old', 'sync old', 'append old'])
    await file.close()
  })

  it('a full disk leaves the old file whole where all is to be written anew', async () => {
    const disk = diskWith('clock: 4\n')
    const { file } = await open(disk)
    disk.fault = 'full'
    disk.roomBytes = 3
    await assert.rejects(file.replace(utf8('clock: 5\n')), /ENOSPC/)
    assert.equal(contentOf(disk), 'clock: 4\n')
    assert.equal(disk.nobody.logs, 1)
  })
})

interface Life {
  readonly journal: readonly DiskChange[]
  /** What the file said after each line, as text. */
  readonly states: readonly string[]
  /** After so many entries of the journal so many lines were written: one item a write. */
  readonly flushes: readonly { readonly entries: number; readonly lines: number }[]
  readonly replaced: number
}

/** A long life of members, events and queries, each line of it known, with many compactions. */
async function live(seed: number, writes: number): Promise<Life> {
  const random = new Random(seed)
  const disk = new SimDisk()
  disk.journal = []
  const { file } = await open(disk)
  const snapshot = new Snapshot({ fileBytes: 0, rejoinAfterLeave: false, leastCompactBytes: 1500 }, 'm0')
  const model: Model = { alive: new Map(), clock: 0, eventClock: 0, queryClock: 0 }
  const states = [textOfModel(model)]
  const flushes = [{ entries: disk.journal.length, lines: 0 }]
  let replaced = 0
  for (let write = 0; write < writes; write++) {
    const lines = 1 + random.below(4)
    for (let line = 0; line < lines; line++) {
      act(random, snapshot, model)
      states.push(textOfModel(model))
    }
    // The clock line comes last.
    model.clock += random.below(2)
    states.push(textOfModel(model))
    const notice = snapshot.take(model.clock, 0, write, false)
    if (notice?.op === 'replace') {
      replaced++
      await file.replace(notice.bytes)
    } else if (notice !== undefined) {
      await file.append(notice.bytes, notice.isSynced)
    }
    flushes.push({ entries: disk.journal.length, lines: states.length - 1 })
  }
  await file.close()
  return { journal: disk.journal, states, flushes, replaced }
}

interface Model {
  readonly alive: Map<string, string>
  clock: number
  eventClock: number
  queryClock: number
}

/** One thing happens, of which one line tells. */
function act(random: Random, snapshot: Snapshot, model: Model): void {
  switch (random.below(4)) {
    case 0:
      model.eventClock++
      snapshot.event(model.eventClock)
      return
    case 1:
      model.queryClock++
      snapshot.query(model.queryClock)
      return
    default: {
      const name = `member ${random.below(12)}`
      const address = model.alive.has(name) ? undefined : `10.0.0.${random.below(250)}:7946`
      if (address === undefined) model.alive.delete(name)
      else model.alive.set(name, address)
      snapshot.member(name, address)
    }
  }
}

function textOfModel({ alive, clock, eventClock, queryClock }: Model | SnapshotState): string {
  return JSON.stringify([[...alive].sort(), clock, eventClock, queryClock])
}

/** The disk as it is after every step that a machine could stop at: after each byte of each write. */
function* cuts(journal: readonly DiskChange[]): Generator<{ files: ReadonlyMap<string, Uint8Array>; entries: number }> {
  const disk = new SimDisk()
  const names = [PATH, COMPACT]
  const look = (entries: number): { files: ReadonlyMap<string, Uint8Array>; entries: number } => {
    const found = names.map((name) => [name, disk.content(name)] as const)
    return { files: new Map(found.filter((one): one is [string, Uint8Array] => one[1] !== undefined)), entries }
  }
  yield look(0)
  for (const [index, change] of journal.entries()) {
    if (change.kind === 'write') {
      for (let at = 0; at < change.bytes.length; at++) {
        disk.apply({ ...change, bytes: change.bytes.subarray(at, at + 1) })
        yield look(at + 1 === change.bytes.length ? index + 1 : index)
      }
    } else {
      disk.apply(change)
      yield look(index + 1)
    }
  }
}

describe('a cut at every byte of every write', () => {
  it('SF-54: every line older than the last write survives, whatever was being written, and the next line stands alone', async (t) => {
    const { journal, states, flushes, replaced } = await live(1, 220)
    assert.ok(replaced >= 4, `${replaced} compactions`)
    let [count, torn, flush] = [0, 0, 0]
    for (const { files, entries } of cuts(journal)) {
      while (flush + 1 < flushes.length && (flushes[flush + 1] as { entries: number }).entries <= entries) flush++
      const least = flushes[flush]?.lines ?? 0
      const most = flushes[flush + 1]?.lines ?? least
      const disk = new SimDisk()
      for (const [path, bytes] of files) disk.put(path, bytes)
      const { file, state, skipped, wholeBytes } = await open(disk)
      const said = textOfModel(state)
      const at = states.indexOf(said, least)
      assert.ok(at >= least && at <= most, `cut ${count}: ${said} is not between ${states[least]} and ${states[most]}`)
      assert.equal(skipped, 0)
      if (wholeBytes < (files.get(PATH)?.length ?? 0)) torn++
      await file.append(utf8('alive: z 10.9.9.9:9\n'), false)
      await file.close()
      const again = await open(disk)
      assert.equal(again.skipped, 0)
      assert.equal(again.state.alive.get('z'), '10.9.9.9:9')
      again.state.alive.delete('z')
      assert.equal(textOfModel(again.state), said)
      await again.file.close()
      count++
    }
    t.diagnostic(`${count} cuts, ${torn} of them in a line of the file, ${replaced} compactions`)
    assert.ok(torn > 1000 && count > 5000)
  })
})
