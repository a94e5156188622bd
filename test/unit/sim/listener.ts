// A bound transport that writes down all it is told, for the tests of this folder. Not a test.
import type { Stream, StreamHandlers, Transport } from '../../../src/driver/host.ts'
import type { SimHost } from '../../../src/sim/host.ts'
import type { Simulation } from '../../../src/sim/simulation.ts'
import { Address } from '../../../src/wire/address.ts'

export interface Listener {
  readonly host: SimHost
  readonly transport: Transport
  readonly address: Address
  /** `<virtual ms> <what>`, in order. */
  readonly log: string[]
  /** Streams that were accepted. */
  readonly accepted: Stream[]
}

/** Handlers of a stream that write into `log` under a name. */
export function streamLog(simulation: Simulation, log: string[], name: string): StreamHandlers {
  const note = (what: string): void => void log.push(`${simulation.now} ${name} ${what}`)
  return {
    opened: () => note('opened'),
    data: (bytes) => note(bytes.length > 20 ? `data ${bytes.length} B` : `data ${Buffer.from(bytes).toString()}`),
    closed: (error) => note(error === undefined ? 'closed' : `closed: ${error.message}`),
  }
}

/** A host at `ip` with port 7946 bound. `refuses`: it turns every stream away. */
export async function listen(simulation: Simulation, name: string, ip: string, refuses = false): Promise<Listener> {
  const host = simulation.host(simulation.station(name, ip))
  const log: string[] = []
  const accepted: Stream[] = []
  const ownIp = host.station.ip
  const transport = await host.bind(new Address(ownIp, 7946), {
    packet: (bytes, from, at) => void log.push(`${at} packet ${Buffer.from(bytes).toString()} from ${from}`),
    stream: (stream) => {
      if (refuses) return undefined
      accepted.push(stream)
      log.push(`${simulation.now} accepted`)
      return streamLog(simulation, log, 'stream')
    },
    sendFailed: (to, error, isRemote) => void log.push(`${simulation.now} failed ${to} ${isRemote}: ${error.message}`),
    failed: (error) => void log.push(`${simulation.now} broken: ${error.message}`),
  })
  return { host, transport, address: new Address(ownIp, 7946), log, accepted }
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
