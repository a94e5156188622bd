// A network with a delay, in this process: whatever comes to the relay's port goes on to one member, packets after a fixed time, streams at
// once. A member that advertises the relay in place of its own address is so much farther away for everyone: answers go to whoever asked,
// by the address that it advertises, so a round trip passes the relays of both sides once.
import { createSocket, type Socket } from 'node:dgram'
import { connect, createServer, type Server } from 'node:net'
import { performance } from 'node:perf_hooks'
import { endpoint, holdPort } from './ports.ts'

const HOST = '127.0.0.1'

export interface RelayReport {
  readonly packets: number
  /** What packets were held for, from their arrival here to their sending, milliseconds. */
  readonly meanMs: number
  readonly mostMs: number
}

export class Relay {
  readonly delayMs: number
  readonly port: number
  readonly #targetPort: number
  readonly #udp: Socket
  readonly #tcp: Server
  readonly #timers = new Set<NodeJS.Timeout>()
  #packets = 0
  #heldMs = 0
  #mostMs = 0

  private constructor(delayMs: number, port: number, targetPort: number) {
    this.delayMs = delayMs
    this.port = port
    this.#targetPort = targetPort
    this.#udp = createSocket('udp4')
    this.#udp.on('message', (bytes) => this.#hold(bytes))
    // A member that is not there yet, or no more.
    this.#udp.on('error', () => {})
    this.#tcp = createServer((inbound) => {
      const outbound = connect({ host: HOST, port: targetPort })
      inbound.on('error', () => outbound.destroy())
      outbound.on('error', () => inbound.destroy())
      inbound.pipe(outbound).pipe(inbound)
    })
  }

  /** In front of the port of that number, which need not be bound yet. */
  static async open(delayMs: number, targetPort: number): Promise<Relay> {
    const held = await holdPort(HOST)
    await held.release()
    const relay = new Relay(delayMs, held.port, targetPort)
    await Promise.all([
      new Promise<void>((resolve) => relay.#udp.bind({ address: HOST, port: held.port }, resolve)),
      new Promise<void>((resolve) => relay.#tcp.listen({ host: HOST, port: held.port }, resolve)),
    ])
    return relay
  }

  /** What the member behind it advertises. */
  get address(): string {
    return endpoint(HOST, this.port)
  }

  /** What it did since the last call. */
  report(): RelayReport {
    const report = { packets: this.#packets, meanMs: this.#heldMs / Math.max(1, this.#packets), mostMs: this.#mostMs }
    this.#packets = 0
    this.#heldMs = 0
    this.#mostMs = 0
    return report
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#udp.close()
    this.#tcp.close()
  }

  #hold(bytes: Buffer): void {
    this.#release(bytes, performance.now(), this.delayMs)
  }

  /** Never early: a timer counts from the time at which the turn of the event loop began, and a busy turn is milliseconds old. */
  #release(bytes: Buffer, arrivedAt: number, waitMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      const heldMs = performance.now() - arrivedAt
      if (heldMs < this.delayMs) {
        this.#release(bytes, arrivedAt, Math.ceil(this.delayMs - heldMs))
        return
      }
      this.#udp.send(bytes, this.#targetPort, HOST)
      this.#packets++
      this.#heldMs += heldMs
      this.#mostMs = Math.max(this.#mostMs, heldMs)
    }, waitMs)
    this.#timers.add(timer)
  }
}
