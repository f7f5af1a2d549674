import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { createSigner, signingDate } from '../../src/sts/signer.ts'
import { loadSdk, loadSigner, type OfficialSigner, officialSts } from '../lib/official-sdk.ts'
import { readInput } from '../lib/script.ts'
import { inTurns } from '../lib/statistics.ts'

const keys = { accessKey: 'bench-access-key', secretKey: 'bench-secret-key' }
const policy =
  '{"Version":"3","Statement":[{"Effect":"Allow","Action":["oss:PutObject","oss:AbortMultipartUpload"],"Resource":["jrn:oss:*:111111111111:test-app/users/user-1/*"]}]}'

/** The SDK's signer over a request of its own making, caught when it would have signed and sent it. */
async function officialSigner(): Promise<{ signer: OfficialSigner; credentials: object }> {
  const sdk = loadSdk()
  const { prototype } = loadSigner()
  const { addAuthorization } = prototype
  let caught: { signer: OfficialSigner; credentials: object } | undefined
  prototype.addAuthorization = function (credentials, date) {
    caught = { signer: this, credentials }
    addAuthorization.call(this, credentials, date)
  }
  // Its classes of requests and headers hang on the function that sends.
  sdk.fetch = Object.assign(async () => ({ ok: true, json: async () => ({}) }), sdk.fetch)
  const assumeRoleInfo = {
    roleJrn: 'jrn:iam::111111111111:role/test-role',
    roleSessionName: 'user-upload@user-1',
    policy,
    durationSeconds: 3600,
  }
  await officialSts(sdk, 'http://sts.example.test').assumeRole({ assumeRoleInfo })
  prototype.addAuthorization = addAuthorization
  if (!caught) throw new Error('the SDK signed nothing')
  return caught
}

const { signer, credentials } = await officialSigner()
const {
  path,
  request: { method, body },
} = signer.request
const { authorization: first, ...given } = Object.fromEntries(signer.request.request.headers)
const { host = '', 'x-jdcloud-date': signedAt = '', 'x-jdcloud-nonce': firstNonce = '', ...headers } = given

/** The same request: method, host, path, headers and body as the SDK has them. */
const sign = createSigner({ method, host, path, headers, service: 'sts', region: 'jdcloud' }, keys)

// Two signers that do not agree are not doing the same work.
if (sign({ body, date: signedAt, nonce: firstNonce }).authorization !== first)
  throw new Error('the two signatures differ')

const { rounds, signatures } = z.object({ rounds: z.int(), signatures: z.int() }).parse(await readInput())

/** Of processor time, which a busy machine does not stretch. */
async function perSecond(signOnce: () => void): Promise<number> {
  const started = process.cpuUsage()
  for (let i = 0; i < signatures; i++) signOnce()
  const { user, system } = process.cpuUsage(started)
  return (signatures * 1e6) / (user + system)
}
const ours = () => perSecond(() => sign({ body, date: signingDate(Date.now()), nonce: randomUUID() }))
// The SDK's request is made once and signed over and over, which spares it what ours pays each time.
const rival = () => perSecond(() => signer.addAuthorization(credentials, new Date()))
await inTurns(1, ours, rival)
process.stdout.write(JSON.stringify(await inTurns(rounds, ours, rival)))
