// All checks by the names that mutants call them.
import { ACCUSATIONS } from './checks/accusations.ts'
import { LIVES } from './checks/lives.ts'
import { NEWS } from './checks/news.ts'

export const CHECK = { ...ACCUSATIONS, ...NEWS, ...LIVES } as const

export type CheckName = keyof typeof CHECK
