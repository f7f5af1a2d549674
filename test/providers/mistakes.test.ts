import t from 'tap'
import { parse } from 'yaml'
import { configFaults } from '../helpers/config-faults.ts'
import { environmentOf, keyServers, SECRETS, sandboxOf, serve, tokenOf } from './harness.ts'
import { MISTAKES } from './mistakes.ts'
import { readPage, readVariables } from './page.ts'
import { SHAPES } from './shapes.ts'

// What docs/providers.md promises about each usual mistake is what the service says.

const page = readPage()
const sandbox = await sandboxOf(t)
const servers = await keyServers(t, Object.values(SHAPES))

t.test('every mistake is on the page, and every row of the page is tried', async (t) => {
  for (const [anchor, { mistakes }] of page) {
    const tried = Object.keys(MISTAKES[anchor] ?? {})
    t.equal(mistakes.length, tried.length, anchor)
    for (const { mistake, says } of mistakes) {
      t.equal(tried.filter((start) => mistake.startsWith(start)).length, 1, `${anchor}: ${mistake}`)
      t.ok(says.length > 0, `${mistake}: an answer`)
    }
  }
})

for (const [anchor, { issuers, variables, template, mistakes }] of page) {
  const shape = SHAPES[anchor]
  if (!shape) continue
  for (const { mistake, says } of mistakes) {
    const [, made] = Object.entries(MISTAKES[anchor] ?? {}).find(([start]) => mistake.startsWith(start)) ?? []
    if (!made) continue
    t.test(`${anchor}: ${mistake}`.replaceAll('/', '|'), async (t) => {
      const entry: Record<string, unknown> = parse(issuers[made.block ?? 0] ?? '')[0]
      const cluster = entry.provider === 'kubernetes' ? { jwksTokenFile: 'token', jwksCaFile: 'ca.crt' } : {}
      // JSON leaves out what is undefined.
      const text = JSON.stringify([{ ...entry, ...cluster, ...made.entry }]).replaceAll('/run/secrets/', '')
      const plain = made.plain ? template.replace('|hash', '').replace(/^examples:.*/msu, '') : template
      const env = made.variables
        ? environmentOf(t, { variables: { ...readVariables(variables ?? ''), ...made.variables }, template: plain })
        : environmentOf(t, { issuers: text, template: plain })
      const found: string[] = []
      for (const { variable, rule } of configFaults(env)) {
        found.push(`start ${variable.replace(/^JWT_ISSUERS_FILE\[0\]\./u, '')}: ${rule}`)
      }
      if (found.length === 0) {
        servers.server.allowed = made.forbidden !== true
        const service = await serve(t, env, sandbox, servers)
        if (service.logs.text().includes('unsafe-claim')) found.push('lint unsafe-claim')
        const key = made.key === undefined ? undefined : SECRETS[made.key]
        found.push(await service.says(made.raw ?? tokenOf(shape, made.claims, made.header, key)))
        servers.server.allowed = true
        if (made.logs !== undefined) t.ok(service.logs.text().includes(made.logs), made.logs)
      }
      t.strictSame(found, [...says], 'as the page promises')
    })
  }
}
