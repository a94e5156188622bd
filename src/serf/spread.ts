// The way of a Serf message into the queues of broadcasts, whoever it comes from: as memberlist's user message, and only where there is
// somebody to tell and a packet that holds it. What then goes when is for broadcasts.ts to say.
import type { QueueNote } from '../swim/dissemination-queue.ts'
import type { BroadcastKind } from './broadcasts.ts'
import { asUserMessage } from './intent-memo.ts'
import { type SerfState, warn } from './state.ts'

/** What a Serf message costs in a packet beside its own length: the type byte that makes it memberlist's. */
export const USER_TYPE_BYTES = 1

/** One of each, for a person. */
const A_BROADCAST: Readonly<Record<BroadcastKind, string>> = {
  intents: 'an intent',
  queries: 'a query',
  events: 'a user event',
}

/** Queues a Serf message to be told; absent: nothing. Alone there is nobody to tell, and the queue would never drain. */
export function spread(
  state: SerfState,
  kind: BroadcastKind,
  message: Uint8Array | undefined,
  note: QueueNote = {},
): void {
  if (message === undefined || !state.swim.hasPeers()) return
  const bytes = asUserMessage(message)
  if (bytes.length > state.broadcasts.maxBytes) {
    warn(state, 'message-invalid', `${A_BROADCAST[kind]} of ${bytes.length} bytes fits no packet and is not told on`)
    return
  }
  state.broadcasts.push(kind, bytes, state.members.size, note)
}

/** Looks, every `queueCheckIntervalMs`, whether more waits than a person should hear of without a word. */
export function checkDepths(state: SerfState): void {
  const { queueDepthWarning } = state.options
  for (const [kind, depth] of Object.entries(state.broadcasts.depths)) {
    if (depth < queueDepthWarning) continue
    warn(state, 'queue-depth', `${depth} ${kind} wait to be told, ${queueDepthWarning} are many`)
  }
}
