// The one door of `debug`. Rooms trace one line per decision, with names and numbers; off by default,
// switched on by DEBUG=rollcall:*, never needed to pass a test.
import createDebug from 'debug'
import { printable } from './printable.ts'

export type Trace = (format: string, ...values: unknown[]) => void

/** A tracer for `rollcall:<room>`. `%s %d %o` as in `debug`; costs a call and a test where it is off. */
export function tracer(room: string): Trace {
  const debug = createDebug(`rollcall:${room}`)
  return (format, ...values) => {
    // Names are what strangers call themselves.
    if (debug.enabled) debug(format, ...values.map((value) => (typeof value === 'string' ? printable(value) : value)))
  }
}
