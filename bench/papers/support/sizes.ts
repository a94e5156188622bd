// How large each member believes its cluster to be, from what members tell: no snapshots are taken, so a thousand views cost nothing.
// Reads and empties the cluster's list of events, which would hold a million after a storm of joins.
import type { Cluster } from '../../../src/sim/cluster.ts'

export class Sizes {
  readonly #cluster: Cluster
  /** By observer, whom it holds for a member, itself left out. */
  readonly #views = new Map<string, Set<string>>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** Takes in what was told since the last time, and gives it. */
  read(): readonly {
    readonly atMs: number
    readonly observer: string
    readonly type: string
    readonly about: string
  }[] {
    const told = this.#cluster.events.splice(0)
    for (const { observer, type, about } of told) {
      if (type === 'member-join') this.#view(observer).add(about)
      else if (type === 'member-dead' || type === 'member-left') this.#view(observer).delete(about)
    }
    return told
  }

  /** The size of the cluster in the eyes of one, itself included. */
  of(observer: string): number {
    return 1 + this.#view(observer).size
  }

  /** Whether one holds another for a member. */
  holds(observer: string, subject: string): boolean {
    return this.#view(observer).has(subject)
  }

  #view(observer: string): Set<string> {
    const view = this.#views.get(observer)
    if (view !== undefined) return view
    const fresh = new Set<string>()
    this.#views.set(observer, fresh)
    return fresh
  }
}
