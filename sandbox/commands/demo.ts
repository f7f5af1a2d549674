import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { createLogger } from '../../src/observe/log.ts'
import { mintToken } from '../issuer.ts'
import { startLocal } from '../local.ts'
import { SANDBOX_KEYS } from '../world.ts'
import { createTranscript, type Outcome } from './transcript.ts'

/** `npm run demo`: the whole service with real requests, on free ports. Exit code 1 if a result is not as expected. */

// The SDK's advice about newer versions of Node would disturb the transcript.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'

/** Offset of the sandbox's clock, so that a session expires without waiting. */
let ahead = 0
const local = await startLocal({
  logger: createLogger('silent'),
  scenario: { clock: () => Date.now() + ahead },
})
const transcript = createTranscript((line) => process.stdout.write(`${line}\n`), process.stdout.isTTY)

type Keys = { accessKey: string; secretKey: string; sessionToken?: string }
type Granted = {
  credentials: Keys & { sessionToken: string; expiration: string }
  oss: { endpoint: string; region: string; bucket: string; prefixes: string[] }
}
type Answer = { status: number } & (Granted | { code: string; detail?: string })

async function vend(token: string, policy = 'user-upload', params = {}): Promise<Answer> {
  const response = await fetch(`${local.url}/v1/credentials`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ policy, params }),
  })
  return { status: response.status, ...JSON.parse(await response.text()) }
}

function told(answer: Answer): Outcome {
  if ('credentials' in answer) {
    const { oss, credentials } = answer
    return { got: '200', shown: `200: ${oss.prefixes.join(', ')} until ${credentials.expiration}` }
  }
  const got = `${answer.status} ${answer.code}`
  return { got, shown: answer.detail ? `${got}: ${answer.detail}` : got }
}

function granted(answer: Answer): Granted {
  if (!('credentials' in answer)) throw new Error(`no credentials: ${answer.code}`)
  return answer
}

/** The unmodified SDK, configured only from the answer. */
function s3(oss: Granted['oss'], keys: Keys): S3Client {
  return new S3Client({
    endpoint: oss.endpoint,
    region: oss.region,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    maxAttempts: 1,
    systemClockOffset: ahead,
    credentials: {
      accessKeyId: keys.accessKey,
      secretAccessKey: keys.secretKey,
      ...(keys.sessionToken !== undefined && { sessionToken: keys.sessionToken }),
    },
  })
}

async function outcome(call: Promise<{ $metadata: { httpStatusCode?: number | undefined } }>): Promise<Outcome> {
  try {
    return { got: String((await call).$metadata.httpStatusCode) }
  } catch (error) {
    if (error instanceof S3ServiceException) return { got: `${error.$metadata.httpStatusCode} ${error.name}` }
    throw error
  }
}

const Bucket = 'test-app'
const put = (client: S3Client, Key: string) =>
  outcome(client.send(new PutObjectCommand({ Bucket, Key, Body: `bytes of ${Key}` })))

async function tell(): Promise<void> {
  const { heading, step } = transcript
  const claims = { scope: 'oss.upload' }
  const aliceToken = await mintToken({ sub: 'alice', claims })

  heading('Users trade their tokens for credentials')
  const toAlice = await vend(aliceToken)
  const toBob = await vend(await mintToken({ sub: 'bob', claims }))
  await step('alice asks for user-upload', '200', told(toAlice))
  await step('bob asks for user-upload', '200', told(toBob))
  await step(
    'alice asks for album-upload, album trip',
    '200',
    told(await vend(aliceToken, 'album-upload', { album: 'trip' })),
  )
  const { oss, credentials: alices } = granted(toAlice)
  const { credentials: bobs } = granted(toBob)
  const alice = s3(oss, alices)

  heading('The unmodified AWS SDK uploads with them')
  await step('alice puts users/alice/photo.jpg', '200', put(alice, 'users/alice/photo.jpg'))
  await step('bob puts users/bob/photo.jpg', '200', put(s3(oss, bobs), 'users/bob/photo.jpg'))
  const film = { Bucket, Key: 'users/alice/film.mp4' }
  const upload = new Upload({ client: alice, params: { ...film, Body: Buffer.alloc(12 * 2 ** 20, 1) } })
  await step('alice uploads users/alice/film.mp4, 12 MiB in parts', '200', outcome(upload.done()))
  const { ContentLength } = await s3(oss, SANDBOX_KEYS.owner).send(new HeadObjectCommand(film))
  await step('the owner of the account sees the whole file', '12582912 bytes', { got: `${ContentLength} bytes` })
  const { UploadId } = await alice.send(new CreateMultipartUploadCommand(film))
  const abort = new AbortMultipartUploadCommand({ ...film, UploadId })
  await step('alice starts another upload and aborts it', '204', outcome(alice.send(abort)))

  heading('Everything else is refused')
  await step("alice puts into bob's folder", '403 AccessDenied', put(alice, 'users/bob/photo.jpg'))
  await step('alice puts users/alice2/photo.jpg', '403 AccessDenied', put(alice, 'users/alice2/photo.jpg'))
  const read = new GetObjectCommand({ Bucket, Key: 'users/alice/photo.jpg' })
  await step('alice reads her photo, which user-upload does not allow', '403 AccessDenied', outcome(alice.send(read)))
  const list = new ListObjectsV2Command({ Bucket, Prefix: 'users/alice/' })
  await step('alice lists her folder', '403 AccessDenied', outcome(alice.send(list)))
  const changed = (alices.sessionToken.startsWith('A') ? 'B' : 'A') + alices.sessionToken.slice(1)
  const tampered = s3(oss, { ...alices, sessionToken: changed })
  await step('alice changes a character of her session token', '400 InvalidToken', put(tampered, 'users/alice/a.jpg'))
  const mixed = s3(oss, { ...alices, sessionToken: bobs.sessionToken })
  await step("alice uses bob's session token with her keys", '400 InvalidToken', put(mixed, 'users/bob/a.jpg'))

  heading('The service refuses bad requests')
  const ask = async (token: Promise<string> | string, policy?: string) => told(await vend(await token, policy))
  const forged = `${aliceToken.slice(0, -4)}${aliceToken.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`
  await step('a token with a forged signature', '401 unauthenticated', ask(forged))
  const late = mintToken({ sub: 'alice', claims, expiresSeconds: -60 })
  await step('a token that has expired', '401 unauthenticated', ask(late))
  await step('a token without the claim', '403 policy_not_allowed', ask(mintToken({ sub: 'alice' })))
  await step('a token whose subject is *', '422 unsafe_value', ask(mintToken({ sub: '*', claims })))
  await step('a token whose subject is ../bob', '422 unsafe_value', ask(mintToken({ sub: '../bob', claims })))
  await step('a policy that does not exist', '404 policy_not_found', ask(aliceToken, 'everything'))

  heading('An hour later')
  ahead = 3_600_000
  await step("alice's session has expired", '400 ExpiredToken', put(s3(oss, alices), 'users/alice/late.jpg'))
  const renewed = await vend(await mintToken({ sub: 'alice', claims, expiresSeconds: 7200 }))
  await step('alice asks again', '200', told(renewed))
  await step(
    'alice puts users/alice/late.jpg',
    '200',
    put(s3(oss, granted(renewed).credentials), 'users/alice/late.jpg'),
  )
}

try {
  await tell()
} finally {
  await local.close()
}

const { passed, failed } = transcript.totals()
process.stdout.write(`\n${passed} as expected, ${failed} not\n`)
process.exitCode = failed > 0 ? 1 : 0
