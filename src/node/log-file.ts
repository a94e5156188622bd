// Files that grow, on a real disk: `LogFile` over `node:fs`. Nothing is buffered here: what `append` resolved for is with the system.
import { constants } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { LogFile, LogFileMode } from '../driver/storage.ts'
import { syncFolder } from './paths.ts'

/** As Serf makes them: everybody may read who is there. */
const MODE = 0o644

const FLAGS: Readonly<Record<LogFileMode, number>> = {
  read: constants.O_RDONLY,
  'go-on': constants.O_RDWR | constants.O_APPEND | constants.O_CREAT,
  anew: constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_TRUNC,
}
/** A pipe that nobody reads would keep us waiting for ever. */
const NO_WAITING = constants.O_NONBLOCK ?? 0

/** See `LogStorage.openLog`. */
export async function openLog(path: string, mode: LogFileMode): Promise<LogFile | undefined> {
  try {
    return await checked(await open(path, FLAGS[mode] | NO_WAITING, MODE))
  } catch (error) {
    if (mode === 'read' && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** See `LogStorage.renameFile`. */
export async function renameFile(from: string, to: string): Promise<void> {
  await rename(from, to)
  await syncFolder(dirname(to))
}

/** See `LogStorage.removeFile`. */
export function removeFile(path: string): Promise<void> {
  return rm(path, { force: true })
}

/** Only a file keeps what it is given. */
async function checked(handle: FileHandle): Promise<LogFile> {
  const stats = await handle.stat()
  if (stats.isFile()) return new NodeLogFile(handle)
  await handle.close()
  throw new Error('is no file')
}

class NodeLogFile implements LogFile {
  readonly #handle: FileHandle
  #closing: Promise<void> | undefined

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async size(): Promise<number | undefined> {
    const { nlink, size } = await this.#handle.stat()
    return nlink === 0 ? undefined : size
  }

  async read(into: Uint8Array, at: number): Promise<number> {
    const { bytesRead } = await this.#handle.read(into, 0, into.length, at)
    return bytesRead
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at)
      at += bytesWritten
    }
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length)
  }

  sync(): Promise<void> {
    return this.#handle.datasync()
  }

  close(): Promise<void> {
    this.#closing ??= this.#handle.close()
    return this.#closing
  }
}
