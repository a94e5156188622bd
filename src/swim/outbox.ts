// What the machine wants of the world. Every input ends in one drain of the outbox; an early return cannot lose what
// was already put in. Knows no sockets: the driver seals, sends and dials.
import type { Address } from '../wire/address.ts'

/** Why the machine opens a stream. */
export type RequestPurpose = 'probe' | 'push-pull'

export type Effect<Notice> =
  /** One datagram, best effort. `crc` where the receiver is known to read a checksum. */
  | { readonly kind: 'packet'; readonly to: Address; readonly parts: readonly Uint8Array[]; readonly crc: boolean }
  /** A stream of our own: `body` goes out, one message is awaited under `id`. `timeoutMs` bounds each phase. */
  | {
      readonly kind: 'request'
      readonly id: number
      readonly purpose: RequestPurpose
      readonly to: Address
      readonly body: Uint8Array
      readonly timeoutMs: number
    }
  /** The answer on a stream they opened. */
  | { readonly kind: 'reply'; readonly id: number; readonly body: Uint8Array }
  /** Something the layer above wants to know. */
  | { readonly kind: 'notify'; readonly notice: Notice }

/** Where a machine puts its effects, whoever takes them out. */
export interface EffectSink {
  push(effect: Effect<never>): void
}

/** An ordered list of effects, emptied by `take`. */
export class Outbox<Notice> {
  readonly #tap: ((notice: Notice) => void) | undefined
  readonly #holds: ((notice: Notice) => boolean) | undefined
  #effects: Effect<Notice>[] = []

  /** @param tap hears of every notice as it is put in
   *  @param holds takes a notice back where it is true: who holds it pushes it, or another in its place, later */
  constructor(tap?: (notice: Notice) => void, holds?: (notice: Notice) => boolean) {
    this.#tap = tap
    this.#holds = holds
  }

  get size(): number {
    return this.#effects.length
  }

  push(effect: Effect<Notice>): void {
    this.#effects.push(effect)
  }

  notify(notice: Notice): void {
    this.#tap?.(notice)
    if (this.#holds?.(notice) === true) return
    this.#effects.push({ kind: 'notify', notice })
  }

  /** All effects in order; the outbox is empty afterwards. */
  take(): readonly Effect<Notice>[] {
    if (this.#effects.length === 0) return NONE
    const effects = this.#effects
    this.#effects = []
    return effects
  }
}

const NONE: readonly never[] = Object.freeze([])
