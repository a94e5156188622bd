// Keys of a mixed cluster: `serf keys` changes Node members, `membership.keys` changes Go members, while tags change all the time. The
// files of both sides end alike, and each starts from the other's. And encryption turned on in a running mixed cluster, by restarts.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { goMissing } from './support/go-build.ts'
import type { GoPeer } from './support/go-peer.ts'
import { interopTest } from './support/interop-test.ts'
import { readAllowList, unexcused } from './support/logs.ts'
import type { NodeMember } from './support/node-member-client.ts'
import type { KeysReport, KeyVerb } from './support/node-member-protocol.ts'
import type { Peer } from './support/peer.ts'
import type { SerfAgent } from './support/serf-agent.ts'
import type { Stage } from './support/stage.ts'
import { spreadBoundMs } from './support/timing.ts'
import { everyoneAgrees } from './support/views.ts'

const folder = mkdtempSync(join(tmpdir(), 'rollcall-keys-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const SOON_MS = spreadBoundMs('lan')
const newKey = (bytes: 16 | 24 | 32): string => randomBytes(bytes).toString('base64')

interopTest(
  'SF-90: keys rotate through a mixed cluster by either side, and nobody is lost or suspected meanwhile',
  async (stage) => {
    const [first, second, third] = [newKey(32), newKey(16), newKey(24)]
    const files = ['agent-1', 'serf-1', 'node-1', 'node-2'].map((name) => {
      const path = join(folder, `${name}.json`)
      writeFileSync(path, JSON.stringify([first]), { mode: 0o600 })
      return path
    }) as [string, string, string, string]
    const held = (): unknown[] => files.map((path) => JSON.parse(readFileSync(path, 'utf8')))
    const common = { profile: 'lan', tags: { turn: '0' } } as const
    const [agent, serf, one, two, bare] = (await Promise.all([
      stage.start('agent', { ...common, name: 'agent-1', flags: [`-keyring-file=${files[0]}`] }),
      stage.start('serf', { ...common, name: 'serf-1', keyringFile: files[1] }),
      stage.start('node', { ...common, name: 'node-1', knobs: { keyringPath: files[2] } }),
      stage.start('node', { ...common, name: 'node-2', knobs: { keyringPath: files[3] } }),
      stage.start('node', { ...common, name: 'node-3', secretKey: first }),
    ])) as [SerfAgent, GoPeer, NodeMember, NodeMember, NodeMember]

    // Who lacks nothing but an answer is asked again: gossip misses one query in some hundreds, and Go asks once.
    const byGo = async (by: SerfAgent | GoPeer, operation: KeyVerb, key?: string): Promise<void> => {
      try {
        await by.keys(operation, key)
      } catch (error) {
        if (!/4\/5 nodes reported success/.test(String(error))) throw error
        stage.note(`${by.name} had no answer of one member to ${operation}, and asks again`)
        await by.keys(operation, key)
      }
    }

    await stage.step('members with one key from a file, or from an option, are one cluster', async () => {
      await agent.join([one.address])
      await two.join([agent.address])
      await serf.join([two.address])
      await bare.join([serf.address])
      await everyoneAgrees(stage, 'five alive', SOON_MS)
      for (const asked of [one, bare]) assert.deepEqual(await asked.keys('list'), counts(5, [first], first))
      await byGo(serf, 'list')
      await byGo(agent, 'list')
    })

    const traffic = talkAllTheTime(stage)
    await stage.step('`serf keys` of a Debian agent installs, uses and removes at Node members', async () => {
      await byGo(agent, 'install', second)
      assert.deepEqual(held(), new Array(4).fill([first, second]))
      assert.deepEqual(await one.keys('list'), counts(5, [first, second], first))
      await byGo(agent, 'use', second)
      assert.deepEqual(await bare.keys('list'), counts(5, [first, second], second))
      assert.deepEqual(held(), new Array(4).fill([second, first]))
      await byGo(agent, 'remove', first)
      assert.deepEqual(await two.keys('list'), counts(5, [second], second))
      assert.deepEqual(held(), new Array(4).fill([second]))
    })
    await stage.step('`membership.keys` installs, uses and removes at Go members', async () => {
      await one.keys('install', third)
      assert.deepEqual(held(), new Array(4).fill([second, third]))
      await two.keys('use', third)
      assert.deepEqual(await one.keys('list'), counts(5, [third, second], third))
      await bare.keys('remove', second)
      assert.deepEqual(await two.keys('list'), counts(5, [third], third))
      assert.deepEqual(held(), new Array(4).fill([third]))
    })
    await stage.step('the current Serf does so at Node members', async () => {
      await byGo(serf, 'install', first)
      await byGo(serf, 'use', first)
      await byGo(serf, 'remove', third)
      assert.deepEqual(await one.keys('list'), counts(5, [first], first))
    })
    await stage.step(
      'SF-91, SF-92: what is refused is refused by all, in either direction, and nothing changes',
      async () => {
        await assert.rejects(one.keys('use', second), /5\/5 nodes do not have the key/)
        await assert.rejects(agent.keys('use', second), /5\/5 nodes reported failure/)
        await assert.rejects(
          serf.keys('use', second),
          /5\/5 nodes reported failure: .*node-1:requested key is not in the keyring/,
        )
        for (const asked of [one, agent, serf]) {
          await assert.rejects(asked.keys('remove', first), /5\/5 nodes reported failure/)
        }
        assert.deepEqual(await one.keys('list'), counts(5, [first], first))
      },
    )
    await stage.step('tags and events went through all of it, and each event came to each once', async () => {
      const turns = await traffic.stop()
      assert.ok(turns >= 10, `${turns}`)
      stage.note(`${turns} changes of tags, and as many events`)
      await everyoneAgrees(stage, 'the last tags', SOON_MS)
      const sent = Array.from({ length: turns }, (_, at) => `turn-${at + 1}`).sort()
      // What gossip misses an exchange brings.
      await stage.until('all heard all events', 90_000, async () => {
        const lacking = stage.running.find((peer) => heardBy(peer).join() !== sent.join())
        return lacking && `${lacking.name} heard ${heardBy(lacking).join()}`
      })
    })
    await stage.step(
      'the files of both sides are the same text, and each side starts from that of the other',
      async () => {
        const texts = files.map((path) => readFileSync(path, 'utf8'))
        assert.deepEqual(texts, new Array(4).fill(`[\n  "${first}"\n]`))
        const [ofNode, ofAgent, ofSerf] = ['of-node', 'of-agent', 'of-serf'].map((name) =>
          join(folder, `${name}.json`),
        ) as [string, string, string]
        copyFileSync(files[2], ofNode)
        copyFileSync(files[0], ofAgent)
        copyFileSync(files[1], ofSerf)
        await stage.start('agent', {
          ...common,
          name: 'agent-2',
          flags: [`-keyring-file=${ofNode}`],
          join: [one.address],
        })
        const started = { ...common, join: [agent.address] }
        await stage.start('node', { ...started, name: 'node-4', knobs: { keyringPath: ofAgent } })
        await stage.start('node', { ...started, name: 'node-5', knobs: { keyringPath: ofSerf } })
        await everyoneAgrees(stage, 'eight alive', SOON_MS)
      },
    )
    // What was asked for, and is to be refused.
    await stage.stop()
    assert.deepEqual(stage.doubts(), [])
    await end(stage, /^\[ERR\] serf: Failed to (?:change primary|remove) key: /)
  },
  { lacks: async () => goMissing() },
)

/** What memberlist is told in each round, and our options for the same. */
const STAGES: readonly (readonly [
  string,
  { readonly key: boolean; readonly incoming: boolean; readonly outgoing: boolean },
])[] = [
  ['no key', { key: false, incoming: true, outgoing: true }],
  ['a key, and neither switch', { key: true, incoming: false, outgoing: false }],
  ['a key, and outgoing alone', { key: true, incoming: false, outgoing: true }],
  ['a key, and both', { key: true, incoming: true, outgoing: true }],
]

interopTest(
  'a running mixed cluster is encrypted by rounds of restarts, as memberlist does it, and nobody is lost',
  async (stage) => {
    const secretKey = newKey(32)
    const names = ['node-1', 'serf-1', 'node-2', 'serf-2']
    const start = (name: string, round: number, join: Peer | undefined, port: number | undefined): Promise<Peer> => {
      const [, { key, incoming, outgoing }] = STAGES[round] ?? assert.fail()
      const verify = { verifyIncoming: incoming, verifyOutgoing: outgoing }
      const program = name.startsWith('node') ? 'node' : 'serf'
      return stage.start(program, {
        name,
        profile: 'lan',
        tags: { round: `${round}` },
        ...(port === undefined ? {} : { port }),
        ...(key ? { secretKey } : {}),
        ...(program === 'node' ? { knobs: verify } : verify),
        ...(join === undefined ? {} : { join: [join.address] }),
      })
    }
    for (const [round, [what]] of STAGES.entries()) {
      await stage.step(`${what}: members of this round and of the one before are one cluster`, async () => {
        for (const name of names) {
          const old = stage.running.find((peer) => peer.name === name)
          await old?.leave()
          if (old !== undefined) await everyoneAgrees(stage, `${name} left`, SOON_MS)
          await start(name, round, stage.running.at(0), old && Number(old.address.split(':').at(-1)))
          await everyoneAgrees(stage, `${name} is in`, SOON_MS)
        }
        await Promise.all(stage.running.map((peer) => peer.setTags({ round: `${round}`, told: 'yes' })))
        await everyoneAgrees(stage, 'the tags of this round', SOON_MS)
      })
    }
    // Whoever comes back under its name is told of its own leave, and that it did not answer while it was gone.
    await end(stage, /^\[WARN\] memberlist: Refuting a (?:dead|suspect) message \(from: <name>\)$/)
  },
  { lacks: async () => goMissing() },
)

/** Every member holds these keys, and encrypts with one of them. */
function counts(members: number, keys: readonly string[], primary: string): KeysReport {
  const held = Object.fromEntries([...keys].map((key) => [key, members]))
  return { members, answered: members, keys: held, primaryKeys: { [primary]: members } }
}

function heardBy(peer: Peer): string[] {
  return peer.userEvents.map(({ name }) => name).sort()
}

/** One member after the other changes its tags and sends an event, over and over. Gives how often. */
function talkAllTheTime(stage: Stage): { stop(): Promise<number> } {
  let turn = 0
  let isOver = false
  const loop = (async () => {
    while (!isOver) {
      for (const peer of stage.running) {
        if (isOver) break
        turn++
        await peer.setTags({ turn: `${turn}` })
        await (peer as SerfAgent | GoPeer | NodeMember).event(`turn-${turn}`)
      }
    }
  })()
  // A play that is over before its end stops the members; what failed before that, `stop` says.
  loop.catch(() => {})
  return {
    stop: async () => {
      isOver = true
      await loop
      return turn
    },
  }
}

/** Nobody was lost, and no log of Go's says what it does not among its own, but for what belongs to the play. */
async function end(stage: Stage, expected: RegExp): Promise<void> {
  await stage.stop()
  assert.deepEqual(stage.faults(), [])
  for (const doubt of stage.doubts()) stage.note(doubt)
  const names = stage.peers.map(({ name }) => name)
  for (const { name, log } of stage.agents) {
    const lines = unexcused(log, names, 'life-encrypted', readAllowList())
    assert.deepEqual(
      lines.filter((line) => !expected.test(line)),
      [],
      name,
    )
  }
}
