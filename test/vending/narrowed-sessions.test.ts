import fc from 'fast-check'
import t from 'tap'
import { ossAllows } from '../../sandbox/iam/evaluate.ts'
import { OSS_ACTIONS } from '../../sandbox/iam/oss-actions.ts'
import { parseSessionPolicy } from '../../sandbox/iam/policy.ts'
import { s3Translator } from '../../src/policy/language/s3.ts'
import { build } from '../helpers/build.ts'
import { templateText } from '../helpers/templates.ts'
import { claims, mint } from '../helpers/tokens.ts'

// Through the whole service, over both ways of asking. The sandbox judges, with an evaluator of its own.

const ACTIONS = [...new Set(Object.values(OSS_ACTIONS))]
const ON_OBJECTS: ReadonlySet<string> = new Set([
  'oss:PutObject',
  'oss:GetObject',
  'oss:DeleteObject',
  'oss:AbortMultipartUpload',
  'oss:ListMultipartUploadParts',
])
const below = (...keys: string[]) => keys.map((key) => `jrn:oss:*:\${account}:\${bucket}/${key}`)
const allow = (Action: string[], Resource: string[]) => ({ Effect: 'Allow', Action, Resource })
const WRITE = ['oss:PutObject', 'oss:AbortMultipartUpload']
const of = (...Statement: object[]) =>
  templateText({
    accept: Statement.length > 2 ? { 'list-bucket': 'Everybody may see all names.' } : {},
    policy: { Version: '3', Statement },
  })
const POLICIES = {
  'one.json': of(allow([...WRITE, 'oss:GetObject', 'oss:DeleteObject'], below('users/${jwt:sub}/*'))),
  'two.json': of(
    allow(WRITE, below('users/${jwt:sub}/a/*', 'users/${jwt:sub}/b/a/*')),
    allow(['oss:GetObject'], below('users/${jwt:sub}/*', 'public/*')),
  ),
  'three.json': of(
    allow(['oss:GetObject'], below('public/*/a', 'users/${jwt:sub}/b/*')),
    allow([...WRITE, 'oss:ListMultipartUploadParts'], below('users/${jwt:sub}/*')),
    allow(['oss:ListBucket', 'oss:ListBucketMultipartUploads'], ['jrn:oss:*:${account}:${bucket}']),
  ),
}

const piece = fc.constantFrom('a', 'b', 'aa', '图')
const start = fc.constantFrom('users/alice', 'users/alice', 'users/alice', 'users/bob', 'users/al', 'public', 'users')
const path = fc.tuple(start, fc.array(piece, { maxLength: 3 })).map(([first, rest]) => [first, ...rest].join('/'))
const prefix = fc.tuple(path, fc.constantFrom('/', '/', '')).map((parts) => parts.join(''))
const actions = fc.array(fc.constantFrom(...ACTIONS, ...ON_OBJECTS, ...ON_OBJECTS), { minLength: 1, maxLength: 3 })
const restrictions = fc
  .record({ actions, prefix }, { requiredKeys: [] })
  .filter(({ actions, prefix }) => actions !== undefined || prefix !== undefined)
type Asked = Readonly<{ actions?: string[]; prefix?: string }>

/** The same wish in the words of AWS. */
const inAws = ({ actions, prefix }: Asked) => ({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Action: actions?.map((action) => action.replace('oss:', 's3:')) ?? 's3:*',
      Resource: prefix === undefined ? '*' : `arn:aws:s3:::test-app/${prefix}*`,
    },
  ],
})

function allowed(policy: string, action: string, key: string | undefined): boolean {
  const parsed = parseSessionPolicy(policy)
  if (!parsed) throw new Error('STS would refuse the policy')
  const resource = key === undefined ? 'test-app' : `test-app/${key}`
  return ossAllows([parsed], {
    action,
    resource: { service: 'oss', region: 'cn-north-1', account: '111111111111', resource },
  })
}

const translate = s3Translator({ region: 'cn-north-1', account: '111111111111', partition: 'aws' })
/** A session policy as an AWS-compatible STS has it, written so that the sandbox can judge it. */
const asOnS3 = (policy: string) =>
  translate(policy)
    .replace('"2012-10-17"', '"3"')
    .replaceAll('"s3:', '"oss:')
    .replaceAll('"arn:aws:s3:::', '"jrn:oss:cn-north-1:111111111111:')

t.test(
  'a narrowed session allows exactly what both the grant and the request allow, however it is asked for',
  async (t) => {
    const policies: string[] = []
    const source = {
      async assumeRole({ policy = '', durationSeconds = 0 }) {
        policies.push(policy)
        const sessionToken = `session-${policies.length - 1}`
        return { accessKey: 'a', secretKey: 's', sessionToken, expiresAt: Date.now() + durationSeconds * 1000 }
      },
      close: async () => {},
    }
    const dir = t.testdir(POLICIES)
    const { app } = await build(t, { env: { POLICIES_DIR: dir, STS_MAX_RPS: '10000' }, dependencies: { source } })
    const token = mint(claims({ sub: 'alice' }))
    /** The policy of the session that an answer gave, as STS was asked for it; undefined for a refusal. */
    const policyIn = ({ statusCode, body }: Readonly<{ statusCode: number; body: string }>) => {
      const session = /session-(\d+)/u.exec(body)?.[1]
      if (statusCode === 200 && session !== undefined) return policies[Number(session)]
      if (statusCode === 400) return undefined
      throw new Error(`${statusCode}: ${body}`)
    }
    const byRest = async (policy: string, restrictTo?: Asked) =>
      policyIn(
        await app.inject({
          method: 'POST',
          url: '/v1/credentials',
          headers: { authorization: `Bearer ${token}` },
          payload: { policy, ...(restrictTo && { restrictTo }) },
        }),
      )
    const byForm = async (policy: string, restriction: Asked) =>
      policyIn(
        await app.inject({
          method: 'POST',
          url: '/v1/aws/sts',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          payload: new URLSearchParams({
            Action: 'AssumeRoleWithWebIdentity',
            Version: '2011-06-15',
            RoleArn: `arn:aws:iam::000000000000:role/${policy}`,
            RoleSessionName: '1767225600000',
            WebIdentityToken: token,
            Policy: JSON.stringify(inAws(restriction)),
          }).toString(),
        }),
      )
    const byQuery = async (policy: string, { actions, prefix }: Asked) =>
      policyIn(
        await app.inject({
          url: `/v1/aws/container-credentials/${policy}?${new URLSearchParams({
            ...(actions && { 'restrictTo.actions': actions.join() }),
            ...(prefix !== undefined && { 'restrictTo.prefix': prefix }),
          })}`,
          headers: { authorization: token },
        }),
      )
    const seen = { restricted: 0, refused: 0, allowed: 0, cut: 0 }
    const names = Object.keys(POLICIES).map((file) => file.replace('.json', ''))
    const wholes = new Map(await Promise.all(names.map(async (name) => [name, (await byRest(name)) ?? ''] as const)))
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        restrictions,
        fc.array(path, { minLength: 1, maxLength: 4 }),
        async (name, restriction, paths) => {
          const whole = wholes.get(name) ?? ''
          const narrow = await byRest(name, restriction)
          const others = [await byForm(name, restriction), await byQuery(name, restriction)]
          if (others.some((other) => other !== narrow)) throw new Error(`not the same: ${narrow} and ${others}`)
          seen[narrow === undefined ? 'refused' : 'restricted']++
          if (narrow === undefined) return
          const { prefix = '' } = restriction
          for (const key of [...paths, ...paths.map((one) => prefix + one), prefix, `${prefix}a`, undefined]) {
            const wanted = key === undefined ? restriction.prefix === undefined : key.startsWith(prefix)
            for (const action of ACTIONS.filter((one) => ON_OBJECTS.has(one) === (key !== undefined))) {
              const before = allowed(whole, action, key)
              const want = before && wanted && (restriction.actions?.includes(action) ?? true)
              if (want) seen.allowed++
              else if (before) seen.cut++
              for (const policy of [narrow, asOnS3(narrow)]) {
                if (allowed(policy, action, key) === want) continue
                throw new Error(`${action} ${key} should be ${want}: ${policy}`)
              }
            }
          }
        },
      ),
      { numRuns: 300 },
    )
    t.ok(
      Object.values(seen).every((times) => times > 15),
      JSON.stringify(seen),
    )
  },
)
