// One snapshot, three programs: Debian's agent, the current Serf and Node start from each other's file and find their way back to a mixed
// cluster, tell no event once more, and stay away after a goodbye.
import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SnapshotReader, type SnapshotState } from '../../src/serf/snapshot-format.ts'
import { goMissing } from './support/go-build.ts'
import { everyoneHeard } from './support/heard.ts'
import { interopTest } from './support/interop-test.ts'
import type { NodeMember } from './support/node-member-client.ts'
import type { Peer, Program } from './support/peer.ts'
import { judge } from './support/scenario-test.ts'
import type { SerfAgent } from './support/serf-agent.ts'
import { type LoggingPeer, Stage, type StartOptions } from './support/stage.ts'
import { everyoneAgrees } from './support/views.ts'

/** Serf's agent tells its log that an event came, which is how a test knows of it. */
const SOON_MS = 10_000
/** Serf writes what it holds back only when something more comes, half a second later. */
const WRITE_WITHIN_MS = 10_000
const lacks = async (): Promise<string | undefined> => goMissing()

function readSnapshot(path: string): SnapshotState {
  const reader = new SnapshotReader(false)
  reader.take(readFileSync(path))
  assert.equal(reader.report().skipped, 0, 'there is no line that we do not know')
  return reader.state
}

async function withFolder(play: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-snapshots-'))
  try {
    await play(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

type Keeper = Peer & Pick<NodeMember, 'event'>

/** Two that stay, one of each kind. */
async function keepers(stage: Stage): Promise<readonly [SerfAgent, NodeMember]> {
  const agent = (await stage.start('agent', { name: 'keeper-1', profile: 'lan' })) as SerfAgent
  const node = (await stage.start('node', { name: 'keeper-2', profile: 'lan', join: [agent.address] })) as NodeMember
  return [agent, node]
}

/** Go alone, doing what the plays do: its agents print of their own restarts what they print beside Node. Rejects where they do not come back. */
async function pureGo(folder: string): Promise<readonly LoggingPeer[]> {
  const stage = new Stage(
    async (_, part) => part(),
    () => {},
  )
  try {
    const keeper = (await stage.start('agent', { name: 'keeper-1', profile: 'lan' })) as SerfAgent
    for (const program of ['agent', 'serf'] as const) {
      const options = { name: program, profile: 'lan', snapshotPath: join(folder, `pure-${program}`) } as const
      const tags = { life: '0' }
      const mover = await stage.start(program, { ...options, tags, join: [keeper.address] })
      await untilWritten(stage, options.snapshotPath, keeper, program)
      await stage.kill(mover)
      const port = Number(mover.address.split(':').pop())
      await stage.start(program, { ...options, port, tags: { life: '1' } })
      await everyoneAgrees(stage, 'the mover again', 2 * SOON_MS)
    }
    return stage.agents
  } finally {
    await stage.stop()
  }
}

/** Sends events until the file knows of everybody, and of the last event that it could. */
async function untilWritten(stage: Stage, path: string, sender: Keeper, prefix: string): Promise<number> {
  let sent = 0
  await stage.until('the snapshot knows everybody', WRITE_WITHIN_MS, async () => {
    await sender.event(`${prefix}-${++sent}`)
    await new Promise((resolve) => setTimeout(resolve, 600))
    const { alive, eventClock } = readSnapshot(path)
    const missing = stage.running.find(({ name, address }) => alive.get(name) !== address)
    if (missing !== undefined) return `${missing.name} is not in it`
    return eventClock === 0 ? 'no event is in it' : undefined
  })
  return sent
}

interopTest(
  'SF-50: Node starts from the files of both kinds of Serf, and they from its; each finds its way back by itself',
  (stage) =>
    withFolder(async (folder) => {
      const snapshotPath = join(folder, 'snapshot')
      const [agent, node] = await keepers(stage)
      let mover = await stage.start('node', {
        name: 'mover',
        profile: 'lan',
        snapshotPath,
        join: [agent.address],
        tags: { life: '0' },
      })
      await everyoneAgrees(stage, 'three alive', SOON_MS)
      const chain: readonly Program[] = ['agent', 'node', 'serf', 'node', 'node', 'agent', 'serf']
      for (const [index, program] of chain.entries()) {
        await stage.step(`${mover.program} wrote it, ${program} starts from it`, async () => {
          const before = mover.userEvents.length
          const sent = await untilWritten(stage, snapshotPath, index % 2 === 0 ? node : agent, `step-${index}`)
          await everyoneHeard(stage, [mover], [`step-${index}-${sent}`], SOON_MS)
          assert.ok(mover.userEvents.length > before)
          await mover.kill()
          const { alive, eventClock } = readSnapshot(snapshotPath)
          assert.deepEqual([...alive].sort(), [agent, mover, node].map(({ name, address }) => [name, address]).sort())
          mover = await stage.start(program, {
            name: 'mover',
            profile: 'lan',
            snapshotPath,
            port: Number(mover.address.split(':').pop()),
            tags: { life: String(index + 1) },
          })
          stage.killed.add('mover')
          await everyoneAgrees(stage, `three alive, the ${program} again`, 2 * SOON_MS)
          // Every event that the others keep has been told again by now; what the file says was seen is not delivered.
          const told = mover.userEvents.filter(({ ltime }) => ltime !== undefined && ltime <= eventClock)
          assert.deepEqual(told, [])
        })
      }
      await judge(stage, 'snapshot', await pureGo(folder))
    }),
  { lacks },
)

interopTest(
  'SF-34: a Node member that is killed and starts again delivers no event a second time, though Go tells it all of them; the next it does',
  (stage) =>
    withFolder(async (folder) => {
      const snapshotPath = join(folder, 'snapshot')
      const [agent] = await keepers(stage)
      const options: StartOptions = { name: 'mover', profile: 'lan', snapshotPath }
      let mover = await stage.start('node', { ...options, join: [agent.address] })
      await everyoneAgrees(stage, 'three alive', SOON_MS)
      const names = Array.from({ length: 10 }, (_, at) => `old-${at}`)
      for (const name of names) await agent.event(name)
      await everyoneHeard(stage, [mover], names, SOON_MS)
      await stage.until('the file knows of them', WRITE_WITHIN_MS, async () => {
        return readSnapshot(snapshotPath).eventClock < names.length ? 'not of all' : undefined
      })
      await stage.kill(mover)
      await agent.event('meanwhile')
      mover = await stage.start('node', { ...options, port: Number(mover.address.split(':').pop()) })
      await everyoneAgrees(stage, 'three alive again', SOON_MS)
      await agent.event('new')
      await everyoneHeard(stage, [mover], ['meanwhile', 'new'], SOON_MS)
      assert.deepEqual(
        mover.userEvents.map(({ name }) => name),
        ['meanwhile', 'new'],
      )
      await judge(stage, 'snapshot')
    }),
)

interopTest(
  'SF-51: Go finds its way back from the file of a Node member, whatever moment that died at, and asks nobody who was erased',
  (stage) =>
    withFolder(async (folder) => {
      const snapshotPath = join(folder, 'snapshot')
      const [agent, node] = await keepers(stage)
      const gone = await stage.start('agent', { name: 'gone', profile: 'lan', join: [agent.address] })
      const options: StartOptions = { name: 'mover', profile: 'lan', snapshotPath }
      let mover = await stage.start('node', { ...options, join: [agent.address] })
      const port = Number(mover.address.split(':').pop())
      const known = (): string[] => [...readSnapshot(snapshotPath).alive.keys()].sort()
      await everyoneAgrees(stage, 'four alive', SOON_MS)

      await stage.step('what a Node member knew half a second ago is in its file', async () => {
        await agent.event('last')
        await everyoneHeard(stage, [mover], ['last'], SOON_MS)
        await new Promise((resolve) => setTimeout(resolve, 500))
        await stage.kill(mover)
        assert.deepEqual(known(), ['gone', 'keeper-1', 'keeper-2', 'mover'])
        assert.ok(readSnapshot(snapshotPath).eventClock >= 1)
      })
      await stage.step('from one that ends within a line Node starts, and takes the torn part off', async () => {
        appendFileSync(snapshotPath, 'alive: keeper-9 127.0.0.1:')
        mover = await stage.start('node', { ...options, port })
        await everyoneAgrees(stage, 'four alive again', SOON_MS)
        assert.ok(!readFileSync(snapshotPath, 'utf8').includes('keeper-9'))
      })
      await stage.step('who is forced out and erased is not alive in it', async () => {
        await stage.kill(gone)
        stage.verdicts.set('gone', 'erased')
        await stage.until('the keeper holds it dead', SOON_MS * 6, async () =>
          (await agent.view()).get('gone')?.state === 'dead' ? undefined : 'not yet',
        )
        await node.forceLeave('gone', { prune: true })
        await stage.until('the file lets it go', SOON_MS, async () =>
          known().includes('gone') ? 'it is alive there' : undefined,
        )
        // For us it is an address to ask, where nobody else answers: two lines that come to nothing.
        assert.match(readFileSync(snapshotPath, 'utf8'), /alive: gone .*\n(?:.*\n)*not-alive: gone\n/)
        await stage.kill(mover)
      })
      await stage.step('Go starts from it', async () => {
        const again = (await stage.start('agent', { ...options, port })) as SerfAgent
        await everyoneAgrees(stage, 'three alive', 2 * SOON_MS)
        const asked = again.log.flatMap(({ text }) => /previously known node: (\S+?):? /.exec(text)?.[1] ?? [])
        assert.ok(asked.length > 0 && !asked.includes('gone'), `${asked}`)
        assert.deepEqual(
          again.log.filter(({ text }) => /snapshot/i.test(text) && /unrecognized|fail/i.test(text)),
          [],
        )
      })
      await stage.stop()
      assert.deepEqual(stage.faults(), [])
    }),
)

for (const [program, rejoinAfterLeave] of [
  ['node', false],
  ['agent', false],
  ['node', true],
  ['agent', true],
] as const) {
  const what = rejoinAfterLeave ? 'comes back where it means to' : 'stays alone, and has forgotten its clocks'
  interopTest(
    `SF-52: after a goodbye a member that starts again, run as ${program}, ${what}`,
    (stage) =>
      withFolder(async (folder) => {
        const [agent] = await keepers(stage)
        const snapshotPath = join(folder, 'snapshot')
        const options: StartOptions = { name: 'leaver', profile: 'lan', snapshotPath, rejoinAfterLeave }
        const leaver = await stage.start(program, { ...options, join: [agent.address] })
        await untilWritten(stage, snapshotPath, agent, 'before')
        await leaver.leave()
        const { alive, eventClock } = readSnapshot(snapshotPath)
        assert.deepEqual([alive.size, eventClock], [0, 0])
        const again = { ...options, port: Number(leaver.address.split(':').pop()) }
        if (rejoinAfterLeave) {
          await stage.start(program, again)
          await everyoneAgrees(stage, 'the leaver alive again', SOON_MS)
        } else {
          const alone = await stage.intrude(program, again)
          // Longer than the way back takes in the test beside this.
          await new Promise((resolve) => setTimeout(resolve, 4_000))
          assert.deepEqual([...(await alone.view()).keys()], ['leaver'])
        }
        if (program === 'node') {
          await judge(stage, 'snapshot')
          return
        }
        // What an agent logs of its own leave and return is none of ours.
        await stage.stop()
        assert.deepEqual(stage.faults(), [])
      }),
    { lacks },
  )
}
