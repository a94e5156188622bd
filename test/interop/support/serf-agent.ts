// One real `serf` agent as a child process: started, asked and driven through its own command line, its log read as it comes.
// Everything that waits has a bound. Knows Serf's flags and words; turns them into the words of peer.ts.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join as joinPath } from 'node:path'
import { onLines, watchOver } from './children.ts'
import { happeningOf, type LogLine, parseLogLine, tellsConflict } from './logs.ts'
import type { KeyVerb } from './node-member-protocol.ts'
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
import { endpoint, holdPort } from './ports.ts'

/** Longest wait for an agent that starts, joins included: its own TCP timeout is 10 s. */
const READY_WITHIN_MS = 15_000
/** Longest wait for one command. A leave takes 5 + 5 + 1 s at most. */
const COMMAND_WITHIN_MS = 15_000
/** Ports are held until just before the start; a neighbour may still be quicker. */
const START_ATTEMPTS = 3

/** Path of the `serf` binary, if there is one. */
export function serfOnPath(): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = joinPath(folder, 'serf')
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {}
  }
  return undefined
}

export interface SerfAgentOptions extends PeerOptions {
  /** Default `debug`: suspicions and intents are told there. */
  readonly logLevel?: 'debug' | 'info'
  /** More flags, passed as they are. */
  readonly flags?: readonly string[]
}

/** One entry of `serf members -format=json`. */
export interface SerfMember {
  readonly name: string
  readonly addr: string
  readonly port: number
  readonly tags: Readonly<Record<string, string>>
  readonly status: 'alive' | 'leaving' | 'left' | 'failed' | 'none'
  readonly protocol: Readonly<Record<'min' | 'max' | 'version', number>>
}

export class SerfAgent implements Peer {
  readonly kind = 'go'
  readonly program = 'agent'
  readonly name: string
  readonly address: string
  readonly log: LogLine[] = []
  readonly history: Happening[] = []
  readonly #rpcAddress: string
  readonly #prefix: readonly string[]
  readonly #child: ChildProcess
  readonly #closed: Promise<void>
  #tags: Readonly<Record<string, string>>
  #end: { code: number | null; signal: NodeJS.Signals | null } | undefined
  #isEndAsked = false

  private constructor(options: SerfAgentOptions, address: string, rpcAddress: string) {
    this.name = options.name
    this.address = options.advertise ?? address
    this.#tags = options.tags ?? {}
    this.#rpcAddress = rpcAddress
    this.#prefix = options.prefix ?? []
    // Without -advertise the bound address and port are told; with one that has no port it would be 7946.
    const flags = [
      `-node=${options.name}`,
      `-bind=${address}`,
      `-rpc-addr=${rpcAddress}`,
      `-profile=${options.profile}`,
    ]
    if (options.advertise !== undefined) flags.push(`-advertise=${options.advertise}`)
    flags.push(`-log-level=${options.logLevel ?? 'debug'}`)
    for (const [key, value] of Object.entries(this.#tags)) flags.push('-tag', `${key}=${value}`)
    if (options.secretKey !== undefined) flags.push(`-encrypt=${options.secretKey}`)
    for (const seed of options.join ?? []) flags.push(`-join=${seed}`)
    if (options.snapshotPath !== undefined) flags.push(`-snapshot=${options.snapshotPath}`)
    if (options.rejoinAfterLeave === true) flags.push('-rejoin')
    flags.push(...(options.flags ?? []))
    const [file, ...args] = this.#call('agent', ...flags)
    this.#child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: agentEnvironment(),
    })
    watchOver(this.#child)
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null) onLines(stream, (text) => this.#read(text))
    }
    this.#closed = new Promise((resolve) => {
      this.#child.once('error', (error) => this.#read(`cannot run: ${error.message}`))
      this.#child.once('exit', (code, signal) => {
        this.#end = { code, signal }
      })
      this.#child.once('close', () => resolve())
    })
  }

  /** Resolves when its RPC answers and the joins of `options.join` are done. Leaves no process behind when it rejects. */
  static async start(options: SerfAgentOptions): Promise<SerfAgent> {
    for (let attempt = 1; ; attempt++) {
      const agent = await SerfAgent.#launch(options)
      try {
        await agent.#ready()
        return agent
      } catch (error) {
        await agent.stop()
        const isTaken = agent.log.some((line) => line.text.includes('address already in use'))
        if (!isTaken || attempt === START_ATTEMPTS) {
          throw new Error(`serf agent ${options.name} did not start: ${agent.tail()}`, { cause: error })
        }
      }
    }
  }

  static async #launch(options: SerfAgentOptions): Promise<SerfAgent> {
    const host = options.host ?? '127.0.0.1'
    const gossip = options.port === undefined ? await holdPort(host) : undefined
    const rpc = await holdPort('127.0.0.1')
    await Promise.all([gossip?.release(), rpc.release()])
    const port = gossip?.port ?? options.port ?? 0
    return new SerfAgent(options, endpoint(host, port), endpoint('127.0.0.1', rpc.port))
  }

  get tags(): Readonly<Record<string, string>> {
    return this.#tags
  }

  get isRunning(): boolean {
    return this.#end === undefined && !this.#isEndAsked
  }

  get failure(): string | undefined {
    if (this.#end === undefined || this.#isEndAsked) return undefined
    return `serf agent ${this.name} ended by itself, code ${this.#end.code}, signal ${this.#end.signal}`
  }

  /** `serf members -format=json`. */
  async members(): Promise<SerfMember[]> {
    const answer = JSON.parse(await this.#ask('members', '-format=json')) as { members: SerfMember[] | null }
    return answer.members ?? []
  }

  async view(): Promise<ReadonlyMap<string, Sight>> {
    const members = await this.members()
    return new Map(members.map((one) => [one.name, { state: stateOf(one), tags: one.tags, address: one.addr }]))
  }

  async join(seeds: readonly string[]): Promise<void> {
    await this.#ask('join', ...seeds)
  }

  async setTags(tags: Readonly<Record<string, string>>): Promise<void> {
    const changes = Object.entries(tags).flatMap(([key, value]) => ['-set', `${key}=${value}`])
    const removals = Object.keys(this.#tags).filter((key) => !(key in tags))
    this.#tags = tags
    await this.#ask('tags', ...changes, ...removals.flatMap((key) => ['-delete', key]))
  }

  /** `serf rtt`: the round trip between two members in milliseconds, as this agent reckons it. */
  async rtt(one: string, other: string): Promise<number> {
    const answer = await this.#ask('rtt', one, other)
    const found = /rtt: ([\d.]+) ms/.exec(answer)?.[1]
    if (found === undefined) throw new Error(`serf rtt said: ${answer}`)
    return Number(found)
  }

  /** `serf query`: texts only, since its JSON holds no others. */
  async query(
    name: string,
    payload = '',
    flags: readonly string[] = [],
  ): Promise<{ readonly acks: readonly string[]; readonly responses: ReadonlyMap<string, string> }> {
    const answer = await this.#ask('query', '-format=json', ...flags, name, ...(payload === '' ? [] : [payload]))
    const { Acks, Responses } = JSON.parse(answer) as {
      Acks: string[] | null
      Responses: Record<string, string> | null
    }
    return { acks: Acks ?? [], responses: new Map(Object.entries(Responses ?? {})) }
  }

  /** `serf reachability`: what it prints. */
  async reachability(): Promise<string> {
    return this.#ask('reachability')
  }

  /** Dispatches a user event. */
  async event(name: string, payload = ''): Promise<void> {
    await this.#ask('event', '-coalesce=false', name, payload)
  }

  async forceLeave(name: string, { prune = false }: { readonly prune?: boolean } = {}): Promise<void> {
    await this.#ask('force-leave', ...(prune ? ['-prune'] : []), name)
  }

  /** `serf keys`: what it prints; rejects where it prints that something failed. */
  async keys(operation: KeyVerb, key?: string): Promise<string> {
    return this.#ask('keys', operation === 'list' ? '-list' : `-${operation}=${key}`)
  }

  /** As they were handed to its handlers. */
  get userEvents(): readonly HeardEvent[] {
    return this.log.flatMap(({ at, text }) => {
      const name = /^agent: Received event: user-event: (.*)$/.exec(text)?.[1]
      return name === undefined ? [] : [{ at, name }]
    })
  }

  conflictsAbout(name: string): number {
    return this.log.filter((line) => tellsConflict(line, name)).length
  }

  async leave(): Promise<void> {
    this.#isEndAsked = true
    await this.#ask('leave')
    await this.#gone()
    if (this.#end?.code !== 0) throw new Error(`${this.name} left, but ended with code ${this.#end?.code}`)
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number> {
    this.#isEndAsked = true
    const at = monotonicMs()
    this.#child.kill(signal)
    await this.#gone()
    return at
  }

  /** For an agent that is to end by itself: resolves with its exit code, rejects when it runs on. */
  async ended(withinMs: number): Promise<number | null> {
    this.#isEndAsked = true
    await until(`${this.name} ends by itself`, withinMs, () => (this.#end === undefined ? 'it runs' : undefined))
    await this.#closed
    return this.#end?.code ?? null
  }

  /** Sends a signal that does not end it: SIGSTOP, SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
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

  async #ready(): Promise<void> {
    await until(`${this.name} answers its RPC`, READY_WITHIN_MS, async () => {
      if (this.#end !== undefined) return undefined
      // RPC is up before the joins are done; the agent lets go of its log when they are.
      if (!this.log.some((line) => line.text.startsWith('==> Log data will now stream'))) return 'start is not finished'
      await this.members()
      return undefined
    })
    if (this.#end !== undefined) throw new Error(`ended with code ${this.#end.code}`)
  }

  async #gone(): Promise<void> {
    await until(`${this.name} has ended`, COMMAND_WITHIN_MS, () => (this.#end === undefined ? 'it runs' : undefined))
    await this.#closed
  }

  #ask(verb: string, ...rest: readonly string[]): Promise<string> {
    const [file, ...args] = this.#call(verb, `-rpc-addr=${this.#rpcAddress}`, ...rest)
    return new Promise((resolve, reject) => {
      execFile(
        file,
        args,
        { timeout: COMMAND_WITHIN_MS, killSignal: 'SIGKILL', env: agentEnvironment() },
        (error, out, err) => {
          if (error === null) resolve(out)
          else
            reject(new Error(`serf ${[verb, ...rest].join(' ')} (${this.name}) failed: ${out}${err}`, { cause: error }))
        },
      )
    })
  }

  #call(...args: readonly string[]): [file: string, ...args: string[]] {
    return [...this.#prefix, serfBinary(), ...args] as [string, ...string[]]
  }

  #read(text: string): void {
    const line = parseLogLine(text, monotonicMs())
    if (line === undefined) return
    this.log.push(line)
    const happening = happeningOf(line)
    if (happening !== undefined) this.history.push(happening)
  }
}

function serfBinary(): string {
  const file = serfOnPath()
  if (file === undefined) throw new Error('no serf on the PATH')
  return file
}

/** Without variables of the caller's own Serf. */
function agentEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH ?? '' }
}

function stateOf(member: SerfMember): State {
  if (member.status === 'failed') return 'dead'
  if (member.status === 'none') throw new Error(`${member.name} has no status`)
  return member.status
}
