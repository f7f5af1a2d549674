import { z } from 'zod'

/**
 * One environment variable: all that its reader, the fault messages, `.env.example` and the docs need to know. It either
 * has a default, is required, or says what holds while it is unset.
 */
export type Setting = Readonly<{
  /** For an operator in a hurry: what it does, the unit, the hazard. Whole sentences. */
  help: string
  /** The values that it takes, where they are few or bounded: `From 0 to 300`. */
  range?: string
  /** Turns the text of the variable into its value. */
  schema: z.ZodType<unknown, string>
  /** Completes "<NAME> …" in a fault: `must be …`. Never quotes the value, which may be a secret. */
  rule: string
  /** What to do about a fault. */
  remedy: string
  /** May stand in a file, which `<NAME>_FILE` names. */
  secret?: true
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

/** The items of a text that separates them with commas. */
export const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
)

/** The schema, rule and range of a switch. */
export const flag = {
  schema: z.enum(['true', 'false']).transform((value) => value === 'true'),
  rule: 'must be true or false',
  range: 'Either true or false',
}

/** The schema, rule and range of a whole number. */
export const integer = (min: number, max: number) => ({
  schema: z
    .string()
    .regex(/^\d{1,9}$/u)
    .transform(Number)
    .pipe(z.int().min(min).max(max)),
  rule: `must be a whole number from ${min} to ${max}`,
  range: `From ${min} to ${max}`,
})
