// Compiles the programs of `consumer/` in a place where the package is installed. Shared by types.test.ts and tarball.ts.
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Finished, ROOT, run, TSC } from './built.ts'

const STRICTEST = {
  noEmit: true,
  target: 'ES2023',
  lib: ['ES2023', 'ESNext.Disposable'],
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
}
const RESOLUTIONS = {
  NodeNext: { module: 'NodeNext' },
  Bundler: { module: 'ESNext', moduleResolution: 'Bundler' },
} as const

/** The compiler's verdict on `files` of `consumer/`, which are copied to `place`; its output is empty when it is content. */
export async function compileConsumer(
  place: string,
  resolution: keyof typeof RESOLUTIONS,
  files: string[],
): Promise<Finished> {
  for (const file of files) copyFileSync(join(ROOT, 'test/package/consumer', file), join(place, file))
  writeFileSync(join(place, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  const compilerOptions = { ...STRICTEST, ...RESOLUTIONS[resolution] }
  writeFileSync(join(place, `tsconfig.${resolution}.json`), JSON.stringify({ compilerOptions, files }))
  return run(process.execPath, [TSC, '-p', `tsconfig.${resolution}.json`, '--pretty', 'false'], place)
}
