import type { Test } from 'tap'
import type { Environment } from '../../src/config/environment.ts'
import { build, type Overrides } from './build.ts'
import { issuersFile } from './config-faults.ts'
import { statement, templateText } from './templates.ts'

type Entry = Readonly<{ name: string }> & Readonly<Record<string, unknown>>

/** A template that gives each caller of these issuers a folder of their own, as several issuers need it. */
export const folders = (issuers: readonly string[]) =>
  templateText({
    allow: { issuer: issuers },
    policy: { Version: '3', Statement: [statement('users/${issuer}/${jwt:sub}/*')] },
  })

/** An environment with these issuers in a file, and with {@link folders} as `mine`. */
export const profiles = (t: Test, entries: readonly Entry[]): Environment =>
  issuersFile(t, entries, { 'mine.yaml': folders(entries.map(({ name }) => name)) })

/** The app with these issuers, which can be asked with a token. */
export async function serveProfiles(t: Test, entries: readonly Entry[], overrides: Overrides = {}) {
  const built = await build(t, { ...overrides, env: { ...profiles(t, entries), ...overrides.env } })
  return { ...built, vend: vender(built) }
}

/** Vends `mine`: the folder that a token opens, or the status with the reason that the log has. */
export function vender({ app, logs }: Pick<Awaited<ReturnType<typeof build>>, 'app' | 'logs'>) {
  return async (token: string): Promise<string> => {
    const headers = { authorization: `Bearer ${token}` }
    const payload = { policy: 'mine' }
    const answer = await app.inject({ method: 'POST', url: '/v1/credentials', headers, payload })
    if (answer.statusCode === 200) return answer.json().oss.prefixes.join()
    const refused = logs.lines().findLast(({ msg }) => msg === 'refused')
    return `${answer.statusCode} ${String(refused?.reason)}`
  }
}
