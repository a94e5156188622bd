// What the records of many members hold alike: names, addresses, metadata, rows of exchanges. In a process that runs many members each
// of them holds all others, and one copy does for all: less memory, and less of it to walk through. Nobody changes any of it. Holds a
// bounded number, and forgets one for another; whoever asks gets what it gave or what is like it.
import { crowdMemo, crowdSize } from '../base/byte-memo.ts'
import { copyOf } from '../base/bytes.ts'
import { Address } from '../wire/address.ts'

/** Of the whole process: what is shared says nothing but what it says. */
const byteStrings = crowdMemo<Uint8Array>(2)
const addresses = crowdMemo<Address>(2)
const names = new Map<string, string>()

const LONGEST_IP = 16
/** Written anew for each look-up: an address, and its port behind it. */
const addressKey = new Uint8Array(LONGEST_IP + 2)

/** A byte string like this one, in memory of its own: what was just encoded lies in a slab of kilobytes, which would live as long. Of the
 *  empty ones each stays what it is, since `NO_BYTES` means more than the others. */
export function sharedBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return bytes
  const known = byteStrings.find(bytes)
  if (known !== undefined) return known
  const copy = copyOf(bytes)
  return byteStrings.keep(copy, copy)
}

/** The address of these bytes and this port. @param ip nobody changes them any more. Throws `OptionsError` on what is no address */
export function sharedAddress(ip: Uint8Array, port: number): Address {
  if (ip.length > LONGEST_IP) return new Address(ip, port)
  // Behind NAT, or on one machine, many members share an address and differ in the port.
  addressKey.set(ip)
  addressKey[ip.length] = port >>> 8
  addressKey[ip.length + 1] = port
  const end = ip.length + 2
  return addresses.find(addressKey, 0, end) ?? addresses.keep(addressKey.slice(0, end), new Address(ip, port))
}

/** A text like this one. */
export function sharedName(name: string): string {
  const known = names.get(name)
  if (known !== undefined) return known
  // All at once.
  if (names.size >= 4 * crowdSize()) names.clear()
  names.set(name, name)
  return name
}
