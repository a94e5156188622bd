// Starts live-member.ts and speaks with it. A victim that dies, or says nothing in time, is an error; `stop` ends it and gives its code.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { MembershipOptions } from '../../src/index.ts'
import type { LiveReport } from './live-member.ts'

const PROGRAM = fileURLToPath(new URL('live-member.ts', import.meta.url))
const ANSWER_WITHIN_MS = 30_000

export class LiveMember {
  readonly #child: ChildProcess
  readonly #waiting: { take(line: string): void; fail(error: Error): void }[] = []
  #gone: Error | undefined

  private constructor(options: MembershipOptions, contact: readonly string[]) {
    const args = ['--import', 'tsx', PROGRAM, JSON.stringify(options), ...contact]
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })
    lines.on('line', (line) => this.#waiting.shift()?.take(line))
    this.#child.once('exit', (code, signal) => {
      this.#gone = new Error(`the member under attack ended: code ${code}, signal ${signal}`)
      for (const { fail } of this.#waiting.splice(0)) fail(this.#gone)
    })
  }

  /** A member process that listens, and has joined where a contact is given; and its first report. Options travel as JSON. */
  static async start(
    options: MembershipOptions,
    contact: readonly string[] = [],
  ): Promise<{ live: LiveMember; first: LiveReport }> {
    const live = new LiveMember(options, contact)
    return { live, first: await live.#next() }
  }

  report(): Promise<LiveReport> {
    const next = this.#next()
    this.#child.stdin?.write('report\n')
    return next
  }

  /** Ends it and gives its exit code; kills what does not end. */
  async stop(): Promise<number | null> {
    if (this.#gone !== undefined || this.#child.exitCode !== null) return this.#child.exitCode
    const exited = once(this.#child, 'exit')
    this.#child.stdin?.end()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), ANSWER_WITHIN_MS)
    await exited
    clearTimeout(timer)
    return this.#child.exitCode
  }

  #next(): Promise<LiveReport> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the member under attack says nothing')), ANSWER_WITHIN_MS)
      this.#waiting.push({
        take(line) {
          clearTimeout(timer)
          resolve(JSON.parse(line) as LiveReport)
        },
        fail(error) {
          clearTimeout(timer)
          reject(error)
        },
      })
    })
  }
}
