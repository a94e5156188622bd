// Hands the protocol's snapshot to its file, one piece at a time and in order, in bounded memory however slow the disk. What fails is
// told once; what still waited behind it is dropped, for the protocol then gives all of it anew.
import { concat } from '../base/bytes.ts'
import { tracer } from '../base/log.ts'
import type { SnapshotNotice } from '../serf/notices.ts'
import type { Host } from './host.ts'
import type { SnapshotFile } from './snapshot-file.ts'
import { within } from './within.ts'

const trace = tracer('driver:snapshot')

/** What may wait for the disk. Beyond it the disk counts as failed: it does not keep up. */
export const MAX_BACKLOG_BYTES = 1_048_576

/** One piece may take so long before the disk counts as failed. */
export const STUCK_MS = 30_000

/** What the disk may take for the last lines, and for keys, when we close: they are few, and a disk that hangs must not keep us. */
export const CLOSE_LIMIT_MS = 5_000

/** The lines that wait, behind a file that is to be written anew, if there is one. */
interface Backlog {
  replacement: Uint8Array | undefined
  lines: Uint8Array[]
  bytes: number
  isSynced: boolean
}

type WrittenFile = Pick<SnapshotFile, 'append' | 'replace' | 'close'>

export class SnapshotWriter {
  readonly #host: Pick<Host, 'clock' | 'defer'>
  readonly #failed: (message: string) => void
  #opening: Promise<void> | undefined
  #file: WrittenFile | undefined
  #backlog: Backlog = nothing()
  #writing: Promise<void> | undefined
  /** What is on the file is not whole: only all of it helps. */
  #isBroken = false
  #isClosed = false
  /** When the piece that is being written was begun. */
  #begunAt = 0

  /** @param failed told, never from inside a call, that what was handed over is not written: then all of it is to be handed over */
  constructor(host: Pick<Host, 'clock' | 'defer'>, failed: (message: string) => void) {
    this.#host = host
    this.#failed = failed
  }

  /** What is handed over goes there, as soon as it is open; it is ours to close. Gives what was found. @throws what the opening throws */
  async recordTo<Found extends { readonly file: WrittenFile }>(opening: Promise<Found>): Promise<Found> {
    const opened = opening.then(({ file }) => {
      this.#file = file
    })
    this.#opening = opened.catch(() => {})
    await opened
    return opening
  }

  take({ op, bytes, isSynced }: SnapshotNotice): void {
    if (this.#file === undefined) return
    const backlog = this.#backlog
    if (op === 'replace') {
      // It says all that waits, and more.
      this.#backlog = { ...nothing(), replacement: bytes }
      this.#isBroken = false
    } else if (this.#isBroken) {
      return
    } else {
      backlog.lines.push(bytes)
      backlog.bytes += bytes.length
      backlog.isSynced ||= isSynced
      const waitedMs = this.#writing === undefined ? 0 : this.#host.clock.now() - this.#begunAt
      if (backlog.bytes > MAX_BACKLOG_BYTES || waitedMs > STUCK_MS) {
        this.#fail(`the disk does not keep up: ${backlog.bytes} bytes wait for it, since ${Math.round(waitedMs)} ms`)
        return
      }
    }
    this.#writing ??= this.#write()
  }

  /** Writes what waits, and `last`, and closes the file, one that is still being opened too. Resolves when that is done, or the disk had its
   *  time. Never rejects: there is nobody to tell any more. */
  async close(last: SnapshotNotice | undefined): Promise<void> {
    if (this.#opening === undefined) return
    if (last !== undefined) this.take(last)
    this.#isClosed = true
    await within(this.#host.clock, CLOSE_LIMIT_MS, this.#finish(), () =>
      trace('the disk does not answer, and is not waited for'),
    )
  }

  /** As `close`, before anything was written: another file may follow. */
  async giveUp(): Promise<void> {
    await this.#finish()
    this.#opening = undefined
    this.#file = undefined
  }

  async #finish(): Promise<void> {
    await this.#opening
    await this.#writing
    await this.#file?.close().catch((error: unknown) => trace('the file does not close: %s', error))
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    try {
      for (let next = this.#next(); next !== undefined; next = this.#next()) {
        this.#begunAt = this.#host.clock.now()
        await next()
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error))
    }
    this.#writing = undefined
  }

  #next(): (() => Promise<void>) | undefined {
    const file = this.#file
    if (file === undefined) return undefined
    const { replacement, lines, bytes, isSynced } = this.#backlog
    if (replacement !== undefined) {
      this.#backlog.replacement = undefined
      return () => file.replace(replacement)
    }
    if (bytes === 0) return undefined
    this.#backlog = nothing()
    return () => file.append(concat(lines), isSynced)
  }

  #fail(message: string): void {
    trace('%s', message)
    this.#backlog = nothing()
    this.#isBroken = true
    this.#host.defer(() => {
      if (!this.#isClosed) this.#failed(`the snapshot is not written, and tried again: ${message}`)
    })
  }
}

function nothing(): Backlog {
  return { replacement: undefined, lines: [], bytes: 0, isSynced: false }
}
