import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bucketOf, choose, enter, holdParts, LARGE, options, shows, startDemo } from './harness.ts'

test('several files upload straight to the store, a large one in parts with progress', options, async (t) => {
  const demo = await startDemo(t)
  const { page, rows, sandbox, said } = demo
  await enter(demo, 'alice', 'user-upload')
  assert.match(
    String(await page.locator('#grant-may').textContent()),
    /^You may upload and abort uploads, below users\/alice\/, until \d\d:\d\d\.$/u,
  )
  assert.equal(await page.locator('#grant-may-not').textContent(), 'You may not read, list or delete.')

  const requests: string[] = []
  page.on('request', (request) => requests.push(`${request.method()} ${new URL(request.url()).host}`))
  const parts = await holdParts(demo)
  const small = { name: '照片 (1)+a!.jpg', buffer: Buffer.from('small') }
  await choose(demo, small, { name: 'empty.txt', buffer: Buffer.alloc(0) }, { name: 'film.mp4', buffer: LARGE })
  const film = rows.filter({ hasText: 'film.mp4' })
  for (const [part, share] of [
    [1, '0%'],
    [2, '46%'],
    [3, '92%'],
  ]) {
    const route = await parts.next()
    await shows(film.locator('.file-state'), `${share} of 13 MB, part ${part} of 3`)
    assert.equal(
      await film
        .getByRole('progressbar', { name: 'Progress of film.mp4' })
        .evaluate((bar) => bar.getAttribute('value')),
      String(((Number(part) - 1) * 6) / 13),
    )
    await route.continue()
  }
  for (const name of [small.name, 'empty.txt', 'film.mp4']) {
    await shows(rows.filter({ hasText: name }).locator('.file-state'), 'Uploaded')
  }
  await shows(said, 'film.mp4: uploaded.')

  const bucket = bucketOf(demo)
  assert.deepEqual(bucket.get(`users/alice/${small.name}`)?.body, small.buffer)
  assert.equal(bucket.get('users/alice/empty.txt')?.body.length, 0)
  assert.ok(bucket.get('users/alice/film.mp4')?.body.equals(LARGE))
  const oss = new URL(sandbox.oss.url).host
  assert.deepEqual(
    requests.filter((request) => !request.endsWith(oss)),
    [],
    'the service sees no file',
  )
})

test('files can be dropped', options, async (t) => {
  const demo = await startDemo(t)
  await enter(demo, 'bob', 'user-upload')
  const dataTransfer = await demo.page.evaluateHandle(`(() => {
    const transfer = new DataTransfer()
    for (const name of ['a.txt', 'b.txt']) transfer.items.add(new File([name], name))
    return transfer
  })()`)
  await demo.page.dispatchEvent('#drop', 'drop', { dataTransfer })
  await shows(demo.rows.filter({ hasText: 'a.txt' }), 'Uploaded')
  await shows(demo.rows.filter({ hasText: 'b.txt' }), 'Uploaded')
  assert.equal(bucketOf(demo).get('users/bob/b.txt')?.body.toString(), 'b.txt')
})

test('a paused upload goes on where it stopped', options, async (t) => {
  const demo = await startDemo(t)
  const { page, rows } = demo
  await enter(demo, 'alice', 'user-upload')
  const sent: string[] = []
  page.on('requestfinished', (request) => {
    const part = /partNumber=(\d)/u.exec(request.url())?.[1]
    if (part !== undefined && request.method() === 'PUT') sent.push(part)
  })
  const parts = await holdParts(demo)
  await choose(demo, { name: 'film.mp4', buffer: LARGE })
  await (await parts.next()).continue()
  await parts.next()
  await rows.getByRole('button', { name: 'Pause film.mp4' }).click()
  await shows(rows, 'Paused at 46%')
  await shows(demo.said, 'film.mp4: paused.')
  assert.equal(bucketOf(demo).get('users/alice/film.mp4'), undefined)

  await rows.getByRole('button', { name: 'Resume film.mp4' }).click()
  await (await parts.next()).continue()
  await (await parts.next()).continue()
  await shows(rows, 'Uploaded, 13 MB')
  assert.ok(bucketOf(demo).get('users/alice/film.mp4')?.body.equals(LARGE))
  assert.deepEqual(sent, ['1', '2', '3'], 'a part that the store has is not sent again')
})

test('an upload that is removed leaves no parts behind', options, async (t) => {
  const demo = await startDemo(t)
  await enter(demo, 'alice', 'user-upload')
  const parts = await holdParts(demo)
  await choose(demo, { name: 'film.mp4', buffer: LARGE })
  await (await parts.next()).continue()
  await parts.next()
  const aborted = demo.page.waitForResponse((response) => response.request().method() === 'DELETE')
  await demo.rows.getByRole('button', { name: 'Remove film.mp4' }).click()
  assert.equal((await aborted).status(), 204)
  await demo.rows.waitFor({ state: 'detached' })
  assert.equal(bucketOf(demo).uploads.list().length, 0)
})

test('an upload that fails for an outage of the store goes on after it', options, async (t) => {
  const demo = await startDemo(t)
  demo.refused(0)
  await enter(demo, 'alice', 'user-upload')
  await demo.page.getByText('is down').click()
  await choose(demo, { name: 'film.mp4', buffer: LARGE })
  await shows(demo.rows, 'The store does not answer.')
  await shows(demo.rows, 'Check that npm run dev is running')
  await demo.page.getByText('works', { exact: true }).click()
  await demo.rows.getByRole('button', { name: 'Try again: film.mp4' }).click()
  await shows(demo.rows, 'Uploaded')
  assert.ok(bucketOf(demo).get('users/alice/film.mp4')?.body.equals(LARGE))
})

test('a file can be downloaded where the policy lets the visitor read', options, async (t) => {
  const demo = await startDemo(t)
  await enter(demo, 'alice', 'user-files')
  await choose(demo, { name: 'notes.txt', buffer: Buffer.from('my notes') })
  const saved = demo.page.waitForEvent('download')
  await demo.rows.getByRole('button', { name: 'Download notes.txt' }).click()
  const download = await saved
  assert.equal(download.suggestedFilename(), 'notes.txt')
  const chunks = await (await download.createReadStream()).toArray()
  assert.equal(Buffer.concat(chunks).toString(), 'my notes')

  await enter(demo, 'alice', 'shared-download')
  assert.equal(await demo.page.locator('#upload-panel').isVisible(), false)
  const shared = demo.page.waitForEvent('download')
  await demo.page.locator('#read-form button').click()
  assert.equal((await shared).suggestedFilename(), 'welcome.txt')
  await shows(demo.page.locator('#read-result'), 'Downloaded')
})
