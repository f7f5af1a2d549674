import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { startSandbox } from '../../sandbox/index.ts'
import { SANDBOX_KEYS } from '../../sandbox/world.ts'
import { signingDate, signJdcloud2 } from '../../src/lib/signature-v4.ts'

const NOW = Date.UTC(2026, 0, 2, 20, 30, 0)
const PATH = '/v1/sessionToken%3AassumeRole'

/** Sends an AssumeRole as any HTTP client does. */
async function assumeRole(url: string, nonce: string): Promise<Response> {
  const body = JSON.stringify({
    assumeRoleInfo: { roleJrn: 'jrn:iam::111111111111:role/test-role', roleSessionName: 'upload@alice' },
  })
  const { host, ...headers } = signJdcloud2(
    {
      method: 'POST',
      host: new URL(url).host,
      path: PATH,
      headers: { 'content-type': 'application/json' },
      body,
      service: 'sts',
      region: 'jdcloud-api',
      date: signingDate(NOW),
      nonce,
    },
    SANDBOX_KEYS.testIam,
  )
  t.equal(host, new URL(url).host)
  return fetch(`${url}${PATH}`, { method: 'POST', headers, body })
}

t.test('STS and OSS share a world and have separate faults', async (t) => {
  const sandbox = await startSandbox({ scenario: { clock: () => NOW }, expirationZone: '+08:00' })
  t.teardown(sandbox.close)
  t.match(sandbox.sts.url, /^http:\/\/127\.0\.0\.1:\d+$/u)
  t.match(sandbox.oss.url, /^http:\/\/127\.0\.0\.1:\d+$/u)
  t.not(sandbox.sts.url, sandbox.oss.url)

  const document = JSON.parse(await (await assumeRole(sandbox.sts.url, 'first')).text())
  const { accessKey, sessionToken, expiration } = document.result.credentials
  t.equal(expiration, '2026-01-03 05:30:00')
  t.equal(sandbox.world.sessions.lookup(accessKey, sessionToken).status, 'valid')
  t.match(sandbox.sts.asked, [{ roleSessionName: 'upload@alice' }])

  t.ok(sandbox.oss.store.get('test-app'), 'OSS can be seeded with objects')
  sandbox.oss.faults.set({ kind: 'html' })
  t.equal((await fetch(sandbox.oss.url)).status, 502)
  t.equal((await assumeRole(sandbox.sts.url, 'second')).status, 200)
  sandbox.sts.faults.set({ kind: 'status', status: 429, retryAfter: '1' })
  t.equal((await assumeRole(sandbox.sts.url, 'third')).status, 429)
})

t.test('STS can report a wrong expiration', async (t) => {
  const sandbox = await startSandbox({ scenario: { clock: () => NOW } })
  t.teardown(sandbox.close)
  const rows = [
    { hours: 0, want: '2026-01-02 21:30:00' },
    { hours: -2, want: '2026-01-02 19:30:00' },
    { hours: 'missing', want: undefined },
  ] as const
  for (const { hours, want } of rows) {
    sandbox.sts.faults.set({ kind: 'expiration', hours })
    const { result } = JSON.parse(await (await assumeRole(sandbox.sts.url, `hours ${hours}`)).text())
    t.equal(result.credentials.expiration, want)
    const { session } = {
      session: undefined,
      ...sandbox.world.sessions.lookup(result.credentials.accessKey, result.credentials.sessionToken),
    }
    t.equal(session?.expiresAt, NOW + 3_600_000, 'the session still ends at its true time')
  }
})

t.test('it listens only on loopback', async (t) => {
  for (const host of ['0.0.0.0', '::', '', 'localhost', '192.0.2.1', '127.0.0.1.example', '10.127.0.0']) {
    t.test(`not on "${host}"`, async (t) => {
      await t.rejects(startSandbox({ host }), RangeError)
    })
  }
  for (const host of ['127.0.0.2', '::1']) {
    t.test(`on ${host}`, async (t) => {
      const sandbox = await startSandbox({ host })
      t.teardown(sandbox.close)
      t.equal(new URL(sandbox.sts.url).hostname.replace(/[[\]]/gu, ''), host)
      t.equal((await fetch(sandbox.sts.url)).status, 404)
    })
  }
})

t.test('if a port is in use, nothing stays open', async (t) => {
  const first = await startSandbox()
  t.teardown(first.close)
  const taken = Number(new URL(first.oss.url).port)
  await t.rejects(startSandbox({ stsPort: taken }), { code: 'EADDRINUSE' })
  await t.rejects(startSandbox({ ossPort: taken }), { code: 'EADDRINUSE' })
})

t.test('close() cuts idle, hanging, endless and silent connections', async (t) => {
  const sandbox = await startSandbox()
  const port = Number(new URL(sandbox.sts.url).port)
  await (await fetch(sandbox.sts.url)).text() // leaves a kept-alive connection in fetch's pool

  const silent = connect(port, '127.0.0.1')
  await once(silent, 'connect')
  const halfway = connect(port, '127.0.0.1')
  halfway.write('POST /v1/sess')
  sandbox.sts.faults.set({ kind: 'hang' })
  const hung = fetch(sandbox.sts.url)
  sandbox.oss.faults.set({ kind: 'huge' })
  const endless = await fetch(sandbox.oss.url)
  sandbox.oss.faults.set({ kind: 'delay', ms: 3_600_000 })
  const delayed = fetch(sandbox.oss.url)

  const ends = [
    once(silent, 'close'),
    new Promise((resolve) => halfway.on('error', () => undefined).once('close', resolve)),
    t.rejects(hung),
    t.rejects(endless.text()),
    t.rejects(delayed),
  ]
  const before = performance.now()
  await sandbox.close()
  t.ok(performance.now() - before < 1000)
  await Promise.all(ends)
  await t.rejects(fetch(sandbox.sts.url))
  await sandbox.close() // again is harmless
})
