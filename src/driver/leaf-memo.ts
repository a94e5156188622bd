// Messages of packets, read once: gossip brings the same bytes a dozen times to each member, and a process may run many members. What
// comes again is given as it was read then, so nobody may change what was read. Pings and acks never come twice, and are read anew.
// So are user events and queries: they hold what users said, the keys of the cluster too, and none of that outlives its member here.
import { crowdMemo } from '../base/byte-memo.ts'
import { copyOf } from '../base/bytes.ts'
import { type PacketLeaf, type ReadLeaf, readLeaf } from '../wire/packet.ts'
import { SerfType, SwimType } from '../wire/types.ts'

/** Longer messages are read anew: an alive claim with tags of 400 bytes is shorter. */
const MAX_BYTES = 512

/** Of the whole process: reading depends on nothing but the bytes. A claim and an intent of each, which a cluster that begins tells;
 *  some 1.6 KiB where strangers fill it. */
const leaves = crowdMemo<PacketLeaf>(2)

/** As `readLeaf`; the bytes of claims and of messages of the layer above are ours to keep, and share no memory with the packet. */
export const readLeafOnce: ReadLeaf = (all, start, end) => {
  if (!isToldOn(all[start])) return readLeaf(all, start, end)
  const isKept = end - start <= MAX_BYTES && (all[start] !== SwimType.user || isIntent(all[start + 1]))
  const known = isKept ? leaves.find(all, start, end) : undefined
  if (known !== undefined) return known
  const bytes = copyOf(all.subarray(start, end))
  const leaf = readLeaf(bytes, 0, bytes.length)
  return isKept ? leaves.keep(bytes, leaf) : leaf
}

function isToldOn(type: number | undefined): boolean {
  return type === SwimType.alive || type === SwimType.suspect || type === SwimType.dead || type === SwimType.user
}

function isIntent(type: number | undefined): boolean {
  return type === SerfType.join || type === SerfType.leave
}
