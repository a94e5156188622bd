// Run by bind.test.ts as a process of its own: two workers of one cluster bind the same port, one after the other, and the
// primary prints what each met. Without exclusive binding Node would hand both the same listener.
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { TransportError } from '../../../src/base/errors.ts'
import { at, bind, handlers } from '../support.ts'

if (cluster.isPrimary) await runPrimary()
else await runWorker(Number(process.env['PORT']))

async function runPrimary(): Promise<void> {
  // Workers share a listener when both ask for the same number, so the number is found before.
  const found = await bind(at('127.0.0.1'), handlers())
  const { port } = found.local
  await found.close()
  const first = await startWorker(port)
  console.log(first.met)
  const second = await startWorker(port)
  console.log(second.met)
  for (const { worker } of [first, second]) worker.disconnect()
}

async function startWorker(port: number): Promise<{ worker: Worker; met: string }> {
  const worker = cluster.fork({ PORT: String(port) })
  const [told] = await once(worker, 'message')
  return { worker, met: told.met }
}

async function runWorker(port: number): Promise<void> {
  try {
    const transport = await bind(at('127.0.0.1', port), handlers())
    process.once('disconnect', () => void transport.close())
    process.send?.({ met: 'bound' })
  } catch (error) {
    process.send?.({ met: error instanceof TransportError ? error.message : `not typed: ${error}` })
  }
}
