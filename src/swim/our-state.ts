// What we tell in an exchange, each member encoded once and kept until it changes, and the whole of it too: a tiny request must not
// make us encode a large table each time. Nobody has to say that a record has changed: it is compared with how it was told.
import { crowdMemo } from '../base/byte-memo.ts'
import { copyOf } from '../base/bytes.ts'
import { encodePushPullMember, joinPushPull } from '../wire/swim-messages.ts'
import { WireState } from '../wire/types.ts'
import { type MemberRecord, type SwimStatus, type Told, tellsVersions } from './member.ts'

/** Rows that others have told in the same words: one copy does for all members of a process. */
const rows = crowdMemo<Told>(1)

const STATE_NUMBER = {
  alive: WireState.alive,
  suspect: WireState.suspect,
  dead: WireState.dead,
  left: WireState.left,
} as const satisfies Record<SwimStatus, number>

export class OurState {
  /** Each member as it travels. */
  #encoded: Uint8Array[] = []
  #userState: Uint8Array | undefined
  /** The whole message, without and with the join flag: a hundred bytes a member each, which whoever is short of memory may have back. */
  #plain: WeakRef<Uint8Array> | undefined
  #joining: WeakRef<Uint8Array> | undefined

  /** A push/pull of all `members`; the very same bytes as last time where nothing has changed, and nobody needed the memory.
   *  @param userState of the layer above; the same object where it is the same */
  encode(members: Iterable<MemberRecord>, userState: Uint8Array, join: boolean): Uint8Array {
    const isSame = this.#update(members)
    if (!isSame || userState !== this.#userState) {
      this.#userState = userState
      this.#plain = undefined
      this.#joining = undefined
    }
    const known = (join ? this.#joining : this.#plain)?.deref()
    if (known !== undefined) return known
    const made = joinPushPull(join, this.#encoded, userState)
    if (join) this.#joining = new WeakRef(made)
    else this.#plain = new WeakRef(made)
    return made
  }

  /** Makes the rows those of the members. True if they were. */
  #update(members: Iterable<MemberRecord>): boolean {
    let isSame = true
    let count = 0
    for (const member of members) {
      // memberlist would take nothing of the whole exchange for one line without.
      if (!tellsVersions(member)) continue
      const encoded = encodedOf(member)
      if (this.#encoded[count] !== encoded) {
        this.#encoded[count] = encoded
        isSame = false
      }
      count++
    }
    if (count === this.#encoded.length) return isSame
    this.#encoded.length = count
    return false
  }
}

/** The member as it travels: the very same bytes as last time where nothing has changed. Asked for as soon as a member of a large
 *  exchange is taken, so that the next exchange need not do it for all of them in one turn. */
export function encodedOf(member: MemberRecord): Uint8Array {
  const { told } = member
  if (isToldBy(told, member)) return told.encoded
  const row = encode(member)
  const known = rows.find(row)
  if (isToldBy(known, member)) {
    member.told = known
    return known.encoded
  }
  const { incarnation, status, address, meta, vsn } = member
  // A copy: what was just encoded shares memory with what is encoded next, and would keep all of that as long as the member lives.
  const encoded = copyOf(row)
  member.told = rows.keep(encoded, { incarnation, status, address, meta, vsn, encoded })
  return encoded
}

/** Whether the member is still as it was told. */
function isToldBy(told: Told | undefined, member: MemberRecord): told is Told {
  return (
    told !== undefined &&
    told.incarnation === member.incarnation &&
    told.status === member.status &&
    told.meta === member.meta &&
    told.address === member.address &&
    told.vsn === member.vsn
  )
}

function encode({ name, address, meta, incarnation, status, vsn }: MemberRecord): Uint8Array {
  const { ip: addr, port } = address
  return encodePushPullMember({ name, addr, port, meta, incarnation, state: STATE_NUMBER[status], vsn })
}
