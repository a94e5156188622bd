// The story behind a verdict, as `explain` tells it, of members that a network cuts off. And round trips: what coordinates and pings say
// of links whose latency is known.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { ClosedError, OptionsError, TimeoutError } from '../../src/base/errors.ts'
import type { Explanation } from '../../src/explain.ts'
import { Cluster, type SimMemberOptions } from '../../src/sim/cluster.ts'

function kinds({ entries }: Explanation): string[] {
  return entries.map(({ kind }) => kind)
}

/** Asserts that the kinds occur in this order, with whatever in between. */
function assertInOrder(told: readonly string[], wanted: readonly string[]): void {
  let at = -1
  for (const kind of wanted) {
    at = told.indexOf(kind, at + 1)
    assert.ok(at >= 0, `${kind} is missing, or comes too early, in ${told.join(', ')}`)
  }
}

async function settled(members: number, seed: number, options: SimMemberOptions = {}): Promise<Cluster> {
  const cluster = new Cluster({ seed, options })
  await cluster.start(members)
  await cluster.settle({ withinMs: 60_000 })
  await cluster.run(15_000)
  return cluster
}

/** Whoever suspected the member first, by its own probe. */
function finderOf(cluster: Cluster, name: string): string {
  const finder = cluster.names.find((observer) => {
    const first = cluster
      .member(observer)
      .explain(name)
      .entries.find(({ kind }) => kind === 'suspected')
    return observer !== name && first?.kind === 'suspected' && first.by === observer && first.heardFrom === undefined
  })
  assert.ok(finder !== undefined, 'somebody found it out by a probe')
  return finder
}

describe('explain', () => {
  it('of a member that is cut off tells the whole story in order: probe, helpers, suspicion, verdict, return', async () => {
    // With the probe timeout of `lan`, half of the interval, a helper's word that it had no answer comes when the probe has just ended.
    await using cluster = await settled(6, 3, { probeTimeoutMs: 400 })
    for (const name of cluster.names) assert.deepEqual(cluster.member(name).explain('m-4').entries, [])
    const others = cluster.names.filter((name) => name !== 'm-4')
    cluster.partition([['m-4'], others])
    const isDead = (): boolean => others.every((name) => cluster.member(name).member('m-4')?.state === 'dead')
    await cluster.until(isDead, { withinMs: 60_000 })
    const finder = finderOf(cluster, 'm-4')
    const story = cluster.member(finder).explain('m-4')
    assert.equal(story.state, 'dead')
    const wanted = ['unanswered', 'helpers-asked', 'helper-nack', 'probe-failed', 'suspected', 'confirmed', 'dead']
    assertInOrder(kinds(story), wanted)
    // It may be probed again while it is accused, with other helpers.
    const asked = new Set<string>()
    for (const entry of story.entries) {
      if (entry.kind === 'helpers-asked') {
        assert.ok(entry.helpers.length === 3 && entry.overStream)
        for (const helper of entry.helpers) asked.add(helper)
      }
      if (entry.kind === 'helper-nack') assert.ok(asked.has(entry.helper), `${entry.helper} was asked`)
    }
    const confirmed = story.entries.flatMap((entry) => (entry.kind === 'confirmed' ? [entry] : []))
    const ends = confirmed.map(({ atMs, endsInMs }) => atMs + endsInMs)
    assert.deepEqual(
      ends,
      ends.toSorted((one, other) => other - one),
      'each accuser brings the end nearer',
    )
    const verdict = story.entries.find((entry) => entry.kind === 'dead')
    assert.ok(Math.abs((verdict?.atMs ?? 0) - (ends.at(-1) ?? 0)) < 1 || verdict?.by !== finder)
    const times = story.entries.map(({ atMs }) => atMs)
    assert.deepEqual(
      times,
      times.toSorted((one, other) => one - other),
    )
    assert.equal(String(story).split('\n').length, story.entries.length + 1)
    cluster.heal()
    await cluster.settle({ withinMs: 120_000 })
    const after = cluster.member(finder).explain('m-4')
    assertInOrder(kinds(after), [...wanted, 'back'])
    assert.equal(after.state, 'alive')
    // It itself saw all the others go, and denies what they said of it.
    assertInOrder(kinds(cluster.member('m-4').explain('m-4')), ['accused', 'denied'])
  })

  it('of a member whose UDP alone is cut tells that it answers over TCP, or through others, and of no suspicion', async () => {
    await using cluster = await settled(4, 4)
    for (const other of ['m-1', 'm-2', 'm-4']) cluster.cut('m-3', other, { kind: 'packets' })
    await cluster.run(20_000)
    const story = cluster.member('m-1').explain('m-3')
    assertInOrder(kinds(story), ['unanswered', 'helpers-asked', 'stream-answered', 'answered'])
    assert.match(String(story), /over TCP alone/)
    assert.ok(!kinds(story).includes('suspected'))
  })

  it('of ourselves after a stall tells the stall, who accused us and what we denied', async () => {
    await using cluster = await settled(5, 5)
    cluster.pause('m-2')
    const isSuspect = (): boolean => cluster.member('m-1').member('m-2')?.state === 'suspect'
    await cluster.until(isSuspect, { withinMs: 30_000 })
    cluster.resume('m-2')
    await cluster.run(10_000)
    const own = cluster.member('m-2').explain('m-2')
    assertInOrder(kinds(own), ['stalled', 'accused', 'denied'])
    assert.match(String(own), /^m-2, ourselves, is alive/)
    assertInOrder(kinds(cluster.member('m-1').explain('m-2')), ['suspected', 'refuted'])
  })

  it('of a member that left, and of one that was erased, still tells', async () => {
    await using cluster = await settled(4, 6)
    await cluster.leave('m-4')
    await cluster.run(3_000)
    assertInOrder(kinds(cluster.member('m-1').explain('m-4')), ['leave-announced', 'left'])
    await cluster.finish(cluster.member('m-1').forceLeave('m-4', { prune: true }))
    assert.equal(cluster.member('m-1').member('m-4'), undefined)
    const story = cluster.member('m-1').explain('m-4')
    assertInOrder(kinds(story), ['leave-announced', 'left', 'erased'])
    assert.equal(story.state, undefined)
  })

  it('of a name that is none, or before the start, is a mistake; of a stranger it is empty', async () => {
    await using cluster = await settled(2, 7)
    const member = cluster.member('m-1')
    assert.throws(() => member.explain(''), OptionsError)
    assert.deepEqual(member.explain('nobody').entries, [])
  })
})

describe('docs/explain.md', () => {
  it('shows what its program tells', async () => {
    const page = readFileSync(new URL('../../docs/explain.md', import.meta.url), 'utf8')
    const seed = Number(/new Cluster\(\{ seed: (\d+), options: \{ probeTimeoutMs: 400 \} \}\)/.exec(page)?.[1])
    const shown = [...page.matchAll(/```text\n(.*?)\n```/gs)].map(([, text]) => text)
    // The program of the page.
    await using cluster = new Cluster({ seed, options: { probeTimeoutMs: 400 } })
    await cluster.start(6)
    await cluster.settle()
    cluster.partition([['m-4'], cluster.names.filter((name) => name !== 'm-4')])
    const member = cluster.member('m-1')
    await cluster.until(() => member.member('m-4')?.state === 'dead', { withinMs: 60_000 })
    cluster.heal()
    await cluster.settle({ withinMs: 120_000 })
    const told = [member, cluster.member('m-4')].map((one) => String(one.explain('m-4')))
    assert.deepEqual(shown, told, 'where the protocol has changed on purpose, put what it tells now onto the page')
  })

  it('lists every kind of entry, and no other', () => {
    const page = readFileSync(new URL('../../docs/explain.md', import.meta.url), 'utf8')
    const source = readFileSync(new URL('../../src/swim/trail.ts', import.meta.url), 'utf8')
    const rows = page.split('\n').filter((line) => line.startsWith('| `') && !line.startsWith('| `kind`'))
    const listed = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([\w-]+)`/g)].map(([, kind]) => kind))
    const kinds = [...source.matchAll(/readonly kind: '([\w-]+)'/g)].map(([, kind]) => kind)
    assert.deepEqual(listed.sort(), kinds.sort())
  })
})

describe('round trips', () => {
  /** One way, milliseconds: three places, members at one place 1 ms apart. */
  const PLACES = { near: 0, middle: 20, far: 50 }
  const place = (name: string): number => Object.values(PLACES)[(Number(name.slice(2)) - 1) % 3] as number
  const oneWayMs = (one: string, other: string): number => Math.max(0.5, Math.abs(place(one) - place(other)))

  async function spread(): Promise<Cluster> {
    const cluster = await settled(9, 8)
    for (const one of cluster.names) {
      for (const other of cluster.names)
        if (one !== other) cluster.link(one, other, { latencyMs: oneWayMs(one, other) })
    }
    return cluster
  }

  it('rtt comes within a tenth of the true one, between any two members, and is undefined of strangers', async () => {
    await using cluster = await spread()
    await cluster.run(600_000)
    const member = cluster.member('m-1')
    for (const one of cluster.names) {
      for (const other of cluster.names) {
        if (one === other) continue
        const trueMs = 2 * oneWayMs(one, other)
        const told = member.rtt(one, other) as number
        assert.ok(Math.abs(told - trueMs) < Math.max(1, 0.1 * trueMs), `${one} to ${other}: ${told}, true ${trueMs}`)
      }
    }
    assert.equal(member.rtt('m-3'), member.rtt('m-3', 'm-1'))
    assert.equal(member.rtt('m-3', 'nobody'), undefined)
    assert.equal(member.coordinate('nobody'), undefined)
    for (const name of [42, {}, null, ''] as unknown as string[]) {
      for (const call of [() => member.rtt(name), () => member.rtt('m-3', name), () => member.coordinate(name)]) {
        assert.throws(call, OptionsError, `${name}`)
      }
    }
    assert.equal(member.coordinate(), member.coordinate('m-1'))
    assert.ok(Object.isFrozen(member.coordinate('m-2')))
    assert.deepEqual(member.stats().coordinates, { resets: 0, rejected: 0, zeroRtts: 0 })
  })

  it('ping gives the true one, several at once, and TimeoutError of a member that is gone', async () => {
    await using cluster = await spread()
    const member = cluster.member('m-1')
    const names = cluster.names.filter((name) => name !== 'm-1')
    const told = await cluster.finish(Promise.all(names.map((name) => member.ping(name))))
    for (const [at, name] of names.entries()) {
      const trueMs = 2 * oneWayMs('m-1', name)
      assert.ok(Math.abs((told[at] as number) - trueMs) < 0.001, `${name}: ${told[at]}, true ${trueMs}`)
    }
    cluster.crash('m-5', { how: 'unplugged' })
    await assert.rejects(cluster.finish(member.ping('m-5')), TimeoutError)
    assert.deepEqual(kinds(member.explain('m-5')), [], 'a ping on request leaves no trail')
    await assert.rejects(cluster.finish(member.ping('m-99')), OptionsError)
    await assert.rejects(cluster.finish(member.ping('m-1')), OptionsError)
    await cluster.close()
    await assert.rejects(member.ping('m-2'), ClosedError)
  })
})
