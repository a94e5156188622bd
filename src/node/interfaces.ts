// Which of this machine's addresses peers are told when we are bound to a wildcard. A pure choice over what the caller
// read from os.networkInterfaces(), which lists running interfaces only, in the system's order, and from the routes.
// Source: serf-behaviour §3.4. Differs: `::` is a wildcard too, and a host without a private address still has a choice.
import type { Reachable } from '../driver/host.ts'
import { formatIp, isIpv4, isWildcard, parseIp } from '../wire/address.ts'
import { kindOf } from '../wire/address-kind.ts'

/** The part of one entry of os.networkInterfaces() that matters. */
export interface InterfaceAddress {
  readonly address: string
  readonly internal: boolean
}

/** Interfaces by name, as os.networkInterfaces() gives them. */
export type Interfaces = Readonly<Record<string, readonly InterfaceAddress[] | undefined>>

/** Networks within a machine, by the names that their makers give: Docker, Podman, Kubernetes and its networks, LXC, Incus, libvirt, VMware, VirtualBox.
 *  An address there is private and up, and means nothing to others. Differs: memberlist takes a bridge of containers for a network
 *  like any other. */
const INNER_NETWORK =
  /^(?:docker|br-|veth|podman|cni|flannel|cali|lxc|lxd|incus|kube-|weave|cilium|nodelocaldns|virbr|vmnet|vboxnet)/

/** Best first. */
const RANKS = ['private', 'public', 'inner', 'lesser', 'loopback'] as const
type Rank = (typeof RANKS)[number]

interface Candidate {
  readonly ip: Uint8Array
  readonly device: string
  readonly rank: Rank
  /** 0: what leaves by the default route has this very address. 1: another of that interface. 2: of another. */
  readonly distance: 0 | 1 | 2
}

/** The address to advertise for `wildcard`: IPv4 for `0.0.0.0`; for `::` an IPv6 one that leaves the machine, then IPv4. A private
 *  address comes first, then a public one, then one of a network within this machine, then any but loopback, then loopback;
 *  among equals that of the default route, then the system's order. `undefined` where there is none of the family. IPv6
 *  link-local ones are never chosen: nobody can dial them without naming an interface of their own.
 *  @param routed what leaves by the default route has this address; `undefined` where there is no such route */
export function chooseReachable(
  interfaces: Interfaces,
  wildcard: Uint8Array,
  routed: readonly Uint8Array[] = [],
): Reachable | undefined {
  const wantsIpv6 = wildcard.length === 16 && !isIpv4(wildcard) && isWildcard(wildcard)
  const candidates = candidatesOf(interfaces, routed).filter(({ ip }) => ip.length === 4 || wantsIpv6)
  const [best, ...others] = candidates.sort((left, right) => weightOf(left) - weightOf(right))
  if (best === undefined) return undefined
  const doubt = doubtOf(best, others)
  return doubt === undefined ? { ip: best.ip } : { ip: best.ip, doubt }
}

/** Every address of every interface. */
export function addressesOf(interfaces: Interfaces): readonly Uint8Array[] {
  return Object.values(interfaces).flatMap((addresses = []) =>
    addresses.flatMap(({ address }) => parseIp(address) ?? []),
  )
}

function candidatesOf(interfaces: Interfaces, routed: readonly Uint8Array[]): Candidate[] {
  const ways = new Set(routed.map(formatIp))
  return Object.entries(interfaces).flatMap(([device, addresses = []]) => {
    const known = addresses.flatMap(({ address, internal }) => {
      const ip = parseIp(address)
      return ip === undefined ? [] : [{ ip, internal, isWay: ways.has(formatIp(ip)) }]
    })
    const isOnWay = known.some(({ isWay }) => isWay)
    return known.flatMap(({ ip, internal, isWay }): Candidate[] => {
      const rank = rankOf(ip, internal, !isOnWay && INNER_NETWORK.test(device))
      return rank === undefined ? [] : [{ ip, device, rank, distance: isWay ? 0 : isOnWay ? 1 : 2 }]
    })
  })
}

function rankOf(ip: Uint8Array, internal: boolean, isInner: boolean): Rank | undefined {
  const kind = kindOf(ip)
  if (kind === 'none' || (kind === 'link' && ip.length === 16)) return undefined
  if (kind === 'loopback') return 'loopback'
  if (internal || kind === 'link') return 'lesser'
  return isInner ? 'inner' : kind
}

/** Where both families arrive: IPv6 that leaves the machine, IPv4 that does, then either loopback. */
function weightOf({ ip, rank, distance }: Candidate): number {
  const familyWeight = (rank === 'loopback' ? 200 : 0) + (ip.length === 16 ? 0 : 100)
  return familyWeight + 10 * RANKS.indexOf(rank) + distance
}

/** Why `best` may be the wrong one. */
function doubtOf(best: Candidate, others: readonly Candidate[]): string | undefined {
  const { ip, rank, device, distance } = best
  switch (rank) {
    case 'private': {
      if (distance < 2) return undefined
      // That of the other family says nothing of this one.
      const way = others.find((other) => other.distance < 2 && other.ip.length === ip.length)
      if (way !== undefined) return `the default route is that of ${way.device}, which has ${formatIp(way.ip)}`
      const rivals = others.filter((other) => other.device !== device && weightOf(other) === weightOf(best))
      if (rivals.length === 0) return undefined
      const list = rivals.map((rival) => `${formatIp(rival.ip)} of ${rival.device}`).join(', ')
      return `no default route says whether it is this one, of ${device}, or ${list}`
    }
    case 'public':
      // Of IPv6 the public ones are the rule.
      return ip.length === 16 && distance < 2 ? undefined : 'no private address leads out of this machine'
    case 'inner':
      return `${device} looks like a network within this machine`
    case 'lesser':
      return 'no interface has an address that was given to it'
    case 'loopback':
      return 'no other interface is up: nobody on another machine can reach it'
  }
}
