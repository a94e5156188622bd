// What a user may say when making a `Membership`, checked at once and resolved into a frozen, complete object.
// The caller's object is never changed. Knobs of timing belong to their rooms; here are the rest, and the composition.

import type { Accept } from './accept.ts'
import { NO_BYTES, utf8 } from './base/bytes.ts'
import { checkBoolean, checkKeys, definedOnly } from './base/check.ts'
import { OptionsError } from './base/errors.ts'
import type { Host } from './driver/host.ts'
import type { ReconnectTimeoutFor } from './reconnect-timeout.ts'
import type { RawTags } from './serf/members.ts'
import { resolveSerfOptions, SERF_OPTION_NAMES, type SerfOptions } from './serf/options.ts'
import { type Profile, resolveSwimOptions, SWIM_OPTION_NAMES, type SwimOptions } from './swim/options.ts'
import { checkOwnTags, checkSchema, type TagsSchema } from './validate-tags.ts'
import { Address, isWildcard, parseHostAndPort, parseIp } from './wire/address.ts'
import { type Cidr, parseCidr } from './wire/cidr.ts'
import { Keyring, parseKey } from './wire/keyring.ts'
import { MAX_LABEL_BYTES, MAX_META_BYTES } from './wire/limits.ts'
import { COMPOUND_OVERHEAD_BYTES, PART_OVERHEAD_BYTES, packetOverhead } from './wire/packet.ts'
import { encodeSwimMessage } from './wire/swim-messages.ts'
import { encodeTags } from './wire/tags.ts'

/** All is optional. `Tags` is what `validateTags` gives, or nothing without it. */
export type MembershipOptions<Tags = undefined> = CommonOptions<Tags> & TagsOptions<Tags>

/** Without a type of tags there is nothing that validates them; with one there must be. */
type TagsOptions<Tags> = [Tags] extends [undefined]
  ? { readonly validateTags?: undefined }
  : {
      /** A schema of any library that speaks Standard Schema (zod, valibot, arktype), answering at once: gets a member's tags as texts, once for
       *  each change, and gives what `member.tags` is; `undefined`, with a warning, where they do not fit. Our own must fit. Default: none,
       *  tags are as they came. */
      readonly validateTags: TagsSchema<Tags>
    }

/** The same for any `Tags`, as it is checked. */
export type AnyOptions = CommonOptions<unknown> & { readonly validateTags?: TagsSchema<unknown> | undefined }

/** Timing knobs of `SwimOptions` and `SerfOptions` may stand beside these and win over the profile. */
export interface CommonOptions<Tags> extends Partial<SwimOptions>, Partial<SerfOptions> {
  /** Unique in the cluster, 1 to 128 bytes. Default: `<hostname>-<port>`, so that two services on one host do not collide. */
  readonly name?: string
  /** `ip:port` to listen on, UDP and TCP; port 0 takes a free one. Default `0.0.0.0:7946`. */
  readonly bind?: string
  /** `ip:port` others reach us at; without a port the bound one. Default: the bound address, or, bound to every
   *  interface, a private one of an interface that is up. */
  readonly advertise?: string
  /** Defaults of timing: `lan` (default), `wan` or `local`. */
  readonly profile?: Profile
  /** What we say of ourselves, as texts: at most 512 bytes encoded. Default none. */
  readonly tags?: RawTags
  /** Encrypts all traffic: 16, 24 or 32 bytes, or their base64. Every member needs it. Not beside `keyring`. */
  readonly secretKey?: string | Uint8Array
  /** Several keys: the first encrypts, all decrypt. Not beside `secretKey`. */
  readonly keyring?: readonly (string | Uint8Array)[]
  /** A file with the keys: read at the start, and rewritten before we say that a change of keys is done. A list of base64 in JSON, the
   *  first is primary, as Serf's own. Where there is none yet it is made of `keyring`, which is not looked at otherwise. Not beside
   *  `secretKey`. */
  readonly keyringPath?: string
  /** Drop what comes without encryption. False while a running cluster is being encrypted. Default true; without a key nothing is dropped. */
  readonly verifyIncoming?: boolean
  /** Encrypt what we send. False while a running cluster is being encrypted; then `verifyIncoming` must be false as well. Default true. */
  readonly verifyOutgoing?: boolean
  /** Keeps clusters apart that could reach each other: at most 255 bytes; traffic with another label is dropped. Default none. */
  readonly label?: string
  /** Compress what gets smaller by it, as memberlist does. Default true. */
  readonly compression?: boolean
  /** Ranges like `10.0.0.0/8` in which members live: whatever comes from elsewhere is dropped unread, and nobody is taken in who
   *  claims to live elsewhere. None: nobody but ourselves. Default: anywhere. */
  readonly allowedCidrs?: readonly string[]
  /** Veto: gets a member as it would be, when it is to come in, to come back, to move, or to change its tags; false drops that.
   *  Answers at once, and must not change this instance. The same refused news is asked about once in ten seconds. Default: all come in. */
  readonly accept?: Accept<Tags>
  /** Deliver no user event that the first exchange with anybody tells of: it was sent before we came. For who restarts and must not do things
   *  twice, since those who remember us may reach us before we join. Of no effect with a snapshot, which says it better. Default false. */
  readonly ignoreOldEvents?: boolean
  /** How long a member that is dead or left stays in the list, in milliseconds: asked at every look of the reaper, with what holds
   *  otherwise. Answers at once, and must not change this instance. Default: what holds otherwise. */
  readonly reconnectTimeoutFor?: ReconnectTimeoutFor<Tags>
  /** A file for who is there and the three clocks, in Serf's own format: a restart comes back to those it names, by itself, and delivers no
   *  event or query once more that it has seen. One instance a file. Default: nothing is kept. */
  readonly snapshotPath?: string
  /** With `snapshotPath`: a goodbye forgets nothing, so that a restart after `leave` comes back too. Default false. */
  readonly rejoinAfterLeave?: boolean
  /** Where to run. Default: this process. */
  readonly host?: Host
}

/** Complete and checked. */
export interface ResolvedOptions {
  readonly name: string | undefined
  readonly bind: Address
  readonly advertise: { readonly ip: Uint8Array; readonly port: number | undefined } | undefined
  readonly tags: RawTags
  readonly validateTags: TagsSchema<unknown> | undefined
  readonly keyring: Keyring | undefined
  readonly keyringPath: string | undefined
  readonly verifyIncoming: boolean
  readonly verifyOutgoing: boolean
  readonly label: Uint8Array
  readonly compression: boolean
  readonly allowedCidrs: readonly Cidr[] | undefined
  readonly accept: Accept<unknown> | undefined
  readonly ignoreOldEvents: boolean
  readonly reconnectTimeoutFor: ReconnectTimeoutFor<unknown> | undefined
  readonly snapshotPath: string | undefined
  readonly rejoinAfterLeave: boolean
  readonly host: Host | undefined
  readonly swim: SwimOptions
  readonly serf: SerfOptions
}

const OWN_OPTION_NAMES = [
  'name',
  'bind',
  'advertise',
  'profile',
  'tags',
  'validateTags',
  'secretKey',
  'keyring',
  'keyringPath',
  'verifyIncoming',
  'verifyOutgoing',
  'label',
  'compression',
  'allowedCidrs',
  'accept',
  'reconnectTimeoutFor',
  'ignoreOldEvents',
  'snapshotPath',
  'rejoinAfterLeave',
  'host',
] as const satisfies readonly (keyof AnyOptions)[]

const KNOWN_OPTIONS: ReadonlySet<string> = new Set([...OWN_OPTION_NAMES, ...SWIM_OPTION_NAMES, ...SERF_OPTION_NAMES])

/** Ranges in `allowedCidrs`: every packet is held against them. */
const MAX_CIDRS = 1024

/** The port of Serf. */
const DEFAULT_PORT = 7946

/** Longer names would crowd out the rest of a packet; Serf's own limit where it checks names. */
const MAX_NAME_BYTES = 128

/** Checks all that was given. @throws OptionsError naming the option, the value and the limit */
export function resolveOptions<Tags = undefined>(options: MembershipOptions<Tags>): ResolvedOptions {
  if (typeof options !== 'object' || options === null) throw new OptionsError('options', options, 'must be an object')
  const given = definedOnly(options as unknown as AnyOptions)
  // Hidden: the value may be a key under a misspelt name.
  checkKeys(given, KNOWN_OPTIONS, true)
  const {
    profile = 'lan',
    tags = {},
    validateTags,
    compression = true,
    ignoreOldEvents = false,
    accept,
    reconnectTimeoutFor,
    host,
    name,
  } = given
  checkBoolean('compression', compression)
  checkBoolean('ignoreOldEvents', ignoreOldEvents)
  if (name !== undefined) checkName(name)
  checkFunction('accept', accept)
  checkFunction('reconnectTimeoutFor', reconnectTimeoutFor)
  if (validateTags !== undefined) checkSchema(validateTags)
  if (host !== undefined) checkHost(host)
  const { keyringPath, verifyIncoming = true, verifyOutgoing = true } = given
  const keyring = resolveKeyring(given.secretKey, given.keyring)
  checkKeyringPath(keyringPath, given.secretKey, host)
  checkVerify(verifyIncoming, verifyOutgoing)
  const { snapshotPath, rejoinAfterLeave = false } = given
  checkSnapshot(snapshotPath, rejoinAfterLeave, host)
  const label = resolveLabel(given.label)
  const swim = resolveSwimOptions(profile, given)
  checkRoom(swim.maxPacketBytes, keyring ?? (keyringPath === undefined ? undefined : ANY_KEYRING), label)
  return Object.freeze({
    name,
    bind: resolveBind(given.bind),
    advertise: resolveAdvertise(given.advertise),
    tags: resolveTags(tags, validateTags),
    validateTags,
    keyring,
    keyringPath,
    verifyIncoming,
    verifyOutgoing,
    label,
    compression,
    allowedCidrs: resolveCidrs(given.allowedCidrs),
    accept,
    ignoreOldEvents,
    reconnectTimeoutFor,
    snapshotPath,
    rejoinAfterLeave,
    host,
    swim,
    serf: resolveSerfOptions(given),
  })
}

/** Throws unless `tags` is a plain record of strings. @throws OptionsError */
export function checkTags(tags: unknown): asserts tags is RawTags {
  // A `Map` has no entries of its own here, and would be taken for no tags.
  const isRecord =
    typeof tags === 'object' && tags !== null && [Object.prototype, null].includes(Object.getPrototypeOf(tags))
  if (!isRecord) throw new OptionsError('tags', tags, 'must be an object of strings')
  for (const [key, value] of Object.entries(tags)) {
    if (typeof value !== 'string') throw new OptionsError(`tags.${key}`, value, 'must be a string')
  }
}

function checkFunction(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw new OptionsError(option, value, 'must be a function')
}

/** What `Host` names, beside the clock and the cipher. */
const HOST_METHODS = [
  'entropy',
  'bind',
  'resolve',
  'ownAddresses',
  'reachableAddress',
  'defer',
] as const satisfies readonly (keyof Host)[]

function checkHost(host: unknown): void {
  const given = (typeof host === 'object' && host !== null ? host : {}) as Partial<Record<keyof Host, unknown>>
  const isHost = given.clock !== undefined && given.cipher !== undefined && typeof given.hostname === 'string'
  if (!isHost || HOST_METHODS.some((method) => typeof given[method] !== 'function')) {
    throw new OptionsError('host', host, `must offer clock, cipher, hostname, ${HOST_METHODS.join(', ')}`)
  }
}

/** Throws where a packet cannot hold the largest claim a member makes of itself: it would never be told. */
function checkRoom(maxPacketBytes: number, keyring: Keyring | undefined, label: Uint8Array): void {
  const largest = encodeSwimMessage({
    type: 'alive',
    incarnation: 0xffff_ffff,
    node: 'n'.repeat(MAX_NAME_BYTES),
    addr: new Uint8Array(16),
    port: 0xffff,
    meta: new Uint8Array(MAX_META_BYTES),
    vsn: new Uint8Array(6),
  })
  const overhead = packetOverhead({ keyring, label }, true) + COMPOUND_OVERHEAD_BYTES + PART_OVERHEAD_BYTES
  const least = largest.length + overhead
  if (maxPacketBytes < least) {
    throw new OptionsError('maxPacketBytes', maxPacketBytes, `must be at least ${least} with this label and encryption`)
  }
}

function resolveTags(tags: unknown, schema: TagsSchema<unknown> | undefined): RawTags {
  checkTags(tags)
  const { length } = encodeTags(tags)
  if (length > MAX_META_BYTES) {
    throw new OptionsError('tags', tags, `take ${length} bytes encoded, ${MAX_META_BYTES} are allowed`)
  }
  checkOwnTags(schema, tags)
  return Object.freeze({ ...tags })
}

/** The name of a member that was given none. @throws OptionsError where the host's name is too long for it */
export function defaultName(hostname: string, port: number): string {
  const name = `${hostname}-${port}`
  if (utf8(name).length <= MAX_NAME_BYTES) return name
  throw new OptionsError('name', name, `the default, must be at most ${MAX_NAME_BYTES} bytes: give a name`)
}

function checkName(name: unknown): void {
  const isName = typeof name === 'string' && name.length > 0 && utf8(name).length <= MAX_NAME_BYTES
  if (!isName) throw new OptionsError('name', name, `must be 1 to ${MAX_NAME_BYTES} bytes of text`)
}

function resolveBind(bind: string | undefined): Address {
  if (bind === undefined) return new Address(new Uint8Array(4), DEFAULT_PORT)
  const { ip, port = DEFAULT_PORT } = parseEndpoint('bind', bind)
  return new Address(ip, port)
}

function resolveAdvertise(advertise: string | undefined): ResolvedOptions['advertise'] {
  if (advertise === undefined) return undefined
  const { ip, port } = parseEndpoint('advertise', advertise)
  if (port === 0 || isWildcard(ip)) {
    throw new OptionsError('advertise', advertise, 'must be an address and a port that others can dial')
  }
  return { ip, port }
}

function parseEndpoint(option: string, text: unknown): { ip: Uint8Array; port: number | undefined } {
  const parsed = typeof text === 'string' ? parseHostAndPort(text) : undefined
  const ip = parsed === undefined || parsed.name !== undefined ? undefined : parseIp(parsed.host)
  if (parsed === undefined || ip === undefined) {
    throw new OptionsError(option, text, "must be 'ip:port', like '10.0.0.5:7946' or '[::1]:7946', port 0 to 65535")
  }
  return { ip, port: parsed.port }
}

function resolveKeyring(secretKey: unknown, keyring: unknown): Keyring | undefined {
  if (secretKey !== undefined && keyring !== undefined) {
    throw new OptionsError('secretKey', '(hidden)', 'must not stand beside keyring')
  }
  if (secretKey !== undefined) return new Keyring([readKey(secretKey, 'secretKey')])
  if (keyring === undefined) return undefined
  if (!Array.isArray(keyring))
    throw new OptionsError('keyring', '(hidden)', 'must be a list of keys, the first is primary')
  return new Keyring(keyring.map((key, at) => readKey(key, `keyring[${at}]`)))
}

function checkSnapshot(path: unknown, rejoinAfterLeave: unknown, host: Host | undefined): void {
  checkBoolean('rejoinAfterLeave', rejoinAfterLeave)
  if (path === undefined) {
    if (rejoinAfterLeave) throw new OptionsError('rejoinAfterLeave', rejoinAfterLeave, 'needs snapshotPath')
    return
  }
  const isPath = typeof path === 'string' && path !== '' && !path.includes('\0')
  if (!isPath) throw new OptionsError('snapshotPath', path, 'must be the path of a file')
  if (host !== undefined && host.storage === undefined) {
    throw new OptionsError('snapshotPath', path, 'needs a host that has a storage')
  }
}

/** For arithmetic before the file is read: all keys take the same room in a packet. */
const ANY_KEYRING = new Keyring([new Uint8Array(16)])

function checkKeyringPath(path: unknown, secretKey: unknown, host: Host | undefined): void {
  if (path === undefined) return
  if (typeof path !== 'string' || path === '') throw new OptionsError('keyringPath', path, 'must be the path of a file')
  if (secretKey !== undefined) throw new OptionsError('secretKey', '(hidden)', 'must not stand beside keyringPath')
  if (host !== undefined && host.storage === undefined) {
    throw new OptionsError('keyringPath', path, 'needs a host that has a storage')
  }
}

function checkVerify(incoming: unknown, outgoing: unknown): void {
  checkBoolean('verifyIncoming', incoming)
  checkBoolean('verifyOutgoing', outgoing)
  if (incoming && !outgoing) {
    throw new OptionsError(
      'verifyOutgoing',
      outgoing,
      'must be true where verifyIncoming is: our own kind would not be heard',
    )
  }
}

function readKey(key: unknown, option: string): Uint8Array {
  // Anything else would pass for bytes: a number for so many zeros.
  if (typeof key === 'string' || key instanceof Uint8Array) return parseKey(key, option)
  throw new OptionsError(option, '(hidden)', 'must be 16, 24 or 32 bytes, or their base64')
}

function resolveCidrs(texts: unknown): readonly Cidr[] | undefined {
  if (texts === undefined) return undefined
  if (!Array.isArray(texts) || texts.length > MAX_CIDRS) {
    throw new OptionsError('allowedCidrs', texts, `must be a list of at most ${MAX_CIDRS} ranges like '10.0.0.0/8'`)
  }
  const cidrs = texts.map((text: unknown, at) => {
    const cidr = typeof text === 'string' ? parseCidr(text) : undefined
    if (cidr !== undefined) return cidr
    throw new OptionsError(`allowedCidrs[${at}]`, text, "must be a range like '10.0.0.0/8' or 'fd00::/8'")
  })
  return Object.freeze(cidrs)
}

function resolveLabel(label: unknown): Uint8Array {
  if (label === undefined) return NO_BYTES
  const bytes = typeof label === 'string' ? utf8(label) : undefined
  if (bytes === undefined || bytes.length > MAX_LABEL_BYTES) {
    throw new OptionsError('label', label, `must be text of at most ${MAX_LABEL_BYTES} bytes`)
  }
  return bytes
}
