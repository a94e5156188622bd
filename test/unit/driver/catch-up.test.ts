// Late wake-ups: nothing is judged before what had arrived is read. architecture §5, the stall rule; serf-behaviour ML-37.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CatchUp, LATE_MS, LOOK_MS, MAX_TURNS, STALL_MS } from '../../../src/driver/catch-up.ts'
import { PROFILES } from '../../../src/swim/options.ts'
import type { PacketMessage } from '../../../src/wire/types.ts'
import { alive, closedSetup, PEER, type Running, receive, running, sentMessages, US } from './support.ts'

const PING: PacketMessage = { type: 'ping', seqNo: 7, node: 'us', sourceAddr: null, sourcePort: 0, sourceNode: '' }

/** A catch-up on a clock and turns moved by hand, which was to wake at 1000. */
class Bench {
  now = 1000
  readonly log: string[] = []
  readonly deferred: (() => void)[] = []
  readonly catchUp: CatchUp

  constructor(isOn = true) {
    this.catchUp = new CatchUp({
      isOn,
      defer: (task) => void this.deferred.push(task),
      now: () => this.now,
      stalled: (lengthMs, now) => void this.log.push(`stalled ${lengthMs} until ${now}`),
      caughtUp: (now) => void this.log.push(`caught up at ${now}`),
    })
    this.catchUp.expect(1000)
  }

  turn(): void {
    for (const task of this.deferred.splice(0)) task()
  }

  look(now: number): void {
    this.now = now
    this.catchUp.look()
  }
}

describe('coming late', () => {
  it('up to 5 ms is on time: nothing waits', () => {
    const made = new Bench()
    made.look(1000 + LATE_MS)
    assert.deepEqual([made.catchUp.isReading, made.deferred.length, made.log], [false, 0, []])
  })

  it('before the time, with no timer armed, or after one is disarmed, nobody is late', () => {
    const made = new Bench()
    made.look(900)
    made.catchUp.expect(undefined)
    made.look(60_000)
    const fresh = new CatchUp({
      isOn: true,
      defer: () => assert.fail('nothing was expected'),
      now: () => 60_000,
      stalled: () => assert.fail(),
      caughtUp: () => assert.fail(),
    })
    fresh.look()
    assert.deepEqual([made.catchUp.isReading, made.log], [false, []])
  })

  it('switched off, nobody is ever late', () => {
    const made = new Bench(false)
    made.look(60_000)
    assert.deepEqual([made.catchUp.isReading, made.deferred.length, made.log], [false, 0, []])
  })

  it('up to 50 ms is no stall, but sockets are read first', () => {
    const made = new Bench()
    made.look(1000 + STALL_MS)
    assert.equal(made.catchUp.isReading, true)
    made.turn()
    made.turn()
    assert.deepEqual(made.log, ['caught up at 1050'])
    assert.equal(made.catchUp.isReading, false)
  })

  it('above it is a stall, told once, before anything else, with its length', () => {
    const made = new Bench()
    made.look(3000)
    made.look(3000)
    made.look(3001)
    assert.deepEqual(made.log, ['stalled 2000 until 3000'])
    made.turn()
    made.turn()
    assert.deepEqual(made.log, ['stalled 2000 until 3000', 'caught up at 3001'])
  })

  it('the bounds leave a margin to every probe timeout', () => {
    const shortest = Math.min(...Object.values(PROFILES).map(({ probeTimeoutMs }) => probeTimeoutMs))
    assert.ok(LATE_MS < STALL_MS && 4 * STALL_MS <= shortest)
  })
})

describe('catching up', () => {
  it('takes one whole quiet turn: the one in which the lateness was noticed does not count', () => {
    const made = new Bench()
    made.look(2000)
    made.turn()
    assert.equal(made.catchUp.isReading, true)
    made.turn()
    assert.equal(made.catchUp.isReading, false)
    assert.equal(made.deferred.length, 0)
  })

  it('goes on as long as turns bring something', () => {
    const made = new Bench()
    made.look(2000)
    for (let turns = 0; turns < 20; turns++) {
      made.catchUp.brought()
      made.turn()
      assert.equal(made.deferred.length, 1)
    }
    made.turn()
    assert.deepEqual(made.log, ['stalled 1000 until 2000', 'caught up at 2000'])
  })

  it('a flood does not put judgement off for ever', () => {
    const made = new Bench()
    made.look(2000)
    let turns = 0
    while (made.catchUp.isReading) {
      made.catchUp.brought()
      made.turn()
      turns++
    }
    assert.equal(turns, MAX_TURNS)
    assert.equal(made.log.at(-1), 'caught up at 2000')
  })

  it('a second stall meanwhile is told too, and begins the wait for a quiet turn anew', () => {
    const made = new Bench()
    made.look(2000)
    made.turn()
    made.now = 5000
    made.turn()
    assert.deepEqual(made.log, ['stalled 1000 until 2000', 'stalled 3000 until 5000'])
    assert.equal(made.catchUp.isReading, true)
    made.turn()
    assert.equal(made.log.at(-1), 'caught up at 5000')
  })

  it('time spent on what had piled up belongs to the stall, in whatever pieces it is spent', () => {
    const made = new Bench()
    made.look(2000)
    for (let turns = 0; turns < 10; turns++) {
      made.now += 20
      made.catchUp.brought()
      made.turn()
    }
    made.turn()
    made.turn()
    const lengths = made.log.flatMap((line) => (line.startsWith('stalled') ? [Number(line.split(' ')[1])] : []))
    const total = lengths.reduce((sum, length) => sum + length, 0)
    assert.ok(total > 1200 - STALL_MS && total <= 1200, `${total} of 1200 ms were told`)
  })

  it('begins anew with the next stall, as often as there are stalls', () => {
    const made = new Bench()
    for (let stalls = 0; stalls < 3; stalls++) {
      made.look(made.now + 1000)
      made.turn()
      made.turn()
      made.catchUp.expect(made.now)
    }
    assert.equal(made.log.filter((line) => line.startsWith('caught up')).length, 3)
    assert.equal(made.log.filter((line) => line.startsWith('stalled 1000')).length, 3)
  })

  it('stopped, it tells nothing any more: the turn that is under way does nothing', () => {
    const made = new Bench()
    made.look(2000)
    made.catchUp.stop()
    made.turn()
    made.look(9000)
    assert.deepEqual([made.catchUp.isReading, made.deferred.length], [false, 0])
    assert.deepEqual(made.log, ['stalled 1000 until 2000'])
  })
})

describe('the stall rule in the driver', () => {
  /** Two members, and a probe of the other just sent. */
  async function probing(options: Parameters<typeof running>[0] = {}): Promise<Running & { readonly seqNo: number }> {
    const all = await running({ reapIntervalMs: 3_600_000, ...options })
    receive(all, [alive(2)])
    for (;;) {
      all.host.run((all.host.nextWake as number) - all.host.now)
      for (const { message } of sentMessages(all)) if (message.type === 'ping') return { ...all, seqNo: message.seqNo }
    }
  }

  /** What was told of members and warned of. */
  function told({ notices }: Running): string[] {
    return notices
      .splice(0)
      .flatMap((notice) =>
        'member' in notice ? [`${notice.type} ${notice.member.name}`] : notice.type === 'warning' ? [notice.code] : [],
      )
  }

  it('ML-37: a late timer judges nothing until what had arrived is read', async () => {
    const all = await probing()
    told(all)
    all.host.now += 20_000
    all.host.wakeLate()
    assert.deepEqual(sentMessages(all), [])
    assert.equal(all.host.timers, 0)
    receive(all, [{ type: 'ack', seqNo: all.seqNo, payload: null }])
    all.host.turn()
    all.host.turn()
    assert.equal(all.host.timers, 1)
    assert.ok(sentMessages(all).every(({ message }) => message.type === 'ping'))
    assert.deepEqual(told(all), ['stall'])
  })

  it('switched off, whoever was not heard meanwhile is accused by the late timer, as by memberlist', async () => {
    const all = await probing({ stallRule: false })
    told(all)
    all.host.now += 20_000
    all.host.wakeLate()
    assert.deepEqual(told(all), ['member-suspect ghost-2'])
    assert.equal(all.driver.stats().warnings.stall, undefined)
    assert.equal(all.serf.health, 1)
  })

  it('ML-37: packets that are read before the timer comes are known for late as well', async () => {
    const all = await probing()
    told(all)
    all.host.now += 20_000
    receive(all, [{ type: 'ack', seqNo: all.seqNo, payload: null }])
    assert.deepEqual(told(all), ['stall'])
    all.host.wakeLate()
    all.host.turn()
    assert.deepEqual(sentMessages(all), [])
    all.host.turn()
    all.host.turn()
    assert.deepEqual(told(all), [])
    assert.equal(all.host.timers, 1)
  })

  it('while an answer is awaited the clock is looked at, so that shorter blocks are noticed too; at rest it is not', async () => {
    const all = await probing({ gossipIntervalMs: 0 })
    assert.equal(all.host.nextWake, all.host.now + LOOK_MS)
    all.host.now += LOOK_MS + 60
    all.host.wakeLate()
    assert.equal(all.host.timers, 0, 'it reads first')
    receive(all, [{ type: 'ack', seqNo: all.seqNo, payload: null }])
    all.host.turn()
    all.host.turn()
    const atRest = (all.host.nextWake as number) - all.host.now
    assert.ok(atRest > LOOK_MS && atRest < 1000, `${atRest} ms until the next probe`)
  })

  it('looks come one after the other, and change nothing: the answer is waited for as long as ever', async () => {
    const all = await probing({ gossipIntervalMs: 0, indirectChecks: 0, streamPings: false })
    const began = all.host.now
    told(all)
    const wakes = new Set<number>()
    while (all.host.now < began + 999) {
      wakes.add((all.host.nextWake as number) - began)
      all.host.run(1)
    }
    assert.deepEqual(told(all), [])
    assert.ok(
      [200, 400, 500, 700, 900].every((at) => wakes.has(at)),
      [...wakes].join(' '),
    )
    all.host.run(1)
    assert.deepEqual(told(all), ['member-suspect ghost-2'])
  })

  it('goes on as ever: who stays silent afterwards is accused, in its time', async () => {
    const all = await probing()
    told(all)
    all.host.now += 3000
    all.host.wakeLate()
    all.host.run(0)
    // The stall counts from the look at the clock on, when we were to wake; until then a fifth of the probe's second had passed.
    all.host.run(1000 - LOOK_MS - 1)
    assert.deepEqual(told(all), ['stall'])
    all.host.run(1)
    assert.deepEqual(told(all), ['member-suspect ghost-2'])
  })

  it('packets are answered at once while it lasts', async () => {
    const all = await probing()
    all.host.now += 2000
    all.host.wakeLate()
    receive(all, [PING])
    assert.deepEqual(
      sentMessages(all).map(({ message }) => message.type),
      ['ack'],
    )
    assert.ok(all.host.deferred > 0)
  })

  it('a stall longer than the probe timeout is a sign of bad health, and told; a shorter one is not', async () => {
    for (const [ms, health] of [
      [501, 1],
      [500, 0],
    ] as const) {
      const all = await running({ reapIntervalMs: 3_600_000 })
      told(all)
      all.host.now = (all.host.nextWake as number) + ms
      all.host.wakeLate()
      all.host.run(0)
      assert.equal(all.serf.health, health)
      assert.deepEqual(told(all), health === 1 ? ['stall'] : [])
    }
  })

  it('what streams wait for waits longer by the stall', async () => {
    const all = await running({ streamTimeoutMs: 600, probeIntervalMs: 3_600_000, reapIntervalMs: 3_600_000 })
    const theirs = all.host.accept()
    all.driver.command((serf) => serf.contact(PEER))
    all.driver.schedule('task', 100, () => {})
    const ours = all.host.dialled[0]
    all.host.now += 4500
    all.host.wakeLate()
    all.host.run(0)
    assert.deepEqual([theirs.isDestroyed, ours?.isDestroyed], [false, false])
    assert.equal(all.driver.stats().streamsOpen, 2)
    all.host.run(500)
    assert.deepEqual([theirs.isDestroyed, ours?.isDestroyed], [true, true])
  })

  it('what tasks wait for waits longer by the stall', async () => {
    const all = await running({ probeIntervalMs: 3_600_000, reapIntervalMs: 3_600_000 })
    const ran: string[] = []
    all.driver.schedule('due first', 100, () => ran.push('due first'))
    all.driver.schedule('limit', 5000, () => ran.push('limit'))
    all.host.now += 5600
    all.host.wakeLate()
    all.host.run(0)
    assert.deepEqual(ran, ['due first'], 'the stall was 5500 ms: the other is due when they have passed again')
    all.host.run(4899)
    assert.deepEqual(ran, ['due first'])
    all.host.run(1)
    assert.deepEqual(ran, ['due first', 'limit'])
  })

  it('ML-37: a packet keeps the judgement waiting, for as long as each turn brings one', async () => {
    const all = await probing()
    all.host.now += 2000
    all.host.wakeLate()
    for (let turns = 0; turns < 10; turns++) {
      receive(all, [PING])
      all.host.turn()
      assert.deepEqual([all.host.deferred, all.host.timers], [1, 0])
    }
    all.host.turn()
    assert.deepEqual([all.host.deferred, all.host.timers], [0, 1])
  })

  it('data of a stream keeps the judgement waiting, as a packet does', async () => {
    const all = await probing({ streamTimeoutMs: 30_000 })
    all.host.now += 2000
    const stream = all.host.accept()
    for (let turns = 0; turns < 10; turns++) {
      stream.say(Uint8Array.of(6))
      all.host.turn()
      assert.equal(all.host.deferred, 1)
      assert.equal(all.host.timers, 0)
    }
    all.host.turn()
    assert.deepEqual([all.host.deferred, all.host.timers], [0, 1])
  })

  it('a call after a stall is made at once; tasks that are due wait like all', async () => {
    const all = await running({ probeIntervalMs: 3_600_000, reapIntervalMs: 3_600_000 })
    const ran: string[] = []
    all.driver.schedule('due', 100, () => ran.push('due'))
    all.driver.schedule('gone', 100, () => ran.push('gone'))
    all.host.now += 2000
    const health = all.driver.command((serf) => serf.health)
    assert.equal(health, 1, 'the machine knows of the stall before it is called')
    all.driver.unschedule('gone')
    all.host.wakeLate()
    all.host.turn()
    assert.deepEqual(ran, [])
    all.host.turn()
    assert.deepEqual(ran, ['due'])
  })

  it('a task that is set or taken back after a stall does not hide it', async () => {
    for (const act of [
      (all: Running) => all.driver.unschedule('due'),
      (all: Running) => all.driver.schedule('due', 5000, () => {}),
    ]) {
      const all = await running({ probeIntervalMs: 3_600_000, reapIntervalMs: 3_600_000 })
      all.driver.schedule('due', 100, () => {})
      all.host.now += 2000
      act(all)
      assert.equal(all.serf.health, 1)
    }
  })

  it('a listener may call back in while it lasts, and stand still itself', async () => {
    const all: Running = await probing({
      listener: (notice, { driver, host }) => {
        if (!('member' in notice) || notice.member.name !== 'ghost-3') return
        driver.command((serf, now) => serf.setTags({ role: 'log' }, now))
        host.now += 3000
      },
    })
    told(all)
    all.host.now += 2000
    all.host.wakeLate()
    receive(all, [alive(3)])
    all.host.turn()
    assert.equal(all.host.timers, 0)
    assert.equal(all.host.deferred, 1, 'the second stall is caught up with too')
    receive(all, [{ type: 'ack', seqNo: (all as Awaited<ReturnType<typeof probing>>).seqNo, payload: null }])
    all.host.run(0)
    assert.equal(all.host.timers, 1)
    assert.deepEqual(told(all), ['stall', 'member-join ghost-3'])
    assert.equal(all.driver.stats().warnings.stall, 2)
  })

  it('close while it lasts is the end: no turn does anything', async () => {
    const all = await probing()
    all.host.now += 2000
    all.host.wakeLate()
    await all.driver.close()
    all.host.turn()
    assert.equal(all.host.deferred, 0)
    const before = all.notices.length
    all.host.run(100_000)
    assert.deepEqual([sentMessages(all), all.host.timers, all.notices.length], [[], 0, before])
  })

  it('a listener may close on the warning of it', async () => {
    const all = await probing({
      listener: (notice, { driver }) => {
        if (notice.type === 'warning') void driver.close()
      },
    })
    all.host.now += 2000
    all.host.wakeLate()
    all.host.run(100_000)
    assert.deepEqual([sentMessages(all), all.host.timers], [[], 0])
  })

  it('before the machine runs there is nothing to hold against anyone', async () => {
    const { driver, host } = closedSetup()
    await driver.open(US)
    const ran: string[] = []
    driver.schedule('first', 10, () => ran.push('first'))
    driver.schedule('second', 3000, () => ran.push('second'))
    host.now += 2000
    host.wakeLate()
    host.run(0)
    assert.deepEqual(ran, ['first'])
    host.run(1000 + 1990)
    assert.deepEqual(ran, ['first', 'second'])
  })

  it('a deadline set for a time that is past is no stall', async () => {
    const all = await running({ reapIntervalMs: 3_600_000 })
    const accuse = (from: number): void =>
      receive(all, [{ type: 'suspect', node: 'ghost-2', incarnation: 1, from: `ghost-${from}` }])
    receive(
      all,
      [2, 3, 4, 5, 6, 7].map((number) => alive(number)),
    )
    accuse(3)
    const until = all.host.now + 12_000
    while (all.host.now < until) {
      all.host.run(100)
      for (const { message } of sentMessages(all)) {
        if (message.type === 'ping') receive(all, [{ type: 'ack', seqNo: message.seqNo, payload: null }])
      }
    }
    told(all)
    // With three accusers it lasts 4 s of the 24: it should have ended long ago.
    accuse(4)
    accuse(5)
    assert.ok((all.host.nextWake as number) < all.host.now - 1000)
    all.host.wakeLate()
    assert.deepEqual(told(all), ['member-dead ghost-2'])
    assert.equal(all.serf.health, 0)
  })
})
