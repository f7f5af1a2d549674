import { build as bundle } from 'esbuild'
import t from 'tap'
import { build } from '../../helpers/build.ts'

/** The routes of the demo. */
const ROUTES = ['/demo', '/demo/app.js', '/demo/config.json', '/demo/token', '/demo/store']

t.test('the service has no demo', async (t) => {
  const { app } = await build(t)
  for (const url of ROUTES) {
    for (const method of ['GET', 'POST'] as const) {
      t.equal((await app.inject({ method, url })).statusCode, 404, `${method} ${url}`)
    }
  }
})

t.test('the production build has no part of the sandbox', async (t) => {
  const { metafile } = await bundle({
    entryPoints: ['src/main.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  const inputs = Object.keys(metafile.inputs)
  t.ok(inputs.includes('src/app.ts'), 'the bundle is the service')
  t.strictSame(
    inputs.filter((path) => /^sandbox\/|aws4fetch/u.test(path)),
    [],
  )
})
