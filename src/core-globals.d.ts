// The only names beyond the language that the pure rooms (base, wire, swim, serf) may use. Read by tsconfig.core.json alone.
// Text coding is arithmetic on bytes: the same input gives the same output everywhere, so it does not break determinism.

declare class TextEncoder {
  encode(text?: string): Uint8Array
  encodeInto(text: string, into: Uint8Array): { read: number; written: number }
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean })
  decode(bytes?: Uint8Array): string
}
