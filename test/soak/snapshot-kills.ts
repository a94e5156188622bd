// A member with a snapshot that is killed under load, many times over: what was written stands, and it comes back each time.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { nodeHost } from '../../src/node/host.ts'
import { Address, parseIp } from '../../src/wire/address.ts'
import { killOverAndOver } from '../loopback/snapshot-kills.ts'

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '50' }, seed: { type: 'string', default: '1' } },
})
const folder = mkdtempSync(join(tmpdir(), 'rollcall-kills-'))
try {
  const report = await killOverAndOver(
    join(folder, 'snapshot'),
    await freeAddress(),
    Number(values.kills),
    Number(values.seed),
  )
  console.log(
    `${report.kills} kills from seed ${values.seed}: every line that was written stood, and each time the member came back by itself`,
  )
  console.log(
    `${report.bytes} bytes of lines, the file written anew ${report.compactions} times; ${report.events} events told, none of them twice`,
  )
  console.log(
    `${report.torn} kills left a torn line; at most ${report.mostUnknownBytes} bytes more than the member had told of`,
  )
  console.log(
    `from the start of a process until all saw it back: at most ${(report.slowestReturnMs / 1000).toFixed(1)} s`,
  )
} finally {
  rmSync(folder, { recursive: true })
}

/** An address that nobody has bound at this moment. */
async function freeAddress(): Promise<string> {
  const nothing = (): undefined => undefined
  const free = new Address(parseIp('127.0.0.1') as Uint8Array, 0)
  const found = await nodeHost().bind(free, { packet: nothing, stream: nothing, sendFailed: nothing, failed: nothing })
  await found.close()
  return found.local.key
}
