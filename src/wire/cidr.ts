// Ranges of addresses in CIDR notation: which ones there are, and what they hold. Knows no policy.
// IPv4 is IPv4 in whatever form it comes: mapped into 16 bytes it is matched by IPv4 ranges, and by no IPv6 range.
import { isIpv4, parseIp, shortestIp } from './address.ts'

/** A range of addresses: all whose first `bits` bits are those of `ip`. */
export interface Cidr {
  /** 4 or 16 bytes. */
  readonly ip: Uint8Array
  /** 0 to 32, or to 128. */
  readonly bits: number
}

/** Bits before the IPv4 address in its form of 16 bytes. */
const MAPPED_BITS = 96

/** Reads `10.0.0.0/8`, `fd00::/8`, `::ffff:10.0.0.0/104`; `undefined` for anything else. Bits beyond the prefix mean nothing,
 *  as with Go. */
export function parseCidr(text: string): Cidr | undefined {
  const [, host = '', prefix = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? []
  const ip = parseIp(host)
  if (ip === undefined) return undefined
  const bits = ip.length === 4 && host.includes(':') ? Number(prefix) - MAPPED_BITS : Number(prefix)
  return bits < 0 || bits > 8 * ip.length ? undefined : { ip, bits }
}

/** Whether one of the ranges holds the address. */
export function isWithin(cidrs: readonly Cidr[], ip: Uint8Array): boolean {
  const bytes = isIpv4(ip) ? shortestIp(ip) : ip
  return cidrs.some((cidr) => holds(cidr, bytes))
}

function holds({ ip, bits }: Cidr, bytes: Uint8Array): boolean {
  if (ip.length !== bytes.length) return false
  const whole = bits >> 3
  for (let at = 0; at < whole; at++) if (ip[at] !== bytes[at]) return false
  const rest = bits & 7
  return rest === 0 || ((ip[whole] as number) ^ (bytes[whole] as number)) >> (8 - rest) === 0
}
