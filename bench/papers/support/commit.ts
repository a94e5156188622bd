// Which sources results are of. One function, so that each file of results says it alike.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT: string = fileURLToPath(new URL('../../..', import.meta.url))

/** The commit of the tree in `root`, with `+` where anything in its `src` was changed since, or is not in it; `unknown` outside of a repository. */
export function commitNow(root: string = ROOT): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', 'src') === '' ? '' : '+')
  } catch {
    return 'unknown'
  }
}
