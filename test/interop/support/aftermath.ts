// What is to be undone when this process has ended, even by SIGKILL, of which nobody is told: a shell that outlives us reads a pipe, which
// closes when we end, and then ends the processes and removes the namespaces that are still on its list. Linux and other Unixes.
import { type ChildProcess, spawn } from 'node:child_process'

/** What outlives its maker: a process by its id, or a network namespace, with all processes in it, by its name. */
export type Remains =
  | { readonly kind: 'process'; readonly pid: number }
  | { readonly kind: 'namespace'; readonly name: string }

/** Processes first: a namespace lives on in them. */
const UNDERTAKER = `
list=
while read -r verb kind which; do
  if [ "$verb" = add ]; then list="$list $kind:$which"
  else
    rest=
    for one in $list; do if [ "$one" != "$kind:$which" ]; then rest="$rest $one"; fi; done
    list=$rest
  fi
done
for one in $list; do
  case $one in
    process:*) kill -KILL "\${one#process:}" ;;
    namespace:*) for pid in $(ip netns pids "\${one#namespace:}"); do kill -KILL "$pid"; done ;;
  esac
done
for one in $list; do
  case $one in namespace:*) ip netns delete "\${one#namespace:}" ;; esac
done
`

let undertaker: ChildProcess | undefined

/** From now on it is undone after our end. */
export function bequeath(remains: Remains): void {
  tell('add', remains)
}

/** It is undone already. */
export function relieve(remains: Remains): void {
  if (undertaker !== undefined) tell('drop', remains)
}

function tell(verb: 'add' | 'drop', remains: Remains): void {
  undertaker ??= engage()
  undertaker.stdin?.write(`${verb} ${remains.kind} ${remains.kind === 'process' ? remains.pid : remains.name}\n`)
}

/** In a session of its own, so that no signal to ours reaches it; it keeps nobody waiting. */
function engage(): ChildProcess {
  const shell = spawn('sh', ['-c', UNDERTAKER], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  shell.on('error', () => {})
  shell.stdin?.on('error', () => {})
  shell.unref()
  const pipe = shell.stdin as unknown as { unref?: () => void } | null
  pipe?.unref?.()
  return shell
}
