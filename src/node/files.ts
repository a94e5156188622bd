// Whole small files by node:fs, in the shape driver/storage.ts asks for: read with a bound, replaced in one piece. What they hold is
// not known here, but that it may be secret: it is readable for its owner alone.
import { randomBytes } from 'node:crypto'
import { type FileHandle, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { realPath, syncFolder } from './paths.ts'

const OWNER_ONLY = 0o600

/** So old is only what a crash left behind, or the disk hangs. */
const LEFT_OVER_MS = 3_600_000

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
  const target = await realPath(path)
  // By chance: in a container each start has the process id of the one before it.
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`
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
  await removeLeftOvers(target)
}

/** What crashes left beside the file may hold secrets. Best effort. */
async function removeLeftOvers(target: string): Promise<void> {
  const [folder, name] = [dirname(target), basename(target)]
  const others = await readdir(folder).catch((): string[] => [])
  for (const other of others) {
    if (!other.startsWith(`${name}.`) || !/^[0-9a-f]{12}\.tmp$/.test(other.slice(name.length + 1))) continue
    const path = join(folder, other)
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }))
    if (mtimeMs < Date.now() - LEFT_OVER_MS) await unlink(path).catch(() => {})
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
