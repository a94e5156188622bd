// What a cluster cost so far: its packets by the kernel's count in its own namespace, its processor time and its wake-ups by /proc.
// The same for every kind of member: nobody is asked what it did.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import type { Place } from '../../test/interop/support/netns.ts'

/** Totals since the start of the cluster, of all its members. */
export interface Counts {
  readonly atMs: number
  readonly udpPackets: number
  /** With IP and UDP headers. */
  readonly udpBytes: number
  /** Connections opened. */
  readonly tcpStreams: number
  readonly tcpPackets: number
  /** With IP and TCP headers. */
  readonly tcpBytes: number
  readonly cpuMs: number
  /** Times a thread gave up the processor of its own will, and was woken again. */
  readonly wakeUps: number
  readonly residentBytes: number
}

/** Clock ticks of /proc/<pid>/stat: 100 a second on every Linux a process can see. */
const TICK_MS = 10
const PAGE_BYTES = 4096

/** Begins to count what leaves any socket of the namespace. */
export function countTraffic({ prefix }: Place): void {
  for (const protocol of ['udp', 'tcp']) runAt(prefix, ['iptables', '-w', '-A', 'OUTPUT', '-p', protocol])
}

export function readCounts({ prefix }: Place, pids: readonly number[]): Counts {
  const table = runAt(prefix, ['iptables', '-w', '-L', 'OUTPUT', '-v', '-x', '-n'])
  const [udpPackets, udpBytes] = rule(table, 'udp|17')
  const [tcpPackets, tcpBytes] = rule(table, 'tcp|6')
  const tcpStreams = activeOpens(runAt(prefix, ['cat', '/proc/net/snmp']))
  const atMs = performance.now()
  let cpuMs = 0
  let wakeUps = 0
  let residentBytes = 0
  for (const pid of pids) {
    // After the name in brackets, which may hold anything: state is the first, utime and stime are the 12th and 13th.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? []
    cpuMs += (Number(fields[11]) + Number(fields[12])) * TICK_MS
    residentBytes += Number(fields[21]) * PAGE_BYTES
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1')
      wakeUps += Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1])
    }
  }
  return { atMs, udpPackets, udpBytes, tcpStreams, tcpPackets, tcpBytes, cpuMs, wakeUps, residentBytes }
}

/** @param protocol its name or its number: versions of iptables differ */
function rule(table: string, protocol: string): readonly [packets: number, bytes: number] {
  const line = new RegExp(`^\\s*(\\d+)\\s+(\\d+)\\s+(?:${protocol})\\s`, 'm').exec(table)
  if (line === null) throw new Error(`no rule counts ${protocol}:\n${table}`)
  return [Number(line[1]), Number(line[2])]
}

/** Two lines begin with `Tcp:`: names, then values. */
function activeOpens(snmp: string): number {
  const [names = '', values = ''] = snmp.split('\n').filter((line) => line.startsWith('Tcp:'))
  return Number(values.split(' ')[names.split(' ').indexOf('ActiveOpens')])
}

function runAt(prefix: readonly string[], command: readonly string[]): string {
  const [file, ...args] = [...prefix, ...command] as [string, ...string[]]
  return execFileSync(file, args, { encoding: 'utf8', timeout: 20_000 })
}
