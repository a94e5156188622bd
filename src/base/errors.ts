// The error family a user of the library can meet. Codes never change within a major version, messages may:
// match `code`. Nothing here is thrown for what a peer sends, except by the decoders of `rollcall/wire`.

/** Every stable `code`. */
export type ErrorCode =
  | 'ERR_OPTIONS'
  | 'ERR_DECODE'
  | 'ERR_DECRYPT'
  | 'ERR_SIZE'
  | 'ERR_JOIN'
  | 'ERR_TIMEOUT'
  | 'ERR_QUERY'
  | 'ERR_TRANSPORT'
  | 'ERR_CLOSED'
  | 'ERR_STORAGE'
  | 'ERR_KEYS'

/** The root of the family. */
export class MembershipError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
  }
}

/** An option is wrong. Thrown at once, before anything is opened or changed. */
export class OptionsError extends MembershipError {
  /** The option's name, as the caller wrote it. */
  readonly option: string
  /** What was given. */
  readonly value: unknown
  /** What would have been accepted, in words and numbers. */
  readonly limit: string

  constructor(option: string, value: unknown, limit: string) {
    super('ERR_OPTIONS', `option ${option} is ${show(value)}: ${limit}`)
    this.option = option
    this.value = value
    this.limit = limit
  }
}

/** Bytes that are no message of ours. The decoder keeps no state of them. */
export class DecodeError extends MembershipError {
  constructor(message: string, cause?: unknown) {
    super('ERR_DECODE', message, cause)
  }
}

/** Bytes that no installed key opens, or that are encrypted where they must not be, or the reverse. */
export class DecryptError extends MembershipError {
  constructor(message: string, cause?: unknown) {
    super('ERR_DECRYPT', message, cause)
  }
}

/** Something is larger than the protocol allows. State unchanged. */
export class SizeError extends MembershipError {
  readonly usedBytes: number
  readonly allowedBytes: number

  constructor(what: string, usedBytes: number, allowedBytes: number) {
    super('ERR_SIZE', `${what} takes ${usedBytes} bytes, ${allowedBytes} are allowed`)
    this.usedBytes = usedBytes
    this.allowedBytes = allowedBytes
  }
}

/** No seed answered, and `required` was asked. The instance keeps running, and knows whom it knew. */
export class JoinError extends MembershipError {
  /** One entry an address that was tried, in order. */
  readonly failures: readonly { readonly address: string; readonly error: Error }[]

  constructor(failures: readonly { readonly address: string; readonly error: Error }[]) {
    const list = failures.map(({ address, error }) => `${address}: ${error.message}`).join('; ')
    super('ERR_JOIN', failures.length === 0 ? 'no seed to join' : `no seed answered: ${list}`)
    this.failures = failures
  }
}

/** An answer did not come in time. Says in its message what was waited for, and how long. */
export class TimeoutError extends MembershipError {
  constructor(message: string) {
    super('ERR_TIMEOUT', message)
  }
}

/** A query cannot be asked or answered as things stand: it has its answer already, or too many are open. State unchanged. */
export class QueryError extends MembershipError {
  constructor(message: string) {
    super('ERR_QUERY', message)
  }
}

/** A socket failed: port in use, address not ours, network unreachable. Nothing is left open by the call that threw. */
export class TransportError extends MembershipError {
  constructor(message: string, cause?: unknown) {
    super('ERR_TRANSPORT', message, cause)
  }
}

/** The instance is closed, or closed while the call waited. To come back, make a new instance. */
export class ClosedError extends MembershipError {
  constructor(message = 'this instance is closed') {
    super('ERR_CLOSED', message)
  }
}

/** A file cannot be read or written, or holds what it should not. What the file was, it still is. */
export class StorageError extends MembershipError {
  /** The file, as the option named it. */
  readonly path: string

  constructor(path: string, message: string, cause?: unknown) {
    super('ERR_STORAGE', `${path}: ${message}`, cause)
    this.path = path
  }
}

/** A value as a reader of an error message wants to see it: short, on one line. */
function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value)
  if (typeof value === 'function') return 'a function'
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  return String(value)
}
