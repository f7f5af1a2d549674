import fc from 'fast-check'
import t from 'tap'
import { OSS_ACTIONS } from '../../../sandbox/iam/oss-actions.ts'
import { parseSessionPolicy } from '../../../sandbox/iam/policy.ts'
import { isAllowed } from '../../../sandbox/oss/access.ts'
import { fitsWildcard } from '../../../sandbox/wildcard.ts'
import { createWorld } from '../../../sandbox/world.ts'
import { type Policy, parseJrn, policySchema } from '../../../src/policy/language/document.ts'
import { allowedByAll } from '../../../src/policy/language/evaluate.ts'
import { isOperation, OPERATION_ACTIONS, operationResource } from '../../../src/policy/language/operations.ts'
import { matchesWildcard } from '../../../src/policy/language/wildcard.ts'

// The service and the sandbox have separate policy evaluators without shared code. If they differ, one is wrong.

const RUNS = 5000

/** Texts that are hard to match: other wildcards, escapes, regular expressions, JRNs, variables, scripts, half a character. */
const ODD = [...'abAB/:?.+^|\\()[]{}$%,"\'@- \n\0', 'é', 'e\u0301', '桶', '한', 'ع', '🗂', '🗃', '\ud83d', '\udc00']
const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('users', 'alice', 'bob', 'a', '/') },
  { weight: 2, arbitrary: fc.constantFrom(...ODD) },
)
const pieces = fc.array(piece, { minLength: 1, maxLength: 7 })

/** A pattern made from a text, so that many fit and more nearly fit. */
const patternFor = (text: readonly string[]) =>
  fc
    .array(fc.tuple(fc.constantFrom('keep', 'keep', 'keep', 'star', 'change', 'drop'), piece), {
      minLength: text.length,
      maxLength: text.length,
    })
    .map((edits) =>
      edits.map(([edit, other], i) => ({ keep: text[i] ?? '', star: '*', change: other, drop: '' })[edit]).join(''),
    )

const REGIONS = ['cn-north-1', 'cn-east-2']
const ACCOUNTS = ['111111111111', '222222222222']
const oneOrMany = (one: fc.Arbitrary<string>) => fc.oneof(one, fc.array(one, { minLength: 1, maxLength: 3 }))

const operation = fc.constantFrom(...Object.keys(OPERATION_ACTIONS).filter(isOperation))
const actionFor = (action: string) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(action) },
    { weight: 2, arbitrary: fc.constantFrom('*', 'oss:*', 'oss:Put*', 'oss:*Object', 'oss:List*', 'oss:*Bucket*') },
    { weight: 2, arbitrary: fc.constantFrom(...Object.values(OPERATION_ACTIONS)) },
    { weight: 1, arbitrary: fc.constantFrom('oss:putobject', 's3:*', 'oss', 'oss:?etObject', 'sts:assumeRole') },
    { weight: 1, arbitrary: patternFor([...action]) },
  )

type Request = Readonly<{
  operation: keyof typeof OPERATION_ACTIONS
  region: string
  account: string
  bucket: string
  key: readonly string[]
}>

const request: fc.Arbitrary<Request> = fc.record({
  operation,
  region: fc.constantFrom(...REGIONS),
  account: fc.constantFrom(...ACCOUNTS),
  bucket: fc.constantFrom('test-app', 'test-app2'),
  key: pieces,
})

const resourceFor = ({ region, account, bucket, key }: Request) => {
  const jrn = fc
    .tuple(
      fc.constantFrom('oss', 'oss', 'oss', 'oss', 'oss', 'oss', 'oss', 'vm'),
      fc.constantFrom('*', '*', region, region, ...REGIONS),
      fc.constantFrom('*', '*', account, account, ...ACCOUNTS),
      fc.oneof(
        { weight: 6, arbitrary: fc.tuple(fc.constantFrom(bucket, bucket, bucket, 'test-*', '*'), patternFor(key)) },
        { weight: 2, arbitrary: fc.tuple(fc.constantFrom('test-app', 'test-*', '*-app', 'test-app*')) },
        { weight: 1, arbitrary: fc.tuple(patternFor([...bucket, '/', ...key]).filter((text) => text !== '')) },
      ),
    )
    .map(([service, inRegion, ofAccount, resource]) => `jrn:${service}:${inRegion}:${ofAccount}:${resource.join('/')}`)
  return fc.oneof({ weight: 12, arbitrary: jrn }, { weight: 1, arbitrary: fc.constant('*') })
}

const policyFor = (wanted: Request) =>
  fc
    .record({
      Version: fc.constantFrom('3', 3),
      Statement: fc.array(
        fc.record(
          {
            Sid: fc.string({ maxLength: 5 }),
            Effect: fc.constantFrom('Allow', 'Allow', 'Allow', 'Deny'),
            Action: oneOrMany(actionFor(OPERATION_ACTIONS[wanted.operation])),
            Resource: oneOrMany(resourceFor(wanted)),
            Condition: fc.constant({ StringLike: { 'oss:prefix': 'users/*' } }),
          },
          { requiredKeys: ['Effect', 'Action', 'Resource'] },
        ),
        { minLength: 1, maxLength: 3 },
      ),
    })
    .map((document) => JSON.stringify(document))

/** The service's reading of a policy text for STS. */
function servicePolicy(text: string): Policy | undefined {
  const { data } = policySchema.safeParse(JSON.parse(text))
  const resources = data?.Statement.flatMap(({ Resource }) => Resource) ?? []
  return resources.every((resource) => resource === '*' || parseJrn(resource)) ? data : undefined
}

function serviceAllows(policies: readonly Policy[], { operation, region, account, bucket, key }: Request): boolean {
  const resource = operationResource(operation, { region, account, bucket, key: key.join('') })
  return allowedByAll(policies, { action: OPERATION_ACTIONS[operation], resource }, 'ignored')
}

const world = createWorld()
const OF_BUCKET = /^(?:ListObjects|ListObjectsV2|HeadBucket|ListMultipartUploads|DeleteBucket)$/u

function sandboxAllows(policies: readonly Policy[], { operation, region, account, bucket, key }: Request): boolean {
  const touched =
    operation === 'ListBuckets' ? {} : { bucket, ...(!OF_BUCKET.test(operation) && { key: key.join('') }) }
  const layers = policies.map((policy) => [policy])
  return isAllowed({ ...world, region, accountId: account }, layers, operation, touched)
}

t.test('operations need the same actions in both', async (t) => {
  t.strictSame(OSS_ACTIONS, OPERATION_ACTIONS)
})

t.test('patterns match the same texts in both', async (t) => {
  const pair = pieces.chain((text) => fc.tuple(patternFor(text), fc.constant(text.join(''))))
  let fitting = 0
  fc.assert(
    fc.property(pair, ([pattern, text]) => {
      const fits = fitsWildcard(pattern, text)
      if (fits) fitting++
      return fits === matchesWildcard(pattern, text)
    }),
    { numRuns: RUNS },
  )
  t.ok(fitting > RUNS / 10 && fitting < (RUNS * 9) / 10, `${fitting} of ${RUNS} fit`)
})

t.test('policies allow the same requests in both', async (t) => {
  const scenario = request.chain((wanted) =>
    fc.record({ wanted: fc.constant(wanted), texts: fc.array(policyFor(wanted), { minLength: 1, maxLength: 2 }) }),
  )
  let allowed = 0
  fc.assert(
    fc.property(scenario, ({ wanted, texts }) => {
      const [ours, theirs] = [texts.map(servicePolicy), texts.map(parseSessionPolicy)]
      const answer = serviceAllows(ours.map(present), wanted)
      if (answer) allowed++
      return sandboxAllows(theirs.map(present), wanted) === answer
    }),
    { numRuns: RUNS },
  )
  t.ok(allowed > RUNS / 10 && allowed < (RUNS * 9) / 10, `${allowed} of ${RUNS} were allowed`)
})

function present(policy: Policy | undefined): Policy {
  if (!policy) throw new Error('a policy that is refused')
  return policy
}

t.test('both accept the same policy texts, with the same meaning', async (t) => {
  const value = fc.oneof(
    fc.constantFrom(
      '*',
      'jrn:oss:*:111111111111:test-app/*',
      'jrn:oss:*:*:b',
      'oss:PutObject',
      '',
      'b/*',
      'jrn:oss:*:*',
    ),
    fc.constantFrom('Allow', 'Deny', 'allow', '3', 'arn:aws:s3:::b', null, 3, true, [], {}, ['*'], ['*', ''], ['*', 3]),
  )
  const statement = fc.dictionary(
    fc.constantFrom('Sid', 'Condition', 'Principal', 'NotAction', 'NotResource', 'action', 'Resource', 'Effect'),
    value,
    { maxKeys: 1 },
  )
  const plain = { Effect: 'Allow', Action: 'oss:*', Resource: '*' }
  const document = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        Version: fc.oneof({ weight: 8, arbitrary: fc.constantFrom('3', 3) }, { weight: 1, arbitrary: value }),
        Statement: fc.array(
          statement.map((changes) => ({ ...plain, ...changes })),
          { maxLength: 2 },
        ),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ Version: '3', Statement: [plain], Id: 'x' }) },
    { weight: 1, arbitrary: fc.json().map((text): unknown => JSON.parse(text)) },
  )
  let taken = 0
  fc.assert(
    fc.property(
      document.map((one) => JSON.stringify(one)),
      (text) => {
        const policy = servicePolicy(text)
        if (policy) taken++
        return JSON.stringify(parseSessionPolicy(text)) === JSON.stringify(policy)
      },
    ),
    { numRuns: RUNS },
  )
  t.ok(taken > RUNS / 10 && taken < (RUNS * 9) / 10, `${taken} of ${RUNS} were policies`)
})

t.test('a wildcard in a part of a region or an account opens nothing', async (t) => {
  const where = { region: 'cn-north-1', account: '111111111111', bucket: 'test-app', key: ['a'] }
  const wanted: Request = { operation: 'GetObject', ...where }
  for (const resource of ['jrn:oss:cn-*:111111111111:test-app/*', 'jrn:oss:*:1*:test-app/*']) {
    const text = JSON.stringify({
      Version: '3',
      Statement: [{ Effect: 'Allow', Action: 'oss:GetObject', Resource: resource }],
    })
    const policy = present(servicePolicy(text))
    t.notOk(serviceAllows([policy], wanted), `${resource}: the service lets nothing through`)
    t.notOk(sandboxAllows([policy], wanted), 'and neither does the sandbox')
    t.equal(parseSessionPolicy(text), undefined, 'whose STS refuses such a policy')
  }
})
