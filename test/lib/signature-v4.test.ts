import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SignatureV4 } from '@smithy/signature-v4'
import fc from 'fast-check'
import t from 'tap'
import { signAws, signingDate, signJdcloud2 } from '../../src/lib/signature-v4.ts'
import { vectors } from '../fixtures/jdcloud2-vectors.ts'

t.test('the published vectors', async (t) => {
  for (const { name, keys, request, signedHeaders, signature } of vectors) {
    t.test(name, async (t) => {
      const { authorization } = signJdcloud2(request, keys)
      const scope = `${request.date.slice(0, 8)}/${request.region}/${request.service}/jdcloud2_request`
      t.equal(
        authorization,
        `JDCLOUD2-HMAC-SHA256 Credential=${keys.accessKey}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
      )
    })
  }
})

t.test('the request that is signed is left as it was', async (t) => {
  const request = structuredClone(vectors[1].request)
  signJdcloud2(request, vectors[1].keys)
  t.strictSame(request, vectors[1].request)
})

t.test('keys of temporary credentials bring their token, signed', async (t) => {
  const headers = signJdcloud2(vectors[0].request, { ...vectors[0].keys, sessionToken: 'fixture-token' })
  t.equal(headers['x-jdcloud-security-token'], 'fixture-token')
  t.match(headers.authorization, 'x-jdcloud-nonce;x-jdcloud-security-token')
})

t.test('dates are UTC without separators or milliseconds', async (t) => {
  t.equal(signingDate(Date.UTC(2026, 5, 28, 10, 20, 30, 999)), '20260628T102030Z')
})

/** Node's hashes, as the SDK's signer takes them. */
class Sha256 {
  private readonly hash: Hash | Hmac

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }
  update(data: Uint8Array) {
    this.hash.update(data)
  }
  async digest() {
    return new Uint8Array(this.hash.digest())
  }
  reset() {}
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === 'string') return Buffer.from(data)
  return data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}

t.test("signAws writes the same as the AWS SDK's own signer", async (t) => {
  const property = fc.asyncProperty(
    fc.record({
      accessKey: fc.stringMatching(/^[!-~]{1,30}$/u),
      secretKey: fc.string({ minLength: 1, maxLength: 40 }),
      sessionToken: fc.option(fc.stringMatching(/^[!-~]{1,80}$/u), { nil: undefined }),
      body: fc.string({ unit: 'binary', maxLength: 60 }),
      host: fc.constantFrom('sts.amazonaws.com', '127.0.0.1:7480', 'ceph.example.com:8443'),
      region: fc.constantFrom('us-east-1', 'cn-north-1', 'default'),
      seconds: fc.integer({ min: 0, max: 4_000_000_000 }),
    }),
    async ({ accessKey, secretKey, sessionToken, body, host, region, seconds }) => {
      const keys = { accessKey, secretKey, ...(sessionToken !== undefined && { sessionToken }) }
      const date = signingDate(seconds * 1000)
      const request = { method: 'POST', host, path: '/', headers: { 'content-type': 'text/x' }, service: 'sts', region }
      const { authorization, ...headers } = signAws({ ...request, body, date }, keys)
      const signer = new SignatureV4({
        service: 'sts',
        region,
        sha256: Sha256,
        applyChecksum: false,
        credentials: {
          accessKeyId: accessKey,
          secretAccessKey: secretKey,
          ...(sessionToken !== undefined && { sessionToken }),
        },
      })
      const [hostname = '', port] = host.split(':')
      const signed = await signer.sign(
        { protocol: 'https:', method: 'POST', hostname, ...(port && { port: Number(port) }), path: '/', headers, body },
        { signingDate: new Date(seconds * 1000) },
      )
      if (headers.host !== host || headers['x-amz-date'] !== date) throw new Error('host or date')
      if (signed.headers.authorization !== authorization) throw new Error(`${authorization}`)
    },
  )
  await fc.assert(property, { numRuns: 100 })
  t.pass()
})

t.test('signAws leaves the request as it was, and needs no key of the environment', async (t) => {
  const request = { method: 'POST', host: 'h', path: '/', headers: { a: '1' }, body: 'b', service: 'sts', region: 'r' }
  const before = structuredClone(request)
  const { authorization } = signAws({ ...request, date: '20260101T000000Z' }, { accessKey: 'ak', secretKey: 'sk' })
  t.strictSame(request, before)
  t.match(authorization, /^AWS4-HMAC-SHA256 Credential=ak\/20260101\/r\/sts\/aws4_request, /u)
})

t.test('aws4, which falls back to keys from the environment, is used in this one file', async (t) => {
  const users: string[] = []
  for (const root of ['src', 'routes']) {
    for (const file of await readdir(root, { recursive: true })) {
      if (file.endsWith('.ts') && /['"]aws4['"]/u.test(await readFile(join(root, file), 'utf8'))) {
        users.push(join(root, file))
      }
    }
  }
  t.strictSame(users, ['src/lib/signature-v4.ts'])
})
