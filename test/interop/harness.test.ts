// The harness's own judgement, fed with lies: what it must notice in logs and histories. Needs no `serf`.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { Random } from '../../src/base/random.ts'
import { DETECTION_PLAYS, delayOf, ratioOfMedians } from './support/detection.ts'
import {
  type AllowList,
  happeningOf,
  isTrouble,
  type LogLine,
  missesTheKilled,
  normalise,
  parseLogLine,
  readAllowList,
  unexcused,
} from './support/logs.ts'
import { MIXED_PLAYS } from './support/mixed-plays.ts'
import { type Happening, type Peer, until } from './support/peer.ts'
import { canBind, holdPort } from './support/ports.ts'
import { SCENARIOS } from './support/scenarios.ts'
import { SerfAgent } from './support/serf-agent.ts'
import { Stage } from './support/stage.ts'
import { detectionBoundMs } from './support/timing.ts'
import { strange } from './support/trouble.ts'

const STAMP = '    2026/01/02 03:04:05'

function read(raw: string): LogLine {
  const line = parseLogLine(raw, 7)
  assert.ok(line)
  return line
}

describe('logs', () => {
  test('a line has its level and its text', () => {
    assert.deepEqual(read(`${STAMP} [WARN] memberlist: Refuting a suspect message (from: a)`), {
      at: 7,
      level: 'WARN',
      text: 'memberlist: Refuting a suspect message (from: a)',
    })
  })

  test('a crash, which has no level, is trouble; a banner is not', () => {
    assert.equal(isTrouble(read('panic: runtime error: index out of range [3] with length 2')), true)
    assert.equal(isTrouble(read('goroutine 41 [running]:')), true)
    assert.equal(isTrouble(read('==> Log data will now stream in as it occurs:')), false)
    assert.equal(isTrouble(read('    Message Compression Enabled: true')), false)
    assert.equal(parseLogLine('', 7), undefined)
  })

  test('trouble explains a denied accusation and a stream that timed out, but no packet that is not understood', () => {
    const lines = [
      '[INFO] serf: EventMemberFailed: go-1 10.77.0.1',
      '[WARN] memberlist: Refuting a suspect message (from: go-1)',
      '[ERR] memberlist: Failed fallback ping: read tcp 10.77.0.1:9->10.77.0.2:7946: i/o timeout',
      '[ERR] memberlist: Failed to decode user message: EOF from somewhere',
      '[WARN] memberlist: Got ping for unexpected node go-1 from=10.77.0.1:7946',
      '[WARN] memberlist: Refuting an alive message for go-1',
    ].map((text) => read(`${STAMP} ${text}`))
    assert.deepEqual(strange([...lines, read('panic: at once')], ['go-1']), [
      '[ERR] memberlist: Failed to decode user message: EOF from somewhere',
      '[WARN] memberlist: Got ping for unexpected node <name> from=<addr>',
      '[WARN] memberlist: Refuting an alive message for <name>',
      '[BARE] panic: at once',
    ])
  })

  test('membership events are read with their member', () => {
    const told = (text: string) => happeningOf(read(`${STAMP} [INFO] ${text}`))
    assert.deepEqual(told('serf: EventMemberFailed: a.b 127.0.0.1'), { at: 7, type: 'dead', name: 'a.b' })
    assert.deepEqual(told('serf: EventMemberLeave (forced): a 127.0.0.1'), { at: 7, type: 'left', name: 'a' })
    assert.deepEqual(told('serf: EventMemberUpdate: a'), { at: 7, type: 'update', name: 'a' })
    assert.deepEqual(told('memberlist: Suspect a has failed, no acks received'), { at: 7, type: 'suspect', name: 'a' })
    assert.equal(told('agent: Received event: member-failed'), undefined)
  })

  test('names, addresses and durations do not distinguish lines', () => {
    const names = ['go-1', 'go-1.first']
    const one = read(
      `${STAMP} [ERR] memberlist: Push/Pull with go-1 failed: dial tcp 127.0.0.1:1->[::1]:22: after 1m3.5s`,
    )
    assert.equal(
      normalise(one, names),
      '[ERR] memberlist: Push/Pull with <name> failed: dial tcp <addr>-><addr>: after <duration>',
    )
    const other = read(`${STAMP} [WARN] memberlist: from go-1.first and not from go-12`)
    assert.equal(normalise(other, names), '[WARN] memberlist: from <name> and not from go-12')
  })

  test('the counts of a vote do not distinguish lines', () => {
    const lost = read(`${STAMP} [WARN] serf: minority in name conflict resolution, quitting [0 / 9]`)
    assert.equal(normalise(lost, []), '[WARN] serf: minority in name conflict resolution, quitting [<count> / <count>]')
  })

  test('the bytes of tags do not distinguish lines', () => {
    const refuted = read(
      `${STAMP} [WARN] memberlist: Refuting an alive message for 'go-1' (127.0.0.1:1) meta:([255 129] VS []), vsn:([1 5 2] VS [1 5 2])`,
    )
    assert.equal(
      normalise(refuted, ['go-1']),
      "[WARN] memberlist: Refuting an alive message for '<name>' (<addr>) meta:(<bytes> VS []), vsn:(<bytes> VS <bytes>)",
    )
  })

  test('a warning is excused only in the scenario in which pure Go printed it', () => {
    const line = '[WARN] memberlist: Refuting a suspect message (from: <name>)'
    const list: AllowList = {
      agent: '',
      runs: { calm: 1 },
      spoilt: {},
      allowed: [{ scenario: 'calm', line, seenInRuns: 1, seenLines: 1 }],
    }
    const lines = [
      read(`${STAMP} [WARN] memberlist: Refuting a suspect message (from: go-1)`),
      read(`${STAMP} [ERR] memberlist: Failed to decode packet`),
      read(`${STAMP} [INFO] memberlist: harmless`),
    ]
    assert.deepEqual(unexcused(lines, ['go-1'], 'calm', list), ['[ERR] memberlist: Failed to decode packet'])
    assert.equal(unexcused(lines, ['go-1'], 'wild', list).length, 2)
  })

  test('an exchange with a killed member may fail, one with another may not, nor for another reason', () => {
    const killed = new Set(['go-1'])
    const line = (name: string, why: string): LogLine =>
      read(`${STAMP} [ERR] memberlist: Push/Pull with ${name} failed: dial tcp 127.0.0.1:4001: ${why}`)
    assert.equal(missesTheKilled(line('go-1', 'connect: connection refused'), killed), true)
    assert.equal(missesTheKilled(line('go-2', 'connect: connection refused'), killed), false)
    assert.equal(missesTheKilled(line('go-1', 'i/o timeout'), killed), false)
  })

  test('a ping over TCP to a killed member may be reset, one to another may not, nor go unanswered', () => {
    const killed = new Set(['127.0.0.1:4001'])
    const line = (port: number, why: string): LogLine =>
      read(`${STAMP} [ERR] memberlist: Failed fallback TCP ping: read tcp 127.0.0.1:9->127.0.0.1:${port}: ${why}`)
    assert.equal(missesTheKilled(line(4001, 'read: connection reset by peer'), killed), true)
    assert.equal(missesTheKilled(line(4002, 'read: connection reset by peer'), killed), false)
    assert.equal(missesTheKilled(line(4001, 'i/o timeout'), killed), false)
  })

  test('every scenario that is judged by the allow-list was recorded with Go alone', () => {
    const { runs, allowed } = readAllowList()
    const ids = [...SCENARIOS, ...MIXED_PLAYS, ...DETECTION_PLAYS].map(({ id }) => id)
    assert.deepEqual(Object.keys(runs).sort(), ids.sort())
    assert.deepEqual(
      allowed.filter(({ scenario, seenInRuns }) => !(seenInRuns <= (runs[scenario] ?? 0))),
      [],
    )
  })
})

describe('stage', () => {
  function faultsOf(
    history: readonly Partial<Happening>[],
    killed: readonly string[] = [],
    failure?: string,
  ): string[] {
    const stage = new Stage(
      async () => {},
      () => {},
    )
    for (const name of killed) stage.killed.add(name)
    stage.peers.push({ kind: 'go', name: 'witness', history, failure } as unknown as Peer)
    return stage.faults()
  }

  test('the death of a member that nobody killed is a fault, also when it is alive again', () => {
    const history = [
      { type: 'join', name: 'a' },
      { type: 'dead', name: 'a' },
      { type: 'join', name: 'a' },
    ] as const
    assert.deepEqual(faultsOf(history), ['witness called a dead, which nobody killed'])
    assert.deepEqual(faultsOf(history, ['a']), [])
  })

  test('events of one member that do not alternate are faults', () => {
    assert.equal(faultsOf([{ type: 'left', name: 'a' }]).length, 1)
    assert.equal(faultsOf([{ type: 'update', name: 'a' }]).length, 1)
    const twice = [
      { type: 'join', name: 'a' },
      { type: 'join', name: 'a' },
    ] as const
    assert.equal(faultsOf(twice).length, 1)
    const goodbyes = [
      { type: 'join', name: 'a' },
      { type: 'left', name: 'a' },
      { type: 'left', name: 'a' },
    ] as const
    assert.equal(faultsOf(goodbyes).length, 1)
  })

  test('of three agents one whose log shows the goodbye before the intent is excused; an intent it heard, a second one or no correction is not', () => {
    const failed = `${STAMP} [INFO] serf: EventMemberFailed: a 127.0.0.1`
    const intent = `${STAMP} [DEBUG] serf: messageLeaveType: a`
    const denied = `${STAMP} [DEBUG] serf: messageJoinType: a`
    const corrected = ['join', 'dead', 'left'] as const
    const agent = (name: string, log: readonly string[], types: readonly Happening['type'][]): SerfAgent =>
      Object.create(SerfAgent.prototype, {
        name: { value: name },
        failure: { value: undefined },
        log: { value: log.map(read) },
        history: { value: types.map((type, at) => ({ at, type, name: 'a' })) },
      }) as SerfAgent
    const faults = (...agents: SerfAgent[]): number => {
      const stage = new Stage(
        (_, part) => part(),
        () => {},
      )
      stage.peers.push(...agents)
      return stage.faults().length
    }
    assert.equal(faults(agent('go-1', [failed, intent], corrected)), 0)
    assert.equal(faults(agent('go-1', [failed], corrected)), 0)
    assert.equal(faults(agent('go-1', [intent, denied, failed, intent], corrected)), 0)
    assert.ok(faults(agent('go-1', [intent, failed], corrected)) > 0, 'it had heard the intent')
    assert.ok(faults(agent('go-1', [failed, intent], ['join', 'dead'])) > 0, 'it stayed failed')
    assert.ok(faults(agent('go-1', [failed], corrected), agent('go-2', [failed], corrected)) > 0, 'two of them')
    const again = ['join', 'dead', 'left', 'join', 'left'] as const
    assert.equal(faults(agent('go-1', [failed, intent, denied, intent], again)), 0)
    const calm = (name: string): SerfAgent => agent(name, [intent], ['join', 'left'])
    const two = [agent('go-1', [failed], corrected), agent('go-2', [failed], corrected)]
    assert.ok(faults(...two, calm('go-3')) > 0, 'two of three')
    assert.equal(faults(...two, calm('go-3'), calm('go-4')), 0)
  })

  test('left after dead is no fault where it was forced', () => {
    const history = ['join', 'dead', 'left'].map((type) => ({ type, name: 'a' }) as Happening)
    const stage = new Stage(
      async () => {},
      () => {},
    )
    stage.killed.add('a')
    stage.peers.push({ kind: 'go', name: 'witness', history } as unknown as Peer)
    assert.equal(stage.faults().length, 1)
    stage.verdicts.set('a', 'left')
    assert.deepEqual(stage.faults(), [])
  })

  test('a process that ended by itself is a fault', () => {
    assert.deepEqual(faultsOf([], [], 'it ended by itself'), ['it ended by itself'])
  })
})

describe('waiting', () => {
  test('a condition that never holds ends with what was missing', async () => {
    await assert.rejects(
      until('rain', 0, () => 'clouds'),
      /not within 0 ms: rain\. Missing: clouds/,
    )
  })

  test('a condition that throws is asked again', async () => {
    let asked = 0
    await until('it settles', 5_000, () => {
      if (++asked === 1) throw new Error('not yet')
      return undefined
    })
    assert.equal(asked, 2)
  })

  test('six members of the LAN profile know of a death within 38 s, of the local one within 32 s', () => {
    assert.equal(detectionBoundMs('lan', 6), 38_000)
    assert.equal(detectionBoundMs('local', 6), 32_000)
  })

  test('ten members know within 46 s, and within 40 s', () => {
    assert.equal(detectionBoundMs('lan', 10), 46_000)
    assert.equal(detectionBoundMs('local', 10), 40_000)
  })
})

describe('figures', () => {
  const spread = (middle: number): number[] => Array.from({ length: 32 }, (_, index) => middle + (index - 15.5) * 30)

  test('a kill counts with the median of its witnesses', () => {
    const delays = [5_000, 9_000, 6_000, 5_500].map((ms) => ({ witness: 'node', ms }) as const)
    assert.equal(delayOf({ victim: 'agent', delays }), 5_750)
  })

  test('of two clusters that are alike the ratio is 1, and its range holds 1', () => {
    const { ratio, least, most } = ratioOfMedians(spread(6_000), spread(6_000), 0.998, dice())
    assert.equal(ratio, 1)
    assert.ok(least > 0.9 && least <= 1 && most >= 1 && most < 1.1, `${least} to ${most}`)
  })

  test('a cluster that is a third slower is above the limit beyond doubt, one that is a twentieth slower is not', () => {
    assert.ok(ratioOfMedians(spread(8_000), spread(6_000), 0.998, dice()).least > 1.1)
    assert.ok(ratioOfMedians(spread(6_300), spread(6_000), 0.998, dice()).least <= 1.1)
  })

  /** The same throws every time. */
  function dice(): () => number {
    const random = new Random(1)
    return () => random.fraction()
  }
})

describe('ports', () => {
  test('a held port is taken, and free after its release', async () => {
    const held = await holdPort('127.0.0.1')
    const others = await Promise.all(Array.from({ length: 20 }, () => holdPort('127.0.0.1')))
    assert.equal(new Set([held, ...others].map(({ port }) => port)).size, 21)
    await Promise.all([held, ...others].map((one) => one.release()))
    assert.equal(await canBind('127.0.0.1'), true)
  })

  test('another process is given none of ours, and a port comes again as late as it can', async () => {
    const ours: number[] = []
    for (let at = 0; at < 40; at++) {
      const held = await holdPort('127.0.0.1')
      ours.push(held.port)
      await held.release()
    }
    assert.equal(new Set(ours).size, ours.length)
    const program = `import { holdPort } from ${JSON.stringify(new URL('./support/ports.ts', import.meta.url).href)}
      for (let at = 0; at < 40; at++) { const held = await holdPort('127.0.0.1'); console.log(held.port); await held.release() }`
    const call = ['--import', 'tsx', '--input-type=module', '-e', program]
    const { stdout } = await promisify(execFile)(process.execPath, call)
    const theirs = stdout.trim().split('\n').map(Number)
    assert.equal(theirs.length, 40)
    const [low, high] = [Math.min(...ours), Math.max(...ours)]
    assert.ok(Math.min(...theirs) > high || Math.max(...theirs) < low, `${low} to ${high}, and ${theirs.join()}`)
  })

  test('an address that is not ours cannot be bound', async () => {
    assert.equal(await canBind('192.0.2.1'), false)
  })
})
