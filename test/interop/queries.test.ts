// Queries between Node, the current Serf and Debian's old agent: five members of Go and five of Node; either side asks, filters choose, and
// every member that is meant answers exactly once, whatever the payload and through however many relays.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { InternalQuery } from '../../src/serf/internal-queries.ts'
import { encodeSerfMessage } from '../../src/wire/serf-messages.ts'
import { goMissing } from './support/go-build.ts'
import type { GoPeer } from './support/go-peer.ts'
import { interopTest } from './support/interop-test.ts'
import type { NodeMember } from './support/node-member-client.ts'
import type { QueryAsked } from './support/node-member-protocol.ts'
import { judge } from './support/scenario-test.ts'
import type { SerfAgent } from './support/serf-agent.ts'
import { spreadBoundMs } from './support/timing.ts'
import { everyoneAgrees } from './support/views.ts'

type Asker = GoPeer | NodeMember

/** What either kind allows a query and a response. */
const LIMIT = 1024
/** Long enough for all answers on one machine; a Go asker always waits all of it. */
const TIMEOUT_MS = 2_000

/** What an old agent says to the same queries as our programs; it has no way to answer so many zeros. */
const HANDLERS = [
  '-event-handler=query:echo=cat',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's
  '-event-handler=query:name=printf %s "${SERF_SELF_NAME}"',
]

for (const how of ['plain', 'encrypted'] as const) {
  interopTest(
    `SF-40, SF-43: queries reach Node from Go and Go from Node, five and five, ${how}`,
    async (stage) => {
      const secretKey = how === 'encrypted' ? { secretKey: randomBytes(32).toString('base64') } : {}
      const start = async (program: 'agent' | 'serf' | 'node', number: number) => {
        const tags = { kind: program, zone: number % 2 === 0 ? 'even' : 'odd' }
        const options = { name: `${program}-${number}`, profile: 'local', tags, ...secretKey } as const
        const own = program === 'agent' ? { flags: HANDLERS } : { expects: ['filter-invalid'] }
        return stage.start(program, { ...options, ...own })
      }
      const agents = (await Promise.all([1, 2].map((number) => start('agent', number)))) as SerfAgent[]
      const serfs = (await Promise.all([1, 2, 3].map((number) => start('serf', number)))) as GoPeer[]
      const nodes = (await Promise.all([1, 2, 3, 4, 5].map((number) => start('node', number)))) as NodeMember[]
      const all = [...agents, ...serfs, ...nodes].map(({ name }) => name).sort()
      const [agent, serf, node] = [agents[0] as SerfAgent, serfs[0] as GoPeer, nodes[0] as NodeMember]
      for (const peer of [...agents.slice(1), ...serfs, ...nodes]) await peer.join([agent.address])
      await everyoneAgrees(stage, 'five and five', spreadBoundMs('local'))

      /** Names of who answered, in order; each must have answered with its own name. */
      const namesFor = async (asker: Asker, options: QueryAsked): Promise<string[]> => {
        const { responses } = await asker.query('name', '', { timeoutMs: TIMEOUT_MS, ...options })
        for (const { from, payload } of responses) assert.equal(String(Buffer.from(payload, 'base64')), from)
        return responses.map(({ from }) => from).sort()
      }
      const askers: readonly Asker[] = [serf, node]

      await stage.step('`serf query` has an ack and an answer of everybody', async () => {
        const { acks, responses } = await agent.query('name', '', ['-timeout=2s'])
        assert.deepEqual([...acks].sort(), all)
        assert.deepEqual([...responses.keys()].sort(), all)
        for (const [name, payload] of responses) assert.equal(payload, name)
      })
      await stage.step('`serf reachability` finds everybody', async () => {
        assert.match(await agent.reachability(), /Successfully contacted all live nodes/)
      })
      await stage.step('with relay factor 3 there is exactly one ack and one answer of each', async () => {
        for (const asker of askers) {
          for (const relayFactor of [0, 3]) {
            const options = { ack: true, relayFactor, timeoutMs: TIMEOUT_MS }
            const { acks, responses } = await asker.query('name', '', options)
            assert.deepEqual([...acks].sort(), all, `${asker.name}, ${relayFactor}`)
            assert.deepEqual(responses.map(({ from }) => from).sort(), all, `${asker.name}, ${relayFactor}`)
          }
        }
        const relayed = await agent.query('name', '', ['-timeout=2s', '-relay-factor=3'])
        assert.deepEqual([...relayed.acks].sort(), all)
        assert.deepEqual([...relayed.responses.keys()].sort(), all)
      })
      await stage.step('a query of Node is over once all have answered', async () => {
        const began = performance.now()
        const { outcome, responses } = await node.query('name', '', { ack: true, timeoutMs: 10_000 })
        assert.deepEqual([outcome, responses.length], ['complete', 10])
        assert.ok(performance.now() - began < 8_000)
      })
      await stage.step('filters choose the same members, whoever asks and whoever is asked', async () => {
        const choices: readonly (readonly [QueryAsked, (name: string) => boolean])[] = [
          [{ filterTags: { kind: '^node$' } }, (name) => name.startsWith('node')],
          [{ filterTags: { kind: 'O|e', zone: '^(?i)EVEN$' } }, (name) => /node-[24]|serf-2/.test(name)],
          [{ filterNodes: ['node-2', 'agent-1', 'nobody'] }, (name) => name === 'node-2' || name === 'agent-1'],
          [
            { filterNodes: ['node-1', 'serf-1', 'serf-2'], filterTags: { zone: 'odd' } },
            (name) => /(serf|node)-1/.test(name),
          ],
          [{ filterTags: { nothing: '^$', kind: '\\Qag\\E' } }, (name) => name.startsWith('agent')],
          [{ filterTags: { kind: '[[:digit:]]' } }, () => false],
        ]
        for (const [options, isMeant] of choices) {
          for (const asker of askers) {
            for (const relayFactor of [0, 3]) {
              const names = await namesFor(asker, { ...options, relayFactor, timeoutMs: 1_000 })
              assert.deepEqual(names, all.filter(isMeant), `${asker.name}: ${JSON.stringify(options)}`)
            }
          }
        }
        const { responses } = await agent.query('name', '', [
          '-timeout=1s',
          '-tag=zone=od+',
          '-node=node-3',
          '-node=serf-2',
        ])
        assert.deepEqual([...responses.keys()], ['node-3'])
      })
      await stage.step('a pattern that is none matches nobody; Node says so, and does not even ask', async () => {
        assert.deepEqual(await namesFor(serf, { filterTags: { kind: '(?=node)' }, timeoutMs: 1_000 }), [])
        for (const { name, warnings } of nodes) {
          assert.ok(
            warnings.some((text) => text.includes('"code":"filter-invalid"')),
            name,
          )
        }
        await assert.rejects(
          node.query('name', '', { filterTags: { kind: '(?=node)' } }),
          /OptionsError.*filterTags\.kind/,
        )
      })
      await stage.step('payloads of any bytes go there and come back as they were', async () => {
        for (const asker of askers) {
          const largest = largestQuery(asker, 'echo')
          const payloads = [0, 1, largest].map((length) => randomBytes(length))
          payloads.push(Buffer.from([0xff, 0xfe, 0, 0xc3, 0x28, 10]), Buffer.from('zwölf\n'))
          for (const payload of payloads) {
            const { responses } = await asker.query('echo', payload, { timeoutMs: TIMEOUT_MS })
            // An old agent answers nothing where its handler wrote nothing.
            const expected = payload.length === 0 ? all.filter((name) => !name.startsWith('agent')) : all
            assert.deepEqual(
              responses.map(({ from }) => from).sort(),
              expected,
              `${asker.name}: ${payload.length} bytes`,
            )
            for (const { from, payload: base64 } of responses) {
              const [back, sent] = [Buffer.from(base64, 'base64').toString('hex'), payload.toString('hex')]
              // An agent hands its handler a newline more, where there is none at the end.
              const isSame = back === sent || (from.startsWith('agent') && back === `${sent}0a`)
              assert.ok(isSame, `${asker.name} asked ${from} with ${sent}: ${back}`)
            }
          }
          await assert.rejects(asker.query('echo', randomBytes(largest + 1), { timeoutMs: TIMEOUT_MS }), /1024/)
        }
      })
      await stage.step('SF-46: either kind answers up to 1024 bytes, and none a byte more', async () => {
        const filterTags = { kind: 'serf|node' }
        for (const asker of askers) {
          for (const excess of [0, 1]) {
            // All names here are of one length, and so are the numbers of the query, but for its time.
            const { responses } = await asker.query('zeros', `${largestResponse()}`, {
              timeoutMs: TIMEOUT_MS,
              filterTags,
            })
            assert.equal(responses.length, 8)
            for (const { from, payload } of responses) {
              const bytes = Buffer.from(payload, 'base64')
              assert.ok(bytes.every((byte) => byte === 0) && bytes.length === largestResponse(), `${from}: ${bytes}`)
            }
            const more = `${largestResponse() + 5 + excess}`
            const refused = await asker.query('zeros', more, { timeoutMs: TIMEOUT_MS, filterTags })
            assert.equal(refused.responses.length, 8)
            for (const { from, payload } of refused.responses) {
              assert.match(String(Buffer.from(payload, 'base64')), /1024/, from)
            }
          }
        }
      })
      await stage.step("Serf's own ping finds everybody by their acks", async () => {
        const { acks, responses, outcome } = await node.query(InternalQuery.ping, '', { ack: true })
        assert.deepEqual([[...acks].sort(), responses, outcome], [all, [], 'complete'])
        const theirs = await serf.query(InternalQuery.ping, '', { ack: true, timeoutMs: TIMEOUT_MS })
        assert.deepEqual([...theirs.acks].sort(), all)
        await assert.rejects(node.query(InternalQuery.conflict), /OptionsError.*_serf_/)
      })
      await judge(stage, 'queries')
    },
    { lacks: async () => goMissing() },
  )
}

/** Bytes of the largest payload with which the asker's query of that name takes no more than it may. */
function largestQuery({ address }: Asker, name: string): number {
  const length = (payload: number): number =>
    encodeSerfMessage({
      type: 'query',
      // Times above 127 take a byte more; this play does not come there.
      ltime: 1,
      id: 2 ** 30,
      addr: new Uint8Array(address.includes('[') ? 16 : 4),
      port: Number(address.split(':').at(-1)),
      sourceNode: 'node-1',
      filters: [],
      flags: 0,
      relayFactor: 0,
      timeoutNs: TIMEOUT_MS * 1e6,
      name,
      payload: new Uint8Array(payload),
    }).length
  return LIMIT - (length(900) - 900)
}

/** The same of a response, from a name of six characters. */
function largestResponse(): number {
  const message = { type: 'query-response', ltime: 127, id: 2 ** 30, from: 'node-1', flags: 0 } as const
  return LIMIT - (encodeSerfMessage({ ...message, payload: new Uint8Array(900) }).length - 900)
}
