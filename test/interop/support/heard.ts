// What peers have heard of user events: waiting for it, and holding one peer's word against another's.
import type { HeardEvent, Peer } from './peer.ts'
import type { Stage } from './stage.ts'

/** Waits until each of these has delivered every one of the events, by name. */
export async function everyoneHeard(
  stage: Stage,
  peers: readonly Peer[],
  names: readonly string[],
  withinMs: number,
): Promise<void> {
  await stage.until(`all hear ${names.join(', ').slice(0, 200)}`, withinMs, async () => {
    for (const peer of peers) {
      const heard = new Set(peer.userEvents.map(({ name }) => name))
      const missing = names.filter((name) => !heard.has(name))
      if (missing.length > 0) return `${peer.name} has not heard ${missing.join(', ')}`
    }
    return undefined
  })
}

/** Names that a peer delivered more than once. */
export function heardTwice(peer: Peer): string[] {
  const seen = new Set<string>()
  return peer.userEvents.flatMap(({ name }) => {
    const isAgain = seen.has(name)
    seen.add(name)
    return isAgain ? [name] : []
  })
}

/** How a peer delivered it. */
export function heard(peer: Peer, name: string): HeardEvent {
  const event = peer.userEvents.find((one) => one.name === name)
  if (event === undefined) throw new Error(`${peer.name} has not heard ${name}`)
  return event
}
