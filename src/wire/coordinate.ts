// A network coordinate as an ack carries it: one version byte, then the struct. Knows its bytes, not what it means.
// Source: wire-protocol §9; Serf's ping delegate.
import { DecodeError } from '../base/errors.ts'
import { float64, list, Reader, struct, written } from './msgpack.ts'
import type { Coordinate } from './types.ts'

/** The one version there is. */
const VERSION = 1

const coordinate = struct<Coordinate>(
  () => ({ vector: [], error: 0, adjustment: 0, height: 0 }),
  [
    ['Vec', 'vector', list(float64)],
    ['Error', 'error', float64],
    ['Adjustment', 'adjustment', float64],
    ['Height', 'height', float64],
  ],
)

/** What an ack carries. */
export function encodeCoordinate(value: Coordinate): Uint8Array {
  return written((writer) => {
    writer.byte(VERSION)
    coordinate.encode(writer, value)
  })
}

/** The coordinate in what an ack carried, of any size, with any numbers in it. Bytes behind it are ignored. Throws `DecodeError`. */
export function decodeCoordinate(all: Uint8Array): Coordinate {
  if (all[0] !== VERSION) throw new DecodeError(`payload of version ${all[0]}, ${VERSION} is understood`)
  return coordinate.decode(new Reader(all, 1))
}
