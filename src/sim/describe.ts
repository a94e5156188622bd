// A packet as the reader of a transcript wants to see it: the kinds of its messages and whom they are about, never all of it.

import { nodeCipher } from '../node/cipher.ts'
import type { Keyring } from '../wire/keyring.ts'
import { decodePacket } from '../wire/packet.ts'
import { type PacketMessage, SerfType } from '../wire/types.ts'

const SERF_NAMES = new Map<number, string>(Object.entries(SerfType).map(([name, type]) => [type, name]))

/** Gives a function that describes packets of a cluster with this label and these keys. What cannot be read says so. */
export function packetDescriber(label: Uint8Array, keyring: Keyring | undefined): (packet: Uint8Array) => string {
  const sealing = { label, keyring, cipher: nodeCipher }
  return (packet) => {
    try {
      const { messages, problems } = decodePacket(packet, sealing)
      const said = messages.map(({ message }) => describe(message))
      for (const problem of problems) said.push(`! ${problem.message}`)
      return said.join(', ')
    } catch (error) {
      return `! ${error instanceof Error ? error.message : String(error)}`
    }
  }
}

function describe(message: PacketMessage): string {
  switch (message.type) {
    case 'ping':
      return `ping ${message.seqNo}`
    case 'indirect-ping':
      return `indirect-ping ${message.seqNo} ${message.node}`
    case 'ack':
    case 'nack':
      return `${message.type} ${message.seqNo}`
    case 'alive':
      return `alive ${message.node}/${message.incarnation}`
    case 'suspect':
    case 'dead':
      return `${message.type} ${message.node}/${message.incarnation} by ${message.from}`
    case 'user':
      return `serf ${SERF_NAMES.get(message.payload[0] ?? -1) ?? 'unknown'}`
  }
}
