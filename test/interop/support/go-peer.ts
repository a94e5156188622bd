// One of our Go programs (../peers) as a peer: `serf` embeds the current Serf, `memberlist` memberlist alone. Asked by JSON lines, its log
// read from stderr. Everything that waits has a bound.
import { type ChildProcess, spawn } from 'node:child_process'
import { join as joinPath } from 'node:path'
import { onLines, watchOver } from './children.ts'
import { builtPeers } from './go-build.ts'
import { happeningOf, type LogLine, parseLogLine, tellsConflict } from './logs.ts'
import type { KeysReport, KeyVerb, QueryAsked, QueryReport } from './node-member-protocol.ts'
import {
  type Happening,
  type HeardEvent,
  monotonicMs,
  type Peer,
  type PeerOptions,
  type Sight,
  type State,
  until,
} from './peer.ts'
import { endpoint, portOf } from './ports.ts'

/** Longest wait for one answer, as for an agent's. */
const ANSWER_WITHIN_MS = 15_000
/** Longest life of a process after it has answered its last request. */
const GONE_WITHIN_MS = 5_000

export interface GoPeerOptions extends PeerOptions {
  readonly program: 'serf' | 'memberlist'
  /** Most bytes of a user event that it sends; `serf` only. Default 512. */
  readonly userEventSizeLimit?: number
  /** A file of keys that is read at the start and rewritten when they change; `serf` only. */
  readonly keyringFile?: string
  /** memberlist's two switches, for the time in which encryption is turned on. Default true. */
  readonly verifyIncoming?: boolean
  readonly verifyOutgoing?: boolean
}

interface Spoken {
  readonly kind: 'ready' | 'answer' | 'refusal' | 'event' | 'heard'
  readonly id: number
  readonly at: number
  readonly type: Happening['type'] | 'conflict'
  readonly name: string
  readonly value: unknown
  readonly error: string
  readonly heard: {
    readonly name: string
    /** Base64; nil is null. */
    readonly bytes: string | null
    readonly ltime: number
    readonly coalesce: boolean
  }
}

interface Waiter {
  resolve(value: unknown): void
  reject(error: Error): void
}

interface MemberLine extends Sight {
  readonly name: string
  readonly state: State
}

export class GoPeer implements Peer {
  readonly kind = 'go'
  readonly program: GoPeerOptions['program']
  readonly name: string
  readonly log: LogLine[] = []
  readonly history: Happening[] = []
  readonly userEvents: HeardEvent[] = []
  readonly #child: ChildProcess
  readonly #closed: Promise<void>
  readonly #waiting = new Map<number, Waiter>()
  #address = ''
  #tags: Readonly<Record<string, string>>
  #lastId = 0
  #end: { code: number | null; signal: NodeJS.Signals | null } | undefined
  #isEndAsked = false

  private constructor(options: GoPeerOptions, folder: string) {
    this.name = options.name
    this.program = options.program
    this.#tags = options.tags ?? {}
    const flags = [`-name=${options.name}`, `-bind=${endpoint(options.host ?? '127.0.0.1', options.port ?? 0)}`]
    flags.push(`-profile=${options.profile}`)
    for (const [key, value] of Object.entries(this.#tags)) flags.push('-tag', `${key}=${value}`)
    if (options.secretKey !== undefined) flags.push(`-key=${options.secretKey}`)
    if (options.label !== undefined) flags.push(`-label=${options.label}`)
    if (options.snapshotPath !== undefined) flags.push(`-snapshot=${options.snapshotPath}`)
    if (options.rejoinAfterLeave === true) flags.push('-rejoin')
    if (options.userEventSizeLimit !== undefined) flags.push(`-user-event-size-limit=${options.userEventSizeLimit}`)
    if (options.advertise !== undefined) flags.push(`-advertise=${options.advertise}`)
    if (options.keyringFile !== undefined) flags.push(`-keyring-file=${options.keyringFile}`)
    if (options.verifyIncoming === false) flags.push('-verify-incoming=false')
    if (options.verifyOutgoing === false) flags.push('-verify-outgoing=false')
    const call = [...(options.prefix ?? []), joinPath(folder, `${options.program}-peer`), ...flags]
    this.#child = spawn(call[0] ?? '', call.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] })
    watchOver(this.#child)
    // A write to a process that has just ended is answered by its end.
    this.#child.stdin?.on('error', () => {})
    if (this.#child.stdout !== null) onLines(this.#child.stdout, (text) => this.#hear(text))
    if (this.#child.stderr !== null) onLines(this.#child.stderr, (text) => this.#read(text))
    this.#closed = new Promise((resolve) => {
      this.#child.once('error', (error) => this.#read(`cannot run: ${error.message}`))
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
  static async start(options: GoPeerOptions): Promise<GoPeer> {
    const peer = new GoPeer({ ...options, port: await portOf(options) }, await builtPeers())
    try {
      await until(`${peer.name} is ready`, ANSWER_WITHIN_MS, () => {
        if (peer.#end !== undefined) return undefined
        return peer.#address === '' ? 'it has not said so' : undefined
      })
      if (peer.#end !== undefined) throw new Error(`ended with code ${peer.#end.code}`)
      if (options.join !== undefined) await peer.join(options.join)
      return peer
    } catch (error) {
      await peer.stop()
      throw new Error(`${options.program}-peer ${options.name} did not start: ${peer.tail()}`, { cause: error })
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
    if (this.#end === undefined || this.#isEndAsked) return undefined
    return `${this.program}-peer ${this.name} ended by itself, code ${this.#end.code}, signal ${this.#end.signal}`
  }

  /** memberlist alone lists only who is there. */
  async view(): Promise<ReadonlyMap<string, Sight>> {
    const members = (await this.#ask('members')) as MemberLine[]
    return new Map(members.map(({ name, state, tags, address }) => [name, { state, tags, address }]))
  }

  async join(seeds: readonly string[], { ignoreOldEvents = false } = {}): Promise<void> {
    await this.#ask('join', { seeds, ignoreOld: ignoreOldEvents })
  }

  async setTags(tags: Readonly<Record<string, string>>): Promise<void> {
    this.#tags = tags
    await this.#ask('set-tags', { tags })
  }

  async forceLeave(name: string, { prune = false }: { readonly prune?: boolean } = {}): Promise<void> {
    await this.#ask('force-leave', { name, prune })
  }

  /** memberlist's ping of a member at an address: the round trip in milliseconds; `serf` only. */
  async ping(name: string, address: string): Promise<number> {
    return (await this.#ask('ping', { name, seeds: [address] })) as number
  }

  /** Dispatches a user event. */
  async event(name: string, payload: string | Uint8Array = '', coalesce = false): Promise<void> {
    await this.#ask('event', { name, bytes: Buffer.from(payload).toString('base64'), coalesce })
  }

  /** Asks the cluster, and gives all that came in the full time; `serf` only. Payloads as base64. */
  async query(
    name: string,
    payload: string | Uint8Array = '',
    options: QueryAsked = {},
  ): Promise<Omit<QueryReport, 'outcome'>> {
    const fields = { name, bytes: Buffer.from(payload).toString('base64'), ...options }
    const { responses, acks } = (await this.#ask('query', fields)) as {
      responses: { from: string; bytes: string | null }[]
      acks: string[]
    }
    return { acks, responses: responses.map(({ from, bytes }) => ({ from, payload: bytes ?? '' })) }
  }

  /** For one that is to end by itself, after a vote about its name. */
  async ended(withinMs: number): Promise<void> {
    this.#isEndAsked = true
    await until(`${this.name} ends by itself`, withinMs, () => (this.#end === undefined ? 'it runs' : undefined))
    await this.#closed
  }

  /** Asks every member about keys. */
  async keys(operation: KeyVerb, key = ''): Promise<KeysReport> {
    return (await this.#ask('keys', { operation, key })) as KeysReport
  }

  conflictsAbout(name: string): number {
    return this.log.filter((line) => tellsConflict(line, name)).length
  }

  async leave(): Promise<void> {
    this.#isEndAsked = true
    await this.#ask('leave')
    await until(`${this.name} has ended`, GONE_WITHIN_MS, () => (this.#end === undefined ? 'it runs' : undefined))
    await this.#closed
    if (this.#end?.code !== 0) throw new Error(`${this.name} left, but ended with code ${this.#end?.code}`)
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number> {
    this.#isEndAsked = true
    const at = monotonicMs()
    this.#child.kill(signal)
    await this.#closed
    return at
  }

  async stop(): Promise<void> {
    this.#isEndAsked = true
    this.#child.kill('SIGKILL')
    await this.#closed
  }

  tail(): string {
    return this.log
      .slice(-60)
      .map((line) => `  ${line.at.toFixed(0)} [${line.level}] ${line.text}`)
      .join('\n')
  }

  #ask(verb: string, fields: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#settle(id, (one) => one.reject(new Error(`no answer in ${ANSWER_WITHIN_MS} ms`))),
        ANSWER_WITHIN_MS,
      )
      this.#waiting.set(id, {
        resolve: (value) => {
          clearTimeout(timer)
          resolve(value)
        },
        reject: (error) => {
          clearTimeout(timer)
          reject(new Error(`${this.name}, asked for ${verb}: ${error.message}`))
        },
      })
      this.#child.stdin?.write(`${JSON.stringify({ id, verb, ...fields })}\n`)
    })
  }

  #settle(id: number, how: (one: Waiter) => void): void {
    const one = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (one !== undefined) how(one)
  }

  #hear(text: string): void {
    const spoken = JSON.parse(text) as Spoken
    switch (spoken.kind) {
      case 'ready':
        this.#address = spoken.value as string
        break
      case 'answer':
        this.#settle(spoken.id, (one) => one.resolve(spoken.value))
        break
      case 'refusal':
        this.#settle(spoken.id, (one) => one.reject(new Error(spoken.error)))
        break
      case 'event':
        if (spoken.type !== 'conflict') {
          this.history.push({ at: spoken.at, type: spoken.type, name: spoken.name })
        }
        break
      case 'heard': {
        const { bytes, ...heard } = spoken.heard
        const payload = new Uint8Array(Buffer.from(bytes ?? '', 'base64'))
        this.userEvents.push({ ...heard, at: spoken.at, payload })
      }
    }
  }

  #read(text: string): void {
    const line = parseLogLine(text, monotonicMs())
    if (line === undefined) return
    this.log.push(line)
    // Serf's own log tells the other events too; those come as reports, with their time.
    const happening = happeningOf(line)
    if (happening?.type === 'suspect') this.history.push(happening)
  }
}
