// What a socket's error means: whose fault it is, and whether the socket lives on. Pure; `code` is libuv's name for errno.
import { TransportError } from '../base/errors.ts'
import type { Address } from '../wire/address.ts'

/** Our own shortages: they say nothing of the target. Everything else a send can meet is the network's answer (unreachable, refused,
 *  filtered) or the target's doing (an address no packet can be sent to): a probe of it has failed. memberlist holds every
 *  failed write for that; without it a dead member behind a dead route, or one that tells a wrong address, lives for ever. */
const SHORTAGE = new Set(['EAGAIN', 'EINTR', 'ENOBUFS', 'ENOMEM', 'EMFILE', 'ENFILE'])

/** What a bound socket survives: news of one peer, or a shortage that passes. */
const PASSING = new Set([
  ...SHORTAGE,
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'ENETRESET',
  'ETIMEDOUT',
  'EADDRNOTAVAIL',
  'EPERM',
  'EACCES',
  'EPROTO',
  'EMSGSIZE',
])

const HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use',
  EADDRNOTAVAIL: 'not an address of this machine',
  EAFNOSUPPORT: 'this machine does not speak that address family',
  EACCES: 'not permitted',
}

/** `EADDRINUSE` and the like; `unknown` where the error bears none. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : 'unknown'
}

/** A send failed for the network's or the target's sake, not for want of something of ours. */
export function isRemote(error: unknown): boolean {
  return !(error instanceof TransportError) && !SHORTAGE.has(codeOf(error))
}

/** The bound socket that reported `error` still works. */
export function isPassing(error: unknown): boolean {
  return PASSING.has(codeOf(error))
}

/** Why `address` could not be bound; names the address, the port and the cause's code. */
export function bindError(protocol: 'UDP' | 'TCP', address: Address, cause: unknown): TransportError {
  const code = codeOf(cause)
  const hint = HINTS[code]
  return new TransportError(
    `cannot bind ${protocol} ${address.key}: ${code}${hint === undefined ? '' : ` (${hint})`}`,
    cause,
  )
}

/** What went wrong between us and `peer`. */
export function peerError(what: string, peer: Address, cause: unknown): TransportError {
  const code = codeOf(cause)
  const why = code === 'unknown' && cause instanceof Error ? cause.message : code
  return new TransportError(`${what} ${peer.key}: ${why}`, cause)
}
