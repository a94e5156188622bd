// The child processes of the interop tests: none outlives the test file, however it ends. Knows nothing of what they run.
import type { ChildProcess } from 'node:child_process'
import { bequeath, relieve } from './aftermath.ts'

const running = new Set<ChildProcess>()

/** Puts a child under watch: it is killed at the latest when this process ends. */
export function watchOver(child: ChildProcess): void {
  if (running.size === 0) watchEnds()
  running.add(child)
  const { pid } = child
  if (pid !== undefined) bequeath({ kind: 'process', pid })
  child.once('exit', () => {
    running.delete(child)
    if (pid !== undefined) relieve({ kind: 'process', pid })
  })
}

let isWatching = false

function watchEnds(): void {
  if (isWatching) return
  isWatching = true
  process.on('exit', killAll)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      killAll()
      process.kill(process.pid, signal)
    })
  }
}

function killAll(): void {
  for (const child of running) child.kill('SIGKILL')
}

/** Lines of a stream, whole ones only; the last without its newline when the stream ends. */
export function onLines(stream: NodeJS.ReadableStream, line: (text: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) line(part)
  })
  stream.on('end', () => {
    if (rest !== '') line(rest)
    rest = ''
  })
}
