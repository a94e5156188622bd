// A member with a snapshot in a process of its own, to be killed: it is under load of its own events, and says what it has written as soon
// as that is written, whom it was told of, and what its disk made it warn of. Tells over Node's IPC channel; asks for nothing.
//
//   node snapshot-child.ts <path of the snapshot> <address to bind> <number of this life> <events a second> [<seed>]
import type { LogFile, LogFileMode } from '../../src/driver/storage.ts'
import { Membership } from '../../src/index.ts'
import { nodeHost } from '../../src/node/host.ts'
import { openLog, renameFile } from '../../src/node/log-file.ts'

/** What it tells. */
export type Said =
  | { readonly kind: 'started'; readonly incarnation: number }
  | { readonly kind: 'appended'; readonly text: string }
  | { readonly kind: 'replaced'; readonly text: string }
  | { readonly kind: 'event'; readonly ltime: number; readonly life: string }
  | { readonly kind: 'met'; readonly name: string }
  | { readonly kind: 'warning'; readonly code: string }

const [, , snapshotPath = '', bind = '', life = '', rate = '0', seed] = process.argv
const BATCH_MS = 20

/** What stands in a file that is to get the name. */
let fresh = ''

async function opened(path: string, mode: LogFileMode): Promise<LogFile | undefined> {
  const log = await openLog(path, mode)
  if (log === undefined) return undefined
  const append = async (bytes: Uint8Array): Promise<void> => {
    await log.append(bytes)
    const text = new TextDecoder().decode(bytes)
    if (path === snapshotPath) say({ kind: 'appended', text })
    else fresh = text
  }
  return {
    size: () => log.size(),
    read: (into, at) => log.read(into, at),
    append,
    truncate: (length) => log.truncate(length),
    sync: () => log.sync(),
    close: () => log.close(),
  }
}

async function renamed(from: string, to: string): Promise<void> {
  await renameFile(from, to)
  say({ kind: 'replaced', text: fresh })
}

const { storage } = nodeHost()
if (storage === undefined) throw new Error('a Node host has a storage')
const host = { ...nodeHost(), storage: { ...storage, openLog: opened, renameFile: renamed } }
const membership = new Membership({ name: 'mortal', bind, profile: 'local', tags: { life }, snapshotPath, host })
membership.on('member-join', ({ member }) => say({ kind: 'met', name: member.name }))
membership.on('warning', ({ code }) => say({ kind: 'warning', code }))
membership.on('user-event', ({ name, ltime }) => say({ kind: 'event', ltime, life: name }))
if (seed === undefined) await membership.start()
else await membership.join([seed], { required: true })
say({ kind: 'started', incarnation: membership.local.incarnation })

let owed = 0
setInterval(() => {
  for (owed += (Number(rate) * BATCH_MS) / 1000; owed >= 1; owed--) membership.sendEvent(life)
}, BATCH_MS)
process.once('disconnect', () => process.exit(1))

function say(said: Said): void {
  process.send?.(said)
}
