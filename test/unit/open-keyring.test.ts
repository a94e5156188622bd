import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { utf8 } from '../../src/base/bytes.ts'
import { StorageError } from '../../src/base/errors.ts'
import { keyringStore, openKeyring } from '../../src/open-keyring.ts'
import { formatKeyringFile, parseKeyringFile } from '../../src/serf/keyring-file.ts'
import { SimDisk } from '../../src/sim/disk.ts'
import { Keyring } from '../../src/wire/keyring.ts'

const PATH = '/etc/keys.json'
const key = (number: number): Uint8Array => new Uint8Array(16).fill(number)

async function problem(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof StorageError && error.path === PATH, String(error))
    return error.message
  }
  return assert.fail('it did not reject')
}

describe('the keyring at the start', () => {
  it('is what the file holds, whatever it was to begin with', async () => {
    const disk = new SimDisk()
    disk.put(PATH, formatKeyringFile([key(2), key(3)]))
    for (const first of [undefined, new Keyring([key(1)])]) {
      assert.deepEqual((await openKeyring(disk, PATH, first)).keys, [key(2), key(3)])
    }
  })

  it('makes the file where there is none and it is said of what', async () => {
    const disk = new SimDisk()
    const first = new Keyring([key(1), key(2)])
    assert.equal(await openKeyring(disk, PATH, first), first)
    assert.deepEqual(parseKeyringFile(disk.content(PATH) ?? utf8('')).keys, first.keys)
  })

  it('is an error that names the file where there is none, and nothing to make it of', async () => {
    assert.match(await problem(openKeyring(new SimDisk(), PATH, undefined)), /there is no keyring/)
  })

  it('is an error that shows no key where the file holds something else', async () => {
    const disk = new SimDisk()
    disk.put(PATH, utf8('["c2VjcmV0LXNlY3JldC1zZWM="'))
    assert.equal(
      await problem(openKeyring(disk, PATH, new Keyring([key(1)]))),
      `${PATH}: the keyring is unusable: it is no JSON`,
    )
    disk.put(PATH, new Uint8Array(200_000))
    assert.match(await problem(openKeyring(disk, PATH, undefined)), /cannot be read: .*more than/)
  })

  it('is an error where the file cannot be made', async () => {
    const disk = new SimDisk()
    disk.fault = 'read-only'
    assert.match(await problem(openKeyring(disk, PATH, new Keyring([key(1)]))), /the keyring cannot be made: /)
  })
})

describe('the store of a keyring', () => {
  it('replaces the file; without a path, or a place for it, there is none', async () => {
    const disk = new SimDisk()
    await keyringStore(disk, PATH)?.(utf8('[]'))
    assert.deepEqual(disk.content(PATH), utf8('[]'))
    assert.equal(keyringStore(disk, undefined), undefined)
    assert.equal(keyringStore(undefined, PATH), undefined)
  })
})
