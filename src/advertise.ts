// Where others are told to reach us, and what a person should know of that choice. Source: serf-behaviour §3.4, §3.5.
import { TransportError } from './base/errors.ts'
import type { Host } from './driver/host.ts'
import type { WarningCode } from './driver/warnings.ts'
import type { ResolvedOptions } from './options.ts'
import { formatIp, isWildcard } from './wire/address.ts'
import { kindOf } from './wire/address-kind.ts'

export interface Advertised {
  readonly ip: Uint8Array
  /** To be told once we run. */
  readonly warnings: readonly { readonly code: WarningCode; readonly message: string }[]
}

/** What was asked for, else what is bound, else what the host thinks best. @throws TransportError where nobody could reach us */
export async function chooseAdvertised(
  {
    advertise,
    bind,
    keyring,
    keyringPath,
  }: Pick<ResolvedOptions, 'advertise' | 'bind' | 'keyring'> & { readonly keyringPath?: string | undefined },
  host: Pick<Host, 'reachableAddress'>,
): Promise<Advertised> {
  const given = advertise?.ip ?? (isWildcard(bind.ip) ? undefined : bind.ip)
  const chosen = given === undefined ? await host.reachableAddress(bind.ip) : { ip: given }
  if (chosen === undefined) {
    throw new TransportError(`no interface has an address others could reach at ${bind.key}: give 'advertise'`)
  }
  const { ip, doubt } = chosen
  const warnings: Advertised['warnings'][number][] = []
  if (doubt !== undefined) {
    const message = `others are told ${formatIp(ip)}, which is a guess: ${doubt}; give 'advertise'`
    warnings.push({ code: 'advertise-guess', message })
  }
  if (kindOf(ip) === 'public' && keyring === undefined && keyringPath === undefined) {
    const message = `others are told ${formatIp(ip)}, a public address, and nothing is encrypted: give 'secretKey'`
    warnings.push({ code: 'unencrypted-public', message })
  }
  return { ip, warnings }
}
