// Host names to addresses, by the system's resolver: what /etc/hosts says holds. An IP literal is its own address.
// Knows no ports, keeps nothing and asks anew each time, because seeds behind a name come and go. Not `dns.Resolver`, which could be
// cancelled: it reads no /etc/hosts. So a look-up under way outlives us, and holds the process until the system gives it up.
import { lookup } from 'node:dns/promises'
import { untilAborted } from '../base/abort.ts'
import { TransportError } from '../base/errors.ts'
import { parseIp } from '../wire/address.ts'
import { codeOf } from './socket-errors.ts'

/** Asks for every address of a name, as text. */
type Lookup = (name: string, options: { all: true }) => Promise<readonly { readonly address: string }[]>

/** Every address of `name`, in the resolver's order, each once. Rejects `TransportError` where there is none, and with the
 *  signal's reason when that fires first; the system's lookup then ends unheard, it cannot be called back. */
export async function resolveName(
  name: string,
  signal?: AbortSignal,
  ask: Lookup = lookup,
): Promise<readonly Uint8Array[]> {
  signal?.throwIfAborted()
  const literal = parseIp(name)
  if (literal !== undefined) return [literal]
  const texts = await untilAborted(addressesOf(name, ask), signal)
  const found: Uint8Array[] = []
  for (const text of texts) {
    const ip = parseIp(text)
    if (ip !== undefined) found.push(ip)
  }
  if (found.length === 0) throw new TransportError(`cannot resolve ${JSON.stringify(name)}: it has no address`)
  return found
}

async function addressesOf(name: string, ask: Lookup): Promise<ReadonlySet<string>> {
  try {
    const answers = await ask(name, { all: true })
    return new Set(answers.map(({ address }) => address))
  } catch (cause) {
    throw new TransportError(`cannot resolve ${JSON.stringify(name)}: ${codeOf(cause)}`, cause)
  }
}
