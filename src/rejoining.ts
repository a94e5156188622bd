// Coming back after a restart: the members that the snapshot names are asked, in random order, until one of them has let us in, and
// again and again as long as we are alone. Knows whom; how one exchange is made is joining.ts's. No join is announced: we come back
// where we were, as after a fault of the network (serf-behaviour §24, §28).
import { tracer } from './base/log.ts'
import type { Random } from './base/random.ts'
import type { Driver } from './driver/driver.ts'
import type { Host } from './driver/host.ts'
import type { Joining } from './joining.ts'
import type { Serf } from './serf/serf.ts'
import { addressOf, type SnapshotState } from './serf/snapshot-format.ts'
import { type Address, sameEndpoint } from './wire/address.ts'
import { type Cidr, isWithin } from './wire/cidr.ts'

const trace = tracer('rejoin')

/** The pause after the first round; doubled each time up to the last. Each is by chance up to half as long again or shorter. */
const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 30_000
/** Asked at once: most may be gone, and one that does not answer keeps us as long as a stream may take. */
const PARALLEL = 4

export interface RejoiningSetup {
  readonly host: Pick<Host, 'defer'>
  readonly driver: Pick<Driver, 'schedule' | 'warn'>
  readonly serf: Pick<Serf, 'hasPeers' | 'local' | 'address'>
  readonly joining: Pick<Joining, 'contact'>
  readonly random: Random
  /** Where members may live; absent: anywhere. */
  readonly allowedCidrs?: readonly Cidr[] | undefined
  /** Neither leaving nor closed. */
  isRunning(): boolean
}

export class Rejoining {
  readonly #setup: RejoiningSetup
  readonly #known: Pick<SnapshotState, 'alive' | 'gone'>
  #retryMs = FIRST_RETRY_MS

  /** @param known as the file was read; not changed by anybody */
  constructor(setup: RejoiningSetup, known: Pick<SnapshotState, 'alive' | 'gone'>) {
    this.#setup = setup
    this.#known = known
  }

  /** Asks them once, in the background; then again while nobody is known.
   *  Differs: Serf asks each of them once, and a member that starts while all others are down stays alone for ever. */
  begin(): void {
    // Those that went may be back, or it was we who were cut off; the latest first.
    const [alive, gone] = [this.#others(this.#known.alive), this.#others(this.#known.gone).reverse()]
    const all = [...shuffled(alive, this.#setup.random), ...gone]
    if (all.length === 0) return
    this.#round(all).catch((error: unknown) => {
      // Our bug, and must be seen.
      this.#setup.host.defer(() => {
        throw error
      })
    })
  }

  async #round(all: readonly Address[]): Promise<void> {
    const { driver, random } = this.#setup
    const waiting = [...all]
    trace('%d members of the snapshot', waiting.length)
    let failure = ''
    const ask = async (): Promise<void> => {
      for (let to = waiting.shift(); to !== undefined && this.#isWanted(); to = waiting.shift()) {
        try {
          await this.#setup.joining.contact(to)
          trace('%s answered', to.key)
          // A veto of ours, a name that is taken, or it is as alone as we are.
          failure = `${to.key}: it answered, but named nobody whom we take`
        } catch (error) {
          failure = `${to.key}: ${error instanceof Error ? error.message : String(error)}`
        }
      }
    }
    await Promise.all(Array.from({ length: PARALLEL }, ask))
    if (!this.#isWanted()) return
    driver.warn(
      'join-failed',
      `none of the ${all.length} members of the snapshot has let us in; the last was ${failure}`,
    )
    const pauseMs = this.#retryMs * (0.5 + random.fraction())
    this.#retryMs = Math.min(2 * this.#retryMs, LAST_RETRY_MS)
    driver.schedule('rejoin', pauseMs, () => {
      if (this.#isWanted()) this.begin()
    })
  }

  #isWanted(): boolean {
    return this.#setup.isRunning() && !this.#setup.serf.hasPeers()
  }

  /** Addresses that are somebody else's. */
  #others(members: ReadonlyMap<string, string>): Address[] {
    const { serf, allowedCidrs } = this.#setup
    const others: Address[] = []
    for (const [name, text] of members) {
      const address = addressOf(text)
      if (address === undefined || name === serf.local.name || sameEndpoint(address, serf.address)) continue
      if (allowedCidrs === undefined || isWithin(allowedCidrs, address.ip)) others.push(address)
    }
    return others
  }
}

function shuffled(addresses: readonly Address[], random: Random): Address[] {
  const all = [...addresses]
  for (let at = all.length - 1; at > 0; at--) {
    const other = random.below(at + 1)
    const swapped = all[at] as Address
    all[at] = all[other] as Address
    all[other] = swapped
  }
  return all
}
