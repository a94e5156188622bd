// Ports of peers. One that the system chose could be that of a member which has just died in the cluster of another test file: to it gossip
// still goes, and reaches a stranger. So each process has a block of ports of its own, and gives each port again as late as it can. A port
// is held (UDP and TCP) until just before its program starts. They lie below the range from which the system serves outgoing connections, so
// that no dialling neighbour takes one meanwhile.
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

/** The first candidate. The last lies below 32768, from which Linux dials upwards, others from 49152. */
const LOWEST = 12_000
const BLOCK_PORTS = 250
const BLOCKS = 80

export interface HeldPort {
  readonly port: number
  /** Frees it; resolves when it can be bound. */
  release(): Promise<void>
}

/** Holds a port of `host` that was free for UDP and TCP. */
export async function holdPort(host: string): Promise<HeldPort> {
  const first = await blockOfOurs()
  for (let attempt = 1; attempt < BLOCK_PORTS; attempt++) {
    const port = first + 1 + (given++ % (BLOCK_PORTS - 1))
    const closeTcp = await bindTcp(host, port)
    if (closeTcp === undefined) continue
    const closeUdp = await bindUdp(host, port)
    if (closeUdp === undefined) {
      await closeTcp()
      continue
    }
    return {
      port,
      release: async () => {
        await Promise.all([closeTcp(), closeUdp()])
      },
    }
  }
  throw new Error(`no free port on ${host} from ${first} on`)
}

/** A port of `host` for a peer that is about to start. */
async function freshPort(host: string): Promise<number> {
  const held = await holdPort(host)
  await held.release()
  return held.port
}

/** Where a peer is to listen. In a network of its own (behind a prefix) the system may choose: nobody else is there. */
export async function portOf(peer: {
  readonly port?: number
  readonly host?: string
  readonly prefix?: readonly string[]
}): Promise<number> {
  if (peer.port !== undefined) return peer.port
  return peer.prefix === undefined ? freshPort(peer.host ?? '127.0.0.1') : 0
}

/** Ports given so far. */
let given = 0
let block: Promise<number> | undefined

/** The first port of our block: whoever listens there has it. */
function blockOfOurs(): Promise<number> {
  block ??= claimBlock()
  return block
}

async function claimBlock(): Promise<number> {
  const from = randomInt(BLOCKS)
  for (let at = 0; at < BLOCKS; at++) {
    const first = LOWEST + ((from + at) % BLOCKS) * BLOCK_PORTS
    // Held until this process ends, which it does not keep from ending.
    if ((await bindTcp('127.0.0.1', first, true)) !== undefined) return first
  }
  throw new Error('every block of ports is taken')
}

function bindTcp(host: string, port: number, isForgotten = false): Promise<(() => Promise<void>) | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    if (isForgotten) server.unref()
    server.once('error', (error: NodeJS.ErrnoException) => (isInUse(error) ? resolve(undefined) : reject(error)))
    server.listen({ host, port, exclusive: true }, () => {
      resolve(() => new Promise((closed) => server.close(() => closed())))
    })
  })
}

function bindUdp(host: string, port: number): Promise<(() => Promise<void>) | undefined> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    socket.once('error', (error: NodeJS.ErrnoException) => (isInUse(error) ? resolve(undefined) : reject(error)))
    socket.bind({ address: host, port, exclusive: true }, () => {
      resolve(() => new Promise((closed) => socket.close(() => closed())))
    })
  })
}

function isInUse(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EADDRINUSE'
}

/** Whether this machine has the address at all (IPv6 is missing in many containers). */
export async function canBind(host: string): Promise<boolean> {
  try {
    const held = await holdPort(host)
    await held.release()
    return true
  } catch {
    return false
  }
}

/** `host:port`, brackets around IPv6. */
export function endpoint(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
