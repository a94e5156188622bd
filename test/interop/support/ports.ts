// Free ports for programs that cannot be asked to take any free one. A port is held (UDP and TCP) until just before its program starts.
// They lie below the range from which the system serves outgoing connections, so that no dialling neighbour takes one meanwhile.
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

/** First and last candidate. Linux dials from 32768 upwards, others from 49152. */
const LOWEST = 12_000
const HIGHEST = 32_000

export interface HeldPort {
  readonly port: number
  /** Frees it; resolves when it can be bound. */
  release(): Promise<void>
}

/** Holds a port of `host` that was free for UDP and TCP. */
export async function holdPort(host: string): Promise<HeldPort> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(LOWEST, HIGHEST + 1)
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
  throw new Error(`no free port on ${host} in 100 attempts`)
}

function bindTcp(host: string, port: number): Promise<(() => Promise<void>) | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer()
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
