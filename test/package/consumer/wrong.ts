// A program that must not compile: it shows that the compiler really reads the package's types.
import { Membershop } from 'rollcall'

export const made: unknown = Membershop
