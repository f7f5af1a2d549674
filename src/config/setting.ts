import { z } from 'zod'
import { shapeFault } from '../lib/secret-shape.ts'

/** The kinds of STS that sessions can come from. */
export const SOURCES = ['jdcloud', 'aws-sts'] as const

/**
 * One environment variable, with everything that its reader, the fault messages, `.env.example` and the docs need. It
 * has a default, is required, or says what applies when it is unset.
 */
export type Setting = Readonly<{
  /** For an operator in a hurry: the effect, the unit, the hazard. Whole sentences. */
  help: string
  /** The accepted values, if they are few or bounded: `From 0 to 300`. */
  range?: string
  /** Parses the text of the variable. */
  schema: z.ZodType<unknown, string>
  /** Completes "<NAME> …" in a fault: `must be …`. Never quotes the value, which may be a secret. */
  rule: string
  /** How to fix a fault. */
  remedy: string
  /** Whether the value may stand in a file, which `<NAME>_FILE` names. */
  secret?: true
  /** The credential source that it belongs to. It is required only there, and a fault elsewhere. */
  source?: (typeof SOURCES)[number]
  /** Whether the variable is also read by its name in lower case, as other programs read it. */
  anyCase?: true
}> &
  (
    | Readonly<{ default: string; required?: never; unset?: never }>
    | Readonly<{
        required: true | Readonly<{ unless: string }> | Readonly<{ with: string }>
        default?: never
        unset?: never
      }>
    | Readonly<{ unset: string; default?: never; required?: never }>
  )

/** Settings by the name of their variable. */
export type Group = Readonly<Record<string, Setting>>

/** Any text. */
export const text = z.string().min(1)

/** A long-lived key. With a line break in it, every signature is wrong, and only STS would report it. */
export const keyText = z
  .string()
  .regex(/^[\x21-\x7e]{1,256}$/u)
  .refine((text) => shapeFault(text) === undefined)

/** A day, as epoch milliseconds of its beginning in UTC. */
export const date = z.iso.date().transform((day) => Date.parse(day))

/** The items of a text, separated by commas. */
export const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
)

/** Schema, rule and range of a switch. */
export const flag = {
  schema: z.enum(['true', 'false']).transform((value) => value === 'true'),
  rule: 'must be true or false',
  range: 'Either true or false',
}

/** Schema, rule and range of a whole number. */
export const integer = (min: number, max: number) => ({
  schema: z
    .string()
    .regex(/^\d{1,9}$/u)
    .transform(Number)
    .pipe(z.int().min(min).max(max)),
  rule: `must be a whole number from ${min} to ${max}`,
  range: `From ${min} to ${max}`,
})
