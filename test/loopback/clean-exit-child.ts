// A process that lives one short life with members on loopback, says in one line of JSON what it saw, and ends by itself, or does
// not: that is what clean-exit.test.ts looks at. The first argument names the life. Not a test.
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { Membership } from '../../src/index.ts'
import type { MembershipOptions } from '../../src/options.ts'

const LIVES: Readonly<Record<string, (before: string[]) => Promise<object>>> = {
  close: (before) => pairThen((membership) => membership.close(), before),
  leave: (before) => pairThen((membership) => membership.leave(), before),
  busy,
  cycles,
  serve,
}

function make(options: MembershipOptions = {}): Membership {
  return new Membership({ bind: '127.0.0.1:0', profile: 'local', ...options })
}

/** Two members that know each other end in the way given. */
async function pairThen(end: (membership: Membership) => Promise<void>, before: string[]): Promise<object> {
  const [first, second] = [make(), make()]
  await first.start()
  const { joined } = await second.join([first.local.address])
  await end(second)
  await end(first)
  return { before, after: resources(), joined: joined.length, states: [first.status, second.status] }
}

/** One is closed in the middle of all that can wait: a join that nobody answers, a retry, tags, a reader. */
async function busy(before: string[]): Promise<object> {
  const mute = createServer((socket) => void socket.resume())
  await once(mute.listen(0, '127.0.0.1'), 'listening')
  const { port } = mute.address() as AddressInfo
  const membership = make()
  const reading = membership.changes()
  await reading.next()
  const settled: string[] = []
  const note = (what: string, promise: Promise<unknown>): void => {
    promise.then(
      () => settled.push(`${what} resolved`),
      (error: { code?: string }) => settled.push(`${what} ${error.code}`),
    )
  }
  await membership.join(['127.0.0.1:1'])
  note('join', membership.join([`127.0.0.1:${port}`]))
  await once(mute, 'connection')
  note(
    'function',
    membership.join(() => new Promise(() => {})),
  )
  note('reader', reading.next())
  await membership.close()
  await new Promise((resolve) => mute.close(resolve))
  // The loop lets go of a closed server at the end of a round.
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
  return { before, after: resources(), settled: settled.sort() }
}

/** Members that start and close, over and over. */
async function cycles(): Promise<object> {
  const measured: Record<string, { heapBytes: number; resources: string[] }> = {}
  for (let cycle = 1; cycle <= 200; cycle++) {
    const membership = make()
    await membership.start()
    await membership.close()
    if (cycle === 50 || cycle === 200) measured[cycle] = { heapBytes: await heapBytes(), resources: resources() }
  }
  return measured
}

/** Says where it listens and stays until it is killed. */
async function serve(): Promise<object> {
  const membership = make({ name: 'served' })
  await membership.start()
  return { address: membership.local.address }
}

function resources(): string[] {
  return process.getActiveResourcesInfo().sort()
}

/** The least of several looks, each after a forced collection and some turns in which finalizers run. */
async function heapBytes(): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let look = 0; look < 8; look++) {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
    globalThis.gc?.()
    least = Math.min(least, process.memoryUsage().heapUsed)
  }
  return least
}

const life = LIVES[process.argv[2] ?? '']
if (life === undefined) throw new Error(`no such life: ${process.argv[2]}`)
const before = resources()
console.log(JSON.stringify(await life(before)))
