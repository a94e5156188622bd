// One stream as it is read. What comes is held when it comes and read when there is time, a bounded amount at once; that the other
// side will say no more counts once all it said before is read. What comes of a read is a value, errors of the other side included.
// Knows no other stream, no limit of time, and nothing of what the messages mean.
import { DecodeError, DecryptError } from '../base/errors.ts'
import type { Sealing } from '../wire/packet.ts'
import { StreamReader, type StreamRole } from '../wire/stream.ts'
import type { StreamMessage } from '../wire/types.ts'

/** Members of a push/pull read at once, or as much unfolded as takes as long: three to four milliseconds (`npm run bench:merge`). What is
 *  sealed is opened all at once, which takes some half a millisecond for each MiB. */
export const READ_PARTS = 2048

/** What came of a read. */
export type ReadOutcome =
  | { readonly kind: 'message'; readonly message: StreamMessage }
  /** There is more to read of what came. */
  | { readonly kind: 'more' }
  /** There is more to unfold of what came, and then to read. */
  | { readonly kind: 'unfolding' }
  /** All that came is read; the message is not whole. */
  | { readonly kind: 'awaiting' }
  | { readonly kind: 'unreadable'; readonly error: DecodeError | DecryptError }
  /** All that came is read, and nothing more will. */
  | { readonly kind: 'ended'; readonly isWithinMessage: boolean; readonly error: Error | undefined }

export class StreamReading {
  readonly #reader: StreamReader
  #unreadable: DecodeError | DecryptError | undefined
  #hasEnded = false
  #error: Error | undefined

  /** @param role our own side */
  constructor(sealing: Sealing, role: StreamRole) {
    this.#reader = new StreamReader({ sealing, role, maxParts: READ_PARTS })
  }

  /** What all of it takes in memory, about: what came, what it unfolded to, and what was read of it. */
  get heldBytes(): number {
    return this.#reader.heldBytes
  }

  /** Whether the other side has said that no more will come. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Holds the next piece. */
  take(bytes: Uint8Array): void {
    this.#trying(() => this.#reader.hold(bytes))
  }

  /** Nothing more will come. */
  end(error: Error | undefined): void {
    this.#hasEnded = true
    this.#error = error
  }

  /** Reads what came, or what is left of what came before, as much as is read at once. */
  read(): ReadOutcome {
    const found = this.#trying(() => this.#reader.resume())
    if (this.#unreadable !== undefined) return { kind: 'unreadable', error: this.#unreadable }
    if (found !== undefined) return { kind: 'message', message: found.message }
    if (this.#reader.isUnfolding) return { kind: 'unfolding' }
    if (this.#reader.isPaused) return { kind: 'more' }
    if (!this.#hasEnded) return { kind: 'awaiting' }
    return { kind: 'ended', isWithinMessage: this.#reader.bufferedBytes > 0, error: this.#error }
  }

  #trying<Result>(task: () => Result): Result | undefined {
    try {
      return task()
    } catch (error) {
      if (!(error instanceof DecodeError || error instanceof DecryptError)) throw error
      this.#unreadable = error
      return undefined
    }
  }
}
