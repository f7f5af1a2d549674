import type { TestContext } from 'node:test'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { buildApp } from '../../../src/app.ts'
import { readConfig } from '../../../src/config/config.ts'
import type { Environment } from '../../../src/config/environment.ts'
import { captureLogs } from '../../helpers/logs.ts'
import { AUDIENCE, claims, ISSUER, keys, mint } from '../../helpers/tokens.ts'
import type { Keys, Rgw } from './rgw.ts'

export type Session = Readonly<{ accessKey: string; secretKey: string; sessionToken: string; expiration: string }>

/** What `POST /v1/credentials` answers. */
export type Answer = Readonly<{
  status: number
  body: Readonly<{ code?: string; credentials?: Session; oss?: Readonly<Record<string, unknown>> }>
}>

/** The environment of a service on this Ceph, without a limit for each caller. */
export const environment = ({ endpoint, bucket, roleArn, iam }: Rgw): Environment => ({
  JWT_ISSUER: ISSUER,
  JWT_AUDIENCE: AUDIENCE,
  JWT_SECRET: keys.hmac,
  CREDENTIAL_SOURCE: 'aws-sts',
  AWS_STS_ENDPOINT: endpoint,
  AWS_STS_ROLE_ARN: roleArn,
  AWS_STS_ACCESS_KEY: iam.accessKey,
  AWS_STS_SECRET_KEY: iam.secretKey,
  OSS_REGION: 'us-east-1',
  OSS_BUCKET: bucket,
  OSS_ENDPOINT: endpoint,
  RATE_LIMIT_ADDRESS_PER_MINUTE: '0',
  RATE_LIMIT_CALLER_PER_MINUTE: '0',
  RATE_LIMIT_NEW_SESSIONS_PER_MINUTE: '0',
})

/** The service on a loopback port, with the shipped templates, until the test is over. */
export async function startService(t: TestContext, rgw: Rgw, env: Environment = {}) {
  const logs = captureLogs()
  const { app, reload } = await buildApp(readConfig({ ...environment(rgw), AUDIT_LOG: 'none', ...env }), {
    logger: logs.logger,
  })
  t.after(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const tokenOf = (sub: string) => mint(claims({ sub, scope: 'oss.upload oss.files' }))
  const post = async (sub: string, body: object): Promise<Answer> => {
    const headers = { authorization: `Bearer ${tokenOf(sub)}` }
    const response = await app.inject({ method: 'POST', url: '/v1/credentials', headers, payload: body })
    return { status: response.statusCode, body: response.json() }
  }
  const vend = async (sub: string, body: object): Promise<Session> => {
    const { status, body: answer } = await post(sub, body)
    if (!answer.credentials) throw new Error(`${status} ${answer.code}: ${logs.text()}`)
    return answer.credentials
  }
  return { app, url, logs, reload, tokenOf, post, vend }
}

/** A client of S3 with these keys. */
export function s3(t: TestContext, { endpoint }: Rgw, keys: Keys & Partial<Session>): S3Client {
  const { accessKey, secretKey, sessionToken } = keys
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 1,
    credentials: {
      accessKeyId: accessKey,
      secretAccessKey: secretKey,
      ...(sessionToken !== undefined && { sessionToken }),
    },
  })
  t.after(() => client.destroy())
  return client
}

export async function createBucket(t: TestContext, rgw: Rgw): Promise<void> {
  await s3(t, rgw, rgw.admin).send(new CreateBucketCommand({ Bucket: rgw.bucket }))
}

/** The code of the refusal, or `ok`. */
export const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'ok',
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  )
