// A process that is killed and starts again at once, under the same name and address.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Membership } from '../../src/index.ts'
import { at, bind, handlers, openResources, turns } from './support.ts'

const members: Membership[] = []
const children: ChildProcess[] = []
const atRest = openResources()

/** So long that no start of a process outlasts it. */
const PATIENT = { suspicionMult: 30 } as const

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await Promise.all(members.splice(0).map((membership) => membership.close()))
  await turns()
  assert.deepEqual(openResources(), atRest)
})

it('a member that is killed and starts again at once neither left nor joined for the others: changed tags are one update', {
  timeout: 60_000,
}, async () => {
  const first = await start('first')
  const second = await start('second')
  await second.join([first.local.address])
  const address = await freeAddress()
  const histories = [first, second].map(historyOf)

  const child = await bring(address, first.local.address, '1')
  await Promise.all([first, second].map((membership) => until(membership, '1')))
  child.kill('SIGKILL')
  await once(child, 'exit')
  await bring(address, first.local.address, '2')
  await Promise.all([first, second].map((membership) => until(membership, '2')))

  for (const seen of histories) {
    // A probe may have come in between: a suspicion that is refuted is no verdict.
    const verdicts = seen.filter((type) => type !== 'member-suspect' && type !== 'member-recover')
    assert.deepEqual(verdicts, ['member-join', 'member-update'])
  }
  for (const membership of [first, second]) {
    assert.equal(membership.member('mortal')?.address, address)
    assert.equal(membership.stats().warnings['name-refused'], undefined)
  }
})

async function start(name: string): Promise<Membership> {
  const membership = new Membership({ name, bind: '127.0.0.1:0', ...PATIENT })
  members.push(membership)
  await membership.start()
  return membership
}

/** An address that nobody has bound at this moment. */
async function freeAddress(): Promise<string> {
  const found = await bind(at('127.0.0.1'), handlers())
  await found.close()
  return found.local.key
}

/** Starts the process; resolves when it has joined. */
async function bring(address: string, seed: string, life: string): Promise<ChildProcess> {
  const file = fileURLToPath(new URL('./restart-child.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', file, address, seed, life], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const [line] = await once(child.stdout, 'data')
  assert.equal(String(line).trim(), `joined ${seed}`)
  return child
}

/** What it tells of the mortal one from now on. */
function historyOf(membership: Membership): string[] {
  const seen: string[] = []
  for (const type of [
    'member-join',
    'member-suspect',
    'member-recover',
    'member-dead',
    'member-leaving',
    'member-left',
    'member-update',
    'conflict',
  ] as const) {
    membership.on(type, (event: { readonly member?: { readonly name: string }; readonly name?: string }) => {
      if ((event.member?.name ?? event.name) === 'mortal') seen.push(type)
    })
  }
  return seen
}

/** Resolves when the member is alive and wears the tag. */
async function until(membership: Membership, life: string): Promise<void> {
  for await (const _ of membership.changes()) {
    const member = membership.member('mortal')
    if (member?.state === 'alive' && member.tags.life === life) return
  }
}
