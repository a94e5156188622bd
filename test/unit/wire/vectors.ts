// Support for the tests of `wire/`: reads the golden vectors (their README states the conventions) and turns the values
// they state into our own shapes. Also a small cipher, so that these tests stand on their own.
import assert from 'node:assert/strict'
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { NO_BYTES, utf8 } from '../../../src/base/bytes.ts'
import type { Cipher } from '../../../src/wire/encrypt.ts'
import { Keyring } from '../../../src/wire/keyring.ts'
import { NO_ENTRIES, NO_ITEMS } from '../../../src/wire/msgpack.ts'
import type { Sealing } from '../../../src/wire/packet.ts'
import type {
  PacketMessage,
  PushPullMember,
  SerfEventSlot,
  SerfMessage,
  Uint64,
  WireError,
} from '../../../src/wire/types.ts'

/** A value as a vector states it, its `$` forms taken out. Integers beyond 2^53 are bigints. */
export type Stated = null | boolean | number | bigint | string | Uint8Array | Stated[] | { [key: string]: Stated }
export type Fields = { [key: string]: Stated }

export interface Vector {
  readonly name: string
  readonly layer: string
  readonly impl: string
  readonly encode: 'exact' | 'semantic' | 'none'
  readonly hex: string
  readonly bytes: Uint8Array
  readonly decoded: Stated
  readonly params: Fields
  readonly expect: Fields
  readonly verdict?: 'accept' | 'reject' | 'partial' | 'ignore' | 'either'
  /** Further keys of single files. */
  readonly goType?: string
  readonly mode?: string
  readonly hexPrefix?: string
}

/** All vectors of one file. */
export function vectorsOf(file: string): Vector[] {
  const url = new URL(`../../vectors/${file}.json`, import.meta.url)
  const { vectors } = JSON.parse(readFileSync(url, 'utf8')) as { vectors: Record<string, unknown>[] }
  return vectors.map((vector) => ({
    ...(vector as unknown as Vector),
    bytes: fromHex((vector.hex as string | undefined) ?? ''),
    decoded: stated(vector.decoded ?? null),
    params: (stated(vector.params ?? {}) ?? {}) as Fields,
    expect: (stated(vector.expect ?? {}) ?? {}) as Fields,
  }))
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function stated(value: unknown): Stated {
  if (Array.isArray(value)) return value.map(stated)
  if (typeof value !== 'object' || value === null) return value as Stated
  const object = value as Record<string, unknown>
  if ('$hex' in object) return fromHex(object.$hex as string)
  if ('$u64' in object || '$i64' in object) return BigInt((object.$u64 ?? object.$i64) as string)
  if ('$f64' in object) return Buffer.from(object.$f64 as string, 'hex').readDoubleBE()
  return Object.fromEntries(Object.entries(object).map(([key, inner]) => [key, stated(inner)]))
}

/** How many of what a test met; compared as a whole, so that nothing is left out silently. */
export class Tally {
  readonly counts: Record<string, number> = {}

  add(kind: string): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1
  }
}

/** AES-GCM by node:crypto. */
export const testCipher: Cipher = {
  seal(key, nonce, plain, additional) {
    const cipher = createCipheriv(algorithm(key), key, nonce).setAAD(additional)
    return new Uint8Array(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]))
  },
  open(key, nonce, sealed, additional) {
    const decipher = createDecipheriv(algorithm(key), key, nonce).setAAD(additional)
    decipher.setAuthTag(sealed.subarray(sealed.length - 16))
    try {
      return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]))
    } catch {
      return undefined
    }
  },
}

function algorithm(key: Uint8Array): 'aes-128-gcm' {
  return `aes-${key.length * 8}-gcm` as 'aes-128-gcm'
}

/** What `params` say a member is configured with: `keyring` or the one `key`, and the label. */
export function sealingOf(params: Fields): Sealing {
  const keys = (params.keyring ?? (params.key === undefined ? [] : [params.key])) as Uint8Array[]
  return {
    label: typeof params.label === 'string' ? utf8(params.label) : NO_BYTES,
    keyring: keys.length === 0 ? undefined : new Keyring(keys),
    cipher: testCipher,
  }
}

const bytes = (value: Stated | undefined): Uint8Array => (value as Uint8Array | null) ?? NO_BYTES
const list = <Item>(value: Stated | undefined): readonly Item[] => (value as Item[] | null) ?? NO_ITEMS
const map = <Value>(value: Stated | undefined): ReadonlyMap<string, Value> =>
  value === null || value === undefined ? NO_ENTRIES : new Map(Object.entries(value) as unknown as [string, Value][])

/** The message that a vector of memberlist messages states. */
export function swimMessageOf(from: Fields): PacketMessage | WireError {
  const source = {
    sourceAddr: (from.SourceAddr ?? null) as Uint8Array | null,
    sourcePort: (from.SourcePort ?? 0) as number,
    sourceNode: (from.SourceNode ?? '') as string,
  }
  const seqNo = from.SeqNo as number
  const node = from.Node as string
  switch (from.type) {
    case 'ping':
      return { type: 'ping', seqNo, node, ...source }
    case 'indirectPing': {
      const target = from.Target as Uint8Array
      return {
        type: 'indirect-ping',
        seqNo,
        target,
        port: from.Port as number,
        node,
        nack: from.Nack === true,
        ...source,
      }
    }
    case 'ackResp':
      return { type: 'ack', seqNo, payload: from.Payload as Uint8Array | null }
    case 'nackResp':
      return { type: 'nack', seqNo }
    case 'errResp':
      return { type: 'error', error: from.Error as string }
    case 'suspect':
    case 'dead':
      return { type: from.type, incarnation: from.Incarnation as number, node, from: from.From as string }
    case 'alive':
      return {
        type: 'alive',
        incarnation: from.Incarnation as number,
        node,
        addr: bytes(from.Addr),
        port: from.Port as number,
        meta: bytes(from.Meta),
        vsn: bytes(from.Vsn),
      }
    case 'user':
      return { type: 'user', payload: bytes(from.data) }
    default:
      return assert.fail(`no message of ours: ${String(from.type)}`)
  }
}

/** The member that a push/pull vector states. */
export function memberOf(from: Fields): PushPullMember {
  return {
    name: from.Name as string,
    addr: bytes(from.Addr),
    port: from.Port as number,
    meta: bytes(from.Meta),
    incarnation: from.Incarnation as number,
    state: from.State as number,
    vsn: bytes(from.Vsn),
  }
}

/** The message that a vector of Serf messages states; nil slots of events are left out. */
export function serfMessageOf(from: Fields): SerfMessage {
  const ltime = from.LTime as Uint64
  const node = from.Node as string
  const name = from.Name as string
  const payload = bytes(from.Payload)
  switch (from.type) {
    case 'leave':
      return { type: 'leave', ltime, node, prune: from.Prune === true }
    case 'join':
      return { type: 'join', ltime, node }
    case 'userEvent':
      return { type: 'user-event', ltime, name, payload, coalesce: from.CC === true }
    case 'pushPull': {
      const events = from.Events as (Fields | null)[] | null
      return {
        type: 'push-pull',
        ltime,
        statusLtimes: map(from.StatusLTimes),
        leftMembers: list(from.LeftMembers),
        eventLtime: from.EventLTime as Uint64,
        events: events === null ? NO_ITEMS : events.filter((slot) => slot !== null).map(slotOf),
        queryLtime: from.QueryLTime as Uint64,
      }
    }
    case 'query':
      return {
        type: 'query',
        ltime,
        id: from.ID as number,
        addr: bytes(from.Addr),
        port: from.Port as number,
        sourceNode: from.SourceNode as string,
        filters: list(from.Filters),
        flags: from.Flags as number,
        relayFactor: from.RelayFactor as number,
        timeoutNs: from.Timeout as Uint64,
        name,
        payload,
      }
    case 'queryResponse':
      return {
        type: 'query-response',
        ltime,
        id: from.ID as number,
        from: from.From as string,
        flags: from.Flags as number,
        payload,
      }
    case 'conflictResponse':
      return { type: 'conflict-response', member: 'value' in from ? null : serfMemberOf(from) }
    case 'keyRequest':
      return { type: 'key-request', key: bytes(from.Key) }
    case 'nodeKeyResponse':
      return {
        type: 'key-response',
        result: from.Result === true,
        message: from.Message as string,
        keys: list(from.Keys),
        primaryKey: from.PrimaryKey as string,
      }
    case 'relay': {
      const to = from.DestAddr as Fields
      return {
        type: 'relay',
        destAddr: bytes(to.IP),
        destPort: to.Port as number,
        destZone: to.Zone as string,
        destName: from.DestName as string,
        message: bytes(from.inner),
      }
    }
    default:
      return assert.fail(`no Serf message of ours: ${String(from.type)}`)
  }
}

function slotOf(slot: Fields): SerfEventSlot {
  const events = list<Fields>(slot.Events)
  return {
    ltime: slot.LTime as Uint64,
    events: events.map((event) => ({ name: event.Name as string, payload: bytes(event.Payload) })),
  }
}

function serfMemberOf(from: Fields): NonNullable<(SerfMessage & { type: 'conflict-response' })['member']> {
  const names = ['ProtocolMin', 'ProtocolMax', 'ProtocolCur', 'DelegateMin', 'DelegateMax', 'DelegateCur']
  return {
    name: from.Name as string,
    addr: bytes(from.Addr),
    port: from.Port as number,
    tags: map(from.Tags),
    status: from.Status as number,
    vsn: Uint8Array.from(names.map((name) => from[name] as number)),
  }
}
