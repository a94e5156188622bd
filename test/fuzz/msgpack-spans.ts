// Where the values of some MessagePack stand: offsets and lengths only, found without trusting any of it. For mutations that keep the
// outer form and put something strange inside. Bounded in depth and number; what it cannot read it leaves out.

/** One value: its head and its whole extent, both in bytes. */
export interface Span {
  readonly at: number
  readonly headBytes: number
  /** Head and content together. */
  readonly length: number
  readonly kind: 'scalar' | 'bytes' | 'list' | 'map' | 'ext'
}

const MAX_SPANS = 400
const MAX_DEPTH = 12

/** All values from `at` on, parents before what they hold. Stops where the bytes are none. */
export function spansOf(bytes: Uint8Array, at: number): Span[] {
  const spans: Span[] = []
  let next: number | undefined = at
  while (next !== undefined && next < bytes.length && spans.length < MAX_SPANS) next = read(bytes, next, spans, 0)
  return spans
}

/** Puts the value at `at` and what it holds into `spans`; gives the offset behind it, or `undefined` where it is cut short. */
function read(bytes: Uint8Array, at: number, spans: Span[], depth: number): number | undefined {
  const head = headAt(bytes, at)
  if (head === undefined || depth > MAX_DEPTH || spans.length >= MAX_SPANS) return undefined
  const place = spans.length
  spans.push({ at, headBytes: head.headBytes, length: 0, kind: head.kind })
  let end: number | undefined = at + head.headBytes + head.contentBytes
  for (let left = head.items; left > 0 && end !== undefined; left--) end = read(bytes, end, spans, depth + 1)
  if (end === undefined || end > bytes.length) {
    spans.length = place
    return undefined
  }
  spans[place] = { at, headBytes: head.headBytes, length: end - at, kind: head.kind }
  return end
}

interface Head {
  readonly headBytes: number
  readonly contentBytes: number
  readonly items: number
  readonly kind: Span['kind']
}

function headAt(bytes: Uint8Array, at: number): Head | undefined {
  const type = bytes[at]
  if (type === undefined) return undefined
  const scalar = (contentBytes: number): Head => ({ headBytes: 1, contentBytes, items: 0, kind: 'scalar' })
  const sized = (kind: Span['kind'], sizeBytes: number, extra = 0): Head | undefined => {
    if (at + 1 + sizeBytes > bytes.length) return undefined
    let size = 0
    for (let byte = 0; byte < sizeBytes; byte++) size = size * 256 + (bytes[at + 1 + byte] as number)
    const isHolder = kind === 'list' || kind === 'map'
    const items = kind === 'map' ? 2 * size : isHolder ? size : 0
    return { headBytes: 1 + sizeBytes, contentBytes: isHolder ? 0 : size + extra, items, kind }
  }
  if (type < 0x80 || type >= 0xe0) return scalar(0)
  if (type < 0x90) return { headBytes: 1, contentBytes: 0, items: 2 * (type & 15), kind: 'map' }
  if (type < 0xa0) return { headBytes: 1, contentBytes: 0, items: type & 15, kind: 'list' }
  if (type < 0xc0) return { headBytes: 1, contentBytes: type & 31, items: 0, kind: 'bytes' }
  if (type <= 0xc3) return scalar(0)
  if (type <= 0xc6) return sized('bytes', 1 << (type - 0xc4))
  if (type <= 0xc9) return sized('ext', 1 << (type - 0xc7), 1)
  if (type <= 0xcb) return scalar(type === 0xca ? 4 : 8)
  if (type <= 0xcf) return scalar(1 << (type - 0xcc))
  if (type <= 0xd3) return scalar(1 << (type - 0xd0))
  if (type <= 0xd8) return { headBytes: 1, contentBytes: 1 + (1 << (type - 0xd4)), items: 0, kind: 'ext' }
  if (type <= 0xdb) return sized('bytes', 1 << (type - 0xd9))
  if (type <= 0xdd) return sized('list', type === 0xdc ? 2 : 4)
  return sized('map', type === 0xde ? 2 : 4)
}
