// One direction of a stream: pieces go over a link in order, each with its latency. What the link drops is sent again as TCP
// does it, after a time that doubles; what follows waits behind it. So a cut stream stalls without a word, and goes on when
// the cut heals; only after many minutes does it give up. Knows no handshake: that is streams.ts.
import type { Fabric } from './fabric.ts'
import type { Scheduled } from './schedule.ts'
import type { Station } from './station.ts'

/** Something that travels: bytes, or a sign of TCP's own. */
export type Piece = Uint8Array | 'open' | 'fin' | 'reset'

/** RFC 6298's doubling, with Linux's numbers. */
const FIRST_RETRY_MS = 200
const LAST_RETRY_MS = 120_000
/** Linux gives up when the wait after its 15th is over, 924.6 s after the first loss. */
const MAX_RETRIES = 16

export class Line {
  readonly #fabric: Fabric
  readonly #from: Station
  readonly #to: Station
  readonly #arrive: (piece: Piece) => void
  readonly #giveUp: () => void
  readonly #waiting: Piece[] = []
  #lastArrival = 0
  #retries = 0
  #retry: Scheduled | undefined
  #generation = 0

  /** @param arrive is called for each piece, in order, on the virtual instant of its arrival
   *  @param giveUp is called once when the link has dropped everything for too long */
  constructor(fabric: Fabric, from: Station, to: Station, arrive: (piece: Piece) => void, giveUp: () => void) {
    this.#fabric = fabric
    this.#from = from
    this.#to = to
    this.#arrive = arrive
    this.#giveUp = giveUp
  }

  push(piece: Piece): void {
    this.#waiting.push(piece)
    if (this.#retry === undefined) this.#send()
  }

  /** Forgets what has not arrived, under way or not. */
  discard(): void {
    this.#waiting.length = 0
    this.#generation++
    if (this.#retry !== undefined) this.#fabric.schedule.cancel(this.#retry)
    this.#retry = undefined
    this.#retries = 0
  }

  #send(): void {
    const { schedule, links } = this.#fabric
    while (this.#waiting.length > 0) {
      const piece = this.#waiting[0] as Piece
      const bytes = typeof piece === 'string' ? 0 : piece.length
      const isUp = this.#from.isUp && this.#to.isUp
      const verdict = isUp ? links.judge(this.#from.name, this.#to.name, 'stream', bytes) : 'host-down'
      if (typeof verdict === 'string') {
        this.#fabric.traffic.felt.resent++
        this.#from.traffic.felt.resent++
        this.#tryLater()
        return
      }
      this.#waiting.shift()
      this.#retries = 0
      this.#lastArrival = Math.max(this.#lastArrival, schedule.now + verdict)
      const generation = this.#generation
      schedule.at(this.#lastArrival, () => {
        if (generation === this.#generation) this.#arrive(piece)
      })
    }
  }

  #tryLater(): void {
    const { schedule } = this.#fabric
    if (this.#retries === MAX_RETRIES) {
      this.discard()
      this.#giveUp()
      return
    }
    const ms = Math.min(FIRST_RETRY_MS * (1 << this.#retries++), LAST_RETRY_MS)
    this.#retry = schedule.at(schedule.now + ms, () => {
      this.#retry = undefined
      this.#send()
    })
  }
}
