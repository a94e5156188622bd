// What a host offers to remember things by beyond the end of the process. Types only: `node/` keeps files, `sim/` pretends to.
// Nothing here is called by the protocol; the driver does, and tells it how that ended.

/** Whole small files: read at the start, and replaced in one piece. */
export interface Storage {
  /** All of the file, or `undefined` where there is none. Rejects with the host's error where it cannot be read, or has more than `maxBytes`. */
  readFile(path: string, maxBytes: number): Promise<Uint8Array | undefined>
  /** Puts `bytes` in the place of what the file held: all of them or, also where the machine stops in the middle, none. On the disk
   *  when it resolves, and readable for its owner alone. Rejects with the host's error; then the file is what it was. */
  replaceFile(path: string, bytes: Uint8Array): Promise<void>
}
