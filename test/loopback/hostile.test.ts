// Strangers against a member, over real sockets: each flood is counted, dropped and told once, while its peers go on seeing it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { NO_BYTES, utf8 } from '../../src/base/bytes.ts'
import { Random } from '../../src/base/random.ts'
import { nodeCipher } from '../../src/node/cipher.ts'
import { wrapCompressed } from '../../src/wire/compress.ts'
import { Keyring } from '../../src/wire/keyring.ts'
import { encodePacket, type Sealing } from '../../src/wire/packet.ts'
import { encodeStream, StreamReader } from '../../src/wire/stream.ts'
import { encodePushPull, encodeSwimMessage } from '../../src/wire/swim-messages.ts'
import { randomBytes } from '../fuzz/mutate.ts'
import { Fortress, together, VICTIM } from './hostile-support.ts'

const TIMEOUT = { timeout: 60_000 } as const
const KEY = new Uint8Array(32).fill(1)
const LABEL = 'fort'
const SEALED: Sealing = { label: utf8(LABEL), keyring: new Keyring([KEY]), cipher: nodeCipher }
const WRONG_KEY: Sealing = { ...SEALED, keyring: new Keyring([new Uint8Array(32).fill(2)]) }
const WRONG_LABEL: Sealing = { ...SEALED, label: utf8('tent') }
const NO_KEY: Sealing = { ...SEALED, keyring: undefined }
const PLAIN: Sealing = { label: NO_BYTES, keyring: undefined, cipher: nodeCipher }
const ping = encodeSwimMessage({
  type: 'ping',
  seqNo: 1,
  node: VICTIM,
  sourceAddr: null,
  sourcePort: 0,
  sourceNode: '',
})
const exchange = encodePushPull({ type: 'push-pull', join: false, members: [], userState: NO_BYTES })
const random = new Random(1)

describe('a member with a key and a label', () => {
  let fort: Fortress
  before(async () => {
    fort = await Fortress.build({ secretKey: Buffer.from(KEY).toString('base64'), label: LABEL }, SEALED)
  })
  after(() => fort.raze())

  const packet = (sealing: Sealing): Uint8Array =>
    encodePacket([ping], { sealing, nonce: fort.nonce(), compress: false, crc: false })

  for (const [what, sealing, code] of [
    ['sealed with another key', WRONG_KEY, 'packet-undecryptable'],
    ['with another label', WRONG_LABEL, 'packet-invalid'],
    ['that are not encrypted', NO_KEY, 'packet-undecryptable'],
    ['without a label', { ...SEALED, label: NO_BYTES }, 'packet-invalid'],
  ] as const) {
    it(`drops and counts 1,500 packets ${what}, and answers none`, TIMEOUT, async () => {
      const {
        counted,
        before: was,
        after: is,
        answers,
      } = await fort.under(() => fort.packets(Array.from({ length: 1500 }, () => packet(sealing))))
      assert.equal(counted(code), 1500)
      const sent = is.stats.packetsSent - was.stats.packetsSent
      assert.ok(sent < answers.asked + 600, `${sent} packets sent, ${answers.asked} answers among them`)
    })
  }

  it('drops and counts 300 datagrams of the largest size', TIMEOUT, async () => {
    const large = Array.from({ length: 300 }, () => encodeLabelled(randomBytes(65_480, random)))
    const { counted } = await fort.under(() => fort.packets(large))
    assert.equal(counted('packet-undecryptable'), 300)
  })

  for (const [what, length] of [
    ['4 GiB', 0xffff_ffff],
    ['a byte more than 20 MiB', 20_971_521],
  ] as const) {
    it(`refuses 100 streams that announce ${what} at their header, with an answer`, TIMEOUT, async () => {
      const header = Uint8Array.of(10, length >>> 24, length >>> 16, length >>> 8, length)
      let answers: Uint8Array[] = []
      const { counted } = await fort.under(async () => {
        answers = await together(100, () => fort.stream((socket) => void socket.write(encodeLabelled(header))))
      })
      assert.equal(counted('stream-invalid'), 100)
      for (const answer of answers) {
        const found = new StreamReader({ sealing: SEALED, role: 'dialler' }).push(answer)
        assert.ok(found?.message.type === 'error' && found.message.error.includes('larger than limit'))
      }
    })
  }

  it('refuses 100 exchanges with another key, another label, or none', TIMEOUT, async () => {
    const { counted } = await fort.under(async () => {
      await together(100, (number) =>
        fort.stream((socket) => {
          const sealing = [WRONG_KEY, WRONG_LABEL, NO_KEY][number % 3] as Sealing
          socket.write(encodeStream(exchange, { sealing, role: 'dialler', nonce: fort.nonce(), compress: true }))
        }),
      )
    })
    assert.equal(counted('stream-invalid'), 100)
  })

  const encodeLabelled = (bytes: Uint8Array): Uint8Array =>
    Uint8Array.from([244, LABEL.length, ...utf8(LABEL), ...bytes])
})

describe('a member that everybody may speak to', () => {
  let fort: Fortress
  before(async () => {
    fort = await Fortress.build({}, PLAIN)
  })
  after(() => fort.raze())

  const body = (): Uint8Array =>
    encodeStream(exchange, { sealing: PLAIN, role: 'dialler', nonce: undefined, compress: true })
  const isAnswer = (bytes: Uint8Array): boolean =>
    new StreamReader({ sealing: PLAIN, role: 'dialler' }).push(bytes)?.message.type === 'push-pull'

  it('unfolds no packet beyond its bound: 200 that would take 40 MiB each', TIMEOUT, async () => {
    const bomb = wrapCompressed(new Uint8Array(41_943_040))
    assert.ok(bomb.length < 65_507, `${bomb.length} bytes`)
    const { counted } = await fort.under(() => fort.packets(Array.from({ length: 200 }, () => bomb)))
    assert.equal(counted('packet-invalid'), 200)
  })

  it('unfolds no stream beyond its bound: 16 at once that would take 64 MiB each', TIMEOUT, async () => {
    const bomb = wrapCompressed(new Uint8Array(67_108_864))
    const { counted } = await fort.under(async () => {
      await together(16, () => fort.stream((socket) => void socket.write(bomb)))
    })
    assert.equal(counted('stream-invalid'), 16)
  })

  it('takes 8 streams at once that unfold to all that one may, one after the other', TIMEOUT, async () => {
    const most = wrapCompressed(new Uint8Array(41_943_040))
    const { counted, after: is } = await fort.under(async () => {
      await together(8, () => fort.stream((socket) => void socket.write(most)))
    })
    assert.ok(is.longestTurnMs < 450, `a turn of ${is.longestTurnMs} ms: longer than its peers wait`)
    // Zeros are no message.
    assert.equal(counted('stream-invalid'), 8)
  })

  it('cuts 200 streams that say a byte now and then, and others get through meanwhile', TIMEOUT, async () => {
    let answered = 0
    const { counted } = await fort.under(async () => {
      const slow = together(200, () =>
        fort.stream(async (socket) => {
          for (const byte of body()) {
            if (socket.destroyed || socket.readableEnded) break
            socket.write(Uint8Array.of(byte))
            await pause(250)
          }
        }),
      )
      await pause(100)
      for (let round = 0; round < 10; round++) {
        if (isAnswer(await fort.stream((socket) => void socket.write(body())))) answered++
      }
      await slow
    })
    assert.equal(answered, 10)
    assert.equal(counted('stream-limit') + counted('stream-invalid'), 200)
    assert.ok(counted('stream-limit') >= 200 - 127, 'those beyond the limit made room')
  })

  it('answers 128 exchanges that come at once, or says which it cut', TIMEOUT, async () => {
    let answers: Uint8Array[] = []
    const { counted } = await fort.under(async () => {
      const gate = new Promise<void>((resolve) => setTimeout(resolve, 300))
      answers = await together(128, () =>
        fort.stream(async (socket) => {
          const bytes = body()
          socket.write(bytes.subarray(0, 3))
          await gate
          socket.write(bytes.subarray(3))
        }),
      )
    })
    const answered = answers.filter(isAnswer).length
    assert.equal(answered + counted('stream-limit'), 128)
    assert.ok(answered >= 126, `${answered} were answered`)
  })

  it('is rid of streams that are reset in any phase, or never say anything', TIMEOUT, async () => {
    const bytes = body()
    const { counted } = await fort.under(async () => {
      await together(120, (number) =>
        fort.stream(async (socket) => {
          const phase = number % 4
          // Before a byte is read a reset throws it away.
          if (phase === 1) {
            socket.write(bytes.subarray(0, 5))
            await fort.hasRead()
          }
          // Until the answer begins: one that is reset before its turn to be read is told like one within its message.
          if (phase === 2) {
            const answer = once(socket, 'data')
            socket.write(bytes)
            await answer
          }
          // Phase 3 keeps silent until it is cut.
          if (phase === 3) return
          await pause(number)
          socket.resetAndDestroy()
        }),
      )
    })
    // The silent are cut; those reset within a message are told; a reset after the answer, or before a byte, harms nobody.
    assert.equal(counted('stream-invalid'), 60)
  })

  it(
    'answers a stream that half-closes after its request, and ignores what follows a whole message',
    TIMEOUT,
    async () => {
      const { counted } = await fort.under(async () => {
        const halves = await together(20, () => fort.stream((socket) => void socket.end(body())))
        assert.ok(halves.every(isAnswer))
        const garbage = randomBytes(100_000, random)
        const followed = await together(20, () =>
          fort.stream((socket) => {
            socket.write(body())
            socket.write(garbage)
          }),
        )
        // A member that closes while bytes arrive may reset the stream, and its answer be lost with it.
        assert.ok(followed.every((bytes) => bytes.length === 0 || isAnswer(bytes)))
      })
      assert.equal(counted('stream-invalid'), 0)
    },
  )
})
