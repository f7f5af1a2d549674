import { z } from 'zod'

/**
 * The rules that a template may accept with a reason, because an app may intend what they find. Nobody intends the other
 * errors: they mix up callers, or the template does not do what it says.
 */
export const ACCEPTABLE_RULES = [
  'whole-bucket',
  'open-prefix',
  'shared-write',
  'shared-and-personal',
  'list-bucket',
  'user-chosen-claim',
  'public-issuer',
] as const

const REASON = { least: 10, most: 200 }

// Reasons appear in logs and terminals: nothing in them may move a cursor or reverse the text.
const reason = z
  .string()
  .refine((text) => {
    const { length } = [...text.trim()]
    return length >= REASON.least && length <= REASON.most && /\p{L}/u.test(text) && !/[\p{C}\p{Zl}\p{Zp}]/u.test(text)
  }, `must say why, in ${REASON.least} to ${REASON.most} characters on one line`)
  .meta({ minLength: REASON.least, maxLength: REASON.most })

/** Rule ids, each with a reason. The linter reports unknown ids, in better words than a schema. */
export const acceptSchema = z.record(z.string().meta({ enum: [...ACCEPTABLE_RULES] }), reason)

/** Whether a template may accept the findings of this rule. */
export const isAcceptable = (rule: string): boolean => ACCEPTABLE_RULES.some((id) => id === rule)
