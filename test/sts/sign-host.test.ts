import t from 'tap'
import { signJdcloud2 } from '../../src/lib/signature-v4.ts'
import { createJdcloudSts } from '../../src/sts/jdcloud.ts'
import { listen } from '../helpers/listen.ts'
import { CREDENTIALS, dependencies, GRANT, KEYS, options } from './harness.ts'

t.test('the signature is for the host that STS sees, and the connection is for the proxy', async (t) => {
  let seen: { url: string | undefined; headers: Record<string, unknown>; body: string } | undefined
  const endpoint = await listen(t, async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    seen = { url: request.url, headers: request.headers, body }
    response.end(JSON.stringify({ result: { credentials: CREDENTIALS } }))
  })
  const sts = createJdcloudSts({ ...options(endpoint), signHost: 'sts.jdcloud-api.com' }, dependencies)
  t.teardown(() => sts.close())
  t.match(await sts.assumeRole(GRANT), { accessKey: CREDENTIALS.accessKey })
  const { authorization } = signJdcloud2(
    {
      method: 'POST',
      host: 'sts.jdcloud-api.com',
      path: '/v1/sessionToken%3AassumeRole',
      headers: { 'content-type': 'application/json' },
      body: seen?.body ?? '',
      service: 'sts',
      region: 'jdcloud-api',
      date: '20260101T000000Z',
      nonce: 'nonce-1',
    },
    KEYS,
  )
  t.match(seen, { headers: { host: new URL(endpoint).host, authorization } })
})
