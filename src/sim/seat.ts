// One place in a cluster: a machine, and the processes that one after the other run on it, each a member and a user's service. Knows how a
// process begins, joins and ends; when it does is cluster.ts's.
import type { Random } from '../base/random.ts'
import type { MembershipEvent } from '../events.ts'
import { Membership } from '../membership.ts'
import type { MembershipOptions } from '../options.ts'
import { formatIp } from '../wire/address.ts'
import type { ClusterChecks } from './checks.ts'
import type { SimHost } from './host.ts'
import { ServiceClock } from './service-clock.ts'
import type { Simulation } from './simulation.ts'
import type { Station } from './station.ts'

/** Options of a member but for those the cluster gives. */
export type SimMemberOptions = Omit<MembershipOptions, 'name' | 'bind' | 'advertise' | 'host'>

/** What a user's service is given: its member, which has not started yet, and time. */
export interface ServiceSetup {
  readonly name: string
  readonly membership: Membership
  readonly clock: ServiceClock
  /** Dice that replay, of this process alone. */
  readonly random: Random
}

/** What the places of one cluster share. */
export interface SeatSetup<Service> {
  readonly simulation: Simulation
  optionsOf(name: string): SimMemberOptions
  readonly service: ((setup: ServiceSetup) => Service) | undefined
  readonly checks: ClusterChecks | undefined
  /** Hears what members tell. */
  told(observer: string, event: MembershipEvent): void
}

const PORT = 7946
const EVENT_TYPES = [
  'member-join',
  'member-suspect',
  'member-recover',
  'member-dead',
  'member-leaving',
  'member-left',
  'member-update',
  'member-reap',
  'user-event',
  'query',
  'conflict',
  'warning',
  'closed',
] as const satisfies readonly MembershipEvent['type'][]

/** From the making of a process to its end. */
interface Life<Service> {
  readonly host: SimHost
  readonly membership: Membership
  service: Service | undefined
  /** What its checks found, and no step came to throw. */
  unsaid(): unknown
  /** Resolves when it crashes. */
  readonly crashed: Promise<void>
  readonly crash: () => void
}

export class Seat<Service> {
  readonly name: string
  readonly station: Station
  /** Its member has neither crashed nor closed nor left, by whatever hand. */
  isRunning = true
  /** There is no process any more. One whose member has closed by itself still is there, with what it left open. */
  isOver = false
  readonly #setup: SeatSetup<Service>
  #life: Life<Service>
  #lives = 0

  constructor(name: string, station: Station, setup: SeatSetup<Service>) {
    this.name = name
    this.station = station
    this.#setup = setup
    this.#life = this.#live()
  }

  /** `host:port`. */
  get address(): string {
    return `${formatIp(this.station.ip)}:${PORT}`
  }

  get host(): SimHost {
    return this.#life.host
  }

  get membership(): Membership {
    return this.#life.membership
  }

  get service(): Service | undefined {
    return this.#life.service
  }

  /** A new process in the place of the last one, which has ended. */
  renew(): void {
    this.station.isUp = true
    this.isRunning = true
    this.isOver = false
    this.#life = this.#live()
  }

  /** Begins after `phaseMs`, and joins through `contact` where there is one. Resolves too when it crashes before that. */
  async enter(phaseMs: number, contact: string | undefined): Promise<void> {
    const { simulation, service } = this.#setup
    const life = this.#life
    if (phaseMs > 0) await Promise.race([simulation.sleep(phaseMs), life.crashed])
    if (!this.isRunning || life !== this.#life) return // crashed before it came to be
    this.#note(`starts at ${this.address}`)
    const { name } = this
    const { membership, host } = life
    const random = simulation.random(`service of ${name}#${this.#lives++}`)
    try {
      life.service = service?.({ name, membership, clock: new ServiceClock(host.clock), random })
    } catch (error) {
      throw simulation.error(`the service of ${name} cannot be made: ${wordsOf(error)}`, error)
    }
    await Promise.race([this.#join(membership, contact), life.crashed])
  }

  /** The process is gone at once. @throws SimulationError where it was found to lie, and there was no time to say so */
  crash(): void {
    this.isRunning = false
    this.isOver = true
    this.#life.host.kill()
    this.#life.crash()
    this.#sayUnsaid()
  }

  /** Ends it in order: first the service, then the member. Resolves too when it crashes before that.
   *  @throws SimulationError where anything is left open, or it was found to lie */
  async end(how: 'leave' | 'close'): Promise<void> {
    const life = this.#life
    await Promise.race([close(life, how), life.crashed])
    if (this.isOver || life !== this.#life) return
    this.isRunning = false
    this.isOver = true
    this.#sayUnsaid()
    const { leftovers } = life.host
    if (leftovers === '') return
    const isStuck = this.station.disk.fault === 'stuck'
    const cure = isStuck ? `; its disk is stuck, which disk('${this.name}').mend() ends` : ''
    throw this.#setup.simulation.error(`${this.name} has closed and left behind: ${leftovers}${cure}`)
  }

  #live(): Life<Service> {
    const { name, address } = this
    const { simulation, optionsOf, checks, told } = this.#setup
    const options = optionsOf(name)
    const host = simulation.host(this.station)
    const watched = checks?.life(name, address, host, options)
    const membership = new Membership({ ...options, name, bind: address, host: watched?.host ?? host })
    watched?.watch(membership)
    for (const type of EVENT_TYPES) {
      membership.on(type, (event: MembershipEvent) => {
        watched?.told(event)
        told(name, event)
        if (event.type === 'closed' && this.#life.membership === membership) this.isRunning = false
      })
    }
    let crash = (): void => {}
    const crashed = new Promise<void>((resolve) => {
      crash = resolve
    })
    return { host, membership, service: undefined, unsaid: () => watched?.unsaid(), crashed, crash }
  }

  async #join(membership: Membership, contact: string | undefined): Promise<void> {
    await membership.start()
    if (contact === undefined) return
    const { joined } = await membership.join([contact])
    this.#note(joined.length === 0 ? `joined nobody: ${contact} does not answer` : `joined ${contact}`)
  }

  #sayUnsaid(): void {
    const unsaid = this.#life.unsaid()
    if (unsaid !== undefined) throw this.#setup.simulation.error(`${this.name}: ${wordsOf(unsaid)}`, unsaid)
  }

  #note(what: string): void {
    this.#setup.simulation.transcript.note(this.name, what)
  }
}

async function close<Service>({ service, membership }: Life<Service>, how: 'leave' | 'close'): Promise<void> {
  if (typeof service === 'object' && service !== null && 'close' in service && typeof service.close === 'function') {
    await service.close()
  }
  await membership[how]()
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
