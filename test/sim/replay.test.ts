// A run is its seed: the same script under the same seed gives the same transcript, byte for byte, down to every packet.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Cluster, type SimMemberOptions } from '../../src/sim/cluster.ts'

/** A bit of everything: loss, a crash, a return, a leave, a partition, a pause, user code that awaits. */
async function eventful(seed: number, options: SimMemberOptions = {}): Promise<string> {
  const cluster = new Cluster({ seed, transcript: 'packets', lossRatio: 0.05, options })
  await cluster.start(8)
  await cluster.settle()
  const told: string[] = []
  const listening = (async (): Promise<void> => {
    for await (const change of cluster.member('m-1').changes())
      told.push(change.kind === 'change' ? change.event.type : change.kind)
  })()
  cluster.crash('m-3')
  await cluster.run(3_000)
  cluster.partition([
    ['m-1', 'm-2'],
    ['m-4', 'm-5', 'm-6'],
  ])
  await cluster.run(4_000)
  cluster.heal()
  await cluster.restart('m-3')
  cluster.pause('m-7')
  await cluster.run(2_500)
  cluster.resume('m-7')
  await cluster.finish(cluster.member('m-2').setTags({ role: 'changed' }))
  await cluster.leave('m-8')
  await cluster.run(20_000)
  await cluster.close()
  await listening
  assert.ok(told.length > 5, 'the listener has heard of the run')
  return `${cluster.transcript}${told.join()}\n${JSON.stringify(cluster.simulation.network.traffic)}`
}

describe('a run', () => {
  it('with the same seed has the same transcript, and with another seed another', async () => {
    const first = await eventful(17)
    const second = await eventful(17)
    assert.ok(first.split('\n').length > 1_000, 'a transcript of every packet is long')
    assert.equal(second === first, true, 'the transcripts differ')
    assert.equal((await eventful(18)) === first, false, 'another seed gives the same transcript')
  })

  it('that is encrypted replays too, nonces and all', async () => {
    const options = { secretKey: new Uint8Array(32).fill(7), label: 'replayed' }
    const first = await eventful(5, options)
    assert.equal((await eventful(5, options)) === first, true, 'the transcripts differ')
    assert.match(first, /<- m-\d: ping \d+/, 'the transcript reads what the members can read')
  })

  it('is not changed by writing less of it down', async () => {
    const sentBy = async (transcript: 'off' | 'packets'): Promise<string> => {
      const cluster = new Cluster({ seed: 3, transcript, lossRatio: 0.1 })
      await cluster.start(6)
      await cluster.run(10_000)
      await cluster.close()
      return JSON.stringify(cluster.simulation.network.traffic)
    }
    assert.equal(await sentBy('off'), await sentBy('packets'))
  })
})
