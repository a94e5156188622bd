// The demo's processes: started, ordered about, killed, and never left behind. Keeps what each of them sees, and waits,
// always with a deadline, for what the story needs them to see.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Order, Report, Sight } from './protocol.ts'

/** The story cannot go on. The message is for the person at the terminal. */
export class DemoFailure extends Error {}

export class Actor {
  readonly name: string
  /** Its address, once it listens. */
  address: string | undefined
  pid: number | undefined
  /** The others as it sees them, by name. */
  readonly sights = new Map<string, Sight>()
  /** How it ended. */
  ended: { readonly code: number | null; readonly signal: string | null } | undefined
  /** Its end is part of the story. */
  mayEnd = false
  readonly #child: ChildProcess

  constructor(name: string, program: string, args: readonly string[]) {
    this.name = name
    // With the options of this process, so that children read TypeScript where main.ts does.
    const file = fileURLToPath(new URL(program, import.meta.url))
    this.#child = fork(file, [name, ...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  }

  listen(report: (report: Report) => void, end: (reason: string) => void): void {
    this.#child.on('message', report)
    this.#child.once('error', (error) => end(error.message))
    this.#child.once('exit', (code, signal) => {
      this.ended = { code, signal }
      end(`exit code ${code ?? signal}`)
    })
  }

  order(order: Order): void {
    this.mayEnd ||= order.verb !== 'join'
    // A child that is gone tells it by its exit.
    this.#child.send(order, () => {})
  }

  kill(signal: NodeJS.Signals): void {
    this.mayEnd = true
    this.#child.kill(signal)
  }
}

export class Stage {
  readonly actors: Actor[] = []
  readonly #told: (actor: Actor, report: Report) => void
  readonly #waiting = new Set<() => void>()
  #failure: DemoFailure | undefined

  /** @param told hears every report, after it was noted */
  constructor(told: (actor: Actor, report: Report) => void) {
    this.#told = told
  }

  /** Starts a process; its program is one of this folder. */
  enter(name: string, program: string, args: readonly string[]): Actor {
    const actor = new Actor(name, program, args)
    this.actors.push(actor)
    actor.listen(
      (report) => {
        if (report.kind === 'up') {
          actor.address = report.address
          actor.pid = report.pid
        }
        if (report.kind === 'sight') actor.sights.set(report.of.name, report.of)
        this.#told(actor, report)
        this.#changed()
      },
      (reason) => {
        if (!actor.mayEnd) this.#failure ??= new DemoFailure(`${name} ended by itself: ${reason}`)
        this.#changed()
      },
    )
    return actor
  }

  /** Waits until `missing` says that nothing is missing; asks it after every report.
   *  @throws DemoFailure after `withinMs`, saying what was missing last; or when a process ended that should not have */
  until(what: string, withinMs: number, missing: () => string | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (end: () => void): void => {
        clearTimeout(deadline)
        this.#waiting.delete(look)
        end()
      }
      const look = (): void => {
        const failure = this.#failure
        if (failure !== undefined) finish(() => reject(failure))
        else if (missing() === undefined) finish(resolve)
      }
      const deadline = setTimeout(() => {
        finish(() => reject(new DemoFailure(`not within ${withinMs / 1000} s: ${what}. Missing: ${missing()}`)))
      }, withinMs)
      this.#waiting.add(look)
      look()
    })
  }

  /** Ends whatever still runs. The keeper of the serf agent needs a signal that it can hear; it lets go at once. */
  killAll(): void {
    for (const actor of this.actors) if (actor.ended === undefined) actor.kill('SIGTERM')
  }

  #changed(): void {
    for (const look of [...this.#waiting]) look()
  }
}

/** Who of `actors` does not yet see all of `names` in that state, in words; `undefined` where all do. */
export function unseen(actors: readonly Actor[], names: readonly string[], state: Sight['state']): string | undefined {
  const gaps = actors.flatMap((actor) =>
    names
      .filter((name) => name !== actor.name && actor.sights.get(name)?.state !== state)
      .map((name) => `${actor.name} sees ${name} ${actor.sights.get(name)?.state ?? 'not at all'}`),
  )
  return gaps.length === 0 ? undefined : gaps.join(', ')
}
