// Run by bind.test.ts as a process of its own: two workers of one cluster bind one after the other, in the way that the first
// argument names, and the primary prints what each met. Without exclusive binding Node would hand both the same socket.
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { TransportError } from '../../../src/base/errors.ts'
import { Membership } from '../../../src/membership.ts'
import { listenTcp } from '../../../src/node/tcp.ts'
import { bindTransport } from '../../../src/node/transport.ts'
import { bindUdp } from '../../../src/node/udp.ts'
import { at, bind, handlers } from '../support.ts'

type Closable = { close(): Promise<unknown>; readonly port: number }

const WAYS: Readonly<Record<string, (port: number) => Promise<Closable>>> = {
  both: async (port) => {
    const transport = await bindTransport(at('127.0.0.1', port), handlers(), performance.now)
    return { close: () => transport.close(), port: transport.local.port }
  },
  udp: (port) => bindUdp(at('127.0.0.1', port)),
  tcp: (port) => listenTcp(at('127.0.0.1', port)),
  member: async (port) => {
    const membership = new Membership({ bind: `127.0.0.1:${port}` })
    await membership.start()
    return { close: () => membership.close(), port: membership.local.port }
  },
}

const [, , way = 'both', wanted] = process.argv

if (cluster.isPrimary) await runPrimary()
else await runWorker(Number(process.env.PORT))

async function runPrimary(): Promise<void> {
  const port = wanted === 'any' ? 0 : await findPort()
  const first = await startWorker(port)
  console.log(first.met)
  const second = await startWorker(port)
  console.log(second.met)
  for (const { worker } of [first, second]) worker.disconnect()
}

/** Workers share a socket when both ask for the same number, so the number is found before. */
async function findPort(): Promise<number> {
  const found = await bind(at('127.0.0.1'), handlers())
  await found.close()
  return found.local.port
}

async function startWorker(port: number): Promise<{ worker: Worker; met: string }> {
  const worker = cluster.fork({ PORT: String(port) })
  const [told] = await once(worker, 'message')
  return { worker, met: told.met }
}

async function runWorker(port: number): Promise<void> {
  try {
    const bound = await (WAYS[way] as (port: number) => Promise<Closable>)(port)
    process.once('disconnect', () => void bound.close())
    process.send?.({ met: `bound ${bound.port}` })
  } catch (error) {
    process.send?.({ met: error instanceof TransportError ? error.message : `not typed: ${error}` })
  }
}
