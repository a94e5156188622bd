// The door `rollcall/wire`: memberlist's and Serf's bytes as plain objects, and back. Re-exports only; the functions on
// whole packets and streams come bound to Node's cipher, and the encoders look at what they are given.
export { DecodeError, DecryptError, MembershipError, OptionsError, SizeError } from '../base/errors.ts'
export {
  decodePacket,
  decodeStream,
  type EncodeOptions,
  type EncodePacketOptions,
  encodePacket,
  encodeStream,
  type StreamSide,
  streamReader,
  type WireOptions,
} from '../node/wire-tools.ts'
export { Address, formatIp, parseIp } from './address.ts'
export {
  encodeCoordinate,
  encodePushPull,
  encodeSerfMessage,
  encodeStreamUser,
  encodeSwimMessage,
  encodeTags,
} from './checked.ts'
export { decodeCoordinate } from './coordinate.ts'
export type { EncryptionVersion } from './encrypt.ts'
export { formatKey, parseKey } from './keyring.ts'
export type { DecodedPacket, Layer, PacketLeaf } from './packet.ts'
export { decodeSerfMessage } from './serf-messages.ts'
export type { StreamReader, StreamRole } from './stream.ts'
export { decodePacketMessage } from './swim-messages.ts'
export { type DecodedTags, decodeTags } from './tags.ts'
export {
  type Ack,
  type Alive,
  type Coordinate,
  type Dead,
  type IndirectPing,
  type Nack,
  type PacketMessage,
  type Ping,
  type PushPull,
  type PushPullMember,
  type SerfConflictResponse,
  type SerfEventSlot,
  type SerfJoin,
  type SerfKeyRequest,
  type SerfKeyResponse,
  type SerfLeave,
  type SerfMember,
  type SerfMessage,
  type SerfPushPull,
  type SerfQuery,
  type SerfQueryResponse,
  type SerfRelay,
  SerfType,
  type SerfUserEvent,
  type StreamMessage,
  type Suspect,
  type SwimMessage,
  SwimType,
  type Uint64,
  type User,
  type WireError,
  WireState,
} from './types.ts'
