import t from 'tap'
import { mintToken } from '../../sandbox/issuer.ts'
import { startLocal } from '../../sandbox/local.ts'
import { captureLogs } from '../helpers/logs.ts'
import { statement, templateText } from '../helpers/templates.ts'

t.test('the local service accepts your own templates, and pages may upload', async (t) => {
  const policy = { Version: '3', Statement: [statement('mine/${jwt:sub}/*')] }
  const POLICIES_DIR = t.testdir({ 'mine.json': templateText({ policy }) })
  const { url, sandbox, close } = await startLocal({ logger: captureLogs().logger, env: { POLICIES_DIR } })
  t.teardown(close)
  const headers = { authorization: `Bearer ${await mintToken({ sub: 'alice' })}`, 'content-type': 'application/json' }
  const answer = await fetch(`${url}/v1/credentials`, { method: 'POST', headers, body: '{"policy":"mine"}' })
  t.match(await answer.json(), { oss: { endpoint: sandbox.oss.url, prefixes: ['mine/alice/'] } })

  const preflight = await fetch(`${sandbox.oss.url}/test-app/mine/alice/x`, {
    method: 'OPTIONS',
    headers: { origin: 'http://localhost:5173', 'access-control-request-method': 'PUT' },
  })
  t.equal(preflight.status, 200)
  t.equal(preflight.headers.get('access-control-allow-origin'), '*')
})
