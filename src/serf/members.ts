// The members as a host sees them, and the one place that projects both tables, SWIM's and Serf's, into `member.state`.
// SWIM says who answers; Serf adds what was intended, and remembers for a day whom SWIM has long forgotten.
//
//   Serf status   alive               leaving     left    failed
//   SWIM status   alive    suspect    any         any     any
//   member.state  'alive'  'suspect'  'leaving'   'left'  'dead'
import { sameBytes } from '../base/bytes.ts'
import type { MemberRecord } from '../swim/member.ts'
import { decodeTags } from '../wire/tags.ts'

/** Where a member stands. Suspects are members still, and may refute. */
export type MemberState = 'alive' | 'suspect' | 'leaving' | 'left' | 'dead'

/** A frozen snapshot of one member. */
export interface Member {
  /** Unique in the cluster. */
  readonly name: string
  readonly state: MemberState
  /** What it says of itself; keys and values as its owner chose them. */
  readonly tags: Readonly<Record<string, string>>
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

/** Serf's word for where a member stands. */
export type SerfStatus = 'alive' | 'leaving' | 'left' | 'failed'

/** What Serf holds of a member beside SWIM's record. Mutable; changed by `swim-delegate.ts`, `intents.ts` and `departure.ts`. */
export interface SerfRecord {
  readonly name: string
  /** SWIM's record, or the last one it had. */
  swim: MemberRecord
  status: SerfStatus
  /** Lamport time of the last intent accepted. */
  statusLtime: number
  /** Of one that left, where its newer join was heard and it itself was not yet: the time before that join. */
  leftLtime?: number | undefined
  /** When it became left or failed. */
  goneAt: number
  /** When a conflict about its name was last told; -Infinity at first. */
  conflictToldAt: number
}

interface Entry {
  readonly record: SerfRecord
  view: Member
  /** The metadata that `view.tags` were read from. */
  meta: Uint8Array
}

/** All members by name, whatever their state. */
export class SerfMembers {
  readonly #selfName: string
  readonly #entries = new Map<string, Entry>()

  constructor(selfName: string) {
    this.#selfName = selfName
  }

  get size(): number {
    return this.#entries.size
  }

  get(name: string): SerfRecord | undefined {
    return this.#entries.get(name)?.record
  }

  add(record: SerfRecord): void {
    const { tags } = decodeTags(record.swim.meta)
    this.#entries.set(record.name, { record, view: this.#project(record, tags), meta: record.swim.meta })
  }

  delete(name: string): void {
    this.#entries.delete(name)
  }

  *records(): IterableIterator<SerfRecord> {
    for (const { record } of this.#entries.values()) yield record
  }

  /** The member as it stands, projected anew where anything changed since the last look. */
  view(name: string): Member | undefined {
    const entry = this.#entries.get(name)
    if (entry === undefined) return undefined
    const { record, view } = entry
    const { swim } = record
    if (entry.meta !== swim.meta && !sameBytes(entry.meta, swim.meta)) {
      entry.view = this.#project(record, decodeTags(swim.meta).tags)
    } else if (
      view.state !== stateOf(record) ||
      view.incarnation !== swim.incarnation ||
      view.address !== swim.address.key ||
      view.protocol.min !== swim.vsn[3] ||
      view.protocol.max !== swim.vsn[4] ||
      view.protocol.current !== swim.vsn[5]
    ) {
      entry.view = this.#project(record, view.tags)
    }
    entry.meta = swim.meta
    return entry.view
  }

  /** The member as it stood when it was last looked at. */
  lastView(name: string): Member | undefined {
    return this.#entries.get(name)?.view
  }

  /** Everyone, ourselves included. */
  views(): Member[] {
    return [...this.#entries.keys()].map((name) => this.view(name) as Member)
  }

  #project(record: SerfRecord, tags: Readonly<Record<string, string>>): Member {
    const { address, incarnation, vsn } = record.swim
    return Object.freeze({
      name: record.name,
      state: stateOf(record),
      tags,
      address: address.key,
      host: address.host,
      port: address.port,
      incarnation,
      isSelf: record.name === this.#selfName,
      protocol: Object.freeze({ min: vsn[3] as number, max: vsn[4] as number, current: vsn[5] as number }),
    })
  }
}

function stateOf(record: SerfRecord): MemberState {
  if (record.status === 'failed') return 'dead'
  if (record.status !== 'alive') return record.status
  return record.swim.status === 'suspect' ? 'suspect' : 'alive'
}
