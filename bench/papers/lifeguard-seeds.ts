// The grid, the hold-out and the measure by which a better detector is to be judged: fixed, and committed, before any candidate was
// run. The pilot runs that chose the cells used plain SWIM and Lifeguard only, and seeds 1 to 9, which are in neither list.
import type { Cell } from './lifeguard-play.ts'
import { cellOf } from './lifeguard-results.ts'

/** For the five rows, the tuning curve, and for whoever develops: look at these as often as you like. */
export const GRID_SEEDS: readonly number[] = range(101, 110)

export const GRID: readonly Cell[] = [].map(cellOf)

export const HOLD_OUT_SEEDS: readonly number[] = range(9_001, 9_020)

export const HOLD_OUT: readonly Cell[] = [].map(cellOf)

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}
