// CRC-32 (IEEE 802.3, reflected, polynomial 0xedb88320), eight bytes a step: "slicing by 8" (Kounavis, Berry, 2008).

/** Table k, entry b: what byte b does to the sum when k more bytes follow in the same step. Eight tables, end to end. */
const TABLES = buildTables()

/** The CRC-32 of `bytes` from `from` on, 0 to 2^32 - 1. */
export function crc32(bytes: Uint8Array, from = 0): number {
  const tables = TABLES
  const end = bytes.length
  let sum = -1
  let at = from
  for (; at + 8 <= end; at += 8) {
    sum =
      (tables[1792 + ((bytes[at] as number) ^ (sum & 0xff))] as number) ^
      (tables[1536 + ((bytes[at + 1] as number) ^ ((sum >>> 8) & 0xff))] as number) ^
      (tables[1280 + ((bytes[at + 2] as number) ^ ((sum >>> 16) & 0xff))] as number) ^
      (tables[1024 + ((bytes[at + 3] as number) ^ (sum >>> 24))] as number) ^
      (tables[768 + (bytes[at + 4] as number)] as number) ^
      (tables[512 + (bytes[at + 5] as number)] as number) ^
      (tables[256 + (bytes[at + 6] as number)] as number) ^
      (tables[bytes[at + 7] as number] as number)
  }
  for (; at < end; at++) sum = (tables[(sum ^ (bytes[at] as number)) & 0xff] as number) ^ (sum >>> 8)
  return ~sum >>> 0
}

function buildTables(): Int32Array {
  const tables = new Int32Array(2048)
  for (let byte = 0; byte < 256; byte++) {
    let sum = byte
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1
    tables[byte] = sum
  }
  for (let at = 256; at < 2048; at++) {
    const before = tables[at - 256] as number
    tables[at] = (before >>> 8) ^ (tables[before & 0xff] as number)
  }
  return tables
}
