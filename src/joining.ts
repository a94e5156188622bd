// Getting in, and staying in: rounds of asking seeds, and the watch that asks them again when we are alone, or cut off from all
// of them. Decides when; how one round goes is seeds.ts's, and what an exchange does to the table is the protocol's.
// Source: serf-behaviour §31. Differs: Serf asks its seeds when it joins, and never again.
//
//   alone           ask at once, then after 1 s, ever less often, at least every 45 s
//   no seed in view ask, then every minute: the cluster may be split, and a seed be on the other side
//   some in view,   ask the rest every 5 minutes: they may be gone for good, or be found under other
//   or answering    addresses than they tell, behind a load balancer
//   all in view     ask nobody
import { ClosedError, TimeoutError, TransportError } from './base/errors.ts'
import { tracer } from './base/log.ts'
import type { Random } from './base/random.ts'
import type { Driver } from './driver/driver.ts'
import type { Host } from './driver/host.ts'
import { contactSeeds, type JoinResult, joinError, type Seeds, type SeedsRound } from './seeds.ts'
import type { AnyMember } from './serf/members.ts'
import type { Serf } from './serf/serf.ts'
import { Waiters } from './waiters.ts'
import { Address, isIpv4, isWildcard } from './wire/address.ts'
import type { Cidr } from './wire/cidr.ts'

const trace = tracer('join')

/** Alone: the first pause before seeds are asked again; doubled each time, up to the last. Each is by chance up to half as long again
 *  or shorter. */
const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 30_000

/** Among others: the longest time between two looks at who is in view. A look sends nothing. */
const LOOK_MS = 30_000
/** Among others with no seed in view: the same as above. What is gone for good costs every member one attempt a minute. */
const FIRST_CUT_OFF_MS = 30_000
const LAST_CUT_OFF_MS = 60_000
/** Among others, with seeds in view or answering. */
const RARELY_MS = 300_000

/** What a name may take to resolve, and a function to give its list: beyond it they count as failed, so that none holds up a round for
 *  ever. Twice what a resolver waits for a server that is gone before it asks the next one; for a function a few calls of that kind. */
const RESOLVE_LIMIT_MS = 10_000
const FUNCTION_LIMIT_MS = 30_000

export interface JoiningSetup {
  readonly host: Pick<Host, 'resolve' | 'ownAddresses' | 'defer'>
  readonly driver: Pick<Driver, 'command' | 'schedule' | 'unschedule' | 'warn' | 'now'>
  readonly serf: Pick<Serf, 'hasPeers' | 'member' | 'members' | 'address'>
  readonly random: Random
  /** Where we listen. */
  readonly bound: Address
  /** Where members may live; absent: anywhere. */
  readonly allowedCidrs?: readonly Cidr[] | undefined
  /** Neither leaving nor closed. */
  isRunning(): boolean
}

export interface JoiningOptions {
  readonly signal: AbortSignal | undefined
  readonly required: boolean
  /** Default false. */
  readonly ignoreOldEvents?: boolean
}

/** Seeds that are asked again as things stand. */
interface Watch {
  readonly seeds: Seeds
  /** Ends the watch while we are alone; forgotten once we are not. */
  signal: AbortSignal | undefined
  /** Taken up again where the signal ends this one. */
  before: Watch | undefined
  /** Nobody was met yet, and what they tell was sent before we came. */
  ignoreOldEvents: boolean
  /** Where the seeds led when they last led anywhere. */
  found: readonly Address[]
  /** The next pause while alone. */
  retryMs: number
  /** The next pause with no seed in view. */
  cutOffMs: number
  /** When they were last asked; at once, where all were in view since. */
  askedAt: number
  /** Chance, by which the pause that follows is longer or shorter than its kind. */
  jitter: number
  /** They answered, and none of them was in view even then: they are found under other addresses than they tell. */
  isElsewhere: boolean
}

interface Asking extends Pick<Watch, 'seeds' | 'signal' | 'ignoreOldEvents'> {
  /** Tell the cluster that we meant to join it, where anyone answered. */
  readonly announce: boolean
  isKnown(to: Address): boolean
}

/** A watch that has not watched yet. */
const FRESH = {
  retryMs: FIRST_RETRY_MS,
  cutOffMs: FIRST_CUT_OFF_MS,
  askedAt: Number.NEGATIVE_INFINITY,
  jitter: 1,
  isElsewhere: false,
} as const

/** The joins of one running instance. */
export class Joining {
  readonly #setup: JoiningSetup
  /** Exchanges we began, by number. */
  readonly #contacts = new Waiters()
  /** Rounds under way; aborted when we close. */
  readonly #rounds = new Set<AbortController>()
  /** By address: who was seen last where the seeds led to. */
  #holders: ReadonlyMap<string, string> = new Map()
  #watch: Watch | undefined
  #lastLimit = 0

  constructor(setup: JoiningSetup) {
    this.#setup = setup
  }

  /** One round, then the watch, which takes the place of that of an earlier join. One that rejects, or has no seeds, leaves the
   *  earlier watch as it is.
   *  @throws ClosedError, JoinError where `required`, the signal's reason */
  async join(seeds: Seeds, { signal, required, ignoreOldEvents = false }: JoiningOptions): Promise<JoinResult> {
    const round = await this.#round({ seeds, signal, ignoreOldEvents, announce: true, isKnown: () => false })
    if (!this.#setup.isRunning()) throw new ClosedError('closed while it joined')
    const { joined, failed, found } = round
    if (required && joined.length === 0) throw joinError(round)
    // Also where nobody failed: a name or a function that gave only ourselves may give others later.
    if (typeof seeds === 'function' || seeds.length > 0) {
      const last = this.#watch
      // What has no signal stays: there is nothing to go back from. Of two that may end the first is let go.
      const before = signal === undefined ? undefined : last?.signal === undefined ? last : last.before
      const watch = { seeds, signal, before, ignoreOldEvents, found, ...FRESH }
      this.#watch = watch
      this.#asked(watch, joined.length > 0)
      this.#lookLater(watch)
    }
    return { joined, failed }
  }

  /** A member has come, of itself or by an exchange of ours. */
  met(): void {
    if (this.#watch?.signal !== undefined) this.#settle(this.#watch)
  }

  /** The exchange of that number is over. Those that others began are none of ours. */
  exchangeDone(id: number, error: string | undefined): void {
    if (error === undefined) this.#contacts.resolve(id)
    else this.#contacts.reject(id, new TransportError(error))
  }

  /** Gives up all that is under way. */
  close(): void {
    this.#watch = undefined
    this.#contacts.rejectAll(() => new ClosedError())
    for (const round of this.#rounds) round.abort(new ClosedError('closed while it joined'))
  }

  /** Once among others the signal has no say, there is nothing to go back to, and being alone begins anew; and so does being cut
   *  off once all seeds are in view. */
  #settle(watch: Watch): void {
    if (!this.#setup.serf.hasPeers()) return
    watch.signal = undefined
    watch.before = undefined
    watch.ignoreOldEvents = false
    watch.retryMs = FIRST_RETRY_MS
    if (!isComplete(watch, this.#inViewOf(watch.found))) return
    watch.cutOffMs = FIRST_CUT_OFF_MS
    watch.askedAt = Number.NEGATIVE_INFINITY
  }

  #lookLater(watch: Watch): void {
    const { driver, random, serf } = this.#setup
    const isAlone = !serf.hasPeers()
    // Members that lost each other at once must not all come back at once.
    const pauseMs = (isAlone ? watch.retryMs : LOOK_MS) * (0.5 + random.fraction())
    const untilDueMs = isAlone ? 0 : this.#dueAt(watch) - driver.now()
    driver.schedule('join', untilDueMs > 0 ? Math.min(pauseMs, untilDueMs) : pauseMs, () => this.#look(watch))
  }

  #look(watch: Watch): void {
    const { driver, serf, isRunning } = this.#setup
    if (watch !== this.#watch || !isRunning()) return
    const isAlone = !serf.hasPeers()
    this.#settle(watch)
    if (watch.signal?.aborted === true) {
      this.#giveUp(watch)
      return
    }
    if (isAlone || driver.now() >= this.#dueAt(watch)) this.#askAgain(watch, isAlone, this.#inView())
    else this.#lookLater(watch)
  }

  /** When the seeds are to be asked again among others: never, as long as all are in view, and at once when that ends. */
  #dueAt(watch: Watch): number {
    const { found, cutOffMs, isElsewhere, askedAt, jitter } = watch
    const inView = this.#inViewOf(found)
    if (isComplete(watch, inView)) return Number.POSITIVE_INFINITY
    const isCutOff = found.length > 0 && !isElsewhere && !found.some(({ key }) => inView.has(key))
    return askedAt + (isCutOff ? cutOffMs : RARELY_MS) * jitter
  }

  #askAgain(watch: Watch, wasAlone: boolean, inView: ReadonlySet<string>): void {
    const { driver, host, serf, isRunning } = this.#setup
    const { seeds, signal, ignoreOldEvents } = watch
    trace('asking the seeds again, %s', wasAlone ? 'alone' : 'some are not in view')
    // Who finds the other half of its cluster again has never left it: the claims say enough then, as with Serf's reconnect.
    const isKnown = ({ key }: Address): boolean => inView.has(key)
    this.#round({ seeds, signal, ignoreOldEvents, announce: wasAlone, isKnown }).then(
      (round) => {
        if (watch !== this.#watch || !isRunning()) return
        const isAnswered = round.joined.length > 0
        // Among others it is no trouble: seeds come and go.
        if (wasAlone && !isAnswered && round.failed.length > 0) driver.warn('join-failed', joinError(round).message)
        if (round.found.length > 0) watch.found = round.found
        watch.retryMs = Math.min(2 * watch.retryMs, LAST_RETRY_MS)
        if (Number.isFinite(watch.askedAt)) watch.cutOffMs = Math.min(2 * watch.cutOffMs, LAST_CUT_OFF_MS)
        this.#asked(watch, isAnswered)
        this.#lookLater(watch)
      },
      (error: unknown) => {
        if (watch !== this.#watch || !isRunning()) return
        if (signal?.aborted === true) {
          // Whoever came meanwhile has taken its say from it.
          this.#settle(watch)
          if (serf.hasPeers()) this.#lookLater(watch)
          else this.#giveUp(watch)
          return
        }
        // Our bug, and must be seen.
        host.defer(() => {
          throw error
        })
      },
    )
  }

  /** After a round: what it says of the next one. */
  #asked(watch: Watch, isAnswered: boolean): void {
    const { driver, random } = this.#setup
    const inView = this.#inViewOf(watch.found)
    watch.isElsewhere = isAnswered && !watch.found.some(({ key }) => inView.has(key))
    watch.askedAt = driver.now()
    watch.jitter = 0.5 + random.fraction()
    this.#settle(watch)
  }

  #giveUp(watch: Watch): void {
    this.#watch = watch.before
    if (this.#watch !== undefined) this.#lookLater(this.#watch)
  }

  /** Addresses of the members that answer, or are given time to. */
  #inView(): ReadonlySet<string> {
    const present = this.#setup.serf.members().filter(isInView)
    return new Set(present.map(({ address }) => address))
  }

  /** The same, for whoever asks for these alone: while those that were seen there last still are, nobody else is looked at. */
  #inViewOf(found: readonly Address[]): ReadonlySet<string> {
    const { serf } = this.#setup
    const isStillThere = found.every(({ key }) => {
      const member = serf.member(this.#holders.get(key) ?? '')
      return member?.address === key && isInView(member)
    })
    const wanted = new Set(found.map(({ key }) => key))
    if (isStillThere) return wanted
    const present = serf.members().filter((member) => wanted.has(member.address) && isInView(member))
    this.#holders = new Map(present.map(({ address, name }) => [address, name]))
    return new Set(this.#holders.keys())
  }

  async #round(asking: Asking): Promise<SeedsRound> {
    const { seeds, signal, ignoreOldEvents, announce, isKnown } = asking
    const { host, driver, serf, bound, allowedCidrs, isRunning } = this.#setup
    const controller = new AbortController()
    const abort = (): void => controller.abort(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    this.#rounds.add(controller)
    let isAnswered = false
    let isIn = false
    const enterLate = (): void => {
      if (!isIn) isIn = this.#enterLate(asking)
    }
    const contact = async (to: Address): Promise<void> => {
      await this.contact(to, ignoreOldEvents)
      isAnswered = true
      if (controller.signal.aborted) enterLate()
    }
    let round: SeedsRound
    try {
      const setup = {
        host,
        defaultPort: bound.port,
        ownAddresses: this.#ownAddresses(),
        allowedCidrs,
        contact,
        isKnown,
        limitResolving: <Value>(name: string, work: Promise<Value>) =>
          this.#limited(`resolving ${name}`, RESOLVE_LIMIT_MS, work),
        limitFunction: <Value>(work: Promise<Value>) => this.#limited('the seeds function', FUNCTION_LIMIT_MS, work),
      }
      round = await contactSeeds(seeds, setup, controller.signal)
    } catch (error) {
      if (isAnswered) enterLate()
      throw error
    } finally {
      this.#rounds.delete(controller)
      signal?.removeEventListener('abort', abort)
    }
    if (round.joined.length === 0 || !isRunning()) return round
    if (!serf.hasPeers()) {
      // Whoever answered has told us of nobody that we took: through a virtual address we have met ourselves.
      const error = new TransportError(
        'answered, but it is ourselves, or knows of nobody, or we refused it by `accept`',
      )
      const failed = [...round.failed, ...round.joined.map((address) => ({ address, error }))]
      return { ...round, joined: [], failed }
    }
    if (announce) driver.command((running, now) => running.announceJoin(now))
    return round
  }

  /** The round was given up, but somebody has answered all the same, and holds us for a member: an exchange cannot be called back.
   *  Then we are one, as if the round had ended. @returns false where we are alone */
  #enterLate({ seeds, announce }: Asking): boolean {
    const { driver, serf, isRunning } = this.#setup
    if (!isRunning() || !serf.hasPeers()) return false
    trace('in, though it was given up')
    if (announce) driver.command((running, now) => running.announceJoin(now))
    if (this.#watch === undefined) {
      this.#watch = { seeds, signal: undefined, before: undefined, ignoreOldEvents: false, found: [], ...FRESH }
      this.#lookLater(this.#watch)
    }
    return true
  }

  /** Where dialling ends at ourselves. */
  #ownAddresses(): Address[] {
    const { host, serf, bound } = this.#setup
    const own = [bound, serf.address]
    if (!isWildcard(bound.ip)) return own
    const ips = host.ownAddresses().filter((ip) => isIpv4(ip) || !isIpv4(bound.ip))
    return [...own, ...ips.map((ip) => new Address(ip, bound.port))]
  }

  /** One full exchange. Rejects where it fails, and where nothing runs any more. */
  contact(to: Address, ignoreOldEvents = false): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#setup.isRunning()) throw new ClosedError()
      this.#setup.driver.command((serf) => {
        this.#contacts.set(serf.contact(to, ignoreOldEvents), { resolve, reject })
      })
    })
  }

  #limited<Value>(what: string, limitMs: number, work: Promise<Value>): Promise<Value> {
    const { driver } = this.#setup
    const key = `seeds:${++this.#lastLimit}`
    return new Promise((resolve, reject) => {
      driver.schedule(key, limitMs, () => reject(new TimeoutError(`${what} took longer than ${limitMs} ms`)))
      work.then(resolve, reject).finally(() => driver.unschedule(key))
    })
  }
}

function isInView({ state, isSelf }: AnyMember): boolean {
  return !isSelf && (state === 'alive' || state === 'suspect')
}

/** Whether all that the seeds led to are in view. */
function isComplete({ found }: Watch, inView: ReadonlySet<string>): boolean {
  return found.length > 0 && found.every(({ key }) => inView.has(key))
}
