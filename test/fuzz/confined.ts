// Node as a host that cannot leave loopback: hostile input names addresses by chance, and whoever believes it must not bother the
// machines that have them. What goes elsewhere is lost; a stream to elsewhere is refused.
import type { Host, Transport } from '../../src/driver/host.ts'
import { nodeHost } from '../../src/node/host.ts'
import { Address } from '../../src/wire/address.ts'

/** Nothing listens there. */
const NOWHERE = new Address(Uint8Array.of(127, 0, 0, 1), 1)

export function confinedHost(): Host {
  const host = nodeHost()
  return { ...host, bind: async (address, handlers) => confined(await host.bind(address, handlers)) }
}

function confined(transport: Transport): Transport {
  return {
    local: transport.local,
    send(packet, to) {
      if (isHere(to)) transport.send(packet, to)
    },
    dial: (to, handlers) => transport.dial(isHere(to) ? to : NOWHERE, handlers),
    close: () => transport.close(),
  }
}

function isHere({ host }: Address): boolean {
  return host.startsWith('127.') || host === '::1'
}
