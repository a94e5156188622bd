// What an agent logs where the network loses packets, or a member stands still, whoever wrote that member. Plays of trouble run beside
// clusters of agents alone, whose logs are held to the same list: so it tells of Go, not of us.
import { isTrouble, type LogLine, normalise } from './logs.ts'

/** Accusations that it denies, UDP that fails beside a TCP that works, streams that get no answer in time or are given up by the other. */
const OF_TROUBLE: readonly RegExp[] = [
  /^\[WARN\] memberlist: Refuting a (?:suspect|dead) message \(from: <name>\)$/,
  /^\[WARN\] memberlist: Was able to connect to <name> but other probes failed, network may be misconfigured$/,
  /^\[ERR\] memberlist: .*: (?:i\/o timeout|EOF|connection reset by peer|broken pipe)(?: from=<addr>)?$/,
]

/** Warnings and errors that trouble does not explain, normalised.
 *  @param names of all members */
export function strange(lines: readonly LogLine[], names: readonly string[]): string[] {
  return lines
    .filter(isTrouble)
    .map((line) => normalise(line, names))
    .filter((line) => !OF_TROUBLE.some((pattern) => pattern.test(line)))
}
