// Makes the corpus: of many inputs keeps, for each behaviour met (what a decoder said, what a member warned of), one that shows it, and
// shortens that as far as the behaviour stays. Behaviours are named in words; figures in them do not count.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Random } from '../../src/base/random.ts'
import { feedDecoders } from './decoders.ts'
import { formatInput, type Input } from './input.ts'
import { MemberUnderFire, noTotals } from './member.ts'
import { runTarget, TARGETS, turn } from './targets.ts'

/** Larger ones say nothing that a small one does not. */
const MAX_BYTES = 1500
/** Behaviours kept for each doorway; the simplest first, since the others are sums of those. */
const MOST_KEPT = 80

export const CORPUS: string = fileURLToPath(new URL('corpus/', import.meta.url))

/** Names that strangers chose, in what a member warns of. */
const NAMED = /\b(of|for|that|from|to|with|came to) .+?(?=:|,| at | came | in | is |$)/g

/** Meets `inputs` inputs of each target, or of `only` one, then writes `corpus/<target>.txt`. */
export async function collect(inputs: number, seed: number, only?: string): Promise<void> {
  for (const target of TARGETS.filter((one) => only === undefined || one === only)) {
    const found = new Map<string, Input>()
    await runTarget({
      target,
      seed,
      from: 0,
      inputs,
      came(input, to) {
        if (to === '' || to.includes('; ') || input.bytes.length > MAX_BYTES) return
        const key = target === 'member' ? `${input.doorway} ${to.replaceAll(NAMED, '$1 ...')}` : to
        const known = found.get(key)
        if (known === undefined || input.bytes.length < known.bytes.length) found.set(key, input)
      },
    })
    const kept = [...found].sort(([left], [right]) => left.length - right.length).slice(0, MOST_KEPT)
    const lines: string[] = []
    for (const [behaviour, input] of kept) {
      const small = await shortened(input, target === 'member' ? warned : said)
      if (small === undefined) continue
      lines.push(`# ${behaviour.trim().replaceAll(/[^\x20-\x7e]/g, '?')}`, formatInput(small))
    }
    const path = `${CORPUS}${target}.txt`
    writeFileSync(path, `${lines.join('\n')}\n`)
    console.log(`${lines.length / 2} of ${found.size} behaviours: ${readFileSync(path).length} bytes in ${target}.txt`)
  }
}

type Behaviour = (input: Input) => Promise<string>

const said: Behaviour = async (input) => feedDecoders(input, new Random(1))

/** On a fresh member. */
const warned: Behaviour = async (input) => {
  const member = await MemberUnderFire.start(input.cluster, 1, noTotals())
  member.feed(input, new Random(1))
  const words = member.takeWarned().join('; ')
  await member.close()
  await turn()
  return words
}

/** Leaves out ever smaller parts as long as the behaviour stays; `undefined` where it was the work of what came before. */
async function shortened(input: Input, behaviour: Behaviour): Promise<Input | undefined> {
  const wanted = await behaviour(input)
  if (wanted === '') return undefined
  let best = input
  for (let step = best.bytes.length >> 1; step >= 1; step >>= 1) {
    for (let at = 0; at < best.bytes.length; ) {
      const bytes = Uint8Array.from([...best.bytes.subarray(0, at), ...best.bytes.subarray(at + step)])
      if ((await behaviour({ ...best, bytes })) === wanted) best = { ...best, bytes }
      else at += step
    }
  }
  return best
}
