// What a start makes: binds, and puts the parts of a running member together. Nothing is told or answered before the driver runs them.
import { acceptOf } from './accept.ts'
import { chooseAdvertised } from './advertise.ts'
import type { Random } from './base/random.ts'
import type { Driver } from './driver/driver.ts'
import type { Host } from './driver/host.ts'
import type { WarningCode } from './driver/warnings.ts'
import { Joining } from './joining.ts'
import type { Lifecycle } from './lifecycle.ts'
import { openKeyring } from './open-keyring.ts'
import { defaultName, type ResolvedOptions } from './options.ts'
import { reconnectTimeoutOf } from './reconnect-timeout.ts'
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
    sealing.keyring = await openKeyring(host.storage, keyringPath, options.keyring)
    lifecycle.throwIfClosing()
  }
  const bound = await driver.open(bind)
  lifecycle.throwIfClosing()
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
    keepsKeys: keyringPath !== undefined,
    random: random.fork(),
  })
  const isRunning = (): boolean => lifecycle.status === 'running'
  const joining = new Joining({ host, driver, serf, random, bound, allowedCidrs, isRunning })
  return { serf, joining, warnings }
}
