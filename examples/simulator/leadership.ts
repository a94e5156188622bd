// A service that is under test in leadership.test.ts: of a cluster whose size is known, one member leads, and never two. It is written as for
// production: it takes a member and a clock, and knows nothing of a simulator.
//
// Who leads is the first by name of those that are not known to be gone, and only while a majority is there. Who loses the majority stops at
// once; who comes next waits for a while before it begins, so that the one before has found out as well.
import type { Membership } from 'rollcall'

/** What it needs of time. For production: `{ after: (ms, task) => { const timer = setTimeout(task, ms); return () => clearTimeout(timer) } }`. */
export interface Timers {
  after(ms: number, task: () => void): () => void
}

export interface LeadershipOptions {
  readonly membership: Membership
  readonly clock: Timers
  /** How many members the cluster is made for. */
  readonly clusterSize: number
  /** How long the next one waits. */
  readonly graceMs: number
}

export class Leadership {
  isLeader = false
  readonly #options: LeadershipOptions
  #cancel: (() => void) | undefined

  constructor(options: LeadershipOptions) {
    this.#options = options
    const { membership } = options
    const changes = [
      'member-join',
      'member-suspect',
      'member-recover',
      'member-dead',
      'member-leaving',
      'member-left',
    ] as const
    for (const type of changes) membership.on(type, () => this.#review())
  }

  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.isLeader = false
  }

  #review(): void {
    const { membership, clusterSize, clock, graceMs } = this.#options
    const hasMajority = membership.members({ state: 'alive' }).length * 2 > clusterSize
    const names = membership.members({ state: ['alive', 'suspect'] }).map(({ name }) => name)
    if (!hasMajority || names.sort()[0] !== membership.local.name) {
      this.close()
    } else if (!this.isLeader) {
      this.#cancel ??= clock.after(graceMs, () => {
        this.isLeader = true
      })
    }
  }
}
