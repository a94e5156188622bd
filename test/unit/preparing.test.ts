// What a start puts together, before anything of it runs. Whole members start in membership.test.ts.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ClosedError, StorageError } from '../../src/base/errors.ts'
import { Random } from '../../src/base/random.ts'
import { Driver } from '../../src/driver/driver.ts'
import { type MembershipOptions, resolveOptions } from '../../src/options.ts'
import { prepare } from '../../src/preparing.ts'
import { Simulation } from '../../src/sim/simulation.ts'

function preparing(given: MembershipOptions = {}) {
  const simulation = new Simulation({ seed: 1 })
  const host = simulation.host(simulation.station('host-1', '10.0.0.1'))
  const options = resolveOptions({ bind: '10.0.0.1:0', ...given })
  const { label, keyring, compression: compress, allowedCidrs } = options
  const sealing = { label, keyring, cipher: host.cipher }
  const streamTimeoutMs = 1000
  const driver = new Driver({ host, sealing, compress, allowedCidrs, streamTimeoutMs, notified: () => {} })
  let closesAt = Number.POSITIVE_INFINITY
  let looks = 0
  const lifecycle = {
    status: 'idle' as const,
    throwIfClosing: () => {
      if (++looks >= closesAt) throw new ClosedError()
    },
  }
  const prepared = (closedAt = closesAt) => {
    closesAt = closedAt
    return simulation.finish(
      prepare({ options, host, driver, sealing, random: new Random(1), lifecycle, tags: () => ({ role: 'late' }) }),
    )
  }
  return { simulation, host, driver, prepared }
}

describe('preparing', () => {
  it('binds, names us after where that was, and tells nobody', async () => {
    const { simulation, host, driver, prepared } = preparing()
    const { serf, warnings } = await prepared()
    assert.deepEqual([serf.size, warnings], [0, []])
    assert.equal(serf.address.host, '10.0.0.1')
    assert.ok(serf.address.port > 0)
    assert.match(host.leftovers, /1 bound/)
    driver.run(serf)
    assert.equal(serf.local.name, `host-1-${serf.address.port}`)
    assert.deepEqual(serf.local.tags, { role: 'late' }, 'as they are once it is bound')
    await simulation.finish(driver.close())
    assert.equal(host.leftovers, '')
  })

  it('who is closed while its snapshot is opened leaves no file open, and waits no longer than five seconds for the disk', async () => {
    for (const isFreed of [true, false]) {
      const { simulation, host, driver, prepared } = preparing({ snapshotPath: 'snapshot' })
      host.station.disk.fault = 'stuck'
      const preparation = prepared(3)
      preparation.catch(() => {})
      await simulation.sleep(100)
      const from = simulation.now
      const closed = driver.close()
      if (!isFreed) await closed
      assert.ok(simulation.now - from <= 5000)
      host.station.disk.fault = undefined
      await assert.rejects(preparation, ClosedError)
      await simulation.finish(closed)
      assert.equal(host.leftovers, '')
    }
  })

  it('a disk that does not answer for half a minute ends the start, which may be tried again once it answers', async () => {
    for (const file of ['keyring', 'snapshot']) {
      const { simulation, host, driver, prepared } = preparing(
        file === 'keyring'
          ? { keyringPath: file, keyring: ['HvY8ubRZMgafUOWvrOadwOckVa1wN3QWAo46FVKbVN8='] }
          : { snapshotPath: file },
      )
      const { disk } = host.station
      disk.fault = 'stuck'
      const from = simulation.now
      await assert.rejects(
        prepared(),
        (error: unknown) =>
          error instanceof StorageError && error.path === file && /has not answered for 30 sec/.test(error.message),
      )
      assert.equal(simulation.now - from, 30_000)
      assert.equal(host.leftovers, '')
      disk.fault = undefined
      // What was opened too late is closed.
      await simulation.finish(simulation.sleep(1))
      assert.equal(host.leftovers, '')
      const { serf } = await prepared()
      driver.run(serf)
      await simulation.finish(driver.close())
      assert.equal(host.leftovers, '')
    }
  })

  it('hands on what is to be warned of', async () => {
    const { driver, prepared, simulation } = preparing({ advertise: '203.0.113.7' })
    const { warnings } = await prepared()
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['unencrypted-public'],
    )
    await simulation.finish(driver.close())
  })

  it('stops where it is closed after each wait, and leaves nothing open', async () => {
    for (const closedAt of [1, 2]) {
      const { simulation, host, driver, prepared } = preparing()
      await assert.rejects(prepared(closedAt), ClosedError)
      assert.equal(host.leftovers, '', 'nothing is left open')
      await simulation.finish(driver.close())
    }
  })
})
