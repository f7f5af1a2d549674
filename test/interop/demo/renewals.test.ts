import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { bucketOf, choose, type Demo, enter, holdParts, LARGE, options, shows, startDemo } from './harness.ts'

const MINUTE = 60_000

/** A demo whose clocks are the test's: the one of the world, and the one of the visitor's device. */
async function start(t: TestContext) {
  let ahead = 0
  const demo = await startDemo(t, { scenario: { clock: () => Date.now() + ahead } })
  /** The access keys of the requests to the store, each once, in order. */
  const keys = new Set<string>()
  let vends = 0
  demo.page.on('request', (request) => {
    const key = /Credential=(\w+)/u.exec(request.headers().authorization ?? '')?.[1]
    if (key !== undefined) keys.add(key)
    if (request.url().endsWith('/v1/credentials')) vends++
  })
  return {
    demo,
    keys,
    vends: () => vends,
    async move(world: number, device: number): Promise<void> {
      ahead = world
      await demo.page.clock.setSystemTime(Date.now() + device)
    },
  }
}

const renewed = ({ page }: Demo) =>
  shows(page.locator('#grant-renewal'), /^The page renewed the credentials at \d\d:\d\d\.$/u)

test('credentials are renewed before they end, in the middle of an upload', options, async (t) => {
  const { demo, keys, vends, move } = await start(t)
  await enter(demo, 'alice', 'user-upload')
  const parts = await holdParts(demo)
  await choose(demo, { name: 'film.mp4', buffer: LARGE })
  await (await parts.next()).continue()
  await parts.next()
  await demo.rows.getByRole('button', { name: 'Pause film.mp4' }).click()
  await shows(demo.rows, 'Paused')
  assert.equal(keys.size, 1)

  await move(56 * MINUTE, 56 * MINUTE)
  await demo.rows.getByRole('button', { name: 'Resume film.mp4' }).click()
  await (await parts.next()).continue()
  await (await parts.next()).continue()
  await shows(demo.rows, 'Uploaded')
  await renewed(demo)
  assert.ok(bucketOf(demo).get('users/alice/film.mp4')?.body.equals(LARGE))
  assert.equal(keys.size, 2)
  assert.equal(vends(), 2)
})

test('credentials that the store calls expired are renewed once, for all files together', options, async (t) => {
  const { demo, keys, vends, move } = await start(t)
  demo.refused(400)
  await enter(demo, 'alice', 'user-upload')
  // The device is ten minutes slow, so that it does not see the end coming.
  await move(60 * MINUTE + 1000, 50 * MINUTE)
  const names = ['a.txt', 'b.txt', 'c.txt']
  await choose(demo, ...names.map((name) => ({ name, buffer: Buffer.from(name) })))
  for (const name of names) await shows(demo.rows.filter({ hasText: name }), 'Uploaded')
  await renewed(demo)
  for (const name of names) assert.equal(bucketOf(demo).get(`users/alice/${name}`)?.body.toString(), name)
  assert.equal(keys.size, 2)
  assert.equal(vends(), 2)
})

test('a session that the store refuses again is given up', options, async (t) => {
  const { demo, vends, move } = await start(t)
  demo.refused(400)
  await enter(demo, 'alice', 'user-upload')
  await move(60 * MINUTE + 1000, 50 * MINUTE)
  // The service answers with the session of before, as it would if its clock were slow.
  const first = await demo.page.evaluate(`fetch('/demo/token', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"user":"alice"}',
  }).then((answer) => answer.json()).then(({ token }) => fetch('/v1/credentials', {
    method: 'POST', headers: { 'content-type': 'application/json', authorization: 'Bearer ' + token }, body: '{"policy":"user-upload"}',
  })).then((answer) => answer.text())`)
  await demo.page.route('**/v1/credentials', (route) =>
    route.fulfill({
      contentType: 'application/json',
      body: String(first).replace(/"sessionToken":"../u, '"sessionToken":"zz'),
    }),
  )
  await choose(demo, { name: 'a.txt', buffer: Buffer.from('a') })
  await shows(demo.rows, 'The store refused the credentials, also after a renewal.')
  await shows(demo.rows, 'Get credentials again.')
  assert.equal(vends(), 3)
})

test('a visitor can damage the session, and the page mends it', options, async (t) => {
  const { demo, vends } = await start(t)
  demo.refused(400)
  await enter(demo, 'alice', 'user-upload')
  await demo.page.locator('#try-token').click()
  await shows(demo.rows, 'Uploaded')
  await renewed(demo)
  await shows(demo.page.locator('#log'), '400')
  assert.equal(vends(), 2)
})

test('an upload goes on as the person who began it, after somebody else has signed in', options, async (t) => {
  const { demo, move } = await start(t)
  await enter(demo, 'alice', 'user-upload')
  const parts = await holdParts(demo)
  await choose(demo, { name: 'film.mp4', buffer: LARGE })
  await (await parts.next()).continue()
  await parts.next()
  await demo.rows.getByRole('button', { name: 'Pause film.mp4' }).click()
  await enter(demo, 'bob', 'user-upload')
  await move(56 * MINUTE, 56 * MINUTE)
  await demo.rows.getByRole('button', { name: 'Resume film.mp4' }).click()
  await (await parts.next()).continue()
  await (await parts.next()).continue()
  await shows(demo.rows, 'Uploaded')
  assert.ok(bucketOf(demo).get('users/alice/film.mp4')?.body.equals(LARGE))
})
