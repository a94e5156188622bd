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
  /** Resolves when it crashes. */
  readonly crashed: Promise<void>
  readonly crash: () => void
}

export class Seat<Service> {
  readonly name: string
  readonly station: Station
  /** Neither crashed nor closed nor left. */
  isRunning = true
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
    life.service = service?.({ name, membership, clock: new ServiceClock(host.clock), random })
    await Promise.race([this.#join(membership, contact), life.crashed])
  }

  /** The process is gone at once. */
  crash(): void {
    this.isRunning = false
    this.#life.host.kill()
    this.#life.crash()
  }

  /** Ends it in order: first the service, then the member. Resolves too when it crashes before that.
   *  @throws SimulationError where anything is left open */
  async end(how: 'leave' | 'close'): Promise<void> {
    const life = this.#life
    await Promise.race([close(life, how), life.crashed])
    if (!this.isRunning || life !== this.#life) return
    this.isRunning = false
    const { leftovers } = life.host
    if (leftovers !== '') throw this.#setup.simulation.error(`${this.name} has closed and left behind: ${leftovers}`)
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
      })
    }
    let crash = (): void => {}
    const crashed = new Promise<void>((resolve) => {
      crash = resolve
    })
    return { host, membership, service: undefined, crashed, crash }
  }

  async #join(membership: Membership, contact: string | undefined): Promise<void> {
    await membership.start()
    if (contact === undefined) return
    const { joined } = await membership.join([contact])
    this.#note(joined.length === 0 ? `joined nobody: ${contact} does not answer` : `joined ${contact}`)
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
