// How Node names the other end of a socket, and how we name it: text and port against `Address`. On a socket bound to `::`
// both families arrive, IPv4 as `::ffff:a.b.c.d`; we say IPv4 in 4 bytes, as everywhere, and dial it back in their form.
import { Address, isIpv4, isWildcard, parseIp } from '../wire/address.ts'

const MAPPED = '::ffff:'

/** What Node reported about a packet or a connection; `undefined` where it names no endpoint (a socket already gone). */
export function addressOf(host: string | undefined, port: number | undefined): Address | undefined {
  if (host === undefined || port === undefined) return undefined
  const ip = parseIp(bareHost(host))
  return ip === undefined ? undefined : new Address(ip, port)
}

/** The text that a UDP socket bound to `local` takes for `to`, or `undefined` where its family cannot reach it. */
export function sendableHost(local: Uint8Array, to: Address): string | undefined {
  if (local.length === 4) return isIpv4(to.ip) ? to.host : undefined
  if (!isIpv4(to.ip)) return to.host
  return isWildcard(local) ? MAPPED + to.host : undefined
}

/** Without the prefix of a mapped address, whose dotted rest is quicker to parse, and without the interface (`%eth0`). */
function bareHost(host: string): string {
  if (host.startsWith(MAPPED) && host.includes('.')) return host.slice(MAPPED.length)
  const zone = host.indexOf('%')
  return zone < 0 ? host : host.slice(0, zone)
}
