// Keys changed while a cluster works (serf-behaviour §33), and encryption turned on in a running one (§12), by the public face.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { utf8 } from '../../src/base/bytes.ts'
import { KeysError } from '../../src/keys.ts'
import { parseKeyringFile } from '../../src/serf/keyring-file.ts'
import type { Cluster, SimMemberOptions } from '../../src/sim/cluster.ts'
import { formatKey } from '../../src/wire/keyring.ts'
import { forEachSeed } from './support/seeds.ts'

const OLD = new Uint8Array(32).fill(1)
const NEW = new Uint8Array(16).fill(2)
const PATH = '/etc/rollcall/keys.json'

/** What members told about others since a moment, but for what traffic brings. */
function troubles(cluster: Cluster, sinceMs: number): string[] {
  const quiet = new Set(['member-update', 'member-join', 'user-event'])
  return cluster.events
    .filter(({ atMs, type }) => atMs >= sinceMs && !quiet.has(type))
    .map(({ observer, type, about }) => `${observer} ${type} ${about}`)
}

/** Tags and events all the time, until it is told to stop. Gives how many events each member has heard of those sent. */
function traffic(cluster: Cluster): { stop(): Promise<Readonly<Record<string, number>> & { sent: number }> } {
  const heard: Record<string, number> = {}
  let sent = 0
  let isOver = false
  for (const name of cluster.names) {
    heard[name] = 0
    cluster.member(name).on('user-event', () => {
      heard[name] = (heard[name] ?? 0) + 1
    })
  }
  const loop = async (name: string): Promise<void> => {
    for (let turn = 0; !isOver; turn++) {
      cluster.member(name).sendEvent('beat', utf8(`${name} ${turn}`))
      sent++
      if (turn % 10 === 0) await cluster.member(name).setTags({ turn: String(turn) })
      await cluster.sleep(300)
    }
  }
  const loops = Promise.all(cluster.names.map(loop))
  return {
    stop: async () => {
      isOver = true
      await loops
      // What gossip missed, and it misses one in some hundreds with any keys, the exchanges bring.
      await cluster.sleep(90_000)
      return { ...heard, sent }
    },
  }
}

const fileOf = (cluster: Cluster, name: string): string[] =>
  parseKeyringFile(cluster.host(name).station.disk.content(PATH) ?? assert.fail(`${name} has no keys`)).keys.map(
    formatKey,
  )

describe('keys of a running cluster', () => {
  const rotation = 'SF-90: a rotation on five members under traffic loses no member, and no event'
  it(rotation, async () => {
    const options: SimMemberOptions = { keyring: [OLD], keyringPath: PATH }
    await forEachSeed({ file: import.meta.url, test: rotation }, 10, { options }, async (cluster) => {
      await cluster.start(5)
      await cluster.settle()
      const begun = cluster.now
      const beats = traffic(cluster)
      const rotate = async (): Promise<void> => {
        const { keys } = cluster.member('m-2')
        await keys.install(NEW)
        const { keys: held } = await keys.list()
        assert.deepEqual(Object.fromEntries(held), { [formatKey(OLD)]: 5, [formatKey(NEW)]: 5 })
        await keys.use(NEW)
        assert.deepEqual([...(await keys.list()).primaryKeys], [[formatKey(NEW), 5]])
        await keys.remove(OLD)
        assert.deepEqual([...(await keys.list()).keys], [[formatKey(NEW), 5]])
      }
      await cluster.finish(rotate())
      await cluster.run(20_000)
      const { sent, ...heard } = await cluster.finish(beats.stop(), { withinMs: 200_000 })
      assert.ok(sent > 250, `${sent}`)
      for (const name of cluster.names) assert.equal(heard[name], sent, name)
      assert.deepEqual(troubles(cluster, begun), [])
      for (const name of cluster.names) assert.deepEqual(fileOf(cluster, name), [formatKey(NEW)])
      // With what its file holds a member comes back, whatever its options say.
      cluster.crash('m-4')
      await cluster.restart('m-4')
      await cluster.settle()
    })
  })

  const missing = 'SF-91: use of a key that a member lacks changes nothing anywhere, forced too where none has it'
  it(missing, async () => {
    await forEachSeed({ file: import.meta.url, test: missing }, 5, { options: { keyring: [OLD] } }, async (cluster) => {
      await cluster.start(3)
      await cluster.settle()
      const { keys } = cluster.member('m-1')
      for (const force of [false, true]) {
        await cluster.finish(
          assert.rejects(keys.use(NEW, { force }), (error) => {
            assert.ok(error instanceof KeysError)
            assert.match(error.message, force ? /^3\/3 nodes reported failure: / : /^3\/3 nodes do not have the key/)
            return true
          }),
        )
      }
      assert.deepEqual([...(await cluster.finish(keys.list())).primaryKeys], [[formatKey(OLD), 3]])
    })
  })

  const primary = 'SF-92: removing the key that is in use is refused everywhere'
  it(primary, async () => {
    await forEachSeed({ file: import.meta.url, test: primary }, 5, { options: { keyring: [OLD] } }, async (cluster) => {
      await cluster.start(3)
      await cluster.settle()
      const { keys } = cluster.member('m-1')
      await cluster.finish(
        assert.rejects(keys.remove(OLD), /^KeysError: 3\/3 nodes reported failure: m-\d: removing the primary key/),
      )
      assert.deepEqual([...(await cluster.finish(keys.list())).keys], [[formatKey(OLD), 3]])
    })
  })

  const disk = 'a member whose disk is full refuses, keeps its keys and lives; the change is made up for later'
  it(disk, async () => {
    const options: SimMemberOptions = { keyring: [OLD], keyringPath: PATH }
    await forEachSeed({ file: import.meta.url, test: disk }, 5, { options }, async (cluster) => {
      await cluster.start(3)
      await cluster.settle()
      const { keys } = cluster.member('m-1')
      cluster.host('m-3').station.disk.fault = 'full'
      await cluster.finish(
        assert.rejects(keys.install(NEW), /^KeysError: 1\/3 nodes reported failure: m-3: Failed to write/),
      )
      await cluster.finish(assert.rejects(keys.use(NEW), /1\/3 nodes do not have the key, or do not say so: m-3/))
      assert.deepEqual(fileOf(cluster, 'm-3'), [formatKey(OLD)])
      cluster.host('m-3').station.disk.fault = undefined
      await cluster.finish(keys.install(NEW))
      await cluster.finish(keys.use(NEW))
      assert.deepEqual(fileOf(cluster, 'm-3'), [formatKey(NEW), formatKey(OLD)])
      await cluster.settle()
    })
  })

  it('a member that is alone answers itself; before the start and after the end nobody can be asked', async () => {
    await forEachSeed({ file: import.meta.url, test: 'alone' }, 1, { options: { keyring: [OLD] } }, async (cluster) => {
      await cluster.start(1)
      const { keys } = cluster.member('m-1')
      assert.deepEqual((await cluster.finish(keys.install(NEW))).answered, 1)
      assert.deepEqual([...(await cluster.finish(keys.list())).keys.values()], [1, 1])
      await cluster.start(1)
      await cluster.settle()
      cluster.cut('m-1', 'm-2')
      const asked = keys.list()
      const closing = cluster.member('m-1').close()
      await cluster.finish(Promise.all([assert.rejects(asked, { code: 'ERR_CLOSED' }), closing]))
      await cluster.finish(assert.rejects(keys.list(), { code: 'ERR_CLOSED' }))
      cluster.crash('m-1')
    })
  })

  it('without encryption nobody takes a key', async () => {
    await forEachSeed({ file: import.meta.url, test: 'plain' }, 1, {}, async (cluster) => {
      await cluster.start(2)
      await cluster.settle()
      const refused = /^KeysError: 2\/2 nodes reported failure: .*No keyring to modify \(encryption not enabled\)/
      await cluster.finish(assert.rejects(cluster.member('m-1').keys.install(NEW), refused))
    })
  })
})

describe('encryption of a running cluster', () => {
  const staged = 'is turned on by three rounds of restarts, and nobody loses sight of anybody'
  it(staged, async () => {
    const STAGES: readonly SimMemberOptions[] = [
      {},
      { secretKey: OLD, verifyIncoming: false, verifyOutgoing: false },
      { secretKey: OLD, verifyIncoming: false },
      { secretKey: OLD },
    ]
    const stageOf = new Map<string, number>()
    const options = (name: string): SimMemberOptions => ({ ...STAGES[stageOf.get(name) ?? 0] })
    await forEachSeed({ file: import.meta.url, test: staged }, 5, { options }, async (cluster) => {
      stageOf.clear()
      await cluster.start(4)
      await cluster.settle()
      for (let stage = 1; stage < STAGES.length; stage++) {
        for (const name of ['m-1', 'm-2', 'm-3', 'm-4']) {
          await cluster.leave(name)
          stageOf.set(name, stage)
          await cluster.restart(name)
          await cluster.settle()
        }
        const list = cluster.member('m-1').keys.list()
        if (stage < 3) {
          const option = stage === 1 ? 'verifyOutgoing' : 'verifyIncoming'
          await cluster.finish(assert.rejects(list, { name: 'OptionsError', option }))
        } else {
          assert.equal((await cluster.finish(list)).members, 4)
        }
        await cluster.run(30_000)
        await cluster.settle({ withinMs: 0 })
      }
      const seen = new Set(cluster.events.map(({ type }) => type))
      for (const type of ['member-suspect', 'member-dead', 'warning'] as const) assert.ok(!seen.has(type), type)
      // Whoever has no key is not heard any more.
      stageOf.set('m-5', 0)
      await cluster.start(1)
      await cluster.run(5000)
      assert.equal(cluster.member('m-1').member('m-5'), undefined)
    })
  })
})
