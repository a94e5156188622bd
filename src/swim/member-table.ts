// Who is known: lookup by name, the order of probing, random samples. Holds records, decides nothing about them.
// The order is randomised round-robin (SWIM §4.3): every member is probed once a cycle, the worst gap is 2N - 1 probes.
import { assert } from '../base/assert.ts'
import { expectCrowd } from '../base/byte-memo.ts'
import type { Random } from '../base/random.ts'
import type { MemberRecord } from './member.ts'

export class MemberTable {
  readonly #random: Random
  readonly #byName = new Map<string, MemberRecord>()
  #order: MemberRecord[] = []
  #cursor = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** Every record, all states, ourselves included: the N of every formula. */
  get size(): number {
    return this.#order.length
  }

  get(name: string): MemberRecord | undefined {
    return this.#byName.get(name)
  }

  /** All records, in probing order. */
  all(): readonly MemberRecord[] {
    return this.#order
  }

  /** All records, in the order of their coming: it stays the same from round to round. */
  records(): IterableIterator<MemberRecord> {
    return this.#byName.values()
  }

  /** Adds a new member at a random place of the order, so that newcomers do not always wait a whole cycle. */
  add(member: MemberRecord): void {
    assert(!this.#byName.has(member.name), 'a member is added once')
    this.#byName.set(member.name, member)
    expectCrowd(this.#byName.size)
    const at = this.#random.below(this.#order.length + 1)
    this.#order.push(member)
    const last = this.#order.length - 1
    const displaced = this.#order[at] as MemberRecord
    this.#order[at] = member
    this.#order[last] = displaced
  }

  /** The next member of the round that `fits`; at most one look at each record. At the end of a round, `isForgotten`
   *  ones are dropped and the rest is shuffled. */
  nextInRound(
    fits: (member: MemberRecord) => boolean,
    isForgotten: (member: MemberRecord) => boolean,
  ): MemberRecord | undefined {
    for (let looked = this.#order.length; looked > 0; looked--) {
      if (this.#cursor >= this.#order.length) this.#beginRound(isForgotten)
      const member = this.#order[this.#cursor++]
      if (member !== undefined && fits(member)) return member
    }
    // A table in which nobody fits must still come to the end of its rounds, or the dead would never be forgotten.
    if (this.#cursor >= this.#order.length) this.#beginRound(isForgotten)
    return undefined
  }

  /** Up to `count` different members that `fit`, at random. Exhaustive in small tables; in large ones it may find fewer. */
  sample(count: number, fits: (member: MemberRecord) => boolean): MemberRecord[] {
    const size = this.#order.length
    if (size < 3 * count) return this.#random.shuffle(this.#order.filter(fits)).slice(0, count)
    const chosen: MemberRecord[] = []
    for (let tries = 3 * size; tries > 0 && chosen.length < count; tries--) {
      const member = this.#order[this.#random.below(size)] as MemberRecord
      if (!chosen.includes(member) && fits(member)) chosen.push(member)
    }
    return chosen
  }

  #beginRound(isForgotten: (member: MemberRecord) => boolean): void {
    this.#cursor = 0
    this.#order = this.#order.filter((member) => {
      if (!isForgotten(member)) return true
      this.#byName.delete(member.name)
      return false
    })
    this.#random.shuffle(this.#order)
  }
}
