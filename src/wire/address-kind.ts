// How far an IP address carries: what can be told of one by its bytes alone. Source: RFC 6890, RFC 4193, RFC 6598.
import { shortestIp } from './address.ts'

/** `private`: one network, or the shared space of a carrier. `public`: the internet, documentation ranges included.
 *  `link`: one cable, chosen by a machine for itself. `loopback`: one machine. `none`: nobody's own, such as a wildcard or multicast. */
export type AddressKind = 'private' | 'public' | 'link' | 'loopback' | 'none'

export function kindOf(address: Uint8Array): AddressKind {
  const ip = shortestIp(address)
  return ip.length === 4 ? kindOfIpv4(ip) : kindOfIpv6(ip)
}

function kindOfIpv4(ip: Uint8Array): AddressKind {
  const [first, second] = ip as unknown as [number, number]
  if (first === 0 || first >= 224) return 'none' // this network, multicast, reserved, broadcast
  if (first === 127) return 'loopback'
  if (first === 169 && second === 254) return 'link'
  const isPrivate =
    first === 10 ||
    (first === 172 && second >= 16 && second < 32) ||
    (first === 192 && second === 168) ||
    (first === 100 && second >= 64 && second < 128)
  return isPrivate ? 'private' : 'public'
}

function kindOfIpv6(ip: Uint8Array): AddressKind {
  const [first, second] = ip as unknown as [number, number]
  if (first === 0xff) return 'none' // multicast
  if (first === 0xfe && (second & 0xc0) === 0x80) return 'link'
  if (ip.subarray(0, 15).every((byte) => byte === 0)) {
    if (ip[15] === 0) return 'none'
    if (ip[15] === 1) return 'loopback'
  }
  return (first & 0xfe) === 0xfc ? 'private' : 'public'
}
