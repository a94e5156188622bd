// A cluster whose members live in a network namespace each, so that packets between them can be dropped.
import { LanCluster, type LanClusterOptions, type LanPeer } from './lan-cluster.ts'
import { type Drop, Network, type Place } from './netns.ts'

export class NetnsCluster extends LanCluster {
  readonly network: Network

  private constructor(title: string, peers: readonly LanPeer[], network: Network) {
    super(title, peers)
    this.network = network
  }

  /** Resolves when everyone sees everyone alive. Leaves nothing behind when it rejects. */
  static async start(options: LanClusterOptions): Promise<NetnsCluster> {
    const network = await Network.make(options.kinds.length)
    try {
      const { peers } = await LanCluster.gather({ ...options, places: network.places })
      return new NetnsCluster(options.title, peers, network)
    } catch (error) {
      await network.remove()
      throw error
    }
  }

  /** What `to` would receive of `from` is dropped from now on. */
  async cut(from: readonly LanPeer[], to: readonly LanPeer[], what: Omit<Drop, 'at' | 'from'> = {}): Promise<void> {
    await this.network.drop({ at: this.#placesOf(to), from: this.#placesOf(from), ...what })
  }

  /** Drops nothing any more. */
  async heal(): Promise<void> {
    await this.network.heal()
  }

  /** Packets dropped so far by the rules that stand. */
  async dropped(): Promise<number> {
    const counts = await Promise.all(this.network.places.map((place) => this.network.dropped(place)))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  override async stop(): Promise<void> {
    await super.stop()
    await this.network.remove()
  }

  #placesOf(peers: readonly LanPeer[]): Place[] {
    return this.network.places.filter((_, index) => peers.some((peer) => peer === this.peers[index]))
  }
}
