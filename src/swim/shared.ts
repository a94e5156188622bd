// What the records of many members hold alike: names, addresses, metadata, rows of exchanges. In a process that runs many members each
// of them holds all others, and one copy does for all: less memory, and less of it to walk through. Nobody changes any of it. Holds a
// bounded number, and forgets one for another; whoever asks gets what it gave or what is like it.
import { ByteMemo } from '../base/byte-memo.ts'
import { Address } from '../wire/address.ts'

/** Twice as many as a cluster of 4,000 has members. */
const SLOTS = 8192
/** Names are forgotten all at once. */
const MAX_NAMES = 16_384

/** Of the whole process: what is shared says nothing but what it says. */
const byteStrings = new ByteMemo<Uint8Array>(SLOTS)
const addresses = new ByteMemo<Address>(SLOTS)
const names = new Map<string, string>()

/** A byte string like this one; of the empty ones each stays what it is, since `NO_BYTES` means more than the others.
 *  @param bytes nobody changes them any more */
export function sharedBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return bytes
  return byteStrings.find(bytes) ?? byteStrings.keep(bytes, bytes)
}

/** The address of these bytes and this port. @param ip nobody changes them any more. Throws `OptionsError` on what is no address */
export function sharedAddress(ip: Uint8Array, port: number): Address {
  const known = addresses.find(ip)
  return known?.port === port ? known : addresses.keep(ip, new Address(ip, port))
}

/** A text like this one. */
export function sharedName(name: string): string {
  const known = names.get(name)
  if (known !== undefined) return known
  if (names.size >= MAX_NAMES) names.clear()
  names.set(name, name)
  return name
}
