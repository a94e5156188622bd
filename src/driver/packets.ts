// Datagrams: opened and counted on the way in, sealed and counted on the way out. What is no packet of ours is a warning and nothing
// more. Knows nothing of what the messages mean, and no sockets.
import { DecodeError, DecryptError } from '../base/errors.ts'
import type { Address } from '../wire/address.ts'
import { type DecodedPacket, decodePacket, encodePacket, type Sealing } from '../wire/packet.ts'
import { readLeafOnce } from './leaf-memo.ts'

export interface PacketsSetup {
  readonly sealing: Sealing
  /** Compress what gets smaller by it. */
  readonly compress: boolean
  /** A fresh nonce, or `undefined` without encryption. */
  nonce(): Uint8Array | undefined
  warn(code: 'packet-invalid' | 'packet-undecryptable', message: string): void
}

/** Counts since the start. */
export interface PacketStats {
  readonly packetsSent: number
  readonly packetsReceived: number
  readonly bytesSent: number
  readonly bytesReceived: number
}

export class Packets {
  readonly #setup: PacketsSetup
  #packetsSent = 0
  #packetsReceived = 0
  #bytesSent = 0
  #bytesReceived = 0

  constructor(setup: PacketsSetup) {
    this.#setup = setup
  }

  /** Counts what came, also where nobody listens to it. */
  count(bytes: Uint8Array): void {
    this.#packetsReceived++
    this.#bytesReceived += bytes.length
  }

  /** The messages that can be read; each problem is a warning. */
  open(bytes: Uint8Array, from: Address): DecodedPacket['messages'] {
    try {
      const { messages, problems } = decodePacket(bytes, this.#setup.sealing, readLeafOnce)
      for (const problem of problems) this.#warn('packet-invalid', problem, from)
      return messages
    } catch (error) {
      if (error instanceof DecryptError) this.#warn('packet-undecryptable', error, from)
      else if (error instanceof DecodeError) this.#warn('packet-invalid', error, from)
      else throw error
      return []
    }
  }

  /** The datagram that holds `parts`, counted as sent. */
  seal(parts: readonly Uint8Array[], crc: boolean): Uint8Array {
    const { sealing, compress } = this.#setup
    const packet = encodePacket(parts, { sealing, nonce: this.#setup.nonce(), compress, crc })
    this.#packetsSent++
    this.#bytesSent += packet.length
    return packet
  }

  stats(): PacketStats {
    return {
      packetsSent: this.#packetsSent,
      packetsReceived: this.#packetsReceived,
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
    }
  }

  #warn(code: 'packet-invalid' | 'packet-undecryptable', problem: Error, from: Address): void {
    this.#setup.warn(code, `packet of ${from.key}: ${problem.message}`)
  }
}
