// The user's veto over members (serf-behaviour §4.1, step 3): shows what a claim would bring, and remembers a no for a while, so that
// a claim which keeps coming does not keep asking. Knows the question, not who answers it; the answer never throws.
import type { Address } from '../wire/address.ts'
import { decodeTags } from '../wire/tags.ts'
import type { Alive } from '../wire/types.ts'
import type { AnyMember, ReadTags } from './members.ts'

/** How long a no stands for the same name, address and metadata. A refused member is told of by every gossip and exchange; what
 *  the answer rests on may change, so it is asked again in time. Differs: memberlist asks its filter about every alive claim. */
export const REFUSAL_STANDS_MS = 10_000

/** Refusals remembered. More at once are strangers' doing; the oldest is then asked about anew. */
const MAX_REFUSALS = 1024

/** One user's veto, and what it said no to. */
export class Acceptance {
  readonly #ask: (member: AnyMember) => boolean
  readonly #readTags: ReadTags
  /** When a claim was refused, in the order of the refusals. */
  readonly #refused = new Map<string, number>()

  /** @param ask true to take the member in; must not throw
   *  @param readTags as for members that are in */
  constructor(ask: (member: AnyMember) => boolean, readTags: ReadTags = (rawTags) => rawTags) {
    this.#ask = ask
    this.#readTags = readTags
  }

  accepts(claim: Alive, address: Address, now: number): boolean {
    // As memberlist, which shows its filter whole members only.
    if (claim.vsn.length < 6) return false
    const key = keyOf(claim, address)
    const refusedAt = this.#refused.get(key)
    if (refusedAt !== undefined && now - refusedAt < REFUSAL_STANDS_MS) return false
    this.#refused.delete(key)
    if (this.#ask(this.#candidate(claim, address))) return true
    this.#refused.set(key, now)
    if (this.#refused.size > MAX_REFUSALS) this.#refused.delete(this.#refused.keys().next().value as string)
    return false
  }

  /** The member as it would be. */
  #candidate({ node, meta, incarnation, vsn }: Alive, address: Address): AnyMember {
    const [, , , min, max, current] = vsn as unknown as readonly [number, number, number, number, number, number]
    const rawTags = decodeTags(meta).tags
    return Object.freeze({
      name: node,
      state: 'alive',
      tags: this.#readTags(rawTags, node),
      rawTags,
      address: address.key,
      host: address.host,
      port: address.port,
      incarnation,
      isSelf: false,
      protocol: Object.freeze({ min, max, current }),
    })
  }
}

/** What the question is about; at most 512 bytes of metadata and a name of 512 characters. */
function keyOf({ node, meta }: Alive, address: Address): string {
  return `${address.key} ${String.fromCharCode(...meta)} ${node}`
}
