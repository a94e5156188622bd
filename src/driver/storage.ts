// What a host offers to remember things by beyond the end of the process. Types only: `node/` keeps files, `sim/` pretends to.
// Nothing here is called by the protocol; the driver does, and tells it how that ended.

/** Whole small files: read at the start, and replaced in one piece. */
export interface Storage extends LogStorage {
  /** All of the file, or `undefined` where there is none. Rejects with the host's error where it cannot be read, or has more than `maxBytes`. */
  readFile(path: string, maxBytes: number): Promise<Uint8Array | undefined>
  /** Puts `bytes` in the place of what the file held: all of them or, also where the machine stops in the middle, none. On the disk
   *  when it resolves, and readable for its owner alone. Rejects with the host's error; then the file is what it was. */
  replaceFile(path: string, bytes: Uint8Array): Promise<void>
}

/** A file of lines that grows: read once, then only added to. Everything rejects with the host's error. */
export interface LogFile {
  /** Bytes it holds now, whoever wrote them; `undefined` where its name leads to another file by now, or to none. */
  size(): Promise<number | undefined>
  /** Fills `into` from `at` on as far as there is anything, and gives how many bytes that was. */
  read(into: Uint8Array, at: number): Promise<number>
  /** Adds bytes at the end: a crash of this process takes none of them back once it resolves. Where it rejects, some of them may stand. */
  append(bytes: Uint8Array): Promise<void>
  /** Cuts it to so many bytes. */
  truncate(length: number): Promise<void>
  /** A crash of the machine takes nothing back either of what stands. */
  sync(): Promise<void>
  /** Idempotent. */
  close(): Promise<void>
}

/** How a log file is opened: to read it only; to go on with it, whether it is there or not; to begin it anew. */
export type LogFileMode = 'read' | 'go-on' | 'anew'

/** Files that grow: `node/log-file.ts`. */
export interface LogStorage {
  /** Opens a log. `undefined` where it is only to be read and there is none. Rejects with the host's error. */
  openLog(path: string, mode: LogFileMode): Promise<LogFile | undefined>
  /** Puts a file in the place of another, which there need not be: at every moment the name leads to one of the two. On the disk when it
   *  resolves, as far as the system can do that. Neither is open here meanwhile. */
  renameFile(from: string, to: string): Promise<void>
  /** Takes a file away, where there is one. */
  removeFile(path: string): Promise<void>
  /** The name of the file that a path leads to, links followed, be it there or only to be made: one for every spelling of it. */
  realPath(path: string): Promise<string>
}
