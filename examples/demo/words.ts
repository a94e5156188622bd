// How a report reads on the timeline. Knows no process and no clock.
import type { Report, State } from './protocol.ts'
import type { Tone } from './timeline.ts'

const TONES: Readonly<Record<State, Tone>> = {
  alive: 'good',
  suspect: 'doubt',
  leaving: 'doubt',
  left: 'quiet',
  dead: 'bad',
}

/** @param since how long after the chapter began, for what is remarkable by its time */
export function describe(report: Report, since: string): { text: string; tone: Tone } {
  if (report.kind === 'up') return { text: `listens on ${report.address}, pid ${report.pid}`, tone: 'plain' }
  if (report.kind === 'warning') return { text: `warns: ${report.text}`, tone: 'quiet' }
  const { seen, of, was } = report
  const before = was === 'dead' ? ', which was dead' : ''
  const details = of.state === 'alive' ? ` (role=${of.role}, ${of.address})` : since
  return { text: `${seen}${before}${details}`, tone: TONES[of.state] }
}
