// A test that needs the real `serf`: skipped aloud where there is none, failed instead under CI, where nothing may skip unseen.
import { test } from 'node:test'
import { serfOnPath } from './serf-agent.ts'
import { Stage } from './stage.ts'

export interface InteropTestOptions {
  /** Bound of the whole test. Default 3 minutes. */
  readonly withinMs?: number
  /** What is missing here besides `serf`, if anything: skips like a missing `serf`. */
  readonly lacks?: () => Promise<string | undefined>
}

/** Every process that `play` started on its stage is gone when the test ends, however it ends. */
export function interopTest(
  name: string,
  play: (stage: Stage) => Promise<void>,
  { withinMs = 180_000, lacks }: InteropTestOptions = {},
): void {
  test(name, { timeout: withinMs }, async (t) => {
    const missing = serfOnPath() === undefined ? 'no `serf` on the PATH (Debian: apt install serf)' : await lacks?.()
    if (missing !== undefined) {
      if (process.env.CI === 'true') throw new Error(`an interop test must not be skipped under CI: ${missing}`)
      // There is nothing here to prove it with. Said aloud as well, for a skip alone is easily read as a pass.
      console.error(`SKIPPED, not proven here: "${name}": ${missing}`)
      t.skip(missing)
      return
    }
    let isBroken = false
    const stage = new Stage(
      async (title, part) => {
        // A part stands on the one before it: after a failure the rest would only repeat it.
        const isOver = isBroken
        await t.test(title, { skip: isOver ? 'an earlier part failed' : false }, async () => {
          isBroken = true
          await part()
          isBroken = false
        })
      },
      (text) => t.diagnostic(text),
    )
    t.after(() => stage.stop())
    await play(stage)
  })
}
