// Coming back after a restart: the members that the snapshot names are asked, in random order, each until it is in view, and again and
// again as long as we are alone. Knows whom; how one exchange is made is joining.ts's. No join is announced: we come back
// where we were, as after a fault of the network (serf-behaviour §24, §28).
//
//   asking ──all asked, and alone──► pause, 1 s to 30 s ──► asking        asking ──all asked, among others──► a look every 30 s, for being alone
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
/** Time between two looks whether we are alone again. A look sends nothing. */
const LOOK_MS = 30_000
/** Asked at once: most may be gone, and one that does not answer keeps us as long as a stream may take. */
const PARALLEL = 4

export interface RejoiningSetup {
  readonly host: Pick<Host, 'defer'>
  readonly driver: Pick<Driver, 'schedule' | 'warn'>
  readonly serf: Pick<Serf, 'hasPeers' | 'member' | 'local' | 'address'>
  readonly joining: Pick<Joining, 'contact'>
  readonly random: Random
  /** Where members may live; absent: anywhere. */
  readonly allowedCidrs?: readonly Cidr[] | undefined
  /** Neither leaving nor closed. */
  isRunning(): boolean
}

interface Candidate {
  readonly name: string
  readonly address: Address
  /** It was gone when we were: asked only while we are alone. */
  readonly isGone?: boolean
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

  /** Asks them in the background; then again while nobody is known. Who is in view by then is asked no more, and as a rule the first to
   *  answer brings all into view; where it knows only some, such as another that has just restarted, the rest are asked too.
   *  Differs: Serf asks each of them once until one answers, so that a member that starts while all others are down stays alone for ever, and
   *  members that all restart at once may find each other in pairs. */
  begin(): void {
    // Those that went may be back, or it was we who were cut off; the latest first.
    const [alive, gone] = [this.#others(this.#known.alive), this.#others(this.#known.gone).reverse()]
    const all = [...shuffled(alive, this.#setup.random), ...gone.map((one) => ({ ...one, isGone: true }))]
    if (all.length === 0) return
    this.#round(all).catch((error: unknown) => {
      // Our bug, and must be seen.
      this.#setup.host.defer(() => {
        throw error
      })
    })
  }

  async #round(all: readonly Candidate[]): Promise<void> {
    const { driver, random } = this.#setup
    const waiting = [...all]
    trace('%d members of the snapshot', waiting.length)
    let failure = ''
    const ask = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        if (!this.#isWanted(next)) continue
        const { key } = next.address
        try {
          await this.#setup.joining.contact(next.address)
          trace('%s answered', key)
          // A veto of ours, a name that is taken, or it is as alone as we are.
          failure = `${key}: it answered, but named nobody whom we take`
        } catch (error) {
          failure = `${key}: ${error instanceof Error ? error.message : String(error)}`
        }
      }
    }
    await Promise.all(Array.from({ length: PARALLEL }, ask))
    if (!this.#setup.isRunning()) return
    if (this.#setup.serf.hasPeers()) {
      this.#lookLater()
      return
    }
    driver.warn(
      'join-failed',
      `none of the ${all.length} members of the snapshot has let us in; the last was ${failure}`,
    )
    const pauseMs = this.#retryMs * (0.5 + random.fraction())
    this.#retryMs = Math.min(2 * this.#retryMs, LAST_RETRY_MS)
    driver.schedule('rejoin', pauseMs, () => this.#look())
  }

  /** Whoever let us in may go before it has told of us. */
  #lookLater(): void {
    this.#retryMs = FIRST_RETRY_MS
    this.#setup.driver.schedule('rejoin', LOOK_MS, () => this.#look())
  }

  #look(): void {
    const { serf, isRunning } = this.#setup
    if (!isRunning()) return
    if (serf.hasPeers()) this.#lookLater()
    else this.begin()
  }

  #isWanted({ name, isGone }: Candidate): boolean {
    const { serf, isRunning } = this.#setup
    if (!isRunning() || (isGone === true && serf.hasPeers())) return false
    const state = serf.member(name)?.state
    return state !== 'alive' && state !== 'suspect' && state !== 'leaving'
  }

  /** Those that are somebody else. */
  #others(members: ReadonlyMap<string, string>): Candidate[] {
    const { serf, allowedCidrs } = this.#setup
    const others: Candidate[] = []
    for (const [name, text] of members) {
      const address = addressOf(text)
      if (address === undefined || name === serf.local.name || sameEndpoint(address, serf.address)) continue
      if (allowedCidrs === undefined || isWithin(allowedCidrs, address.ip)) others.push({ name, address })
    }
    return others
  }
}

function shuffled(candidates: readonly Candidate[], random: Random): Candidate[] {
  const all = [...candidates]
  for (let at = all.length - 1; at > 0; at--) {
    const other = random.below(at + 1)
    const swapped = all[at] as Candidate
    all[at] = all[other] as Candidate
    all[other] = swapped
  }
  return all
}
