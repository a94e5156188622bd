// Logarithm and exponential from the four operations alone. The language leaves the last digit of `Math.log` and its kin to the engine;
// what a run draws from them would then hang on the version of Node. Addition, multiplication and division are exact to the bit
// everywhere, so these are. Right to some 15 digits, which is more than dice deserve.

const LN_TERMS = 15
const EXP_TERMS = 18
/** Below and above, the result would leave the numbers that keep all their digits. */
const MAX_EXPONENT = 700

/** Natural logarithm of a number above 0. */
export function logOf(value: number): number {
  let rest = value
  let doublings = 0
  for (; rest > 1.5; doublings++) rest /= 2
  for (; rest < 0.75; doublings--) rest *= 2
  // ln x = 2 * atanh((x - 1) / (x + 1)), a series that is quick near 1
  const ratio = (rest - 1) / (rest + 1)
  let power = ratio
  let sum = 0
  for (let term = 0; term < LN_TERMS; term++) {
    sum += power / (2 * term + 1)
    power *= ratio * ratio
  }
  return 2 * sum + doublings * Math.LN2
}

/** e to the power of `value`, which counts as at most 700 and at least -700. */
export function expOf(value: number): number {
  const bounded = Math.max(-MAX_EXPONENT, Math.min(MAX_EXPONENT, value))
  const doublings = Math.round(bounded / Math.LN2)
  const rest = bounded - doublings * Math.LN2
  let term = 1
  let sum = 1
  for (let at = 1; at < EXP_TERMS; at++) {
    term *= rest / at
    sum += term
  }
  for (let left = doublings; left > 0; left--) sum *= 2
  for (let left = doublings; left < 0; left++) sum /= 2
  return sum
}
