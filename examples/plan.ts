// What to expect of a cluster before there is one: a table by formulas, in Markdown, for each profile, size and loss.
//
//   npx tsx examples/plan.ts --members 10,100,1000 --loss 0,0.01,0.1 --profile lan,wan --tag-bytes 64 --encrypted
import { parseArgs } from 'node:util'
import { type ClusterPlan, planCluster, type Times } from 'rollcall/sim'

const { values } = parseArgs({
  options: {
    members: { type: 'string', default: '10,100,1000' },
    loss: { type: 'string', default: '0,0.01,0.1' },
    profile: { type: 'string', default: 'lan,wan' },
    'tag-bytes': { type: 'string', default: '64' },
    encrypted: { type: 'boolean', default: false },
  },
})

const heads = [
  'profile',
  'members',
  'loss',
  'first verdict, s',
  'all know, s',
  'news told, s',
  'suspicions/day',
  'false verdicts/day',
  'packets/s',
  'UDP B/s',
  'TCP B/s',
]

/** The median and the 99th percentile. */
function seconds(times: Times | undefined): string {
  return times === undefined ? '-' : [times.p50Ms, times.p99Ms].map((ms) => (ms / 1000).toFixed(1)).join(' / ')
}

/** Two digits are as many as a formula of chances deserves. */
function rare(perDay: number | undefined): string {
  if (perDay === undefined) return '-'
  if (perDay > 0 && perDay < 1e-6) return '< 1e-6'
  return perDay > 0 && perDay < 0.01 ? perDay.toExponential(0) : String(Number(perDay.toPrecision(2)))
}

function row(profile: string, members: number, lossRatio: number, plan: ClusterPlan): string[] {
  const { detection, told, mistakes, traffic } = plan
  return [
    profile,
    String(members),
    `${100 * lossRatio} %`,
    seconds(detection.first),
    seconds(detection.all),
    seconds(told),
    rare(mistakes.suspicionsPerDay),
    rare(mistakes.verdictsPerDay),
    traffic.sent.packets.toFixed(1),
    traffic.sent.bytes.toFixed(0),
    traffic.streams.sentBytes.toFixed(0),
  ]
}

const rows: string[][] = []
const notes = new Set<string>()
for (const profile of values.profile.split(',')) {
  for (const members of values.members.split(',').map(Number)) {
    for (const lossRatio of values.loss.split(',').map(Number)) {
      // A profile that is none is refused with the names of those that are.
      const { 'tag-bytes': tagBytes, encrypted } = values
      const wanted = { members, lossRatio, profile: profile as 'lan', tagBytes: Number(tagBytes), encrypted }
      const plan = planCluster(wanted)
      rows.push(row(profile, members, lossRatio, plan))
      for (const note of plan.notes) notes.add(note)
    }
  }
}

for (const cells of [heads, heads.map(() => '---'), ...rows]) console.log(`| ${cells.join(' | ')} |`)
for (const note of notes) console.log(`\n${note}`)
