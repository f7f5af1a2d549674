import fc from 'fast-check'
import t from 'tap'
import { stsAllows } from '../../sandbox/iam/evaluate.ts'
import { OSS_ACTIONS } from '../../sandbox/iam/oss-actions.ts'
import { parseSessionPolicy } from '../../sandbox/iam/policy.ts'
import { parseTarget } from '../../sandbox/oss/target.ts'
import { VendError } from '../../src/errors.ts'
import { keyFault } from '../../src/oss/object-key.ts'
import type { UrlsRequest } from '../../src/vending/signing-request.ts'
import { settings, template } from '../helpers/templates.ts'
import { STORE, setUpSigning } from './signing-harness.ts'

// The sandbox judges with an evaluator of its own. It reads `Deny` as STS does, which is how the service must read it.

const word = fc.constantFrom('a', 'trip', 'kept', '图', 'a.b', '%2e%2e', '..', '${filename}', '*', 'a*', '')
const name = fc.constantFrom('alice', 'bob', 'a', '图')
const path = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant('users'), name, word).map((pieces) => pieces.join('/')) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('users'), name, word, word).map((pieces) => pieces.join('/')) },
  {
    weight: 1,
    arbitrary: fc.array(fc.oneof(name, word), { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join('/')),
  },
)
const RESOURCES = [
  'users/${jwt:sub}/*',
  'users/${jwt:sub}/${param:album}/*',
  'users/${param:album}/*',
  'users/*',
  'users/*/a',
]
const resource = fc
  .oneof(
    { weight: 4, arbitrary: fc.constantFrom(...RESOURCES) },
    { weight: 1, arbitrary: path },
    { weight: 1, arbitrary: fc.constantFrom('${jwt:sub}/*', 'users/${issuer}/*', 'users/${jwt:sub}*', '*') },
  )
  .filter((text) => !text.includes('${filename}'))
  .map((text) => `jrn:oss:*:\${account}:\${bucket}/${text}`)
const action = fc.constantFrom(
  'oss:PutObject',
  'oss:GetObject',
  'oss:DeleteObject',
  'oss:AbortMultipartUpload',
  'oss:*',
  'oss:*',
)
const statement = fc.record({
  Effect: fc.constantFrom('Allow', 'Allow', 'Allow', 'Allow', 'Deny'),
  Action: fc.array(action, { minLength: 1, maxLength: 3 }),
  Resource: fc.array(resource, { minLength: 1, maxLength: 3 }),
})
const templates = fc
  .array(statement, { minLength: 1, maxLength: 3 })
  .map((Statement) => template({ params: { album: { kind: 'path' } }, policy: { Version: '3', Statement } }))

const callers = fc.record({
  sub: fc.constantFrom('alice', 'bob', 'a', '图'),
  album: fc.constantFrom('trip', 'a/b', 'alice'),
})
const operation = fc.constantFrom(
  ...(['PutObject', 'GetObject', 'HeadObject', 'DeleteObject', 'CreateMultipartUpload', 'MultipartUpload'] as const),
)

/** Whether the caller's own grant allows it, as the sandbox reads the text that STS would be sent. */
function allowed(policy: string, name: string, key: string): boolean {
  const parsed = parseSessionPolicy(policy)
  const resource = { service: 'oss', region: settings.region, account: settings.account, resource: `test-app/${key}` }
  const [, action] = Object.entries(OSS_ACTIONS).find(([one]) => one === name) ?? []
  return parsed !== undefined && action !== undefined && stsAllows([parsed], { action, resource })
}

t.test('nothing outside of the own grant is ever signed', async (t) => {
  const outcomes = { signed: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(
      templates,
      callers,
      operation,
      fc.array(path, { minLength: 1, maxLength: 2 }),
      async (one, { sub, album }, operation, keys) => {
        const { signing, asked, alice } = setUpSigning(new Map([['mine', one]]))
        const caller = { ...alice(), subject: sub, claims: { sub } }
        const about = { policy: 'mine', params: { album }, expiresInSeconds: 900 }
        const request: UrlsRequest =
          operation === 'MultipartUpload'
            ? { ...about, operation, uploadId: 'a&partNumber=2#?', partNumbers: [1, 10_000], keys }
            : { ...about, operation, keys }
        const told = await refusedOr(signing.signUrls(caller, request))
        if (!told) {
          outcomes.refused++
          if (asked.length > 0) throw new Error('a session was asked for')
          return
        }
        outcomes.signed++
        if (told.signed.length !== keys.length * (operation === 'MultipartUpload' ? 4 : 1))
          throw new Error('too few URLs')
        for (const { url, operation, key, method } of told.signed) {
          const { origin, pathname, search, host } = new URL(url)
          // As the store reads it, and not as we wrote it.
          const target = parseTarget(pathname + search, host, ['test-app'])
          const [sent = ''] = url.slice(origin.length).split('?')
          if (sent !== pathname) throw new Error(`a client would change ${sent}`)
          if (origin !== STORE.endpoint || target.bucket !== 'test-app') throw new Error('another store')
          if (!keys.includes(target.key) || target.key !== key) throw new Error('another key')
          const meant = meaningOf(method, target.query)
          if (!meant.includes(operation)) throw new Error(`${method} ${search} is no ${operation}`)
          if (!meant.some((name) => allowed(told.grant.policy, name, target.key)))
            throw new Error(`${operation} ${key}`)
          const shared = asked[0]?.grant.policy ?? ''
          const parsed = parseSessionPolicy(shared)
          if (!parsed || !allowed(shared, operation, key)) throw new Error('the shared session does not allow it')
        }
      },
    ),
    { numRuns: 1500 },
  )
  t.ok(outcomes.signed > 150 && outcomes.refused > 150, JSON.stringify(outcomes))
})

t.test('no form is signed for a prefix with a key outside of the own grant', async (t) => {
  const suffixes = fc.array(path, { minLength: 1, maxLength: 5 })
  const outcomes = { signed: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(
      templates,
      callers,
      path,
      fc.boolean(),
      suffixes,
      async (one, { sub, album }, key, exactly, suffixes) => {
        const { signing, alice } = setUpSigning(new Map([['mine', one]]))
        const caller = { ...alice(), subject: sub, claims: { sub } }
        const about = { policy: 'mine', params: { album }, expiresInSeconds: 900, minBytes: 0, maxBytes: 9 }
        const told = await refusedOr(
          signing.signPosts(caller, { ...about, ...(exactly ? { key } : { keyPrefix: key }) }),
        )
        if (!told) {
          outcomes.refused++
          return
        }
        outcomes.signed++
        const [form] = told.signed
        if (form?.fields.key !== (exactly ? key : `${key}\${filename}`)) throw new Error('another key')
        if (key.includes('${') || keyFault(key) !== undefined) throw new Error('a key with another meaning')
        for (const one of exactly ? [key] : [key, ...suffixes.map((suffix) => key + suffix)]) {
          if (!allowed(told.grant.policy, 'PostObject', one)) throw new Error(`${one} is outside`)
        }
      },
    ),
    { numRuns: 1500 },
  )
  t.ok(outcomes.signed > 150 && outcomes.refused > 150, JSON.stringify(outcomes))
})

/** The operations that a store can read in a request. */
function meaningOf(method: string, query: ReadonlyMap<string, string>): string[] {
  const names = [...query.keys()]
    .filter((name) => !name.startsWith('X-Amz-'))
    .sort()
    .join()
  const meanings: Record<string, string[]> = {
    'PUT ': ['PutObject'],
    'PUT partNumber,uploadId': ['UploadPart'],
    'GET ': ['GetObject'],
    'HEAD ': ['HeadObject'],
    'DELETE ': ['DeleteObject'],
    'DELETE uploadId': ['AbortMultipartUpload'],
    'POST uploads': ['CreateMultipartUpload'],
    'POST uploadId': ['CompleteMultipartUpload'],
  }
  return meanings[`${method} ${names}`] ?? []
}

async function refusedOr<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof VendError && error.status < 500) return undefined
    throw error
  }
}
