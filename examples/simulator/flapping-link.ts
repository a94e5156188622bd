// What members do when the link between two of them comes and goes: the same seed, told twice, is the same story. Prints the transcript.
//
//   npx tsx examples/simulator/flapping-link.ts --seed 7
import { parseArgs } from 'node:util'
import { Cluster, firstDifference } from 'rollcall/sim'

const { values } = parseArgs({ options: { seed: { type: 'string', default: '7' } } })
const seed = Number(values.seed)

/** Four members; every 3 s m-4 hears nothing for 2 s, ten times over; then all is well. */
async function flap(): Promise<string> {
  const cluster = new Cluster({ seed, latencyMs: { minMs: 1, maxMs: 20 } })
  await cluster.start(4)
  await cluster.settle()
  const begin = cluster.now
  for (let turn = 0; turn < 10; turn++) {
    cluster.at(begin + turn * 3_000, () => {
      for (const name of ['m-1', 'm-2', 'm-3']) cluster.cut(name, 'm-4', { isOneWay: true })
    })
    cluster.at(begin + turn * 3_000 + 2_000, () => cluster.heal())
  }
  await cluster.run(30_000)
  await cluster.settle()
  await cluster.close()
  return cluster.transcript
}

const transcript = await flap()
process.stdout.write(transcript)
const count = (word: string): number => transcript.split(` ${word} `).length - 1
console.log(
  `${count('member-suspect')} suspicions, ${count('member-recover')} taken back, ${count('member-dead')} verdicts`,
)
console.log(firstDifference(transcript, await flap()) ?? `seed ${seed}, told again: the same, line for line`)
