import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import { amongGhosts, answer, answersTold, asked, request, warningsTold } from './query-support.ts'
import { addressOf, dead, type Mesh, type Station } from './support.ts'

const NOT_US = [{ type: 'tag', tag: 'ghost', pattern: '^$' }] as const

/** A machine, tagged so that its own queries leave it out, that has asked ghosts 2 to `last`. */
function asking(
  last: number,
  more: Parameters<typeof request>[0] = {},
): { mesh: Mesh; us: Station; ltime: number; id: number } {
  const { mesh, us } = amongGhosts(last, { tags: { ghost: 'no' } })
  const ltime = mesh.call(us, (serf, now) => serf.query(request({ filters: NOT_US, ...more }), now))
  mesh.run(400)
  const { id } = asked(mesh, 'us')
  us.told()
  return { mesh, us, ltime, id }
}

describe('collecting answers', () => {
  test('one response and one ack a name', () => {
    const { mesh, us, ltime, id } = asking(4, { wantsAcks: true })
    const twice = [answer('ghost-2', ltime, id, { flags: 1 }), answer('ghost-2', ltime, id)]
    mesh.tell(us, ...twice, ...twice)
    assert.deepEqual(answersTold(us), ['ack ghost-2', 'response ghost-2'])
  })

  test('it is over once all that were meant have answered, and acked where that was asked', () => {
    const { mesh, us, ltime, id } = asking(3, { wantsAcks: true })
    mesh.tell(
      us,
      answer('ghost-2', ltime, id),
      answer('ghost-3', ltime, id),
      answer('ghost-2', ltime, id, { flags: 1 }),
    )
    assert.deepEqual(answersTold(us), ['response ghost-2', 'response ghost-3', 'ack ghost-2'])
    mesh.tell(us, answer('ghost-3', ltime, id, { flags: 1 }))
    assert.deepEqual(answersTold(us), ['ack ghost-3', 'complete'])
  })

  test('one that dies with its answer told and its ack outstanding is waited for no longer', () => {
    const { mesh, us, ltime, id } = asking(3, { wantsAcks: true })
    for (const from of ['ghost-2', 'ghost-3']) mesh.tell(us, answer(from, ltime, id))
    mesh.tell(us, answer('ghost-2', ltime, id, { flags: 1 }))
    us.told()
    mesh.feed(us, dead(3))
    assert.deepEqual(answersTold(us), ['complete'])
  })

  test('what is cancelled wakes nobody', () => {
    const { mesh, us } = amongGhosts(3)
    const before = us.serf.nextDeadline()
    const ltime = mesh.call(us, (serf, now) => serf.query(request({ timeoutMs: 1 }), now))
    assert.equal(us.serf.nextDeadline(), mesh.now + 1)
    mesh.call(us, (serf) => serf.cancelQuery(ltime))
    assert.equal(us.serf.nextDeadline(), before)
  })

  test('an answer of no name is nobody’s', () => {
    const { mesh, us, ltime, id } = asking(3)
    mesh.tell(us, answer('', ltime, id))
    const told = us.told()
    assert.deepEqual(
      told.map((notice) => (notice.type === 'warning' ? notice.code : notice.type)),
      ['message-invalid'],
    )
  })

  test('of a ping the acks are all there is to wait for', () => {
    const { mesh, us, ltime, id } = asking(2, { name: '_serf_ping', wantsAcks: true })
    mesh.tell(us, answer('ghost-2', ltime, id, { flags: 1 }))
    assert.deepEqual(answersTold(us), ['ack ghost-2', 'complete'])
  })

  test('one that is to last its time lasts it', () => {
    const { mesh, us, ltime, id } = asking(2, { endsEarly: false })
    mesh.tell(us, answer('ghost-2', ltime, id))
    mesh.run(2799)
    assert.deepEqual(answersTold(us), ['response ghost-2'])
    mesh.run(1)
    assert.deepEqual(answersTold(us), ['timeout'])
  })

  test('nobody waits for who has died', () => {
    const { mesh, us, ltime, id } = asking(3)
    mesh.tell(us, answer('ghost-2', ltime, id))
    us.told()
    mesh.feed(us, dead(3))
    assert.deepEqual(answersTold(us), ['complete'])
  })

  test('who has died before may answer all the same', () => {
    const { mesh, us, ltime, id } = asking(3)
    mesh.feed(us, dead(3))
    mesh.tell(us, answer('ghost-3', ltime, id))
    assert.deepEqual(answersTold(us), ['response ghost-3'])
  })

  test('SF-44: late responses never surface, and are no trouble', () => {
    const { mesh, us, ltime, id } = asking(2)
    mesh.run(2800)
    assert.deepEqual(answersTold(us), ['timeout'])
    mesh.tell(us, answer('ghost-2', ltime, id))
    assert.deepEqual(us.told(), [])
    const early = asking(2)
    early.mesh.tell(early.us, answer('ghost-2', early.ltime, early.id), answer('ghost-3', early.ltime, early.id))
    assert.deepEqual(answersTold(early.us), ['response ghost-2', 'complete'])
  })

  test('answers of another time or another id are none of ours', () => {
    const { mesh, us, ltime, id } = asking(2)
    mesh.tell(us, answer('ghost-2', ltime + 1, id), answer('ghost-2', ltime, id + 1), answer('ghost-2', 2n ** 60n, id))
    assert.deepEqual(us.told(), [])
  })

  test('of strangers a few are heard, and none takes the place of a member', () => {
    const { mesh, us, ltime, id } = asking(3)
    for (let number = 0; number < 70; number++) mesh.tell(us, answer(`stranger-${number}`, ltime, id))
    assert.equal(us.notices.filter(({ type }) => type === 'query-response').length, 64)
    assert.deepEqual(new Set(warningsTold(us)), new Set(['query-limit']))
    mesh.tell(us, answer('ghost-2', ltime, id), answer('ghost-3', ltime, id))
    assert.deepEqual(answersTold(us), ['response ghost-2', 'response ghost-3', 'complete'])
  })

  test('a cancelled query is over without a word', () => {
    const { mesh, us, ltime, id } = asking(2)
    mesh.call(us, (serf) => serf.cancelQuery(ltime))
    mesh.tell(us, answer('ghost-2', ltime, id))
    mesh.run(5000)
    assert.deepEqual(answersTold(us), [])
  })

  test('while we stand still no time passes for the answers', () => {
    const { mesh, us, ltime, id } = asking(2)
    mesh.call(us, (serf, now) => serf.stalled(1000, now))
    mesh.run(3700)
    mesh.tell(us, answer('ghost-2', ltime, id))
    assert.deepEqual(answersTold(us), ['response ghost-2', 'complete'])
  })

  test('an answer that comes to us by a relay meant for us counts', () => {
    const { mesh, us, ltime, id } = asking(2)
    const { ip: destAddr, port: destPort } = addressOf(1)
    const message = encodeSerfMessage(answer('ghost-2', ltime, id))
    mesh.tell(us, { type: 'relay', destAddr, destPort, destZone: '', destName: 'us', message })
    assert.deepEqual(answersTold(us), ['response ghost-2', 'complete'])
  })

  test('one that breaks off within its relay is survived', () => {
    const { mesh, us } = asking(2)
    const { ip: destAddr, port: destPort } = addressOf(1)
    mesh.tell(us, { type: 'relay', destAddr, destPort, destZone: '', destName: 'us', message: Uint8Array.of(5, 0x81) })
    assert.deepEqual(warningsTold(us), ['message-invalid'])
  })
})
