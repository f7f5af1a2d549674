import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bucketOf, choose, type Demo, enter, options, shows, startDemo } from './harness.ts'

test('language and colours follow the browser, and a switch is remembered', options, async (t) => {
  const demo = await startDemo(t, { locale: 'zh-CN', colorScheme: 'dark' })
  const { page } = demo
  const lang = () => page.evaluate('document.documentElement.lang')
  const ground = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
  await shows(page.locator('h1'), '无需云密钥')
  assert.equal(await lang(), 'zh-CN')
  const dark = await ground()

  await page.getByText('English').click()
  await page.getByText('浅色').or(page.getByText('Light')).click()
  await shows(page.locator('h1'), 'Upload straight to OSS')
  const light = await ground()
  assert.notEqual(light, dark)

  await page.reload()
  await shows(page.locator('#users'), 'may upload')
  assert.equal(await lang(), 'en')
  assert.equal(await ground(), light)
  assert.equal(await page.title(), 'Upload straight to OSS, without a cloud key · oss-vend')

  await page.getByText('Auto').click()
  assert.equal(await ground(), dark)
})

test('the page stores neither token nor credentials', options, async (t) => {
  const demo = await startDemo(t)
  await enter(demo, 'alice', 'user-upload')
  await demo.page.getByText('中文').click()
  assert.deepEqual(JSON.parse(String(await demo.page.evaluate('JSON.stringify(localStorage)'))), {
    'oss-vend-demo-language': 'zh-CN',
  })
  assert.equal(await demo.page.evaluate('sessionStorage.length + document.cookie.length'), 0)
})

test('the page runs no script but its own, and reaches nobody but service and store', options, async (t) => {
  const demo = await startDemo(t)
  const blocked = (attempt: string) =>
    demo.page.evaluate(`new Promise((resolve) => {
      document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective), { once: true })
      setTimeout(resolve, 5000, 'nothing was blocked')
      try { ${attempt} } catch { }
    })`)
  // The console says so, too, and this is the point here.
  demo.page.removeAllListeners('console')
  demo.page.removeAllListeners('pageerror')
  assert.equal(await blocked('document.body.innerHTML = "<b>x</b>"'), 'require-trusted-types-for')
  assert.equal(
    await blocked(`const script = document.createElement('script')
      Reflect.set(script, 'async', true); script.setAttribute('src', 'http://127.0.0.1:1/x.js'); document.body.append(script)`),
    'require-trusted-types-for',
  )
  assert.equal(await blocked(`fetch('http://127.0.0.1:1/x').catch(() => {})`), 'connect-src')
  assert.equal(await blocked(`document.body.setAttribute('style', 'color: red')`), 'style-src-attr')
})

test('everything works by keyboard, and the focus is always seen', options, async (t) => {
  const demo = await startDemo(t)
  const { page, rows } = demo
  const press = (key: string) => page.keyboard.press(key)

  await press('Tab')
  await press('Enter')
  assert.equal(await page.evaluate('document.activeElement.id'), 'main', 'the first stop skips the header')

  await tabTo(demo, '[data-user=alice]')
  await press('Enter')
  await page.locator('#policies input').first().waitFor()
  await tabTo(demo, '#policies input')
  await press('ArrowDown')
  await tabTo(demo, '#policy-form button')
  await press('Enter')
  await page.locator('#granted').waitFor()

  await tabTo(demo, '#picker')
  const chooser = page.waitForEvent('filechooser')
  await press('Space')
  const files = ['a.txt', 'b.txt'].map((name) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(name) }))
  await (await chooser).setFiles(files)
  await shows(rows.filter({ hasText: 'a.txt' }), 'Uploaded')
  await shows(rows.filter({ hasText: 'b.txt' }), 'Uploaded')
  assert.equal(bucketOf(demo).get('users/alice/b.txt')?.body.toString(), 'b.txt')

  await tabTo(demo, '.file button')
  await press('Enter')
  assert.equal(await focused(demo), 'Remove a.txt', 'the focus goes to the next file')
  await press('Enter')
  assert.equal(await page.evaluate('document.activeElement.id'), 'picker', 'and then to the chooser')

  // The switch in the header comes last, by wrapping around.
  await tabTo(demo, '[name=language]')
  await press('ArrowRight')
  await shows(page.locator('#h-files'), '上传文件')
})

test('the focus stays on a button whose meaning changes', options, async (t) => {
  const demo = await startDemo(t)
  demo.refused(0)
  await enter(demo, 'alice', 'user-upload')
  demo.sandbox.oss.faults.set({ kind: 'hang' })
  await choose(demo, { name: 'a.txt', buffer: Buffer.from('a') })
  await demo.rows.getByRole('button', { name: 'Pause a.txt' }).focus()
  await demo.page.keyboard.press('Enter')
  await shows(demo.rows, 'Paused at 0%')
  assert.equal(await focused(demo), 'Resume a.txt')
})

const focused = ({ page }: Demo) => page.evaluate('document.activeElement.getAttribute("aria-label")')

/** Presses Tab until an element has the focus. Each stop on the way must show it. */
async function tabTo({ page }: Demo, selector: string): Promise<void> {
  for (let stops = 0; stops < 60; stops++) {
    await page.keyboard.press('Tab')
    const [there, seen, name] = [
      await page.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`),
      await page.evaluate(`[document.activeElement, document.activeElement.closest('label')].some((element) =>
        element && element !== document.body && getComputedStyle(element).outlineStyle === 'solid')`),
      await page.evaluate('document.activeElement.outerHTML.slice(0, 80)'),
    ]
    // Past the last stop, the browser itself has the focus.
    assert.ok(seen || /^<body/u.test(String(name)), `the focus is seen on ${name}`)
    if (there) return
  }
  assert.fail(`no way to ${selector} by Tab`)
}
