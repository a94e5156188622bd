// A pretended disk: files by name, a journal of everything that was done to them where one is asked for, and faults to order. What it resolves for it has done;
// nothing takes time unless it is stuck. It belongs to a machine and outlives the processes on it.
import { concat, copyOf } from '../base/bytes.ts'
import { OptionsError } from '../base/errors.ts'
import type { LogFile, LogFileMode, Storage } from '../driver/storage.ts'

/** What is wrong with it. `full`: what is written ends in the middle. `read-only`. `sync`: nothing is ever on the disk for sure.
 *  `stuck`: nothing answers until the fault is over. */
export type DiskFault = 'full' | 'read-only' | 'sync' | 'stuck'

/** One thing that was done. */
export type DiskChange =
  | { readonly kind: 'write'; readonly path: string; readonly bytes: Uint8Array }
  | { readonly kind: 'cut'; readonly path: string; readonly length: number }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string }

/** A process that uses the disk. */
export interface Tenant {
  /** It does nothing more, and hears of nothing. */
  readonly isGone: boolean
  /** Logs that it has open. */
  logs: number
}

const DISK_FAULTS: Readonly<Record<DiskFault, string>> = {
  full: 'disk is full',
  'read-only': 'disk is read-only',
  sync: 'disk fails to sync',
  stuck: 'disk is stuck',
}

/** A file as its handles see it: a name may come to lead to another one. */
interface Inode {
  bytes: Uint8Array
}

export class SimDisk implements Storage {
  readonly #files = new Map<string, Inode>()
  /** Everything that was done since somebody set it. */
  journal: DiskChange[] | undefined
  /** Bytes that still fit once it is `full`. */
  roomBytes = 0
  /** Who uses the disk without a mount. */
  readonly nobody: Tenant = { isGone: false, logs: 0 }
  /** How many operations each fault has made fail, or wait. */
  readonly felt: Record<DiskFault, number> = { full: 0, 'read-only': 0, sync: 0, stuck: 0 }
  /** Is told what becomes of the disk, in words, and whether it is for the worse. */
  told: ((what: string, isFault: boolean) => void) | undefined
  #fault: DiskFault | undefined
  #waiting: (() => void)[] = []

  get fault(): DiskFault | undefined {
    return this.#fault
  }

  set fault(fault: DiskFault | undefined) {
    if (fault !== this.#fault)
      this.told?.(fault === undefined ? 'disk is well' : DISK_FAULTS[fault], fault !== undefined)
    this.#fault = fault
    if (fault === 'stuck') return
    for (const resume of this.#waiting.splice(0)) resume()
  }

  /** So many bytes still fit; what is written beyond them ends in the middle. Ends another fault, as do the other verbs. */
  fill(roomBytes = 0): void {
    if (!(roomBytes >= 0)) throw new OptionsError('roomBytes', roomBytes, '0 or more')
    this.fault = 'full'
    this.roomBytes = roomBytes
  }

  /** Nothing can be written any more. */
  makeReadOnly(): void {
    this.fault = 'read-only'
  }

  /** What is written may never reach the disk: every `sync` fails. */
  failSyncs(): void {
    this.fault = 'sync'
  }

  /** Nothing answers until `mend`. */
  stick(): void {
    this.fault = 'stuck'
  }

  /** Ends the fault; what waited goes on. */
  mend(): void {
    this.fault = undefined
  }

  /** A new, empty disk in its place. What is open stays open, and is nobody's. */
  erase(): void {
    this.mend()
    this.#files.clear()
    this.told?.('disk is lost, and an empty one in its place', true)
  }

  /** What stands under a name. */
  content(path: string): Uint8Array | undefined {
    return this.#files.get(path)?.bytes
  }

  /** Puts something there, as if it had always been. */
  put(path: string, bytes: Uint8Array): void {
    this.#files.set(path, { bytes: copyOf(bytes) })
  }

  /** Takes it away, as another program would. */
  remove(path: string): void {
    this.#files.delete(path)
  }

  /** The same disk for one process. */
  mount(tenant: Tenant): Storage {
    const alive = <Value>(work: () => Promise<Value>): Promise<Value> => {
      return tenant.isGone ? new Promise(() => {}) : work()
    }
    return {
      readFile: (path, maxBytes) => alive(() => this.readFile(path, maxBytes)),
      replaceFile: (path, bytes) => alive(() => this.replaceFile(path, bytes)),
      openLog: (path, mode) => alive(() => this.openLog(path, mode, tenant)),
      renameFile: (from, to) => alive(() => this.renameFile(from, to)),
      removeFile: (path) => alive(() => this.removeFile(path)),
      realPath: (path) => alive(() => this.realPath(path)),
    }
  }

  async readFile(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
    await this.#answer()
    const bytes = this.content(path)
    if (bytes !== undefined && bytes.length > maxBytes) throw new Error(`${path} has more than ${maxBytes} bytes`)
    return bytes && copyOf(bytes)
  }

  async replaceFile(path: string, bytes: Uint8Array): Promise<void> {
    await this.#answer()
    this.#checkWritable()
    if (this.#fault === 'full' && bytes.length > this.roomBytes)
      throw this.#fail('full', 'ENOSPC', 'no space left on device')
    if (this.#fault === 'sync') throw this.#fail('sync', 'EIO', 'i/o error')
    this.#change({ kind: 'cut', path: `${path}.new`, length: 0 })
    this.#change({ kind: 'write', path: `${path}.new`, bytes: copyOf(bytes) })
    this.#change({ kind: 'rename', from: `${path}.new`, to: path })
  }

  async openLog(path: string, mode: LogFileMode, tenant: Tenant = this.nobody): Promise<LogFile | undefined> {
    await this.#answer()
    if (mode === 'read' && !this.#files.has(path)) return undefined
    if (mode !== 'read') this.#checkWritable()
    if (mode === 'anew' || !this.#files.has(path)) {
      if (this.#fault === 'full' && !this.#files.has(path) && this.roomBytes === 0) {
        throw this.#fail('full', 'ENOSPC', 'no space left on device')
      }
      this.#change({ kind: 'cut', path, length: 0 })
    }
    tenant.logs++
    return this.#log(path, this.#files.get(path) as Inode, tenant)
  }

  async renameFile(from: string, to: string): Promise<void> {
    await this.#answer()
    this.#checkWritable()
    this.#change({ kind: 'rename', from, to })
    if (this.#fault === 'sync') throw this.#fail('sync', 'EIO', 'i/o error')
  }

  async removeFile(path: string): Promise<void> {
    await this.#answer()
    this.#checkWritable()
    if (this.#files.has(path)) this.#change({ kind: 'remove', path })
  }

  /** Here each file has one name. */
  async realPath(path: string): Promise<string> {
    await this.#answer()
    return path
  }

  /** Does what a journal tells. */
  apply(change: DiskChange): void {
    this.#change(change)
  }

  #log(path: string, inode: Inode, tenant: Tenant): LogFile {
    const alive = async (): Promise<void> => (tenant.isGone ? new Promise(() => {}) : this.#answer())
    const isNamed = (): boolean => this.#files.get(path) === inode
    let isOpen = true
    return {
      size: async () => {
        await alive()
        return isNamed() ? inode.bytes.length : undefined
      },
      read: async (into, at) => {
        await alive()
        const piece = inode.bytes.subarray(at, at + into.length)
        into.set(piece)
        return piece.length
      },
      append: async (bytes) => {
        await alive()
        this.#checkWritable()
        const fitting = this.#fault === 'full' ? bytes.subarray(0, this.roomBytes) : bytes
        if (this.#fault === 'full') this.roomBytes -= fitting.length
        if (isNamed()) this.#change({ kind: 'write', path, bytes: copyOf(fitting) })
        if (fitting.length < bytes.length) throw this.#fail('full', 'ENOSPC', 'no space left on device')
      },
      truncate: async (length) => {
        await alive()
        this.#checkWritable()
        if (isNamed() && length !== inode.bytes.length) this.#change({ kind: 'cut', path, length })
      },
      sync: async () => {
        await alive()
        if (this.#fault === 'sync') throw this.#fail('sync', 'EIO', 'i/o error')
      },
      close: async () => {
        if (isOpen) tenant.logs--
        isOpen = false
      },
    }
  }

  #change(change: DiskChange): void {
    this.journal?.push(change)
    if (change.kind === 'rename') {
      const inode = this.#files.get(change.from)
      if (inode === undefined) throw failure('ENOENT', 'no such file')
      this.#files.delete(change.from)
      this.#files.set(change.to, inode)
      return
    }
    if (change.kind === 'remove') {
      this.#files.delete(change.path)
      return
    }
    const inode = this.#files.get(change.path) ?? { bytes: new Uint8Array(0) }
    this.#files.set(change.path, inode)
    inode.bytes = change.kind === 'write' ? concat([inode.bytes, change.bytes]) : inode.bytes.slice(0, change.length)
  }

  #checkWritable(): void {
    if (this.#fault === 'read-only') throw this.#fail('read-only', 'EROFS', 'read-only file system')
  }

  #fail(fault: DiskFault, code: string, message: string): Error {
    this.felt[fault]++
    return failure(code, message)
  }

  async #answer(): Promise<void> {
    if (this.#fault === 'stuck') this.felt.stuck++
    while (this.#fault === 'stuck') await new Promise<void>((resume) => this.#waiting.push(resume))
  }
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code })
}
