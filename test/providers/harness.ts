import { createSecretKey, randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { Test } from 'tap'
import { Agent } from 'undici'
import { type Sandbox, startSandbox } from '../../sandbox/index.ts'
import { sandboxEnvironment } from '../../sandbox/local.ts'
import type { Environment } from '../../src/config/environment.ts'
import { build } from '../helpers/build.ts'
import { certificateOf } from '../helpers/certificate.ts'
import { NO_SINGLE_ISSUER } from '../helpers/config-faults.ts'
import { jwk } from '../helpers/key-servers.ts'
import { listen } from '../helpers/listen.ts'
import { claims as dated, keys, mint } from '../helpers/tokens.ts'
import type { Shape } from './shapes.ts'

/** Home-grown secrets are often the base64 of random bytes. */
const bytes = randomBytes(48)
export const SECRETS = { supabase: keys.hmac, jwt: bytes.toString('base64') }
const BEARER = 'the-bearer-of-the-service'

/** A token of this shape, with further claims; one that is undefined is taken out. */
export function tokenOf(
  { header, claims }: Shape,
  more: Readonly<Record<string, unknown>> = {},
  head = {},
  key?: string,
) {
  const { iss, aud, sub, scope, ...times } = dated()
  const full: Readonly<Record<string, unknown>> = { ...header, ...head }
  if (full.alg !== 'HS256') return mint({ ...times, ...claims, ...more }, full)
  const own = claims.userId === undefined ? SECRETS.jwt : createSecretKey(bytes)
  return mint({ ...times, ...claims, ...more }, full, key ?? own)
}

/** Every provider's key server at once. It is asked by the addresses of the page, of which it gets host and path. */
export async function keyServers(t: Test, shapes: readonly Shape[]) {
  const set = { keys: [jwk('key-1', keys.rsa.publicKey), jwk('key-2', keys.p256.publicKey, { alg: 'ES256' })] }
  const documents = new Map<string, unknown>()
  for (const { jwks, discovery } of shapes) {
    if (jwks !== undefined) documents.set(jwks, set)
    if (discovery === undefined) continue
    const at = `${discovery.replace(/\/$/u, '')}/.well-known/openid-configuration`
    documents.set(at, { issuer: discovery, jwks_uri: jwks })
  }
  const server = { allowed: true }
  const url = await listen(t, (request, response) => {
    const { host = '', authorization } = request.headers
    const document = documents.get(`https://${host}${request.url}`)
    const isCluster = host === 'kubernetes.default.svc'
    const mayRead = isCluster ? server.allowed && authorization === `Bearer ${BEARER}` : authorization === undefined
    if (!document || !mayRead) response.statusCode = document ? 403 : 404
    response.end(JSON.stringify(document ?? {}))
  })
  const keyPool = () => {
    const dispatcher = new Agent({
      connect: (_options, callback) => {
        const socket = connect(Number(new URL(url).port), '127.0.0.1')
        socket.once('connect', () => callback(null, socket))
        socket.once('error', (error) => callback(error, null))
      },
    })
    return { dispatcher, close: () => dispatcher.close() }
  }
  return { server, keyPool }
}

export async function sandboxOf(t: Test): Promise<Sandbox> {
  const sandbox = await startSandbox()
  t.teardown(() => sandbox.close())
  return sandbox
}

/** A folder with what a section of the page needs, and the environment that uses it. */
export function environmentOf(
  t: Test,
  {
    issuers,
    variables,
    template,
    more,
  }: Readonly<{
    issuers?: string
    variables?: Record<string, string>
    template: string
    more?: Record<string, string>
  }>,
): Environment {
  const dir = t.testdir({
    ...SECRETS,
    ...more,
    token: BEARER,
    'ca.crt': certificateOf(keys.rsa),
    policies: { 'mine.yaml': template },
    ...(issuers !== undefined && { 'issuers.yaml': issuers.replaceAll('/run/secrets/', '') }),
  })
  const single = Object.entries(variables ?? {}).map(([name, value]) => [name, value.replace('/run/secrets', dir)])
  return {
    ...NO_SINGLE_ISSUER,
    ...(issuers !== undefined && { JWT_ISSUERS_FILE: `${dir}/issuers.yaml` }),
    ...Object.fromEntries(single),
    POLICIES_DIR: `${dir}/policies`,
  }
}

/** The service on the sandbox, with these issuers. */
export async function serve(
  t: Test,
  env: Environment,
  sandbox: Sandbox,
  { keyPool }: Awaited<ReturnType<typeof keyServers>>,
) {
  const { JWT_ISSUER, JWT_AUDIENCE, JWT_SECRET, ...jdcloud } = sandboxEnvironment(sandbox)
  const { app, logs } = await build(t, { env: { ...jdcloud, ...env }, realSts: true, dependencies: { keyPool } })
  await app.ready()
  const ask = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` }
    return app.inject({ method: 'POST', url: '/v1/credentials', headers, payload: { policy: 'mine' } })
  }
  return {
    logs,
    /** What a token opens, or why it is refused, in the words of the page. */
    async says(token: string): Promise<string> {
      const answer = await ask(token)
      const { oss, code, detail } = answer.json()
      if (answer.statusCode === 200) return oss.prefixes.join()
      if (answer.statusCode === 403) return `403 ${detail}`
      const reason = logs.lines().findLast(({ msg }) => msg === 'refused')?.reason
      return `${answer.statusCode} ${answer.statusCode === 422 ? code : reason}`
    },
    /** The folder that a token opens, and how OSS answers an upload to a key with its credentials. */
    async use(token: string) {
      const { credentials, oss } = (await ask(token)).json()
      const { accessKey: accessKeyId, secretKey: secretAccessKey, sessionToken } = credentials
      const s3 = new S3Client({
        endpoint: oss.endpoint,
        region: oss.region,
        forcePathStyle: true,
        requestChecksumCalculation: 'WHEN_REQUIRED',
        maxAttempts: 1,
        credentials: { accessKeyId, secretAccessKey, sessionToken },
      })
      t.teardown(() => s3.destroy())
      return {
        folder: String(oss.prefixes),
        put: (Key: string) =>
          s3.send(new PutObjectCommand({ Bucket: oss.bucket, Key, Body: 'x' })).then(
            ({ $metadata }) => String($metadata.httpStatusCode),
            (error: unknown) => (error instanceof Error ? error.name : String(error)),
          ),
      }
    },
  }
}
