// What a network, or one host on it, has carried. Counters only.
import type { LinkDrop } from './links.ts'

/** Why a packet never arrived. `no-host`: nobody has the address; `host-down`: its host is switched off; `too-big`: above
 *  `maxPacketBytes`; `no-listener`: the port is closed; `buffer-full`: the host was paused too long. */
export type PacketDrop = LinkDrop | 'no-host' | 'host-down' | 'too-big' | 'no-listener' | 'buffer-full'

/** A count of packets and of the bytes in them. */
export interface Tally {
  packets: number
  bytes: number
}

/** Counters since the beginning. Sent is counted at the sender, delivered at the receiver, dropped where it happens. */
export class Traffic {
  readonly sent: Tally = { packets: 0, bytes: 0 }
  readonly delivered: Tally = { packets: 0, bytes: 0 }
  readonly dropped: Record<PacketDrop, Tally> = {
    cut: { packets: 0, bytes: 0 },
    rule: { packets: 0, bytes: 0 },
    loss: { packets: 0, bytes: 0 },
    'no-host': { packets: 0, bytes: 0 },
    'host-down': { packets: 0, bytes: 0 },
    'too-big': { packets: 0, bytes: 0 },
    'no-listener': { packets: 0, bytes: 0 },
    'buffer-full': { packets: 0, bytes: 0 },
  }
  /** `bytes` are counted when they arrive. */
  readonly streams: { dialled: number; accepted: number; refused: number; reset: number; bytes: number } = {
    dialled: 0,
    accepted: 0,
    refused: 0,
    reset: 0,
    bytes: 0,
  }
}

/** Counts one packet in both tallies: the network's and the host's. */
export function count(tally: Tally, alsoIn: Tally, bytes: number): void {
  tally.packets++
  tally.bytes += bytes
  alsoIn.packets++
  alsoIn.bytes += bytes
}
