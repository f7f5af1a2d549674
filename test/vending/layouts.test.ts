import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import type { AppDependencies } from '../../src/app.ts'
import type { AssumeRoleRequest } from '../../src/sts/credentials.ts'
import { build } from '../helpers/build.ts'
import { statement, templateText } from '../helpers/templates.ts'
import { claims, mint } from '../helpers/tokens.ts'

// What a caller sees of hashed subjects, memberships, defaults and days.

const policy = (path: string) => ({ policy: { Version: '3', Statement: [statement(path)] } })
const templates = {
  'plain.json': templateText(policy('users/${jwt:sub}/*')),
  'hashed.json': templateText(policy('hashed/${jwt:sub|hash}/*')),
  'org.json': templateText({
    ...policy('orgs/${param:org}/*'),
    sharedBy: 'orgs',
    params: { org: { oneOf: 'jwt:orgs', description: 'organisation' } },
  }),
  'album.json': templateText({
    ...policy('albums/${jwt:sub}/${param:album}/*'),
    params: { album: { default: 'inbox', pattern: '[a-z]{1,20}' } },
  }),
  'dated.json': templateText(policy('dated/${jwt:sub}/${date:yyyy/MM/dd}/*')),
}

async function service(t: Test, dependencies: Partial<AppDependencies> = {}) {
  const built = await build(t, { env: { POLICIES_DIR: t.testdir(templates) }, dependencies })
  const headers = (who: Record<string, unknown>) => ({ authorization: `Bearer ${mint(claims(who))}` })
  return {
    ...built,
    vend: (policy: string, who: Record<string, unknown>, params?: Record<string, unknown>) =>
      built.app.inject({ method: 'POST', url: '/v1/credentials', headers: headers(who), payload: { policy, params } }),
    get: (url: string, who: Record<string, unknown>) => built.app.inject({ url, headers: headers(who) }),
  }
}

t.test('a subject that no path can hold has a folder by its hash, and the log tells the remedy', async (t) => {
  const { vend, logs } = await service(t)
  for (const sub of ['system:serviceaccount:ns:name', "o'brien@x.ie", 'CORP\\jane', 'repo:o/r:ref:refs/heads/main']) {
    const refused = await vend('plain', { sub })
    t.equal(refused.statusCode, 422)
    t.match(refused.json(), {
      code: 'unsafe_value',
      detail: 'claim "sub" must be 1 to 128 letters, digits and -_.~@+=,|, and not . or ..',
    })
    t.notMatch(refused.body, 'hash', 'the caller is told as before')
    const folder = createHash('sha256').update(`3:app${sub.length}:${sub}`).digest('hex')
    t.strictSame((await vend('hashed', { sub })).json().oss.prefixes, [`hashed/${folder}/`])
  }
  const lines = logs.lines().filter(({ code }) => code === 'unsafe_value')
  t.equal(lines.length, 4)
  for (const line of lines) {
    t.equal(line.remedy, 'claim "sub" has characters that a path cannot have, or too many; use ${jwt:sub|hash}')
    t.notMatch(JSON.stringify(line), /serviceaccount|brien|CORP|refs/u, 'without the value')
  }
  t.equal((await vend('plain', { sub: '\ud800' })).statusCode, 422)
  t.notOk(
    'remedy' in (logs.lines().findLast(({ code }) => code === 'unsafe_value') ?? {}),
    'a hash would refuse it too',
  )
})

t.test('callers see their own memberships, and choose among them', async (t) => {
  const { vend, get, asked } = await service(t)
  const paramsOf = async (name: string, who: Record<string, unknown>) =>
    (await get('/v1/policies', who)).json().policies.find((one: { name: string }) => one.name === name)?.params
  t.strictSame(await paramsOf('org', { orgs: ['acme', 'globex', '*', 7] }), {
    type: 'object',
    properties: { org: { type: 'string', enum: ['acme', 'globex', '7'], description: 'organisation' } },
    required: ['org'],
    additionalProperties: false,
  })
  t.equal(await paramsOf('org', { orgs: ['*'] }), undefined, 'without one, the policy is not theirs')
  t.equal(await paramsOf('org', {}), undefined)
  t.strictSame((await vend('org', { orgs: ['acme'] }, { org: 'acme' })).json().oss.prefixes, ['orgs/acme/'])
  const refused = await vend('org', { orgs: ['acme', 'SENTINEL-other'] }, { org: 'globex' })
  t.equal(refused.statusCode, 403)
  t.match(refused.json(), {
    code: 'policy_not_allowed',
    detail: 'parameter "org" is none of the caller\'s own values in claim "orgs"',
  })
  t.equal(asked.length, 1, 'STS is not asked for a refused caller')
  const sdk = await get('/v1/aws/container-credentials/org?org=globex', { orgs: ['acme'] })
  t.equal(sdk.statusCode, 403)
})

t.test('a parameter with a default may be left out, and is listed so', async (t) => {
  const { vend, get, asked } = await service(t)
  const { policies } = (await get('/v1/policies', {})).json()
  t.strictSame(policies.find(({ name }: { name: string }) => name === 'album').params, {
    type: 'object',
    properties: { album: { type: 'string', pattern: '^(?:[a-z]{1,20})$', default: 'inbox' } },
    required: [],
    additionalProperties: false,
  })
  t.strictSame((await vend('album', {})).json().oss.prefixes, ['albums/alice/inbox/'])
  t.strictSame((await vend('album', {}, { album: 'inbox' })).json().oss.prefixes, ['albums/alice/inbox/'])
  t.equal(asked.length, 1, 'one session serves both')
  t.equal((await get('/v1/aws/container-credentials/album', {})).statusCode, 200)
})

t.test("a day's session opens that day alone, and the next day has another", async (t) => {
  const midnight = Math.ceil(Date.now() / 86_400_000) * 86_400_000
  const folder = (time: number) => `dated/alice/${new Date(time).toISOString().slice(0, 10).replaceAll('-', '/')}/`
  let now = midnight - 60_000
  const asked: string[] = []
  const source = {
    assumeRole: async ({ policy, durationSeconds }: AssumeRoleRequest) => {
      asked.push(policy)
      return { accessKey: 'a', secretKey: 's', sessionToken: 't', expiresAt: now + durationSeconds * 1000 }
    },
    close: async () => {},
  }
  const { vend } = await service(t, { now: () => now, source })
  t.strictSame((await vend('dated', {})).json().oss.prefixes, [folder(midnight - 1)])
  now = midnight - 1
  await vend('dated', {})
  t.equal(asked.length, 1, 'one session serves the day')
  now = midnight
  const next = (await vend('dated', { date: '1970/01/01', iat: 0 })).json()
  t.strictSame(next.oss.prefixes, [folder(midnight)], 'although the old session is still good')
  t.equal(asked.length, 2)
})
