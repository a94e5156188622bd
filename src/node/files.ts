// Whole small files by node:fs, in the shape driver/storage.ts asks for: read with a bound, replaced in one piece. What they hold is
// not known here, but that it may be secret: it is readable for its owner alone.
import { type FileHandle, open, realpath, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'

const OWNER_ONLY = 0o600

/** Beside the process id: several members of one process may write to one folder. */
let written = 0

/** All of the file, or `undefined` where there is none. Rejects with the system's error, and with `RangeError` where it has more than `maxBytes`. */
export async function readFile(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
  try {
    // Read to the bound and one more byte: what a pipe or a growing file holds is not what it said.
    const bytes = new Uint8Array(maxBytes + 1)
    let length = 0
    while (length <= maxBytes) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, null)
      if (bytesRead === 0) return bytes.slice(0, length)
      length += bytesRead
    }
    throw new RangeError(`it holds more than ${maxBytes} bytes`)
  } finally {
    await file.close()
  }
}

/** Puts `bytes` in the place of the file, by a second one that takes its name. Where the path is a link, it stays one. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const target = await realpath(path).catch(() => path)
  const temporary = `${target}.${process.pid}.${++written}.tmp`
  try {
    const file = await open(temporary, 'wx', OWNER_ONLY)
    try {
      // Writes all or throws, unlike `write`.
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, target)
  } catch (error) {
    await unlink(temporary).catch(() => {})
    throw error
  }
  await syncFolder(dirname(target))
}

/** Brings the new name to the disk. Best effort: the file stands by now, and not every system can do it. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r')
    await folder.sync().finally(() => folder.close())
  } catch {}
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
