// A trial in a file, as `npm run explore` prints it or as somebody wrote it: what is wrong with it is said in words before anything runs. What
// the options of its members may be is for the members to say.
import { readFileSync } from 'node:fs'
import { BREAKING, type Fault, type FaultKind, membersIn } from '../../src/sim/faults.ts'
import type { Trial } from '../../src/sim/schedules.ts'

const KINDS: readonly FaultKind[] = [...BREAKING, 'tags', 'event', 'query']
/** What is a number in faults, wherever it stands. */
const NUMBERS: readonly string[] = [
  ...['atMs', 'forMs', 'downMs', 'awayMs', 'ms', 'perPacketMs', 'ratio', 'minMs', 'maxMs', 'bytes'],
  ...['member', 'about', 'from', 'to', 'towards'],
]
/** Over at once, or with a time of their own. */
const NOT_LASTING: readonly FaultKind[] = ['crash', 'leave', 'tags', 'event', 'query', 'force-leave']

type Fields = Readonly<Record<string, unknown>>

/** Reads it. @throws Error that names the file and what is wrong */
export function trialIn(path: string): Trial {
  try {
    return trialFrom(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Error(`no trial in ${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** @throws Error that says what is wrong with the text */
export function trialFrom(text: string): Trial {
  const { seed, members, options, machines, faultsMs, faults } = fieldsOf(JSON.parse(text), 'a trial')
  check(isWhole(seed) && seed >= 0, 'seed', seed, 'a whole number from 0')
  check(isWhole(members) && members >= 2, 'members', members, 'a whole number from 2')
  check(typeof faultsMs === 'number' && faultsMs >= 0, 'faultsMs', faultsMs, 'milliseconds from 0')
  fieldsOf(options, 'options')
  if (machines !== undefined) checkMachines(fieldsOf(machines, 'machines'))
  check(Array.isArray(faults), 'faults', faults, 'a list')
  for (const [at, fault] of (faults as unknown[]).entries()) checkFault(`faults[${at}]`, fault, members as number)
  const given = machines === undefined ? {} : { machines }
  return { seed, members, options, ...given, faultsMs, faults } as Trial
}

function checkMachines({ bufferBytes, refusesPackets, ...others }: Fields): void {
  const [other] = Object.keys(others)
  check(other === undefined, 'an option of machines', other, 'bufferBytes or refusesPackets')
  const holds = bufferBytes === undefined || (isWhole(bufferBytes) && bufferBytes >= 1)
  check(holds, 'machines.bufferBytes', bufferBytes, 'a whole number from 1')
  const isSwitch = refusesPackets === undefined || typeof refusesPackets === 'boolean'
  check(isSwitch, 'machines.refusesPackets', refusesPackets, 'true or false')
}

function checkFault(where: string, fault: unknown, members: number): void {
  const fields = fieldsOf(fault, where)
  const { kind, groups } = fields
  check(KINDS.includes(kind as FaultKind), `${where}.kind`, kind, `one of ${KINDS.join(', ')}`)
  const lasting = NOT_LASTING.includes(kind as FaultKind) ? [] : ['forMs']
  for (const name of ['atMs', ...lasting])
    check(name in fields, `${where}.${name}`, fields[name], 'milliseconds from 0')
  for (const name of NUMBERS) {
    const value = fields[name]
    if (name in fields) check(typeof value === 'number' && value >= 0, `${where}.${name}`, value, 'a number from 0')
  }
  if (kind === 'partition') {
    const areGroups = Array.isArray(groups) && groups.every(Array.isArray)
    check(areGroups, `${where}.groups`, groups, 'a list of lists of members')
  }
  for (const member of membersIn(fault as Fault)) {
    const isOne = isWhole(member) && member >= 1 && member <= members
    check(isOne, `a member in ${where}`, member, `a whole number from 1 to ${members}`)
  }
}

function fieldsOf(value: unknown, what: string): Fields {
  check(typeof value === 'object' && value !== null && !Array.isArray(value), what, value, 'an object')
  return value as Fields
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value)
}

function check(holds: boolean, what: string, value: unknown, limit: string): void {
  if (!holds) throw new Error(`${what} is ${JSON.stringify(value)}, and must be ${limit}`)
}
