// A cluster of real members on a simulated network: start, break, heal, wait, look. Each method that lets virtual time pass is
// to be awaited; the others act at once. All chance comes from the seed, so the same script gives the same run. Knows members only
// by their public face; time and network are simulation.ts's.
//
//   const cluster = new Cluster({ seed: 1 })
//   await cluster.start(5)
//   await cluster.settle()
//   cluster.crash('m-3')
//   await cluster.until(() => cluster.allHold('m-3', 'dead'))
//   await cluster.close()
import { checkBoolean, checkKeys, checkObject } from '../base/check.ts'
import { OptionsError, TimeoutError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import type { MembershipEvent } from '../events.ts'
import type { Membership } from '../membership.ts'
import { resolveOptions } from '../options.ts'
import type { MemberState } from '../serf/members.ts'
import { ClusterChecks } from './checks.ts'
import { packetDescriber } from './describe.ts'
import { FaultVerbs } from './fault-verbs.ts'
import type { SimHost } from './host.ts'
import { LINK_OPTIONS } from './links.ts'
import { Seat, type SeatSetup, type ServiceSetup, type SimMemberOptions } from './seat.ts'
import { Simulation, type SimulationError, type SimulationOptions, type WaitOptions } from './simulation.ts'
import type { Station } from './station.ts'
import { settledQuestion, summaryOf, type View, viewOf } from './views.ts'

export type { ServiceSetup, SimMemberOptions }

export interface ClusterOptions<Service = unknown> extends Omit<SimulationOptions, 'describe'> {
  /** For every member, or by name; without `name`, `bind`, `advertise` and `host`, which the cluster gives. */
  readonly options?: SimMemberOptions | ((name: string) => SimMemberOptions)
  /** Members of one `start` begin at moments spread evenly by chance over so many milliseconds; the first at once. Default 1,000. */
  readonly spreadMs?: number
  /** Makes the service that runs beside each member, at each start and restart, before the member starts; `cluster.service(name)` gives it. If it
   *  has a method `close`, that is called before its member leaves or closes; after a crash nothing is called. */
  readonly service?: (setup: ServiceSetup) => Service
  /** `cluster.events` holds what members tell. Default true. A thousand members that join tell of a million joins. */
  readonly keepsEvents?: boolean
  /** Looks at every member after each of its steps, and ends the run where an invariant does not hold; see `INVARIANTS`. Default false. */
  readonly checks?: boolean
}

/** Something a member told. */
export interface ClusterEvent {
  readonly atMs: number
  /** Who told. */
  readonly observer: string
  readonly type: MembershipEvent['type']
  /** The member it is about; of a user event or a query its name; or empty. */
  readonly about: string
}

export interface CrashOptions {
  /** `killed` (default): the process is gone, its machine refuses and resets streams. `unplugged`: nothing answers any more. */
  readonly how?: 'killed' | 'unplugged'
}

export interface RestartOptions extends WaitOptions {
  /** It joins through a running member. Default true; false where it is to find its way back by itself. */
  readonly joins?: boolean
  /** `lost`: it finds an empty disk, that has no fault. Default `kept`. */
  readonly disk?: 'kept' | 'lost'
}

/** As many as 10.0.0.0/16 has addresses for, 250 in each row. */
const MAX_MEMBERS = 64_000
const DEFAULT_SPREAD_MS = 1_000
const SETTLE_EVERY_MS = 50
const OPTION_NAMES: readonly string[] = [
  'seed',
  'options',
  'service',
  'spreadMs',
  'keepsEvents',
  'checks',
  'transcript',
  'bufferBytes',
  'refusesPackets',
  ...LINK_OPTIONS,
]

export class Cluster<Service = unknown> extends FaultVerbs {
  readonly simulation: Simulation
  /** All that members told, in order. */
  readonly events: ClusterEvent[] = []
  readonly #options: ClusterOptions<Service>
  readonly #phases: Random
  readonly #setup: SeatSetup<Service>
  readonly #seats = new Map<string, Seat<Service>>()

  /** @throws OptionsError */
  constructor(options: ClusterOptions<Service>) {
    super()
    checkOptions(options)
    this.#options = options
    // The transcript reads packets with the keys that every member has. A per-member function may give others: then they are not read.
    const common = resolveOptions(typeof options.options === 'function' ? {} : withoutOwn(options.options ?? {}))
    this.simulation = new Simulation({ ...options, describe: packetDescriber(common.label, common.keyring) })
    this.#phases = this.simulation.random('phases')
    const { options: given = {} } = options
    this.#setup = {
      simulation: this.simulation,
      optionsOf: (name) => withoutOwn(typeof given === 'function' ? given(name) : given),
      service: options.service,
      checks: options.checks === true ? new ClusterChecks() : undefined,
      told: (observer, event) => this.#told(observer, event),
    }
  }

  get seed(): number {
    return this.simulation.seed
  }

  /** Virtual milliseconds since the beginning. */
  get now(): number {
    return this.simulation.now
  }

  /** The run so far as text; `options.transcript` says in which detail. */
  get transcript(): string {
    return this.simulation.transcript.toString()
  }

  /** Names of the members that run, in the order of their first start. */
  get names(): readonly string[] {
    return [...this.#seats.values()].filter(({ isRunning }) => isRunning).map(({ name }) => name)
  }

  /** The latest instance of that name, running or not. */
  member(name: string): Membership {
    return this.#seat(name).membership
  }

  /** The host that the latest instance of that name runs on. */
  host(name: string): SimHost {
    return this.#seat(name).host
  }

  /** The service beside the latest instance of that name, as `options.service` made it. */
  service(name: string): Service {
    if (this.#options.service === undefined) throw this.error('there is no service: give the option `service`')
    return this.#seat(name).service as Service
  }

  /** Adds members, by name or so many that are `m-1` and on, at 10.0.0.1:7946 and on. Resolves when each has started and has asked the
   *  first running member to let it in; whom they know by then is for `settle` to wait for.
   *  @throws OptionsError where a name is taken, or the number is none */
  async start(members: number | readonly string[], options: WaitOptions = {}): Promise<void> {
    const { spreadMs = DEFAULT_SPREAD_MS } = this.#options
    const entries: Promise<void>[] = []
    for (const name of this.#newNames(members)) {
      const contact = this.#contact()
      const seat = this.#addSeat(name)
      const phaseMs = contact === undefined ? 0 : this.#phases.fraction() * spreadMs
      entries.push(seat.enter(phaseMs, contact))
    }
    await this.#waitFor(Promise.all(entries), { what: `${entries.length} members start and join`, ...options })
  }

  /** The host is gone at once, without goodbye. */
  crash(name: string, options: CrashOptions = {}): void {
    checkObject('options', options)
    checkKeys(options, ['how'])
    const { how = 'killed' } = options
    if (how !== 'killed' && how !== 'unplugged') throw new OptionsError('how', how, `'killed' or 'unplugged'`)
    const seat = this.#living(name)
    this.note(name, how)
    this.injected.crash++
    if (how === 'unplugged') seat.station.isUp = false
    seat.crash()
  }

  /** A new instance with the same name, address and options, on the same disk, joins through a running member. */
  async restart(name: string, { joins = true, disk = 'kept', ...options }: RestartOptions = {}): Promise<void> {
    const seat = this.#seat(name)
    if (disk !== 'kept' && disk !== 'lost') throw new OptionsError('disk', disk, `'kept' or 'lost'`)
    if (seat.isRunning) throw this.error(`${name} runs already`)
    if (!seat.isOver) await this.#waitFor(seat.end('close'), { what: `the last process of ${name} ends`, ...options })
    this.injected.restart++
    if (disk === 'lost') seat.station.disk.erase()
    const contact = joins ? this.#contact() : undefined
    seat.renew()
    await this.#waitFor(seat.enter(0, contact), { what: `${name} starts again and joins`, ...options })
  }

  /** A member says goodbye and closes. Of one that has by itself it makes sure that nothing is left open. */
  async leave(name: string, options: WaitOptions = {}): Promise<void> {
    const seat = this.#living(name)
    this.note(name, 'leaves')
    this.injected.leave++
    await this.#waitFor(seat.end('leave'), { what: `${name} leaves`, ...options })
  }

  /** Lets virtual time pass. Rejects `SimulationError` with what anything on the hosts threw, if it did. */
  run(ms: number): Promise<void> {
    return this.simulation.run(ms)
  }

  /** Lets time pass until `condition` holds; asked every 10 ms. Rejects `TimeoutError` with condition, seed and views. */
  until(condition: () => boolean, options: WaitOptions & { readonly everyMs?: number } = {}): Promise<void> {
    return this.#explain(this.simulation.until(condition, options))
  }

  /** Lets time pass until the promise settles, and gives what it gives: `cluster.finish(cluster.member('m-2').setTags(tags))`. */
  finish<Value>(promise: Promise<Value>, options: WaitOptions = {}): Promise<Value> {
    return this.#waitFor(promise, options)
  }

  /** Resolves when virtual time has passed: for code that runs beside the one who lets it pass. */
  sleep(ms: number): Promise<void> {
    return this.simulation.sleep(ms)
  }

  /** Calls `action` at virtual time `atMs`, counted from the beginning: `cluster.at(cluster.now + 5_000, () => cluster.crash('m-2'))`. It may be
   *  asynchronous, and wait for time to pass, which somebody else lets pass. What it throws or rejects with fails the run.
   *  Gives a function that cancels it. @throws OptionsError for a time that is past */
  at(atMs: number, action: () => unknown): () => void {
    return this.simulation.at(atMs, action)
  }

  /** Lets time pass until every running member holds every running one for alive, as it is now, and nobody else. */
  settle(options: WaitOptions = {}): Promise<void> {
    const running = this.#runningMembers()
    const what = `${running.size} members agree`
    return this.until(settledQuestion(running), { everyMs: SETTLE_EVERY_MS, what, ...options })
  }

  /** True when every running member but `name` itself holds it for `state`. */
  allHold(name: string, state: MemberState): boolean {
    const held = [...this.#runningMembers()].filter(([observer]) => observer !== name)
    return held.length > 0 && held.every(([, membership]) => membership.member(name)?.state === state)
  }

  /** What each running member holds of all. */
  views(): ReadonlyMap<string, View> {
    return new Map([...this.#runningMembers()].map(([name, membership]) => [name, viewOf(membership)]))
  }

  /** The views in words, the same ones together. */
  summary(): string {
    return summaryOf(this.#runningMembers())
  }

  /** Closes every running member, without goodbye; ends pauses, and mends disks that are stuck. Rejects `SimulationError` where one leaves a
   *  socket, a timer or a file behind, also one that has closed by itself. */
  async close(): Promise<void> {
    const living = [...this.#seats.values()].filter(({ isOver }) => !isOver)
    const stuck = living.filter(({ station }) => station.disk.fault === 'stuck')
    for (const { host } of living) if (host.station.isPaused) host.resume()
    for (const { station } of stuck) station.disk.mend()
    if (stuck.length > 0) await this.#waitFor(this.sleep(0), { what: 'disks answer again' })
    await this.#waitFor(Promise.all(living.map((seat) => seat.end('close'))), { what: 'all members close' })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  error(message: string): SimulationError {
    return this.simulation.error(message)
  }

  protected station(name: string): Station {
    return this.#seat(name).station
  }

  protected runningStation(name: string): Station {
    return this.#living(name).station
  }

  #newNames(members: number | readonly string[]): readonly string[] {
    if (typeof members !== 'number') {
      const taken = members.find((name, at) => this.#seats.has(name) || members.indexOf(name) !== at)
      if (taken !== undefined)
        throw new OptionsError('members', members, `names nobody else has, and ${taken} is taken`)
      return members
    }
    if (!Number.isInteger(members) || members < 0 || members > MAX_MEMBERS)
      throw new OptionsError('members', members, `a whole number up to ${MAX_MEMBERS}, or names`)
    const names: string[] = []
    for (let number = this.#seats.size + 1; names.length < members; number++) {
      if (!this.#seats.has(`m-${number}`)) names.push(`m-${number}`)
    }
    return names
  }

  #addSeat(name: string): Seat<Service> {
    const number = this.#seats.size
    const ip = `10.0.${Math.floor(number / 250)}.${(number % 250) + 1}`
    const station = this.simulation.station(name, ip)
    station.disk.told = (what, isFault) => {
      if (isFault) this.injected.disk++
      this.note(name, what)
    }
    const seat = new Seat(name, station, this.#setup)
    this.#seats.set(name, seat)
    return seat
  }

  /** `host:port` of the first running member, of one that is not paused where there is one. */
  #contact(): string | undefined {
    const running = [...this.#seats.values()].filter(({ isRunning }) => isRunning)
    return (running.find(({ station }) => !station.isPaused) ?? running[0])?.address
  }

  #told(observer: string, event: MembershipEvent): void {
    const { keepsEvents = true } = this.#options
    if (!keepsEvents && this.simulation.transcript.detail === 'off') return
    const about = 'member' in event ? event.member.name : 'name' in event ? event.name : ''
    if (keepsEvents) this.events.push({ atMs: this.now, observer, type: event.type, about })
    const detail =
      event.type === 'warning' ? `${event.code}: ${event.message}` : event.type === 'closed' ? event.reason : about
    this.note(observer, `${event.type} ${detail}`)
  }

  #waitFor<Value>(promise: Promise<Value>, options: WaitOptions): Promise<Value> {
    return this.#explain(this.simulation.finish(promise, options))
  }

  /** Adds the views to the error of a wait that took too long. */
  async #explain<Value>(wait: Promise<Value>): Promise<Value> {
    try {
      return await wait
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error
      throw new TimeoutError(`${error.message}; views:\n${this.summary()}`)
    }
  }

  #runningMembers(): ReadonlyMap<string, Membership> {
    return new Map(this.names.map((name) => [name, this.member(name)]))
  }

  /** One with a process, though its member may have closed by itself. */
  #living(name: string): Seat<Service> {
    const seat = this.#seat(name)
    if (seat.isOver) throw this.error(`${name} does not run`)
    return seat
  }

  #seat(name: string): Seat<Service> {
    const seat = this.#seats.get(name)
    if (seat === undefined) throw this.error(`there is no member ${name}`)
    return seat
  }
}

function checkOptions<Service>(options: ClusterOptions<Service>): void {
  checkObject('options', options)
  checkKeys(options, OPTION_NAMES, true)
  const { service, spreadMs = DEFAULT_SPREAD_MS, keepsEvents = true, checks = false } = options
  if (!(spreadMs >= 0 && spreadMs < Number.POSITIVE_INFINITY))
    throw new OptionsError('spreadMs', spreadMs, 'finite, 0 or more')
  if (service !== undefined && typeof service !== 'function')
    throw new OptionsError('service', service, 'must be a function')
  checkBoolean('keepsEvents', keepsEvents)
  checkBoolean('checks', checks)
}

/** The same options, once it is sure that they leave to the cluster what is the cluster's. */
function withoutOwn(options: SimMemberOptions): SimMemberOptions {
  checkObject('options', options)
  for (const own of ['name', 'bind', 'advertise', 'host']) {
    const value: unknown = own in options ? options[own as keyof SimMemberOptions] : undefined
    if (value !== undefined)
      throw new OptionsError(`options.${own}`, value, 'the cluster gives name, bind, advertise and host')
  }
  return options
}
