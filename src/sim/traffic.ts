// What a network, or one host on it, has carried. Counters only.
import type { LinkDrop } from './links.ts'

/** Why a packet never arrived. `no-host`: nobody has the address; `host-down`: its host is switched off; `too-big`: above
 *  `maxPacketBytes`; `no-listener`: the port is closed; `buffer-full`: the host was paused too long, or is too slow. */
export type PacketDrop = LinkDrop | 'no-host' | 'host-down' | 'no-listener' | 'buffer-full'

/** What faults did beside dropping packets: how often each took effect. */
export interface Felt {
  /** Packets of which a copy went on its way, counted at the sender. */
  duplicated: number
  /** Packets that were held back so that others overtake them, at the sender. */
  reordered: number
  /** Packets whose sender was told that the port is closed, at the sender. */
  refused: number
  /** Pieces of streams that went nowhere and were sent again later, at the sender. */
  resent: number
  /** Packets, and pieces of streams, that waited for the end of a pause, at the receiver; and so on below. */
  held: number
  /** That were handed over late by `lag`. */
  lagged: number
  /** That a slow process took its time over. */
  slowed: number
  /** Timers that came late, by a pause or by work of a slow process. */
  late: number
  /** Timers that a clock that drifts set off early or late. */
  drifted: number
}

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
  readonly felt: Felt = {
    duplicated: 0,
    reordered: 0,
    refused: 0,
    resent: 0,
    held: 0,
    lagged: 0,
    slowed: 0,
    late: 0,
    drifted: 0,
  }
  /** Packets that took longer than any does by the options that the network began with, counted at the sender. */
  delayed = 0
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
