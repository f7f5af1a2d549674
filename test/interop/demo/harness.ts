import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { pino } from 'pino'
import { type BrowserContextOptions, chromium, type Locator, type Page, type Route } from 'playwright-core'
import { serveDemo } from '../../../sandbox/demo/serve.ts'
import { type Local, startLocal } from '../../../sandbox/local.ts'
import type { Scenario } from '../../../sandbox/world.ts'

const CHROMIUM = process.env.INTEROP_CHROMIUM ?? '/usr/bin/chromium'
/** Elsewhere than in CI, its absence is no failure. */
const there = process.env.REQUIRE_INTEROP !== undefined || existsSync(CHROMIUM)
const skip = there ? false : `no ${CHROMIUM}: apt-get install chromium`
/** The options of every test here. One that waits for what never comes must not hang. */
export const options = { skip, timeout: 180_000 }

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Names of other machines do not even resolve.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
]

/** The demo in a real browser. */
export type Demo = Local & Readonly<{ page: Page; rows: Locator; said: Locator; refused(...statuses: number[]): void }>

/** Options of a demo; `open` is false for a test that opens the page itself. */
export type DemoOptions = BrowserContextOptions & Readonly<{ scenario?: Scenario; open?: boolean }>

/**
 * Starts service, sandbox and browser. At the end, the console must be empty but for the refusals that the test has
 * announced with `refused`, and every request must have stayed on this machine.
 */
export async function startDemo(
  t: TestContext,
  { scenario, open = true, ...options }: DemoOptions = {},
): Promise<Demo> {
  const local = await startLocal({
    logger: pino({ level: 'silent' }),
    extend: serveDemo,
    ...(scenario && { scenario }),
  })
  t.after(local.close)
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS })
  t.after(() => browser.close())
  const context = await browser.newContext({ locale: 'en-GB', colorScheme: 'light', ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)

  const complaints: string[] = []
  const hosts = new Set<string>()
  let announced: readonly number[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => hosts.add(new URL(request.url()).hostname))
  t.after(() => {
    // The browser itself reports each answer that is no success; 0 stands for no answer.
    const unexpected = complaints.filter((text) => {
      const status = /^Failed to load resource: (?:.* status of (\d+)|net::ERR)/u.exec(text)
      return !(status && announced.includes(Number(status[1] ?? 0)))
    })
    assert.deepEqual(unexpected, [])
    hosts.delete('')
    assert.deepEqual(
      [...hosts].filter((host) => host !== '127.0.0.1'),
      [],
    )
  })

  if (open) await page.goto(`${local.url}/demo`)
  return {
    ...local,
    page,
    rows: page.locator('.file'),
    said: page.locator('#said'),
    refused(...statuses) {
      announced = statuses
    },
  }
}

/** Signs in and gets credentials for a policy. */
export async function enter({ page }: Demo, user: string, policy: string): Promise<void> {
  await page.locator(`[data-user=${user}]`).click()
  await page.locator(`input[value=${policy}]`).check()
  await page.locator('#policy-form button').click()
  await page.locator('#granted').waitFor()
}

/** Chooses files as a visitor does. */
export async function choose({ page }: Demo, ...files: { name: string; buffer: Buffer }[]): Promise<void> {
  await page.locator('#picker').setInputFiles(files.map((file) => ({ mimeType: 'application/octet-stream', ...file })))
}

/** Waits until an element shows a text. */
export async function shows(locator: Locator, text: string | RegExp): Promise<void> {
  await locator.filter({ hasText: text }).first().waitFor()
}

/** Holds the parts of uploads back, so that a test sees each state for as long as it needs. */
export async function holdParts({ page }: Demo) {
  const held: Route[] = []
  let wake = () => {}
  await page.route(/partNumber=/u, (route) => {
    held.push(route)
    wake()
  })
  return {
    /** The next part, once it is on its way. */
    async next(): Promise<Route> {
      for (;;) {
        const route = held.shift()
        if (route) return route
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}

/** The bucket that the demo uploads into. */
export function bucketOf({ sandbox }: Local) {
  const bucket = sandbox.oss.store.get('test-app')
  assert.ok(bucket)
  return bucket
}

/** Three parts. */
export const LARGE = Buffer.alloc(13_000_000, 'large file ')
