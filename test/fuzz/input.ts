// What a fuzz run feeds: bytes, where they go, and which of four clusters they are meant for. One line of text holds one input, so that a
// crash, a file of the corpus and a replay are the same thing. Knows nothing of how inputs are made or judged.
import { utf8 } from '../../src/base/bytes.ts'
import { nodeCipher } from '../../src/node/cipher.ts'
import { Keyring } from '../../src/wire/keyring.ts'
import type { Sealing } from '../../src/wire/packet.ts'

/** The four ways a cluster can be kept apart. */
export const CLUSTERS = ['plain', 'labelled', 'encrypted', 'both'] as const
export type ClusterKind = (typeof CLUSTERS)[number]

/** Where bytes arrive: a datagram, a stream that a stranger opened, the answer on a stream of ours, or a decoder alone. */
export const DOORWAYS = ['packet', 'stream', 'answer', 'serf', 'tags', 'payload'] as const
export type Doorway = (typeof DOORWAYS)[number]

export interface Input {
  readonly doorway: Doorway
  readonly cluster: ClusterKind
  readonly bytes: Uint8Array
}

export const KEY: Uint8Array = new Uint8Array(16).fill(7)
export const OLD_KEY: Uint8Array = new Uint8Array(32).fill(9)
export const LABEL = 'fuzz'

const keyring = new Keyring([KEY, OLD_KEY])

/** What members of a cluster share. */
export const SEALINGS: Readonly<Record<ClusterKind, Sealing>> = {
  plain: { label: new Uint8Array(0), keyring: undefined, cipher: nodeCipher },
  labelled: { label: utf8(LABEL), keyring: undefined, cipher: nodeCipher },
  encrypted: { label: new Uint8Array(0), keyring, cipher: nodeCipher },
  both: { label: utf8(LABEL), keyring, cipher: nodeCipher },
}

/** `packet plain 0800ff`: what a crash prints and a corpus file holds. */
export function formatInput({ doorway, cluster, bytes }: Input): string {
  return `${doorway} ${cluster} ${Buffer.from(bytes).toString('hex')}`
}

/** The inputs in a text, one a line; lines that begin with `#` say what it is. Throws on anything else. */
export function parseInputs(text: string): Input[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
  return lines.map((line) => {
    const [doorway, cluster, hex = '', ...rest] = line.trim().split(/\s+/)
    const isInput =
      DOORWAYS.includes(doorway as Doorway) &&
      CLUSTERS.includes(cluster as ClusterKind) &&
      rest.length === 0 &&
      /^(?:[0-9a-f]{2})*$/.test(hex)
    if (!isInput) throw new Error(`no input: ${line.slice(0, 80)}`)
    return {
      doorway: doorway as Doorway,
      cluster: cluster as ClusterKind,
      bytes: Uint8Array.from(Buffer.from(hex, 'hex')),
    }
  })
}
