// Blocks the event loop of the process it is loaded in, as a long computation would: at once, or right after the next ping that a member
// of this process sends. Either way it stands still at the worst place, where immediates run: timers that are late by then come next,
// before any socket is read. (After a timer that blocks, sockets would come first.)
import { spawn } from 'node:child_process'
import dgram from 'node:dgram'
import { nodeCipher } from '../../../src/node/cipher.ts'
import { decodePacket, type Sealing } from '../../../src/wire/packet.ts'
import type { Block, Blocked } from './node-member-protocol.ts'
import { monotonicMs } from './peer.ts'

/** What members in namespaces talk: nothing is sealed there. */
const PLAIN: Sealing = { label: new Uint8Array(0), keyring: undefined, cipher: nodeCipher }

/** Resolves when the event loop runs again. */
export function block({ ms, how, when }: Block): Promise<Blocked> {
  return new Promise((resolve) => {
    if (when === 'now') setImmediate(() => resolve(stand(ms, how)))
    else afterNextPing(() => resolve(stand(ms, how)))
  })
}

function stand(ms: number, how: Block['how']): Blocked {
  const from = monotonicMs()
  if (how === 'stopped') {
    spawn('sh', ['-c', `sleep ${ms / 1000}; kill -CONT ${process.pid}`], { stdio: 'ignore' })
    process.kill(process.pid, 'SIGSTOP')
  } else if (how === 'idle') {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  } else {
    while (monotonicMs() - from < ms);
  }
  return { from, to: monotonicMs() }
}

/** Calls `then` once a ping has left, before its answer was read, and after the sockets had their turn: late timers come next. */
function afterNextPing(then: () => void): void {
  const { send, emit } = dgram.Socket.prototype
  let isRead = false
  dgram.Socket.prototype.emit = function (this: dgram.Socket, ...args: unknown[]): boolean {
    if (args[0] === 'message') isRead = true
    return Reflect.apply(emit, this, args)
  } as typeof emit
  dgram.Socket.prototype.send = function (this: dgram.Socket, ...args: unknown[]): void {
    const told = args.at(-1)
    if (!holdsPing(args[0]) || typeof told !== 'function') {
      Reflect.apply(send, this, args)
      return
    }
    const sent = (...result: unknown[]): void => {
      told(...result)
      isRead = false
      setImmediate(() => {
        if (isRead) return // too late for this one
        Object.assign(dgram.Socket.prototype, { send, emit })
        then()
      })
    }
    Reflect.apply(send, this, [...args.slice(0, -1), sent])
  } as typeof send
}

function holdsPing(bytes: unknown): boolean {
  return (
    bytes instanceof Uint8Array && decodePacket(bytes, PLAIN).messages.some(({ message }) => message.type === 'ping')
  )
}
