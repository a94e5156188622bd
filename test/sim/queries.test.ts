// Queries in whole clusters: who answers, how often, how soon; what relays are worth where packets are lost; and what a vote about a name
// comes to.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Membership } from '../../src/membership.ts'
import type { Query } from '../../src/query.ts'
import type { QueryOptions } from '../../src/querying.ts'
import type { Cluster } from '../../src/sim/cluster.ts'
import { forEachSeed } from './support/seeds.ts'

/** Every member answers `load` with its name, but for those named. */
function answering(cluster: Cluster, ...silent: readonly string[]): void {
  for (const name of cluster.names) {
    if (silent.includes(name)) continue
    cluster.member(name).on('query', ({ name: asked, respond }) => {
      if (asked === 'load') respond(name)
    })
  }
}

interface Answered {
  readonly query: Query
  readonly from: readonly string[]
  readonly acks: readonly string[]
  readonly tookMs: number
}

/** Asks, and waits for the end. */
async function ask(cluster: Cluster, asker: string, options: QueryOptions = {}): Promise<Answered> {
  const began = cluster.now
  const query = cluster.member(asker).query('load', undefined, options)
  await cluster.finish(query.ended)
  const tookMs = cluster.now - began
  const [responses, acks] = await Promise.all([query.collect(), query.acks.collect()])
  for (const { from, payload } of responses) assert.equal(new TextDecoder().decode(payload), from)
  return { query, from: responses.map(({ from }) => from), acks, tookMs }
}

describe('a query', () => {
  const early = 'in a cluster of a hundred has exactly one answer of each, and is over long before its time'
  it(early, async (t) => {
    const took: number[] = []
    await forEachSeed({ file: import.meta.url, test: early }, 3, {}, async (cluster) => {
      await cluster.start(100)
      await cluster.settle()
      answering(cluster)
      const { query, from, acks, tookMs } = await ask(cluster, 'm-7', { ack: true })
      assert.equal(query.outcome, 'complete')
      assert.deepEqual([...from].sort(), [...cluster.names].sort())
      assert.deepEqual([...acks].sort(), [...cluster.names].sort())
      assert.ok(tookMs < 4_000, `${tookMs} ms of 9600`)
      took.push(tookMs)
    })
    t.diagnostic(`over after ${took.map(Math.round).join(', ')} ms, of 9600`)
  })

  const filtered = 'is for those that its filters mean, and waits for nobody else'
  it(filtered, async () => {
    const options = (name: string) => ({ tags: { role: Number(name.slice(2)) % 2 === 0 ? 'web' : 'db' } })
    await forEachSeed({ file: import.meta.url, test: filtered }, 5, { options }, async (cluster) => {
      await cluster.start(10)
      await cluster.settle()
      answering(cluster, 'm-1', 'm-3')
      const even = ['m-10', 'm-2', 'm-4', 'm-6', 'm-8']
      const web = await ask(cluster, 'm-1', { filterTags: { role: '^web$' } })
      assert.deepEqual([...web.from].sort(), even)
      assert.equal(web.query.outcome, 'complete')
      const two = await ask(cluster, 'm-1', {
        filterTags: { role: 'e' },
        filterNodes: ['m-2', 'm-3', 'm-9'],
        ack: true,
      })
      assert.deepEqual([two.from, two.acks, two.query.outcome], [['m-2'], ['m-2'], 'complete'])
      const none = await ask(cluster, 'm-1', { filterTags: { role: 'nothing' } })
      // Others may know somebody whom we do not: that takes the whole of its time.
      assert.deepEqual([none.from, none.query.outcome, Math.round(none.tookMs)], [[], 'timeout', 6400])
    })
  })

  const silent = 'to which one does not answer lasts its time, and one that dies is waited for until it is known'
  it(silent, async (t) => {
    let complete = 0
    await forEachSeed({ file: import.meta.url, test: silent }, 10, {}, async (cluster) => {
      await cluster.start(8)
      await cluster.settle()
      answering(cluster, 'm-3')
      const { from, query, tookMs } = await ask(cluster, 'm-1')
      assert.deepEqual([from.length, query.outcome, Math.round(tookMs)], [7, 'timeout', 3200])
      cluster.crash('m-3')
      const dead = await ask(cluster, 'm-1', { timeoutMs: 60_000 })
      if (dead.query.outcome !== 'complete') {
        // Gossip went to the dead one as well, and a member was left out.
        assert.ok(dead.from.length < 7 && dead.tookMs >= 60_000)
        return
      }
      complete++
      assert.equal(dead.from.length, 7)
      assert.ok(dead.tookMs > 1_000 && dead.tookMs < 30_000, `${dead.tookMs} ms`)
    })
    t.diagnostic(`${complete} of 10 were complete`)
    assert.ok(complete >= 8 || process.env.SEED !== undefined, `${complete} of 10`)
  })

  const lossy = 'SF-43: where packets are lost, relays bring the answers that would be missing, and none twice'
  it(lossy, async (t) => {
    const [alone, relayed] = [
      [0, 0],
      [0, 0],
    ] as [[number, number], [number, number]]
    await forEachSeed({ file: import.meta.url, test: lossy }, 10, {}, async (cluster) => {
      await cluster.start(12)
      await cluster.settle()
      answering(cluster)
      for (const from of cluster.names) {
        for (const to of cluster.names) if (from !== to) cluster.link(from, to, { lossRatio: 0.3 })
      }
      for (const asker of ['m-2', 'm-9']) {
        for (const [relayFactor, count] of [
          [0, alone],
          [3, relayed],
        ] as const) {
          const { from } = await ask(cluster, asker, { relayFactor })
          assert.equal(new Set(from).size, from.length, 'one of each')
          count[0] += from.length
          count[1] += cluster.names.length
        }
      }
    })
    const [without, among] = [alone[0] / alone[1], relayed[0] / relayed[1]]
    t.diagnostic(`of all answers came ${without.toFixed(3)} without relays, ${among.toFixed(3)} with 3`)
    assert.ok(without < 0.8, `${without}: packets are lost`)
    assert.ok(among > 0.93, `${among}`)
  })

  const ends = 'ends with the instance that asked it, and with its signal'
  it(ends, async () => {
    await forEachSeed({ file: import.meta.url, test: ends }, 1, {}, async (cluster) => {
      await cluster.start(3)
      await cluster.settle()
      const control = new AbortController()
      const [one, two] = [
        cluster.member('m-1').query('load'),
        cluster.member('m-1').query('load', undefined, { signal: control.signal }),
      ]
      control.abort(new Error('enough'))
      await assert.rejects(two.collect(), /enough/)
      await cluster.finish(cluster.member('m-1').close())
      assert.equal(one.outcome, 'closed')
      assert.throws(() => cluster.member('m-1').query('load'), { code: 'ERR_CLOSED' })
    })
  })
})

const NAME = 'm-3'

describe('two members of one name', () => {
  const lost = 'SF-80: the newcomer closes when the vote is over, and the holder stays'
  it(lost, async (t) => {
    const took: number[] = []
    await forEachSeed({ file: import.meta.url, test: lost }, 20, {}, async (cluster) => {
      await cluster.start(3)
      await cluster.settle()
      const { newcomer, reasons } = await enter(cluster)
      const began = cluster.now
      await cluster.until(() => newcomer.status === 'closed', { withinMs: 4_200, what: 'the newcomer closes' })
      took.push(cluster.now - began)
      await cluster.run(30_000)
      assert.deepEqual(reasons, ['conflict'])
      for (const observer of cluster.names) {
        const holder = cluster.member(observer).member(NAME)
        assert.deepEqual([holder?.state, holder?.address], ['alive', '10.0.0.3:7946'], observer)
      }
      assert.equal(cluster.member(NAME).status, 'running')
    })
    t.diagnostic(`closed after ${Math.round(Math.min(...took))} to ${Math.round(Math.max(...took))} ms`)
  })

  const off = 'SF-81: with resolveConflicts off both stay, and both say so'
  it(off, async () => {
    const options = { resolveConflicts: false }
    await forEachSeed({ file: import.meta.url, test: off }, 5, { options }, async (cluster) => {
      await cluster.start(3)
      await cluster.settle()
      const { newcomer, conflicts } = await enter(cluster, options)
      await cluster.run(60_000)
      assert.equal(newcomer.status, 'running')
      assert.equal(cluster.member(NAME).status, 'running')
      assert.ok(conflicts() > 0)
      assert.ok(cluster.events.some(({ type, about }) => type === 'conflict' && about === NAME))
      await cluster.finish(newcomer.close())
    })
  })

  const alone = 'SF-82: one that nobody answers does not close'
  it(alone, async () => {
    await forEachSeed({ file: import.meta.url, test: alone }, 5, {}, async (cluster) => {
      await cluster.start(3)
      await cluster.settle()
      const { newcomer, conflicts, reasons } = await enter(cluster)
      // It has heard who bears its name, and from now on hears nothing.
      for (const name of cluster.names) cluster.crash(name, { how: 'unplugged' })
      await cluster.run(20_000)
      assert.ok(conflicts() > 0)
      assert.deepEqual([newcomer.status, reasons], ['running', []])
      await cluster.finish(newcomer.close())
    })
  })
})

/** A second member of that name on a machine of its own. */
async function enter(cluster: Cluster, options: { readonly resolveConflicts?: boolean } = {}) {
  const host = cluster.simulation.host(cluster.simulation.station('elsewhere', '10.0.9.9'))
  const newcomer = new Membership({ name: NAME, bind: '10.0.9.9:7946', host, ...options })
  const reasons: string[] = []
  let conflicts = 0
  newcomer.on('closed', ({ reason }) => reasons.push(reason))
  newcomer.on('conflict', () => conflicts++)
  await cluster.finish(newcomer.join(['10.0.0.1:7946']))
  return { newcomer, reasons, conflicts: () => conflicts }
}
