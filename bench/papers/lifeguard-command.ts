// The command line of the bench: which runs it asks for, and what is said of their results. Makes no run and touches no file.
import { parseArgs } from 'node:util'
import type { SimMemberOptions } from '../../src/sim/cluster.ts'
import { type Cell, FULL, MODELS, type Scale } from './lifeguard-play.ts'
import { cellName, cellOf, type Job, keyOf, type Result } from './lifeguard-results.ts'
import { COMMON, CONFIGURATIONS, ROWS, RULES, TUNING } from './lifeguard-rows.ts'
import { GRID, GRID_SEEDS, HOLD_OUT, HOLD_OUT_SEEDS } from './lifeguard-seeds.ts'
import { bySickTable, cellsTable, comparison, loadTable, tuningTable, verdictsTable } from './lifeguard-tables.ts'

/** Small enough for a look: a minute or less. */
const SMOKE: { readonly cells: readonly Cell[]; readonly seeds: readonly number[]; readonly scale: Scale } = {
  cells: ['held:6/16000/1000', 'late:6/8000/2000', 'one-way:6/8000/4000'].map(cellOf),
  seeds: [1],
  scale: { members: 32, sicknessMs: 60_000 },
}

const FLAGS = {
  rows: { type: 'boolean', default: false },
  tuning: { type: 'boolean', default: false },
  rules: { type: 'boolean', default: false },
  configs: { type: 'string', multiple: true, default: [] as string[] },
  config: { type: 'string', multiple: true, default: [] as string[] },
  grid: { type: 'boolean', default: false },
  'hold-out': { type: 'boolean', default: false },
  cells: { type: 'string', multiple: true, default: [] as string[] },
  model: { type: 'string', multiple: true, default: [] as string[] },
  seeds: { type: 'string' },
  members: { type: 'string' },
  beside: { type: 'string' },
  'by-cell': { type: 'boolean', default: false },
  'by-sick': { type: 'boolean', default: false },
  compare: { type: 'string', multiple: true, default: [] as string[] },
  out: { type: 'string' },
  jobs: { type: 'string', default: '1' },
  report: { type: 'boolean', default: false },
  smoke: { type: 'boolean', default: false },
  page: { type: 'boolean', default: false },
} as const

/** What was asked for. */
export interface Command {
  readonly jobs: readonly Job[]
  readonly out: string | undefined
  readonly processes: number
  /** Only say what the file holds. */
  readonly isReport: boolean
  /** Fill the page of the docs. */
  readonly isPage: boolean
  /** What is to be said of results, by `keyOf`; those of no job are left out. */
  say(results: ReadonlyMap<string, Result>): string
}

/** @throws Error for words that mean nothing */
export function parseCommand(words: readonly string[]): Command {
  const { values, positionals } = parseArgs({ args: [...words], allowPositionals: true, options: FLAGS })
  // `--compare a b` leaves b over; `--compare a,b` does not.
  const compared = [...listed(values.compare), ...positionals]
  const named = [
    ...(values.rows || values.smoke ? ROWS : []),
    ...(values.tuning ? TUNING : []),
    ...(values.rules ? RULES : []),
    ...listed(values.configs),
    // What is compared with comes first, so that per cent are of it.
    ...compared.toReversed().filter((name) => name in CONFIGURATIONS),
  ]
  const configurations = new Map<string, SimMemberOptions>()
  for (const name of named) configurations.set(name, configurationOf(name))
  for (const text of values.config) configurations.set(...parseConfiguration(text))

  const models = listed(values.model)
  for (const model of models) {
    if (!(MODELS as readonly string[]).includes(model)) throw new Error(`no model ${model}: ${MODELS}`)
  }
  const cells = [
    ...(values.smoke ? SMOKE.cells : []),
    ...(values.grid ? GRID : []),
    ...(values['hold-out'] ? HOLD_OUT : []),
    ...listed(values.cells).map(cellOf),
  ].filter(({ model }) => models.length === 0 || models.includes(model))
  const seeds = seedsOf(values.seeds, values)
  const scale = values.smoke ? SMOKE.scale : { ...FULL, members: Number(values.members ?? FULL.members) }

  if (values.beside !== undefined) configurationOf(values.beside)
  const mixed = values.beside === undefined ? {} : { beside: values.beside }

  // Seed by seed, so that what an interrupted run leaves is whole pairs.
  const jobs = seeds.flatMap((seed) =>
    cells.flatMap((cell) =>
      [...configurations].map(([name, options]): Job => ({ name, options, cell, seed, scale, ...mixed })),
    ),
  )
  const say = (results: ReadonlyMap<string, Result>): string => {
    const byName = new Map<string, Result[]>([...configurations.keys()].map((name) => [name, []]))
    // Sums are of the same cells and seeds, so a run counts once its like of every configuration is there.
    for (let at = 0; at < jobs.length; at += configurations.size) {
      const alike = jobs.slice(at, at + configurations.size).map((job) => results.get(keyOf(job)))
      if (alike.includes(undefined)) continue
      for (const [index, result] of alike.entries()) byName.get(jobs[at + index]?.name ?? '')?.push(result as Result)
    }
    const [one, other] = compared
    return [
      headline([...byName.values()].flat(), jobs, scale),
      // A curve says what it is about by itself.
      ...(values.rows || !(values.tuning || values['by-sick']) ? [verdictsTable(byName), loadTable(byName)] : []),
      ...(values.tuning ? [tuningTable(byName)] : []),
      ...(values['by-sick'] ? [bySickTable(byName)] : []),
      ...(values['by-cell'] ? [cellsTable(byName)] : []),
      ...(one === undefined || other === undefined ? [] : [comparison(byName, one, other)]),
    ].join('\n\n')
  }
  const { out, report: isReport, page: isPage } = values
  return { jobs, out, processes: Number(values.jobs), isReport, isPage, say }
}

function headline(made: readonly Result[], jobs: readonly Job[], { members }: Scale): string {
  const commits = [...new Set(made.map(({ commit }) => commit))].sort().join(' ')
  const seeds = [...new Set(jobs.map(({ seed }) => seed))]
  const cells = [...new Set(jobs.map(({ cell }) => cellName(cell)))].join(' ')
  return `${made.length} of ${jobs.length} runs of ${members} members, seeds ${seeds.join(' ')}, ${cells}; commit ${commits}`
}

function listed(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) => text.split(','))
}

function configurationOf(name: string): SimMemberOptions {
  const options = CONFIGURATIONS[name]
  if (options === undefined)
    throw new Error(`no configuration ${name}: ${Object.keys(CONFIGURATIONS)}, or --config ${name}=JSON`)
  return { ...COMMON, ...options }
}

function parseConfiguration(text: string): [string, SimMemberOptions] {
  const split = text.indexOf('=')
  if (split < 1) throw new Error(`--config ${text}: say name=JSON`)
  if (text.slice(0, split) in CONFIGURATIONS) throw new Error(`--config ${text}: that name is taken`)
  return [text.slice(0, split), { ...COMMON, ...JSON.parse(text.slice(split + 1)) }]
}

/** `1-5,9`; those of the grid, the hold-out or the smoke run where none are named. */
function seedsOf(text: string | undefined, lists: { grid: boolean; 'hold-out': boolean; smoke: boolean }): number[] {
  if (text === undefined) {
    return [
      ...(lists.smoke ? SMOKE.seeds : []),
      ...(lists.grid ? GRID_SEEDS : []),
      ...(lists['hold-out'] ? HOLD_OUT_SEEDS : []),
    ]
  }
  return text.split(',').flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split('-').map(Number)
    if (!Number.isInteger(first) || !Number.isInteger(last)) throw new Error(`--seeds ${text}: say 1-5,9`)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}
