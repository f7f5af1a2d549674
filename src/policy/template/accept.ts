import { z } from 'zod'

/**
 * The rules that a template may accept with a reason: each tells of something that some app means to do. All other errors
 * are of templates that mix up callers, or that do not do what they say, and nobody means that.
 */
export const ACCEPTABLE_RULES = [
  'whole-bucket',
  'open-prefix',
  'shared-write',
  'shared-and-personal',
  'list-bucket',
  'user-chosen-claim',
] as const

const REASON = { least: 10, most: 200 }

// Reasons are read in logs and terminals: nothing in them may move a cursor or turn the text around.
const reason = z
  .string()
  .refine((text) => {
    const { length } = [...text.trim()]
    return length >= REASON.least && length <= REASON.most && /\p{L}/u.test(text) && !/[\p{C}\p{Zl}\p{Zp}]/u.test(text)
  }, `must say why, in ${REASON.least} to ${REASON.most} characters on one line`)
  .meta({ minLength: REASON.least, maxLength: REASON.most })

/** Rules by id, each with why it is right that this template breaks it. Which ids there are is for the linter to say. */
export const acceptSchema = z.record(z.string().meta({ enum: [...ACCEPTABLE_RULES] }), reason)

/** Whether a template may accept what this rule finds. */
export const isAcceptable = (rule: string): boolean => ACCEPTABLE_RULES.some((id) => id === rule)
