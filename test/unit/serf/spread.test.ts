// How a Serf message comes into a queue, and when a person hears of a long one. serf-behaviour §30.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { alive, joinIntent, Mesh } from './support.ts'

const QUIET = { gossipIntervalMs: 0, probeIntervalMs: 60_000 }

describe('a Serf message that is to be told', () => {
  it('waits where there is somebody to tell, and nowhere else', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1, QUIET)
    mesh.tell(us, joinIntent('ghost-1', 5))
    assert.equal(us.serf.queues.intents, 0)
    mesh.feed(us, alive(2))
    mesh.tell(us, joinIntent('ghost-1', 6))
    assert.equal(us.serf.queues.intents, 1)
  })

  it('is a warning where no packet holds it', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1, { ...QUIET, maxPacketBytes: 1000 })
    mesh.feed(us, alive(2))
    mesh.tell(us, joinIntent('n'.repeat(1000), 5))
    assert.equal(us.serf.queues.intents, 0)
    assert.ok(us.told().some((notice) => notice.type === 'warning' && notice.code === 'message-invalid'))
  })

  it('every queueCheckIntervalMs a queue with queueDepthWarning entries is a warning', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1, {
      queueDepthWarning: 3,
      queueCheckIntervalMs: 1000,
      ...QUIET,
    })
    mesh.feed(us, alive(2))
    for (let ltime = 5; ltime < 7; ltime++) mesh.tell(us, joinIntent('ghost-2', ltime))
    mesh.run(1000)
    const depthWarnings = () => us.told().filter((notice) => notice.type === 'warning' && notice.code === 'queue-depth')
    assert.equal(depthWarnings().length, 0)
    mesh.tell(us, joinIntent('ghost-2', 9))
    mesh.run(2000)
    assert.equal(depthWarnings().length, 2)
    assert.deepEqual(us.serf.queues.intents, 3)
  })
})
