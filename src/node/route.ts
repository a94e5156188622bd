// Which of our addresses what we send to the world bears: the default route's. Asked of the system without sending anything:
// connecting a UDP socket only chooses a route. Works alike on every system; where there is no default route, there is no answer.
import dgram from 'node:dgram'
import { tracer } from '../base/log.ts'
import { isIpv4, isWildcard, parseIp } from '../wire/address.ts'

const trace = tracer('node:route')

/** Addresses for documentation (RFC 5737, RFC 3849): no network of anybody's has them, so that only a default route leads there. */
const ELSEWHERE = { udp4: '192.0.2.1', udp6: '2001:db8::1' } as const

/** Any number but 0; nothing is sent there. */
const PORT = 9

/** Our address on the default route of each family that `wildcard` covers, where there is one. */
export async function routedAddresses(wildcard: Uint8Array): Promise<readonly Uint8Array[]> {
  const found = await Promise.all([sourceTo('udp4'), ...(isIpv4(wildcard) ? [] : [sourceTo('udp6')])])
  return found.flatMap((ip) => (ip === undefined || isWildcard(ip) ? [] : [ip]))
}

function sourceTo(family: keyof typeof ELSEWHERE): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const socket = dgram.createSocket({ type: family })
    let isOver = false
    const end = (ip: Uint8Array | undefined): void => {
      if (isOver) return
      isOver = true
      socket.close(() => resolve(ip))
    }
    // Where the family is not to be had at all the socket says so itself.
    socket.on('error', (error) => {
      trace('%s: %s', family, error.message)
      end(undefined)
    })
    socket.connect(PORT, ELSEWHERE[family], (error?: unknown) => {
      if (error instanceof Error) {
        trace('%s: no default route: %s', family, error.message)
        end(undefined)
        return
      }
      end(parseIp(socket.address().address))
    })
  })
}
