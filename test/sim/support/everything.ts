// One run with a bit of everything: every fault that there is, encryption, compression, coordinates, keys that change, queries, events,
// snapshots, and a service with timers of its own. What it gives is text that must be the same wherever it runs: see transcripts.ts.
import { Cluster, type SimMemberOptions } from '../../../src/sim/cluster.ts'
import type { FaultVerb } from '../../../src/sim/fault-verbs.ts'
import type { Felt, PacketDrop } from '../../../src/sim/traffic.ts'
import { formatKey } from '../../../src/wire/keyring.ts'

const FIRST_KEY = new Uint8Array(32).fill(1)
const SECOND_KEY = new Uint8Array(16).fill(2)

const NAMES = ['alpha', 'beta', 'gamma']

const OPTIONS: SimMemberOptions = {
  secretKey: FIRST_KEY,
  label: 'replayed',
  snapshotPath: 'serf.snapshot',
  tags: { role: 'replayed', text: 'long enough to be worth a compression, long enough to be worth a compression' },
}

export interface Everything {
  readonly text: string
  readonly injected: Readonly<Record<FaultVerb, number>>
  readonly felt: Readonly<Felt>
  readonly dropped: Readonly<Record<PacketDrop, { readonly packets: number }>>
  /** Operations of disks that failed, by fault. */
  readonly diskFailures: Readonly<Record<string, number>>
}

export async function everything(seed: number): Promise<Everything> {
  const cluster = new Cluster({
    seed,
    transcript: 'packets',
    options: OPTIONS,
    refusesPackets: true,
    bufferBytes: 4_000,
    latencyMs: { kind: 'log-normal', medianMs: 2, sigma: 0.8, maxMs: 200 },
    lossRatio: 0.02,
    duplicateRatio: 0.03,
    reorderRatio: 0.03,
    reorderMs: { kind: 'exponential', meanMs: 20, maxMs: 400 },
    service: ({ membership, clock, random }) => {
      const cancel = clock.every(700 + random.below(600), () => {
        if (membership.status === 'running') membership.sendEvent('beat', { at: clock.now() })
      })
      return { close: cancel }
    },
  })
  await cluster.start(NAMES)
  await cluster.start(6)
  await cluster.settle()
  const told: string[] = []
  const listening = (async (): Promise<void> => {
    for await (const change of cluster.member('alpha').changes())
      told.push(change.kind === 'change' ? change.event.type : change.kind)
  })()
  for (const name of cluster.names) {
    cluster.member(name).on('query', ({ respond }) => respond(`the answer of ${name}`))
  }
  await breakThings(cluster)
  const answers: string[] = []
  const query = cluster.member('alpha').query('who', 'anybody', { ack: true, timeoutMs: 3_000 })
  const asking = (async (): Promise<void> => {
    for await (const { from } of query) answers.push(from)
  })()
  await cluster.finish(asking, { what: 'the query ends' })
  await changeKeys(cluster)
  await cluster.run(5_000)
  const text = `${told.join()}\n${answers.join()}\n${stateOf(cluster)}`
  await cluster.close()
  await listening
  const disks = [...NAMES, 'm-4', 'm-5', 'm-6', 'm-7', 'm-8', 'm-9'].map((name) => cluster.disk(name).felt)
  const diskFailures: Record<string, number> = {}
  for (const felt of disks) {
    for (const [fault, count] of Object.entries(felt)) diskFailures[fault] = (diskFailures[fault] ?? 0) + count
  }
  const { felt, dropped } = cluster.simulation.network.traffic
  return { text: `${cluster.transcript}${text}`, injected: cluster.injected, felt, dropped, diskFailures }
}

async function breakThings(cluster: Cluster<unknown>): Promise<void> {
  cluster.link('alpha', 'beta', { latencyMs: { minMs: 10, maxMs: 40 }, lossRatio: 0.3 })
  cluster.disk('gamma').fill(50)
  cluster.disk('m-4').makeReadOnly()
  cluster.disk('m-5').stick()
  cluster.lag('m-4', { kind: 'exponential', meanMs: 30 })
  cluster.slow('m-5', 12)
  cluster.drift('m-6', 1.07)
  await cluster.run(6_000)
  cluster.crash('m-7')
  cluster.crash('m-8', { how: 'unplugged' })
  cluster.at(cluster.now + 9_000, () => cluster.restart('m-7', { disk: 'lost' }))
  cluster.at(cluster.now + 12_000, () => cluster.restart('m-8', { joins: false }))
  await cluster.run(2_000)
  cluster.pause('m-9')
  cluster.cut('beta', 'gamma', { isOneWay: true, kind: 'packets' })
  await cluster.run(3_500)
  cluster.resume('m-9')
  cluster.partition([
    ['alpha', 'beta', 'm-4'],
    ['gamma', 'm-5', 'm-6', 'm-9'],
  ])
  await cluster.run(4_000)
  for (const name of ['gamma', 'm-4', 'm-5']) cluster.disk(name).mend()
  cluster.heal()
  cluster.links({ maxPacketBytes: 300 })
  await cluster.run(10_000)
  cluster.links({ maxPacketBytes: 1_400 })
  cluster.lag('m-4', 0)
  cluster.slow('m-5', 0)
  cluster.drift('m-6', 1)
  await cluster.finish(cluster.member('gamma').setTags({ role: 'changed' }))
  cluster.disk('m-9').failSyncs()
  await cluster.leave('m-9')
  await cluster.run(8_000)
}

async function changeKeys(cluster: Cluster<unknown>): Promise<void> {
  const { keys } = cluster.member('alpha')
  const key = formatKey(SECOND_KEY)
  for (const change of [keys.install(key), keys.use(key)]) await cluster.finish(change.catch(() => {}))
}

/** What members have come to: coordinates to the last digit, lists; and what the network carried. */
function stateOf(cluster: Cluster<unknown>): string {
  const members = cluster.names.map((name) => {
    const membership = cluster.member(name)
    const list = membership.members().map(({ name, state, incarnation }) => `${name} ${state} ${incarnation}`)
    return [name, list, membership.coordinate(), membership.health, membership.rtt(name, 'beta')]
  })
  return `${JSON.stringify(members, null, 1)}\n${JSON.stringify(cluster.simulation.network.traffic)}\n`
}
