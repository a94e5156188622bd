// Whether a process is free again once its members are closed. The lives are those of clean-exit-child.ts.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ClosedError, Membership, TransportError } from '../../src/index.ts'
import { LIMIT, openResources, turns } from './support.ts'

const CHILD = fileURLToPath(new URL('clean-exit-child.ts', import.meta.url))
/** A process that has not ended by then never will. */
const MUST_END_MS = 15_000
const MAX_GROWTH_BYTES = 256 * 1024

describe('a process whose members have ended', () => {
  for (const end of ['close', 'leave']) {
    it(`ends by itself after ${end}(), with the resources it had before`, LIMIT, async () => {
      const { said, code } = await live(end)
      assert.deepEqual([said.joined, said.states], [1, ['closed', 'closed']])
      assert.deepEqual(said.after, said.before)
      assert.equal(code, 0)
    })
  }

  it('ends by itself where close() comes in the middle of everything', LIMIT, async () => {
    const { said, code } = await live('busy')
    assert.deepEqual(said.settled, ['function ERR_CLOSED', 'join ERR_CLOSED', 'reader resolved'])
    assert.deepEqual(said.after, said.before)
    assert.equal(code, 0)
  })

  it('holds no more after 200 members than after 50', { timeout: 60_000 }, async (context) => {
    const { said, code } = await live('cycles', ['--expose-gc'], 50_000)
    const [early, late] = [said['50'], said['200']] as { heapBytes: number; resources: string[] }[]
    assert.ok(early !== undefined && late !== undefined)
    const grown = late.heapBytes - early.heapBytes
    context.diagnostic(`heap after 50: ${early.heapBytes} bytes; after 200: ${late.heapBytes}; grown by ${grown}`)
    assert.deepEqual(late.resources, early.resources)
    assert.ok(grown <= MAX_GROWTH_BYTES, `${grown} bytes`)
    assert.equal(code, 0)
  })
})

describe('a port that is in use', () => {
  it(
    'is a TransportError with address and code, nothing is left open, and start works once the port is free',
    LIMIT,
    async () => {
      const before = openResources()
      const holder = new Membership({ bind: '127.0.0.1:0', name: 'holder' })
      await holder.start()
      const { address } = holder.local
      const whileHeld = openResources()
      const membership = new Membership({ bind: address, name: 'late' })
      for (let attempt = 0; attempt < 2; attempt++) {
        await assert.rejects(membership.start(), (error) => {
          assert.ok(error instanceof TransportError)
          assert.equal(error.code, 'ERR_TRANSPORT')
          assert.ok(error.message.includes(address) && error.message.includes('EADDRINUSE'), error.message)
          assert.equal((error.cause as NodeJS.ErrnoException).code, 'EADDRINUSE')
          return true
        })
        assert.deepEqual(openResources(), whileHeld)
        assert.equal(membership.status, 'idle')
      }
      await holder.close()
      await membership.start()
      assert.equal(membership.local.address, address)
      await membership.close()
      assert.deepEqual(openResources(), before)
    },
  )

  it('whose binding is under way when the instance is closed is free when close resolves', LIMIT, async () => {
    const before = openResources()
    for (let turn = 0; turn < 6; turn++) {
      const membership = new Membership({ bind: '127.0.0.1:0', name: 'brief' })
      const started = membership.start().catch((error: unknown) => assert.ok(error instanceof ClosedError))
      await turns(turn)
      await membership.close()
      assert.deepEqual(openResources(), before, `closed after ${turn} turns`)
      await started
    }
  })
})

describe('a peer that is killed in the middle of an exchange', () => {
  it('fails the exchange, is found dead, and leaves nothing of it open', LIMIT, async (context) => {
    const before = openResources()
    const child = start('serve', [], context)
    const ended = once(child, 'close')
    const { address } = JSON.parse(await firstLine(child)) as { address: string }
    const membership = new Membership({
      bind: '127.0.0.1:0',
      name: 'survivor',
      profile: 'local',
      probeIntervalMs: 100,
      probeTimeoutMs: 50,
    })
    const dead = new Promise<string>((resolve) => {
      membership.once('member-dead', ({ member }) => resolve(member.name))
    })
    assert.deepEqual((await membership.join([address])).joined, [address])
    // Stopped, its machine still takes connections, so that the request goes out and no answer comes.
    child.kill('SIGSTOP')
    const joined = membership.join([address], { required: true })
    const failed = assert.rejects(joined, { code: 'ERR_JOIN' })
    while (membership.stats().streamsOpen === 0) await turns(1)
    await turns()
    child.kill('SIGKILL')
    await failed
    assert.equal(await dead, 'served')
    await membership.close()
    await ended
    await turns()
    assert.deepEqual(openResources(), before)
  })
})

/** Lets a child live to its end; gives its line and its exit code. A child that does not end fails the test. */
async function live(life: string, flags: readonly string[] = [], withinMs = MUST_END_MS) {
  const child = start(life, flags)
  const timer = setTimeout(() => child.kill('SIGKILL'), withinMs)
  const line = firstLine(child)
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  clearTimeout(timer)
  assert.equal(signal, null, `the process did not end within ${withinMs} ms`)
  return { said: JSON.parse(await line) as Record<string, unknown>, code }
}

function start(life: string, flags: readonly string[], context?: TestContext): ChildProcess {
  const args = [...flags, '--import', 'tsx', CHILD, life]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  context?.after(() => child.kill('SIGKILL'))
  return child
}

/** The first line a child says; the empty line where it says none. */
function firstLine({ stdout }: ChildProcess): Promise<string> {
  assert.ok(stdout !== null)
  let text = ''
  stdout.setEncoding('utf8')
  return new Promise((resolve) => {
    stdout.on('data', (more: string) => {
      text += more
      const end = text.indexOf('\n')
      if (end >= 0) resolve(text.slice(0, end))
    })
    stdout.on('end', () => resolve(text))
  })
}
