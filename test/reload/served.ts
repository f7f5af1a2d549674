import { Registry } from 'prom-client'
import type { Test } from 'tap'
import { build } from '../helpers/build.ts'
import { templateText } from '../helpers/templates.ts'
import { manualTimers } from '../helpers/timers.ts'
import { claims, mint } from '../helpers/tokens.ts'

export const good = (folder = 'users') =>
  templateText()
    .replace('/users/', `/${folder}/`)
    .replace('"d"', JSON.stringify(`Uploads into ${folder}.`))

/** The app on a directory of templates of its own, looked at only when it is told to. */
export async function serve(t: Test, files: Record<string, string>) {
  const directory = t.testdir(files)
  const metrics = new Registry()
  const { clock } = manualTimers()
  const env = { POLICIES_DIR: directory }
  const { app, reload, logs } = await build(t, { env, dependencies: { metrics, clock } })
  return {
    directory,
    reload,
    logs,
    async vend(policy: string): Promise<string> {
      const response = await app.inject({
        method: 'POST',
        url: '/v1/credentials',
        headers: { authorization: `Bearer ${mint(claims())}` },
        payload: { policy },
      })
      return response.statusCode === 200 ? response.json().oss.prefixes.join() : response.json().code
    },
    async listed(): Promise<string[]> {
      const headers = { authorization: `Bearer ${mint(claims())}` }
      const response = await app.inject({ url: '/v1/policies', headers })
      return response.json().policies.map(({ name }: { name: string }) => name)
    },
    /** `<name>{<labels>} <value>` of every metric about templates but their version. */
    async counted(): Promise<string[]> {
      const text = await metrics.metrics()
      return text.split('\n').filter((line) => /^oss_vend_polic/u.test(line) && !line.startsWith(INFO))
    },
    /** The versions that are shown as served. */
    async versions(): Promise<string[]> {
      const lines = (await metrics.metrics()).split('\n').filter((line) => line.startsWith(INFO))
      return lines.map((line) => /"(\w+)"\} 1$/u.exec(line)?.[1] ?? line)
    },
    /** What was said with this message. */
    said: (message: string) => logs.lines().filter(({ msg }) => msg === message),
  }
}

const INFO = 'oss_vend_policies_info{'

export const counts = (loaded: number, refused: number, templates: number) =>
  [
    `oss_vend_policy_loads_total{outcome="loaded"} ${loaded}`,
    ...(refused > 0 ? [`oss_vend_policy_loads_total{outcome="refused"} ${refused}`] : []),
    `oss_vend_policy_templates ${templates}`,
  ].toSorted()
