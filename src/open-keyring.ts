// The keys of a member at its start, where a file keeps them: read, or made where there is none. What the file holds is
// serf/keyring-file.ts's; when it is written again is serf/key-manager.ts's.
import { DecodeError, StorageError } from './base/errors.ts'
import { tracer } from './base/log.ts'
import type { Storage } from './driver/storage.ts'
import { formatKeyringFile, MAX_KEYRING_FILE_BYTES, parseKeyringFile } from './serf/keyring-file.ts'
import type { Keyring } from './wire/keyring.ts'

const trace = tracer('keys')

/** The keys of the file; where there is none it is made of `first`. Errors show no key.
 *  @throws StorageError where it cannot be read or made, holds something else, or is missing and there is nothing to make it of */
export async function openKeyring(
  storage: Pick<Storage, 'readFile' | 'replaceFile'>,
  path: string,
  first: Keyring | undefined,
): Promise<Keyring> {
  const bytes = await trying(path, 'the keyring cannot be read', () => storage.readFile(path, MAX_KEYRING_FILE_BYTES))
  if (bytes !== undefined) return parsed(path, bytes)
  if (first === undefined) {
    throw new StorageError(path, 'there is no keyring: make one, or say by `keyring` what it is to begin with')
  }
  await trying(path, 'the keyring cannot be made', () => storage.replaceFile(path, formatKeyringFile(first.inOrder)))
  trace('%s is made', path)
  return first
}

/** How the file is written again; `undefined` where there is none. */
export function keyringStore(
  storage: Pick<Storage, 'replaceFile'> | undefined,
  path: string | undefined,
): ((bytes: Uint8Array) => Promise<void>) | undefined {
  if (storage === undefined || path === undefined) return undefined
  return (bytes) => storage.replaceFile(path, bytes)
}

function parsed(path: string, bytes: Uint8Array): Keyring {
  try {
    const keyring = parseKeyringFile(bytes)
    trace('%d keys of %s', keyring.inOrder.length, path)
    return keyring
  } catch (error) {
    if (error instanceof DecodeError) throw new StorageError(path, `the keyring is unusable: ${error.message}`)
    throw error
  }
}

async function trying<Result>(path: string, what: string, task: () => Promise<Result>): Promise<Result> {
  try {
    return await task()
  } catch (error) {
    throw new StorageError(path, `${what}: ${error instanceof Error ? error.message : String(error)}`, error)
  }
}
