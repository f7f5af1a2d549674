import { VendError } from '../../src/errors.ts'
import type { GrantRequest, GrantSettings } from '../../src/policy/grant/grant.ts'
import { parseTemplate } from '../../src/policy/template/parse.ts'
import type { Template } from '../../src/policy/template/template.ts'

/** The scenario of the documentation, with one issuer. */
export const settings: GrantSettings = {
  target: 'default',
  account: '111111111111',
  bucket: 'test-app',
  region: 'cn-north-1',
  minSessionSeconds: 3600,
  maxSessionSeconds: 43_200,
  severalIssuers: false,
}

/** A statement that allows uploads to one resource of the bucket. */
export const statement = (path: string) => ({
  Effect: 'Allow',
  Action: ['oss:PutObject'],
  Resource: [`jrn:oss:*:\${account}:\${bucket}/${path}`],
})

/** The text of a template; `undefined` takes a part out. */
export function templateText(parts: Record<string, unknown> = {}): string {
  const policy = { Version: '3', Statement: [statement('users/${jwt:sub}/*')] }
  return JSON.stringify({ description: 'd', allow: { issuer: 'app' }, policy, ...parts })
}

/** The compiled template. */
export function template(parts: Record<string, unknown> = {}, name = 'mine'): Template {
  const parsed = parseTemplate(`${name}.yaml`, name, templateText(parts))
  if (parsed.findings) throw new Error(JSON.stringify(parsed.findings))
  return parsed.template
}

/** A caller of the issuer `app` with these claims. */
export function caller(claims: Record<string, unknown> & { sub: string }, issuer = 'app'): GrantRequest['caller'] {
  return { issuer, subject: claims.sub, claims }
}

/** What a refused request is told: code, and detail or faults. Undefined when nothing is refused. */
export function refusal(attempt: () => unknown): Readonly<Record<string, unknown>> | undefined {
  try {
    attempt()
    return undefined
  } catch (error) {
    if (!(error instanceof VendError)) throw error
    const { code, detail, errors } = error
    return { code, ...(detail !== undefined && { detail }), ...(errors && { errors }) }
  }
}
