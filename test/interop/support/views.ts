// What everyone should see and tell, worked out from what was done on the stage, and waited for.
import type { Happening, Peer, Sight } from './peer.ts'
import type { Stage } from './stage.ts'

/** Waits until every running peer sees each member that ever was in its present state, with its tags and its address, and no other.
 *  @param meanwhile done before each look */
export async function everyoneAgrees(
  stage: Stage,
  what: string,
  withinMs: number,
  meanwhile: () => Promise<void> = async () => {},
): Promise<void> {
  await stage.until(`everyone sees ${what}`, withinMs, async () => {
    await meanwhile()
    const lacks = await Promise.all(stage.running.map((witness) => lackOf(stage, witness)))
    return lacks.find((lack) => lack !== undefined)
  })
}

/** Waits for the event beside the view: an agent's log line may come a moment after its answer.
 *  @param since monotonic milliseconds: what was told before does not count */
export async function everyoneElseTold(
  stage: Stage,
  type: Happening['type'],
  about: Peer,
  { since = 0, withinMs = 5_000 }: { readonly since?: number; readonly withinMs?: number } = {},
): Promise<void> {
  await stage.until(`everyone else tells ${type} of ${about.name}`, withinMs, async () => {
    const silent = stage.running.find((peer) => peer !== about && timeOf(peer, type, about, since) === undefined)
    return silent && `${silent.name} has not told`
  })
}

/** When this peer told it, if it did. */
export function timeOf(peer: Peer, type: Happening['type'], about: Peer, since = 0): number | undefined {
  return peer.history.find((one) => one.type === type && one.name === about.name && one.at >= since)?.at
}

async function lackOf(stage: Stage, witness: Peer): Promise<string | undefined> {
  const view = await witness.view()
  const wanted = wantedView(stage)
  for (const [name, sight] of wanted) {
    const seen = view.get(name)
    if (seen === undefined) return `${witness.name} does not know ${name}`
    if (canonical(seen) !== canonical(sight)) {
      return `${witness.name} sees ${name} as ${canonical(seen)}, not as ${canonical(sight)}`
    }
  }
  return view.size === wanted.size ? undefined : `${witness.name} knows ${[...view.keys()].join(', ')}`
}

function wantedView(stage: Stage): Map<string, Sight> {
  const wanted = new Map<string, Sight>()
  for (const { name, isRunning, tags, address } of stage.peers) {
    const end = stage.verdicts.get(name) ?? (stage.killed.has(name) ? 'dead' : 'left')
    if (isRunning) wanted.set(name, { state: 'alive', tags, address })
    else if (end === 'erased') wanted.delete(name)
    else wanted.set(name, { state: end, tags, address })
  }
  return wanted
}

/** One text for one sight, whatever the order of its tags. */
function canonical({ state, address, tags }: Sight): string {
  return JSON.stringify([state, address, Object.entries(tags).sort(([left], [right]) => (left < right ? -1 : 1))])
}
