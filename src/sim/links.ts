// What lies between two hosts: latency, loss, cuts and rules. Every packet and every piece of a stream is judged here once,
// when it is sent; what is under way when a link is cut still arrives. Knows hosts by name only, and no time.
// A plain router with rules that give a verdict is the idea of turmoil and TigerBeetle.
import { OptionsError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'

/** Milliseconds one way: always the same, evenly drawn from a range, or a function of the dice. */
export type Latency = number | { readonly minMs: number; readonly maxMs: number } | ((random: Random) => number)

/** The properties of a link in one direction. */
export interface LinkOptions {
  /** Default: 0.2 to 1 ms. Drawn for each packet, so packets overtake each other; streams stay in order. */
  readonly latencyMs?: Latency
  /** Share of packets that vanish, 0 to 1, default 0. In a stream a loss costs time, as TCP sends again. */
  readonly lossRatio?: number
}

/** One thing on its way. */
export interface Leg {
  readonly from: string
  readonly to: string
  readonly carries: 'packet' | 'stream'
  readonly bytes: number
}

/** What a rule says of a leg. Any `drop` drops it; delays add up, on top of the link's latency. */
export type Verdict = 'pass' | 'drop' | { readonly delayMs: number }

/** Judges every leg between two different hosts. Its only chance is `random`, or the run does not replay. */
export type Rule = (leg: Leg, random: Random) => Verdict

/** Why a leg goes nowhere. */
export type LinkDrop = 'cut' | 'rule' | 'loss'

/** `packets` cuts UDP and lets TCP through. */
export type CutKind = 'all' | 'packets'

const LAN_LATENCY: Latency = { minMs: 0.2, maxMs: 1 }
const LOOPBACK_MS = 0.02

interface Link {
  readonly latencyMs: Latency
  readonly lossRatio: number
}

/** All links of a network. A host reaches itself whatever is cut. */
export class Links {
  readonly #random: Random
  #default: Link
  readonly #special = new Map<string, Map<string, Link>>()
  readonly #cuts = new Map<string, Map<string, CutKind>>()
  readonly #rules = new Set<Rule>()

  constructor(random: Random, options: LinkOptions = {}) {
    this.#random = random
    this.#default = resolveLink(options, { latencyMs: LAN_LATENCY, lossRatio: 0 })
  }

  /** Changes what holds for every link that has no properties of its own. */
  setDefault(options: LinkOptions): void {
    this.#default = resolveLink(options, this.#default)
  }

  /** Gives the link from one host to another, in this direction, properties of its own; what is left out stays as it is. */
  set(from: string, to: string, options: LinkOptions): void {
    put(this.#special, from, to, resolveLink(options, this.#special.get(from)?.get(to) ?? this.#default))
  }

  /** Nothing goes from one host to the other any more, in this direction only. */
  cut(from: string, to: string, kind: CutKind = 'all'): void {
    put(this.#cuts, from, to, kind)
  }

  /** Ends the cut from one host to the other, in this direction; without arguments, every cut. */
  heal(from?: string, to?: string): void {
    if (from === undefined || to === undefined) this.#cuts.clear()
    else this.#cuts.get(from)?.delete(to)
  }

  /** Adds a rule and gives a function that removes it. Rules are asked in the order of their adding. */
  addRule(rule: Rule): () => void {
    this.#rules.add(rule)
    return () => this.#rules.delete(rule)
  }

  /** Milliseconds the leg takes, or why it goes nowhere. */
  judge(from: string, to: string, carries: Leg['carries'], bytes: number): number | LinkDrop {
    if (from === to) return LOOPBACK_MS
    if (this.#cuts.size > 0) {
      const cut = this.#cuts.get(from)?.get(to)
      if (cut === 'all' || (cut === 'packets' && carries === 'packet')) return 'cut'
    }
    const link = (this.#special.size > 0 ? this.#special.get(from)?.get(to) : undefined) ?? this.#default
    let ms = draw(link.latencyMs, this.#random)
    if (this.#rules.size > 0) {
      const leg: Leg = { from, to, carries, bytes }
      for (const rule of this.#rules) {
        const verdict = rule(leg, this.#random)
        if (verdict === 'drop') return 'rule'
        if (verdict !== 'pass') ms += verdict.delayMs
      }
    }
    return link.lossRatio > 0 && this.#random.fraction() < link.lossRatio ? 'loss' : ms
  }
}

function draw(latency: Latency, random: Random): number {
  if (typeof latency === 'number') return latency
  if (typeof latency === 'function') return latency(random)
  return latency.minMs + random.fraction() * (latency.maxMs - latency.minMs)
}

function resolveLink(options: LinkOptions, base: Link): Link {
  const { latencyMs = base.latencyMs, lossRatio = base.lossRatio } = options
  if (!(lossRatio >= 0 && lossRatio <= 1)) throw new OptionsError('lossRatio', lossRatio, 'from 0 to 1')
  if (typeof latencyMs === 'number') checkMs(latencyMs, 0)
  else if (typeof latencyMs === 'object') checkMs(latencyMs.maxMs, checkMs(latencyMs.minMs, 0))
  return { latencyMs, lossRatio }
}

function checkMs(ms: number, atLeast: number): number {
  if (!(ms >= atLeast && ms < Number.POSITIVE_INFINITY))
    throw new OptionsError('latencyMs', ms, `finite, ${atLeast} ms or more`)
  return ms
}

function put<Value>(table: Map<string, Map<string, Value>>, from: string, to: string, value: Value): void {
  const row = table.get(from)
  if (row === undefined) table.set(from, new Map([[to, value]]))
  else row.set(to, value)
}
