// Which claim beats which, and what follows: SWIM §4.2, serf-behaviour §4.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { NO_BYTES } from '../../../src/base/bytes.ts'
import { INCARNATION_CEILING, MAX_INCARNATION } from '../../../src/swim/admission.ts'
import { decodePacketMessage, encodeSwimMessage } from '../../../src/wire/swim-messages.ts'
import type { Alive, PacketMessage } from '../../../src/wire/types.ts'
import { WireState } from '../../../src/wire/types.ts'
import { alive, at, Bench, dead, left, metaOf, pushPull, row, suspect, VERSIONS } from './support.ts'

const CEILING = INCARNATION_CEILING

/** m1, or another that is named, which knows m2 to m5 at incarnation 1. */
function bench(setup: ConstructorParameters<typeof Bench>[0] = {}): Bench {
  const made = new Bench(setup)
  made.know(5)
  return made
}

function claimAbout(type: 'alive' | 'suspect' | 'dead', node: string, incarnation: number): PacketMessage {
  return type === 'alive'
    ? alive(node, incarnation)
    : type === 'suspect'
      ? suspect(node, incarnation)
      : dead(node, incarnation)
}

/** The bytes of IPv4 as Go's `net.IP` often holds them. */
function mapped(ip: Uint8Array): Uint8Array {
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...ip)
}

describe('SWIM §4.2: order of claims about another', () => {
  const statuses = ['alive', 'suspect', 'dead', 'left'] as const
  const claims = { alive: alive('m2', 0), suspect: suspect('m2', 0), dead: dead('m2', 0), left: left('m2', 0) }

  /** What m2 is after `claim` at 5 + `step`, when it was `status` at 5. */
  function after(status: (typeof statuses)[number], claim: keyof typeof claims, step: number): string | undefined {
    const made = bench()
    made.receive(alive('m2', 5))
    if (status !== 'alive') made.receive({ ...claims[status], incarnation: 5 })
    assert.equal(made.status('m2'), status)
    made.receive({ ...claims[claim], incarnation: 5 + step })
    return made.status('m2')
  }

  const table = {
    alive: { alive: ['alive', 'alive', 'alive'], suspect: ['alive', 'suspect', 'suspect'] },
    suspect: { alive: ['suspect', 'suspect', 'alive'], suspect: ['suspect', 'suspect', 'suspect'] },
    dead: { alive: ['dead', 'dead', 'alive'], suspect: ['dead', 'dead', 'dead'] },
    left: { alive: ['left', 'left', 'alive'], suspect: ['left', 'left', 'left'] },
  }
  for (const status of statuses) {
    it(`ML-03: an alive claim about a member that is ${status} needs a higher incarnation, a suspicion an equal one`, () => {
      for (const claim of ['alive', 'suspect'] as const) {
        assert.deepEqual(
          [-1, 0, 1].map((step) => after(status, claim, step)),
          table[status][claim],
          claim,
        )
      }
    })
    it(`ML-03: a verdict and a goodbye about a member that is ${status} need an equal incarnation`, () => {
      const isPresent = status === 'alive' || status === 'suspect'
      const verdict = isPresent ? 'dead' : status
      assert.deepEqual(
        [-1, 0, 1].map((step) => after(status, 'dead', step)),
        [status, verdict, verdict],
      )
      assert.deepEqual(
        [-1, 0, 1].map((step) => after(status, 'left', step)),
        [status, 'left', 'left'],
      )
    })
  }

  it('ML-02: an accusation below the known incarnation makes no traffic and tells nothing', () => {
    const made = bench()
    made.receive(alive('m2', 5))
    made.hush()
    made.receive(suspect('m2', 4), dead('m2', 4), left('m2', 4))
    assert.equal(made.incarnation('m2'), 5)
    assert.equal(made.swim.queued, 0)
    assert.deepEqual(made.effects(), [])
    assert.deepEqual(made.delegate.take(), [])
  })

  it('ML-10: an accusation of an unknown name adds nothing', () => {
    const made = bench()
    made.receive(suspect('m7', 3), dead('m7', 3), left('m7', 3))
    assert.equal(made.swim.member('m7'), undefined)
    assert.equal(made.swim.size, 5)
    assert.equal(made.swim.queued, 0)
  })

  it('ML-11: a verdict from the member itself is a goodbye, from anyone else a death', () => {
    const made = bench()
    made.receive(dead('m2', 1, 'm2'), dead('m3', 1, 'm2'))
    assert.equal(made.status('m2'), 'left')
    assert.equal(made.status('m3'), 'dead')
    assert.deepEqual(made.delegate.take(), ['gone m2 left', 'gone m3 dead'])
  })

  it('a goodbye turns a death into a departure, is told as such, and goes on', () => {
    const made = bench()
    made.receive(dead('m2', 1))
    made.hush()
    made.receive(left('m2', 1))
    assert.equal(made.status('m2'), 'left')
    assert.deepEqual(made.delegate.take(), ['left after all m2'])
    assert.deepEqual(made.spread(), [left('m2', 1)])
    made.hush()
    made.receive(left('m2', 1), dead('m2', 1))
    assert.deepEqual([made.status('m2'), made.swim.queued, made.delegate.take()], ['left', 0, []])
  })

  it('ML-17: a death repeated at 10 makes an alive claim at 2 ineffective', () => {
    const made = bench()
    made.receive(dead('m2', 1))
    made.receive(dead('m2', 10))
    made.receive(alive('m2', 2))
    assert.equal(made.status('m2'), 'dead')
    made.receive(alive('m2', 11))
    assert.equal(made.status('m2'), 'alive')
  })

  it('a suspicion at a higher incarnation raises that of a member that is suspect, dead or left', () => {
    for (const first of [suspect('m2', 1), dead('m2', 1), left('m2', 1)]) {
      const made = bench()
      made.receive(first, suspect('m2', 8))
      assert.equal(made.incarnation('m2'), 8)
      made.receive(alive('m2', 8))
      assert.notEqual(made.status('m2'), 'alive')
      made.receive(alive('m2', 9))
      assert.equal(made.status('m2'), 'alive')
    }
  })

  it('ML-15: an accepted claim is queued once, in the bytes received; a dropped one never', () => {
    const fresh = [alive('m6', 1), alive('m2', 2), suspect('m3', 1), dead('m4', 1), left('m5', 1)]
    for (const claim of fresh) {
      const made = bench()
      made.receive(claim)
      assert.equal(made.swim.queued, 1, claim.type)
      assert.deepEqual(made.spread(), [claim])
      made.hush()
      made.receive(claim)
      assert.equal(made.swim.queued, 0, `${claim.type} again`)
    }
  })

  it('a claim with more bytes than a packet holds is gossiped in our own words', () => {
    const made = bench()
    made.swim.receivePacket([{ message: suspect('m2', 1), bytes: new Uint8Array(1400) }], at(9), 0)
    assert.deepEqual(made.spread(), [suspect('m2', 1)])
  })

  it('a claim about one member replaces what is queued of it, and of no other', () => {
    const made = bench()
    made.receive(suspect('m2', 1), suspect('m3', 1))
    made.receive(alive('m2', 2))
    assert.deepEqual(new Set(made.spread()), new Set([alive('m2', 2), suspect('m3', 1)]))
  })
})

describe('serf-behaviour §4.1: alive claims', () => {
  it('an unknown member is learned with all that is said of it', () => {
    const made = new Bench()
    made.receive(alive('m2', 7, { meta: metaOf('role=log'), vsn: Uint8Array.of(1, 4, 2, 2, 5, 4) }))
    const member = made.swim.member('m2')
    assert.ok(member)
    assert.deepEqual(
      [member.status, member.incarnation, member.address.key, member.meta, member.vsn],
      ['alive', 7, '10.0.0.2:7946', metaOf('role=log'), Uint8Array.of(1, 4, 2, 2, 5, 4)],
    )
    assert.deepEqual(made.delegate.take(), ['joined m2'])
  })

  it('ML-14: a claim whose protocol versions are zero or upside down is dropped', () => {
    for (const vsn of [
      [0, 5, 2, 2, 5, 5],
      [1, 0, 2, 2, 5, 5],
      [3, 2, 2, 2, 5, 5],
      [0, 5, 2],
    ]) {
      const made = bench()
      made.receive(alive('m6', 1, { vsn: Uint8Array.from(vsn) }), alive('m2', 9, { vsn: Uint8Array.from(vsn) }))
      assert.equal(made.swim.member('m6'), undefined)
      assert.equal(made.incarnation('m2'), 1)
      assert.deepEqual(made.delegate.codes(), ['claim-invalid', 'claim-invalid'])
      assert.equal(made.swim.queued, 0)
    }
  })

  it('a claim with fewer than six versions is taken, and leaves the known ones', () => {
    const made = bench()
    made.receive(alive('m2', 2, { vsn: NO_BYTES }), alive('m6', 1, { vsn: NO_BYTES }))
    assert.deepEqual(made.swim.member('m2')?.vsn, VERSIONS)
    assert.deepEqual(made.swim.member('m6')?.vsn, new Uint8Array(6))
    assert.deepEqual(made.delegate.take(), ['joined m6'])
  })

  it('incarnation 0, no name, an address of odd length and 513 bytes of metadata are refused, 512 are not', () => {
    const made = bench()
    const bad: Alive[] = [
      alive('m6', 0),
      alive('m6', 1, { node: '' }),
      alive('m6', 1, { addr: new Uint8Array(5) }),
      alive('m6', 1, { meta: new Uint8Array(513) }),
    ]
    for (const message of bad) made.swim.receivePacket([{ message, bytes: NO_BYTES }], at(9), 0)
    assert.equal(made.swim.size, 5)
    assert.deepEqual(made.delegate.codes(), new Array(bad.length).fill('claim-invalid'))
    made.receive(alive('m6', 1, { meta: new Uint8Array(512) }))
    assert.equal(made.status('m6'), 'alive')
  })

  it('a member whose claim no packet could hold is refused', () => {
    const made = bench()
    const node = 'n'.repeat(1400)
    made.receive({ ...alive('m6', 1), node })
    assert.equal(made.swim.member(node), undefined)
    assert.deepEqual(made.delegate.codes(), ['claim-invalid'])
  })

  it('a name of 513 characters is refused, by packet and by exchange, one of 512 is not', () => {
    const [longest, longer] = ['n'.repeat(512), 'n'.repeat(513)]
    const made = bench()
    made.receive({ ...alive('m6', 1), node: longer })
    made.swim.receiveRequest(1, pushPull([{ ...row('m6', WireState.alive, 1), name: longer }]), at(9), 0)
    assert.deepEqual([made.swim.member(longer), made.swim.size, made.swim.queued], [undefined, 5, 0])
    assert.deepEqual(made.delegate.codes(), ['claim-invalid', 'claim-invalid'])
    made.receive({ ...alive('m6', 1), node: longest })
    assert.equal(made.status(longest), 'alive')
    assert.deepEqual(made.spread(), [{ ...alive('m6', 1), node: longest }])
  })

  it('port 0 stands for our own port, and conflicts with nothing', () => {
    const made = bench()
    made.receive(alive('m6', 1, { port: 0 }), alive('m2', 2, { port: 0 }))
    assert.equal(made.swim.member('m6')?.address.key, '10.0.0.6:7946')
    assert.equal(made.incarnation('m2'), 2)
    assert.deepEqual(made.delegate.take(), ['joined m6'])
  })

  it('IPv4 in 4 and in 16 bytes is one address: no conflict in either direction, the bytes received are kept', () => {
    const made = bench()
    made.receive(alive('m2', 2, { addr: mapped(at(2).ip) }))
    assert.deepEqual(made.swim.member('m2')?.address.ip, mapped(at(2).ip))
    made.receive(alive('m2', 3))
    assert.deepEqual(made.swim.member('m2')?.address.ip, at(2).ip)
    assert.equal(made.swim.member('m2')?.address.key, '10.0.0.2:7946')
    assert.deepEqual(made.delegate.take(), ['updated m2', 'updated m2'])
  })

  it('our own claim with our address in 16 bytes is no conflict, and nothing to refute', () => {
    const made = bench()
    made.receive(alive('m1', 1, { addr: mapped(at(1).ip) }))
    assert.deepEqual([made.incarnation('m1'), made.swim.queued, made.delegate.take()], [1, 0, []])
  })

  it('new metadata at a higher incarnation is an update, the same metadata is none', () => {
    const made = bench()
    made.receive(alive('m2', 2, { meta: metaOf('a') }), alive('m2', 3, { meta: metaOf('a') }))
    assert.deepEqual(made.delegate.take(), ['updated m2'])
    assert.deepEqual(made.swim.member('m2')?.meta, metaOf('a'))
  })

  it('what is kept of a claim does not change when the packet does', () => {
    const made = bench()
    const packet = encodeSwimMessage(alive('m6', 1, { meta: metaOf('abc') })).slice()
    made.swim.receivePacket([{ message: decodePacketMessage(packet), bytes: packet }], at(9), 0)
    packet.fill(0xff)
    const member = made.swim.member('m6')
    assert.deepEqual([member?.meta, member?.address.ip, member?.vsn], [metaOf('abc'), at(6).ip, VERSIONS])
  })

  it('an exchange that calls us dead teaches the form of our address: the denial carries it', () => {
    for (const state of [WireState.suspect, WireState.dead, WireState.left]) {
      const made = bench()
      made.swim.receiveRequest(1, pushPull([row('m1', state, 4, { addr: mapped(at(1).ip) })]), at(2), 0)
      const [denial] = made.spread()
      assert.ok(denial?.type === 'alive')
      assert.deepEqual([denial.incarnation, denial.addr], [5, mapped(at(1).ip)])
    }
    const made = bench()
    made.swim.receiveRequest(1, pushPull([row('m1', WireState.dead, 0, { addr: mapped(at(1).ip) })]), at(2), 0)
    made.swim.receiveRequest(2, pushPull([row('m1', WireState.dead, 4, { addr: at(77).ip })]), at(2), 0)
    const [denial] = made.spread()
    assert.ok(denial?.type === 'alive')
    assert.deepEqual(denial.addr, at(1).ip, 'an old row and another endpoint teach nothing')
  })

  it('a suspect that refutes is recovered, and told so before its new metadata is', () => {
    const made = bench()
    made.receive(suspect('m2', 1))
    made.receive(alive('m2', 2, { meta: metaOf('b') }))
    assert.deepEqual(made.delegate.take(), ['suspected m2', 'recovered m2', 'updated m2'])
  })

  it('a member is remembered as of the last change of its status, not of its incarnation', () => {
    const made = bench()
    made.now = 50
    made.receive(suspect('m2', 1))
    assert.equal(made.swim.member('m2')?.changedAt, 50)
    made.now = 60
    made.receive(suspect('m2', 3))
    assert.equal(made.swim.member('m2')?.changedAt, 50)
    made.receive(alive('m2', 4))
    assert.equal(made.swim.member('m2')?.changedAt, 60)
    made.now = 70
    made.receive(alive('m2', 5))
    assert.equal(made.swim.member('m2')?.changedAt, 60)
  })
})

describe('serf-behaviour §4.1: names and addresses', () => {
  const elsewhere = (incarnation: number): Alive => alive('m2', incarnation, { addr: at(77).ip })

  it('ML-06: a live or suspect member claimed from another address is a conflict, and stays as it was', () => {
    for (const status of ['alive', 'suspect']) {
      const made = bench()
      if (status === 'suspect') made.receive(suspect('m2', 1))
      made.hush()
      made.receive(elsewhere(50), alive('m2', 50, { port: 1 }))
      assert.deepEqual(made.delegate.take(), ['conflict m2 10.0.0.77:7946', 'conflict m2 10.0.0.2:1'])
      assert.deepEqual([made.status('m2'), made.incarnation('m2'), made.swim.queued], [status, 1, 0])
      assert.equal(made.swim.member('m2')?.address.key, '10.0.0.2:7946')
    }
  })

  it('ML-06: our own name claimed from another address is a conflict, never refuted', () => {
    const made = bench()
    made.receive(alive('m1', 50, { addr: at(77).ip }))
    assert.deepEqual(made.delegate.take(), ['conflict m1 10.0.0.77:7946'])
    assert.deepEqual([made.incarnation('m1'), made.swim.queued, made.swim.health], [1, 0, 0])
  })

  it('ML-07: the name of a member that left is taken over from a new address, even at a lower incarnation', () => {
    const made = bench()
    made.receive(alive('m2', 9), left('m2', 9))
    made.hush()
    made.receive(elsewhere(1))
    const member = made.swim.member('m2')
    assert.deepEqual([member?.status, member?.incarnation, member?.address.key], ['alive', 1, '10.0.0.77:7946'])
    assert.deepEqual(made.delegate.take(), ['joined m2'])
    assert.deepEqual(made.spread(), [elsewhere(1)])
  })

  it('ML-07: the name of a dead member stays with its address while reclaiming is off', () => {
    const made = bench({ reclaimAfterMs: 0 })
    made.receive(dead('m2', 1))
    made.hush()
    made.now = 20_000
    made.receive(elsewhere(50))
    assert.deepEqual(made.delegate.take(), ['conflict m2 10.0.0.77:7946'])
    assert.equal(made.status('m2'), 'dead')
  })

  it('a goodbye after the death frees the name at once', () => {
    const made = bench()
    made.receive(dead('m2', 1), left('m2', 1), elsewhere(1))
    assert.equal(made.swim.member('m2')?.address.key, '10.0.0.77:7946')
  })

  it('ML-08: a dead member is reclaimed after reclaimAfterMs, not before', () => {
    const made = bench({ reclaimAfterMs: 5000 })
    made.now = 1000
    made.receive(dead('m2', 1))
    made.hush()
    made.now = 6000
    made.receive(elsewhere(50))
    assert.deepEqual(made.delegate.take(), ['conflict m2 10.0.0.77:7946'])
    made.now = 6000.5
    made.receive(elsewhere(1))
    assert.deepEqual(made.delegate.take(), ['joined m2'])
  })
})

describe('our name at another address', () => {
  const elsewhere = { addr: at(77).ip }

  it('whoever holds it there refuses us: told with the holder, its state, and who says so', () => {
    for (const [state, word] of [
      [WireState.alive, 'alive'],
      [WireState.suspect, 'suspect'],
      [WireState.dead, 'dead'],
    ] as const) {
      const made = bench()
      made.swim.receiveRequest(1, pushPull([row('m1', state, 3, elsewhere)]), at(2, 50_000), 0)
      assert.deepEqual(made.delegate.take(), ['conflict m1 10.0.0.77:7946'], word)
      assert.deepEqual(made.delegate.codes(), ['name-refused'])
      const { message = '' } = made.delegate.warnings[0] ?? {}
      assert.match(message, new RegExp(`^m1, .*10\\.0\\.0\\.77:7946, which is ${word}, by 10\\.0\\.0\\.2:50000`))
    }
  })

  it('so does the member that we asked, and one that passes on the claim of the other', () => {
    const made = bench()
    made.swim.pushPull(at(77), true)
    const [request] = made.effects()
    assert.ok(request?.kind === 'request')
    made.swim.receiveReply(request.id, pushPull([row('m1', WireState.alive, 3, elsewhere)]), 0)
    assert.deepEqual(made.delegate.codes(), ['name-refused'], 'the holder itself, asked by us')
    made.receiveFrom(at(3), alive('m1', 3, elsewhere))
    assert.deepEqual(made.delegate.codes(), ['name-refused', 'name-refused'])
  })

  it('the rival in person is a conflict and no refusal', () => {
    const made = bench()
    made.swim.receiveRequest(1, pushPull([row('m1', WireState.alive, 3, elsewhere)]), at(77, 50_000), 0)
    made.receiveFrom(at(77), alive('m1', 3, elsewhere))
    assert.deepEqual(made.delegate.take(), ['conflict m1 10.0.0.77:7946', 'conflict m1 10.0.0.77:7946'])
    assert.deepEqual(made.delegate.codes(), [])
  })

  it('a row without a port is our own port: no conflict, and nobody refuses us', () => {
    for (const state of [WireState.alive, WireState.suspect, WireState.dead, WireState.left]) {
      const made = bench()
      made.swim.receiveRequest(1, pushPull([row('m1', state, 1, { port: 0 })]), at(2), 0)
      assert.deepEqual([made.delegate.take(), made.delegate.codes()], [[], []], `state ${state}`)
    }
  })

  it('one that left there holds nothing, an old word of our own address neither, and once we leave we do not care', () => {
    const made = bench()
    made.receive(suspect('m1', 5))
    made.swim.receiveRequest(1, pushPull([row('m1', WireState.left, 9, elsewhere)]), at(2), 0)
    made.swim.receiveRequest(2, pushPull([row('m1', WireState.dead, 1)]), at(2), 0)
    made.swim.leave(0, 1)
    made.delegate.take()
    made.swim.receiveRequest(3, pushPull([row('m1', WireState.dead, 9, elsewhere)]), at(2), 0)
    assert.deepEqual([made.delegate.take(), made.delegate.codes()], [[], []])
  })

  it('a stale row of it is a refusal still: our denial is above it, and not heard', () => {
    const made = bench()
    made.receive(suspect('m1', 5))
    made.swim.receiveRequest(1, pushPull([row('m1', WireState.dead, 1, elsewhere)]), at(2), 0)
    assert.deepEqual([made.delegate.codes(), made.incarnation('m1')], [['name-refused'], 6])
  })

  it('of another name both addresses are told, and nobody is warned', () => {
    const made = bench()
    made.swim.receiveRequest(1, pushPull([row('m2', WireState.alive, 3, elsewhere)]), at(3), 0)
    assert.deepEqual([made.delegate.take(), made.delegate.codes()], [['conflict m2 10.0.0.77:7946'], []])
  })
})

describe('serf-behaviour §4.5: refutation', () => {
  it('ML-01: whatever is said of us is denied with a higher incarnation, and costs one point of health', () => {
    const accusations: PacketMessage[] = [
      suspect('m1', 1),
      suspect('m1', 40),
      dead('m1', 1),
      dead('m1', 40),
      left('m1', 40),
      alive('m1', 40),
    ]
    for (const accusation of accusations) {
      const made = bench()
      made.receive(accusation)
      const { incarnation: accused } = accusation as Alive
      assert.equal(made.incarnation('m1'), accused + 1)
      assert.deepEqual(made.spread(), [alive('m1', accused + 1)])
      assert.equal(made.swim.health, 1)
      assert.equal(made.status('m1'), 'alive')
      assert.deepEqual(made.delegate.take(), [])
    }
  })

  it('ML-16: an alive claim about us at our incarnation with other metadata or versions is refuted', () => {
    for (const other of [{ meta: metaOf('old') }, { vsn: Uint8Array.of(1, 5, 2, 2, 5, 4) }]) {
      const made = bench({ meta: metaOf('new') })
      made.receive(alive('m1', 1, { meta: metaOf('new'), ...other }))
      assert.deepEqual(made.spread(), [alive('m1', 2, { meta: metaOf('new') })])
    }
  })

  it('we are denied in the bytes of our address that the claim has, for memberlist takes no others, and stay in them', () => {
    for (const [first, other] of [
      [at(1).ip, mapped(at(1).ip)],
      [mapped(at(1).ip), at(1).ip],
    ] as const) {
      const made = bench()
      made.receive(alive('m1', 3, { addr: first, meta: metaOf('old') }))
      assert.deepEqual(made.spread(), [alive('m1', 4, { addr: first })])
      made.hush()
      made.receive(alive('m1', 6, { addr: other, meta: metaOf('old') }))
      assert.deepEqual(made.spread(), [alive('m1', 7, { addr: other })])
      made.hush()
      made.receive(suspect('m1', 7))
      assert.deepEqual(made.spread(), [alive('m1', 8, { addr: other })])
      assert.equal(made.swim.self.address.key, '10.0.0.1:7946')
      assert.deepEqual(made.delegate.take(), [])
    }
  })

  it('our own claim that comes back in other bytes teaches those, silently; what still waits is told in them', () => {
    const told = bench()
    told.hush()
    told.receive(alive('m1', 1, { addr: mapped(at(1).ip) }))
    assert.deepEqual([told.swim.self.address.ip, told.swim.queued, told.swim.health], [mapped(at(1).ip), 0, 0])
    told.receive(suspect('m1', 1))
    assert.deepEqual(told.spread(), [alive('m1', 2, { addr: mapped(at(1).ip) })])

    const waiting = new Bench()
    waiting.receive(alive('m1', 1, { addr: mapped(at(1).ip) }), alive('m2', 1))
    const [own] = waiting.spread().filter((claim) => claim.type === 'alive' && claim.node === 'm1')
    assert.deepEqual(own, alive('m1', 1, { addr: mapped(at(1).ip) }))
    assert.deepEqual(waiting.delegate.take(), ['joined m2'])
  })

  it('a conflicting or an older claim about us leaves the bytes of our address', () => {
    const made = bench()
    made.swim.setMeta(metaOf('new'), 0, 1)
    made.hush()
    made.receive(
      alive('m1', 1, { addr: mapped(at(1).ip) }),
      alive('m1', 9, { addr: mapped(at(77).ip) }),
      alive('m1', 9, { addr: mapped(at(1).ip), port: 1 }),
    )
    assert.deepEqual(made.delegate.take(), ['conflict m1 10.0.0.77:7946', 'conflict m1 10.0.0.1:1'])
    made.receive(suspect('m1', 2))
    assert.deepEqual(made.spread(), [alive('m1', 3, { meta: metaOf('new') })])
  })

  it('our own claim that comes back is not refuted, nor is an older one', () => {
    const made = bench()
    made.receive(alive('m1', 1))
    made.swim.setMeta(metaOf('x'), 0, 1)
    made.hush()
    made.receive(alive('m1', 1), alive('m1', 2, { meta: metaOf('x') }))
    assert.deepEqual([made.incarnation('m1'), made.swim.queued, made.swim.health], [2, 0, 0])
  })

  it('ML-04: no claim makes us suspect or dead in our own table', () => {
    const claim = fc.record({
      type: fc.constantFrom('alive' as const, 'suspect' as const, 'dead' as const),
      incarnation: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0xffff_ffe0, max: 0xffff_ffff })),
    })
    fc.assert(
      fc.property(fc.array(claim, { maxLength: 40 }), (claims) => {
        const made = bench()
        let incarnation = 1
        for (const { type, incarnation: said } of claims) {
          made.receive(claimAbout(type, 'm1', said))
          assert.equal(made.status('m1'), 'alive')
          assert.ok(made.swim.self.incarnation >= incarnation)
          incarnation = made.swim.self.incarnation
        }
        made.swim.setMeta(metaOf('x'), 0, 1)
        assert.ok(made.swim.self.incarnation > incarnation)
      }),
      { numRuns: 200 },
    )
  })

  it('an accusation that cannot be denied in 32 bits is not answered, and is told', () => {
    for (const type of ['suspect', 'dead', 'alive'] as const) {
      for (const said of [CEILING, MAX_INCARNATION]) {
        const made = bench()
        made.receive(claimAbout(type, 'm1', said))
        assert.deepEqual([made.incarnation('m1'), made.swim.queued, made.status('m1')], [1, 0, 'alive'], type)
        assert.deepEqual(made.delegate.codes(), ['refutation-impossible'])
      }
    }
  })

  it('the highest accusation that we answer is answered by a claim that another member takes', () => {
    const accusedOne = bench()
    const other = new Bench({ name: 'm2' })
    other.receive(alive('m1', 1))
    other.know(3)
    for (const said of [7, CEILING - 1]) {
      for (const made of [accusedOne, other]) made.receive(suspect('m1', said))
      other.receive(...accusedOne.spread())
      assert.deepEqual([other.status('m1'), other.incarnation('m1')], ['alive', said + 1])
    }
  })

  it('at the last number of all there is nothing left to deny by', () => {
    const made = bench()
    made.swim.self.incarnation = 0xffff_ffff
    made.receive(suspect('m1', 0xffff_ffff))
    assert.deepEqual([made.incarnation('m1'), made.delegate.codes()], [0xffff_ffff, ['refutation-impossible']])
  })

  it('a member at the ceiling can still be suspected, and can say goodbye', () => {
    const made = bench()
    made.receive(alive('m2', CEILING - 1), alive('m2', CEILING), suspect('m2', CEILING))
    assert.equal(made.status('m2'), 'suspect')
    made.receive(left('m2', CEILING))
    assert.equal(made.status('m2'), 'left')
  })

  it('a denial that replaces our announcement before it was told is what its ticket waits for', () => {
    const made = bench()
    made.swim.setMeta(metaOf('x'), 0, 7)
    made.receive(suspect('m1', 2))
    assert.deepEqual(made.swim.takeTold(), [])
    for (let transmits = 1; transmits <= 4; transmits++) {
      assert.deepEqual(made.swim.takeTold(), [])
      assert.deepEqual(made.spread(), [alive('m1', 3, { meta: metaOf('x') })])
    }
    assert.deepEqual(made.swim.takeTold(), [7])
  })

  it('an announcement that replaces another finishes its ticket: nobody will hear that one any more', () => {
    const made = bench()
    made.swim.setMeta(metaOf('x'), 0, 7)
    made.swim.setMeta(metaOf('y'), 0, 8)
    assert.deepEqual(made.swim.takeTold(), [7])
  })

  it('ML-05: once we leave, nothing said of us is accepted or denied', () => {
    const made = bench()
    made.swim.leave(0, 1)
    assert.equal(made.status('m1'), 'left')
    assert.deepEqual(made.spread(), [left('m1', 1)])
    made.hush()
    made.receive(alive('m1', 50), suspect('m1', 50), dead('m1', 50), alive('m1', 60, { addr: at(77).ip }))
    assert.deepEqual([made.status('m1'), made.swim.queued, made.swim.health], ['left', 0, 0])
    assert.deepEqual(made.delegate.take(), [])
  })
})

describe('serf-behaviour §4.7: restarts', () => {
  it('one that restarts before it is missed and reads its old record takes a higher number; nobody joins or leaves', () => {
    const [peer, restarted] = [bench(), bench({ name: 'm2' })]
    peer.receive(alive('m2', 6))
    peer.hush()
    const record = peer.swim.member('m2')
    restarted.swim.receiveRequest(1, pushPull([row('m2', WireState.alive, record?.incarnation ?? 0)]), at(1), 0)
    const claims = restarted.spread()
    assert.deepEqual(claims, [alive('m2', 7)])
    peer.receive(...claims)
    assert.deepEqual([peer.incarnation('m2'), peer.delegate.take()], [7, []])
  })

  it('one that restarts after its death or departure reads it in an exchange, denies it and joins again', () => {
    for (const [verdict, state] of [
      [dead('m2', 4), WireState.dead],
      [left('m2', 4), WireState.left],
    ] as const) {
      const [peer, restarted] = [bench(), bench({ name: 'm2' })]
      peer.receive(alive('m2', 4), verdict)
      peer.hush()
      restarted.swim.receiveRequest(1, pushPull([row('m2', state, 4)]), at(1), 0)
      peer.receive(...restarted.spread())
      assert.deepEqual([peer.incarnation('m2'), peer.delegate.take()], [5, ['joined m2']])
    }
  })
})

describe('what we say of ourselves', () => {
  it('goes first: announcement, denial and goodbye before news of others', () => {
    for (const say of [
      (made: Bench) => made.swim.setMeta(metaOf('x'), 0, 1),
      (made: Bench) => made.receive(suspect('m1', 1)),
      (made: Bench) => made.swim.leave(0, 1),
    ]) {
      const made = bench()
      say(made)
      made.spread()
      made.receive(alive('m6', 1))
      const [first] = made.spread()
      assert.ok(first !== undefined && 'node' in first)
      assert.equal(first.node, 'm1', 'though the other is fresh and this was told once')
    }
  })
})

describe('laws of claims', () => {
  const claim = fc.record({
    type: fc.constantFrom('alive' as const, 'suspect' as const, 'dead' as const, 'left' as const),
    name: fc.constantFrom('m1', 'm2', 'm3'),
    incarnation: fc.integer({ min: 0, max: 12 }),
    from: fc.constantFrom('m2', 'm3', 'm4', 'm5'),
    home: fc.constantFrom('own', 'own', 'own', 'own', 'other'),
    meta: fc.constantFrom('', 'a', 'b'),
    waitMs: fc.constantFrom(0, 0, 0, 100, 30_000),
  })

  it('an incarnation never falls but when a name that is free is taken over from another address', () => {
    fc.assert(
      fc.property(fc.array(claim, { maxLength: 60 }), (claims) => {
        const made = bench({ reclaimAfterMs: 20_000, gossipToTheDeadMs: 86_400_000 })
        for (const { type, name, incarnation, from, home, meta, waitMs } of claims) {
          made.advanceTo(made.now + waitMs)
          const before = { ...made.swim.member(name)! }
          if (type === 'suspect') made.receive(suspect(name, incarnation, from))
          else if (type === 'dead') made.receive(dead(name, incarnation, from))
          else if (type === 'left') made.receive(left(name, incarnation))
          else {
            const more = home === 'own' ? {} : { addr: at(77).ip }
            made.receive(alive(name, incarnation, { meta: metaOf(meta), ...more }))
          }
          const after = made.swim.member(name)!
          const isTakenOver = after.address.key !== before.address.key
          if (isTakenOver) assert.ok(before.status === 'left' || before.status === 'dead')
          else assert.ok(after.incarnation >= before.incarnation)
          if (before.status === 'dead' && after.status === 'alive' && !isTakenOver) {
            assert.ok(after.incarnation > before.incarnation, 'no return from dead at the same incarnation')
          }
          assert.equal(after.suspicion !== undefined, after.status === 'suspect')
        }
      }),
      { numRuns: 300 },
    )
  })

  it('ML-13: of each member, joined and gone alternate, and nothing else is told while it is gone', () => {
    fc.assert(
      fc.property(fc.array(claim, { maxLength: 60 }), (claims) => {
        const made = new Bench({ reclaimAfterMs: 20_000 })
        for (const { type, name, incarnation, from, home, meta, waitMs } of claims) {
          made.advanceTo(made.now + waitMs)
          if (type === 'suspect') made.receive(suspect(name, incarnation, from))
          else if (type === 'dead') made.receive(dead(name, incarnation, from))
          else if (type === 'left') made.receive(left(name, incarnation))
          else {
            const more = home === 'own' ? {} : { addr: at(77).ip }
            made.receive(alive(name, incarnation, { meta: metaOf(meta), ...more }))
          }
        }
        const isHere = new Map<string, boolean>()
        const isAccused = new Map<string, boolean>()
        for (const line of made.delegate.take()) {
          const words = line.split(' ')
          if (words[0] === 'conflict') continue
          const name = line.startsWith('left after all') ? (words[3] as string) : (words[1] as string)
          assert.notEqual(name, 'm1', line)
          const was = isHere.get(name) ?? false
          if (words[0] === 'joined' || words[0] === 'left') assert.equal(was, false, line)
          else assert.equal(was, true, line)
          if (words[0] === 'suspected') assert.equal(isAccused.get(name) ?? false, false, line)
          if (words[0] === 'recovered') assert.equal(isAccused.get(name), true, line)
          if (words[0] === 'joined') isHere.set(name, true)
          if (words[0] === 'gone') isHere.set(name, false)
          if (words[0] !== 'updated') isAccused.set(name, words[0] === 'suspected')
        }
      }),
      { numRuns: 300 },
    )
  })
})
