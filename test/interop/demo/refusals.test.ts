import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bucketOf, choose, enter, options, shows, startDemo } from './harness.ts'

test('a refused upload says why and what to do', options, async (t) => {
  const demo = await startDemo(t)
  const { page, rows, said } = demo
  demo.refused(403)
  await enter(demo, 'alice', 'user-upload')

  await t.test('another folder', async () => {
    await page.locator('#folder').fill('users/bob')
    await choose(demo, { name: 'a.txt', buffer: Buffer.from('a') })
    const row = rows.filter({ hasText: 'users/bob/a.txt' })
    await shows(row, 'The store refused: users/bob/a.txt is outside of users/alice/.')
    await shows(row, 'Choose a folder below users/alice/.')
    await shows(row, 'Answer: 403 AccessDenied')
    await shows(said, 'a.txt: The store refused')
    assert.equal(bucketOf(demo).get('users/bob/a.txt'), undefined)
  })
  await t.test('a file that is too large is not even sent', async () => {
    await page.locator('#try-big').click()
    const row = rows.filter({ hasText: 'too-large.bin' })
    await shows(row, 'The file is too large: it has 65 MB, and the limit is 64 MB.')
    await shows(row, 'Choose a smaller file.')
    assert.deepEqual(await row.getByRole('button').allTextContents(), ['Remove'])
  })
  await t.test('an action that the policy does not give', async () => {
    await page.locator('#try-read').click()
    await shows(page.locator('#try-failure'), 'The store refused: these credentials may not read.')
    await shows(page.locator('#try-failure'), 'Choose a policy that allows it.')
  })
  await t.test('in the language of the visitor, also after a switch', async () => {
    await page.getByText('中文').click()
    await shows(rows, '存储拒绝了请求：users/bob/a.txt 不在 users/alice/ 之内。')
    await shows(page.locator('#try-failure'), '存储拒绝了请求：这些凭证不能读取文件。')
    await page.getByText('English').click()
  })
})

test('the store names a file that does not exist, and a wrong clock', options, async (t) => {
  let ahead = 0
  const demo = await startDemo(t, { scenario: { clock: () => Date.now() + ahead } })
  demo.refused(403, 404)
  await enter(demo, 'alice', 'user-files')
  await demo.page.locator('#read-key').fill('users/alice/none.txt')
  await demo.page.locator('#read-form button').click()
  await shows(demo.page.locator('#read-failure'), 'The file users/alice/none.txt does not exist.')

  ahead = 20 * 60_000
  await choose(demo, { name: 'a.txt', buffer: Buffer.from('a') })
  await shows(demo.rows, "The clock of this device differs from the store's by more than 15 minutes.")
})

test('the service explains itself', options, async (t) => {
  const demo = await startDemo(t)
  const { page } = demo
  demo.refused(0, 403)
  const failure = page.locator('#policy-failure')

  await t.test('a visitor without the scope has no policy', async () => {
    await page.locator('[data-user=carol]').click()
    await shows(page.locator('#no-policies'), 'No policy is open to Carol')
    await page.getByRole('button', { name: 'Ask for user-upload anyway' }).click()
    await shows(failure, 'Carol may not use this policy.')
    await shows(failure, 'ask the operator for the scope')
    await shows(failure, 'policy_not_allowed')
    assert.equal(await page.locator('#granted').isVisible(), false)
  })
  await t.test('the first click brings credentials, whoever it is', async () => {
    await page.locator('[data-user=alice]').click()
    assert.equal(await page.locator('#policies input:checked').inputValue(), 'user-files')
    await page.locator('[data-user=bob]').click()
    await page.locator('input[value=shared-download]').waitFor({ state: 'detached' })
    assert.equal(await page.locator('#policies input:checked').inputValue(), 'user-upload')
    await page.locator('#policy-form button').click()
    await shows(page.locator('#grant-may'), 'users/bob/')
  })
  await t.test('an empty parameter is asked for, in words that stay', async () => {
    await page.locator('[data-user=alice]').click()
    await page.locator('input[value=album-upload]').check()
    await page.locator('#policy-form button').click()
    await shows(page.locator('.problem:visible'), 'Fill in this field, then ask again.')
    await page.getByText('中文').click()
    await shows(page.locator('.problem:visible'), '请填写此项')
    await page.getByText('English').click()
  })
  await t.test('a parameter that does not fit is not sent', async () => {
    await page.locator('[data-user=alice]').click()
    await page.locator('input[value=album-upload]').check()
    const album = page.getByLabel('Album to upload into')
    await album.fill('../bob')
    await page.locator('#policy-form button').click()
    assert.equal(await album.evaluate((field) => field.matches(':invalid:focus')), true)
    await shows(page.locator('.problem:visible'), 'Must match [a-z0-9-]{1,40}')
    await album.fill('trip')
    assert.equal(await page.locator('.problem').isVisible(), false)
    await page.locator('#policy-form button').click()
    await shows(page.locator('#grant-may'), 'users/alice/albums/trip/')
  })
  await t.test('a service that is down', async () => {
    await demo.service.app.close()
    await page.locator('#policy-form button').click()
    await shows(failure, 'The service does not answer.')
    await shows(failure, 'Check that npm run dev is running')
    await page.locator('[data-user=bob]').click()
    await shows(page.locator('#user-failure'), 'The service does not answer.')
  })
})

test('an STS that is down is no fault of the visitor', options, async (t) => {
  const demo = await startDemo(t)
  demo.refused(502, 503)
  demo.sandbox.sts.faults.set({ kind: 'status', status: 500 })
  await demo.page.locator('[data-user=bob]').click()
  await demo.page.locator('input[value=user-upload]').waitFor()
  await demo.page.locator('#policy-form button').click()
  await shows(demo.page.locator('#policy-failure'), 'The service cannot give out credentials at the moment.')
  await shows(demo.page.locator('#policy-failure'), /Wait \d+ seconds, then try again\./u)
})
