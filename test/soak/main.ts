// `npm run soak`: the counts that are too long for CI, each in a process of its own with a time limit. With `--write` a page of the docs
// tells of each entry its command, commit, machine, time and what it said; entries that were not run keep what the page said of them.
//
//   npm run soak -- --only fuzz,halves      some of them
//   npm run soak -- --seed 7                with this seed instead of a fresh one
//   npm run soak -- --write docs/soak.md
import { execFileSync, spawn } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const ROOT: string = fileURLToPath(new URL('../..', import.meta.url))

interface Entry {
  readonly name: string
  /** What it shows, as the page tells it. */
  readonly shows: string
  /** Arguments of `npx`; `SEED` stands for the run's seed. */
  readonly command: readonly string[]
  readonly limitMinutes: number
}

const ENTRIES: readonly Entry[] = [
  {
    name: 'fuzz',
    shows: 'A million mutated and random packets and streams against the decoders, whole members and a live one.',
    command: ['tsx', 'test/fuzz/main.ts', '--inputs', '1000000', '--seed', 'SEED'],
    limitMinutes: 10,
  },
  {
    name: 'exits',
    shows: 'Members start and close over and over in one process, which holds no more afterwards.',
    command: ['tsx', 'test/soak/exits.ts', '--cycles', '4500'],
    limitMinutes: 8,
  },
  {
    name: 'explore',
    shows:
      'Random faults of every kind in simulated clusters, each invariant looked at after each step; then the faults stop, and all that run agree, stay calm and hear news.',
    command: [
      'tsx',
      'test/explore/main.ts',
      '--seeds',
      '10000',
      '--seed',
      'SEED',
      '--processes',
      '2',
      '--failures',
      '3',
    ],
    limitMinutes: 60,
  },
  {
    name: 'halves',
    shows:
      'Two halves of three that could not see each other for a virtual hour are one cluster within 60 s of healing.',
    command: ['tsx', 'test/soak/halves.ts', '--seeds', '1000', '--seed', 'SEED', '--processes', '2'],
    limitMinutes: 45,
  },
  {
    name: 'stalls',
    shows: 'Simulated members that stand still for 2, 5 and 30 s and accuse nobody when they go on.',
    command: ['tsx', 'test/soak/stalls.ts', '--seeds', '150', '--seed', 'SEED'],
    limitMinutes: 8,
  },
  {
    name: 'mutants',
    shows: 'Bugs made by hand, each of which the check that is named for it notices under each of three seeds.',
    command: ['tsx', 'test/mutation/main.ts', '--seeds', '3'],
    limitMinutes: 8,
  },
  {
    name: 'snapshot-kills',
    shows:
      'A member with a snapshot that is killed under load, and finds its way back by itself each time, with every line that was written.',
    command: ['tsx', 'test/soak/snapshot-kills.ts', '--kills', '50', '--seed', 'SEED'],
    limitMinutes: 8,
  },
  ...['detection-lan', 'detection-lan-encrypted', 'detection-local', 'detection-local-encrypted'].map((play) => ({
    name: play,
    shows: 'How long a killed member goes unnoticed in a mixed cluster, beside one of Go alone in the same run.',
    command: ['tsx', 'test/soak/detection.ts', '--play', play],
    limitMinutes: 8,
  })),
]

const { values } = parseArgs({
  options: { only: { type: 'string' }, seed: { type: 'string' }, write: { type: 'string' } },
})
const seed = values.seed ?? String(Date.now() % 1_000_000)
process.exitCode = await main()

async function main(): Promise<number> {
  const wanted = values.only?.split(',')
  const unknown = wanted?.find((name) => !ENTRIES.some((entry) => entry.name === name))
  if (unknown !== undefined) {
    console.error(`soak: no entry ${unknown}: ${ENTRIES.map(({ name }) => name).join(', ')}`)
    return 1
  }
  const page = values.write === undefined ? undefined : resolve(ROOT, values.write)
  // What cannot be written is said now, and not after an hour.
  if (page !== undefined) appendFileSync(page, '')
  const sections = page !== undefined && existsSync(page) ? sectionsOf(readFileSync(page, 'utf8')) : new Map()
  let failed = 0
  for (const entry of ENTRIES) {
    if (wanted !== undefined && !wanted.includes(entry.name)) continue
    const { text, isGood } = await run(entry)
    if (!isGood) failed++
    sections.set(entry.name, text)
    // After each, so that nothing is lost where a later one is stopped.
    if (page !== undefined) writeFileSync(page, pageOf(sections))
  }
  console.log(`soak: ${wanted?.length ?? ENTRIES.length} entries, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

/** What a page says under each heading, by entry. */
function sectionsOf(page: string): Map<string, string> {
  const parts = page.split(/^## /m).slice(1)
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n')).trim()]))
}

function pageOf(sections: ReadonlyMap<string, string>): string {
  const told = ENTRIES.map(({ name, shows }) => [name, sections.get(name) ?? `${shows}\n\nNot run yet.`] as const)
  return [
    '# Soak',
    'The last run of the counts that are too long for CI, as `npm run soak -- --write docs/soak.md` wrote it. Nothing here is edited by hand.',
    ...told.map(([name, text]) => `## ${name}\n\n${text}`),
  ]
    .join('\n\n')
    .concat('\n')
}

interface Section {
  readonly text: string
  readonly isGood: boolean
}

function run(entry: Entry): Promise<Section> {
  const command = entry.command.map((word) => (word === 'SEED' ? seed : word))
  console.log(`\n== ${entry.name}: npx ${command.join(' ')}`)
  const circumstances = whenAndWhere()
  const began = performance.now()
  const child = spawn('npx', ['--no-install', ...command], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      said.push(text)
      process.stdout.write(text)
    })
  }
  // The whole group: what it started must not outlive it.
  const end = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  }
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  const timer = setTimeout(end, entry.limitMinutes * 60_000)
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      process.off('SIGINT', end)
      process.off('SIGTERM', end)
      const seconds = Math.round((performance.now() - began) / 1000)
      const verdict =
        code === 0 ? 'passed' : signal === null ? `FAILED with code ${code}` : `FAILED: ended by ${signal}`
      const output = said
        .join('')
        .split('\n')
        .filter((line) => !line.startsWith('npm warn'))
        .join('\n')
        .trim()
      const took = `${verdict} in ${seconds} s of at most ${entry.limitMinutes * 60}`
      const text = [
        entry.shows,
        `\`npx ${command.join(' ')}\`: ${took}, ${circumstances}.`,
        `\`\`\`text\n${output}\n\`\`\``,
      ].join('\n\n')
      resolve({ text, isGood: code === 0 })
    })
  })
}

function whenAndWhere(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim()
  const isChanged = git('status', '--porcelain', '--', 'src') !== ''
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  const commit = `${git('rev-parse', '--short', 'HEAD')}${isChanged ? ' with changes in `src` that were not committed' : ''}`
  const machine = `${process.platform} ${process.arch}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`
  return `${new Date().toISOString().slice(0, 10)}, version ${version}, commit ${commit}, Node ${process.version}, ${machine}`
}
