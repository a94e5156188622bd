// A network of this machine's own for one cluster: a namespace per member, all on one bridge, and packets dropped on their way by iptables.
// Packets are dropped where they arrive, never where they leave: a drop on the way out is an error that the sender sees.
// Knows no member and no protocol. Names begin with `rc-` and our pid; whatever bears a dead one's pid is removed at the next start.
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { bequeath, relieve } from './aftermath.ts'

const run = promisify(execFile)

/** Members of one network: addresses are 10.77.0.1 and upwards, in each network anew. */
const MOST_PLACES = 250
/** One `ip` or `iptables` takes milliseconds; on a machine that starts thirty processes, more. */
const COMMAND_WITHIN_MS = 20_000

/** Where one member runs. */
export interface Place {
  readonly host: string
  /** Runs a command there. */
  readonly prefix: readonly string[]
}

/** What is dropped on arrival at the places `at`. */
export interface Drop {
  readonly at: readonly Place[]
  /** Of which senders. Default: of all. */
  readonly from?: readonly Place[]
  /** Default: everything. */
  readonly protocol?: 'udp' | 'tcp'
  /** Share of the packets, drawn for each by itself. Default: all. */
  readonly lossRatio?: number
}

/** Why there can be no namespaces here, if so. */
export async function lacksNamespaces(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'no Linux: network namespaces are Linux only'
  if (process.getuid?.() !== 0) return 'not root: network namespaces need it'
  for (const [tool, debian] of [
    ['ip', 'iproute2'],
    ['iptables', 'iptables'],
  ] as const) {
    if (spawnSync(tool, ['-V']).error !== undefined) return `no \`${tool}\` on the PATH (Debian: apt install ${debian})`
  }
  const network = await Network.make(1).catch((error: Error) => error)
  if (network instanceof Error) return `namespaces are refused here: ${network.message}`
  try {
    const [place] = network.places as [Place]
    await network.drop({ at: [place], from: [place], protocol: 'udp', lossRatio: 0.5 })
  } catch (error) {
    return `iptables is refused here: ${(error as Error).message}`
  } finally {
    await network.remove()
  }
  return undefined
}

let made = 0
const standing = new Set<string>()

export class Network {
  readonly places: readonly Place[]
  readonly #names: readonly string[]

  private constructor(names: readonly string[], places: readonly Place[]) {
    this.#names = names
    this.places = places
  }

  /** A network with so many places, connected and without rules. Leaves nothing behind when it rejects. */
  static async make(count: number): Promise<Network> {
    if (count > MOST_PLACES) throw new Error(`a network has ${MOST_PLACES} places at most`)
    removeLeftovers()
    const stem = `rc-${process.pid}-${++made}`
    const hub = `${stem}-hub`
    const places = Array.from({ length: count }, (_, index) => {
      const namespace = `${stem}-${index + 1}`
      return { namespace, host: `10.77.0.${index + 1}`, prefix: ['ip', 'netns', 'exec', namespace] }
    })
    const names = [hub, ...places.map(({ namespace }) => namespace)]
    for (const name of names) {
      standing.add(name)
      bequeath({ kind: 'namespace', name })
    }
    const network = new Network(names, places)
    try {
      await ip(
        [],
        names.map((name) => `netns add ${name}`),
      )
      await ip(
        ['-n', hub],
        [
          'link add hub type bridge',
          'link set hub up',
          ...places.flatMap(({ namespace }, index) => [
            `link add port${index + 1} type veth peer name eth0 netns ${namespace}`,
            `link set port${index + 1} master hub up`,
          ]),
        ],
      )
      for (const { namespace, host } of places) {
        const lines = ['link set lo up', `address add ${host}/24 broadcast + dev eth0`, 'link set eth0 up']
        await ip(['-n', namespace], lines)
      }
    } catch (error) {
      await network.remove()
      throw error
    }
    return network
  }

  /** Drops packets from now on, beside what is dropped already. */
  async drop({ at, from, protocol, lossRatio }: Drop): Promise<void> {
    const rule = ['iptables', '-w', '-A', 'INPUT', '-i', 'eth0']
    if (protocol !== undefined) rule.push('-p', protocol)
    if (from !== undefined) rule.push('-s', from.map(({ host }) => host).join(','))
    if (lossRatio !== undefined) rule.push('-m', 'statistic', '--mode', 'random', '--probability', `${lossRatio}`)
    rule.push('-j', 'DROP')
    await Promise.all(at.map((place) => runAt(place, rule)))
  }

  /** Drops nothing any more. */
  async heal(): Promise<void> {
    await Promise.all(this.places.map((place) => runAt(place, ['iptables', '-w', '-F', 'INPUT'])))
  }

  /** Packets that were dropped on arrival at a place since its first rule, by the rules that stand. */
  async dropped(place: Place): Promise<number> {
    const table = await runAt(place, ['iptables', '-w', '-L', 'INPUT', '-v', '-x', '-n'])
    const counts = [...table.matchAll(/^\s*(\d+)\s+\d+\s+DROP\s/gm)].map(([, packets]) => Number(packets))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /** Its processes must have ended. Idempotent, never rejects. */
  async remove(): Promise<void> {
    for (const name of this.#names) {
      if (!standing.delete(name)) continue
      await run('ip', ['netns', 'delete', name], { timeout: COMMAND_WITHIN_MS }).catch(() => {})
      relieve({ kind: 'namespace', name })
    }
  }
}

async function runAt(place: Place, command: readonly string[]): Promise<string> {
  const [file, ...args] = [...place.prefix, ...command] as [string, ...string[]]
  const { stdout } = await run(file, args, { timeout: COMMAND_WITHIN_MS })
  return stdout
}

/** Lines for `ip -batch`. */
async function ip(flags: readonly string[], lines: readonly string[]): Promise<void> {
  const asked = run('ip', [...flags, '-batch', '-'], { timeout: COMMAND_WITHIN_MS })
  asked.child.stdin?.end(`${lines.join('\n')}\n`)
  await asked
}

let isSwept = false

/** Once: removes what runs of dead pids left behind, and sees to it that ours is gone before we end, unless nobody tells us of it. */
function removeLeftovers(): void {
  if (isSwept) return
  isSwept = true
  const listed = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8', timeout: COMMAND_WITHIN_MS })
  for (const [name, pid] of listed.matchAll(/^rc-(\d+)-\S+/gm)) if (!isAlive(Number(pid))) removeNow(name)
  process.on('exit', () => standing.forEach(removeNow))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      standing.forEach(removeNow)
      process.kill(process.pid, signal)
    })
  }
}

/** With its processes: members whose test was killed before it could end them. */
function removeNow(name: string): void {
  standing.delete(name)
  const inside = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8', timeout: COMMAND_WITHIN_MS })
  for (const pid of (inside.stdout ?? '').split('\n').filter((line) => line !== '')) {
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {}
  }
  spawnSync('ip', ['netns', 'delete', name], { timeout: COMMAND_WITHIN_MS })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
