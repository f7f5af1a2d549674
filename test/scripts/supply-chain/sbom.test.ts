import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import t from 'tap'
import { shippedPackages } from '../../../scripts/supply-chain/packages.ts'
import { shippedSbom } from '../../../scripts/supply-chain/sbom.ts'

const component = (name: string, origin?: string) => ({
  'bom-ref': `${name}@1.0.0`,
  name,
  version: '1.0.0',
  externalReferences: [
    ...(origin ? [{ type: 'distribution', url: origin }] : []),
    { type: 'vcs', url: `https://github.com/x/${name}` },
  ],
})
const OUTPUT = {
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  metadata: {
    tools: [],
    component: { ...component('folder', 'https://registry.internal/folder.tgz'), 'bom-ref': 'mine@1.0.0' },
  },
  components: [component('a', 'https://registry.internal/a.tgz'), component('b'), component('tool')],
  dependencies: [
    { ref: 'mine@1.0.0', dependsOn: ['a@1.0.0', 'tool@1.0.0'] },
    { ref: 'a@1.0.0', dependsOn: ['b@1.0.0'] },
    { ref: 'b@1.0.0', dependsOn: [] },
    { ref: 'tool@1.0.0', dependsOn: ['b@1.0.0'] },
  ],
}
const named = (...names: string[]) => names.map((name) => ({ name, version: '1.0.0' }))

t.test('it has what ships, under the name of the product, and no address of a registry', async (t) => {
  t.strictSame(JSON.parse(shippedSbom(JSON.stringify(OUTPUT), named('a', 'b'), 'mine')), {
    ...OUTPUT,
    metadata: { tools: [], component: { ...component('folder'), 'bom-ref': 'mine@1.0.0', name: 'mine' } },
    components: [component('a'), component('b')],
    dependencies: [
      { ref: 'mine@1.0.0', dependsOn: ['a@1.0.0'] },
      { ref: 'a@1.0.0', dependsOn: ['b@1.0.0'] },
      { ref: 'b@1.0.0', dependsOn: [] },
    ],
  })
})

t.test('a package that npm does not list is an error, and so is another form', async (t) => {
  t.throws(() => shippedSbom(JSON.stringify(OUTPUT), named('a', 'c'), 'mine'), { message: 'npm sbom has no c@1.0.0' })
  t.throws(() => shippedSbom('{"bomFormat":"SPDX"}', named('a'), 'mine'), { name: 'ZodError' })
})

t.test('the bill of materials of this service', async (t) => {
  const { status, stdout, stderr } = spawnSync('node', ['--import', 'tsx', 'scripts/sbom.ts'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  t.equal(status, 0, stderr)
  const sbom = JSON.parse(stdout)

  t.test('fits the schema of CycloneDX', async (t) => {
    const library = createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json')
    const schema = (name: string) =>
      JSON.parse(readFileSync(join(library, `../res/schema/${name}.SNAPSHOT.schema.json`), 'utf8'))
    const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true })
    // The library's copies refer to each other by the names of their files.
    for (const name of ['spdx', 'jsf-0.82'])
      ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`)
    const validate = ajv.compile(schema(`bom-${sbom.specVersion}`))
    t.ok(validate(sbom), JSON.stringify(validate.errors))
    t.notOk(validate({ ...sbom, components: [{ name: 'without a type' }] }), 'the schema refuses something')
  })
  t.test('lists exactly what ships, each with a licence and a hash', async (t) => {
    const listed: { name: string; version: string; licenses?: []; hashes?: [] }[] = sbom.components
    t.strictSame(
      listed.map(({ name, version }) => `${name}@${version}`).sort(),
      shippedPackages('.')
        .map(({ name, version }) => `${name}@${version}`)
        .sort(),
    )
    for (const { name, licenses, hashes } of listed) t.ok(licenses?.length && hashes?.length, name)
    for (const name of ['fastify', 'zod', 'yaml'])
      t.ok(
        listed.some((one) => one.name === name),
        name,
      )
    for (const name of ['tap', 'tsx', 'typescript', 'esbuild'])
      t.notOk(
        listed.some((one) => one.name === name),
        name,
      )
  })
  t.test('has no address of a registry', async (t) => {
    t.notMatch(stdout, /registry|"distribution"|\.tgz/u)
  })
  t.match(sbom.metadata.component, { name: 'oss-vend', type: 'application' })
})
