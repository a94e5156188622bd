// The fourth member: a real `serf agent`, HashiCorp's own program, as a child of this process. It is asked for its members
// again and again with `serf members -format=json`, and what changed is reported as member.ts reports it. The agent never
// outlives this process. Arguments: name, address to bind, role, address for its RPC.
import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import type { Order, Report, State } from './protocol.ts'

/** Time between two questions. */
const ASK_EVERY_MS = 100
/** Lines of its log to show when it ends by itself. */
const LOG_LINES = 10

interface Listed {
  readonly name: string
  readonly addr: string
  readonly status: 'alive' | 'leaving' | 'left' | 'failed'
  readonly tags: { readonly role?: string }
}

const [name = '', bind = '', role = '', rpc = ''] = process.argv.slice(2)
const run = promisify(execFile)
const known = new Map<string, State>()
const log: string[] = []
let isEnding = false

const flags = [`-node=${name}`, `-bind=${bind}`, `-rpc-addr=${rpc}`, '-profile=local', '-tag', `role=${role}`]
const agent = spawn('serf', ['agent', ...flags], { stdio: ['ignore', 'pipe', 'ignore'] })
process.on('exit', () => agent.kill('SIGKILL'))
process.once('disconnect', () => process.exit(1))
process.on('SIGTERM', () => process.exit(1))
// A terminal sends Ctrl-C to all of us; main.ts decides.
process.on('SIGINT', () => {})
// The demo ended before we could listen for its end.
if (!process.connected) process.exit(1)

agent.stdout.setEncoding('utf8').on('data', (text: string) => {
  log.push(...text.split('\n').filter((line) => line.trim() !== ''))
  log.splice(0, log.length - LOG_LINES)
})
agent.once('error', (error) => giveUp(error.message))
agent.once('exit', (code, signal) => {
  if (!isEnding) giveUp(`serf agent ended by itself (${signal ?? code})\n${log.join('\n')}`)
})
process.on('message', (order: Order) => {
  if (order.verb === 'join') {
    serf('join', order.seed).catch((error: unknown) => tell({ kind: 'warning', text: String(error) }))
    return
  }
  isEnding = true
  process.exit(0)
})

await keepAsking()

async function keepAsking(): Promise<void> {
  let isUp = false
  for (;;) {
    // Fails until the agent listens; main.ts knows how long to wait for that.
    const listed = await members().catch(() => [])
    if (listed.length > 0 && !isUp) {
      isUp = true
      tell({ kind: 'up', address: bind, pid: agent.pid ?? 0 })
    }
    for (const member of listed) if (member.name !== name) compare(member)
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
  }
}

async function members(): Promise<Listed[]> {
  const { members } = JSON.parse(await serf('members', '-format=json')) as { members: Listed[] | null }
  return members ?? []
}

function compare({ name, addr, status, tags }: Listed): void {
  const state: State = status === 'failed' ? 'dead' : status
  const was = known.get(name)
  if (was === state) return
  known.set(name, state)
  const of = { name, state, role: tags.role ?? '', address: addr }
  tell({ kind: 'sight', seen: `lists ${name} as ${status}`, of, ...(was !== undefined && { was }) })
}

async function serf(verb: string, ...rest: string[]): Promise<string> {
  const { stdout } = await run('serf', [verb, `-rpc-addr=${rpc}`, ...rest], { timeout: 5000, killSignal: 'SIGKILL' })
  return stdout
}

function tell(message: Report): void {
  if (process.connected) process.send?.(message)
}

function giveUp(reason: string): void {
  console.error(reason)
  process.exit(1)
}
