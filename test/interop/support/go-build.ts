// Builds the Go programs in ../peers once for each state of their sources, into a folder that git does not see. Several test files may ask
// at the same time: whoever is first wins, the others throw their own build away.
import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SOURCES = fileURLToPath(new URL('../peers/', import.meta.url))
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/rollcall-peers/', import.meta.url))
/** A first build compiles Serf and all it needs, and may fetch it. */
const BUILT_WITHIN_MS = 280_000

/** Why the programs cannot be built here, if so. */
export function goMissing(): string | undefined {
  const wanted = /^go (\d+)\.(\d+)/m.exec(readFileSync(join(SOURCES, 'go.mod'), 'utf8'))
  let version: string
  try {
    // Inside the module, so that a Go that may fetch a newer one of itself does so first.
    version = execFileSync('go', ['env', 'GOVERSION'], { cwd: SOURCES, encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return 'no `go` on the PATH that could build test/interop/peers'
  }
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? []
  const isOld = Number(major) * 1000 + Number(minor) < Number(wanted?.[1]) * 1000 + Number(wanted?.[2])
  return isOld ? `${version} is too old for test/interop/peers, which says: ${wanted?.[0]}` : undefined
}

let building: Promise<string> | undefined

/** The folder with the programs; built by the first call. Rejects with what the compiler said. */
export function builtPeers(): Promise<string> {
  building ??= build()
  return building
}

async function build(): Promise<string> {
  const folder = join(CACHE, fingerprint())
  if (existsSync(folder)) return folder
  mkdirSync(CACHE, { recursive: true })
  const scratch = mkdtempSync(join(CACHE, 'building-'))
  await new Promise<void>((resolve, reject) => {
    execFile(
      'go',
      ['build', '-o', scratch, './...'],
      { cwd: SOURCES, timeout: BUILT_WITHIN_MS, env: { ...process.env, GOFLAGS: '-mod=readonly -buildvcs=false' } },
      (error, out, err) => (error === null ? resolve() : reject(new Error(`go build: ${out}${err}`, { cause: error }))),
    )
  })
  try {
    renameSync(scratch, folder)
  } catch (error) {
    rmSync(scratch, { recursive: true })
    if (!existsSync(folder)) throw error
  }
  return folder
}

/** A name for this state of the sources. */
function fingerprint(): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).sort()) {
    const file = join(SOURCES, name)
    if (statSync(file).isFile()) hash.update(name).update('\0').update(readFileSync(file))
  }
  return hash.digest('hex').slice(0, 16)
}
