// The stall rule's clockwork. After a blocked event loop, a stopped process or a long collection, Node runs late timers before it
// reads its sockets; whoever judges then accuses everyone. So a late wake-up judges nothing: turns of the event loop pass until one
// brought nothing more, and only then is it as if the timer had come. Knows no sockets, no timers and no members.
//
//   in time ──an input more than LATE_MS after the time we were to wake──► reading ──a whole quiet turn, or MAX_TURNS──► caught up
//
// Looked at on every input: after a stall in the middle of a read, packets come before the timer does.

/** Timers of a healthy Node come up to 2 ms late. Above this something held the loop up, and what has arrived meanwhile may be
 *  unread: it is read first. Costs two turns of the loop. */
export const LATE_MS = 5

/** Lateness from here on is time in which we were not there, and the machine is told of it. A quarter of the shortest probe timeout of
 *  any profile, far above what a busy host's timers are late by. Below it deadlines stay, since peers feel such delays of theirs too. */
export const STALL_MS = 50

/** While others are to answer or to deny something, so much passes at most between two timers: whoever stands still longer is late for
 *  one, and knows it. Where nobody is waited for nobody can be judged, and no timer is needed to find out. */
export const LOOK_MS = 200

/** Turns that may pass before we judge with packets unread: a flood must not put judgement off for ever. libuv reads 32 datagrams a
 *  turn, and the kernel counts no datagram below 768 bytes, so a full receive buffer of 2 MiB (which Linux doubles) takes 170. */
export const MAX_TURNS = 256

export interface CatchUpSetup {
  /** False: nobody is ever late, and whatever comes due is judged at once. */
  readonly isOn: boolean
  /** Runs a task in a turn of its own. */
  defer(task: () => void): void
  now(): number
  /** We were not there for `lengthMs`, which end now. Comes before any input of after the stall is handed on. */
  stalled(lengthMs: number, now: number): void
  /** All that had arrived is read: what is due may be judged. */
  caughtUp(now: number): void
}

export class CatchUp {
  readonly #setup: CatchUpSetup
  /** Until here we have been there, or the machine knows that we were not. */
  #presentUntil: number | undefined
  #isReading = false
  #hasBrought = false
  #turns = 0

  constructor(setup: CatchUpSetup) {
    this.#setup = setup
  }

  /** True from a late wake-up until `caughtUp`: nothing is judged, no timer is needed. */
  get isReading(): boolean {
    return this.#isReading
  }

  /** A timer is armed for `at`, or none. */
  expect(at: number | undefined): void {
    this.#presentUntil = at
  }

  /** To be called first on every input. */
  look(): void {
    if (this.#presentUntil === undefined || !this.#setup.isOn) return
    const now = this.#setup.now()
    const lateMs = now - this.#presentUntil
    if (lateMs <= LATE_MS) return
    // While reading this goes on counting: time spent on what had piled up belongs to the stall, and so does the next one.
    if (lateMs > STALL_MS) {
      this.#presentUntil = now
      this.#hasBrought = true // what came during a second stall is unread as well
      this.#setup.stalled(lateMs, now)
    }
    if (this.#isReading) return
    this.#isReading = true
    this.#turns = 0
    // Noticed in the middle of a turn: what is left of it proves nothing.
    this.#hasBrought = true
    this.#setup.defer(() => this.#turn())
  }

  /** The turn brought a packet, or news of a stream. */
  brought(): void {
    this.#hasBrought = true
  }

  /** Forgets everything; a turn that is under way does nothing. */
  stop(): void {
    this.#isReading = false
    this.#presentUntil = undefined
  }

  #turn(): void {
    if (!this.#isReading) return
    this.look()
    if (this.#hasBrought && ++this.#turns < MAX_TURNS) {
      this.#hasBrought = false
      this.#setup.defer(() => this.#turn())
      return
    }
    this.#isReading = false
    this.#presentUntil = undefined
    this.#setup.caughtUp(this.#setup.now())
  }
}
