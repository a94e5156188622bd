// Program: starts what an interop test starts, tells of it on stdout as one line of JSON, and waits to be killed. Argument `namespaces`:
// one more child, in a network namespace.
import { spawn } from 'node:child_process'
import { watchOver } from './children.ts'
import { Network, type Place } from './netns.ts'

/** What must not be left when it is gone. */
export interface Estate {
  readonly pids: readonly (number | undefined)[]
  /** Of the namespaces that it made. */
  readonly stem: string
}

const network = process.argv[2] === 'namespaces' ? await Network.make(1) : undefined
const prefixes = [[], ...(network?.places ?? []).map(({ prefix }: Place) => prefix)]
const pids = prefixes.map((prefix) => {
  const [file = '', ...args] = [...prefix, 'sleep', '600']
  const child = spawn(file, args, { stdio: 'ignore' })
  watchOver(child)
  return child.pid
})
const estate: Estate = { pids, stem: `rc-${process.pid}-` }
console.log(JSON.stringify(estate))
