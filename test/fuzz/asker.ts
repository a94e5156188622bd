// Somebody who keeps asking a member whether it is there: one ping at a time over a real socket, and how long each answer took. What is
// not answered within a probe timeout of `lan` counts as missed, as a prober would count it.
import { createSocket, type Socket } from 'node:dgram'
import { decodePacket, encodePacket, type Sealing } from '../../src/wire/packet.ts'
import { encodeSwimMessage } from '../../src/wire/swim-messages.ts'

/** `probeTimeoutMs` of `lan`. */
export const ASK_TIMEOUT_MS = 500
const PAUSE_MS = 20

export interface Answers {
  readonly asked: number
  readonly missed: number
  readonly medianMs: number
  readonly slowestMs: number
}

export class Asker {
  readonly #socket: Socket = createSocket('udp4')
  readonly #to: { readonly host: string; readonly port: number }
  readonly #name: string
  readonly #sealing: Sealing
  readonly #nonce: () => Uint8Array
  readonly #times: number[] = []
  #missed = 0
  #isOver = false
  #answered: ((seqNo: number) => void) | undefined
  #asking: Promise<void> | undefined

  constructor(to: { host: string; port: number }, name: string, sealing: Sealing, nonce: () => Uint8Array) {
    this.#to = to
    this.#name = name
    this.#sealing = sealing
    this.#nonce = nonce
    this.#socket.on('message', (bytes) => this.#heard(bytes))
  }

  start(): void {
    this.#asking = this.#ask()
  }

  async stop(): Promise<Answers> {
    this.#isOver = true
    await this.#asking
    await new Promise<void>((resolve) => this.#socket.close(resolve))
    const sorted = this.#times.toSorted((left, right) => left - right)
    return {
      asked: this.#times.length + this.#missed,
      missed: this.#missed,
      medianMs: sorted[sorted.length >> 1] ?? Number.NaN,
      slowestMs: sorted.at(-1) ?? Number.NaN,
    }
  }

  async #ask(): Promise<void> {
    for (let seqNo = 1; !this.#isOver; seqNo++) {
      const began = performance.now()
      const isAnswered = await new Promise<boolean>((resolve) => {
        // Where this process was held up, the answer may lie in the socket: it is read before the timer's word counts.
        const timer = setTimeout(() => setImmediate(() => setImmediate(() => resolve(false))), ASK_TIMEOUT_MS)
        this.#answered = (answeredNo) => {
          if (answeredNo !== seqNo) return
          clearTimeout(timer)
          resolve(true)
        }
        this.#send(seqNo)
      })
      if (isAnswered) this.#times.push(performance.now() - began)
      else this.#missed++
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }

  #send(seqNo: number): void {
    const source = { sourceAddr: null, sourcePort: 0, sourceNode: '' }
    const ping = encodeSwimMessage({ type: 'ping', seqNo, node: this.#name, ...source })
    const nonce = this.#sealing.keyring && this.#nonce()
    this.#socket.send(
      encodePacket([ping], { sealing: this.#sealing, nonce, compress: false, crc: false }),
      this.#to.port,
      this.#to.host,
    )
  }

  #heard(bytes: Uint8Array): void {
    for (const { message } of decodePacket(new Uint8Array(bytes), this.#sealing).messages) {
      if (message.type === 'ack') this.#answered?.(message.seqNo)
    }
  }
}
