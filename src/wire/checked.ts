// The encoders as `rollcall/wire` gives them away: they look at what they are given first, and name a mistake. The library
// itself takes the bare ones, since what it encodes is right by construction.
import { OptionsError } from '../base/errors.ts'
import { encodeCoordinate as coordinate } from './coordinate.ts'
import { coordinateValue, pushPullMessage, serfMessage, streamUser, swimMessage, text } from './message-rules.ts'
import { encodeSerfMessage as serf } from './serf-messages.ts'
import { encodePushPull as pushPull, encodeSwimMessage as swim, encodeStreamUser as user } from './swim-messages.ts'
import { encodeTags as tagBytes } from './tags.ts'
import type { Coordinate, PushPull, SerfMessage, SwimMessage, User } from './types.ts'

/** A message as a packet carries it, type byte first. Streams carry the same bytes, but for `user` (`encodeStreamUser`).
 *  @throws OptionsError that names the field */
export function encodeSwimMessage(message: Exclude<SwimMessage, PushPull>): Uint8Array {
  swimMessage('message', message)
  return swim(message)
}

/** A push/pull as a stream carries it: type byte, header, members, user state.
 *  @throws OptionsError that names the field; SizeError for a user state above 20 MiB */
export function encodePushPull(message: PushPull): Uint8Array {
  pushPullMessage('message', message)
  return pushPull(message)
}

/** A user message as a stream carries it: with its length in front.
 *  @throws OptionsError that names the field; SizeError above 20 MiB */
export function encodeStreamUser(message: User): Uint8Array {
  streamUser('message', message)
  return user(message)
}

/** A Serf message, type byte first.
 *  @throws OptionsError that names the field */
export function encodeSerfMessage(message: SerfMessage): Uint8Array {
  serfMessage('message', message)
  return serf(message)
}

/** What an ack of a Serf member carries as its `payload`.
 *  @throws OptionsError that names the field */
export function encodeCoordinate(value: Coordinate): Uint8Array {
  coordinateValue('value', value)
  return coordinate(value)
}

/** The bytes for `meta` of an alive claim, the same for the same tags in any order. Members take at most 512 of them.
 *  @throws OptionsError that names the tag */
export function encodeTags(tags: Readonly<Record<string, string>>): Uint8Array {
  if (typeof tags !== 'object' || tags === null) throw new OptionsError('tags', tags, 'must be an object')
  for (const [name, value] of Object.entries(tags)) {
    text('tags, a name', name)
    text(`tags.${name}`, value)
  }
  return tagBytes(tags)
}
