import { allowedIssuers } from '../claims/allow.ts'
import { sameClaim } from '../claims/claim.ts'
import type { NamedClaim } from '../claims/transform.ts'
import { policyValue } from '../language/value.ts'
import type { TargetChoice } from '../template/target.ts'
import type { Template } from '../template/template.ts'
import type { Part } from '../template/variables.ts'

type Place = Readonly<{ target: string; issuers: readonly string[] }>

/**
 * The values that a variable can have for any caller of a template at a target; undefined if there is no end of them.
 * Conditions can only shorten the list, so a condition that is not understood here is left out.
 */
export function possibleValues(part: Part, template: Template, place: Place): readonly string[] | undefined {
  switch (part.kind) {
    case 'issuer':
      return allowedIssuers(template, place.issuers)
    case 'jwt':
      return valuesOfClaim(part, template, place)
    case 'param':
      return (
        chosenBy(template.target, place, (target) => target.kind === 'param' && target.name === part.name) ??
        alternatives(template.params[part.name]?.pattern)
      )
    default:
      return undefined
  }
}

function valuesOfClaim(
  { path, transform }: NamedClaim,
  template: Template,
  place: Place,
): readonly string[] | undefined {
  if (transform !== undefined) return undefined
  const chosen = chosenBy(template.target, place, (target) => target.kind === 'jwt' && sameClaim(target.path, path))
  if (chosen) return chosen
  for (const { path: tested, tests } of template.allow?.claims ?? []) {
    // A value in a resource is one text or one number, so a claim that holds one of several values is that value.
    const wanted = tests.equals === undefined ? tests.anyOf : [tests.equals]
    if (wanted && sameClaim(tested, path)) return distinct(wanted.flatMap((value) => policyValue(value) ?? []))
  }
  return undefined
}

/** The values that lead to the target, if the variable is the one that chooses it. */
function chosenBy(
  choice: TargetChoice | undefined,
  { target }: Place,
  isChooser: (choice: TargetChoice) => boolean,
): readonly string[] | undefined {
  if (!choice || choice.kind === 'fixed' || !isChooser(choice)) return undefined
  return [...choice.map].flatMap(([value, name]) => (name === target ? (policyValue(value) ?? []) : []))
}

/** The words of a pattern such as `photos|films`, which has no other element. */
function alternatives(pattern: RegExp | undefined): readonly string[] | undefined {
  const words = /^\^\(\?:([\w-]+(?:\|[\w-]+)*)\)\$$/u.exec(pattern?.source ?? '')?.[1]
  return words === undefined ? undefined : distinct(words.split('|'))
}

const distinct = (values: readonly string[]): readonly string[] => [...new Set(values)]
