// User events between Node, the current Serf and Debian's old agent: every payload arrives as it was sent, once, with the time and the flag
// of its sender; who joins hears of what was sent of late, unless it ignores it.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { goMissing } from './support/go-build.ts'
import type { GoPeer } from './support/go-peer.ts'
import { everyoneHeard, heard, heardTwice } from './support/heard.ts'
import { interopTest } from './support/interop-test.ts'
import type { NodeMember } from './support/node-member-client.ts'
import type { Peer } from './support/peer.ts'
import { judge } from './support/scenario-test.ts'
import type { SerfAgent } from './support/serf-agent.ts'
import type { StartOptions } from './support/stage.ts'

/** Gossip of four members at `lan`; an agent holds what may be coalesced for three seconds more. */
const SOON_MS = 8_000
/** What an event may take: the default of both kinds. */
const LIMIT = 512

type Sender = GoPeer | NodeMember

for (const how of ['plain', 'encrypted'] as const) {
  const secretKey = how === 'encrypted' ? { secretKey: randomBytes(32).toString('base64') } : {}
  const options = (name: string): StartOptions => ({ name, profile: 'lan', ...secretKey })
  interopTest(
    `SF-30, SF-32: user events reach Node from Go and Go from Node, ${how}`,
    async (stage) => {
      const folder = mkdtempSync(join(tmpdir(), 'rollcall-events-'))
      try {
        const file = join(folder, 'heard')
        const [first, second, serf, agent] = (await Promise.all([
          stage.start('node', options('node-1')),
          stage.start('node', options('node-2')),
          stage.start('serf', options('serf-1')),
          stage.start('agent', { ...options('agent-1'), flags: [`-event-handler=user=${handler(file)}`] }),
        ])) as [NodeMember, NodeMember, GoPeer, SerfAgent]
        const all: readonly Peer[] = [first, second, serf, agent]
        const tellers = [first, second, serf] as const
        for (const peer of [second, serf, agent]) await peer.join([first.address])
        await stage.until('four alive', SOON_MS, async () => {
          const views = await Promise.all(all.map((peer) => peer.view()))
          return views.every((view) => view.size === 4) ? undefined : 'not all know all'
        })

        await stage.step(
          'payloads of any bytes arrive as they were sent, with the time and the flag of the sender',
          async () => {
            const flagless: string[] = []
            for (const sender of [serf, first] as readonly Sender[]) {
              for (const [what, payload] of payloads()) {
                for (const coalesce of [false, true]) {
                  const name = `${what}-${sender.name}-${coalesce}`
                  await sender.event(name, payload, coalesce)
                  await everyoneHeard(stage, tellers, [name], SOON_MS)
                  const { ltime } = heard(sender, name)
                  for (const peer of tellers) {
                    const event = heard(peer, name)
                    assert.deepEqual([...(event.payload ?? [])], [...payload], `${name} at ${peer.name}`)
                    assert.equal(event.ltime, ltime, `${name} at ${peer.name}`)
                    if (event.coalesce !== coalesce) flagless.push(`${name} at ${peer.name}: ${event.coalesce}`)
                  }
                }
              }
            }
            // What an exchange brings before gossip does has no flag in Serf's format, and stands for false. Within these seconds
            // hardly any exchange takes place, and one finds one event under way at most.
            assert.ok(flagless.length <= 2 && flagless.every((one) => one.endsWith('false')), flagless.join('; '))
          },
        )
        await stage.step('an old agent hands them to its handlers, payload and all', async () => {
          const names = payloads().flatMap(([what]) => [`${what}-serf-1-false`, `${what}-node-1-false`])
          await everyoneHeard(stage, [agent], names, SOON_MS)
          await stage.until('the handler has written them down', SOON_MS, async () => {
            const written = handled(file)
            for (const [what, payload] of payloads()) {
              for (const sender of ['serf-1', 'node-1']) {
                const hex = written.get(`${what}-${sender}-false`)
                // An agent ends a payload with a newline where there is none.
                const wanted = Buffer.from(payload).toString('hex')
                if (hex !== wanted && hex !== `${wanted}0a`)
                  return `${what} of ${sender}: ${hex} where ${wanted} was sent`
              }
            }
            return undefined
          })
        })
        await stage.step('what an old agent sends arrives', async () => {
          await agent.event('from-agent', 'v7 ünï')
          await everyoneHeard(stage, all, ['from-agent'], SOON_MS)
          for (const peer of tellers)
            assert.equal(String(Buffer.from(heard(peer, 'from-agent').payload ?? [])), 'v7 ünï')
        })
        await stage.step(
          'the largest event that one kind takes the other takes too, and neither takes a byte more',
          async () => {
            for (const sender of [serf, first] as readonly Sender[]) {
              const name = `large-${sender.name}`
              const length = largest(name, heard(sender, 'from-agent').ltime ?? 0)
              await assert.rejects(sender.event(name, randomBytes(length + 1)), /512/)
              const payload = randomBytes(length)
              await sender.event(name, payload)
              await everyoneHeard(stage, all, [name], SOON_MS)
              for (const peer of tellers)
                assert.deepEqual([...(heard(peer, name).payload ?? [])], [...payload], peer.name)
            }
          },
        )
        await stage.step('who sends hears itself, and nobody heard anything twice', async () => {
          for (const peer of all) assert.deepEqual(heardTwice(peer), [], peer.name)
        })
      } finally {
        rmSync(folder, { recursive: true })
      }
      await judge(stage, 'events')
    },
    { lacks: async () => goMissing() },
  )

  interopTest(
    `SF-31: who joins hears of the events of late, Node from Go and Go from Node, unless it ignores them, ${how}`,
    async (stage) => {
      const [node, serf] = (await Promise.all([
        stage.start('node', options('node-1')),
        stage.start('serf', options('serf-1')),
      ])) as [NodeMember, GoPeer]
      await serf.join([node.address])
      const names = Array.from({ length: 40 }, (_, at) => `event-${at}`)
      for (const [at, name] of names.entries()) await (at % 2 === 0 ? node : serf).event(name, Uint8Array.of(at, 255))
      await everyoneHeard(stage, [node, serf], names, SOON_MS)

      const newcomers: Peer[] = []
      for (const [program, seed, ignoreOldEvents] of [
        ['node', serf, false],
        ['serf', node, false],
        ['node', serf, true],
        ['serf', node, true],
      ] as const) {
        const name = `${program}-${ignoreOldEvents ? 'ignores' : 'hears'}`
        await stage.step(`${name}, through ${seed.name}`, async () => {
          const peer = (await stage.start(program, options(name))) as Sender
          await peer.join([seed.address], { ignoreOldEvents })
          newcomers.push(peer)
          if (ignoreOldEvents) return
          await everyoneHeard(stage, [peer], names, SOON_MS)
          // Node takes them in the order of time. Go in that of its ring, which is the same where we tell them, or it has not come round.
          assert.deepEqual(
            peer.userEvents.map((event) => event.ltime),
            peer.userEvents.map((event) => event.ltime).toSorted((one, other) => (one ?? 0) - (other ?? 0)),
          )
          for (const one of names) assert.deepEqual(heard(peer, one).payload, heard(node, one).payload)
        })
      }
      await stage.step('what is sent then comes to all, and nothing twice', async () => {
        await node.event('after', 'x')
        await serf.event('after-too', 'x')
        await everyoneHeard(stage, [node, serf, ...newcomers], ['after', 'after-too'], SOON_MS)
        for (const peer of [node, serf, ...newcomers]) {
          assert.deepEqual(heardTwice(peer), [], peer.name)
          const old = peer.userEvents.filter(({ name }) => names.includes(name))
          assert.equal(old.length, peer.name.endsWith('ignores') ? 0 : names.length, peer.name)
        }
      })
      await judge(stage, 'events-replay')
    },
    { lacks: async () => goMissing() },
  )
}

for (const how of ['plain', 'encrypted'] as const) {
  const secretKey = how === 'encrypted' ? { secretKey: randomBytes(32).toString('base64') } : {}
  const limit = { userEventSizeLimit: 9216 }
  interopTest(
    `SF-32: an event that fills a packet reaches Go, and one of Go that fits none reaches Node by an exchange, ${how}`,
    async (stage) => {
      const [node, serf, agent] = (await Promise.all([
        stage.start('node', { name: 'node-1', profile: 'lan', ...secretKey, knobs: limit }),
        stage.start('serf', { name: 'serf-1', profile: 'lan', ...secretKey, ...limit }),
        stage.start('agent', { name: 'agent-1', profile: 'lan', ...secretKey }),
      ])) as [NodeMember, GoPeer, SerfAgent]
      for (const peer of [serf, agent]) await peer.join([node.address])

      await stage.step('what Node takes fits a packet, and its packets with it reach Go', async () => {
        const refusal = await node.event('full', randomBytes(5000)).then(
          () => 'it was taken',
          (error: Error) => error.message,
        )
        const [, used, allowed] = /takes (\d+) bytes, (\d+) are allowed/.exec(refusal) ?? []
        assert.ok(Number(allowed) > 1300 && Number(allowed) < 1400, refusal)
        const payload = randomBytes(5000 - (Number(used) - Number(allowed)))
        await node.event('full', payload)
        await everyoneHeard(stage, [node, serf, agent], ['full'], SOON_MS)
        assert.deepEqual([...(heard(serf, 'full').payload ?? [])], [...payload])
      })
      await stage.step('what only an exchange can carry comes with it', async () => {
        const payload = randomBytes(3000)
        await serf.event('beyond', payload)
        const late = (await stage.start('node', { name: 'node-2', profile: 'lan', ...secretKey })) as NodeMember
        await late.join([serf.address])
        await everyoneHeard(stage, [late], ['full', 'beyond'], SOON_MS)
        assert.deepEqual([...(heard(late, 'beyond').payload ?? [])], [...payload])
      })
      await judge(stage, 'events-large')
    },
    { lacks: async () => goMissing() },
  )
}

function payloads(): readonly (readonly [what: string, payload: Uint8Array])[] {
  return [
    ['none', new Uint8Array(0)],
    ['one', Uint8Array.of(0)],
    ['text', Buffer.from('deploy v7\n')],
    ['binary', Uint8Array.from({ length: 256 }, (_, at) => at)],
    ['not-utf-8', Uint8Array.of(0xc3, 0x28, 0xff, 0xfe, 0xed, 0xa0, 0x80)],
  ]
}

/** The longest payload of an event: what it takes on the wire is the type, five heads and four keys besides (wire-protocol §7), and the
 *  time grows with its number. */
function largest(name: string, ltime: number): number {
  const time = ltime + 1 < 128 ? 1 : 2
  return LIMIT - (1 + 1 + 'CC LTime Name Payload'.replaceAll(' ', '').length + 4 + 1 + time + 1 + name.length + 3)
}

/** A shell's line that writes down a name and the payload in hexadecimal. */
function handler(file: string): string {
  return `{ printf '%s ' "$SERF_USER_EVENT"; od -An -v -tx1 | tr -d ' \\n'; echo; } >> ${file}`
}

function handled(file: string): Map<string, string> {
  let text = ''
  try {
    text = readFileSync(file, 'utf8')
  } catch {}
  return new Map(text.split('\n').map((line) => line.split(' ') as [string, string]))
}
