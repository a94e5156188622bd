// What Serf holds of keys beside the keyring: who waits for a change. Types only; key-manager.ts changes it.
import type { Keyring } from '../wire/keyring.ts'

export type KeyChange = 'install' | 'use' | 'remove'
export type KeyOperation = KeyChange | 'list'

/** Whoever waits for an answer. */
export interface KeyAsker {
  /** Whether an answer with this payload is small enough to be sent. */
  fits(payload: Uint8Array): boolean
  /** Sends the answer, where it is not too late for it. */
  answer(payload: Uint8Array, now: number): void
}

/** The keys of this member, and who waits for their change. */
export interface Keys {
  /** `undefined`: nothing is encrypted, and no key can be installed. The driver seals and opens with the very same keyring. */
  readonly keyring: Keyring | undefined
  /** There is a keyring, but plain bytes are taken, or sent: whoever asks may be anybody, and whoever listens. */
  readonly isStaged: boolean
  /** The keys are kept in a file too. */
  readonly hasFile: boolean
  /** In the order they came. Of those the first is being written while `isWriting`. */
  readonly waiting: { readonly change: KeyChange; readonly key: Uint8Array; readonly asker: KeyAsker }[]
  isWriting: boolean
}
