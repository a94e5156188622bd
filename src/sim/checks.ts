// The invariants of one cluster while it runs: every member looked at after each step of its own, what it tells as it tells it, and every
// packet it sends. A lie ends the run with the step in which it was told. Finds members by their names and lives; the rules are in
// member-checks.ts.
import type { Host } from '../driver/host.ts'
import type { MembershipEvent } from '../events.ts'
import type { Membership } from '../membership.ts'
import { type MembershipOptions, resolveOptions } from '../options.ts'
import { MemberChecks } from './member-checks.ts'
import { Presence } from './presence.ts'
import { watchedHost } from './watched-host.ts'

/** One life of one member, watched. */
export interface Watched {
  /** What the member is to run on. */
  readonly host: Host
  /** The member that runs on it, before it starts. */
  watch(membership: Membership): void
  /** An event that it tells, in its listener. */
  told(event: MembershipEvent): void
  /** What was found outside of a step, and no step came to throw: to be asked for when the life ends. */
  unsaid(): unknown
}

export class ClusterChecks {
  readonly #addresses = new Map<string, string>()
  readonly #lives = new Map<string, number>()

  /** A new life. Looks at nothing before it is told of the member.
   *  @param address `host:port` at which the others find it */
  life(name: string, address: string, host: Host, options: MembershipOptions): Watched {
    this.#addresses.set(name, address)
    this.#lives.set(name, this.#livesOf(name) + 1)
    const { swim, serf } = resolveOptions({ ...options, name })
    let checks: MemberChecks | undefined
    /** What a listener found: thrown in the step, since listeners are guarded. */
    let found: unknown
    let isSaid = false
    const presence = new Presence(() => host.clock.now())
    const watched = watchedHost(host, {
      steps: () => presence.step(),
      arms: (at) => presence.arm(at),
      stepped: () => {
        if (found !== undefined) {
          isSaid = true
          throw found
        }
        checks?.look()
      },
      sent: (packet) => {
        try {
          checks?.sent(packet)
        } catch (error) {
          found ??= error
        }
      },
    })
    return {
      host: watched,
      watch: (membership) => {
        checks = new MemberChecks(membership, {
          name,
          now: () => host.clock.now(),
          absentMs: () => presence.absentMs,
          probeIntervalMs: swim.probeIntervalMs,
          suspicionMult: swim.suspicionMult,
          suspicionMaxTimeoutMult: swim.suspicionMaxTimeoutMult,
          addressOf: (other) => this.#addresses.get(other),
          names: () => this.#addresses.size,
          livesOf: (other) => this.#livesOf(other),
          gossipToTheDeadMs: swim.gossipToTheDeadMs,
          awarenessMaxMultiplier: swim.awarenessMaxMultiplier,
          maxPacketBytes: swim.maxPacketBytes,
          maxQueueDepth: serf.maxQueueDepth,
          minQueueDepth: serf.minQueueDepth,
          coalescePeriodMs: serf.coalescePeriodMs,
        })
      },
      told: (event) => {
        try {
          checks?.told(event)
        } catch (error) {
          found ??= error
        }
      },
      unsaid: () => {
        const unsaid = isSaid ? undefined : found
        isSaid ||= found !== undefined
        return unsaid
      },
    }
  }

  #livesOf(name: string): number {
    return this.#lives.get(name) ?? 0
  }
}
