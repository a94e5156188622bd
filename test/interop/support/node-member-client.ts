// One Node process with one `Membership`, as a peer of an interop scenario: starts node-member.ts, asks it over IPC, collects its events,
// warnings and stderr. Everything that waits has a bound.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { MembershipOptions } from '../../../src/options.ts'
import { onLines, watchOver } from './children.ts'
import type {
  Block,
  Blocked,
  KeysReport,
  KeyVerb,
  MemberReport,
  QueryAsked,
  QueryReport,
  Request,
  Spoken,
} from './node-member-protocol.ts'
import { type Happening, type HeardEvent, monotonicMs, type Peer, type PeerOptions, type Sight, until } from './peer.ts'
import { endpoint, portOf } from './ports.ts'

const PROGRAM = fileURLToPath(new URL('./node-member.ts', import.meta.url))
/** Longest wait for one answer. A leave takes 5 + 5 + 1 s at most, a join one TCP timeout of 10 s. */
const ANSWER_WITHIN_MS = 15_000
/** Longest life of a process after its `close()` or `leave()` has resolved. */
const GONE_WITHIN_MS = 5_000

type Asked = Request extends infer R ? (R extends { id: number } ? Omit<R, 'id'> : never) : never

export interface NodeMemberOptions extends PeerOptions {
  /** More options of its `Membership`; functions cannot be told. */
  readonly knobs?: Pick<
    MembershipOptions,
    | 'allowedCidrs'
    | 'reclaimAfterMs'
    | 'userEventSizeLimit'
    | 'querySizeLimit'
    | 'maxQueueDepth'
    | 'keyring'
    | 'keyringPath'
    | 'verifyIncoming'
    | 'verifyOutgoing'
    | 'coalescePeriodMs'
    | 'quiescentPeriodMs'
    | 'userCoalescePeriodMs'
    | 'userQuiescentPeriodMs'
  >
  /** Codes of warnings that belong to what is played; any other is a failure. Default: none. */
  readonly expects?: readonly string[]
}

export class NodeMember implements Peer {
  readonly kind = 'node'
  readonly program = 'node'
  readonly name: string
  readonly history: Happening[] = []
  readonly userEvents: HeardEvent[] = []
  /** All warnings, as text; those that were not expected make it fail. */
  readonly warnings: string[] = []
  /** Those of its own slowness: the machine's, as a rule, and no failure. */
  readonly stalls: string[] = []
  readonly #unexpected: string[] = []
  readonly #expected: ReadonlySet<string>
  readonly #conflicts: string[] = []
  readonly stderr: string[] = []
  readonly #lines: string[] = []
  readonly #child: ChildProcess
  readonly #closed: Promise<void>
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  #address = ''
  #tags: Readonly<Record<string, string>>
  #lastId = 0
  #end: { code: number | null; signal: NodeJS.Signals | null } | undefined
  #isEndAsked = false
  #complaint: string | undefined
  #closedBecause: string | undefined

  private constructor(options: NodeMemberOptions) {
    this.name = options.name
    this.#tags = options.tags ?? {}
    this.#expected = new Set(options.expects)
    const given = {
      name: options.name,
      bind: endpoint(options.host ?? '127.0.0.1', options.port ?? 0),
      profile: options.profile,
      ...(options.advertise === undefined ? {} : { advertise: options.advertise }),
      tags: this.#tags,
      ...(options.secretKey === undefined ? {} : { secretKey: options.secretKey }),
      ...(options.label === undefined ? {} : { label: options.label }),
      ...(options.snapshotPath === undefined ? {} : { snapshotPath: options.snapshotPath }),
      ...(options.rejoinAfterLeave === undefined ? {} : { rejoinAfterLeave: options.rejoinAfterLeave }),
      ...options.knobs,
    }
    const call = [...(options.prefix ?? []), process.execPath, '--import', 'tsx', PROGRAM, JSON.stringify(given)]
    this.#child = spawn(call[0] ?? '', call.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    watchOver(this.#child)
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null) onLines(stream, (text) => this.#complain(text))
    }
    this.#child.on('message', (spoken: Spoken) => this.#hear(spoken))
    this.#closed = new Promise((resolve) => {
      this.#child.once('error', (error) => this.#complain(`cannot run: ${error.message}`))
      this.#child.once('exit', (code, signal) => {
        this.#end = { code, signal }
      })
      this.#child.once('close', () => {
        for (const { reject } of this.#waiting.values()) reject(new Error(`${this.name} ended`))
        this.#waiting.clear()
        resolve()
      })
    })
  }

  /** Resolves when it is bound and the joins of `options.join` are done. Leaves no process behind when it rejects. */
  static async start(options: NodeMemberOptions): Promise<NodeMember> {
    const member = new NodeMember({ ...options, port: await portOf(options) })
    try {
      member.#address = (await member.#ask({ verb: 'start' })) as string
      if (options.join !== undefined) await member.join(options.join)
      return member
    } catch (error) {
      await member.stop()
      throw new Error(`node member ${options.name} did not start: ${member.tail()}`, { cause: error })
    }
  }

  get address(): string {
    return this.#address
  }

  get tags(): Readonly<Record<string, string>> {
    return this.#tags
  }

  get isRunning(): boolean {
    return this.#end === undefined && !this.#isEndAsked
  }

  get failure(): string | undefined {
    if (this.#end !== undefined && !this.#isEndAsked) {
      return `node member ${this.name} ended by itself, code ${this.#end.code}, signal ${this.#end.signal}`
    }
    if (this.#complaint !== undefined) return this.#complaint
    if (this.stderr.length > 0) return `node member ${this.name} wrote: ${this.stderr.slice(0, 20).join('\n')}`
    if (this.#unexpected.length > 0) return `node member ${this.name} warned: ${this.#unexpected.join('; ')}`
    return undefined
  }

  async view(): Promise<ReadonlyMap<string, Sight>> {
    const members = (await this.#ask({ verb: 'members' })) as MemberReport[]
    const view = new Map(members.map(({ name, state, tags, address }) => [name, { state, tags, address }]))
    if (view.size !== members.length) throw new Error(`${this.name} lists a name twice: ${JSON.stringify(members)}`)
    return view
  }

  async join(seeds: readonly string[], { ignoreOldEvents = false } = {}): Promise<void> {
    const { joined, failed } = (await this.#ask({ verb: 'join', seeds, ignoreOldEvents })) as {
      joined: number
      failed: string[]
    }
    if (joined === 0) throw new Error(`${this.name} joined none of ${seeds.join(', ')}: ${failed.join('; ')}`)
  }

  async setTags(tags: Readonly<Record<string, string>>): Promise<void> {
    this.#tags = tags
    await this.#ask({ verb: 'set-tags', tags })
  }

  async forceLeave(name: string, { prune = false }: { readonly prune?: boolean } = {}): Promise<void> {
    await this.#ask({ verb: 'force-leave', name, prune })
  }

  /** Asks every member about keys. Rejects as `membership.keys` does. */
  async keys(operation: KeyVerb, key?: string): Promise<KeysReport> {
    return (await this.#ask({ verb: 'keys', operation, key })) as KeysReport
  }

  /** Sends a user event. */
  async event(name: string, payload: string | Uint8Array = '', coalesce = false): Promise<void> {
    await this.#ask({ verb: 'event', name, payload: Buffer.from(payload).toString('base64'), coalesce })
  }

  /** Asks the cluster, and gives all that came once it is over. */
  async query(name: string, payload: string | Uint8Array = '', options: QueryAsked = {}): Promise<QueryReport> {
    const bytes = Buffer.from(payload).toString('base64')
    const { timeoutMs = 0 } = options
    return (await this.#ask(
      { verb: 'query', name, payload: bytes, options },
      ANSWER_WITHIN_MS + timeoutMs,
    )) as QueryReport
  }

  /** For one that is to close by itself: gives the reason, when its process is gone. */
  async closed(withinMs: number): Promise<string> {
    this.#isEndAsked = true
    await until(`${this.name} closes`, withinMs, () => (this.#closedBecause === undefined ? 'it runs' : undefined))
    await this.#endsByItself('it closed')
    return this.#closedBecause ?? ''
  }

  /** `membership.ping`. */
  async ping(name: string): Promise<number> {
    return (await this.#ask({ verb: 'ping', name })) as number
  }

  /** `membership.rtt`; fails where it is not known. */
  async rtt(one: string, other?: string): Promise<number> {
    const rtt = await this.#ask({ verb: 'rtt', names: other === undefined ? [one] : [one, other] })
    if (typeof rtt !== 'number') throw new Error(`${this.name} knows no round trip of ${one}`)
    return rtt
  }

  conflictsAbout(name: string): number {
    return this.#conflicts.filter((one) => one === name).length
  }

  /** Blocks its event loop; resolves with the time it stood still when it runs again. */
  async block(block: Block): Promise<Blocked> {
    return (await this.#ask({ verb: 'block', ...block }, ANSWER_WITHIN_MS + block.ms)) as Blocked
  }

  async leave(): Promise<void> {
    this.#isEndAsked = true
    await this.#ask({ verb: 'leave' })
    await this.#endsByItself('leave()')
  }

  /** Closes without goodbye; the process must end by itself. */
  async close(): Promise<void> {
    this.#isEndAsked = true
    await this.#ask({ verb: 'close' })
    await this.#endsByItself('close()')
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number> {
    this.#isEndAsked = true
    const at = monotonicMs()
    this.#child.kill(signal)
    await this.#closed
    return at
  }

  /** Closes it where it still runs, and holds what went wrong in that as its `failure`. */
  async stop(): Promise<void> {
    if (this.isRunning && this.#address !== '') {
      await this.close().catch((error: Error) => {
        this.#complaint ??= error.message
      })
    }
    this.#isEndAsked = true
    this.#child.kill('SIGKILL')
    await this.#closed
  }

  tail(): string {
    return this.#lines.slice(-60).join('\n')
  }

  async #endsByItself(after: string): Promise<void> {
    await until(`${this.name} ends by itself after ${after}`, GONE_WITHIN_MS, () =>
      this.#end === undefined ? 'the process runs on' : undefined,
    )
    await this.#closed
    if (this.#end?.code !== 0) throw new Error(`${this.name} ended with code ${this.#end?.code} after ${after}`)
  }

  #ask(asked: Asked, withinMs: number = ANSWER_WITHIN_MS): Promise<unknown> {
    const request: Request = { ...asked, id: ++this.#lastId }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(request.id)
        reject(new Error(`${this.name} did not answer ${request.verb} in ${withinMs} ms`))
      }, withinMs)
      this.#waiting.set(request.id, {
        resolve: (value) => {
          clearTimeout(timer)
          resolve(value)
        },
        reject: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      })
      this.#child.send(request, (error) => {
        if (error !== null) this.#settle(request.id, ({ reject: refuse }) => refuse(error))
      })
    })
  }

  #settle(id: number, how: (one: { resolve: (value: unknown) => void; reject: (error: Error) => void }) => void): void {
    const one = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (one !== undefined) how(one)
  }

  #hear(spoken: Spoken): void {
    switch (spoken.kind) {
      case 'answer':
        this.#settle(spoken.id, ({ resolve }) => resolve(spoken.value))
        break
      case 'refusal':
        this.#settle(spoken.id, ({ reject }) => reject(new Error(`${this.name}: ${spoken.error}`)))
        break
      case 'user-event': {
        const payload = new Uint8Array(Buffer.from(spoken.heard.payload, 'base64'))
        this.userEvents.push({ ...spoken.heard, at: spoken.at, payload })
        break
      }
      case 'warning':
        this.warnings.push(spoken.warning)
        if (spoken.code === 'stall') this.stalls.push(spoken.warning)
        else if (!this.#expected.has(spoken.code)) this.#unexpected.push(spoken.warning)
        this.#lines.push(`  ${spoken.at.toFixed(0)} warning ${spoken.warning}`)
        break
      case 'closed':
        this.#closedBecause = spoken.reason
        this.#lines.push(`  ${spoken.at.toFixed(0)} closed: ${spoken.reason}`)
        break
      case 'conflict':
        this.#conflicts.push(spoken.name)
        this.#lines.push(
          `  ${spoken.at.toFixed(0)} conflict about ${spoken.name}: ${spoken.address}, ${spoken.claimedBy}`,
        )
        break
      case 'event': {
        const type = spoken.type.slice('member-'.length) as Happening['type']
        this.history.push({ at: spoken.at, type, name: spoken.member.name })
        this.#lines.push(`  ${spoken.at.toFixed(0)} ${spoken.type} ${JSON.stringify(spoken.member)}`)
      }
    }
  }

  #complain(text: string): void {
    this.stderr.push(text)
    this.#lines.push(`  ${monotonicMs().toFixed(0)} wrote ${text}`)
  }
}
