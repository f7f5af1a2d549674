import type { Test } from 'tap'
import { build } from '../helpers/build.ts'
import { templateText } from '../helpers/templates.ts'
import { claims, mint } from '../helpers/tokens.ts'

export const statement = (Sid: string, Action: string[], path: string) => ({
  Sid,
  Effect: 'Allow',
  Action,
  Resource: `jrn:oss:*:\${account}:\${bucket}/${path}`,
})
export const WRITE = ['oss:PutObject', 'oss:AbortMultipartUpload']
export const policyOf = (...Statement: unknown[]) => ({ policy: { Version: '3', Statement } })

export const templates = {
  'open.yaml': templateText({
    durationSeconds: 7200,
    ...policyOf(statement('own', WRITE, 'users/${jwt:sub}/*'), statement('read', ['oss:GetObject'], 'public/*')),
  }),
  'scoped.yaml': templateText({
    allow: { claims: { scope: ['SENTINEL-scope'] } },
    ...policyOf(statement('x', WRITE, 'users/${jwt:sub}/*')),
  }),
  'nobody.yaml': templateText({ allow: undefined }),
  'alternatives.yaml': templateText({
    allow: { any: [{ claims: { tier: { equals: 'SENTINEL-gold' } } }, { claims: { level: { atLeast: 271_828 } } }] },
  }),
  'team.yaml': templateText({
    allow: { claims: { team: { present: true } } },
    sharedBy: 'team',
    ...policyOf(statement('x', WRITE, 'teams/${jwt:team}/*')),
  }),
  'album.yaml': templateText({
    params: { album: { pattern: 'trip|fair|any.*' } },
    ...policyOf(statement('x', WRITE, 'users/${jwt:sub}/${param:album}/*')),
  }),
  'deep.yaml': templateText({
    params: { dir: { kind: 'path' } },
    ...policyOf(statement('x', WRITE, 'users/${jwt:sub}/${param:dir}')),
  }),
}

export async function service(t: Test, files: Record<string, string> | undefined = templates) {
  const dir = Object.keys(files).length > 0 ? { POLICIES_DIR: t.testdir(files) } : {}
  const { app, asked } = await build(t, {
    env: { ...dir, JDCLOUD_MAX_SESSION_SECONDS: '43200' },
  })
  const post = (url: string, payload: unknown, who: Record<string, unknown> = {}) =>
    app.inject({
      method: 'POST',
      url,
      headers: { authorization: `Bearer ${mint(claims(who))}`, 'content-type': 'application/json' },
      payload: JSON.stringify(payload),
    })
  return {
    app,
    asked,
    explain: (name: string, body: unknown = {}, who?: Record<string, unknown>) =>
      post(`/v1/policies/${name}/explain`, body, who),
    vend: (body: unknown, who?: Record<string, unknown>) => post('/v1/credentials', body, who),
  }
}

export const jrn = (path: string) => `jrn:oss:*:111111111111:test-app/${path}`
export const object = (path: string) => `jrn:oss:cn-north-1:111111111111:test-app/${path}`
