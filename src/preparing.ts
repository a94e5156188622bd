// What a start makes: binds, and puts the parts of a running member together. Nothing is told or answered before the driver runs them.
import { acceptOf } from './accept.ts'
import { chooseAdvertised } from './advertise.ts'
import { StorageError } from './base/errors.ts'
import type { Random } from './base/random.ts'
import type { Driver } from './driver/driver.ts'
import type { Host } from './driver/host.ts'
import { type FoundSnapshot, SnapshotFile } from './driver/snapshot-file.ts'
import { STUCK_MS } from './driver/snapshot-writer.ts'
import type { WarningCode } from './driver/warnings.ts'
import { within } from './driver/within.ts'
import { Joining } from './joining.ts'
import type { Lifecycle } from './lifecycle.ts'
import { openKeyring } from './open-keyring.ts'
import { defaultName, type ResolvedOptions } from './options.ts'
import { reconnectTimeoutOf } from './reconnect-timeout.ts'
import { Rejoining } from './rejoining.ts'
import type { RawTags } from './serf/members.ts'
import { Serf } from './serf/serf.ts'
import { tagsReader } from './validate-tags.ts'
import { Address } from './wire/address.ts'
import type { Keyring } from './wire/keyring.ts'
import { packetOverhead, type Sealing } from './wire/packet.ts'

export interface Preparing {
  readonly options: ResolvedOptions
  readonly host: Host
  readonly driver: Driver
  /** The driver's own. Its keys are set here where a file holds them. */
  readonly sealing: Sealing & { keyring: Keyring | undefined }
  readonly random: Random
  readonly lifecycle: Pick<Lifecycle, 'status' | 'throwIfClosing'>
  /** Ours, as they stand once all is bound. */
  tags(): RawTags
}

/** The parts of a running member. */
export interface Prepared {
  readonly serf: Serf
  readonly joining: Joining
  /** The way back to those of the snapshot; absent: there is none. */
  readonly rejoining: Rejoining | undefined
  /** To be told once it runs. */
  readonly warnings: readonly { readonly code: WarningCode; readonly message: string }[]
}

/** @throws TransportError, StorageError, ClosedError: nothing is left open */
export async function prepare(preparing: Preparing): Promise<Prepared> {
  const { options, host, driver, sealing, random, lifecycle, tags } = preparing
  const { bind, advertise, keyringPath, allowedCidrs, accept, reconnectTimeoutFor, validateTags } = options
  const { ip, warnings } = await chooseAdvertised(options, host)
  lifecycle.throwIfClosing()
  if (keyringPath !== undefined && host.storage !== undefined) {
    const opening = openKeyring(host.storage, keyringPath, options.keyring)
    sealing.keyring = await answered(host, keyringPath, opening, () => {})
    lifecycle.throwIfClosing()
  }
  const bound = await driver.open(bind)
  // Not before: who cannot bind may be a second process on the file of the first.
  const found = await openSnapshot(preparing)
  // A copy: it is gone on with.
  const known = found && { alive: new Map(found.state.alive), gone: new Map(found.state.gone) }
  const serf = new Serf({
    name: options.name ?? defaultName(host.hostname, bound.port),
    address: new Address(ip, advertise?.port ?? bound.port),
    tags: tags(),
    swim: options.swim,
    serf: options.serf,
    packetOverheadBytes: packetOverhead(sealing, true),
    allowedCidrs,
    accept: accept && acceptOf(accept, driver, host),
    reconnectTimeoutFor: reconnectTimeoutFor && reconnectTimeoutOf(reconnectTimeoutFor, driver, host),
    readTags: validateTags && tagsReader(validateTags, driver, host),
    keyring: sealing.keyring,
    isStaged: !(sealing.verifyIncoming && sealing.verifyOutgoing),
    ignoreOldEvents: options.ignoreOldEvents,
    keepsKeys: keyringPath !== undefined,
    snapshot: found && {
      recovered: found.state,
      fileBytes: found.wholeBytes,
      rejoinAfterLeave: options.rejoinAfterLeave,
      isBroken: found.trouble !== undefined,
    },
    random: random.fork(),
  })
  const isRunning = (): boolean => lifecycle.status === 'running'
  const joining = new Joining({ host, driver, serf, random, bound, allowedCidrs, isRunning })
  const rejoining = known && new Rejoining({ host, driver, serf, joining, random, allowedCidrs, isRunning }, known)
  return { serf, joining, rejoining, warnings: [...warnings, ...warningsOf(found)] }
}

/** The snapshot as it was found. Where that fails, what the driver has open is given up. */
async function openSnapshot({ options, host, driver, lifecycle }: Preparing): Promise<FoundSnapshot | undefined> {
  const { snapshotPath, rejoinAfterLeave } = options
  try {
    lifecycle.throwIfClosing()
    if (snapshotPath === undefined || host.storage === undefined) return undefined
    const opening = SnapshotFile.open(host.storage, snapshotPath, rejoinAfterLeave)
    const found = await driver.recordTo(answered(host, snapshotPath, opening, ({ file }) => file.close()))
    lifecycle.throwIfClosing()
    return found
  } catch (error) {
    await driver.unbind()
    throw error
  }
}

/** What the disk has to say. @param undo what is opened too late, whoever wanted it @throws StorageError where it says nothing */
async function answered<Result>(
  host: Host,
  path: string,
  opening: Promise<Result>,
  undo: (opened: Result) => Promise<void> | void,
): Promise<Result> {
  return within(host.clock, STUCK_MS, opening, () => {
    opening.then(undo).catch(() => {})
    throw new StorageError(path, `the disk has not answered for ${STUCK_MS / 1000} seconds`)
  })
}

function warningsOf(found: FoundSnapshot | undefined): Prepared['warnings'] {
  const warnings: Prepared['warnings'][number][] = []
  if (found?.trouble !== undefined) {
    const message = `the snapshot is read, but cannot be written: ${found.trouble.message}`
    warnings.push({ code: 'snapshot-failed', message })
  }
  if (found !== undefined && found.skipped > 0) {
    const message = `${found.skipped} lines of the snapshot make no sense and are skipped, the first is line ${found.firstSkipped}`
    warnings.push({ code: 'snapshot-invalid', message })
  }
  return warnings
}
