// Ports that are free for both UDP and TCP, and stay so for a while: below the range from which systems serve outgoing
// connections, so that a member which was killed can come back to its own. And: is there a `serf` to run?
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'

const HOST = '127.0.0.1'
const LOWEST = 12_000
const HIGHEST = 32_000
const ATTEMPTS = 100

/** So many different addresses of loopback, `host:port`. */
export async function freeAddresses(count: number): Promise<string[]> {
  const ports = new Set<number>()
  for (let attempt = 0; attempt < ATTEMPTS && ports.size < count; attempt++) {
    const port = randomInt(LOWEST, HIGHEST)
    if (await isFree(port)) ports.add(port)
  }
  if (ports.size < count) throw new Error(`no ${count} free ports on ${HOST} in ${ATTEMPTS} attempts`)
  return [...ports].map((port) => `${HOST}:${port}`)
}

/** Path of the `serf` program, if there is one on the PATH. */
export function serfOnPath(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map((folder) => join(folder, 'serf')).find(isProgram)
}

async function isFree(port: number): Promise<boolean> {
  const tcp = createServer()
  const udp = createSocket('udp4')
  try {
    tcp.listen({ host: HOST, port, exclusive: true })
    await once(tcp, 'listening')
    udp.bind({ address: HOST, port, exclusive: true })
    await once(udp, 'listening')
    return true
  } catch {
    return false
  } finally {
    tcp.close()
    udp.close()
  }
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
