import { VendError } from '../../errors.ts'
import type { Caller } from '../../identity/caller.ts'
import { type CatalogueSettings, inspectTemplates } from '../../policy/check/catalogue.ts'
import { refusalOf } from '../../policy/check/examples.ts'
import { requireConditions } from '../../policy/claims/allow.ts'
import { fillIn, requireSafeClaims } from '../../policy/grant/grant.ts'
import { settingsFor } from '../../policy/grant/target.ts'
import type { Template } from '../../policy/template/template.ts'
import { mostSecondsFor } from '../../vending/token-bound.ts'

/** Whether a caller may use a template. */
export type TemplateAnswer = Readonly<{
  name: string
  allowed: boolean
  /** Why not. */
  why?: string
  remedy?: string
  /** The parameters that a request must have. */
  params?: readonly string[]
}>

export type TemplateAnswers = Readonly<{
  directory: string
  answers: readonly TemplateAnswer[]
  /** Errors of the linter: with one, the service uses none of the templates. */
  errors: number
}>

type Options = Readonly<{ settings: CatalogueSettings; now: number; boundToToken: boolean }>

/** What each template of a directory says to a caller. */
export async function answersFor(directory: string, caller: Caller, options: Options): Promise<TemplateAnswers> {
  const { files, findings } = await inspectTemplates(directory, options.settings)
  const answers = files.flatMap(({ template }) => (template ? [answerOf(template, caller, options)] : []))
  return { directory, answers, errors: findings.filter(({ severity }) => severity === 'error').length }
}

function answerOf(template: Template, caller: Caller, { settings, now, boundToToken }: Options): TemplateAnswer {
  const { name } = template
  const params = Object.entries(template.params).flatMap(([param, { default: usual }]) =>
    usual === undefined ? [param] : [],
  )
  try {
    requireConditions(template, caller, now)
    requireSafeClaims(template, caller)
    // With a parameter missing, nothing more can be known.
    if (params.length > 0) return { name, allowed: true, params }
    const mostSeconds = boundToToken ? mostSecondsFor(caller, now) : undefined
    const request = { caller, at: now, mostSeconds }
    fillIn(template, request, settingsFor(template, request, settings))
    return { name, allowed: true }
  } catch (error) {
    if (!(error instanceof VendError)) throw error
    const remedy = error.log?.remedy
    return { name, allowed: false, why: refusalOf(error), ...(typeof remedy === 'string' && { remedy }) }
  }
}
