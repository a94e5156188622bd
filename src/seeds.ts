// Asking seeds once: what a seed is, where it leads, and one round of contacting all of them in parallel. When to ask again is
// joining.ts's; how an exchange is made is the driver's.
import { untilAborted } from './base/abort.ts'
import { JoinError, OptionsError } from './base/errors.ts'
import type { Host } from './driver/host.ts'
import { Address, isWildcard, parseHostAndPort, parseIp, sameEndpoint } from './wire/address.ts'
import { type Cidr, isWithin } from './wire/cidr.ts'

/** `host:port`, `host`, `ip:port`, `[ipv6]:port`, `name/host:port`; or a function that gives them, asked again each time. */
export type Seeds = readonly string[] | (() => readonly string[] | Promise<readonly string[]>)

/** A seed that did not answer, and why. */
export interface SeedFailure {
  readonly address: string
  readonly error: Error
}

/** What one round of asking came to. */
export interface JoinResult {
  /** `host:port` of everyone who answered. */
  readonly joined: readonly string[]
  readonly failed: readonly SeedFailure[]
}

/** A round, and where its seeds led. */
export interface SeedsRound extends JoinResult {
  /** Every address found, each once, ourselves left out. */
  readonly found: readonly Address[]
}

export interface SeedsSetup {
  readonly host: Pick<Host, 'resolve'>
  /** For seeds that name no port. */
  readonly defaultPort: number
  /** Addresses that are ourselves; a wildcard stands for every loopback address too. */
  readonly ownAddresses: readonly Address[]
  /** Where members may live; absent: anywhere. */
  readonly allowedCidrs?: readonly Cidr[] | undefined
  /** One full exchange, which has a time limit of its own; rejects where it fails. */
  contact(to: Address): Promise<void>
  /** Not to be contacted again: we hear of it already. */
  isKnown(to: Address): boolean
  /** Put limits to what may never end: the same outcome, or a rejection when resolving `name`, or the function, takes too long. */
  limitResolving<Value>(name: string, work: Promise<Value>): Promise<Value>
  limitFunction<Value>(work: Promise<Value>): Promise<Value>
}

/** Names resolved at once, and exchanges at once: enough to be quick, too few to be a burden. */
const PARALLEL = 10

/** Throws for what can never be a seed, an address outside the allowed ranges among it. @throws OptionsError */
export function checkSeeds(seeds: unknown, allowedCidrs?: readonly Cidr[]): asserts seeds is Seeds {
  if (typeof seeds === 'function') return
  if (!Array.isArray(seeds))
    throw new OptionsError('seeds', seeds, 'must be a list of addresses or a function that gives one')
  for (const seed of seeds) {
    const ip = parseIp(parseSeed(seed).host)
    if (ip !== undefined && !isAllowed(allowedCidrs, ip)) throw notAllowed(seed)
  }
}

/** Asks every seed once: the function first, then names and exchanges in parallel, so that a slow name holds up no other seed.
 *  Never rejects for a seed that fails; rejects with the signal's reason when it is aborted. */
export async function contactSeeds(seeds: Seeds, setup: SeedsSetup, signal?: AbortSignal): Promise<SeedsRound> {
  signal?.throwIfAborted()
  const failed: SeedFailure[] = []
  const joined: string[] = []
  const found = new Map<string, Address>()
  const resolving = gate(PARALLEL, signal)
  const contacting = gate(PARALLEL, signal)
  const contact = async (to: Address): Promise<void> => {
    try {
      await setup.contact(to)
      joined.push(to.key)
    } catch (error) {
      failed.push({ address: to.key, error: asError(error) })
    }
  }
  const ask = async (seed: unknown): Promise<void> => {
    const addresses = await resolving(() => addressesOf(seed, setup, failed, signal))
    const strangers: Address[] = []
    for (const to of addresses ?? []) {
      if (found.has(to.key)) continue
      found.set(to.key, to)
      if (!setup.isKnown(to)) strangers.push(to)
    }
    await Promise.all(strangers.map((to) => contacting(() => contact(to))))
  }
  const list = typeof seeds === 'function' ? await untilAborted(askFunction(seeds, setup, failed), signal) : seeds
  await untilAborted(Promise.all(list.map(ask)), signal)
  return { joined, failed, found: [...found.values()] }
}

/** The error of a round in which nobody answered. */
export function joinError({ failed }: Pick<JoinResult, 'failed'>): JoinError {
  return new JoinError(failed)
}

async function askFunction(
  seeds: () => ReturnType<Extract<Seeds, () => unknown>>,
  setup: SeedsSetup,
  failed: SeedFailure[],
): Promise<readonly unknown[]> {
  try {
    const list: unknown = await setup.limitFunction(callAsync(seeds))
    if (Array.isArray(list)) return [...list]
    throw new OptionsError('seeds', list, 'the function must give a list of addresses')
  } catch (error) {
    failed.push({ address: '(seeds function)', error: asError(error) })
    return []
  }
}

/** What it throws at once is a rejection too. */
async function callAsync<Value>(call: () => Value | Promise<Value>): Promise<Value> {
  return call()
}

/** Where a seed leads, ourselves left out. */
async function addressesOf(
  seed: unknown,
  { host, defaultPort, ownAddresses, allowedCidrs, limitResolving }: SeedsSetup,
  failed: SeedFailure[],
  signal: AbortSignal | undefined,
): Promise<readonly Address[]> {
  try {
    const { host: name, port = defaultPort } = parseSeed(seed)
    const ips = await limitResolving(name, host.resolve(name, signal))
    const others = ips
      .map((ip) => new Address(ip, port))
      .filter((address) => !ownAddresses.some((own) => leadsTo(own, address)))
    for (const { ip, key } of others) {
      if (!isAllowed(allowedCidrs, ip)) failed.push({ address: key, error: notAllowed(textOf(seed)) })
    }
    return others.filter(({ ip }) => isAllowed(allowedCidrs, ip))
  } catch (error) {
    failed.push({ address: textOf(seed), error: asError(error) })
    return []
  }
}

/** Lets so many tasks run at once; the others wait their turn, and are not begun once the signal is aborted. */
function gate(size: number, signal: AbortSignal | undefined) {
  const waiting: (() => void)[] = []
  let running = 0
  return async <Value>(task: () => Promise<Value>): Promise<Value | undefined> => {
    if (running >= size) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return signal?.aborted === true ? undefined : await task()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}

function isAllowed(allowedCidrs: readonly Cidr[] | undefined, ip: Uint8Array): boolean {
  return allowedCidrs === undefined || isWithin(allowedCidrs, ip)
}

function notAllowed(seed: string): OptionsError {
  return new OptionsError('seeds', seed, 'must be inside allowedCidrs, or nothing it says would be heard')
}

/** Whether dialling `address` ends at `own`: the same endpoint, or the loopback of a machine where every interface is ours. */
function leadsTo(own: Address, address: Address): boolean {
  if (sameEndpoint(own, address)) return true
  const isLoopback = address.host === '::1' || address.host.startsWith('127.')
  return isLoopback && isWildcard(own.ip) && own.port === address.port
}

function parseSeed(seed: unknown): { host: string; port?: number } {
  const parsed = typeof seed === 'string' ? parseHostAndPort(seed) : undefined
  if (parsed === undefined || parsed.port === 0) {
    throw new OptionsError('seeds', seed, "each must be 'host:port', like '10.0.0.2:7946' or 'log.example.org'")
  }
  return parsed
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(textOf(error))
}

/** What a user's function gave or threw, in words, whatever it is: an object's own may throw. */
function textOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? '(an object)' : String(value)
}
