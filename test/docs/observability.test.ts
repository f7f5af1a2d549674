import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Registry } from 'prom-client'
import t from 'tap'
import { sessionName } from '../../src/policy/grant/session-name.ts'
import { build } from '../helpers/build.ts'

const AES_KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => 7 * index ** 2)).toString('base64')
const page = readFileSync('docs/observability.md', 'utf8')

/** Every metric in the first column of a table, with its labels. */
const documented = page
  .split('\n')
  .filter((line) => line.startsWith('| `oss_vend_'))
  .flatMap((line) => [...(line.split(' | ')[0] ?? '').matchAll(/`(oss_vend_\w+)(?:\{([\w,]+)\})?`/gu)])
  .map(([, name = '', labels = '']) => `${name}{${labels}}`)

t.test('the tables name every metric once, with its labels, and no other', async (t) => {
  const metrics = new Registry()
  // With everything switched on, or a metric would be missing for that.
  await build(t, {
    env: { OPS_PORT: '0', REDIS_URL: 'redis://127.0.0.1:1', CACHE_ENCRYPTION_KEY: AES_KEY },
    dependencies: { metrics },
  })
  const registered = metrics.getMetricsAsArray().map((one) => `${one.name}{${labelsOf(one).join()}}`)
  t.strictSame(documented.toSorted(), registered.toSorted())
})

t.test('the queries name metrics that exist', async (t) => {
  const names = new Set(documented.map((one) => one.replace(/\{.*$/u, '')))
  const queries = page.slice(page.indexOf('## Queries'), page.indexOf('## Log'))
  const asked = [...queries.matchAll(/oss_vend_\w+/gu)].map(([name]) => name.replace(/_bucket$/u, ''))
  t.ok(asked.length > 5)
  t.strictSame(
    asked.filter((name) => !names.has(name)),
    [],
  )
})

t.test('session names are as the page says', async (t) => {
  const section = page.slice(page.indexOf('### Whose session it is'))
  const [, issuer = '', subject = ''] = /printf %s '\["([^"]+)","([^"]+)"\]'/u.exec(section) ?? []
  const names = [...section.matchAll(/^\| `(\S+)` \|/gmu)].map(([, name]) => name)
  t.strictSame(names, [
    sessionName('user-upload', { issuer, subject: 'alice' }, false),
    sessionName('user-upload', { issuer, subject: 'alice' }, true),
    sessionName('user-upload', { issuer, subject }, true),
  ])
  t.equal(names[2], sessionName('user-upload', { issuer, subject }, false), 'a hash is the same with one issuer')
  const hash = createHash('sha256').update(`["${issuer}","${subject}"]`).digest('base64url').slice(0, 27)
  t.equal(names[2], `user-upload@=${hash}`, 'and is what the command computes')
})

function labelsOf(metric: object): readonly string[] {
  const names: unknown = Reflect.get(metric, 'labelNames')
  return Array.isArray(names) ? names.map(String) : []
}
