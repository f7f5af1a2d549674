import { z } from 'zod'
import { parseClaim } from '../claims/claim.ts'

/** The short name of a target, in `TARGETS_FILE` and in templates. */
export const TARGET_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/u

/** How a template names the place that its sessions are for. The map is closed: there is no value for the rest. */
export type TargetChoice = Readonly<
  | { kind: 'fixed'; name: string }
  | { kind: 'jwt'; claim: string; path: readonly string[]; map: ReadonlyMap<string, string> }
  | { kind: 'param'; name: string; map: ReadonlyMap<string, string> }
>

const MOST_VALUES = 256
const targetName = z.string().regex(TARGET_NAME, 'is not the name of a target: write 1 to 32 of a-z, 0-9 and -')

const chosenSchema = z.strictObject({
  from: z.string().describe('jwt:<claim> or param:<name>.'),
  map: z
    .record(z.string().min(1).max(128), targetName)
    .refine((map) => {
      const { length } = Object.keys(map)
      return length > 0 && length <= MOST_VALUES
    }, `must name 1 to ${MOST_VALUES} values`)
    .describe('The target for each value. Any other value is refused.'),
})

/** The `target` of a template. */
export const targetSchema = z.union([targetName, chosenSchema]).transform((target, context): TargetChoice => {
  if (typeof target === 'string') return { kind: 'fixed', name: target }
  // A Map has no inherited members: `constructor` of a token finds nothing in it.
  const map = new Map(Object.entries(target.map))
  const [, kind, rest = ''] = /^(jwt|param):(.+)$/u.exec(target.from) ?? []
  const path = kind === 'jwt' ? parseClaim(rest) : undefined
  if (path) return { kind: 'jwt', claim: rest, path, map }
  if (kind !== 'param')
    context.addIssue({ code: 'custom', path: ['from'], message: 'write jwt:<claim> or param:<name>' })
  return { kind: 'param', name: rest, map }
})

/** The targets that a choice can lead to. */
export const targetsIn = (choice: TargetChoice): readonly string[] =>
  choice.kind === 'fixed' ? [choice.name] : [...new Set(choice.map.values())]
