import type { Test } from 'tap'
import { inspectTemplates } from '../../src/policy/check/catalogue.ts'
import { settings } from '../helpers/templates.ts'

/** Templates that open more than they should: none of them may be served, unless it says itself that it is meant. */
export const lintSettings = { ...settings, issuers: ['app'] }

export type Parts = Readonly<Record<string, unknown>>

export const READ = ['oss:GetObject']
export const WRITE = ['oss:PutObject', 'oss:AbortMultipartUpload']
export const text = (Action: unknown, Resource: unknown, more: Parts = {}) =>
  JSON.stringify({
    description: 'd',
    allow: { issuer: 'app' },
    policy: { Version: '3', Statement: [{ Effect: 'Allow', Action, Resource }] },
    examples: [{ caller: { sub: 'nobody' }, cannot: ['PutObject elsewhere/1'] }],
    ...more,
  })
export const below = (key: string) => `jrn:oss:*:\${account}:\${bucket}/${key}`
export const BUCKET = 'jrn:oss:*:${account}:${bucket}'
export const personal = text(WRITE, below('users/${jwt:sub}/*'))

/** `<file>: <rule>` for each error of a set. */
export async function errorsOf(t: Test, files: Record<string, string>): Promise<string[]> {
  const { findings } = await inspectTemplates(t.testdir(files), lintSettings)
  const errors = findings.filter(({ severity }) => severity === 'error')
  return [...new Set(errors.map(({ file, rule }) => `${file.split('/').at(-1)?.split('.')[0]}: ${rule}`))].sort()
}
