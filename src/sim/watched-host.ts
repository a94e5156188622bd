// A host with somebody looking over its shoulder: told after everything that the host did to what runs on it, and of every packet
// that goes out. The same host to what runs there. Knows nothing of members; what is looked at is checks.ts's.
import type { Host, StreamHandlers, Transport, TransportHandlers } from '../driver/host.ts'

export interface HostWatch {
  /** The host is about to call what runs on it. */
  steps?(): void
  /** What runs there wants to be woken at that moment. Gives what is called when it is, or wants it no more. */
  arms?(at: number): () => void
  /** The host has called what runs on it, and that call has returned. */
  stepped(): void
  /** A packet is handed to the network. */
  sent(packet: Uint8Array): void
}

/** The same host, watched. */
export function watchedHost(host: Host, watch: HostWatch): Host {
  return {
    clock: {
      now: () => host.clock.now(),
      wakeAt: (at, wake) => {
        const disarm = watch.arms?.(at)
        const cancel = host.clock.wakeAt(at, () => {
          watch.steps?.()
          disarm?.()
          wake()
          watch.stepped()
        })
        return () => {
          disarm?.()
          cancel()
        }
      },
    },
    cipher: host.cipher,
    hostname: host.hostname,
    ...(host.storage === undefined ? {} : { storage: host.storage }),
    entropy: (into) => host.entropy(into),
    bind: async (address, handlers) =>
      watchedTransport(await host.bind(address, watchedHandlers(handlers, watch)), watch),
    resolve: (name, signal) => host.resolve(name, signal),
    ownAddresses: () => host.ownAddresses(),
    reachableAddress: (wildcard) => host.reachableAddress(wildcard),
    defer: (task) =>
      host.defer(() => {
        watch.steps?.()
        task()
        watch.stepped()
      }),
  }
}

function watchedTransport(transport: Transport, watch: HostWatch): Transport {
  return {
    local: transport.local,
    send: (packet, to) => {
      watch.sent(packet)
      transport.send(packet, to)
    },
    dial: (to, handlers) => transport.dial(to, watchedStream(handlers, watch)),
    close: () => transport.close(),
  }
}

function watchedHandlers(handlers: TransportHandlers, watch: HostWatch): TransportHandlers {
  return {
    packet: (bytes, from, at) => {
      watch.steps?.()
      handlers.packet(bytes, from, at)
      watch.stepped()
    },
    stream: (stream) => {
      watch.steps?.()
      const taken = handlers.stream(stream)
      watch.stepped()
      return taken && watchedStream(taken, watch)
    },
    sendFailed: (to, error, isRemote) => {
      watch.steps?.()
      handlers.sendFailed(to, error, isRemote)
      watch.stepped()
    },
    failed: (error) => {
      watch.steps?.()
      handlers.failed(error)
      watch.stepped()
    },
  }
}

function watchedStream(handlers: StreamHandlers, watch: HostWatch): StreamHandlers {
  return {
    opened: () => {
      watch.steps?.()
      handlers.opened?.()
      watch.stepped()
    },
    data: (bytes) => {
      watch.steps?.()
      handlers.data(bytes)
      watch.stepped()
    },
    closed: (error) => {
      watch.steps?.()
      handlers.closed(error)
      watch.stepped()
    },
  }
}
