// Helpers of the tests on real sockets: addresses of loopback, arrivals one can wait for, and what the process still holds open.
// Nothing here sleeps: a test waits for an event, and the runner's limit fails the one that never comes.
import { networkInterfaces } from 'node:os'
import type { StreamHandlers, Transport, TransportHandlers } from '../../src/driver/host.ts'
import { nodeHost } from '../../src/node/host.ts'
import { Address, parseIp } from '../../src/wire/address.ts'

/** The limit of every test here; far above what any needs. */
export const LIMIT: { readonly timeout: number } = { timeout: 20_000 }

export function at(host: string, port = 0): Address {
  const ip = parseIp(host)
  if (ip === undefined) throw new Error(`${host} is no IP address`)
  return new Address(ip, port)
}

/** Options of a test that needs IPv6: skipped aloud where loopback has none, but never under CI. */
export const WITH_IPV6: { readonly timeout: number; readonly skip: string | false } = {
  ...LIMIT,
  skip: hasIpv6() || process.env.CI === 'true' ? false : 'no ::1 on this machine',
}

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1') ?? false)
}

/** Things that arrive, taken one at a time by whoever waits. */
export class Inbox<Item> {
  readonly #items: Item[] = []
  readonly #waiting: ((item: Item) => void)[] = []

  put(item: Item): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#items.push(item)
    else next(item)
  }

  take(): Promise<Item> {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift() as Item)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** What has arrived and nobody took. */
  get size(): number {
    return this.#items.length
  }
}

/** Turns of the event loop, each with a poll of the sockets: time for what must not come to come. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Sockets and timers that the process holds open, sorted. */
export function openResources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => /TCP|UDP|Timeout|Connect/.test(name))
    .sort()
}

/** Handlers that must not be called; a test replaces those it expects. */
export function handlers(expected: Partial<TransportHandlers> = {}): TransportHandlers {
  const unexpected = (what: string) => (): never => {
    throw new Error(`unexpected ${what}`)
  }
  return {
    packet: unexpected('packet'),
    stream: unexpected('stream'),
    sendFailed: unexpected('sendFailed'),
    failed: unexpected('failed'),
    ...expected,
  }
}

const bound = new Set<Transport>()

/** Binds a transport that `closeAll` closes, if the test has not. */
export async function bind(address: Address, own: TransportHandlers): Promise<Transport> {
  const transport = await nodeHost().bind(address, own)
  bound.add(transport)
  return transport
}

/** For `afterEach`: a test that fails half-way must not keep the process from ending, and the next begins with nothing open. */
export async function closeAll(): Promise<void> {
  for (const transport of bound) await transport.close()
  bound.clear()
  await turns()
}

/** What a stream told, as one waits for it. */
export interface StreamLog extends StreamHandlers {
  readonly opens: Inbox<true>
  readonly texts: Inbox<string>
  readonly ends: Inbox<Error | undefined>
  /** All that was told, in order: `opened`, the text of each piece, `closed`. */
  readonly told: string[]
}

export function streamLog(): StreamLog {
  const log = {
    opens: new Inbox<true>(),
    texts: new Inbox<string>(),
    ends: new Inbox<Error | undefined>(),
    told: [] as string[],
    opened() {
      log.told.push('opened')
      log.opens.put(true)
    },
    data(bytes: Uint8Array) {
      const text = new TextDecoder().decode(bytes)
      log.told.push(text)
      log.texts.put(text)
    },
    closed(error?: Error) {
      log.told.push('closed')
      log.ends.put(error)
    },
  }
  return log
}
