// The snapshot on its storage: found and mended at the start, added to, and put anew in one piece. Knows files, not what their lines mean;
// when to write what is the protocol's, and in which order snapshot-writer.ts's. A crash at any moment leaves PATH whole but for a line
// that was being added, or, where another program made it, PATH.compact whole beside no PATH.
import { StorageError } from '../base/errors.ts'
import { SnapshotReader, type SnapshotReport, type SnapshotState } from '../serf/snapshot-format.ts'
import type { LogFile, LogFileMode, LogStorage } from './storage.ts'

/** What a file looked like. */
export interface FoundSnapshot extends SnapshotReport {
  readonly file: SnapshotFile
  readonly state: SnapshotState
  /** Why it can be read only, for now; absent: it can be written. */
  readonly trouble: Error | undefined
}

const READ_BYTES = 65_536
/** Serf's own name for a file that is being written anew. */
const COMPACT_SUFFIX = '.compact'
/** Disks that may be written again later: what they hold is begun from. All else is somebody's mistake, and told at once.
 *  Differs: Serf does not start on such a disk. */
const PASSING: ReadonlySet<unknown> = new Set(['EROFS', 'ENOSPC', 'EDQUOT'])

/** The files that are open in this process. */
const opened = new WeakMap<LogStorage, Set<string>>()

/** One file, for one instance. Its calls come one after the other. */
export class SnapshotFile {
  readonly #storage: LogStorage
  /** Links followed: one that leads to the file is to lead there also once the file was put anew. */
  readonly #path: string
  #log: LogFile | undefined
  /** What it holds if nobody else writes it. */
  #bytes = 0

  private constructor(storage: LogStorage, path: string) {
    this.#storage = storage
    this.#path = path
  }

  /** Reads what there is, and takes off a line that was torn.
   *  @throws StorageError where the file cannot be read, or never be written, or is open here already; nothing is left open then */
  static async open(storage: LogStorage, path: string, rejoinAfterLeave: boolean): Promise<FoundSnapshot> {
    const paths = opened.get(storage) ?? new Set()
    opened.set(storage, paths)
    const real = await storage.realPath(path).catch(() => path)
    if (paths.has(real)) throw new StorageError(path, 'another instance of this process writes it')
    paths.add(real)
    const file = new SnapshotFile(storage, real)
    try {
      return await file.#find(rejoinAfterLeave)
    } catch (error) {
      await file.close().catch(() => {})
      throw error instanceof StorageError ? error : new StorageError(path, `the snapshot: ${messageOf(error)}`, error)
    }
  }

  /** Adds lines. Rejects where they may not stand, or not whole: then only `replace` helps. */
  async append(bytes: Uint8Array, isSynced: boolean): Promise<void> {
    const log = this.#log
    if (log === undefined) throw new Error(`${this.#path} is not open`)
    const size = await log.size()
    // Two that write one file lose what each of them writes; and a file that was removed takes everything without a word.
    if (size !== this.#bytes) {
      const what = size === undefined ? 'was removed or replaced' : `has ${size} bytes instead of ${this.#bytes}`
      throw new Error(`${this.#path} ${what}: somebody else writes there`)
    }
    await log.append(bytes)
    this.#bytes += bytes.length
    if (isSynced) await log.sync()
  }

  /** Puts `bytes` in the place of all there is: all of them, or none. Differs: Serf removes the old file first, and a crash at that moment
   *  leaves none. */
  async replace(bytes: Uint8Array): Promise<void> {
    const fresh = `${this.#path}${COMPACT_SUFFIX}`
    const log = await this.#openLog(fresh, 'anew')
    try {
      await log.append(bytes)
      await log.sync()
    } finally {
      await log.close()
    }
    // Some systems rename no open file.
    await this.#closeLog()
    await this.#storage.renameFile(fresh, this.#path)
    this.#log = await this.#openLog(this.#path, 'go-on')
    this.#bytes = bytes.length
  }

  /** Idempotent. */
  async close(): Promise<void> {
    opened.get(this.#storage)?.delete(this.#path)
    await this.#closeLog()
  }

  async #find(rejoinAfterLeave: boolean): Promise<FoundSnapshot> {
    let trouble: Error | undefined
    let log = await this.#storage.openLog(this.#path, 'read')
    if (log === undefined) {
      trouble = await attempt(() => this.#bringBack())
    } else {
      await log.close()
    }
    trouble ??= await attempt(async () => {
      this.#log = await this.#openLog(this.#path, 'go-on')
    })
    log = this.#log ?? (await this.#storage.openLog(this.#path, 'read'))
    try {
      const { state, report } = await read(log, rejoinAfterLeave)
      this.#bytes = report.wholeBytes
      // Else the next line would stand behind the rest of the torn one, as one line of neither.
      // Differs: Serf adds to the file as it finds it.
      trouble ??= await attempt(async () => this.#log?.truncate(report.wholeBytes))
      // One that was not put in place says less. Left there, it would be believed once somebody removes the file to begin afresh.
      if (trouble === undefined) await this.#storage.removeFile(`${this.#path}${COMPACT_SUFFIX}`).catch(() => {})
      return { ...report, file: this, state, trouble }
    } finally {
      if (log !== this.#log) await log?.close()
    }
  }

  /** Serf removes the file before it gives its name to the new one: a crash in between leaves the new one under its first name. */
  async #bringBack(): Promise<void> {
    const fresh = `${this.#path}${COMPACT_SUFFIX}`
    const log = await this.#storage.openLog(fresh, 'read')
    if (log === undefined) return
    const { report } = await read(log, true).finally(() => log.close())
    if (report.isComplete) await this.#storage.renameFile(fresh, this.#path)
  }

  async #openLog(path: string, mode: Exclude<LogFileMode, 'read'>): Promise<LogFile> {
    const log = await this.#storage.openLog(path, mode)
    if (log === undefined) throw new Error(`${path} cannot be opened`)
    return log
  }

  async #closeLog(): Promise<void> {
    const log = this.#log
    this.#log = undefined
    await log?.close()
  }
}

/** All that stands, in memory of a fixed size. A last line without its end is looked at by nobody. */
async function read(
  log: LogFile | undefined,
  rejoinAfterLeave: boolean,
): Promise<{ state: SnapshotState; report: SnapshotReport }> {
  const reader = new SnapshotReader(rejoinAfterLeave)
  const into = new Uint8Array(READ_BYTES)
  let at = 0
  while (log !== undefined) {
    const length = await log.read(into, at)
    if (length === 0) break
    reader.take(into.subarray(0, length))
    at += length
  }
  return { state: reader.state, report: reader.report() }
}

/** What went wrong, where that may pass. */
async function attempt(work: () => Promise<void>): Promise<Error | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (error instanceof Error && PASSING.has((error as { code?: unknown }).code)) return error
    throw error
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
