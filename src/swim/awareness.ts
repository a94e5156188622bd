// Local health awareness (Lifeguard §IV-A): how much we trust our own timing. Zero is healthy; each missed
// ack or nack and each accusation we had to refute makes us slower to accuse others.

/** A score from 0 to `awarenessMaxMultiplier - 1`. */
export class Awareness {
  readonly #most: number
  #score = 0

  constructor(maxMultiplier: number) {
    this.#most = maxMultiplier - 1
  }

  /** 0 is healthy. */
  get score(): number {
    return this.#score
  }

  /** Adds `delta`, within the bounds. */
  apply(delta: number): void {
    this.#score = Math.max(0, Math.min(this.#most, this.#score + delta))
  }

  /** `ms` stretched by the score: the time a probe may take. */
  scale(ms: number): number {
    return ms * (this.#score + 1)
  }
}
