// The verbs of a cluster that break things between its members and on their machines, and mend them. Each acts at once, writes itself into
// the transcript, and is counted; what a fault did is in the counters of the network (traffic.ts) and of the disks. Knows machines
// by name, and no members: processes are cluster.ts's.
import { checkBoolean, checkKeys, checkObject } from '../base/check.ts'
import { OptionsError } from '../base/errors.ts'
import type { SimDisk } from './disk.ts'
import { checkLatency, type Latency, latencyInWords } from './latency.ts'
import { type CutKind, type LinkOptions, linkInWords } from './links.ts'
import type { Simulation } from './simulation.ts'
import type { Station } from './station.ts'

export interface CutOptions {
  /** Only what goes from the first to the second is cut. Default false. */
  readonly isOneWay?: boolean
  /** `packets` lets streams through. Default `all`. */
  readonly kind?: CutKind
}

/** Something that is done to a cluster. `disk` counts each fault of a disk. */
export type FaultVerb =
  | 'crash'
  | 'restart'
  | 'leave'
  | 'pause'
  | 'cut'
  | 'partition'
  | 'link'
  | 'lag'
  | 'slow'
  | 'drift'
  | 'disk'

/** Above a minute a packet, a process is stopped rather than slow. */
const MAX_SLOW_MS = 60_000

export abstract class FaultVerbs {
  abstract readonly simulation: Simulation
  /** How often each was called for. `link` counts `links` too; what only mends is not counted. */
  readonly injected: Record<FaultVerb, number> = {
    crash: 0,
    restart: 0,
    leave: 0,
    pause: 0,
    cut: 0,
    partition: 0,
    link: 0,
    lag: 0,
    slow: 0,
    drift: 0,
    disk: 0,
  }

  /** The machine of that name. Throws where there is none. */
  protected abstract station(name: string): Station
  /** The same where a process must run on it. */
  protected abstract runningStation(name: string): Station

  /** Stops a process: what comes due or arrives waits, packets as long as its socket buffer takes them. */
  pause(name: string): void {
    const { loop } = this.runningStation(name)
    this.note(name, 'paused')
    this.injected.pause++
    loop.pause()
  }

  /** Lets it go on: first the timers that are late, then what has arrived. */
  resume(name: string): void {
    const { loop } = this.runningStation(name)
    this.note(name, 'resumed')
    loop.resume()
  }

  /** Cuts the link between two members. What is under way still arrives. Packets that are sent from now on are lost, streams stall: they go
   *  on after a `heal`, and fail after a quarter of an hour without. */
  cut(from: string, to: string, options: CutOptions = {}): void {
    checkObject('options', options)
    checkKeys(options, ['isOneWay', 'kind'])
    const { isOneWay = false, kind = 'all' } = options
    checkBoolean('isOneWay', isOneWay)
    if (kind !== 'all' && kind !== 'packets') throw new OptionsError('kind', kind, `'all' or 'packets'`)
    const [one, other] = [this.station(from).name, this.station(to).name]
    if (one === other) throw new OptionsError('to', to, 'another member: each reaches itself whatever is cut')
    this.note('*', `cut ${from} ${isOneWay ? '->' : '<->'} ${to}${kind === 'all' ? '' : `, ${kind} only`}`)
    this.injected.cut++
    this.#cut(one, other, isOneWay, kind)
  }

  /** Cuts every link between members of different groups. Members in no group keep theirs. */
  partition(groups: readonly (readonly string[])[]): void {
    if (!Array.isArray(groups) || !groups.every((group) => Array.isArray(group)))
      throw new OptionsError('groups', groups, 'lists of names, such as [["m-1"], ["m-2", "m-3"]]')
    const names = groups.flat()
    for (const name of names) this.station(name)
    const twice = names.find((name, at) => names.indexOf(name) !== at)
    if (twice !== undefined)
      throw new OptionsError('groups', groups, `each member in one group, and ${twice} is in two`)
    this.note('*', `partition ${groups.map((group) => group.join(' ')).join(' | ')}`)
    this.injected.partition++
    groups.forEach((group, index) => {
      const others = groups.slice(index + 1).flat()
      for (const from of group) for (const to of others) this.#cut(from, to, false, 'all')
    })
  }

  /** Ends cuts: those between two members, in both directions; those of one member; without arguments, every one. */
  heal(one?: string, other?: string): void {
    const { links } = this.simulation.network
    const names = [one, other].filter((name) => name !== undefined).map((name) => this.station(name).name)
    this.note('*', ['heal', names.join(' <-> ')].join(' ').trimEnd())
    links.heal(...names)
    if (names.length === 2) links.heal(...names.reverse())
  }

  /** Gives the link from one member to another, in this direction, properties of its own; what is left out stays as it is. */
  link(from: string, to: string, options: LinkOptions): void {
    const { links } = this.simulation.network
    links.set(this.station(from).name, this.station(to).name, options)
    this.injected.link++
    this.note('*', `link ${from} -> ${to}: ${linkInWords(options)}`)
  }

  /** Changes what holds for every link that has no properties of its own; what is left out stays as it is. */
  links(options: LinkOptions): void {
    this.simulation.network.links.setDefault(options)
    this.injected.link++
    this.note('*', `links: ${linkInWords(options)}`)
  }

  /** What arrives at a member, packets and pieces of streams, is handed to it so much later, in order, while its timers are on time:
   *  a process whose reader starves. 0 ends it. It holds for the machine, restarts or not, as do the next two. */
  lag(name: string, latency: Latency): void {
    const { loop } = this.station(name)
    loop.lag = checkLatency('latency', latency)
    if (latency !== 0) this.injected.lag++
    this.note(name, latency === 0 ? 'reads in time' : `reads late: ${latencyInWords(latency)}`)
  }

  /** A member takes so long over each packet and each piece of a stream, one after the other; the next ones wait in its socket buffer, and
   *  packets that do not fit are lost. Its timers wait while it works, and come between turns of 32 things at most. 0 ends it.
   *  @param perPacketMs 0 to 60,000 */
  slow(name: string, perPacketMs: number): void {
    const { loop } = this.station(name)
    if (!(perPacketMs >= 0 && perPacketMs <= MAX_SLOW_MS))
      throw new OptionsError('perPacketMs', perPacketMs, `from 0 to ${MAX_SLOW_MS}`)
    loop.slowMs = perPacketMs
    if (perPacketMs > 0) this.injected.slow++
    this.note(name, perPacketMs === 0 ? 'works fast' : `works ${perPacketMs} ms on each packet`)
  }

  /** The clock of a member's machine runs `ratio` times as fast, timers included: it does not jump.
   *  @param ratio 0.1 to 10; 1 is a true clock */
  drift(name: string, ratio: number): void {
    this.station(name).clock.ratio = ratio
    if (ratio !== 1) this.injected.drift++
    this.note(name, ratio === 1 ? 'clock runs true' : `clock runs ${ratio} times as fast`)
  }

  /** The disk of a member's machine, whose faults are verbs of its own: `fill`, `makeReadOnly`, `failSyncs`, `stick`, `mend`, `erase`. */
  disk(name: string): SimDisk {
    return this.station(name).disk
  }

  protected note(who: string, what: string): void {
    this.simulation.transcript.note(who, what)
  }

  #cut(one: string, other: string, isOneWay: boolean, kind: CutKind): void {
    const { links } = this.simulation.network
    links.cut(one, other, kind)
    if (!isOneWay) links.cut(other, one, kind)
  }
}
