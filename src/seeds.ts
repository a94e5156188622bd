// Finding a cluster: resolve seeds, contact them in parallel, try again later where nobody answered. Knows what a seed is;
// how an exchange is made is the driver's business.
import { JoinError, OptionsError } from './base/errors.ts'
import type { Host } from './driver/host.ts'
import { Address, isWildcard, parseHostAndPort, sameEndpoint } from './wire/address.ts'

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

export interface SeedsSetup {
  readonly host: Host
  /** For seeds that name no port. */
  readonly defaultPort: number
  /** Addresses that are ourselves; a wildcard stands for every loopback address too. */
  readonly ownAddresses: readonly Address[]
  /** One full exchange; rejects where it fails. */
  contact(to: Address): Promise<void>
}

/** Exchanges at once: enough to be quick, too few to be a burden. */
const PARALLEL_CONTACTS = 10

/** Throws for what can never be a seed. @throws OptionsError */
export function checkSeeds(seeds: unknown): asserts seeds is Seeds {
  if (typeof seeds === 'function') return
  if (!Array.isArray(seeds))
    throw new OptionsError('seeds', seeds, 'must be a list of addresses or a function that gives one')
  for (const seed of seeds) parseSeed(seed)
}

/** Asks every seed once. Never rejects for a seed that fails; rejects with the signal's reason when it is aborted. */
export async function contactSeeds(seeds: Seeds, setup: SeedsSetup, signal?: AbortSignal): Promise<JoinResult> {
  signal?.throwIfAborted()
  const failed: SeedFailure[] = []
  const joined: string[] = []
  const list = typeof seeds === 'function' ? await unlessAborted(askForSeeds(seeds, failed), signal) : seeds
  const targets = await unlessAborted(resolveAll(list, setup, failed, signal), signal)
  const queue = [...targets.values()]
  const worker = async (): Promise<void> => {
    for (let to = queue.shift(); to !== undefined && signal?.aborted !== true; to = queue.shift()) {
      try {
        await setup.contact(to)
        joined.push(to.key)
      } catch (error) {
        failed.push({ address: to.key, error: asError(error) })
      }
    }
  }
  await unlessAborted(Promise.all(Array.from({ length: PARALLEL_CONTACTS }, worker)), signal)
  return { joined, failed }
}

/** The error of a round in which nobody answered. */
export function joinError({ failed }: JoinResult): JoinError {
  return new JoinError(failed)
}

async function askForSeeds(
  seeds: () => ReturnType<Extract<Seeds, () => unknown>>,
  failed: SeedFailure[],
): Promise<readonly string[]> {
  try {
    const list = await seeds()
    if (Array.isArray(list)) return list
    throw new OptionsError('seeds', list, 'the function must give a list of addresses')
  } catch (error) {
    failed.push({ address: '(seeds function)', error: asError(error) })
    return []
  }
}

/** All addresses of all seeds, each once, ourselves left out. */
async function resolveAll(
  list: readonly string[],
  { host, defaultPort, ownAddresses }: SeedsSetup,
  failed: SeedFailure[],
  signal: AbortSignal | undefined,
): Promise<Map<string, Address>> {
  const found = await Promise.all(
    list.map(async (seed) => {
      try {
        const { host: name, port = defaultPort } = parseSeed(seed)
        const ips = await host.resolve(name, signal)
        return ips.map((ip) => new Address(ip, port))
      } catch (error) {
        failed.push({ address: String(seed), error: asError(error) })
        return []
      }
    }),
  )
  const targets = new Map<string, Address>()
  for (const address of found.flat()) {
    if (!ownAddresses.some((own) => leadsTo(own, address))) targets.set(address.key, address)
  }
  return targets
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

/** The promise's outcome, or the signal's reason if that comes first. Leaves no listener behind. */
async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return promise
  let abort: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
  })
  try {
    signal.throwIfAborted()
    return await Promise.race([promise, aborted])
  } finally {
    if (abort !== undefined) signal.removeEventListener('abort', abort)
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
