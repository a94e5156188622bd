// Tables as a page of the docs holds them and as a terminal shows them: one text for both.
import type { Interval } from './statistics.ts'

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

function pad(text: string, width: number, isLeft: boolean): string {
  return isLeft ? text.padEnd(width) : text.padStart(width)
}
