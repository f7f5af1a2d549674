import t, { type Test } from 'tap'
import { serveDemo } from '../../../sandbox/demo/serve.ts'
import { startLocal } from '../../../sandbox/local.ts'
import { captureLogs } from '../../helpers/logs.ts'

async function start(t: Test) {
  const local = await startLocal({ logger: captureLogs().logger, extend: serveDemo })
  t.teardown(local.close)
  const post = (path: string, body: unknown, headers = {}) =>
    fetch(local.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  return { ...local, post }
}

t.test('the demo serves its page under a policy that lets in nothing from outside', async (t) => {
  const { url, sandbox } = await start(t)
  const rows = [
    { path: '', type: 'text/html' },
    { path: '/style.css', type: 'text/css' },
    { path: '/icon.svg', type: 'image/svg+xml' },
    { path: '/app.js', type: 'text/javascript' },
  ]
  for (const { path, type } of rows) {
    const answer = await fetch(`${url}/demo${path}`)
    t.equal(answer.status, 200, path)
    t.match(answer.headers.get('content-type'), type)
  }
  const { headers } = await fetch(`${url}/demo`)
  const policy = headers.get('content-security-policy') ?? ''
  t.equal(policy.includes('unsafe'), false)
  t.ok(policy.startsWith("default-src 'none'; script-src 'self'; style-src 'self';"))
  t.ok(policy.includes(`connect-src 'self' ${sandbox.oss.url};`))
  t.ok(policy.includes("frame-ancestors 'none'"))
  const page = await (await fetch(`${url}/demo`)).text()
  t.notMatch(
    page,
    /<script(?![^>]*\ssrc=)|\son[a-z]+=|\sstyle=|https?:\/\//u,
    'no inline script or style, no other host',
  )
})

t.test('the page learns from config.json where it may send files', async (t) => {
  const { url, sandbox } = await start(t)
  const config: unknown = await (await fetch(`${url}/demo/config.json`)).json()
  t.match(config, { ossEndpoint: sandbox.oss.url, storeHealth: 'normal', users: [{ id: 'alice' }, { id: 'bob' }, {}] })
  t.notMatch(JSON.stringify(config), /secret/iu)
})

t.test('a demo user signs in with a token that the service accepts', async (t) => {
  const { url, post } = await start(t)
  const rows = [
    { user: 'alice', want: ['album-upload', 'shared-download', 'user-files', 'user-upload'] },
    { user: 'bob', want: ['album-upload', 'user-upload'] },
    { user: 'carol', want: [] },
  ]
  for (const { user, want } of rows) {
    const { token }: { token: string } = JSON.parse(await (await post('/demo/token', { user })).text())
    const answer = await fetch(`${url}/v1/policies`, { headers: { authorization: `Bearer ${token}` } })
    const { policies }: { policies: { name: string }[] } = JSON.parse(await answer.text())
    t.strictSame(policies.map(({ name }) => name).sort(), want, user)
  }
  for (const body of [{ user: 'mallory' }, { user: 'alice', claims: { scope: 'oss.files' } }, {}]) {
    t.equal((await post('/demo/token', body)).status, 400, JSON.stringify(body))
  }
})

t.test('a visitor switches the health of the store', async (t) => {
  const { url, sandbox, post } = await start(t)
  const ask = () => fetch(`${sandbox.oss.url}/test-app/x`).then(({ status }) => status)
  t.equal(await ask(), 403)
  t.equal((await post('/demo/store', { health: 'down' })).status, 200)
  await t.rejects(ask())
  t.match(await (await fetch(`${url}/demo/config.json`)).json(), { storeHealth: 'down' })
  await post('/demo/store', { health: 'normal' })
  t.equal(await ask(), 403)
  t.equal((await post('/demo/store', { health: 'huge' })).status, 400)
})

t.test('the description of the API does not mention the demo', async (t) => {
  const { url } = await start(t)
  t.notMatch(await (await fetch(`${url}/openapi.json`)).text(), '/demo')
})
