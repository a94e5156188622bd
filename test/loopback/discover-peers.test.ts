// The example of peer discovery as a user runs it: three real processes of one file, asked over HTTP, while one is killed
// and one leaves. A member of another role stands by, which none of them may list.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { Membership } from '../../src/membership.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Far above what any step takes: a suspicion that nobody confirms lasts 24 s. */
const WITHIN_MS = 60_000
const ASK_EVERY_MS = 50
const FILE_LIMIT = { timeout: 240_000 }

interface Service {
  readonly child: ChildProcess
  readonly url: string
  readonly gossip: string
}

const children: ChildProcess[] = []
const outsider = new Membership({ name: 'outsider', bind: '127.0.0.1:0', tags: { role: 'log' } })

/** Starts the example and waits for its line. */
async function launch(join: readonly string[]): Promise<Service> {
  const args = join.flatMap((seed) => ['--join', seed])
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/discover-peers.ts', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  let output = ''
  child.stdout.setEncoding('utf8')
  for await (const text of child.stdout.iterator({ destroyOnReturn: false })) {
    output += text
    const [, url, gossip] = /(http:\S+)\/peers, gossip on (\S+)\n/.exec(output) ?? []
    if (url !== undefined && gossip !== undefined) {
      child.stdout.resume()
      return { child, url, gossip }
    }
  }
  throw new Error(`the example ended before it listened: ${output}`)
}

async function peersOf({ url }: Service): Promise<string[]> {
  const response = await fetch(`${url}/peers`)
  assert.equal(response.headers.get('content-type'), 'application/json')
  const peers = (await response.json()) as { name: string; url: string }[]
  return peers.map((peer) => peer.url).sort()
}

/** Asks until the answer is `wanted`; fails with what it was last. */
async function becomes<Answer>(ask: () => Promise<Answer> | Answer, wanted: Answer): Promise<void> {
  const deadline = performance.now() + WITHIN_MS
  for (;;) {
    const answer = await ask()
    if (isDeepStrictEqual(answer, wanted)) return
    if (performance.now() > deadline) assert.deepEqual(answer, wanted, `not within ${WITHIN_MS} ms`)
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
  }
}

/** Asks until each of `services` lists exactly the others of them. */
function agree(services: readonly Service[]): Promise<void> {
  const wanted = services.map((one) => services.flatMap(({ url }) => (url === one.url ? [] : [url])).sort())
  return becomes(() => Promise.all(services.map(peersOf)), wanted)
}

/** Where the services stand, as the outsider sees them. */
function states(): string[] {
  const services = outsider.members({ tags: { role: 'greeter' } })
  return services.map(({ state }) => state).sort()
}

describe('examples/discover-peers.ts', FILE_LIMIT, () => {
  let services: Service[] = []

  before(async () => {
    await outsider.start()
    const first = await launch([outsider.local.address])
    services = [first, ...(await Promise.all([launch([first.gossip]), launch([first.gossip])]))]
  })

  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    await outsider.close()
  })

  test('three processes list each other, and nobody else', async () => {
    await agree(services)
    await becomes(states, ['alive', 'alive', 'alive'])
  })

  test('a killed process leaves the lists of the others', async () => {
    const [killed, ...others] = services as [Service, ...Service[]]
    killed.child.kill('SIGKILL')
    await agree(others)
    await becomes(states, ['alive', 'alive', 'dead'])
    services = others
  })

  test('a process that is asked to end says goodbye, leaves the list and ends by itself', async () => {
    const [leaver, ...others] = services as [Service, ...Service[]]
    const exit = once(leaver.child, 'exit')
    leaver.child.kill('SIGTERM')
    await agree(others)
    assert.deepEqual(await exit, [0, null])
    await becomes(states, ['alive', 'dead', 'left'])
  })
})
