// What is written to streams: compressed, sealed, labelled. A body is compressed once, as long as
// the machine keeps it to tell it again; sealed it is each time, since each time has a nonce of its own.
import { wrapCompressed } from '../wire/compress.ts'
import { keysToSeal, type Sealing } from '../wire/packet.ts'
import { encodeStream, type StreamRole } from '../wire/stream.ts'

export interface StreamSealingSetup {
  readonly sealing: Sealing
  /** Compress what we write; memberlist does so on every stream. */
  readonly compress: boolean
  /** A fresh nonce, or `undefined` without encryption. */
  nonce(): Uint8Array | undefined
}

export class StreamSealing {
  readonly #setup: StreamSealingSetup
  readonly #compressed = new WeakMap<Uint8Array, Uint8Array>()

  constructor(setup: StreamSealingSetup) {
    this.#setup = setup
  }

  /** Each answer is bytes of its own; without encryption all that tell one body are the same bytes. */
  get isSealing(): boolean {
    return keysToSeal(this.#setup.sealing) !== undefined
  }

  /** All bytes of our side of a stream. @param role our own side */
  seal(body: Uint8Array, role: StreamRole): Uint8Array {
    const { sealing, compress } = this.#setup
    const message = compress ? this.#compress(body) : body
    return encodeStream(message, { sealing, role, nonce: this.#setup.nonce(), compress: false })
  }

  /** Also where that is larger: so does memberlist on streams. */
  #compress(body: Uint8Array): Uint8Array {
    const kept = this.#compressed.get(body)
    if (kept !== undefined) return kept
    const compressed = wrapCompressed(body)
    this.#compressed.set(body, compressed)
    return compressed
  }
}
