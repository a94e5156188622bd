// What becomes of one probe of a healthy member when packets get lost: answered directly, through helpers, over a stream, or not at all;
// and what that does to the prober's local health, which in turn gives later probes more time. Formulas only.
//
//   fails = (1 - q²) · (1 - q⁴)^helpers · (1 - stream)                                   q = 1 - loss; SWIM §3.1
//   stream: the first packet of the handshake and four pieces, each sent again after TCP's waits, within what is left of the probe
//   health: a chain of Lifeguard's scores (§IV-A): -1 for an answer, +1 for each nack that is missing, +1 for each refutation of ours
import type { SwimOptions } from '../swim/options.ts'

/** Where members live: how many, and what lies between them. */
export interface Setting {
  readonly members: number
  /** Share of packets that vanish, each way. */
  readonly lossRatio: number
  /** One way, mean. */
  readonly latencyMs: number
}

/** The mean over a long time. */
export interface ProbeFigures {
  /** Of the probes of a healthy member, those that end in an accusation. */
  readonly failChance: number
  /** Probes a second, by one member; stretched ones count once. */
  readonly perSecond: number
  /** Packets a second that a member sends because of its own probes and of those of others. */
  readonly packets: Packets
  /** Of the probes, those that are begun at each local health, 0 first. */
  readonly healthShares: readonly number[]
  /** Local health, mean over time. */
  readonly health: number
}

/** Packets a second, by one member. */
export interface Packets {
  /** To the probed, for itself and for others. */
  readonly pings: number
  /** From the probed. */
  readonly acks: number
  readonly indirectPings: number
  /** A helper's word, yes or no. */
  readonly relayed: number
}

/** TCP as Linux has it and the simulator too: the first packet is sent again after 1 s, doubling; others after 200 ms, doubling. */
const FIRST_SYN_RETRY_MS = 1000
const FIRST_RETRY_MS = 200
/** Beyond it a retry comes too late for any probe that is not lost anyway. */
const MAX_RETRIES = 8
/** Back from the listener, to the listener, the ping, the answer. */
const STREAM_PIECES = 4
const CHAIN_STEPS = 400
/** Refutations raise health, and health lowers their number: so often the one is put into the other. */
const ROUNDS = 8

export function helpersOf({ indirectChecks }: SwimOptions, members: number): number {
  return Math.max(0, Math.min(indirectChecks, members - 2))
}

/** Chance that no direct answer comes. */
export function directFails(lossRatio: number): number {
  return 1 - (1 - lossRatio) ** 2
}

/** Chance that a probe of a healthy member fails, begun at a local health of `health`. */
export function probeFails(options: SwimOptions, setting: Setting, health: number): number {
  const spareMs = leftMs(options, health) - 4 * setting.latencyMs
  const streamed = options.streamPings ? streamAnswers(setting.lossRatio, spareMs) : 0
  return packetsFail(options, setting, health) * (1 - streamed)
}

/** Chance that no packet answers. Then the probe lasts to its end, for what a stream says counts only there. */
export function packetsFail(options: SwimOptions, setting: Setting, health: number): number {
  const { lossRatio, latencyMs, members } = setting
  const helped = leftMs(options, health) > 4 * latencyMs ? (1 - lossRatio) ** 4 : 0
  return directFails(lossRatio) * (1 - helped) ** helpersOf(options, members)
}

/** What remains of a probe after its direct part. */
function leftMs({ probeIntervalMs, probeTimeoutMs }: SwimOptions, health: number): number {
  return (health + 1) * probeIntervalMs - probeTimeoutMs
}

/** Chance that a ping over a stream is answered while it may still wait `spareMs` for what is sent again. */
export function streamAnswers(lossRatio: number, spareMs: number): number {
  const arrives = 1 - lossRatio
  /** Chance that the pieces from here on wait no more than `leftMs`. */
  const from = (piece: number, leftMs: number): number => {
    if (leftMs < 0) return 0
    if (piece > STREAM_PIECES) return 1
    const first = piece === 0 ? FIRST_SYN_RETRY_MS : FIRST_RETRY_MS
    let chance = 0
    for (let retries = 0; retries <= MAX_RETRIES; retries++) {
      const waitsMs = first * (2 ** retries - 1)
      if (waitsMs > leftMs) break
      chance += arrives * lossRatio ** retries * from(piece + 1, leftMs - waitsMs)
    }
    return chance
  }
  return from(0, spareMs)
}

/** What a failed probe adds to local health: the chance of each step, 0 first. */
export function healthSteps(options: SwimOptions, setting: Setting, health: number): readonly number[] {
  const { lossRatio, latencyMs, members } = setting
  const helpers = helpersOf(options, members)
  if (helpers === 0) return [0, 1]
  const arrives = 1 - lossRatio
  // A helper waits a probe timeout of its own before it says no: at health 0 of lan that is too late.
  const isHeard = (health + 1) * options.probeIntervalMs > 2 * options.probeTimeoutMs + 2 * latencyMs
  const nacks = isHeard ? arrives ** 2 / (1 + arrives ** 2) : 0 // q² (1 - q²) of 1 - q⁴
  return Array.from({ length: helpers + 1 }, (_, missing) => binomial(helpers, missing, 1 - nacks))
}

/** The long run of a member among healthy ones. */
export function probeFigures(options: SwimOptions, setting: Setting): ProbeFigures {
  const scores = Array.from({ length: options.awarenessMaxMultiplier }, (_, score) => ({
    fails: probeFails(options, setting, score),
    lasts: 1 + packetsFail(options, setting, score) * score,
    steps: healthSteps(options, setting, score),
  }))
  let figures = settle(scores, options, 0)
  for (let round = 0; round < ROUNDS && setting.lossRatio > 0; round++) {
    // Everybody is probed as often as it probes, and refutes each accusation.
    figures = settle(scores, options, figures.failChance * figures.perSecond)
  }
  return { ...figures, packets: packetsOf(options, setting, figures.perSecond) }
}

interface Score {
  readonly fails: number
  /** Probe intervals. */
  readonly lasts: number
  readonly steps: readonly number[]
}

function settle(
  scores: readonly Score[],
  { probeIntervalMs }: SwimOptions,
  refutationsPerSecond: number,
): Omit<ProbeFigures, 'packets'> {
  const most = scores.length - 1
  let shares: number[] = scores.map((_, score) => (score === 0 ? 1 : 0))
  const refutes = Math.min(1, (refutationsPerSecond * probeIntervalMs) / 1000)
  for (let step = 0; step < CHAIN_STEPS; step++) {
    const next: number[] = scores.map(() => 0)
    const add = (score: number, share: number): void => {
      const at = Math.max(0, Math.min(most, score))
      next[at] = (next[at] as number) + share
    }
    for (const [score, { fails, lasts, steps }] of scores.entries()) {
      const share = shares[score] as number
      const refuted = Math.min(1, refutes * lasts)
      for (const [by, chance] of [1 - refuted, refuted].entries()) {
        add(Math.max(0, score - 1) + by, share * chance * (1 - fails))
        for (const [missing, odds] of steps.entries()) add(score + missing + by, share * chance * fails * odds)
      }
    }
    shares = next
  }
  let [failChance, periods, weighted] = [0, 0, 0]
  for (const [score, { fails, lasts }] of scores.entries()) {
    const share = shares[score] as number
    failChance += share * fails
    periods += share * lasts
    weighted += share * lasts * score
  }
  const perSecond = 1000 / (probeIntervalMs * periods)
  return { failChance, perSecond, healthShares: shares, health: weighted / periods }
}

/** SWIM §3.1: a ping and its ack; where one of them is lost, each helper is asked, pings, and says what came of it, if it was reached. */
function packetsOf(options: SwimOptions, { lossRatio, members }: Setting, perSecond: number): Packets {
  const arrives = 1 - lossRatio
  const indirectPings = perSecond * directFails(lossRatio) * helpersOf(options, members)
  const pings = perSecond + indirectPings * arrives
  return { pings, acks: pings * arrives, indirectPings, relayed: indirectPings * arrives }
}

/** P(X = hits) of `trials` tries. */
export function binomial(trials: number, hits: number, chance: number): number {
  let ways = 1
  for (let at = 0; at < hits; at++) ways *= (trials - at) / (at + 1)
  return ways * chance ** hits * (1 - chance) ** (trials - hits)
}
