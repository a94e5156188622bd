// Pings of a member over real sockets: one there and back, for who must know that all before it was read; and somebody who keeps asking
// whether the member is there. What is not answered within a probe timeout of `lan` counts as missed, as a prober would count it.
import { createSocket, type Socket } from 'node:dgram'
import { decodePacket, encodePacket, type Sealing } from '../../src/wire/packet.ts'
import { encodeSwimMessage } from '../../src/wire/swim-messages.ts'

/** `probeTimeoutMs` of `lan`. */
export const ASK_TIMEOUT_MS = 500
const PAUSE_MS = 20
const ASK_AGAIN_MS = 1000

export interface Target {
  readonly host: string
  readonly port: number
}

export interface Answers {
  readonly asked: number
  readonly missed: number
  readonly medianMs: number
  readonly slowestMs: number
}

/** One ping there and back, on a socket of its own, where no other answer arrives. A lost one is asked again.
 *  @param ping a whole packet, made anew for each try */
export async function roundTrip({ host, port }: Target, ping: () => Uint8Array): Promise<void> {
  const socket = createSocket('udp4')
  const heard = new Promise<void>((resolve) => socket.once('message', () => resolve()))
  const ask = (): void => socket.send(ping(), port, host)
  ask()
  const again = setInterval(ask, ASK_AGAIN_MS)
  await heard
  clearInterval(again)
  await new Promise<void>((resolve) => socket.close(resolve))
}

/** A packet that asks a member of this name. */
export function pingPacket(node: string, seqNo: number, sealing: Sealing, nonce: () => Uint8Array): Uint8Array {
  const ping = encodeSwimMessage({ type: 'ping', seqNo, node, sourceAddr: null, sourcePort: 0, sourceNode: '' })
  return encodePacket([ping], { sealing, nonce: sealing.keyring && nonce(), compress: false, crc: false })
}

export class Asker {
  readonly #socket: Socket = createSocket('udp4')
  readonly #to: Target
  readonly #name: string
  readonly #sealing: Sealing
  readonly #nonce: () => Uint8Array
  readonly #times: number[] = []
  #missed = 0
  #isOver = false
  #answered: ((seqNo: number) => void) | undefined
  #asking: Promise<void> | undefined

  constructor(to: Target, name: string, sealing: Sealing, nonce: () => Uint8Array) {
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
    this.#socket.send(pingPacket(this.#name, seqNo, this.#sealing, this.#nonce), this.#to.port, this.#to.host)
  }

  #heard(bytes: Uint8Array): void {
    for (const { message } of decodePacket(new Uint8Array(bytes), this.#sealing).messages) {
      if (message.type === 'ack') this.#answered?.(message.seqNo)
    }
  }
}
