// Who is let in: ranges of addresses, numbers that nobody could deny, a full table, the layer above's veto.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { INCARNATION_CEILING, MAX_INCARNATION } from '../../../src/swim/admission.ts'
import { MAX_MEMBERS, MAX_NAME_LENGTH } from '../../../src/swim/member.ts'
import { WireState } from '../../../src/wire/types.ts'
import {
  alive,
  at,
  Bench,
  dead,
  indirectPing,
  left,
  Mesh,
  metaOf,
  ping,
  pushPull,
  row,
  source,
  suspect,
} from './support.ts'

const TEN_ZERO = '10.0.0.0/24'

/** m1, which knows m2 to m5 at incarnation 1. */
function bench(setup: ConstructorParameters<typeof Bench>[0] = {}): Bench {
  const made = new Bench(setup)
  made.know(5)
  return made
}

describe('allowedCidrs, for who is claimed', () => {
  it('a stranger outside is not taken in, by packet or by exchange, and not gossiped on; one inside is', () => {
    const made = bench({ allowedCidrs: [TEN_ZERO] })
    made.receive(alive('m300', 1), alive('m6', 1))
    made.swim.receiveRequest(1, pushPull([row('m301', WireState.alive, 1), row('m7', WireState.alive, 1)]), at(2), 0)
    assert.deepEqual(
      ['m300', 'm6', 'm301', 'm7'].map((name) => made.status(name)),
      [undefined, 'alive', undefined, 'alive'],
    )
    assert.deepEqual(made.delegate.codes(), ['address-refused', 'address-refused'])
    assert.match(made.delegate.warnings[0]?.message ?? '', /m300.*10\.0\.1\.44:7946/)
    assert.deepEqual(
      made.spread().map((claim) => 'node' in claim && claim.node),
      ['m7', 'm6'],
    )
  })

  it('a member that left does not come back from outside, and one that is here makes no conflict from there', () => {
    const made = bench({ allowedCidrs: [TEN_ZERO] })
    made.receive(left('m2', 1))
    made.hush()
    made.receive(alive('m2', 2, { addr: at(300).ip }), alive('m3', 2, { addr: at(300).ip }))
    assert.deepEqual([made.status('m2'), made.delegate.take()], ['left', []])
    assert.deepEqual(made.delegate.codes(), ['address-refused', 'address-refused'])
  })

  it('ranges of IPv4 hold for its form of 16 bytes too', () => {
    const made = new Bench({ allowedCidrs: [TEN_ZERO] })
    const mapped = (number: number): Uint8Array =>
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...at(number).ip)
    made.receive(alive('m6', 1, { addr: mapped(6) }), alive('m7', 1, { addr: mapped(300) }))
    assert.deepEqual([made.status('m6'), made.status('m7')], ['alive', undefined])
  })

  it('an empty list lets in nobody, ourselves excepted', () => {
    const made = new Bench({ allowedCidrs: [], meta: metaOf('new') })
    made.receive(alive('m2', 1), alive('m1', 4))
    assert.deepEqual([made.status('m2'), made.status('m1'), made.incarnation('m1')], [undefined, 'alive', 5])
    assert.deepEqual(made.delegate.codes(), ['address-refused'])
  })

  it('no ping goes outside for another, and no answer to an address outside that the packet only names', () => {
    const made = bench({ allowedCidrs: [TEN_ZERO] })
    made.receive(indirectPing('m300', 1, source('m2')))
    assert.deepEqual([made.packets(), made.delegate.codes()], [[], ['address-refused']])
    made.receive(indirectPing('m3', 1, source('m2')))
    assert.deepEqual(
      made.packets().map(({ to }) => to.key),
      ['10.0.0.3:7946'],
    )
    made.receiveFrom(at(4, 5000), ping('', 1, source('m300')))
    assert.deepEqual(
      made.packets().map(({ to }) => to.key),
      ['10.0.0.4:5000'],
    )
  })
})

describe('accept, as the layer above answers', () => {
  it('the warning tells a claim without versions, about which nobody is asked, from one that is refused', () => {
    const made = bench()
    made.delegate.unwanted.add('m6').add('m7')
    made.receive(alive('m6', 1), alive('m7', 1, { vsn: Uint8Array.of(1, 5, 2) }))
    assert.deepEqual(
      made.delegate.warnings.map(({ code, message }) => [code, message.split(': ')[1]]),
      [
        ['member-refused', 'accept says no'],
        ['member-refused', 'it tells no versions, so that accept is not even asked'],
      ],
    )
  })

  it('a stranger that is not wanted is not taken in nor gossiped on', () => {
    const made = bench()
    made.delegate.unwanted.add('m6')
    made.receive(alive('m6', 1))
    made.swim.receiveRequest(1, pushPull([row('m6', WireState.alive, 1)]), at(2), 0)
    assert.deepEqual([made.swim.member('m6'), made.swim.size, made.swim.queued], [undefined, 5, 0])
    assert.deepEqual(made.delegate.codes(), ['member-refused', 'member-refused'])
    assert.match(made.delegate.warnings[0]?.message ?? '', /m6 at 10\.0\.0\.6:7946/)
  })

  it('it is asked about who comes in, comes back, moves or tells something new, and about nothing else', () => {
    const made = bench({ meta: metaOf('new') })
    const asked = (): string[] => made.delegate.asked.splice(0)
    asked()
    made.receive(alive('m6', 1))
    assert.deepEqual(asked(), ['m6'], 'comes in')
    made.receive(alive('m6', 1), alive('m6', 2), suspect('m6', 2), alive('m6', 3))
    assert.deepEqual(asked(), [], 'stale, the same at a higher number, a denial')
    made.receive(alive('m6', 4, { meta: metaOf('a') }))
    assert.deepEqual(asked(), ['m6'], 'new metadata')
    made.receive(dead('m6', 4), alive('m6', 5, { meta: metaOf('a') }))
    assert.deepEqual(asked(), ['m6'], 'back from the dead')
    made.receive(left('m6', 5), alive('m6', 1, { addr: at(77).ip }))
    assert.deepEqual(asked(), ['m6'], 'from another address')
    made.receive(alive('m6', 9, { addr: at(78).ip }), alive('m1', 9), alive('m7', 0))
    assert.deepEqual(asked(), [], 'a conflict, ourselves, nonsense')
  })

  it('of a member that is here, what is refused is dropped whole: it stays as it was', () => {
    const made = bench()
    made.delegate.unwanted.add('m2')
    made.receive(alive('m2', 2, { meta: metaOf('a') }))
    const member = made.swim.member('m2')
    assert.deepEqual([member?.status, member?.incarnation, member?.meta], ['alive', 1, metaOf('')])
    assert.deepEqual([made.swim.queued, made.delegate.take()], [0, []])
    made.receive(suspect('m2', 2), alive('m2', 3, { meta: metaOf('a') }))
    assert.equal(made.status('m2'), 'suspect', 'a denial that brings the refused metadata is refused too')
    made.receive(alive('m2', 4))
    assert.equal(made.status('m2'), 'alive')
  })

  it('a member that is refused when it comes back stays dead', () => {
    const made = bench()
    made.delegate.unwanted.add('m2')
    made.receive(dead('m2', 1), alive('m2', 2))
    assert.equal(made.status('m2'), 'dead')
  })
})

describe('numbers that nobody could deny', () => {
  const CEILING = INCARNATION_CEILING

  it('an accusation of another at the ceiling or above is not believed; one below is', () => {
    for (const make of [suspect, dead, left]) {
      for (const incarnation of [CEILING, MAX_INCARNATION]) {
        const made = bench()
        made.receive(make('m2', incarnation))
        assert.deepEqual([made.status('m2'), made.incarnation('m2'), made.swim.queued], ['alive', 1, 0])
        assert.deepEqual(made.delegate.codes(), ['claim-invalid'])
      }
      const made = bench()
      made.receive(make('m2', CEILING - 1))
      assert.deepEqual([made.status('m2') === 'alive', made.incarnation('m2')], [false, CEILING - 1])
    }
  })

  it('a claim to be alive counts at any number, since it may be a denial', () => {
    for (const incarnation of [CEILING, MAX_INCARNATION]) {
      const made = bench()
      made.receive(alive('m2', incarnation), alive('m7', incarnation))
      assert.deepEqual([made.incarnation('m2'), made.incarnation('m7')], [incarnation, incarnation])
      assert.deepEqual(made.delegate.codes(), [])
    }
  })

  it('no forged claim to be alive locks a member out: what it says counts at once where it can deny, else once it was forgotten', () => {
    const mesh = new Mesh()
    for (const name of ['m1', 'm2', 'm3', 'm4', 'm5']) mesh.add(name)
    for (const name of ['m2', 'm3', 'm4']) mesh.join(name, 'm1')
    mesh.run(3000)
    for (const incarnation of [CEILING - 1, CEILING, MAX_INCARNATION]) {
      // A newcomer has it of a forger before it joins.
      mesh.bench(incarnation === CEILING ? 'm5' : 'm1').receive(alive('m2', incarnation))
      if (incarnation === CEILING) mesh.join('m5', 'm1')
      mesh.run(mesh.now + 40_000)
      mesh.bench('m1').receive(suspect('m2', mesh.bench('m1').incarnation('m2') ?? 0))
      mesh.run(mesh.now + (incarnation < CEILING ? 20_000 : 200_000))
      mesh.bench('m2').swim.setMeta(metaOf(`after ${incarnation}`), mesh.now, 1)
      mesh.run(mesh.now + 40_000)
      for (const name of ['m1', 'm3', 'm4']) {
        const { status, meta } = mesh.bench(name).swim.member('m2') ?? {}
        assert.deepEqual([status, meta], ['alive', metaOf(`after ${incarnation}`)], `${name} ${incarnation}`)
      }
    }
  })

  it('nor does it lift the number of a member that is dead', () => {
    const made = bench()
    made.receive(dead('m2', 1), dead('m2', CEILING))
    assert.equal(made.incarnation('m2'), 1)
  })
})

describe('names in accusations', () => {
  it('an accusation by or of a name longer than any member bears is refused before anything of it is kept', () => {
    const long = 'x'.repeat(MAX_NAME_LENGTH + 1)
    for (const type of ['suspect', 'dead'] as const) {
      for (const [node, from] of [
        ['m2', long],
        [long, 'm3'],
        ['m1', long],
      ] as const) {
        const made = bench()
        made.receive({ type, node, incarnation: 1, from })
        assert.deepEqual([made.status('m2'), made.incarnation('m1'), made.swim.queued], ['alive', 1, 0])
        assert.deepEqual(made.delegate.warnings, [
          { code: 'claim-invalid', message: `${type} with a name of ${MAX_NAME_LENGTH + 1} characters` },
        ])
      }
    }
  })

  it('nor is such a name a second accuser, and the longest that is allowed is one', () => {
    const made = bench()
    made.receive(suspect('m2', 1), suspect('m2', 1, 'x'.repeat(MAX_NAME_LENGTH + 1)))
    assert.equal(made.swim.member('m2')?.suspicion?.confirmations, 0)
    made.receive(suspect('m2', 1, 'x'.repeat(MAX_NAME_LENGTH)))
    assert.equal(made.swim.member('m2')?.suspicion?.confirmations, 1)
  })
})

describe('a full table', () => {
  it('takes no stranger, says so, and goes on with those it holds', () => {
    const made = new Bench()
    for (let number = 2; number <= MAX_MEMBERS; number++) {
      made.swim.receivePacket([{ message: alive(`m${number}`, 1), bytes: new Uint8Array(1) }], at(9), 0)
    }
    made.delegate.take()
    assert.deepEqual([made.swim.size, made.delegate.codes()], [MAX_MEMBERS, []])
    made.receive(alive('m99999', 1), alive('m2', 2, { meta: metaOf('a') }))
    assert.deepEqual([made.swim.size, made.delegate.codes()], [MAX_MEMBERS, ['member-limit']])
    assert.deepEqual(made.delegate.take(), ['updated m2'])
  })
})
