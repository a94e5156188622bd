// A place where the package is installed as a user has it: built, under its public name, with its own package.json and
// export map, and only its declared dependencies beside it. Nothing of the sources can be reached from there.
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url))
/** The compiler's own script, so that it runs without a shell on every system. */
export const TSC: string = join(ROOT, 'node_modules/typescript/bin/tsc')

export type Finished = { readonly code: number | null; readonly output: string }

/** A new folder in the system's temporary one, with what `remove` needs to take it away. */
export function temporaryFolder(name: string): { path: string; remove: () => void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), `rollcall-${name}-`)))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Builds the package into `place/node_modules/rollcall`, links its dependencies and Node's types beside it. */
export async function installBuilt(place: string): Promise<void> {
  const home = join(place, 'node_modules/rollcall')
  mkdirSync(home, { recursive: true })
  copyFileSync(join(ROOT, 'package.json'), join(home, 'package.json'))
  const { dependencies = {} }: { dependencies?: Record<string, string> } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  )
  for (const name of [...Object.keys(dependencies), '@types/node']) {
    mkdirSync(dirname(join(place, 'node_modules', name)), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', name), join(place, 'node_modules', name), 'junction')
  }
  const built = await run(process.execPath, [TSC, '-p', 'tsconfig.build.json', '--outDir', join(home, 'dist')], ROOT)
  if (built.code !== 0) throw new Error(`the package does not build:\n${built.output}`)
}

/** Runs a program to its end; after `limitMs` it is killed and `code` is `null`. Output is both streams, as they came. */
export function run(program: string, args: readonly string[], cwd: string, limitMs = 120_000): Promise<Finished> {
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: limitMs,
      killSignal: 'SIGKILL',
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}
