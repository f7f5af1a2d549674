import t from 'tap'
import { PROVIDER_NAMES } from '../../src/identity/preset.ts'
import { inspectTemplates } from '../../src/policy/check/catalogue.ts'
import { formatFinding } from '../../src/policy/template/finding.ts'
import { settings } from '../helpers/templates.ts'
import { environmentOf, keyServers, SECRETS, sandboxOf, serve, tokenOf } from './harness.ts'
import { readPage, readVariables } from './page.ts'
import { SHAPES, type Shape } from './shapes.ts'

// Anyone who copies the lines of docs/providers.md is done: every configuration and template is the page's own.

const page = readPage()
const sandbox = await sandboxOf(t)
const servers = await keyServers(t, Object.values(SHAPES))

/** In a cluster, the files of the preset are there. */
const inCluster = (issuers: string) =>
  issuers.includes('provider: kubernetes') ? `${issuers}  jwksTokenFile: token\n  jwksCaFile: ca.crt\n` : issuers

/** Supabase signs with what its project has. */
const migrating = (issuers: string, shape: Shape): readonly [string, string][] => {
  const [old, other] = [{}, shape.neighbour].map((more) => tokenOf(shape, more, { alg: 'HS256' }, SECRETS.supabase))
  const [next, another] = [{}, shape.neighbour].map((more) => tokenOf(shape, more))
  if (old === undefined || other === undefined || next === undefined || another === undefined) return []
  const byKey: [string, string][] = issuers.includes('jwksUrl') || !issuers.includes('secret') ? [[next, another]] : []
  return issuers.includes('secret') ? [...byKey, [old, other]] : byKey
}

t.test('every preset has a section, and every section a token', async (t) => {
  t.strictSame([...page.keys()].toSorted(), Object.keys(SHAPES).toSorted())
  const named = [...page.values()].flatMap(({ issuers }) =>
    issuers.flatMap((text) => /provider: (\S+)/u.exec(text)?.[1]),
  )
  for (const name of PROVIDER_NAMES) t.ok(named.includes(name), name)
})

for (const [anchor, { issuers, variables, template }] of page) {
  const shape = SHAPES[anchor]
  if (!shape) continue
  const rows = [
    ...issuers.map((text) => ({ name: text.replaceAll('\n', ' ').slice(0, 90), issuers: inCluster(text), env: {} })),
    ...(variables === undefined ? [] : [{ name: 'variables', issuers: undefined, env: readVariables(variables) }]),
  ]
  t.test(anchor, async (t) => {
    for (const [index, row] of rows.entries()) {
      t.test(`${index}: ${row.issuers === undefined ? 'variables' : 'file'}`, async (t) => {
        const given = row.issuers === undefined ? { variables: row.env } : { issuers: row.issuers }
        const env = environmentOf(t, { ...given, template })
        const { use, logs } = await serve(t, env, sandbox, servers)
        t.notMatch(logs.text(), 'policy warning')
        const pairs =
          anchor === 'supabase' && row.issuers !== undefined
            ? migrating(row.issuers, shape)
            : [[tokenOf(shape), tokenOf(shape, shape.neighbour)] as const]
        t.ok(pairs.length > 0)
        for (const [own, neighbour] of pairs) {
          const mine = await use(own)
          const theirs = await use(neighbour)
          t.not(mine.folder, theirs.folder)
          t.equal(await mine.put(`${mine.folder}1.jpg`), '200')
          t.equal(await mine.put(`${theirs.folder}1.jpg`), 'AccessDenied')
          t.equal(await theirs.put(`${mine.folder}1.jpg`), 'AccessDenied')
        }
      })
    }
    t.test('the linter finds nothing in the template, and its examples are about this user', async (t) => {
      const lintSettings = { ...settings, maxSessionSeconds: 3600, issuers: ['app'] }
      const { files, findings } = await inspectTemplates(t.testdir({ 'mine.yaml': template }), lintSettings)
      t.strictSame(findings.map(formatFinding), [])
      t.ok(files.every(({ outcomes }) => outcomes.length > 2))
    })
  })
}

t.test('one person keeps one folder over both versions of Azure, and each tenant has its own people', async (t) => {
  const section = page.get('azure')
  const shape = SHAPES.azure
  const [issuers] = section?.issuers ?? []
  if (!section || !shape || issuers === undefined) return t.fail('no section')
  const other = '99999999-2222-3333-4444-555555555555'
  const env = environmentOf(t, {
    issuers: issuers.replace(/(tenants: \[[\w-]+)/u, `$1, ${other}`),
    template: section.template,
  })
  const { says } = await serve(t, env, sandbox, servers)
  const folder = await says(tokenOf(shape))
  const { tid } = shape.claims
  const v1 = { iss: `https://sts.windows.net/${tid}/`, aud: 'api://vend', ver: '1.0', sub: 'pairwise-v1' }
  t.equal(await says(tokenOf(shape, v1)), folder)
  const elsewhere = { tid: other, iss: `https://sts.windows.net/${other}/`, oid: 'somebody-else' }
  t.equal(await says(tokenOf(shape, elsewhere)), 'users/somebody-else/')
  t.equal(await says(tokenOf(shape, { ...elsewhere, tid })), '401 tenant')
  return
})

t.test('Google may leave out the scheme', async (t) => {
  const section = page.get('google')
  const shape = SHAPES.google
  const [issuers] = section?.issuers ?? []
  if (!section || !shape || issuers === undefined) return t.fail('no section')
  const { says } = await serve(t, environmentOf(t, { issuers, template: section.template }), sandbox, servers)
  return t.equal(await says(tokenOf(shape, { iss: 'accounts.google.com' })), 'users/113700000000000000042/')
})
