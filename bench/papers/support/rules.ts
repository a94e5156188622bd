// What our members do beyond the papers: the rules that are on or off, switched off, for every row that is to be somebody else's detector.
import type { SimMemberOptions } from '../../../src/sim/cluster.ts'
import { PROFILES } from '../../../src/swim/options.ts'

/** What members do that is on or off and that the papers have too, or take no notice of. */
const NOT_OURS = new Set(['streamPings', 'buddySystem'])

/** Every rule of ours that SWIM and Lifeguard have not, switched off: the sources say which there are. */
export const NO_RULES: SimMemberOptions = Object.fromEntries(
  Object.entries(PROFILES.lan)
    .filter(([name, value]) => typeof value === 'boolean' && !NOT_OURS.has(name))
    .map(([name]) => [name, false]),
)
