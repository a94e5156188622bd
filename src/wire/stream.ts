// A stream: one message, and what stands around it. `[label, from the dialler only] [ encrypt frame( [ compress( message ) ] ) ]`.
// The sender does not half-close, so the end is found by reading. Holds the bytes that came, up to a limit, and no more
// of what they claim. Source: wire-protocol §4; the texts of errors that a listener answers with are memberlist's.
import { assert } from '../base/assert.ts'
import { NO_BYTES } from '../base/bytes.ts'
import { DecodeError, DecryptError } from '../base/errors.ts'
import { checkUnwrapped, unwrapping, wrapCompressed } from './compress.ts'
import type { EncryptionVersion } from './encrypt.ts'
import { open, seal, sealedLength } from './encrypt.ts'
import type { Keyring } from './keyring.ts'
import { addLabel, checkLabel, labelHeaderLength } from './label.ts'
import { MAX_INFLATED_STREAM_BYTES, MAX_STREAM_BYTES, MAX_STREAM_PART_BYTES, MAX_UNKNOWN_VALUES } from './limits.ts'
import { keysToSeal, type Sealing } from './packet.ts'
import { Skipper } from './skipper.ts'
import { StreamMessageReader } from './swim-messages.ts'
import type { StreamMessage } from './types.ts'
import { SwimType } from './types.ts'
import type { Unfolding } from './unfold.ts'

/** Which side of the connection we are: only the dialler sends the label, only the listener checks it. */
export type StreamRole = 'listener' | 'dialler'

export interface StreamReaderOptions {
  readonly sealing: Sealing
  /** Our own side. */
  readonly role: StreamRole
  /** Bytes held before the message is whole; by default what a message of full size takes. */
  readonly maxBytes?: number
  /** Members of a push/pull read in one call, about, or as much unfolded as takes as long; what is left waits for `resume`. By default
   *  there is no such limit. */
  readonly maxParts?: number
}

/** Type byte and length. */
const FRAME_HEADER_BYTES = 5
const FIRST_BYTES = 4096
/** What one member of a push/pull takes in memory, about. */
const PART_BYTES = 256

/** What is unfolded in the time in which one member is read, as `Unfolding` counts it. */
const UNFOLD_WORK = 1024

/** Errors that memberlist's listener answers with an error message. */
const answered = new WeakSet<object>()

/** Whether a listener that met `error` answers with an `error` message before it closes (wire-protocol §4.4): what stood
 *  around the message could not be read. Its text is `error.message`. */
export function shouldAnswer(error: unknown): boolean {
  return typeof error === 'object' && error !== null && answered.has(error)
}

/** Reads one message from pieces of any size, each byte a bounded number of times. Once it has thrown, or given its
 *  message, it takes nothing more. */
export class StreamReader {
  readonly #sealing: Sealing
  readonly #maxBytes: number
  readonly #maxParts: number
  #bytes: Uint8Array = new Uint8Array(0)
  #size = 0
  #step: () => StreamMessage | undefined | typeof GO_ON
  #unfolding: Unfolding | undefined
  #body: StreamMessageReader | undefined
  /** What of `maxParts` the call at hand has left. */
  #partsLeft = 0
  /** Only for the compress layer, which is a struct of two scalars. */
  readonly #skipper = new Skipper({ maxValues: MAX_UNKNOWN_VALUES })
  /** Where the part at hand starts, and how far into it the skipper came. */
  #start = 0
  #at = 0
  #over = false

  constructor({
    sealing,
    role,
    maxBytes = MAX_STREAM_BYTES,
    maxParts = Number.POSITIVE_INFINITY,
  }: StreamReaderOptions) {
    this.#maxParts = maxParts
    this.#sealing = sealing
    this.#maxBytes = maxBytes
    this.#step = role === 'listener' ? this.#readLabel : this.#readOuterType
  }

  /** Bytes held at this moment: of what came, and of what it unfolded to. */
  get bufferedBytes(): number {
    return this.#size + (this.#unfolding?.size ?? 0)
  }

  /** What all of it takes in memory, about: the bytes, and what was read of them so far. */
  get heldBytes(): number {
    return this.bufferedBytes + (this.#body?.readParts ?? 0) * PART_BYTES
  }

  /** The last call stopped for its `maxParts`: `resume` goes on. */
  get isPaused(): boolean {
    return this.isUnfolding || this.#body?.isPaused === true
  }

  /** It is paused since what came is compressed, and not all of it unfolded yet. */
  get isUnfolding(): boolean {
    return this.#unfolding !== undefined
  }

  /** Takes the next piece, and gives the message once it is whole; what comes behind it is ignored.
   *  Throws `DecodeError` or `DecryptError`, once; afterwards every piece is ignored. */
  push(chunk: Uint8Array): { readonly message: StreamMessage } | undefined {
    this.hold(chunk)
    return this.resume()
  }

  /** Takes the next piece and leaves it unread: `resume` reads it. Throws `DecodeError` where that is more than may be held. */
  hold(chunk: Uint8Array): void {
    if (this.#over || this.isUnfolding || this.#step === this.#readWhole) return
    this.#orStop(() => this.#append(chunk))
  }

  /** Goes on where `isPaused`, or with what is held. Gives and throws what `push` does. */
  resume(): { readonly message: StreamMessage } | undefined {
    return this.#over ? undefined : this.#orStop(() => this.#read())
  }

  #read(): { readonly message: StreamMessage } | undefined {
    this.#partsLeft = this.#maxParts
    for (;;) {
      const found = this.#step()
      if (found === GO_ON) continue
      if (found === undefined) return undefined
      this.#stop()
      return { message: found }
    }
  }

  #orStop<Result>(task: () => Result): Result {
    try {
      return task()
    } catch (error) {
      this.#stop()
      throw error
    }
  }

  #append(chunk: Uint8Array): void {
    const size = this.#size + chunk.length
    if (size > this.#maxBytes) throw new DecodeError(`stream message of more than ${this.#maxBytes} bytes`)
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(FIRST_BYTES, size, Math.min(this.#maxBytes, this.#bytes.length * 2)))
      larger.set(this.#bytes.subarray(0, this.#size))
      this.#bytes = larger
    }
    this.#bytes.set(chunk, this.#size)
    this.#size = size
  }

  #stop(): void {
    this.#over = true
    this.#bytes = new Uint8Array(0)
    this.#size = 0
    this.#unfolding = undefined
    this.#body = undefined
  }

  #readLabel(): typeof GO_ON | undefined {
    const length = labelHeaderLength(this.#bytes, this.#size)
    if (length === undefined) return undefined
    checkLabel(this.#bytes, length, this.#sealing.label)
    this.#start = length
    this.#step = this.#readOuterType
    return GO_ON
  }

  #readOuterType(): typeof GO_ON | undefined {
    if (this.#size <= this.#start) return undefined
    const isEncrypted = this.#bytes[this.#start] === SwimType.encrypt
    if (isEncrypted && this.#sealing.keyring === undefined) {
      throw answerable(new DecryptError('remote state is encrypted and encryption is not configured'))
    }
    const { keyring, verifyIncoming = true } = this.#sealing
    if (!isEncrypted && keyring !== undefined && verifyIncoming) {
      throw answerable(new DecryptError('encryption is configured but remote state is not encrypted'))
    }
    this.#step = isEncrypted ? this.#readFrame : this.#readPlain
    return GO_ON
  }

  #readFrame(): typeof GO_ON | undefined {
    const header = this.#start + FRAME_HEADER_BYTES
    if (this.#size < header) return undefined
    let length = 0
    for (let at = this.#start + 1; at < header; at++) length = length * 256 + (this.#bytes[at] as number)
    if (length > MAX_STREAM_PART_BYTES || length > this.#maxBytes - header) {
      throw answerable(new DecodeError(`remote node state is larger than limit (${length})`))
    }
    if (this.#size < header + length) return undefined
    const additional = frameAdditional(length, this.#sealing.label)
    const frame = this.#bytes.subarray(header, header + length)
    const keyring = this.#sealing.keyring as Keyring
    const { plain } = answering(() => open(frame, keyring, this.#sealing.cipher, additional))
    if (plain.length === 0) throw new DecodeError('encrypted frame of nothing')
    return this.#readWithin(plain)
  }

  #readPlain(): typeof GO_ON {
    this.#at = this.#start + 1
    if (this.#bytes[this.#start] === SwimType.compress) {
      this.#step = this.#readCompressed
    } else {
      this.#body = new StreamMessageReader(this.#start)
      this.#step = this.#readBody
    }
    return GO_ON
  }

  #readCompressed(): typeof GO_ON | undefined {
    const isWhole = answering(() => {
      this.#at = this.#skipper.advance(this.#bytes, this.#at, this.#size, this.#maxBytes)
      return this.#skipper.done
    })
    return isWhole ? this.#readWithin(this.#bytes.subarray(this.#start, this.#at)) : undefined
  }

  #readBody(): StreamMessage | undefined {
    return this.#body?.read(this.#bytes, this.#size, this.#maxBytes, this.#partsLeft)
  }

  /** A message, compressed or not, of which nothing more will come, takes the place of what it came in. */
  #readWithin(bytes: Uint8Array): typeof GO_ON {
    this.#bytes = bytes
    this.#size = bytes.length
    if (bytes[0] === SwimType.compress) {
      // What is unfolded is a copy, and takes their place.
      this.#bytes = NO_BYTES
      this.#unfolding = answering(() => unwrapping(bytes, MAX_INFLATED_STREAM_BYTES))
      this.#step = this.#readUnfolding
    } else {
      this.#body = new StreamMessageReader(0, true)
      this.#step = this.#readWhole
    }
    return GO_ON
  }

  #readUnfolding(): typeof GO_ON | undefined {
    const unfolding = this.#unfolding as Unfolding
    const work = answering(() => unfolding.advance(this.#partsLeft * UNFOLD_WORK))
    const { bytes } = unfolding
    if (bytes === undefined) return undefined
    this.#unfolding = undefined
    this.#partsLeft = Math.max(0, this.#partsLeft - Math.ceil(work / UNFOLD_WORK))
    this.#bytes = answering(() => checkUnwrapped(bytes))
    this.#size = bytes.length
    this.#body = new StreamMessageReader(0, true)
    this.#step = this.#readWhole
    return GO_ON
  }

  #readWhole(): StreamMessage | undefined {
    const message = this.#body?.read(this.#bytes, this.#size, this.#size, this.#partsLeft)
    if (message === undefined && !this.isPaused) throw new DecodeError('stream message cut short')
    return message
  }
}

const GO_ON: unique symbol = Symbol('go on')

export interface StreamOptions {
  readonly sealing: Sealing
  /** Our own side. */
  readonly role: StreamRole
  /** 12 bytes, never used before under this key; `undefined` only where nothing is encrypted. */
  readonly nonce: Uint8Array | undefined
  /** Compress, also where that is larger: so does memberlist on streams. */
  readonly compress: boolean
  /** 1 by default. */
  readonly encryptionVersion?: EncryptionVersion
}

/** All bytes of our side of a stream. `message` has its type byte first, and for `user` the length (`encodeStreamUser`). */
export function encodeStream(message: Uint8Array, options: StreamOptions): Uint8Array {
  const { sealing, role, nonce, compress, encryptionVersion = 1 } = options
  let inner = compress ? wrapCompressed(message) : message
  const keyring = keysToSeal(sealing)
  if (keyring !== undefined) {
    assert(nonce !== undefined, 'what is encrypted has a nonce')
    const length = sealedLength(inner.length, encryptionVersion)
    const additional = frameAdditional(length, sealing.label)
    const sealed = seal(inner, keyring, sealing.cipher, nonce, encryptionVersion, additional)
    inner = new Uint8Array(FRAME_HEADER_BYTES + length)
    inner.set(additional.subarray(0, FRAME_HEADER_BYTES))
    inner.set(sealed, FRAME_HEADER_BYTES)
  }
  return role === 'dialler' ? addLabel(sealing.label, inner) : inner
}

/** What is authenticated beside the plain bytes: the frame's header, and the label, also where the label is not sent. */
function frameAdditional(length: number, label: Uint8Array): Uint8Array {
  const additional = new Uint8Array(FRAME_HEADER_BYTES + label.length)
  additional[0] = SwimType.encrypt
  for (let at = 1; at < FRAME_HEADER_BYTES; at++) additional[at] = length >>> (8 * (4 - at))
  additional.set(label, FRAME_HEADER_BYTES)
  return additional
}

function answerable<Problem extends DecodeError | DecryptError>(problem: Problem): Problem {
  answered.add(problem)
  return problem
}

function answering<Result>(read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    if (error instanceof DecodeError || error instanceof DecryptError) answered.add(error)
    throw error
  }
}
