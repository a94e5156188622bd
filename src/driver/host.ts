// What a host must offer to run a member: a clock, a transport, entropy, a cipher and name resolution. Types only.
// `node/` is the real host, `sim/` a pretended one. Nothing below `driver/` sees any of this: the protocol is handed
// the time and the bytes. Every callback is called from the host's own turn, never from inside a call to the host.
import type { Address } from '../wire/address.ts'
import type { Cipher } from '../wire/encrypt.ts'
import type { Storage } from './storage.ts'

/** Monotonic milliseconds, and one timer. */
export interface Clock {
  /** Monotonic milliseconds; the origin means nothing. */
  now(): number
  /** Calls `wake` once at `at` (or as soon after as the host can) and returns a function that cancels it.
   *  A wake-up keeps the process alive: a member is a server. */
  wakeAt(at: number, wake: () => void): () => void
}

/** One stream (TCP), either way. */
export interface Stream {
  /** The other side. */
  readonly peer: Address
  /** Queues bytes, which are not changed afterwards. The caller's limits bound how much; a host cuts off what keeps
   *  64 MiB waiting. After `end` or `destroy` it does nothing. */
  write(bytes: Uint8Array): void
  /** Sends what is queued, then closes; what still arrives is dropped. `closed` is called when that is done. */
  end(): void
  /** Closes at once and discards what is queued. No callback comes after it. Idempotent. */
  destroy(): void
}

/** What a stream tells its owner. `closed` comes exactly once, last, unless the owner called `destroy`. */
export interface StreamHandlers {
  /** A dialled stream is connected. Not called for accepted ones. */
  opened?(): void
  /** Bytes arrived; the array is the owner's to keep. */
  data(bytes: Uint8Array): void
  /** The other side will say no more, or an error ended it. A peer may half-close after its request: on an accepted stream
   *  that closed without an error, `write` and `end` still work, so that it gets its answer. An owner with no answer to give
   *  calls `destroy`; a host does it for one that forgets (Node: after 30 s). A dialled stream is over. */
  closed(error?: Error): void
}

/** What a bound transport tells its owner. */
export interface TransportHandlers {
  /** A datagram arrived. `at` is the arrival on the host's clock; the array is the owner's to keep. */
  packet(bytes: Uint8Array, from: Address, at: number): void
  /** A stream was accepted. The owner returns what is told of it, or `undefined` to refuse it (the host then closes it). */
  stream(stream: Stream): StreamHandlers | undefined
  /** A datagram to `to` could not be sent. `isRemote` when it is the target's or the network's doing (unreachable, refused,
   *  an address of another family), not our own socket's. `to` is the very object that `send` was given: it says which packet it was. */
  sendFailed(to: Address, error: Error, isRemote: boolean): void
  /** The sockets failed for good; nothing more will arrive. */
  failed(error: Error): void
}

/** UDP and TCP on one port. */
export interface Transport {
  /** What is bound; for port 0 the port that was found, the same for both. */
  readonly local: Address
  /** Best effort: failure is told through `sendFailed`, never thrown. `packet` is not changed afterwards. */
  send(packet: Uint8Array, to: Address): void
  /** Opens a stream. Never throws: failure is `closed(error)`. */
  dial(to: Address, handlers: StreamHandlers): Stream
  /** Closes sockets and every stream. Resolves when nothing is left open. Idempotent. */
  close(): Promise<void>
}

/** An address of ours. */
export interface Reachable {
  readonly ip: Uint8Array
  /** Why it may not be the one that peers reach, as the end of a sentence; absent where there is no doubt. */
  readonly doubt?: string
}

/** Everything a member needs from the world. One host may serve many members. */
export interface Host {
  readonly clock: Clock
  readonly cipher: Cipher
  /** Where things are kept; absent where a host has no such place, and the options that need one are refused. */
  readonly storage?: Storage
  /** Name of this machine, for the default member name. */
  readonly hostname: string
  /** Fills `into` with bytes no peer can foresee: nonces, and the seed of the protocol's dice. */
  entropy(into: Uint8Array): void
  /** Binds UDP and TCP exclusively on one port (0: any free). Rejects `TransportError` and leaves nothing open. */
  bind(address: Address, handlers: TransportHandlers): Promise<Transport>
  /** Addresses of a host name, literals included; rejects when there are none. */
  resolve(name: string, signal?: AbortSignal): Promise<readonly Uint8Array[]>
  /** Every address of this machine's interfaces that are up, loopback among them: what is bound to a wildcard is reached at each. */
  ownAddresses(): readonly Uint8Array[]
  /** The address peers can best reach us at when bound to a wildcard (`0.0.0.0` or `::`); `undefined` where none is up. */
  reachableAddress(wildcard: Uint8Array): Promise<Reachable | undefined>
  /** Runs `task` in a turn of its own, after the present call has returned. What it throws is an uncaught exception of the host. */
  defer(task: () => void): void
}
