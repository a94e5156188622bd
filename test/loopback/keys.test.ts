// The keyring file of a real member: read and made at the start, rewritten when keys change, and refused by name where it is unusable.
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { type Membership as Instance, Membership, StorageError } from '../../src/index.ts'
import type { MembershipOptions } from '../../src/options.ts'
import { LIMIT, openResources } from './support.ts'

const folder = mkdtempSync(join(tmpdir(), 'rollcall-keyring-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const K1 = Buffer.alloc(32, 1).toString('base64')
const K2 = Buffer.alloc(16, 2).toString('base64')
let made = 0

function member(options: MembershipOptions): Instance {
  return new Membership({ name: `m-${++made}`, bind: '127.0.0.1:0', profile: 'local', ...options })
}

const pathOf = (name: string): string => join(folder, name)
const keysIn = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))

describe('a keyring file', LIMIT, () => {
  it(
    'is made of `keyring` at the first start, changes with the keys, and is what holds at the next',
    LIMIT,
    async () => {
      const path = pathOf('made')
      const one = member({ keyringPath: path, keyring: [K1] })
      await one.start()
      assert.deepEqual([keysIn(path), statSync(path).mode & 0o777], [[K1], 0o600])
      const two = member({ secretKey: K1 })
      await two.join([one.local.address], { required: true })
      await two.keys.install(K2)
      await two.keys.use(K2)
      await two.keys.remove(K1)
      assert.equal(readFileSync(path, 'utf8'), `[\n  "${K2}"\n]`)
      await one.close()
      const again = member({ keyringPath: path, keyring: [K1] })
      assert.deepEqual((await again.join([two.local.address], { required: true })).joined.length, 1)
      await Promise.all([again.close(), two.close()])
      assert.deepEqual(readdirSync(folder), ['made'])
    },
  )

  it("that is for all to read becomes its owner's alone with the first change", LIMIT, async () => {
    const path = pathOf('open')
    writeFileSync(path, JSON.stringify([K1]))
    chmodSync(path, 0o644)
    const one = member({ keyringPath: path })
    await one.start()
    await one.keys.install(K2)
    assert.deepEqual([keysIn(path), statSync(path).mode & 0o777], [[K1, K2], 0o600])
    await one.close()
  })

  it(
    'that is missing or unusable ends the start with its name and no key, and the start may be tried again',
    LIMIT,
    async () => {
      const before = openResources()
      const path = pathOf('broken')
      const one = member({ keyringPath: path })
      const refused = async (): Promise<string> => {
        const error = await one.start().then(
          () => assert.fail('it started'),
          (problem: unknown) => problem,
        )
        assert.ok(error instanceof StorageError && error.path === path && error.code === 'ERR_STORAGE')
        assert.deepEqual([one.status, openResources()], ['idle', before])
        assert.ok(!`${error.stack}`.includes(K1.slice(0, 8)))
        return error.message
      }
      assert.match(await refused(), /there is no keyring/)
      writeFileSync(path, `["${K1}", `)
      assert.match(await refused(), /no JSON/)
      writeFileSync(path, `["${K1.slice(4)}"]`)
      assert.match(await refused(), /the key at 0/)
      writeFileSync(path, new Uint8Array(200_000))
      assert.match(await refused(), /more than/)
      writeFileSync(path, `["${K1}"]`)
      await one.start()
      assert.equal(one.status, 'running')
      await one.close()
    },
  )

  it('that cannot be rewritten keeps the keys as they are, and says so', LIMIT, async () => {
    const path = join(mkdtempSync(pathOf('gone-')), 'keys')
    const one = member({ keyringPath: path, keyring: [K1] })
    const warnings: string[] = []
    one.on('warning', ({ code }) => warnings.push(code))
    await one.start()
    rmSync(join(path, '..'), { recursive: true })
    await assert.rejects(
      one.keys.install(K2),
      /1\/1 nodes reported failure: m-\d+: Failed to write keyring file: ENOENT/,
    )
    assert.deepEqual([...(await one.keys.list()).keys], [[K1, 1]])
    assert.deepEqual(warnings, ['keyring-unwritten'])
    await one.close()
  })
})
