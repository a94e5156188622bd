// Tables as a page of the docs holds them and as a terminal shows them: one text for both.
import { bootstrap, type Interval } from './statistics.ts'

/** Of fewer, drawing anew says little: a bootstrap of three values knows three values. */
const FEW = 10

/** A table in Markdown, its columns as wide as what is in them, to the right but for the first, of which `first` says it. */
export function table(
  heads: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  first: 'left' | 'right' = 'left',
): string {
  const isLeft = (column: number): boolean => column === 0 && first === 'left'
  const lines = [heads, ...rows].map((cells) => cells.map(String))
  const widths = heads.map((_, column) => Math.max(3, ...lines.map((cells) => (cells[column] ?? '').length)))
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => pad(cells[column] ?? '', width, isLeft(column))).join(' | ')} |`
  const rule = widths.map((width, column) => (isLeft(column) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  const [head = '', ...body] = lines.map(line)
  return [head, line(rule), ...body].join('\n')
}

/** A table and what is to be said of it, under a title. */
export function section(title: string, body: string, remark: string): string {
  return `### ${title}\n\n${body}\n\n${remark}`
}

/** A figure, or a dash where there is none. */
export function figure(value: number | undefined, digits: number = 2): string {
  return value === undefined || Number.isNaN(value) ? '-' : value.toFixed(digits)
}

/** A small chance or a large count, to three significant digits. */
export function short(value: number): string {
  if (value === 0) return '0'
  if (Math.abs(value) < 0.001) return value.toExponential(1)
  return Math.abs(value) < 1000 ? String(Number(value.toPrecision(3))) : value.toFixed(0)
}

export function seconds(ms: number | undefined, digits: number = 2): string {
  return ms === undefined ? '-' : figure(ms / 1000, digits)
}

export function interval({ low, high }: Interval, digits: number = 2): string {
  return `${figure(low, digits)} to ${figure(high, digits)}`
}

/** As `interval`, for chances. */
export function shortInterval({ low, high }: Interval): string {
  return `${short(low)} to ${short(high)}`
}

export function percent(share: number, digits: number = 1): string {
  return Number.isNaN(share) ? '-' : `${(100 * share).toFixed(digits)} %`
}

/** Where a statistic of these may lie: the bootstrap's 95 %; of few values their least and most, and how many there are. */
export function spread(
  values: readonly number[],
  statistic: (values: readonly number[]) => number,
  digits: number = 2,
): string {
  if (values.length >= FEW) return interval(bootstrap(values, statistic), digits)
  if (values.length === 0) return '-'
  return `${interval({ low: Math.min(...values), high: Math.max(...values) }, digits)} (${values.length})`
}

/** The head of a column of `spread`. @param counts how many values each row has */
export function spreadName(counts: readonly number[]): string {
  return either('95 %', 'least to most', counts, FEW)
}

/** The head of a column of `quantile`: of so few values that it is the largest, it is called that.
 *  @param share 0 to 1 @param counts how many values each row has */
export function tailName(share: number, counts: readonly number[]): string {
  return either(`p${Math.round(100 * share)}`, 'slowest', counts, Math.round(1 / (1 - share)))
}

function either(many: string, few: string, counts: readonly number[], enough: number): string {
  if (counts.every((count) => count >= enough)) return many
  return counts.some((count) => count >= enough) ? `${many} or ${few}` : few
}

function pad(text: string, width: number, isLeft: boolean): string {
  return isLeft ? text.padEnd(width) : text.padStart(width)
}
