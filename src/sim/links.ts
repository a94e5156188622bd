// What lies between two hosts: latency, loss, copies, disorder, cuts and rules. Every packet and every piece of a stream is judged here
// once, when it is sent; what is under way when a link is cut still arrives. Knows hosts by name only, and no time.
// Streams feel latency, loss and cuts, as time; of copies, disorder and sizes TCP lets its owners feel nothing.
// A plain router with rules that give a verdict is the idea of turmoil and TigerBeetle.
import { checkKeys, checkObject } from '../base/check.ts'
import { OptionsError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import { checkLatency, drawLatency, type Latency, latencyInWords, mostMs } from './latency.ts'

/** The properties of a link in one direction. */
export interface LinkOptions {
  /** Default: 0.2 to 1 ms. Drawn for each packet, so packets overtake each other; streams stay in order. */
  readonly latencyMs?: Latency
  /** Share of packets that vanish, 0 to 1, default 0. In a stream a loss costs time, as TCP sends again. */
  readonly lossRatio?: number
  /** Share of packets that arrive twice, 0 to 1, default 0. The copy has a latency of its own. */
  readonly duplicateRatio?: number
  /** Share of packets that are held back by `reorderMs`, so that later ones overtake them, 0 to 1, default 0. */
  readonly reorderRatio?: number
  /** How much longer those take. Default 10 ms. */
  readonly reorderMs?: Latency
  /** Larger packets vanish on the way, as where fragments are filtered: 1 to 65,507, the most UDP carries and the default. */
  readonly maxPacketBytes?: number
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
export type LinkDrop = 'cut' | 'rule' | 'loss' | 'too-big'

/** `packets` cuts UDP and lets TCP through. */
export type CutKind = 'all' | 'packets'

/** The most that one UDP packet carries. */
export const MAX_UDP_BYTES = 65_507
const LOOPBACK_MS = 0.02

type Link = Required<LinkOptions>

const LAN: Link = {
  latencyMs: { minMs: 0.2, maxMs: 1 },
  lossRatio: 0,
  duplicateRatio: 0,
  reorderRatio: 0,
  reorderMs: 10,
  maxPacketBytes: MAX_UDP_BYTES,
}

/** What a link has, by name. */
export const LINK_OPTIONS: readonly string[] = Object.keys(LAN)

/** All links of a network. A host reaches itself whatever is cut. */
export class Links {
  readonly #random: Random
  #default: Link
  readonly #special = new Map<string, Map<string, Link>>()
  readonly #cuts = new Map<string, Map<string, CutKind>>()
  readonly #rules = new Set<Rule>()
  #isUnruly = false
  /** Nothing takes longer by the options that were given first. */
  readonly usualMs: number

  constructor(random: Random, options: LinkOptions = {}) {
    this.#random = random
    this.#default = this.#resolve(options, LAN)
    this.usualMs = mostMs(this.#default.latencyMs)
  }

  /** True once any link has copied packets or brought them into disorder: only then `holdBack` and `copy` need to be asked. */
  get isUnruly(): boolean {
    return this.#isUnruly
  }

  /** Changes what holds for every link that has no properties of its own. @throws OptionsError */
  setDefault(options: LinkOptions): void {
    checkFields(options)
    this.#default = this.#resolve(options, this.#default)
  }

  /** Gives the link from one host to another, in this direction, properties of its own; what is left out stays as it is.
   *  @throws OptionsError */
  set(from: string, to: string, options: LinkOptions): void {
    checkFields(options)
    put(this.#special, from, to, this.#resolve(options, this.#between(from, to)))
  }

  /** Nothing goes from one host to the other any more, in this direction only. */
  cut(from: string, to: string, kind: CutKind = 'all'): void {
    put(this.#cuts, from, to, kind)
  }

  /** Ends the cut from one host to the other, in this direction; with one argument, every cut from it and to it; without, every cut. */
  heal(from?: string, to?: string): void {
    if (from === undefined) {
      this.#cuts.clear()
    } else if (to === undefined) {
      this.#cuts.delete(from)
      for (const row of this.#cuts.values()) row.delete(from)
    } else {
      this.#cuts.get(from)?.delete(to)
    }
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
    const link = this.#between(from, to)
    if (carries === 'packet' && bytes > link.maxPacketBytes) return 'too-big'
    let ms = drawLatency(link.latencyMs, this.#random)
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

  /** Milliseconds by which a packet that `judge` let pass is held back; 0 for most. */
  holdBack(from: string, to: string): number {
    const { reorderRatio, reorderMs } = this.#between(from, to)
    const isHeld = from !== to && reorderRatio > 0 && this.#random.fraction() < reorderRatio
    return isHeld ? drawLatency(reorderMs, this.#random) : 0
  }

  /** Milliseconds that a copy of such a packet takes, or `undefined` where there is none. */
  copy(from: string, to: string): number | undefined {
    const { duplicateRatio, latencyMs } = this.#between(from, to)
    const isTwice = from !== to && duplicateRatio > 0 && this.#random.fraction() < duplicateRatio
    return isTwice ? drawLatency(latencyMs, this.#random) : undefined
  }

  #between(from: string, to: string): Link {
    return (this.#special.size > 0 ? this.#special.get(from)?.get(to) : undefined) ?? this.#default
  }

  #resolve(options: LinkOptions, base: Link): Link {
    const link = checkLink({
      latencyMs: options.latencyMs ?? base.latencyMs,
      lossRatio: options.lossRatio ?? base.lossRatio,
      duplicateRatio: options.duplicateRatio ?? base.duplicateRatio,
      reorderRatio: options.reorderRatio ?? base.reorderRatio,
      reorderMs: options.reorderMs ?? base.reorderMs,
      maxPacketBytes: options.maxPacketBytes ?? base.maxPacketBytes,
    })
    if (link.duplicateRatio > 0 || link.reorderRatio > 0) this.#isUnruly = true
    return link
  }
}

/** Each property in words, for a transcript. */
export function linkInWords(options: LinkOptions): string {
  const said: string[] = []
  if (options.latencyMs !== undefined) said.push(`latency ${latencyInWords(options.latencyMs)}`)
  if (options.lossRatio !== undefined) said.push(`loses ${options.lossRatio}`)
  if (options.duplicateRatio !== undefined) said.push(`doubles ${options.duplicateRatio}`)
  if (options.reorderRatio !== undefined) said.push(`holds back ${options.reorderRatio}`)
  if (options.reorderMs !== undefined) said.push(`holds back for ${latencyInWords(options.reorderMs)}`)
  if (options.maxPacketBytes !== undefined) said.push(`at most ${options.maxPacketBytes} B`)
  return said.join(', ')
}

function checkFields(options: LinkOptions): void {
  checkObject('options', options)
  checkKeys(options, LINK_OPTIONS)
}

function checkLink(link: Link): Link {
  checkLatency('latencyMs', link.latencyMs)
  checkLatency('reorderMs', link.reorderMs)
  for (const option of ['lossRatio', 'duplicateRatio', 'reorderRatio'] as const) {
    const ratio = link[option]
    if (!(ratio >= 0 && ratio <= 1)) throw new OptionsError(option, ratio, 'from 0 to 1')
  }
  const { maxPacketBytes } = link
  if (!Number.isInteger(maxPacketBytes) || maxPacketBytes < 1 || maxPacketBytes > MAX_UDP_BYTES)
    throw new OptionsError('maxPacketBytes', maxPacketBytes, `a whole number from 1 to ${MAX_UDP_BYTES}`)
  return link
}

function put<Value>(table: Map<string, Map<string, Value>>, from: string, to: string, value: Value): void {
  const row = table.get(from)
  if (row === undefined) table.set(from, new Map([[to, value]]))
  else row.set(to, value)
}
