// The members as a host sees them, and the one place that projects both tables, SWIM's and Serf's, into `member.state`.
// SWIM says who answers; Serf adds what was intended, and remembers for a day whom SWIM has long forgotten.
//
//   Serf status   alive               leaving     left    failed
//   SWIM status   alive    suspect    any         any     any
//   member.state  'alive'  'suspect'  'leaving'   'left'  'dead'

import { assert } from '../base/assert.ts'
import { ByteMemo, crowdMemo, crowdSize } from '../base/byte-memo.ts'
import { sameBytes } from '../base/bytes.ts'
import type { MemberRecord } from '../swim/member.ts'
import { decodeTags } from '../wire/tags.ts'

/** Where a member stands. Suspects are members still, and may refute. */
export type MemberState = 'alive' | 'suspect' | 'leaving' | 'left' | 'dead'

/** Tags as they travel: texts by name. */
export type RawTags = Readonly<Record<string, string>>

/** What `member.tags` is: the tags as they travel where nothing validates them, else what the validator made of them, or nothing. */
export type TagsOf<Tags> = [Tags] extends [undefined] ? RawTags : Tags | undefined

/** A frozen snapshot of one member. `Tags` is what `validateTags` gives, or nothing without it. */
export interface Member<Tags = undefined> {
  /** Unique in the cluster. */
  readonly name: string
  readonly state: MemberState
  /** What it says of itself: as its owner chose it, or, with `validateTags`, what that made of it; `undefined` where it does not fit. */
  readonly tags: TagsOf<Tags>
  /** What it says of itself as it came; the same as `tags` where nothing validates them. */
  readonly rawTags: RawTags
  /** `host:port`, brackets around IPv6: where its gossip is reached. */
  readonly address: string
  /** The IP address alone. */
  readonly host: string
  readonly port: number
  /** Raised by the member itself each time it refutes or changes. */
  readonly incarnation: number
  /** True for our own entry. */
  readonly isSelf: boolean
  /** Serf's protocol versions. */
  readonly protocol: { readonly min: number; readonly max: number; readonly current: number }
}

/** A member as the protocol handles it: what became of its tags is the user's. What we read is `rawTags`. */
export type AnyMember = Member<unknown>

/** Makes of a member's tags what the user wants to see. Must not throw. */
export type ReadTags = (rawTags: RawTags, name: string) => unknown

/** Serf's word for where a member stands. */
export type SerfStatus = 'alive' | 'leaving' | 'left' | 'failed'

/** What Serf holds of a member beside SWIM's record. Mutable; changed by `swim-delegate.ts`, `intents.ts` and `overdue.ts`. */
export interface SerfRecord {
  readonly name: string
  /** SWIM's record, or the last one it had. */
  swim: MemberRecord
  /** Changed by `SerfMembers.mark`. */
  readonly status: SerfStatus
  /** Lamport time of the last intent accepted. */
  statusLtime: number
  /** Of one that left, where its newer join was heard and it itself was not yet: the time before that join. For a minute; see `overdue.ts`. */
  leftLtime?: number | undefined
  /** When it became left or failed. */
  goneAt: number
  /** When a conflict about its name was last told, if ever. */
  conflictToldAt: number | undefined
}

/** A record, and how a host saw it last: one object, since a cluster of thousands in one process holds millions. */
interface Entry extends SerfRecord {
  status: SerfStatus
  view: AnyMember
  /** The metadata that the tags of `view` were read from. */
  meta: Uint8Array
}

/** What views have alike, of the whole process: nobody changes it, and in one that runs many members each of them holds all others. */
const tagsByMeta = crowdMemo<RawTags>(2)
const protocolByVersions = new ByteMemo<AnyMember['protocol']>(64)
/** The newest of each member, as others see it whose tags nobody validates: a few for each head of the largest cluster that is known. */
const lastViews = new Map<string, AnyMember>()

const NONE: readonly SerfRecord[] = []

/** All members by name, whatever their state. */
export class SerfMembers {
  readonly #selfName: string
  readonly #readTags: ReadTags
  readonly #entries = new Map<string, Entry>()
  /** How many of them are gone. */
  #gone = 0

  /** @param readTags asked once for each change of a member's metadata; by default tags are as they came */
  constructor(selfName: string, readTags: ReadTags = (rawTags) => rawTags) {
    this.#selfName = selfName
    this.#readTags = readTags
  }

  get size(): number {
    return this.#entries.size
  }

  /** How many are neither dead nor left. */
  get presentSize(): number {
    return this.#entries.size - this.#gone
  }

  get(name: string): SerfRecord | undefined {
    return this.#entries.get(name)
  }

  /** Takes a member in; its record is from now on what `get` gives. */
  add(record: SerfRecord): void {
    const { name, swim, status, statusLtime, leftLtime, goneAt, conflictToldAt } = record
    assert(!this.#entries.has(name), 'a member is taken in once')
    if (isGone(record)) this.#gone++
    const { meta } = swim
    const view = this.#project(record, this.#tagsIn(record))
    this.#entries.set(name, { name, swim, status, statusLtime, leftLtime, goneAt, conflictToldAt, view, meta })
  }

  delete(name: string): void {
    const entry = this.#entries.get(name)
    if (entry === undefined) return
    if (isGone(entry)) this.#gone--
    this.#entries.delete(name)
  }

  /** Says where a member stands from now on. @param record as `get` gave it */
  mark(record: SerfRecord, status: SerfStatus): void {
    const entry = this.#entries.get(record.name)
    assert(entry === record, 'who is marked is a member')
    if (isGone(entry)) this.#gone--
    entry.status = status
    if (isGone(entry)) this.#gone++
  }

  /** Those that are dead or left, in the order of their coming. Free where there are none: this is asked every few seconds. */
  gone(): readonly SerfRecord[] {
    if (this.#gone === 0) return NONE
    const gone: SerfRecord[] = []
    for (const entry of this.#entries.values()) if (isGone(entry)) gone.push(entry)
    return gone
  }

  records(): IterableIterator<SerfRecord> {
    return this.#entries.values()
  }

  /** The member as it stands, projected anew where anything changed since the last look. */
  view(name: string): AnyMember | undefined {
    const entry = this.#entries.get(name)
    if (entry === undefined) return undefined
    const { view, meta, swim } = entry
    // First, so that a validator that looks around is not asked again: it finds the member as it was.
    entry.meta = swim.meta
    if (meta !== swim.meta && !sameBytes(meta, swim.meta)) {
      entry.view = this.#project(entry, this.#tagsIn(entry))
    } else if (
      view.state !== stateOf(entry) ||
      view.incarnation !== swim.incarnation ||
      view.address !== swim.address.key ||
      view.protocol.min !== swim.vsn[3] ||
      view.protocol.max !== swim.vsn[4] ||
      view.protocol.current !== swim.vsn[5]
    ) {
      entry.view = this.#project(entry, view)
    }
    return entry.view
  }

  /** The member as it stood when it was last looked at. */
  lastView(name: string): AnyMember | undefined {
    return this.#entries.get(name)?.view
  }

  /** Everyone, ourselves included. */
  views(): AnyMember[] {
    return [...this.#entries.keys()].map((name) => this.view(name) as AnyMember)
  }

  #tagsIn({ name, swim }: SerfRecord): Pick<AnyMember, 'tags' | 'rawTags'> {
    const rawTags = tagsByMeta.find(swim.meta) ?? tagsByMeta.keep(swim.meta, decodeTags(swim.meta).tags)
    return { tags: this.#readTags(rawTags, name), rawTags }
  }

  #project(record: SerfRecord, { tags, rawTags }: Pick<AnyMember, 'tags' | 'rawTags'>): AnyMember {
    const { name } = record
    const { address, incarnation, vsn } = record.swim
    const state = stateOf(record)
    const isSelf = name === this.#selfName
    const protocol = protocolByVersions.find(vsn) ?? protocolByVersions.keep(vsn, protocolOf(vsn))
    // What a user's function made of the tags is the user's, and kept for nobody else.
    const isShared = !isSelf && tags === rawTags
    const last = isShared ? lastViews.get(name) : undefined
    const isSame =
      last?.state === state &&
      last.rawTags === rawTags &&
      last.address === address.key &&
      last.incarnation === incarnation &&
      last.protocol === protocol
    if (isSame) return last
    const { key, host, port } = address
    const view = Object.freeze({
      name,
      state,
      tags,
      rawTags,
      address: key,
      host,
      port,
      incarnation,
      isSelf,
      protocol,
    })
    if (isShared) keepView(view)
    return view
  }
}

function keepView(view: AnyMember): void {
  // All at once.
  if (lastViews.size >= 4 * crowdSize()) lastViews.clear()
  lastViews.set(view.name, view)
}

function isGone({ status }: SerfRecord): boolean {
  return status === 'failed' || status === 'left'
}

function protocolOf(vsn: Uint8Array): AnyMember['protocol'] {
  return Object.freeze({ min: vsn[3] as number, max: vsn[4] as number, current: vsn[5] as number })
}

function stateOf(record: SerfRecord): MemberState {
  if (record.status === 'failed') return 'dead'
  if (record.status !== 'alive') return record.status
  return record.swim.status === 'suspect' ? 'suspect' : 'alive'
}
