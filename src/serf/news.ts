// When news that is held back is told (serf-behaviour §29). Off by default, as with Serf's library; its agent holds both kinds for 3 s, or 1 s
// of quiet. What is told then stands in coalesce.ts.
//
//   nothing waits ──news──► waits ──quiet for quiescentPeriodMs, or coalescePeriodMs since the first──► told ──► nothing waits
//                             └─news─┘   also told: too much of it, a leave, a close, a fresh view
import type { LayerName } from './coalesce.ts'
import type { SerfState } from './state.ts'

const LAYERS: readonly LayerName[] = ['events', 'members']

/** After every input: what is new waits for its time. */
export function settleNews(state: SerfState, now: number): void {
  for (const name of LAYERS) {
    const layer = state.coalescing.layer(name)
    if (!layer.isTouched) continue
    layer.isTouched = false
    layer.until ??= now + layer.periodMs
    const at = layer.isFull ? now : Math.min(layer.until, now + layer.quiescentMs)
    if (at <= now) newsDue(state, name)
    else state.deadlines.set(keyOf(name), at, { kind: 'coalesced', layer: name })
  }
}

/** What waits in this layer is told. */
export function newsDue({ coalescing, deadlines, outbox }: SerfState, name: LayerName): void {
  deadlines.delete(keyOf(name))
  const layer = coalescing.layer(name)
  layer.isTouched = false
  layer.until = undefined
  for (const notice of layer.flush()) outbox.push({ kind: 'notify', notice })
}

/** All that waits is told now. */
export function tellNews(state: SerfState): void {
  for (const name of LAYERS) newsDue(state, name)
}

function keyOf(name: LayerName): string {
  return `coalesced:${name}`
}
