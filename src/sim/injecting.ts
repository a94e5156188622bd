// Brings faults about in a cluster of real members, and ends them: of each it knows whether it can happen as things stand (a dead
// process does not pause), and counts what did happen. Faults overlap: links and processes are at every moment what all of those make of
// them that are under way. Whom a member knows is none of its business.
import { OptionsError } from '../base/errors.ts'
import type { Membership } from '../membership.ts'
import type { Cluster } from './cluster.ts'
import type { DiskFault } from './disk.ts'
import { type DiskFate, type Fault, nameOf } from './faults.ts'
import type { CutKind, LinkOptions } from './links.ts'

/** Links without a fault. */
const SOUND = {
  latencyMs: { minMs: 0.2, maxMs: 1 },
  lossRatio: 0,
  duplicateRatio: 0,
  reorderRatio: 0,
  reorderMs: 10,
  maxPacketBytes: 65_507,
} as const satisfies Required<LinkOptions>

/** So many run at every moment at least. */
const LEAST_RUNNING = 2
const PORT = 7946

type Of<Kind extends Fault['kind']> = Extract<Fault, { kind: Kind }>

interface Seat {
  readonly name: string
  state: 'up' | 'leaving' | 'left' | 'down'
  /** Counts restarts: a pause is of one life. */
  life: number
  isPaused: boolean
}

/** A call whose end is waited for when all is over. */
interface Call {
  readonly what: string
  readonly member: Membership
  isOver: boolean
}

export class Injecting {
  /** What happened, in words, and how often. */
  readonly counts: Map<string, number> = new Map()
  readonly #cluster: Cluster
  readonly #seats: Seat[] = []
  /** Under way, each with the life of its member when it began. */
  readonly #active = new Map<Fault, number>()
  readonly #calls: Call[] = []
  /** What was last made so. */
  readonly #applied = new Map<string, string>()
  #asked = 0

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    for (const name of cluster.names) this.#seats.push({ name, state: 'up', life: 0, isPaused: false })
  }

  /** Names of those that run and were not asked to leave. */
  get running(): readonly string[] {
    return this.#seats.filter(({ state }) => state === 'up').map(({ name }) => name)
  }

  /** True while somebody's goodbye is under way. */
  get isLeaving(): boolean {
    return this.#seats.some((seat) => seat.state === 'leaving' && !this.#hasLeft(seat))
  }

  /** Calls that have not ended, of members that still run. */
  get openCalls(): readonly string[] {
    return this.#calls.filter(({ isOver, member }) => !isOver && this.#isLive(member)).map(({ what }) => what)
  }

  /** Begins a fault. What cannot be as things stand does not happen, and is not counted. */
  async begin(fault: Fault): Promise<void> {
    await this.#noteLeft()
    if (!this.#start(fault)) return
    this.count(nameOf(fault))
    if ('forMs' in fault) {
      this.#active.set(fault, 'member' in fault ? this.#seat(fault.member).life : 0)
      this.#applyAll()
    } else this.#active.set(fault, 0)
  }

  /** Ends one that was begun. */
  async end(fault: Fault): Promise<void> {
    await this.#noteLeft()
    if (!this.#active.delete(fault)) return
    if (fault.kind === 'crash' && this.#seat(fault.member).state === 'down') {
      await this.#restart(fault.member, fault.disk ?? 'kept', fault.alone ?? false)
    } else if (fault.kind === 'leave') await this.#return(fault)
    else this.#applyAll()
  }

  /** Ends all of them. Who was to come back later comes back now. */
  async endAll(): Promise<void> {
    await this.#noteLeft()
    for (const fault of [...this.#active.keys()]) if ('forMs' in fault) this.#active.delete(fault)
    this.#applyAll()
    for (const fault of [...this.#active.keys()]) {
      const isBack =
        (fault.kind === 'crash' && fault.downMs !== undefined) || (fault.kind === 'leave' && fault.awayMs !== undefined)
      if (isBack) await this.end(fault)
      else this.#active.delete(fault)
    }
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }

  /** Lets go those whose goodbye is over. */
  async #noteLeft(): Promise<void> {
    for (const seat of this.#seats) {
      if (seat.state !== 'leaving' || !this.#hasLeft(seat)) continue
      seat.state = 'left'
      await this.#cluster.leave(seat.name) // it has left: the cluster takes note
    }
  }

  /** Closed, and nothing is open any more: a close does not wait for a disk that is stuck, and its file stays open until that is mended. */
  #hasLeft(seat: Seat): boolean {
    return this.#member(seat).status === 'closed' && this.#cluster.host(seat.name).leftovers === ''
  }

  /** True where it happened. */
  #start(fault: Fault): boolean {
    switch (fault.kind) {
      case 'crash':
        return this.#crash(fault)
      case 'leave':
        return this.#leave(fault)
      case 'tags':
        return this.#ask(fault.member, 'sets its tags', (member) => member.setTags({ value: fault.value }))
      case 'event':
        return this.#ask(fault.member, undefined, (member) => {
          this.#asked++
          member.sendEvent(`event-${this.#asked % 4}`, `${fault.member}/${this.#asked}`, { coalesce: fault.coalesce })
        })
      case 'query':
        return this.#ask(fault.member, 'asks all', (member) => {
          this.#asked++
          return member.query(`query-${this.#asked % 4}`, `${fault.member}/${this.#asked}`).collect()
        })
      case 'force-leave':
        return this.#forceLeave(fault)
      case 'pause':
      case 'lag':
      case 'slow':
        return this.#isUp(this.#seat(fault.member))
      default:
        return true
    }
  }

  #crash({ member, how }: Of<'crash'>): boolean {
    const seat = this.#seat(member)
    const isThere = seat.state === 'up' || seat.state === 'leaving'
    if (!isThere || (seat.state === 'up' && this.running.length <= LEAST_RUNNING)) return false
    this.#cluster.crash(seat.name, { how })
    seat.state = 'down'
    seat.isPaused = false
    return true
  }

  #leave({ member }: Of<'leave'>): boolean {
    const seat = this.#seat(member)
    if (this.running.length <= LEAST_RUNNING) return false
    if (!this.#ask(member, 'leaves', (leaving) => leaving.leave())) return false
    seat.state = 'leaving'
    return true
  }

  async #return(fault: Of<'leave'>): Promise<void> {
    const seat = this.#seat(fault.member)
    if (seat.state === 'leaving')
      this.#active.set(fault, 0) // not gone yet: at the end then
    else if (seat.state === 'left') await this.#restart(fault.member, fault.disk ?? 'kept', false)
  }

  #forceLeave({ member, about, prune }: Of<'force-leave'>): boolean {
    const { name } = this.#seat(about)
    if (member === about) return false
    return this.#ask(member, `declares ${name} to have left`, (operator) => operator.forceLeave(name, { prune }))
  }

  async #restart(number: number, disk: DiskFate, alone: boolean): Promise<void> {
    const seat = this.#seat(number)
    this.#cluster.disk(seat.name).mend() // somebody has seen to it
    this.#applied.delete(`disk ${number}`)
    for (const fault of this.#active.keys())
      if (fault.kind === 'disk' && fault.member === number) this.#active.delete(fault)
    await this.#cluster.restart(seat.name, { joins: false, disk })
    this.count(`restart: disk ${disk}${alone ? ', finds back alone' : ''}`)
    seat.state = 'up'
    seat.life++
    if (!alone) {
      const seeds = this.#seats.flatMap((other, at) => (other === seat ? [] : [`10.0.0.${at + 1}:${PORT}`]))
      this.#call(`${seat.name} joins`, this.#member(seat), this.#member(seat).join(seeds))
    }
  }

  /** True where the member can be asked. */
  #ask(number: number, what: string | undefined, ask: (member: Membership) => unknown): boolean {
    const seat = this.#seat(number)
    const member = this.#member(seat)
    if (!this.#isUp(seat) || seat.isPaused || member.status !== 'running') return false
    const asked = ask(member)
    if (what !== undefined) this.#call(`${seat.name} ${what}`, member, Promise.resolve(asked))
    return true
  }

  #call(what: string, member: Membership, promise: Promise<unknown>): void {
    const call: Call = { what, member, isOver: false }
    this.#calls.push(call)
    const end = (): void => {
      call.isOver = true
    }
    promise.then(end, end) // how it ends is the caller's: told too slowly, closed meanwhile
  }

  #isLive(member: Membership): boolean {
    return this.#seats.some((seat) => seat.state !== 'down' && this.#member(seat) === member)
  }

  // ---- what is under way, put together ------------------------------------------------------------------------------

  #applyAll(): void {
    this.#applyLinks()
    this.#applyCuts()
    for (const [at, seat] of this.#seats.entries()) this.#applyMember(seat, at + 1)
  }

  #applyLinks(): void {
    let everywhere: Required<LinkOptions> = SOUND
    for (const fault of this.#active.keys()) everywhere = { ...everywhere, ...changeOf(fault, undefined) }
    this.#seats.forEach((to, at) => {
      let towards: Required<LinkOptions> = everywhere
      for (const fault of this.#active.keys()) towards = { ...towards, ...changeOf(fault, at + 1) }
      for (const from of this.#seats) {
        if (from === to) continue
        this.#put(`link ${from.name} ${to.name}`, towards, SOUND, () => this.#cluster.link(from.name, to.name, towards))
      }
    })
  }

  #applyCuts(): void {
    const cuts = new Map<Seat, Map<Seat, CutKind>>()
    const add = (from: number, to: number, kind: CutKind): void => {
      const row = cuts.get(this.#seat(from)) ?? new Map<Seat, CutKind>()
      cuts.set(this.#seat(from), row)
      // Of two cuts the one that cuts more counts.
      if (row.get(this.#seat(to)) !== 'all') row.set(this.#seat(to), kind)
    }
    for (const fault of this.#active.keys()) addCuts(fault, this.#seats.length, add)
    for (const from of this.#seats) {
      for (const to of this.#seats) {
        const kind = cuts.get(from)?.get(to)
        this.#put(`cut ${from.name} ${to.name}`, kind ?? 'none', 'none', () => {
          if (kind === undefined) this.#cluster.simulation.network.links.heal(from.name, to.name)
          else this.#cluster.cut(from.name, to.name, { isOneWay: true, kind })
        })
      }
    }
  }

  #applyMember(seat: Seat, number: number): void {
    const own = [...this.#active].filter(([fault]) => 'member' in fault && fault.member === number)
    const isPaused = own.some(([fault, life]) => fault.kind === 'pause' && life === seat.life) && this.#isUp(seat)
    if (isPaused && !seat.isPaused) this.#cluster.pause(seat.name)
    if (!isPaused && seat.isPaused && this.#isUp(seat)) this.#cluster.resume(seat.name)
    seat.isPaused = isPaused
    let [lag, slow, drift] = [0, 0, 1]
    let disk: DiskFault | 'none' = 'none'
    for (const [fault] of own) {
      if (fault.kind === 'lag') lag = fault.ms
      else if (fault.kind === 'slow') slow = fault.perPacketMs
      else if (fault.kind === 'drift') drift = fault.ratio
      else if (fault.kind === 'disk') disk = fault.fault
    }
    this.#put(`lag ${number}`, lag, 0, () => this.#cluster.lag(seat.name, lag))
    this.#put(`slow ${number}`, slow, 0, () => this.#cluster.slow(seat.name, slow))
    this.#put(`drift ${number}`, drift, 1, () => this.#cluster.drift(seat.name, drift))
    this.#put(`disk ${number}`, disk, 'none', () => {
      this.#cluster.disk(seat.name).fault = disk === 'none' ? undefined : disk
    })
  }

  /** Does what makes it so, where it is not so already. */
  #put(what: string, value: unknown, sound: unknown, make: () => void): void {
    const key = JSON.stringify(value)
    if (key === (this.#applied.get(what) ?? JSON.stringify(sound))) return
    this.#applied.set(what, key)
    make()
  }

  #isUp(seat: Seat): boolean {
    return seat.state === 'up' || seat.state === 'leaving'
  }

  #member(seat: Seat): Membership {
    return this.#cluster.member(seat.name)
  }

  #seat(number: number): Seat {
    const seat = this.#seats[number - 1]
    if (seat === undefined) throw new OptionsError('member', number, `from 1 to ${this.#seats.length}`)
    return seat
  }
}

/** What a fault makes of links: of all of them where `towards` is undefined, else of those towards that member. */
function changeOf(fault: Fault, towards: number | undefined): LinkOptions {
  const at = 'towards' in fault ? fault.towards : undefined
  if (at !== towards) return {}
  switch (fault.kind) {
    case 'loss':
      return { lossRatio: fault.ratio }
    case 'duplication':
      return { duplicateRatio: fault.ratio }
    case 'reordering':
      return { reorderRatio: fault.ratio, reorderMs: { minMs: 0, maxMs: fault.ms } }
    case 'latency':
      return { latencyMs: { minMs: fault.minMs, maxMs: fault.maxMs } }
    case 'mtu':
      return { maxPacketBytes: fault.bytes }
    default:
      return {}
  }
}

/** Each direction that a fault cuts. */
function addCuts(fault: Fault, members: number, add: (from: number, to: number, kind: CutKind) => void): void {
  if (fault.kind === 'cut') {
    add(fault.from, fault.to, fault.cuts)
    if (!fault.isOneWay) add(fault.to, fault.from, fault.cuts)
  } else if (fault.kind === 'isolate') {
    for (let other = 1; other <= members; other++) {
      if (other === fault.member) continue
      if (fault.side !== 'out') add(other, fault.member, fault.cuts)
      if (fault.side !== 'in') add(fault.member, other, fault.cuts)
    }
  } else if (fault.kind === 'partition') {
    fault.groups.forEach((group, at) => {
      const others = fault.groups.filter((_, index) => index !== at).flat()
      for (const from of group) for (const to of others) add(from, to, 'all')
    })
  }
}
