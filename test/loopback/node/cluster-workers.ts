// Run by bind.test.ts as a process of its own: two workers of one cluster bind the same port, one after the other, and the
// primary prints what each met. Without exclusive binding Node would hand both the same listener.
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { TransportError } from '../../../src/base/errors.ts'
import { codeOf } from '../../../src/node/socket-errors.ts'
import { at, bind, handlers } from '../support.ts'

if (cluster.isPrimary) await runPrimary()
else await runWorker(Number(process.env['PORT']))

async function runPrimary(): Promise<void> {
  const first = await startWorker(0)
  console.log(first.met)
  const second = await startWorker(first.port)
  console.log(second.met)
  for (const { worker } of [first, second]) worker.disconnect()
}

async function startWorker(port: number): Promise<{ worker: Worker; met: string; port: number }> {
  const worker = cluster.fork({ PORT: String(port) })
  const [told] = await once(worker, 'message')
  return { worker, ...told }
}

async function runWorker(port: number): Promise<void> {
  try {
    const transport = await bind(at('127.0.0.1', port), handlers())
    process.once('disconnect', () => void transport.close())
    process.send?.({ met: 'bound', port: transport.local.port })
  } catch (error) {
    process.send?.({ met: error instanceof TransportError ? codeOf(error.cause) : String(error), port })
  }
}
