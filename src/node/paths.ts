// Names of files on a real disk: to which file one leads, and that a new one outlives the machine. Shared by whoever puts a file in the
// place of another.
import { open, readlink, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

/** Links that lead to links to nowhere; systems follow as many. */
const MAX_LINKS = 40

/** The name of the file that a path leads to, links followed, be it there or only to be made; the same for every spelling of it. Where
 *  there is no such folder, the path as it is: whoever opens it hears why. Never rejects. */
export async function realPath(path: string): Promise<string> {
  let to = path
  for (let links = 0; links < MAX_LINKS; links++) {
    const found = await realpath(to).catch(() => undefined)
    if (found !== undefined) return found
    // The file is not there, but a link to it may be.
    const target = await readlink(to).catch(() => undefined)
    if (target === undefined) break
    to = resolve(dirname(to), target)
  }
  const folder = await realpath(dirname(to)).catch(() => undefined)
  return folder === undefined ? path : join(folder, basename(to))
}

/** Brings a new name in a folder to the disk. Best effort: the file stands by now, and not every system can do it. */
export async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r')
    await folder.sync().finally(() => folder.close())
  } catch {}
}
