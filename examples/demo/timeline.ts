// What the demo prints: one line a fact, `time  who  what`, and headings. Colours only where a person watches: on a
// terminal, and without NO_COLOR. Times are milliseconds since the demo began.

/** What a line is about; gives it its colour. */
export type Tone = 'plain' | 'good' | 'doubt' | 'bad' | 'quiet'

const COLOURS: Readonly<Record<Tone, string>> = { plain: '', good: '32', doubt: '33', bad: '31', quiet: '2' }
const TIME_WIDTH = 9
const NAME_WIDTH = 5
const LINE_WIDTH = 78

export class Timeline {
  readonly #began = performance.now()
  readonly #isColoured = process.stdout.isTTY === true && !process.env.NO_COLOR

  /** Milliseconds since the demo began. */
  get now(): number {
    return performance.now() - this.#began
  }

  /** Text without a time, before the story begins or after it ended. */
  say(text: string, tone: Tone = 'plain'): void {
    this.#print(this.#paint(text, COLOURS[tone]))
  }

  heading(text: string): void {
    this.#print('')
    this.#print(this.#paint(`── ${text} `.padEnd(LINE_WIDTH, '─'), '1'))
  }

  /** One fact. */
  line(who: string, what: string, tone: Tone = 'plain'): void {
    const time = `${Math.round(this.now)} ms`.padStart(TIME_WIDTH)
    this.#print(
      `${this.#paint(time, '2')}  ${this.#paint(who.padEnd(NAME_WIDTH), '1')} ${this.#paint(what, COLOURS[tone])}`,
    )
  }

  #paint(text: string, code: string): string {
    return this.#isColoured && code !== '' ? `\u001b[${code}m${text}\u001b[0m` : text
  }

  #print(line: string): void {
    process.stdout.write(`${line}\n`)
  }
}

/** `412 ms`, `1.9 s`. */
export function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}
