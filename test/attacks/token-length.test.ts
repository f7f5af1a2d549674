import { request } from 'node:http'
import t from 'tap'
import type { Environment } from '../../src/config/environment.ts'
import { build, withTokenCacheOnAndOff } from '../helpers/build.ts'
import { claims, mint } from '../helpers/tokens.ts'

const test = withTokenCacheOnAndOff(t)

/** A good token of this length, or of up to three bytes less: base64 leaves gaps. */
function tokenOf(length: number): string {
  let token = ''
  for (let padding = Math.floor((length * 3) / 4) - 400; ; padding++) {
    const next = mint(claims({ padding: 'x'.repeat(padding) }))
    if (next.length > length) return token
    token = next
  }
}

type Answer = Readonly<{ status: number | undefined; body: string }>

/** By a socket: `inject` has none of Node's limits. */
const ask = (url: string, method: string, headers: Record<string, string>, body = '') =>
  new Promise<Answer>((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false }, async (response) => {
      resolve({ status: response.statusCode, body: Buffer.concat(await response.toArray()).toString() })
    })
    asked.on('error', reject).end(body)
  })

async function listening(t: Parameters<typeof build>[0], env: Environment = {}) {
  const { app, logs } = await build(t, { env })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    bearer: (token: string) => ask(`${url}/v1/policies`, 'GET', { authorization: `Bearer ${token}` }),
    container: (token: string) =>
      ask(`${url}/v1/aws/container-credentials/user-upload`, 'GET', { authorization: token }),
    form: (token: string, more: Record<string, string> = {}) => {
      const fields = {
        Action: 'AssumeRoleWithWebIdentity',
        Version: '2011-06-15',
        RoleArn: 'arn:aws:iam::000000000000:role/user-upload',
        RoleSessionName: 'build-7',
        WebIdentityToken: token,
        ...more,
      }
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      return ask(`${url}/v1/aws/sts`, 'POST', headers, new URLSearchParams(fields).toString())
    },
    header: (bytes: number) => ask(`${url}/livez`, 'GET', { x: 'x'.repeat(bytes) }),
    refused: () => logs.lines().findLast(({ msg }) => msg === 'refused'),
  }
}

test('a token of hundreds of groups is good in every dialect', async (t) => {
  const { bearer, container, form } = await listening(t)
  const groups = Array.from({ length: 400 }, (_, i) => `CN=role-${i},OU=x`)
  const token = mint(claims({ groups }))
  t.ok(token.length > 9000, `${token.length} bytes`)
  for (const one of [token, tokenOf(16_384)]) {
    t.strictSame(
      [await bearer(one), await container(one), await form(one)].map(({ status }) => status),
      [200, 200, 200],
    )
  }
})

test('a token that is longer than the limit is refused, and the log says that it is longer', async (t) => {
  const rows = [
    { limit: 16_384, env: {} },
    { limit: 1024, env: { JWT_MAX_BYTES: '1024' } },
    { limit: 32_768, env: { JWT_MAX_BYTES: '32768' } },
  ]
  for (const { limit, env } of rows) {
    t.test(`${limit}`, async (t) => {
      const { bearer, container, form, refused } = await listening(t, env)
      const [good, long] = [tokenOf(limit), tokenOf(limit + 4)]
      t.ok(good.length <= limit && long.length > limit)
      t.equal((await bearer(good)).status, 200)
      t.equal((await form(good)).status, 200)
      for (const present of [bearer, container]) {
        t.equal((await present(long)).status, 401)
        t.match(refused(), { reason: 'too_long', longerThan: limit })
      }
      t.match(await form(long), { status: 400, body: /InvalidIdentityToken|ValidationError/u })
      t.equal((await form(good, { DurationSeconds: '900' })).status, 200, 'and the next one is read')
    })
  }
})

test('what is longer than token and headers may be is cut off before it is read', async (t) => {
  const { header, form, bearer } = await listening(t)
  t.equal((await header(23_000)).status, 200)
  t.equal((await header(25_000)).status, 431)
  t.equal((await bearer('x'.repeat(30_000))).status, 431)
  t.match(await form('x'.repeat(30_000)), { status: 400, body: /ValidationError/u })
})
