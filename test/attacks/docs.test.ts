import t from 'tap'
import { build } from '../helpers/build.ts'

t.test('the API page serves its own files, whatever is asked for', async (t) => {
  const { app } = await build(t)
  const rows = [
    { name: 'a null byte', input: '/docs/static/%00', want: 404 },
    { name: 'a null byte behind a good name', input: '/docs/static/index.css%00', want: 404 },
    { name: 'dots and a backslash', input: '/docs/static/..%5cpackage.json', want: 404 },
    { name: 'dots and a slash', input: '/docs/static/../package.json', want: 404 },
    { name: 'encoded dots and slash', input: '/docs/static/%2e%2e%2fpackage.json', want: 404 },
    { name: 'a drive', input: '/docs/static/c:%5cwindows', want: 404 },
    { name: 'a file of the package that the page does not need', input: '/docs/static/csp.json', want: 404 },
    { name: 'a property of every object', input: '/docs/static/constructor', want: 404 },
    { name: 'an empty name', input: '/docs/static/', want: 404 },
    { name: 'the folder', input: '/docs/static', want: 404 },
    { name: 'what cannot be decoded', input: '/docs/static/%zz', want: 400 },
    { name: 'a name of 1,000 characters', input: `/docs/static/${'a'.repeat(1000)}`, want: 400 },
    { name: 'a query of 10,000 characters', input: `/docs?${'a=1&'.repeat(2500)}`, want: 200 },
    { name: 'a good name', input: '/docs/static/index.css', want: 200 },
  ]
  for (const { name, input, want } of rows) {
    t.test(name, async (t) => {
      for (const method of ['GET', 'HEAD'] as const) {
        const answer = await app.inject({ method, url: input })
        t.equal(answer.statusCode, want, method)
        if (want === 200) return
        t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
        t.equal(answer.headers['cache-control'], 'no-store')
        t.notMatch(answer.body, /node_modules|swagger/u)
      }
    })
  }
})

t.test('in production there is no API page', async (t) => {
  const { app } = await build(t, { env: { NODE_ENV: 'production' } })
  for (const url of ['/docs', '/docs/', '/openapi.json', '/docs/static/index.css']) {
    t.match((await app.inject({ url })).json(), { status: 404, code: 'not_found' }, url)
  }
})
