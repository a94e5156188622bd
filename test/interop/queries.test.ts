// Queries between Node, the current Serf and Debian's old agent: five members of Go and five of Node; either side asks, filters choose, and
// every member that is meant answers exactly once, whatever the payload and through however many relays.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { InternalQuery } from '../../src/serf/internal-queries.ts'
import { encodeQueryFilter } from '../../src/wire/query-filter.ts'
import { encodeSerfMessage } from '../../src/wire/serf-messages.ts'
import { goMissing } from './support/go-build.ts'
import type { GoPeer } from './support/go-peer.ts'
import { interopTest } from './support/interop-test.ts'
import { readAllowList, unexcused } from './support/logs.ts'
import type { NodeMember } from './support/node-member-client.ts'
import type { QueryAsked } from './support/node-member-protocol.ts'
import type { SerfAgent } from './support/serf-agent.ts'
import { spreadBoundMs } from './support/timing.ts'
import { everyoneAgrees } from './support/views.ts'

type Asker = GoPeer | NodeMember

/** What either kind allows a query and a response. */
const LIMIT = 1024
/** Long enough for all answers on one machine; a Go asker always waits all of it. */
const TIMEOUT_MS = 3_000

/** What the play itself makes a Go member write: of the pattern that is none, of a handler that reads nothing, and of its own command line,
 *  which hangs up at the end of its time, whatever is still on its way to it. */
const OWN_LINES =
  /^serf: failed to compile filter regex|^Error writing payload|^agent\.ipc: Failed to stream \w+ to ipc\.client: .*: use of closed network connection$/

/** What a query's filter for `nobody` takes: the bytes it is in, their head, and that the list is one and not nil. */
const FILTER_BYTES = encodeQueryFilter({ type: 'nodes', nodes: ['nobody'] }).length + 1

/** Gossip leaves a member out, or loses an answer of one, once in some hundred queries. */
const ATTEMPTS = 3
/** How many of all queries of a play may be asked again, in percent; and how many of all answers may be missing, from members of either
 *  kind, whoever asks. */
const MOST_ASKED_AGAIN = 8
const MOST_MISSED = 1.5

interface Answered {
  readonly responses: readonly { readonly from: string; readonly payload: string }[]
  readonly acks: readonly string[]
}

/** Who is to answer, and to ack. */
interface Expected {
  readonly what: string
  readonly responses: readonly string[]
  readonly acks?: readonly string[]
}

/** Counts what is asked again, so that what one loses now and then cannot become what one loses often. */
class Questions {
  #asked = 0
  #askedAgain = 0
  readonly #wanted = { go: 0, node: 0 }
  readonly #missed = { go: 0, node: 0 }

  /** Asks until all of them have answered, a few times at most. Never has anybody answered twice, nor anybody else at all. */
  async answers<Report extends Answered>(expected: Expected, ask: () => Promise<Report>): Promise<Report> {
    const { what, responses, acks = [] } = expected
    for (let attempt = 1; ; attempt++) {
      const report = await ask()
      const answered = [report.responses.map(({ from }) => from), report.acks]
      let missed = 0
      for (const [at, wanted] of [responses, acks].entries()) {
        const names = answered[at] ?? []
        assert.equal(new Set(names).size, names.length, `${what}, one twice: ${names}`)
        for (const name of names) assert.ok(wanted.includes(name), `${what}: ${name} answered`)
        for (const name of wanted) {
          const kind = name.startsWith('node') ? 'node' : 'go'
          this.#wanted[kind]++
          if (names.includes(name)) continue
          this.#missed[kind]++
          missed++
        }
      }
      this.#asked++
      if (missed === 0) return report
      this.#askedAgain++
      assert.ok(attempt < ATTEMPTS, `${what}: only ${answered[0]} answered, and ${answered[1]} acked`)
    }
  }

  /** @throws where more was lost than may be */
  judge(note: (text: string) => void): void {
    const share = (part: number, whole: number): number => (100 * part) / whole
    const again = share(this.#askedAgain, this.#asked)
    const [go, node] = (['go', 'node'] as const).map((kind) => share(this.#missed[kind], this.#wanted[kind])) as [
      number,
      number,
    ]
    const { go: ofGo, node: ofNode } = this.#wanted
    const text =
      `${this.#askedAgain} of ${this.#asked} queries were asked again; missing were ${this.#missed.go} of ${ofGo} answers of Go, ` +
      `${this.#missed.node} of ${ofNode} of Node`
    note(text)
    assert.ok(this.#asked > 40 && ofGo > 100 && ofNode > 100, text)
    assert.ok(again <= MOST_ASKED_AGAIN && go <= MOST_MISSED && node <= MOST_MISSED, text)
  }
}

/** What an old agent says to the same queries as our programs; it has no way to answer so many zeros. */
const HANDLERS = [
  '-event-handler=query:echo=cat',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the agent's shell puts the name in, not JavaScript
  '-event-handler=query:name=printf %s "${SERF_SELF_NAME}"',
]

for (const how of ['plain', 'encrypted'] as const) {
  interopTest(
    `SF-40, SF-43: queries reach Node from Go and Go from Node, five and five, ${how}`,
    async (stage) => {
      const secretKey = how === 'encrypted' ? { secretKey: randomBytes(32).toString('base64') } : {}
      const start = async (program: 'agent' | 'serf' | 'node', number: number) => {
        const tags = { kind: program, zone: number % 2 === 0 ? 'even' : 'odd' }
        const options = { name: `${program}-${number}`, profile: 'lan', tags, ...secretKey } as const
        // At `debug` an agent writes what its handlers write, whatever bytes those are.
        const logLevel = 'info' as const
        const own = program === 'agent' ? { flags: HANDLERS, logLevel } : { expects: ['filter-invalid'] }
        return stage.start(program, { ...options, ...own })
      }
      const agents = (await Promise.all([1, 2].map((number) => start('agent', number)))) as SerfAgent[]
      const serfs = (await Promise.all([1, 2, 3].map((number) => start('serf', number)))) as GoPeer[]
      const nodes = (await Promise.all([1, 2, 3, 4, 5].map((number) => start('node', number)))) as NodeMember[]
      const all = [...agents, ...serfs, ...nodes].map(({ name }) => name)
      const current = all.filter((name) => !name.startsWith('agent'))
      const [agent, serf, node] = [agents[0] as SerfAgent, serfs[0] as GoPeer, nodes[0] as NodeMember]
      for (const peer of [...agents.slice(1), ...serfs, ...nodes]) await peer.join([agent.address])
      await everyoneAgrees(stage, 'five and five', spreadBoundMs('lan'))
      const askers: readonly Asker[] = [serf, node]
      const questions = new Questions()

      /** Everybody who is expected answers with its own name, and nobody else. */
      const namesFor = async (asker: Asker, responses: readonly string[], options: QueryAsked): Promise<void> => {
        const what = `${asker.name}: ${JSON.stringify(options)}`
        const expected = { what, responses, acks: options.ack === true ? responses : [] }
        const report = await questions.answers<Answered>(expected, () =>
          asker.query('name', '', { timeoutMs: TIMEOUT_MS, ...options }),
        )
        for (const { from, payload } of report.responses) assert.equal(String(Buffer.from(payload, 'base64')), from)
      }
      /** The same by `serf query`, which always wants acks. */
      const namesForCli = async (responses: readonly string[], ...flags: readonly string[]): Promise<void> => {
        await questions.answers({ what: `serf query ${flags}`, responses, acks: responses }, async () => {
          const { acks, responses } = await agent.query('name', '', ['-timeout=2500ms', ...flags])
          for (const [name, payload] of responses) assert.equal(payload, name)
          return { acks, responses: [...responses].map(([from, payload]) => ({ from, payload })) }
        })
      }

      await stage.step('`serf query` has an ack and an answer of everybody', () => namesForCli(all))
      await stage.step('`serf reachability` finds everybody', async () => {
        // It fails where one ack is missing.
        let [tries, answer] = [0, '']
        while (answer === '') {
          tries++
          answer = await agent.reachability().catch((error: Error) => {
            if (tries === ATTEMPTS) throw error
            return ''
          })
        }
        assert.match(answer, /Successfully contacted all live nodes/)
      })
      await stage.step('with relay factor 3 there is exactly one ack and one answer of each', async () => {
        for (const asker of askers) {
          for (const relayFactor of [0, 3]) await namesFor(asker, all, { ack: true, relayFactor })
        }
        await namesForCli(all, '-relay-factor=3')
      })
      await stage.step('a query of Node is over once all have answered', async () => {
        const options = { ack: true, timeoutMs: 5_000 }
        const expected = { what: node.name, responses: all, acks: all }
        const { outcome } = await questions.answers(expected, () => node.query('name', '', options))
        assert.equal(outcome, 'complete')
      })
      await stage.step('filters choose the same members, whoever asks and whoever is asked', async () => {
        const choices: readonly (readonly [QueryAsked, (name: string) => boolean])[] = [
          [{ filterTags: { kind: '^node$' } }, (name) => name.startsWith('node')],
          [{ filterTags: { kind: 'o|f', zone: '^(?i)EVEN$' } }, (name) => /(node|serf)-[24]/.test(name)],
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
              await namesFor(asker, all.filter(isMeant), { ...options, relayFactor, timeoutMs: 2_000 })
            }
          }
        }
        await namesForCli(['node-3'], '-tag=zone=od+', '-node=node-3', '-node=serf-2')
      })
      await stage.step('a pattern that is none matches nobody; Node says so, and does not even ask', async () => {
        await namesFor(serf, [], { filterTags: { kind: '(?=node)' }, timeoutMs: 1_000 })
        const told = nodes.filter(({ warnings }) => warnings.some((text) => text.includes('"code":"filter-invalid"')))
        assert.ok(told.length >= 4, `${told.map(({ name }) => name)} warn`)
        await assert.rejects(
          node.query('name', '', { filterTags: { kind: '(?=node)' } }),
          /OptionsError.*filterTags\.kind/,
        )
      })
      await stage.step('payloads of any bytes go there and come back as they were', async () => {
        for (const asker of askers) {
          const largest = await largestQuery(asker)
          const payloads = [0, 1, largest].map((length) => randomBytes(length))
          payloads.push(Buffer.from([0xff, 0xfe, 0, 0xc3, 0x28, 10]), Buffer.from('zwölf\n'))
          for (const payload of payloads) {
            // An old agent answers nothing where its handler wrote nothing.
            const responses = payload.length === 0 ? current : all
            const what = `${asker.name}, ${payload.length} bytes`
            const report = await questions.answers<Answered>({ what, responses }, () =>
              asker.query('echo', payload, { timeoutMs: TIMEOUT_MS }),
            )
            for (const { from, payload: base64 } of report.responses) {
              const [back, sent] = [Buffer.from(base64, 'base64').toString('hex'), payload.toString('hex')]
              // An agent hands its handler a newline more, where there is none at the end.
              const isSame = back === sent || (from.startsWith('agent') && back === `${sent}0a`)
              assert.ok(isSame, `${asker.name} asked ${from} with ${sent}: ${back}`)
            }
          }
        }
      })
      await stage.step('SF-46: either kind answers up to 1024 bytes, and none a byte more', async () => {
        const options = { timeoutMs: TIMEOUT_MS, filterTags: { kind: 'serf|node' } }
        for (const asker of askers) {
          const zeros = (count: number) => {
            const expected = { what: `${asker.name}, ${count} zeros`, responses: current }
            return questions.answers<Answered>(expected, () => asker.query('zeros', `${count}`, options))
          }
          for (const { from, payload } of (await zeros(largestResponse())).responses) {
            const bytes = Buffer.from(payload, 'base64')
            assert.ok(bytes.every((byte) => byte === 0) && bytes.length === largestResponse(), `${from}: ${bytes}`)
          }
          // The number of a query is of up to four bytes less.
          for (const { from, payload } of (await zeros(largestResponse() + 5)).responses) {
            assert.match(String(Buffer.from(payload, 'base64')), /1024/, from)
          }
        }
      })
      await stage.step("Serf's own ping finds everybody by their acks", async () => {
        for (const asker of askers) {
          const options = { ack: true, timeoutMs: TIMEOUT_MS }
          const expected = { what: `${asker.name} pings`, responses: [], acks: all }
          await questions.answers<Answered>(expected, () => asker.query(InternalQuery.ping, '', options))
        }
        await assert.rejects(node.query(InternalQuery.conflict), /OptionsError.*_serf_/)
      })
      await stage.step(
        'hardly anything was asked again, and answers of either kind were hardly ever missing',
        async () => questions.judge(stage.note),
      )
      await stage.stop()
      assert.deepEqual(stage.faults(), [], await stage.dump())
      const lines = stage.agents.flatMap(({ log }) => log).filter(({ text }) => !OWN_LINES.test(text))
      assert.deepEqual(unexcused(lines, all, 'queries', readAllowList()), [])
    },
    { lacks: async () => goMissing() },
  )
}

interopTest(
  'SF-47: an agent that speaks protocol 3 refuses to query; Node speaks no other than 5, and is answered by it',
  async (stage) => {
    const old = (await stage.start('agent', {
      name: 'agent-1',
      profile: 'lan',
      flags: ['-protocol=3', ...HANDLERS],
      // At `debug` an agent writes what its handlers write.
      logLevel: 'info',
    })) as SerfAgent
    const node = (await stage.start('node', { name: 'node-1', profile: 'lan', join: [old.address] })) as NodeMember
    await everyoneAgrees(stage, 'two alive', spreadBoundMs('lan'))
    await assert.rejects(old.query('name', '', ['-timeout=1s']), /not supported/)
    const questions = new Questions()
    const members = await old.members()
    assert.deepEqual(members.map(({ name, protocol }) => [name, protocol.version]).toSorted(), [
      ['agent-1', 3],
      ['node-1', 5],
    ])
    const names = ['agent-1', 'node-1']
    const expected = { what: 'node-1', responses: names, acks: names }
    await questions.answers(expected, () => node.query('name', '', { ack: true, timeoutMs: TIMEOUT_MS }))
    await stage.stop()
    assert.deepEqual(stage.faults(), [], await stage.dump())
  },
)

/** The largest payload of an `echo`; a byte more is refused for the limit. Go tells its address in 16 bytes, and its times in more than we. */
async function largestQuery(asker: Asker): Promise<number> {
  let refused = ''
  for (let length = LIMIT; ; length--) {
    try {
      await asker.query('echo', randomBytes(length), { timeoutMs: TIMEOUT_MS, filterNodes: ['nobody'] })
      assert.match(refused, /1024/)
      assert.ok(length > 800, `${asker.name}: ${length}`)
      // Without the filter there is room for it: its list, and what is in it.
      return length + FILTER_BYTES
    } catch (error) {
      refused = (error as Error).message
    }
  }
}

/** The same of a response, from a name of six characters. */
function largestResponse(): number {
  const message = { type: 'query-response', ltime: 127, id: 2 ** 30, from: 'node-1', flags: 0 } as const
  return LIMIT - (encodeSerfMessage({ ...message, payload: new Uint8Array(900) }).length - 900)
}
