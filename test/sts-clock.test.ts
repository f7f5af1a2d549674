import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { build } from './helpers/build.ts'
import { listen } from './helpers/listen.ts'
import { claims, mint } from './helpers/tokens.ts'

/** The service, whose clock is behind that of STS by so many minutes, after one vend. */
async function vendWith(t: Test, minutes: number, status: number, headers: Record<string, string> = {}) {
  const expiration = new Date(Date.now() + 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
  const credentials = { accessKey: 'ak', secretKey: 'sk', sessionToken: 'st', expiration }
  const endpoint = await listen(t, (_request, response) => {
    response.writeHead(status, headers).end(JSON.stringify(status === 200 ? { result: { credentials } } : {}))
  })
  const metrics = new Registry()
  const { app, ops, logs } = await build(t, {
    env: { JDCLOUD_STS_ENDPOINT: endpoint, OPS_PORT: '0', JWT_CLOCK_TOLERANCE_SECONDS: '300' },
    dependencies: { metrics, now: () => Date.now() - minutes * 60_000 },
    realSts: true,
  })
  if (!ops) throw new Error('there is no ops listener')
  const page = async (url: string) => (await ops.inject(url)).body
  const before = { ready: JSON.parse(await page('/readyz')), metrics: await page('/metrics') }
  const date = Math.floor(Date.now() / 1000) - minutes * 60
  const response = await app.inject({
    method: 'POST',
    url: '/v1/credentials',
    headers: { authorization: `Bearer ${mint(claims({ iat: date, exp: date + 36_000 }))}` },
    payload: { policy: 'user-upload' },
  })
  const gauge = async () =>
    /^oss_vend_sts_clock_offset_seconds\{target="default"\} (.+)$/mu.exec(await page('/metrics'))?.[1]
  return {
    before,
    response,
    line: logs.lines().find(({ upstream }) => upstream),
    offset: Number(await gauge()),
    ready: JSON.parse(await page('/readyz')),
    public: await app.inject('/readyz'),
  }
}

t.test('nothing is told before STS has told the time', async (t) => {
  const { before } = await vendWith(t, 0, 200)
  t.strictSame(before.ready, { status: 'ready' })
  t.notMatch(before.metrics, /^oss_vend_sts_clock_offset_seconds\{/mu)
})

t.test('clocks that agree are told as such', async (t) => {
  const { response, offset, ready } = await vendWith(t, 0, 200)
  t.equal(response.statusCode, 200)
  t.ok(Math.abs(offset) < 60)
  t.strictSame(Object.keys(ready.sts.default), ['clockOffsetSeconds'])
})

t.test('a clock that is off is told when STS refuses', async (t) => {
  for (const minutes of [90, -90]) {
    const seen = await vendWith(t, minutes, 403)
    t.equal(seen.response.json().code, 'upstream_denied')
    t.ok(Math.abs(seen.offset - minutes * 60) < 60, `${seen.offset} seconds`)
    const hint = minutes > 0 ? /90 minutes behind the clock of STS/u : /90 minutes ahead of the clock of STS/u
    t.match(seen.line, { level: 50, upstream: { status: 403, clockOffsetSeconds: seen.offset, hint } })
    t.match(
      seen.ready,
      { status: 'ready', sts: { default: { clockOffsetSeconds: seen.offset, hint } } },
      'on the ops listener',
    )
    t.strictSame(seen.public.json(), { status: 'ready' }, 'and not on the public one')
    t.notMatch(seen.response.body, /clock/u, 'nor to the caller')
  }
})

t.test('it is measured by a good answer, too', async (t) => {
  const { response, offset, line } = await vendWith(t, 10, 200)
  t.equal(response.statusCode, 200)
  t.ok(Math.abs(offset - 600) < 60)
  t.equal(line, undefined)
})

t.test('a refusal without a date, or from a cache, tells of no clock', async (t) => {
  for (const headers of [{ date: 'SENTINEL' }, { age: '7' }]) {
    const { line, ready } = await vendWith(t, 90, 403, headers)
    t.match(line, { upstream: { status: 403, clockOffsetSeconds: undefined, hint: undefined } })
    t.strictSame(ready, { status: 'ready' })
  }
})
