import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { choose, type Demo, enter, holdParts, LARGE, options, shows, startDemo } from './harness.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** Kept as output, to be looked at. */
const SHOTS = join(import.meta.dirname, '../.screenshots')

const LOOKS = [
  { locale: 'en', colorScheme: 'light', width: 1280 },
  { locale: 'en', colorScheme: 'dark', width: 390 },
  { locale: 'zh-CN', colorScheme: 'light', width: 390 },
  { locale: 'zh-CN', colorScheme: 'dark', width: 1280 },
] as const

type Look = (typeof LOOKS)[number]

/** Each state of the page, one after the other. The service and the store refuse some of them. */
const STATES: Readonly<Record<string, (demo: Demo) => Promise<void>>> = {
  async start({ page }) {
    await page.locator('[data-user=alice]').waitFor()
  },
  async 'no-policy'({ page }) {
    await page.locator('[data-user=carol]').click()
    await page.locator('#policy-form button').click()
    await shows(page.locator('#policy-failure'), 'Carol')
  },
  async parameter({ page }) {
    await page.locator('[data-user=alice]').click()
    await page.locator('input[value=album-upload]').check()
    await page.locator('[name=album]').fill('trip')
  },
  /** Goes on from the state before: a new sign-in may put the form back while it is being filled in. */
  async 'empty-parameter'({ page }) {
    await page.locator('[name=album]').fill('')
    await page.locator('#policy-form button').click()
    await page.locator('.problem:visible').waitFor()
  },
  async uploads(demo) {
    const { page, rows } = demo
    await enter(demo, 'alice', 'user-upload')
    await page.locator('#grant-details').evaluate((list) => Reflect.set(Object(list.parentElement), 'open', true))
    await page.locator('#try-folder').click()
    await rows.filter({ hasText: 'users/bob/note.txt' }).locator('.explanation').waitFor()
    await page.locator('#try-big').click()
    await choose(demo, { name: 'photo.jpg', buffer: Buffer.from('photo') })
    await page.locator('[data-state=done]').waitFor()
    const parts = await holdParts(demo)
    await choose(demo, { name: 'paused.mp4', buffer: LARGE })
    await (await parts.next()).continue()
    await parts.next()
    await rows.filter({ hasText: 'paused.mp4' }).locator('[data-act=pause]').click()
    await choose(demo, { name: 'film.mp4', buffer: LARGE })
    await (await parts.next()).continue()
    await parts.next()
    await page.locator('#try-read').click()
    await page.locator('#try-failure').waitFor()
  },
  async reading(demo) {
    await enter(demo, 'alice', 'shared-download')
    await demo.page.locator('#read-key').fill('public/none.txt')
    await demo.page.locator('#read-form button').click()
    await demo.page.locator('#read-failure').waitFor()
  },
  async 'service-down'({ page, service }) {
    await service.app.close()
    await page.locator('[data-user=bob]').click()
    await page.locator('#user-failure').waitFor()
  },
}

for (const look of LOOKS) {
  const name = `${look.locale}-${look.colorScheme}-${look.width}`
  test(`axe finds nothing in any state: ${name}`, options, async (t) => {
    const { width, ...options } = look
    // The page's policy would keep axe out. The other tests run under it.
    const demo = await startDemo(t, { ...options, bypassCSP: true, viewport: { width, height: 900 } })
    demo.refused(0, 403)
    await demo.page.evaluate(AXE)
    for (const [state, reach] of Object.entries(STATES)) {
      await t.test(state, async () => {
        await reach(demo)
        await inspect(demo, look, `${name}-${state}`)
      })
    }
  })
}

async function inspect({ page }: Demo, { locale, width }: Look, name: string): Promise<void> {
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true })
  const found: unknown = await page.evaluate(
    'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html, failureSummary }) => html + " " + failureSummary)]))',
  )
  assert.deepEqual(found, [])
  assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width, 'nothing is wider than the screen')
  // A text that was forgotten in the other language; names of policies and users are the same in both.
  if (locale !== 'en') {
    const english =
      await page.evaluate(`[...document.querySelectorAll('[data-say], .help, .why, .todo, .file-state, button')]
      .filter((element) => element.checkVisibility() && !/[\\u4e00-\\u9fff]/.test(element.textContent)).map((element) => element.textContent)
      .filter((text) => text !== '' && !/^(?:English|oss-vend|OSS)$/.test(text))`)
    assert.deepEqual(english, [])
  }
}
