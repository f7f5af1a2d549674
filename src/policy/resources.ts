import { parseJrn } from './document.ts'
import type { GrantSettings } from './grant.ts'
import type { Template } from './template.ts'
import type { Part } from './variables.ts'

/** Something that is wrong with a resource, and where. */
export type ResourceFault = Readonly<{ path: readonly (string | number)[]; message: string }>

// What stands for a value that a caller brings, out of Unicode's private use area.
const CLAIM = '\uE000'
const PARAM = '\uE001'
const PATH = '\uE002'
const VALUE = /[\uE000-\uE002]/u

/**
 * What makes a template open more than it seems to: a resource outside of the account's bucket, a value of the caller's
 * anywhere but in the key, and a claim that does not keep two callers apart, because a wildcard or another value touches
 * it or can stand in for what is before it.
 */
export function resourceFaults({ statements, params }: Template, settings: GrantSettings): ResourceFault[] {
  return statements.flatMap(({ resources }, statement) =>
    resources.flatMap((parts, index) => {
      const shape = parts.map((part) => shapeOf(part, params, settings)).join('')
      const message = outside(shape, settings) ?? overlapping(shape)
      return message === undefined ? [] : [{ path: ['policy', 'Statement', statement, 'Resource', index], message }]
    }),
  )
}

function outside(shape: string, { account, bucket }: GrantSettings): string | undefined {
  const jrn = parseJrn(shape)
  if (jrn?.service !== 'oss') return 'is not an OSS resource: write jrn:oss:*:${account}:${bucket}/…'
  const slash = jrn.resource.indexOf('/')
  const named = slash < 0 ? jrn.resource : jrn.resource.slice(0, slash)
  if (VALUE.test(jrn.region + jrn.account + named)) return 'has a value of the caller before the key'
  if (named !== bucket) return 'is not in the configured bucket: write ${bucket}'
  return jrn.account === account || jrn.account === '*'
    ? undefined
    : 'is not in the configured account: write ${account}'
}

function overlapping(shape: string): string | undefined {
  const [, ...segments] = (parseJrn(shape)?.resource ?? '').split('/')
  for (const [index, segment] of segments.entries()) {
    if (!segment.includes(CLAIM)) continue
    // users/${jwt:sub}* opens alice2 to alice; ${jwt:sub}-${param:x} is the same for a with b-c as for a-b with c.
    if (segment.replace(CLAIM, '').search(/[\uE000-\uE002*]/u) >= 0) {
      return 'a claim must be alone between two slashes, but for fixed text: what touches it could make two callers one'
    }
    // teams/*/${jwt:sub}/* opens teams/bob/alice/… to bob's namesake below, since * and paths span slashes.
    if (segments.slice(0, index).some((before) => before.includes('*') || before.includes(PATH))) {
      return 'nothing that spans slashes, * or a path parameter, may stand before a claim'
    }
  }
  return undefined
}

function shapeOf(part: Part, params: Template['params'], settings: GrantSettings): string {
  switch (part.kind) {
    case 'literal':
      return part.text.replace(/[\uE000-\uE002]/gu, 'x')
    case 'jwt':
      return CLAIM
    case 'param':
      return params[part.name]?.kind === 'path' ? PATH : PARAM
    case 'issuer':
      return 'issuer' // fixed, as far as the callers of one issuer go; those of several are another rule's
    default:
      return settings[part.kind]
  }
}
