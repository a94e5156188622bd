// The label that keeps clusters apart: `f4 | length | label`, in front of everything else. No label is no header.
// Source: wire-protocol §3.2 and §4.2.
import { assert } from '../base/assert.ts'
import { NO_BYTES, sameBytes } from '../base/bytes.ts'
import { DecodeError } from '../base/errors.ts'
import { MAX_LABEL_BYTES } from './limits.ts'
import { SwimType } from './types.ts'

/** What the header of `label` takes; 0 for none. */
export function labelOverhead(label: Uint8Array): number {
  return label.length === 0 ? 0 : 2 + label.length
}

/** Puts the header of `label` in front of `rest`; gives `rest` itself where there is no label. */
export function addLabel(label: Uint8Array, rest: Uint8Array): Uint8Array {
  if (label.length === 0) return rest
  assert(label.length <= MAX_LABEL_BYTES, 'a label has at most 255 bytes')
  const all = new Uint8Array(2 + label.length + rest.length)
  all[0] = SwimType.label
  all[1] = label.length
  all.set(label, 2)
  all.set(rest, 2 + label.length)
  return all
}

/** How many of the first `end` bytes are a label header: 0 for none, `undefined` where more must come to tell.
 *  Throws `DecodeError` on a header without a label. */
export function labelHeaderLength(bytes: Uint8Array, end: number): number | undefined {
  if (end === 0) return undefined
  if (bytes[0] !== SwimType.label) return 0
  if (end === 1) return undefined
  const length = bytes[1] as number
  if (length === 0) throw new DecodeError('label header cannot be empty when present')
  return end < 2 + length ? undefined : 2 + length
}

/** Checks a header of that length against the label we want. Throws `DecodeError` where they differ. */
export function checkLabel(bytes: Uint8Array, headerLength: number, wanted: Uint8Array): void {
  const found = headerLength === 0 ? NO_BYTES : bytes.subarray(2, headerLength)
  if (!sameBytes(found, wanted)) {
    throw new DecodeError(found.length === 0 ? 'no label where one is wanted' : 'label of another cluster')
  }
}
