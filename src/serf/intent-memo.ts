// Intents, read once and put on their way once: in a storm of joins each comes to each member a dozen times, and a process may run many
// members. What comes again is given as it was then, so nobody may change what was read. Queries and user events hold payloads, which
// are handed to users, and are read anew.
import { crowdMemo } from '../base/byte-memo.ts'
import { concat } from '../base/bytes.ts'
import { decodeSerfMessage } from '../wire/serf-messages.ts'
import { type SerfMessage, SerfType, SwimType } from '../wire/types.ts'

/** Longer ones are handled anew: a name of 128 bytes makes 170. */
const MAX_BYTES = 256

const USER_TYPE = Uint8Array.of(SwimType.user)

/** Of the whole process: reading depends on nothing but the bytes. */
const read = crowdMemo<SerfMessage>(1)
const wrapped = crowdMemo<Uint8Array>(1)

/** As `decodeSerfMessage`. @param bytes nobody changes them any more. Throws `DecodeError` */
export function readSerfMessage(bytes: Uint8Array): SerfMessage {
  if (!isShortIntent(bytes)) return decodeSerfMessage(bytes)
  return read.find(bytes) ?? read.keep(bytes, decodeSerfMessage(bytes))
}

/** A Serf message as memberlist's user message: behind the type byte. @param bytes nobody changes them any more */
export function asUserMessage(bytes: Uint8Array): Uint8Array {
  if (!isShortIntent(bytes)) return concat([USER_TYPE, bytes])
  return wrapped.find(bytes) ?? wrapped.keep(bytes, concat([USER_TYPE, bytes]))
}

function isShortIntent(bytes: Uint8Array): boolean {
  return bytes.length <= MAX_BYTES && (bytes[0] === SerfType.join || bytes[0] === SerfType.leave)
}
