// Which of this machine's addresses peers are told when we are bound to a wildcard. A pure choice over what the caller
// read from os.networkInterfaces(), which lists running interfaces only, in the system's order.
// Source: serf-behaviour §3.4. Differs: `::` is a wildcard too, and a host without a private address still has a choice.
import { isIpv4, isWildcard, parseIp } from '../wire/address.ts'

/** The part of one entry of os.networkInterfaces() that matters. */
export interface InterfaceAddress {
  readonly address: string
  readonly internal: boolean
}

/** Interfaces by name, as os.networkInterfaces() gives them. */
export type Interfaces = Readonly<Record<string, readonly InterfaceAddress[] | undefined>>

/** Best first; among equals the earlier in the system's order wins. */
const Rank = { private: 0, global: 1, lesser: 2, loopback: 3 } as const
type Rank = (typeof Rank)[keyof typeof Rank]

/** The address to advertise for `wildcard`: IPv4 for `0.0.0.0`; for `::` a reachable IPv6 one, then IPv4. A private
 *  address comes first, then a global one, then any but loopback, then loopback. `undefined` where there is none of
 *  the family. IPv6 link-local ones are never chosen: nobody can dial them without naming an interface of their own. */
export function chooseReachable(interfaces: Interfaces, wildcard: Uint8Array): Uint8Array | undefined {
  const wantsIpv6 = wildcard.length === 16 && !isIpv4(wildcard) && isWildcard(wildcard)
  let best: { ip: Uint8Array; weight: number } | undefined
  for (const { address, internal } of Object.values(interfaces).flatMap((addresses) => addresses ?? [])) {
    const ip = parseIp(address)
    if (ip === undefined) continue
    const rank = rankOf(ip, internal)
    if (rank === undefined || (ip.length === 16 && !wantsIpv6)) continue
    const weight = wantsIpv6 ? weightForBoth(ip, rank) : rank
    if (best === undefined || weight < best.weight) best = { ip, weight }
  }
  return best?.ip
}

/** Where both families arrive: IPv6 that leaves the machine, IPv4 that does, then either loopback. */
function weightForBoth(ip: Uint8Array, rank: Rank): number {
  const isLoopback = rank === Rank.loopback
  return (isLoopback ? 20 : 0) + (ip.length === 16 ? 0 : 10) + rank
}

function rankOf(ip: Uint8Array, internal: boolean): Rank | undefined {
  return ip.length === 4 ? rankOfIpv4(ip, internal) : rankOfIpv6(ip, internal)
}

function rankOfIpv4(ip: Uint8Array, internal: boolean): Rank | undefined {
  const [first, second] = ip as unknown as [number, number]
  if (first === 0 || first >= 224) return undefined // this network, multicast, reserved, broadcast
  if (first === 127) return Rank.loopback
  if (internal || (first === 169 && second === 254)) return Rank.lesser
  const isPrivate =
    first === 10 ||
    (first === 172 && second >= 16 && second < 32) ||
    (first === 192 && second === 168) ||
    (first === 100 && second >= 64 && second < 128) // shared address space, RFC 6598
  return isPrivate ? Rank.private : Rank.global
}

function rankOfIpv6(ip: Uint8Array, internal: boolean): Rank | undefined {
  const [first, second] = ip as unknown as [number, number]
  if (first === 0xff || (first === 0xfe && (second & 0xc0) === 0x80)) return undefined // multicast, link-local
  const isTiny = ip.subarray(0, 15).every((byte) => byte === 0)
  if (isTiny && (ip[15] as number) < 2) return ip[15] === 1 ? Rank.loopback : undefined
  if (internal) return Rank.lesser
  return (first & 0xfe) === 0xfc ? Rank.private : Rank.global
}
