import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Test } from 'tap'
import type { Environment } from '../../src/config/environment.ts'
import type { App } from '../../src/http/fastify.ts'
import { build } from '../helpers/build.ts'
import { jwk } from '../helpers/key-servers.ts'
import { listen } from '../helpers/listen.ts'
import { manualTimers } from '../helpers/timers.ts'
import { claims, keys, mint } from '../helpers/tokens.ts'

export const DAY = 86_400_000
export const rsa = keys.rsa.publicKey
export const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
export const SHARED = 'fixture-of-a-symmetric-key-that-somebody-published'

export type Answer = (response: ServerResponse) => void
export const set =
  (...list: unknown[]): Answer =>
  (response) =>
    void response.end(JSON.stringify({ keys: list }))

/** An app on a clock, whose only issuer has a key server that the test plays. */
export async function withKeyServer(t: Test, first: Answer = set(jwk('a')), more: Environment = {}) {
  const server = { answer: first, asked: 0 }
  const url = await listen(t, (_request, response) => {
    server.asked++
    server.answer(response)
  })
  const clock = { now: 0 }
  const timers = manualTimers()
  const env = { JWT_SECRET: '', JWT_JWKS_URL: url, JWT_ALGORITHMS: 'RS256,PS256,ES256', ...more }
  const dependencies = { clock: { ...timers.clock, monotonic: () => clock.now } }
  const built = await build(t, { env, dependencies })
  const tick = () => timers.tick(1000)
  return { ...built, server, clock, tick }
}

export async function present(app: App, token: string) {
  const headers = { authorization: `Bearer ${token}` }
  const { statusCode, headers: answered } = await app.inject({ method: 'GET', url: '/v1/policies', headers })
  return statusCode === 503 ? `503 after ${answered['retry-after']}` : statusCode
}

export const token = (kid: string | undefined, key: KeyObject | string = keys.rsa.privateKey, alg = 'RS256') =>
  mint(claims(), { alg, kid }, key)
export const ready = async (app: App) => (await app.inject({ url: '/readyz' })).statusCode
