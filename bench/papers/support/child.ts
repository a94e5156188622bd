// A process of runs: jobs.ts starts it with the URL of a module, and it answers one job after the other until it is let go.
import { runOf } from './jobs.ts'

const run = await runOf<unknown, unknown>(process.argv[2] as string)

// Nobody is left to be told.
process.on('disconnect', () => process.exit())

process.on('message', async ({ index, job }: { readonly index: number; readonly job: unknown }) => {
  try {
    process.send?.({ index, result: await run(job) })
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    process.send?.({ index, error: `job ${JSON.stringify(job)}: ${text}` })
  }
})
