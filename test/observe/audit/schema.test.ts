import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { eventJsonSchema } from '../../../src/observe/audit/schema.ts'
import { build } from '../../helpers/build.ts'
import { claims, mint } from '../../helpers/tokens.ts'

const FILE = 'docs/audit-event.schema.json'

t.test('the published schema is the one of the service', async (t) => {
  const want = `${JSON.stringify(eventJsonSchema(), null, 2)}\n`
  t.equal(readFileSync(FILE, 'utf8'), want, 'otherwise run: npx tsx scripts/audit-schema.ts')
})

t.test('each kind of event fits the published schema, and CloudEvents 1.0', async (t) => {
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(
    JSON.parse(readFileSync(FILE, 'utf8')),
  )
  const { app, audit } = await build(t)
  const vend = (payload: Record<string, unknown>, sub = 'alice') =>
    app.inject({
      method: 'POST',
      url: '/v1/credentials',
      headers: { authorization: `Bearer ${mint(claims({ sub }))}` },
      payload,
    })
  await vend({ policy: 'user-upload' })
  await vend({ policy: 'user-upload' }, 'a*')
  await vend({ policy: '' })
  await app.close()
  t.strictSame(
    audit.events().map(({ type }) => type.slice('oss-vend.'.length)),
    ['audit.started', 'decision.issued', 'decision.refused', 'decision.refused', 'audit.stopped'],
  )
  for (const line of audit.lines()) {
    const event = JSON.parse(line)
    t.ok(validate(event), JSON.stringify(validate.errors))
    t.match(event, { specversion: '1.0', id: /./u, source: /^urn:/u, type: /./u, datacontenttype: 'application/json' })
    for (const name of Object.keys(event)) t.match(name, /^[a-z0-9]{1,20}$/u, 'a name that CloudEvents allows')
  }
  t.notOk(validate({ ...JSON.parse(audit.lines()[1] ?? ''), extra: 1 }))
})
