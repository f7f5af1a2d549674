import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { Agent as HttpsAgent } from 'node:https'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import t, { type Test } from 'tap'
import { Agent, request } from 'undici'
import { makeServerCertificate } from '../../sandbox/certificates.ts'
import { startSandbox } from '../../sandbox/index.ts'
import { mintToken } from '../../sandbox/issuer.ts'
import { startLocal } from '../../sandbox/local.ts'
import { SANDBOX_KEYS } from '../../sandbox/world.ts'
import { captureLogs } from '../helpers/logs.ts'

async function start(t: Test) {
  const sandbox = await startSandbox()
  t.teardown(sandbox.close)
  const dispatcher = new Agent({ connect: { ca: readFileSync(sandbox.caFile) } })
  t.teardown(() => dispatcher.destroy())
  return { sandbox, dispatcher }
}

t.test('STS and OSS answer over https, with the same world and the same faults as over http', async (t) => {
  const { sandbox, dispatcher } = await start(t)
  for (const { httpsUrl, url, faults } of [sandbox.sts, sandbox.oss]) {
    t.match(httpsUrl, /^https:\/\/127\.0\.0\.1:\d+$/u)
    const [plain, secure] = [await request(url), await request(httpsUrl, { dispatcher })]
    t.equal(secure.statusCode, plain.statusCode)
    t.same(Object.keys(secure.headers), Object.keys(plain.headers))
    await Promise.all([plain.body.dump(), secure.body.dump()])
    for (const kind of ['reset', 'resetMidBody', 'truncated'] as const) {
      faults.set({ kind, times: 1 })
      await t.rejects(
        request(httpsUrl, { dispatcher }).then(({ body }) => body.text()),
        kind,
      )
    }
  }
})

t.test('an upload in parts is told its address over https', async (t) => {
  const { sandbox } = await start(t)
  const { accessKey, secretKey } = SANDBOX_KEYS.owner
  const client = new S3Client({
    endpoint: sandbox.oss.httpsUrl,
    region: 'cn-north-1',
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    requestHandler: { httpsAgent: new HttpsAgent({ ca: readFileSync(sandbox.caFile) }) },
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
  })
  t.teardown(() => client.destroy())
  const params = { Bucket: 'test-app', Key: 'a b', Body: Buffer.alloc(6 * 1024 * 1024) }
  const { Location } = await new Upload({ client, params, partSize: 5 * 1024 * 1024 }).done()
  t.equal(Location, `${sandbox.oss.httpsUrl}/test-app/a%20b`)
})

t.test('clients that do not trust the CA are not served', async (t) => {
  const { sandbox } = await start(t)
  await t.rejects(request(sandbox.oss.httpsUrl), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
})

t.test('the certificate is for loopback alone, of a short life, and its CA can sign no other CA', async (t) => {
  const now = Date.UTC(2026, 0, 2)
  const made = await makeServerCertificate(now)
  const [ca, cert] = [new X509Certificate(made.ca), new X509Certificate(made.cert)]
  t.ok(cert.verify(ca.publicKey) && cert.checkIssued(ca) && ca.ca && !cert.ca)
  t.equal(cert.subjectAltName, 'IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:localhost')
  for (const each of [ca, cert]) {
    t.equal(Date.parse(each.validFrom), now - 3_600_000)
    t.equal(Date.parse(each.validTo), now + 7 * 86_400_000)
  }
  const again = await makeServerCertificate(now)
  t.notSame(again.key, made.key, 'each sandbox has keys of its own')
  t.notSame(again.ca, made.ca)
})

t.test('a client can use the name localhost, and no other name', async (t) => {
  const { sandbox } = await start(t)
  const handshake = (servername: string) => {
    const port = Number(new URL(sandbox.oss.httpsUrl).port)
    const socket = connectTls({ host: '127.0.0.1', port, ca: readFileSync(sandbox.caFile), servername })
    return once(socket, 'secureConnect').finally(() => socket.destroy())
  }
  await handshake('localhost')
  await t.rejects(handshake('example.com'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
})

t.test('only the certificate of the CA is in a file, and close() removes it', async (t) => {
  const { sandbox } = await start(t)
  const directory = dirname(sandbox.caFile)
  t.same(readdirSync(directory), ['ca.pem'])
  t.notMatch(readFileSync(sandbox.caFile, 'utf8'), 'PRIVATE')
  await sandbox.close()
  t.notOk(existsSync(directory))
})

t.test('close() cuts connections over TLS, also those within their handshake', async (t) => {
  const { sandbox, dispatcher } = await start(t)
  const silent = connect(Number(new URL(sandbox.sts.httpsUrl).port), '127.0.0.1')
  await once(silent, 'connect')
  await (await request(sandbox.sts.httpsUrl, { dispatcher })).body.dump() // leaves a kept-alive connection
  sandbox.oss.faults.set({ kind: 'hang' })
  const hung = t.rejects(request(sandbox.oss.httpsUrl, { dispatcher }))
  const closed = once(silent, 'close')
  await sandbox.close()
  await Promise.all([closed, hung])
  await sandbox.close() // again is harmless
})

t.test('if an https port is in use, nothing stays open', async (t) => {
  const { sandbox } = await start(t)
  const taken = Number(new URL(sandbox.oss.httpsUrl).port)
  await t.rejects(startSandbox({ stsHttpsPort: taken }), { code: 'EADDRINUSE' })
  await t.rejects(startSandbox({ ossHttpsPort: taken }), { code: 'EADDRINUSE' })
  await t.rejects(startLocal({ httpsPort: taken, logger: captureLogs().logger }), { code: 'EADDRINUSE' })
})

t.test('the local service has a face over https, whose answers name the https address of OSS', async (t) => {
  const local = await startLocal({ logger: captureLogs().logger })
  t.teardown(local.close)
  const dispatcher = new Agent({ connect: { ca: readFileSync(local.sandbox.caFile) } })
  t.teardown(() => dispatcher.destroy())
  const token = await mintToken({ sub: 'alice', claims: { scope: 'oss.upload' } })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  for (const [url, endpoint] of [
    [local.url, local.sandbox.oss.url],
    [local.httpsUrl, local.sandbox.oss.httpsUrl],
  ] as const) {
    const options = { method: 'POST', headers, body: '{"policy":"user-upload"}', dispatcher } as const
    const { statusCode, body } = await request(`${url}/v1/credentials`, options)
    t.equal(statusCode, 200)
    t.match(await body.json(), { oss: { endpoint } })
  }
})
