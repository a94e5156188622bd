// A watched host is the same host: it passes all on, and tells that it did.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Simulation } from '../../../src/sim/simulation.ts'
import { watchedHost } from '../../../src/sim/watched-host.ts'
import { Address, parseIp } from '../../../src/wire/address.ts'

function pair() {
  const simulation = new Simulation({ seed: 1 })
  const said: string[] = []
  const hosts = ['a', 'b'].map((name, at) => {
    const host = simulation.host(simulation.station(name, `10.0.0.${at + 1}`))
    return watchedHost(host, {
      stepped: () => said.push(`${name} stepped`),
      sent: (packet) => said.push(`${name} sent ${packet.length}`),
    })
  })
  return { simulation, said, hosts: hosts as [(typeof hosts)[0], (typeof hosts)[0]] }
}

const addressOf = (text: string): Address => new Address(parseIp(text) as Uint8Array, 7946)

describe('sim/watched-host.ts', () => {
  it('tells of a timer and of a task after they ran, and of no cancelled one', async () => {
    const { simulation, said, hosts } = pair()
    const [host] = hosts
    host.clock.wakeAt(5, () => said.push('woke'))
    host.clock.wakeAt(6, () => said.push('woke again'))()
    host.defer(() => said.push('ran'))
    await simulation.run(10)
    assert.deepEqual(said, ['ran', 'a stepped', 'woke', 'a stepped'])
  })

  it('tells of each timer that is armed, that it came or was taken back, and before anything happens', async () => {
    const simulation = new Simulation({ seed: 1 })
    const said: string[] = []
    const host = watchedHost(simulation.host(simulation.station('a', '10.0.0.1')), {
      steps: () => said.push('steps'),
      arms: (at) => {
        said.push(`arms ${at}`)
        return () => said.push(`disarms ${at}`)
      },
      stepped: () => said.push('stepped'),
      sent: () => {},
    })
    host.clock.wakeAt(5, () => said.push('woke'))
    host.clock.wakeAt(6, () => said.push('woke again'))()
    await simulation.run(10)
    assert.deepEqual(said, ['arms 5', 'arms 6', 'disarms 6', 'steps', 'disarms 5', 'woke', 'stepped'])
  })

  it('tells of packets that go and come, and of each turn of a stream', async () => {
    const { simulation, said, hosts } = pair()
    const [near, far] = hosts
    const quiet = { packet: () => {}, stream: () => undefined, sendFailed: () => {}, failed: () => {} }
    const one = await simulation.finish(near.bind(addressOf('10.0.0.1'), quiet))
    const echoing = {
      ...quiet,
      packet: () => void said.push('came'),
      stream: () => ({ data: () => void said.push('data'), closed: () => void said.push('closed') }),
    }
    await simulation.finish(far.bind(addressOf('10.0.0.2'), echoing))
    one.send(new Uint8Array(7), addressOf('10.0.0.2'))
    await simulation.run(10)
    assert.deepEqual(said.splice(0), ['a sent 7', 'came', 'b stepped'])
    const stream = one.dial(addressOf('10.0.0.2'), {
      opened: () => void said.push('opened'),
      data: () => {},
      closed: () => {},
    })
    stream.write(new Uint8Array(3))
    stream.end()
    await simulation.run(100)
    assert.deepEqual(
      said.filter((line) => !line.startsWith('a ')),
      ['opened', 'b stepped', 'data', 'b stepped', 'closed', 'b stepped'],
    )
  })

  it('is the same host in everything else', () => {
    const simulation = new Simulation({ seed: 1 })
    const host = simulation.host(simulation.station('a', '10.0.0.1'))
    const watched = watchedHost(host, { stepped: () => {}, sent: () => {} })
    assert.deepEqual(
      [watched.hostname, watched.cipher, watched.storage, watched.ownAddresses(), watched.clock.now()],
      [host.hostname, host.cipher, host.storage, host.ownAddresses(), host.clock.now()],
    )
  })
})
