// Node as a host: the parts of this folder as one `Host`. Holds no state, so all members of a process share it.
import { hostname, networkInterfaces } from 'node:os'
import type { Host } from '../driver/host.ts'
import { nodeCipher } from './cipher.ts'
import { nodeClock } from './clock.ts'
import { fillWithEntropy } from './entropy.ts'
import { readFile, replaceFile } from './files.ts'
import { addressesOf, chooseReachable } from './interfaces.ts'
import { openLog, removeFile, renameFile } from './log-file.ts'
import { realPath } from './paths.ts'
import { resolveName } from './resolve.ts'
import { routedAddresses } from './route.ts'
import { bindTransport } from './transport.ts'

const host: Host = Object.freeze({
  clock: nodeClock,
  cipher: nodeCipher,
  hostname: hostname(),
  storage: Object.freeze({ readFile, replaceFile, openLog, renameFile, removeFile, realPath }),
  entropy: fillWithEntropy,
  bind: (address, handlers) => bindTransport(address, handlers, nodeClock.now),
  resolve: (name, signal) => resolveName(name, signal),
  ownAddresses: () => addressesOf(networkInterfaces()),
  reachableAddress: async (wildcard) => {
    const routed = await routedAddresses(wildcard)
    return chooseReachable(networkInterfaces(), wildcard, routed)
  },
  // Not a microtask: a task that throws must not tear the turn of the others, and each gets its own uncaught exception.
  defer: (task) => void setImmediate(task),
} satisfies Host)

/** The real world. One object, shared: nothing of a member is kept in it. */
export function nodeHost(): Host {
  return host
}
