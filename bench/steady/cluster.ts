// A cluster to be measured: one process a member, all in one namespace of their own, all joined to the first. Knows how either
// kind is started and how one sees that everyone knows everyone; reads no figures.
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { builtPeers } from '../../test/interop/support/go-build.ts'
import { Network, type Place } from '../../test/interop/support/netns.ts'

export type Kind = 'go' | 'node'

export interface ClusterOptions {
  readonly kind: Kind
  readonly members: number
  /** Base64, or none. */
  readonly secretKey: string | undefined
}

/** Nobody else is in the namespace. */
const FIRST_PORT = 7946
/** Processes started at once; more would only wait for each other's turn. */
const BATCH = 8
const READY_WITHIN_MS = 180_000

interface Member {
  readonly process: ChildProcess
  /** Names it holds alive, its own too. */
  readonly alive: Set<string>
  isReady: boolean
}

export class Cluster {
  readonly kind: Kind
  readonly place: Place
  readonly #network: Network
  readonly #members: Member[] = []
  #failure: string | undefined
  #isStopping = false

  private constructor(kind: Kind, network: Network) {
    this.kind = kind
    this.#network = network
    this.place = network.places[0] as Place
  }

  /** Resolves when everyone knows everyone; leaves nothing behind when it rejects. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options.kind, await Network.make(1))
    try {
      for (let first = 0; first < options.members; first += BATCH) {
        const batch = Array.from({ length: Math.min(BATCH, options.members - first) }, (_, at) => first + at)
        await Promise.all(batch.map((index) => cluster.#launch(index, options)))
        await cluster.#until(() => cluster.#members.every(({ isReady }) => isReady))
        const request = JSON.stringify({ id: 1, verb: 'join', seeds: [cluster.#addressOf(0)] })
        for (const index of batch) if (index > 0) cluster.#members[index]?.process.stdin?.write(`${request}\n`)
        await cluster.#until(() => cluster.knowEachOther())
      }
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  get pids(): number[] {
    return this.#members.map(({ process }) => process.pid as number)
  }

  /** Everyone counts everyone as alive. */
  knowEachOther(): boolean {
    return this.#members.every(({ alive }) => alive.size === this.#members.length)
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    const running = this.#members
      .map(({ process }) => process)
      .filter((one) => one.exitCode === null && one.signalCode === null)
    await Promise.all(
      running.map((one) => {
        const ended = new Promise((resolve) => one.once('exit', resolve))
        one.kill('SIGKILL')
        return ended
      }),
    )
    await this.#network.remove()
  }

  #addressOf(index: number): string {
    return `${this.place.host}:${FIRST_PORT + index}`
  }

  async #launch(index: number, { kind, secretKey }: ClusterOptions): Promise<void> {
    const name = `member-${index}`
    const command = await (kind === 'go' ? goCommand : nodeCommand)(name, this.#addressOf(index), secretKey)
    const [file, ...args] = [...this.place.prefix, ...command] as [string, ...string[]]
    // Go's libraries log; whoever reads would take part of the processor.
    const process = spawn(file, args, { stdio: ['pipe', 'pipe', 'ignore'] })
    const member: Member = { process, alive: new Set(), isReady: false }
    this.#members[index] = member
    process.stdin?.on('error', () => {}) // its end is told by `exit`
    process.once('error', (error) => this.#fell(`${kind} ${name}: ${error.message}`))
    process.once('exit', (code, signal) => this.#fell(`${kind} ${name} ended: code ${code}, signal ${signal}`))
    createInterface(process.stdout as NonNullable<ChildProcess['stdout']>).on('line', (line) =>
      this.#hear(member, line),
    )
  }

  #hear(member: Member, line: string): void {
    const said = JSON.parse(line) as { kind: string; type?: string; name: string; error?: string }
    if (said.kind === 'ready') member.isReady = true
    else if (said.kind === 'refusal') this.#fell(`a join failed: ${said.error}`)
    else if (said.type === 'join') member.alive.add(said.name)
    else if (said.type === 'dead') member.alive.delete(said.name)
  }

  #fell(why: string): void {
    if (!this.#isStopping) this.#failure ??= why
  }

  async #until(holds: () => boolean): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS
    while (!holds()) {
      if (this.#failure !== undefined) throw new Error(this.#failure)
      if (performance.now() > deadline) throw new Error(`the ${this.kind} cluster did not come together in time`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

async function goCommand(name: string, bind: string, secretKey: string | undefined): Promise<string[]> {
  const flags = [`-name=${name}`, `-bind=${bind}`, '-profile=lan']
  if (secretKey !== undefined) flags.push(`-key=${secretKey}`)
  return [join(await builtPeers(), 'serf-peer'), ...flags]
}

async function nodeCommand(name: string, bind: string, secretKey = ''): Promise<string[]> {
  return [process.execPath, fileURLToPath(new URL('member.js', import.meta.url)), name, bind, secretKey]
}
