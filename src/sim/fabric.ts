// What packets and streams share: time, links, counters, and an eye on it all. Types only.
import type { Links } from './links.ts'
import type { Schedule } from './schedule.ts'
import type { Station } from './station.ts'
import type { PacketDrop, Traffic } from './traffic.ts'

/** What happens to a packet. `duplicated`: a copy of it is under way. */
export type PacketFate = 'sent' | 'delivered' | 'duplicated' | PacketDrop

/** What happens to a stream. */
export type StreamFate =
  | 'dialled'
  | 'opened'
  | 'accepted'
  | 'refused'
  | 'data'
  | 'ended'
  | 'destroyed'
  | 'reset'
  | 'gave up'

/** Is told everything that a network does, as it happens. Must not change anything. */
export interface NetworkObserver {
  /** `from` and `to` are names of hosts, or the address where it has none. */
  packet(fate: PacketFate, from: string, to: string, bytes: Uint8Array): void
  /** `bytes` is 0 but for `data`. */
  stream(fate: StreamFate, from: string, to: string, bytes: number): void
}

export interface Fabric {
  readonly schedule: Schedule
  readonly links: Links
  readonly traffic: Traffic
  readonly observer: NetworkObserver | undefined
  /** The machine that has this address, in text form. */
  stationAt(host: string): Station | undefined
}
