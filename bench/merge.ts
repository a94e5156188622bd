// What full exchanges cost in large clusters: reading what came, verifying it, taking it, and telling what we know ourselves; and
// which turn of the event loop is the longest, since nothing else happens in it. One process, no sockets: the turns are made by hand.
// Run with `npm run bench:merge`.
import { cpus } from 'node:os'
import { NO_BYTES } from '../src/base/bytes.ts'
import { Random } from '../src/base/random.ts'
import { READ_PARTS } from '../src/driver/stream-reading.ts'
import { nodeCipher } from '../src/node/cipher.ts'
import { resolveSerfOptions } from '../src/serf/options.ts'
import { Serf } from '../src/serf/serf.ts'
import { resolveSwimOptions } from '../src/swim/options.ts'
import { Address } from '../src/wire/address.ts'
import { wrapCompressed } from '../src/wire/compress.ts'
import type { Sealing } from '../src/wire/packet.ts'
import { encodeSerfMessage } from '../src/wire/serf-messages.ts'
import { encodeStream, StreamReader } from '../src/wire/stream.ts'
import { encodePushPull } from '../src/wire/swim-messages.ts'
import { encodeTags } from '../src/wire/tags.ts'
import type { PushPull, StreamMessage } from '../src/wire/types.ts'

const SIZES = [1000, 10_000, 65_000]
/** Rounds of each size; the median of each figure is told, and the longest turn of all but the first, which warms up. */
const ROUNDS = 7

const sealing: Sealing = { label: NO_BYTES, keyring: undefined, cipher: nodeCipher }
const vsn = Uint8Array.of(1, 5, 2, 2, 5, 5)
const peer = new Address(Uint8Array.of(10, 200, 0, 1), 7946)

/** What a cluster of so many tells: message and bytes. */
function clusterOf(count: number): PushPull {
  const names = Array.from({ length: count }, (_, at) => `node-${String(at).padStart(5, '0')}.cluster`)
  const members = names.map((name, at) => ({
    name,
    addr: Uint8Array.of(10, 200, at >> 8, at & 0xff),
    port: 7946,
    meta: encodeTags({ role: 'log', rpc: `10.200.${at >> 8}.${at & 0xff}:8400` }),
    incarnation: (at % 7) + 1,
    state: 0,
    vsn,
  }))
  const statusLtimes = new Map(names.map((name, at) => [name, at % 50] as const))
  const rest = { leftMembers: [], eventLtime: 1, events: [], queryLtime: 1 }
  const userState = encodeSerfMessage({ type: 'push-pull', ltime: 100, statusLtimes, ...rest })
  return { type: 'push-pull', join: false, members, userState }
}

function member(): Serf {
  const serf = new Serf({
    name: 'us',
    address: new Address(Uint8Array.of(10, 1, 1, 1), 7946),
    tags: {},
    swim: resolveSwimOptions('lan', { probeIntervalMs: 86_400_000, gossipIntervalMs: 0, pushPullIntervalMs: 0 }),
    serf: resolveSerfOptions({}),
    packetOverheadBytes: 40,
    random: new Random(1),
  })
  serf.start(0)
  serf.take()
  return serf
}

interface Cost {
  /** Milliseconds of all turns together. */
  readonly ms: number
  readonly longestMs: number
  readonly turns: number
}

/** Runs turns until one says that it was the last. */
function turns(turn: () => boolean): Cost {
  let ms = 0
  let longestMs = 0
  for (let count = 1; ; count++) {
    const begun = performance.now()
    const isOver = turn()
    const took = performance.now() - begun
    ms += took
    longestMs = Math.max(longestMs, took)
    if (isOver) return { ms, longestMs, turns: count }
  }
}

function reading(wire: Uint8Array): Cost {
  const reader = new StreamReader({ sealing, role: 'dialler', maxParts: READ_PARTS })
  let found: { readonly message: StreamMessage } | undefined
  let isBegun = false
  return turns(() => {
    found = isBegun ? reader.resume() : reader.push(wire)
    isBegun = true
    return found !== undefined
  })
}

/** One exchange that they began: the first turn verifies and answers, the others take what was told. */
function merging(serf: Serf, told: PushPull): Cost {
  let now = 0
  return turns(() => {
    if (now === 0) serf.receiveRequest(1, told, peer, now)
    else serf.advance(now)
    now++
    const isOver = serf.nextDeadline() !== now && serf.nextDeadline() !== now - 1
    serf.take()
    return now > 1 && isOver
  })
}

function answering(serf: Serf): { readonly cost: Cost; readonly body: Uint8Array } {
  let body: Uint8Array = NO_BYTES
  const ask: PushPull = { type: 'push-pull', join: false, members: [], userState: NO_BYTES }
  const cost = turns(() => {
    serf.receiveRequest(2, ask, peer, 500_000)
    const reply = serf.take().find((effect) => effect.kind === 'reply')
    if (reply?.kind === 'reply') body = reply.body
    return true
  })
  return { cost, body }
}

type Figures = Map<string, Cost[]>

function note(figures: Figures, what: string, cost: Cost): void {
  const costs = figures.get(what) ?? []
  costs.push(cost)
  figures.set(what, costs)
}

function round(told: PushPull, wire: Uint8Array, figures: Figures): void {
  note(figures, 'read, compressed', reading(wire))
  const serf = member()
  note(figures, 'take, all new', merging(serf, told))
  if (serf.size !== told.members.length + 1) throw new Error(`${serf.size} members after ${told.members.length}`)
  note(figures, 'take, nothing new', merging(serf, told))
  serf.setTags({ round: 'one' }, 400_000)
  const fresh = answering(serf)
  note(figures, 'answer, one changed', fresh.cost)
  note(
    figures,
    'compress it',
    turns(() => wrapCompressed(fresh.body).length > 0),
  )
  const again = answering(serf)
  note(figures, 'answer, unchanged', again.cost)
  // The driver compresses the same bytes once.
  if (again.body !== fresh.body) throw new Error('the answer was made anew')
}

console.log(
  `${cpus()[0]?.model}, Node ${process.version}; milliseconds: median of ${ROUNDS - 1} rounds, longest turn of all`,
)
for (const count of SIZES) {
  const told = clusterOf(count)
  const body = encodePushPull(told)
  const wire = encodeStream(body, { sealing, role: 'listener', nonce: undefined, compress: true })
  const figures: Figures = new Map()
  for (let at = 0; at < ROUNDS; at++) {
    round(told, wire, figures)
    if (at === 0) figures.clear()
  }
  console.log(`\n${count} members, ${body.length} bytes, ${wire.length} compressed`)
  console.log(`${''.padEnd(22)}${['all', 'turns', 'median', 'worst'].map((head) => head.padStart(10)).join('')}`)
  for (const [what, costs] of figures) {
    const longest = costs.map((cost) => cost.longestMs).sort((one, other) => one - other)
    const all = costs.map((cost) => cost.ms).sort((one, other) => one - other)
    const middle = costs.length >> 1
    const columns = [all[middle], costs[0]?.turns, longest[middle], longest.at(-1)]
    console.log(
      `${what.padEnd(22)}${columns.map((value, at) => (value ?? 0).toFixed(at === 1 ? 0 : 2).padStart(10)).join('')}`,
    )
  }
}
