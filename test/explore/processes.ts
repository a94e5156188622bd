// Many seeds in several processes side by side: each gets a piece of the list, in order, and tells its result in a line of JSON. What else they
// say is passed on as it comes.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const RESULT = 'result: '

/** A piece of a list of seeds. */
export interface Piece {
  readonly from: number
  readonly count: number
}

/** Cuts `count` seeds from `from` on into pieces that differ by one at most. */
export function piecesOf({ from, count }: Piece, processes: number): Piece[] {
  const pieces: Piece[] = []
  for (let part = 0, at = 0; part < processes; part++) {
    const size = Math.ceil((count - at) / (processes - part))
    if (size > 0) pieces.push({ from: from + at, count: size })
    at += size
  }
  return pieces
}

/** Runs a script once for each piece, with `--seed`, `--seeds` and `--result` beside `args`, and gives what each told by `tellResult`.
 *  Rejects where one ends without having told anything. */
export function inProcesses(
  script: string,
  pieces: readonly Piece[],
  args: readonly string[] = [],
): Promise<unknown[]> {
  return Promise.all(
    pieces.map(
      ({ from, count }) =>
        new Promise((resolve, reject) => {
          const own = ['--seed', String(from), '--seeds', String(count), '--result']
          const child = spawn(process.execPath, ['--import', 'tsx', script, ...own, ...args], {
            stdio: ['ignore', 'pipe', 'inherit'],
          })
          let result: unknown
          createInterface({ input: child.stdout }).on('line', (line) => {
            if (line.startsWith(RESULT)) result = JSON.parse(line.slice(RESULT.length))
            else console.log(line)
          })
          child.once('error', reject)
          child.once('close', (code) => {
            if (result === undefined)
              reject(new Error(`the process of ${count} seeds from ${from} ended with code ${code}`))
            else resolve(result)
          })
        }),
    ),
  )
}

/** Tells the process that began this one. */
export function tellResult(result: unknown): void {
  console.log(RESULT + JSON.stringify(result))
}
