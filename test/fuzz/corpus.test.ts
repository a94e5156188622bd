import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { DecodeError } from '../../src/base/errors.ts'
import { Random } from '../../src/base/random.ts'
import type { Alive } from '../../src/wire/types.ts'
import { CORPUS } from './collect.ts'
import { feedDecoders, OURS } from './decoders.ts'
import { inputAt } from './generate.ts'
import { CLUSTERS, DOORWAYS, formatInput, type Input, parseInputs, SEALINGS } from './input.ts'
import { MemberUnderFire, noTotals } from './member.ts'
import { replay, runTarget, TARGETS } from './targets.ts'
import { Violation } from './violation.ts'

const files = readdirSync(CORPUS).sort()
const corpus = (file: string): Input[] => parseInputs(readFileSync(`${CORPUS}${file}`, 'utf8'))

describe('the corpus', () => {
  test('it has a file for each target, and each input has a name of its own', () => {
    assert.deepEqual(
      files.filter((file) => TARGETS.some((target) => file === `${target}.txt`)),
      TARGETS.map((target) => `${target}.txt`).sort(),
    )
    for (const file of files) {
      const lines = readFileSync(`${CORPUS}${file}`, 'utf8').trimEnd().split('\n')
      const names = lines.filter((line) => line.startsWith('# '))
      assert.equal(names.length, corpus(file).length, file)
      assert.equal(new Set(names).size, names.length, `${file}: a name comes twice`)
    }
  })

  for (const file of files) {
    test(`${file} breaks no decoder and no member`, async () => {
      const inputs = corpus(file)
      assert.ok(inputs.length >= 4, `only ${inputs.length} inputs`)
      const said = await replay(inputs)
      // One line an input at least: each was fed.
      assert.ok(said.length >= inputs.length)
    })
  }
})

describe('a short run', () => {
  for (const target of TARGETS) {
    test(`3,000 inputs break no ${target}`, async (context) => {
      const { inputs, ms, slowestMs, totals } = await runTarget({ target, seed: 1, from: 0, inputs: 3000 })
      context.diagnostic(`${inputs} inputs in ${ms.toFixed(0)} ms, the slowest ${slowestMs.toFixed(1)} ms`)
      assert.equal(inputs, 3000)
      if (target !== 'member') return
      // They got inside: a run in which all is refused at the door proves nothing.
      assert.ok(totals !== undefined && totals.packetsOut > 300 && totals.questions > 50)
      for (const code of [
        'packet-invalid',
        'packet-undecryptable',
        'stream-invalid',
        'claim-invalid',
        'merge-refused',
      ]) {
        assert.ok((totals.warnings[code] ?? 0) > 0, `no ${code}`)
      }
    })
  }

  test('the same seed and number give the same input, and another number another', () => {
    for (const doorway of DOORWAYS) {
      const texts = [5, 5, 6].map((number) => formatInput(inputAt(9, doorway, number)))
      assert.equal(texts[0], texts[1], doorway)
      assert.notEqual(texts[0], texts[2], doorway)
    }
  })

  test('its inputs get through every layer of every cluster', () => {
    const met = new Set<string>()
    for (let number = 0; number < 4000; number++) {
      const input = inputAt(2, 'packet', number)
      const said = feedDecoders(input, new Random(1))
      for (const word of said.split('; ')) met.add(`${input.cluster} ${word.replace(/: .*/, '')}`)
    }
    for (const cluster of CLUSTERS) {
      const sealed = SEALINGS[cluster].keyring === undefined ? [] : ['encrypt']
      const labelled = SEALINGS[cluster].label.length === 0 ? [] : ['label']
      const types = [
        'ping',
        'indirect-ping',
        'ack',
        'nack',
        'suspect',
        'dead',
        'alive, tags',
        'alive, broken tags',
        'user, leave',
      ]
      for (const word of [...sealed, ...labelled, ...types, 'crc', 'compress', 'compound']) {
        assert.ok(met.has(`${cluster} ${word}`), `${cluster}: no ${word}`)
      }
    }
  })
})

describe('a broken decoder or member is found', () => {
  const ping = parseInputs('packet plain 0082a5536571')[0] as Input

  test('one that throws what is no DecodeError', () => {
    const packet = (): never => {
      throw new RangeError('offset is out of bounds')
    }
    assert.throws(
      () => feedDecoders(ping, new Random(1), { ...OURS, packet }),
      /RangeError: offset[\s\S]*packet plain 0082a5536571/,
    )
  })

  test('one that gives a message and, alone, another', () => {
    const claim: Alive = {
      type: 'alive',
      incarnation: 1,
      node: 'a',
      addr: new Uint8Array(4),
      port: 1,
      meta: new Uint8Array(0),
      vsn: new Uint8Array(0),
    }
    const packet = () => ({ layers: [], problems: [], messages: [{ message: claim, bytes: ping.bytes }] })
    const packetMessage = () => ({ ...claim, incarnation: 2 })
    assert.throws(
      () => feedDecoders(ping, new Random(1), { ...OURS, packet, packetMessage }),
      /a rebroadcast would differ/,
    )
  })

  test('a stream reader whose result depends on the pieces', () => {
    const input = parseInputs('stream plain 010203')[0] as Input
    let read = 0
    const stream = () => ({
      bufferedBytes: 0,
      push(): undefined {
        if (++read > 1) throw new DecodeError('only sometimes')
      },
    })
    assert.throws(
      () => feedDecoders(input, new Random(1), { ...OURS, stream }),
      /in one piece unfinished, in 3 pieces only sometimes/,
    )
  })

  test('tags that reach a prototype', () => {
    const input = parseInputs('tags plain ff')[0] as Input
    const tags = () => ({ tags: Object.freeze(Object.create({ role: 'x' })), complete: true })
    assert.throws(() => feedDecoders(input, new Random(1), { ...OURS, tags }), /a tag became a prototype/)
  })

  test('a payload that changes what it reads, and one that is no plain data', () => {
    const input = parseInputs('payload plain 9101')[0] as Input
    const greedy = (bytes: Uint8Array): unknown => bytes.fill(0)
    assert.throws(() => feedDecoders(input, new Random(1), { ...OURS, payload: greedy }), /the bytes were changed/)
    const odd = (): unknown => new Map()
    const again = parseInputs('payload plain 9101')[0] as Input
    assert.throws(() => feedDecoders(again, new Random(1), { ...OURS, payload: odd }), /other than plain data/)
  })

  test('a member that does not answer, one that sends too much, and one that sends nonsense', async () => {
    const fed = async (spoil: (fire: MemberUnderFire) => void, inputs: number): Promise<void> => {
      const fire = await MemberUnderFire.start('plain', 1, noTotals())
      spoil(fire)
      for (let left = inputs; left > 0; left--) fire.feed(ping, new Random(left))
    }
    await assert.rejects(
      fed((fire) => void fire.membership.close(), 1),
      /is closed/,
    )
    const deaf = (fire: MemberUnderFire): void => {
      const { handlers } = fire.host
      fire.host.handlers = handlers && { ...handlers, packet() {} }
    }
    await assert.rejects(fed(deaf, 40), /a ping was not answered/)
    const answering =
      (...packets: Uint8Array[]) =>
      (fire: MemberUnderFire): void => {
        const { handlers } = fire.host
        fire.host.handlers = handlers && {
          ...handlers,
          packet: (_, from) => void fire.host.sent.push(...packets.map((bytes) => ({ bytes, to: from }))),
        }
      }
    const nack = Uint8Array.of(11, 0x81, 0xa5, 0x53, 0x65, 0x71, 0x4e, 0x6f, 1)
    await assert.rejects(fed(answering(nack, nack, nack, nack), 1), /one packet, 4 in answer, at most 2/)
    await assert.rejects(
      fed(answering(Uint8Array.of(99)), 1),
      /sent what cannot be read: message of type 99 in a packet: 63/,
    )
    await assert.rejects(fed(answering(new Uint8Array(1401).fill(8)), 1), /sent a packet of 1401 bytes/)
  })

  test('its violation holds the input', () => {
    assert.equal(new Violation('wrong', ping).message, 'wrong\n  input: packet plain 0082a5536571')
  })
})
