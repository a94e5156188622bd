// The same package from a CommonJS module: Node 20.19 and later can require it, and the types must say so.
import { Membership } from 'rollcall'
import { decodePacket } from 'rollcall/wire'

export const made: Membership = new Membership({ name: 'log-1' })
export const packet: unknown = decodePacket(new Uint8Array())
