// Faults as plain data, so that a run can be printed, replayed, shrunk and held by a test; and what each is, in words to count by. Who
// brings them about is injecting.ts, who makes them up schedules.ts. Members are numbers: 1 is `m-1`. Times are true milliseconds.
import type { DiskFault } from './disk.ts'
import type { CutKind } from './links.ts'

interface At {
  /** When it begins, from the moment when the cluster stands. */
  readonly atMs: number
}

interface Lasting extends At {
  readonly forMs: number
}

interface OfMember {
  readonly member: number
}

/** What becomes of a machine's disk between two lives. */
export type DiskFate = 'kept' | 'lost'

/** One thing that happens to a cluster. What lasts ends by itself, or with the faults of the run. */
export type Fault =
  /** The process is gone; back after `downMs`, or never where it is absent. `alone`: it is told no seeds, and finds back by its snapshot. */
  | (At &
      OfMember & {
        readonly kind: 'crash'
        readonly how: 'killed' | 'unplugged'
        readonly downMs?: number
        readonly disk?: DiskFate
        readonly alone?: boolean
      })
  /** It says goodbye; back after `awayMs`, or never where that is absent. */
  | (At & OfMember & { readonly kind: 'leave'; readonly awayMs?: number; readonly disk?: DiskFate })
  | (Lasting & OfMember & { readonly kind: 'pause' })
  | (Lasting & OfMember & { readonly kind: 'lag'; readonly ms: number })
  | (Lasting & OfMember & { readonly kind: 'slow'; readonly perPacketMs: number })
  | (Lasting & OfMember & { readonly kind: 'drift'; readonly ratio: number })
  /** Between two members. */
  | (Lasting & {
      readonly kind: 'cut'
      readonly from: number
      readonly to: number
      readonly isOneWay: boolean
      readonly cuts: CutKind
    })
  /** Between a member and all others: what it hears, what it says, or both. */
  | (Lasting & OfMember & { readonly kind: 'isolate'; readonly side: 'in' | 'out' | 'both'; readonly cuts: CutKind })
  | (Lasting & { readonly kind: 'partition'; readonly groups: readonly (readonly number[])[] })
  /** Everywhere, or only towards a member. */
  | (Lasting & { readonly kind: 'loss'; readonly ratio: number; readonly towards?: number })
  | (Lasting & { readonly kind: 'duplication'; readonly ratio: number })
  | (Lasting & { readonly kind: 'reordering'; readonly ratio: number; readonly ms: number })
  | (Lasting & { readonly kind: 'latency'; readonly minMs: number; readonly maxMs: number; readonly towards?: number })
  | (Lasting & { readonly kind: 'mtu'; readonly bytes: number; readonly towards?: number })
  | (Lasting & OfMember & { readonly kind: 'disk'; readonly fault: DiskFault })
  | (At & OfMember & { readonly kind: 'tags'; readonly value: string })
  | (At & OfMember & { readonly kind: 'event'; readonly coalesce: boolean })
  | (At & OfMember & { readonly kind: 'query' })
  /** An operator at `member` declares that `about` has left, though it may live. */
  | (At & OfMember & { readonly kind: 'force-leave'; readonly about: number; readonly prune: boolean })

export type FaultKind = Fault['kind']

/** Kinds that break something. The others are what members are asked to do meanwhile. */
export const BREAKING: readonly FaultKind[] = [
  'crash',
  'leave',
  'pause',
  'lag',
  'slow',
  'drift',
  'cut',
  'isolate',
  'partition',
  'loss',
  'duplication',
  'reordering',
  'latency',
  'mtu',
  'disk',
  'force-leave',
]

/** The members that a fault names. */
export function membersIn(fault: Fault): readonly number[] {
  switch (fault.kind) {
    case 'cut':
      return [fault.from, fault.to]
    case 'partition':
      return fault.groups.flat()
    case 'force-leave':
      return [fault.member, fault.about]
    case 'loss':
    case 'latency':
    case 'mtu':
      return fault.towards === undefined ? [] : [fault.towards]
    case 'duplication':
    case 'reordering':
      return []
    default:
      return [fault.member]
  }
}

/** How long it lasts; `undefined` of what is over at once, or never ends. */
export function lengthOf(fault: Fault): number | undefined {
  if ('forMs' in fault) return fault.forMs
  if (fault.kind === 'crash') return fault.downMs
  return fault.kind === 'leave' ? fault.awayMs : undefined
}

/** In words to count by: the kind, and what is another fault in effect. */
export function nameOf(fault: Fault): string {
  switch (fault.kind) {
    case 'crash':
      return `crash: ${fault.how}`
    case 'cut':
      return `cut: ${fault.cuts}, ${fault.isOneWay ? 'one way' : 'both ways'}`
    case 'isolate':
      return `isolate: ${fault.cuts}, ${fault.side}`
    case 'disk':
      return `disk: ${fault.fault}`
    default:
      return fault.kind
  }
}
