import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { describe, it } from 'node:test'
import { nodeHost } from '../../../src/node/host.ts'
import { LIMIT } from '../support.ts'

const host = nodeHost()

/** Runs `body` as a module of its own process, with `host` in scope; gives its lines and exit code. */
async function inProcess(body: string): Promise<{ lines: string[]; code: number }> {
  const file = import.meta.resolve('../../../src/node/host.ts')
  const source = `const { nodeHost } = await import(${JSON.stringify(file)})\nconst host = nodeHost()\n${body}`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const [code] = await once(child, 'close')
  return { lines: output.trim().split('\n'), code }
}

describe('node/host.ts', () => {
  it('is one object for all members, and names this machine', () => {
    assert.equal(nodeHost(), host)
    assert.equal(host.hostname, hostname())
    assert.ok(Object.isFrozen(host))
  })

  it('a deferred task runs after the present call and its microtasks, in the order of deferring', LIMIT, async () => {
    const order: string[] = []
    await new Promise<void>((resolve) => {
      host.defer(() => order.push('first'))
      host.defer(() => {
        order.push('second')
        resolve()
      })
      void Promise.resolve().then(() => order.push('microtask'))
      order.push('call')
    })
    assert.deepEqual(order, ['call', 'microtask', 'first', 'second'])
  })

  it(
    'what a deferred task throws is an uncaught exception of its own, and the next task still runs',
    LIMIT,
    async () => {
      const { lines, code } = await inProcess(`
      process.on('uncaughtException', (error) => console.log('uncaught', error.message))
      host.defer(() => { throw new Error('one') })
      host.defer(() => console.log('two'))
      host.defer(() => { throw new Error('three') })
    `)
      assert.deepEqual(lines, ['uncaught one', 'two', 'uncaught three'])
      assert.equal(code, 0)
    },
  )

  it('a bound transport keeps the process alive, and a closed one lets it end by itself', LIMIT, async () => {
    const { lines, code } = await inProcess(`
      const { at } = await import(${JSON.stringify(import.meta.resolve('../support.ts'))})
      const nothing = () => {}
      const own = { packet: nothing, stream: () => ({ data: nothing, closed: nothing }), sendFailed: nothing, failed: nothing }
      const transport = await host.bind(at('127.0.0.1'), own)
      transport.dial(transport.local, { data: nothing, closed: nothing, opened: async () => {
        console.log('open')
        await transport.close()
        console.log('closed')
      } })
      process.on('exit', () => console.log('exit'))
    `)
    assert.deepEqual(lines, ['open', 'closed', 'exit'])
    assert.equal(code, 0)
  })

  it('the real clock wakes at its time or after it, never before', LIMIT, async () => {
    const start = host.clock.now()
    const early = await Promise.all(
      Array.from({ length: 400 }, (_, index) => {
        const at = start + index * 0.13
        return new Promise<number>((resolve) => host.clock.wakeAt(at, () => resolve(at - host.clock.now())))
      }),
    )
    assert.equal(Math.max(...early) <= 0, true, `${Math.max(...early)} ms early`)
  })

  it('the loopback name resolves by the hosts file', LIMIT, async () => {
    const found = (await host.resolve('localhost')).map((ip) => (ip.length === 4 ? ip[0] === 127 : ip[15] === 1))
    assert.ok(found.length > 0 && found.every((isLoopback) => isLoopback))
  })
})
