import { claimAt } from '../lib/claim-path.ts'
import type { SubjectRule } from './issuer.ts'

/**
 * The subject that claims name; undefined when they name none. A number is its decimal digits. Where numbers are
 * subjects, texts are not, so that no two values of the claim are one subject.
 */
export function subjectOf(claims: Readonly<Record<string, unknown>>, { path, type }: SubjectRule): string | undefined {
  const value = claimAt(claims, path)
  if (type === 'text') return typeof value === 'string' && value !== '' ? value : undefined
  return typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : undefined
}

/**
 * Whether no number of this JSON text is another one that becomes this subject once it is parsed, as 7.0, 70e-1 and
 * 7.00000000000000000001 become 7. Strings are left out of the text first.
 */
export function isExactNumber(json: string, subject: string): boolean {
  const literals = json.replace(/"(?:[^"\\]|\\.)*"/gsu, '""').match(/-?\d[\d.eE+-]*/gu) ?? []
  return literals.every((literal) => literal === subject || Number(literal) !== Number(subject))
}
