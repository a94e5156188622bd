// What happened in a run, one line each, as text that can be compared with `diff`: virtual milliseconds, who, what. The same seed
// gives the same text, byte for byte: nothing of the real world is in it. Bounded: of a run that is too long the end is kept.
import type { NetworkObserver, PacketFate, StreamFate } from './fabric.ts'

/** How much is written down: nothing; what members and hosts do; also every stream and every packet with what is in it. */
export type TranscriptDetail = 'off' | 'events' | 'packets'

const MAX_LINES = 1_000_000

export class Transcript {
  readonly detail: TranscriptDetail
  readonly #now: () => number
  readonly #maxLines: number
  #lines: string[] = []
  #lostLines = 0

  constructor(detail: TranscriptDetail, now: () => number, maxLines: number = MAX_LINES) {
    this.detail = detail
    this.#now = now
    this.#maxLines = maxLines
  }

  /** Writes a line about `who`: a member, or `*` for what was done to all of them. */
  note(who: string, what: string): void {
    if (this.detail === 'off') return
    this.#lines.push(`${this.#now().toFixed(3).padStart(12)}  ${who.padEnd(8)} ${what}`)
    if (this.#lines.length >= 2 * this.#maxLines) {
      this.#lines = this.#lines.slice(-this.#maxLines)
      this.#lostLines += this.#maxLines
    }
  }

  /** The lines kept, oldest first. */
  get lines(): readonly string[] {
    return this.#lines
  }

  /** The whole text, one line each, the last ended too. */
  toString(): string {
    const lost = this.#lostLines === 0 ? [] : [`(${this.#lostLines} earlier lines are not kept)`]
    return [...lost, ...this.#lines, ''].join('\n')
  }

  /** Writes down what a network does, where that was asked for. */
  observer(describe: (packet: Uint8Array) => string): NetworkObserver | undefined {
    if (this.detail !== 'packets') return undefined
    return {
      packet: (fate: PacketFate, from: string, to: string, bytes: Uint8Array): void => {
        const what = `${describe(bytes)} (${bytes.length} B)`
        if (fate === 'sent') this.note(from, `-> ${to}: ${what}`)
        else if (fate === 'delivered') this.note(to, `<- ${from}: ${what}`)
        else this.note(from, `-> ${to} ${fate}: ${what}`)
      },
      stream: (fate: StreamFate, from: string, to: string, bytes: number): void => {
        if (fate === 'data') this.note(to, `<= ${from} stream data (${bytes} B)`)
        else this.note(from, `=> ${to} stream ${fate}`)
      },
    }
  }
}

/** Where two texts first differ: a few lines that are the same, then the line of each, as `diff` shows it. `undefined` where they do not.
 *  @param context lines shown before the difference */
export function firstDifference(one: string, other: string, context = 3): string | undefined {
  if (one === other) return undefined
  const lines = one.split('\n')
  const others = other.split('\n')
  let at = 0
  while (lines[at] === others[at]) at++
  const before = lines.slice(Math.max(0, at - context), at).map((line) => `  ${line}`)
  const told = (sign: string, line: string | undefined): string => `${sign} ${line ?? '(the end)'}`
  return [`line ${at + 1}:`, ...before, told('-', lines[at]), told('+', others[at])].join('\n')
}
