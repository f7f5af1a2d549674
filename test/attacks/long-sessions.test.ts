import t, { type Test } from 'tap'
import type { Fault } from '../../sandbox/faults.ts'
import { startSandbox } from '../../sandbox/index.ts'
import { sandboxEnvironment } from '../../sandbox/local.ts'
import { UNAMBIGUOUS_SECONDS } from '../../src/sts/expiration.ts'
import { build } from '../helpers/build.ts'
import { claims, mint } from '../helpers/tokens.ts'
import { until } from '../helpers/until.ts'

const TEMPLATE = `
description: Sessions of up to twelve hours.
allow: { claims: { scope: oss.upload } }
durationSeconds: 43200
policy:
  Version: "3"
  Statement:
    - Effect: Allow
      Action: [oss:PutObject, oss:AbortMultipartUpload]
      Resource: ["jrn:oss:*:\${account}:\${bucket}/users/\${jwt:sub}/*"]
examples:
  - caller: { sub: alice, scope: oss.upload }
    can: [PutObject users/alice/a]
    cannot: [PutObject users/bob/a]
`
const ZONES = ['UTC', '+08:00'] as const

type Options = Readonly<{ zone: (typeof ZONES)[number]; setting?: string; fault?: Fault; max?: string }>

/** A fresh service for sessions of up to twelve hours. */
async function start(t: Test, { zone, setting = 'auto', fault, max = '43200' }: Options) {
  const sandbox = await startSandbox({ expirationZone: zone })
  t.teardown(() => sandbox.close())
  sandbox.sts.faults.set(fault)
  const { JWT_ISSUER, JWT_AUDIENCE, JWT_SECRET, ...jdcloud } = sandboxEnvironment(sandbox)
  const env = {
    ...jdcloud,
    POLICIES_DIR: t.testdir({ 'long.yaml': TEMPLATE }),
    JDCLOUD_MAX_SESSION_SECONDS: max,
    JDCLOUD_STS_TIME_ZONE: setting,
  }
  const { app, logs } = await build(t, { env, realSts: true })
  await app.ready()
  const vend = async (durationSeconds: number, sub = `caller-${durationSeconds}`) => {
    const response = await app.inject({
      method: 'POST',
      url: '/v1/credentials',
      headers: { authorization: `Bearer ${mint(claims({ sub, scope: 'oss.upload' }))}` },
      payload: { policy: 'long', durationSeconds },
    })
    const { credentials } = response.json()
    const found = credentials && sandbox.world.sessions.lookup(credentials.accessKey, credentials.sessionToken)
    return {
      status: response.statusCode,
      lateMs: credentials && Date.parse(credentials.expiration) - found.session.expiresAt,
      asked: sandbox.sts.asked.at(-1)?.durationSeconds,
    }
  }
  const logged = (text: string) => until(() => logs.text().includes(text))
  return { vend, logged, logs, asked: sandbox.sts.asked }
}

const DURATIONS = [3600, 28_800, 28_801, 29_699, 43_200]

for (const zone of ZONES) {
  for (const setting of ['auto', zone]) {
    t.test(
      `${setting}, and STS writes ${zone}: the first session of a process is whole, and its end is true`,
      async (t) => {
        for (const seconds of DURATIONS) {
          const { vend, logged } = await start(t, { zone, setting })
          if (setting === 'auto') await logged('is known')
          t.strictSame(await vend(seconds), { status: 200, lateMs: 0, asked: seconds })
        }
      },
    )
  }

  t.test(`STS writes ${zone}, and was down at the start: nobody waits, and the second session is whole`, async (t) => {
    for (const seconds of DURATIONS) {
      const { vend, logged } = await start(t, { zone, fault: { kind: 'status', status: 500, times: 1 } })
      await logged('is not known yet')
      t.strictSame(await vend(seconds, 'alice'), {
        status: 200,
        lateMs: 0,
        asked: Math.min(seconds, UNAMBIGUOUS_SECONDS),
      })
      t.strictSame(await vend(seconds, 'bob'), { status: 200, lateMs: 0, asked: seconds })
    }
  })
}

t.test('a zone that was set wrongly is logged, and no end is told too late', async (t) => {
  for (const [setting, zone] of [
    ['UTC', '+08:00'],
    ['+08:00', 'UTC'],
  ] as const) {
    const { vend, logged } = await start(t, { zone, setting })
    await vend(3600, 'alice')
    await logged('fits no time zone')
    const { status, lateMs } = await vend(28_801, 'bob')
    t.equal(status, 200)
    t.ok(lateMs <= 0)
  }
})

t.test('STS is not asked for a zone that is set, or that no session needs', async (t) => {
  for (const options of [{ setting: 'UTC' }, { max: '3600' }, { max: '27899' }]) {
    const { vend, asked } = await start(t, { zone: 'UTC', ...options })
    await vend(3600)
    t.strictSame(
      asked.map(({ roleSessionName }) => roleSessionName),
      ['long@caller-3600'],
    )
  }
})
