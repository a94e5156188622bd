// healed-cluster-agrees: a cluster that agrees is taken for one, and every way in which one can disagree is seen.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Membership } from '../../../src/membership.ts'
import { resolveOptions } from '../../../src/options.ts'
import { agreeWithinMs, disagreement } from '../../../src/sim/agreement.ts'
import { Cluster } from '../../../src/sim/cluster.ts'

type Row = ReturnType<Membership['members']>[number]

async function agreeing(): Promise<Cluster> {
  const cluster = new Cluster({ seed: 1, transcript: 'off' })
  await cluster.start(4)
  await cluster.settle()
  cluster.crash('m-4')
  await cluster.settle()
  return cluster
}

function membersOf(cluster: Cluster): Map<string, Membership> {
  return new Map(cluster.names.map((name) => [name, cluster.member(name)]))
}

describe('healed-cluster-agrees', () => {
  it('lets one pass in which all that run are alive to all, and who is gone is dead to all', async () => {
    assert.equal(disagreement(membersOf(await agreeing())), undefined)
  })

  const lies: readonly [string, (row: Row) => Row | undefined, RegExp][] = [
    ['is held for suspect', (row) => ({ ...row, state: 'suspect' }), /m-2 holds m-3 for suspect/],
    ['is held for dead', (row) => ({ ...row, state: 'dead' }), /m-2 holds m-3 for dead/],
    ['is held as it was', (row) => ({ ...row, incarnation: row.incarnation - 1 }), /m-2 holds m-3 at incarnation/],
    ['is held with other tags', (row) => ({ ...row, rawTags: { role: 'old' } }), /m-2 holds other tags/],
    ['is not known', () => undefined, /m-2 knows 2 of 3/],
  ]
  for (const [what, change, says] of lies) {
    it(`sees that one ${what}`, async () => {
      const members = membersOf(await agreeing())
      const liar = members.get('m-2') as Membership
      const rows = liar.members().flatMap((row) => (row.name === 'm-3' ? (change(row) ?? []) : row))
      members.set('m-2', lying(liar, rows))
      assert.match(disagreement(members) ?? '', says)
    })
  }

  it('sees that one who is gone is alive to somebody, or dead to one and left to another', async () => {
    for (const [state, says] of [
      ['alive', /m-4, which is gone, for alive/],
      ['leaving', /m-4, which is gone, for leaving/],
      ['left', /holds m-4 for/],
    ] as const) {
      const members = membersOf(await agreeing())
      const liar = members.get('m-2') as Membership
      const rows = liar.members().map((row) => (row.name === 'm-4' ? { ...row, state } : row))
      members.set('m-2', lying(liar, rows))
      assert.match(disagreement(members) ?? '', says)
    }
  })
})

describe('the bound of agreement', () => {
  const { swim, serf } = resolveOptions({})
  const bound = (members: number, running: number, asksSeeds = false): number =>
    agreeWithinMs({ swim, serf, members, running, asksSeeds })

  it('at lan, of 5 that all run, is the sum that its parts make', () => {
    const recover = 36_000
    const detect = 10_000 + 6 * 4_000
    // Nobody is gone: every part meets one that runs with its first attempt, and there are at most three halvings.
    const merge = 90_000
    const rest = 30_000 + 24 * 200
    assert.equal(bound(5, 5), recover + detect + merge + rest)
    assert.equal(bound(5, 5, true), recover + detect + 450_000 + rest)
  })

  it('grows with those that are gone, whom the others reach for in vain', () => {
    const hourly = resolveOptions({ reconnectIntervalMs: 3_600_000 })
    const hours = (running: number): number =>
      Math.floor(agreeWithinMs({ ...hourly, members: 7, running, asksSeeds: true }) / 3_600_000)
    // Of 7 all run: three stages, from parts of one to the whole. Else log(1e-6) / log(gone / 6 * (1 - 1 / p)^p) intervals each.
    assert.deepEqual([hours(7), hours(5), hours(3)], [3, 3 * 7, 2 * 8])
  })

  it('is kept by halves of three after a minute', async () => {
    const cluster = new Cluster({ seed: 2, transcript: 'off' })
    await cluster.start(6)
    await cluster.settle()
    cluster.partition([cluster.names.slice(0, 3), cluster.names.slice(3)])
    await cluster.run(60_000)
    assert.match(disagreement(membersOf(cluster)) ?? '', /for dead/)
    cluster.heal()
    await cluster.until(() => disagreement(membersOf(cluster)) === undefined, { withinMs: bound(6, 6), everyMs: 100 })
  })
})

/** The same member with another list. */
function lying(member: Membership, rows: readonly Row[]): Membership {
  return Object.create(member, {
    local: { value: member.local },
    members: { value: () => rows },
  }) as Membership
}
