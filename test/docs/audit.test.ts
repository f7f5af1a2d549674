import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { z } from 'zod'
import { sessionName } from '../../src/policy/grant/session-name.ts'
import { eventOf } from '../helpers/audit.ts'
import { build } from '../helpers/build.ts'
import { claims, mint } from '../helpers/tokens.ts'
import { countingSource } from '../helpers/vending.ts'

const page = readFileSync('docs/audit.md', 'utf8')
const [, sample = ''] = /```json\n(.*?)```/su.exec(page) ?? []

t.test('the sample event is what the service writes', async (t) => {
  const told = eventOf(sample)
  if (told.type !== 'oss-vend.decision.issued') throw new Error('the sample is no issued event')
  const now = () => Date.parse(told.time)
  const { source } = countingSource(now)
  const env = {
    TRUST_PROXY: '1',
    AUDIT_CHAIN_KEY: Buffer.from(Array.from({ length: 32 }, (_, i) => 7 * i ** 2)).toString('base64'),
  }
  const { app, audit } = await build(t, { env, dependencies: { now, source } })
  await app.inject({
    method: 'POST',
    url: told.data.route,
    headers: {
      authorization: `Bearer ${mint(claims({ sub: told.data.subject, exp: now() / 1000 + 900 }))}`,
      'user-agent': told.data.userAgent ?? '',
      'x-forwarded-for': told.data.address,
      'x-request-id': told.data.requestId,
    },
    payload: { policy: told.data.policy, params: told.data.params },
  })
  const [, event] = audit.events()
  if (event?.type !== 'oss-vend.decision.issued') throw new Error('nothing was issued')
  const { source: run, previous, mac } = told
  const { tokenSha256, accessKeyId } = told.data
  t.strictSame({ ...event, source: run, previous, mac, data: { ...event.data, tokenSha256, accessKeyId } }, told)
  t.strictSame(Object.keys(event.data), Object.keys(told.data), 'in this order')
  t.strictSame(Object.keys(event), Object.keys(told))
})

t.test('the page explains every field and every type of the schema', async (t) => {
  const shape = z.object({
    oneOf: z.array(
      z.object({
        properties: z.object({
          type: z.object({ const: z.string() }),
          data: z.object({ properties: z.record(z.string(), z.unknown()) }),
        }),
      }),
    ),
  })
  const { oneOf } = shape.parse(JSON.parse(readFileSync('docs/audit-event.schema.json', 'utf8')))
  for (const { properties } of oneOf) {
    t.ok(page.includes(`\`${properties.type.const}\``), properties.type.const)
    if (!properties.type.const.startsWith('oss-vend.decision')) continue
    for (const name of Object.keys(properties.data.properties))
      t.match(page, new RegExp(`^\\|.*\`${name}\`.*\\|`, 'mu'), name)
  }
})

t.test('the command for hashed names computes the name of the sample', async (t) => {
  const [, issuer = '', subject = ''] = /printf %s '\["([^"]+)","([^"]+)"\]'/u.exec(page) ?? []
  const [, name = ''] = /who --session '([^']+)' --issuer/u.exec(page) ?? []
  const hash = createHash('sha256').update(`["${issuer}","${subject}"]`).digest('base64url').slice(0, 27)
  t.equal(name, `user-upload@=${hash}`)
  for (const several of [true, false]) t.equal(sessionName('user-upload', { issuer, subject }, several), name)
})
