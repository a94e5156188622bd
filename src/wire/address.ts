// Where a member can be reached: raw IP bytes, exactly as they travel, and a port; and the text forms people write.
// On the wire IPv4 in 4 and in 16 bytes are different bytes (wire-protocol §2): the bytes received are kept, `key` names the endpoint.
import { sameBytes } from '../base/bytes.ts'
import { DecodeError, OptionsError } from '../base/errors.ts'

/** An endpoint. Immutable; made once per member and passed around. */
export class Address {
  /** 4 or 16 bytes, as received. */
  readonly ip: Uint8Array
  /** 0 to 65535. */
  readonly port: number
  #host: string | undefined
  #key: string | undefined

  /** Throws `OptionsError` on what is no address. */
  constructor(ip: Uint8Array, port: number) {
    if (!isIp(ip)) throw new OptionsError('ip', ip, 'must be 4 or 16 bytes')
    if ((port & 0xffff) !== port) throw new OptionsError('port', port, 'must be a whole number from 0 to 65535')
    this.ip = ip
    this.port = port
  }

  /** The address in the form one dials: dotted for IPv4, also where it came in 16 bytes; RFC 5952 for IPv6. */
  get host(): string {
    this.#host ??= formatIp(this.ip)
    return this.#host
  }

  /** `host:port`, brackets around IPv6. Two addresses with one key are one endpoint, whatever the form of their bytes. */
  get key(): string {
    this.#key ??= isIpv4(this.ip) ? `${this.host}:${this.port}` : `[${this.host}]:${this.port}`
    return this.#key
  }

  toString(): string {
    return this.key
  }
}

/** One endpoint, whatever the form of the bytes. */
export function sameEndpoint(left: Address, right: Address): boolean {
  if (left === right) return true
  return left.port === right.port && sameBytes(shortestIp(left.ip), shortestIp(right.ip))
}

/** Whether bytes have the length of an address: 4 or 16. */
export function isIp(bytes: Uint8Array): boolean {
  return bytes.length === 4 || bytes.length === 16
}

/** Throws `DecodeError` unless `isIp`. */
export function checkIp(bytes: Uint8Array): void {
  if (!isIp(bytes)) throw new DecodeError(`address of ${bytes.length} bytes`)
}

/** Four bytes, or IPv4 mapped into IPv6 (`::ffff:a.b.c.d`). */
export function isIpv4(ip: Uint8Array): boolean {
  return ip.length === 4 || isMapped(ip)
}

/** IPv4 in 4 bytes wherever it can be said so; other bytes as they are. */
export function shortestIp(ip: Uint8Array): Uint8Array {
  return isMapped(ip) ? ip.slice(12) : ip
}

/** `0.0.0.0` or `::`: every interface. */
export function isWildcard(ip: Uint8Array): boolean {
  return shortestIp(ip).every((byte) => byte === 0)
}

/** Text form: dotted for IPv4 (mapped too), RFC 5952 for IPv6. Throws `OptionsError` unless `isIp`. */
export function formatIp(ip: Uint8Array): string {
  if (!isIp(ip)) throw new OptionsError('ip', ip, 'must be 4 or 16 bytes')
  if (ip.length === 4) return `${ip[0]}.${ip[1]}.${ip[2]}.${ip[3]}`
  if (isMapped(ip)) return `${ip[12]}.${ip[13]}.${ip[14]}.${ip[15]}`
  const groups: number[] = []
  for (let at = 0; at < 16; at += 2) groups.push(((ip[at] as number) << 8) | (ip[at + 1] as number))
  const zeros = longestZeros(groups)
  if (zeros.length < 2) return groups.map((group) => group.toString(16)).join(':')
  const head = groups.slice(0, zeros.start).map((group) => group.toString(16))
  const tail = groups.slice(zeros.start + zeros.length).map((group) => group.toString(16))
  return `${head.join(':')}::${tail.join(':')}`
}

/** The bytes of an IP literal, IPv4 always in 4; `undefined` for anything else (host names, zones, brackets). */
export function parseIp(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

/** The parts of `[name/]host[:port]`, the way Serf writes seeds. IPv6 with a port needs brackets. */
export interface HostAndPort {
  readonly name?: string
  readonly host: string
  readonly port?: number
}

/** Takes `[name/]host[:port]` apart; `undefined` where it is none. Does not resolve the host. */
export function parseHostAndPort(text: string): HostAndPort | undefined {
  const slash = text.lastIndexOf('/')
  const name = slash < 0 ? undefined : text.slice(0, slash)
  const rest = text.slice(slash + 1)
  if (name === '') return undefined
  const named = name === undefined ? {} : { name }
  if (parseIpv6(rest) !== undefined) return { ...named, host: rest }
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(rest)
  if (match === null) return undefined
  const host = (match[1] ?? match[2]) as string
  if (match[1] !== undefined && parseIpv6(host) === undefined) return undefined
  if (match[3] === undefined) return { ...named, host }
  const port = Number(match[3])
  return port > 65535 ? undefined : { ...named, host, port }
}

function isMapped(ip: Uint8Array): boolean {
  if (ip.length !== 16 || ip[10] !== 0xff || ip[11] !== 0xff) return false
  for (let at = 0; at < 10; at++) if (ip[at] !== 0) return false
  return true
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let run = 0
  groups.forEach((group, at) => {
    run = group === 0 ? run + 1 : 0
    if (run > best.length) best = { start: at - run + 1, length: run }
  })
  return best
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  const ip = new Uint8Array(4)
  for (const [at, part] of parts.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined
    ip[at] = Number(part)
  }
  return ip
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = parseGroups(halves[0] as string)
  const tail = halves.length === 2 ? parseGroups(halves[1] as string) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 16 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined
  return shortestIp(Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]))
}

/** Bytes of colon-separated groups, the last of which may be dotted IPv4. */
function parseGroups(text: string): number[] | undefined {
  if (text === '') return []
  const bytes: number[] = []
  const groups = text.split(':')
  for (const [at, group] of groups.entries()) {
    if (at === groups.length - 1 && group.includes('.')) {
      const ipv4 = parseIpv4(group)
      if (ipv4 === undefined) return undefined
      bytes.push(...ipv4)
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined
      const value = Number.parseInt(group, 16)
      bytes.push(value >> 8, value & 0xff)
    }
  }
  return bytes.length > 16 ? undefined : bytes
}
