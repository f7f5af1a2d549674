import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import aws4 from 'aws4'
import fc from 'fast-check'
import t from 'tap'
import type { RequestClaim } from '../../../sandbox/oss/claim.ts'
import { encodePath, encodePercent } from '../../../sandbox/oss/percent.ts'
import type { OssRequest } from '../../../sandbox/oss/request.ts'
import { isFormSignedWith, isSignedWith } from '../../../sandbox/oss/signature.ts'

const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const DATE = '20130524T000000Z'
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'

type Parts = Readonly<{
  method?: string
  path?: string
  query?: Readonly<Record<string, string>>
  headers?: Readonly<Record<string, string>>
  payloadHash?: string
}>

function signed({ method = 'GET', path = '/', query = {}, headers = {}, payloadHash = EMPTY }: Parts, region: string) {
  const wire = {
    headers: new Map(Object.entries({ host: 'examplebucket.s3.amazonaws.com', ...headers })),
    query: new Map(Object.entries(query)),
  }
  const target = { bucket: 'examplebucket', key: path.slice(1), path, query: wire.query }
  const request: OssRequest = { ...target, method, scheme: 'https', headers: wire.headers, auth: 'header', wire }
  const claim: Omit<RequestClaim, 'signature'> = {
    accessKey: 'AKIAIOSFODNN7EXAMPLE',
    sessionToken: undefined,
    date: DATE,
    signedAt: Date.UTC(2013, 4, 24),
    region,
    signedHeaders: new Set(wire.headers.keys()),
    payloadHash,
    expiresSeconds: undefined,
  }
  return (signature: string) => isSignedWith(SECRET, request, { ...claim, signature })
}

t.test("AWS's published examples", async (t) => {
  const usual = { 'x-amz-content-sha256': EMPTY, 'x-amz-date': DATE }
  const putHash = '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072'
  const rows: readonly { name: string; input: Parts; want: string }[] = [
    {
      name: 'GET object',
      input: { path: '/test.txt', headers: { range: 'bytes=0-9', ...usual } },
      want: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    },
    {
      name: 'PUT object',
      input: {
        method: 'PUT',
        path: '/test$file.text',
        payloadHash: putHash,
        headers: {
          ...usual,
          date: 'Fri, 24 May 2013 00:00:00 GMT',
          'x-amz-content-sha256': putHash,
          'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        },
      },
      want: '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    },
    {
      name: 'a parameter without a value',
      input: { query: { lifecycle: '' }, headers: usual },
      want: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    },
    {
      name: 'GET bucket',
      input: { query: { 'max-keys': '2', prefix: 'J' }, headers: usual },
      want: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    },
    {
      name: 'a presigned URL',
      input: {
        path: '/test.txt',
        payloadHash: 'UNSIGNED-PAYLOAD',
        query: {
          'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
          'X-Amz-Credential': 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request',
          'X-Amz-Date': DATE,
          'X-Amz-Expires': '86400',
          'X-Amz-SignedHeaders': 'host',
          'X-Amz-Signature': 'not a part of itself',
        },
      },
      want: 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
    },
  ]
  for (const { name, input, want } of rows) {
    t.test(name, async (t) => {
      t.ok(signed(input, 'us-east-1')(want))
      t.notOk(signed(input, 'us-east-2')(want))
      t.notOk(signed({ ...input, path: '/other' }, 'us-east-1')(want))
    })
  }
})

t.test("the service's library signs the same, whatever key and query", async () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 })
  const name = text.filter((one) => one !== '' && !/^(?:__proto__|X-Amz-Signature)$/u.test(one))
  const property = fc.property(text, fc.dictionary(name, text, { maxKeys: 5 }), (key, query) => {
    const spelt = Object.entries(query).map(([one, value]) => `${encodePercent(one)}=${encodePercent(value)}`)
    const signer = new aws4.RequestSigner(
      {
        host: 'examplebucket.s3.amazonaws.com',
        path: `/${encodePath(key)}${spelt.length > 0 ? `?${spelt.join('&')}` : ''}`,
        service: 's3',
        region: 'us-east-1',
        headers: { 'X-Amz-Date': DATE, 'X-Amz-Content-Sha256': EMPTY },
      },
      { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: SECRET },
    )
    signer.sign()
    const headers = { 'x-amz-content-sha256': EMPTY, 'x-amz-date': DATE }
    return signed({ path: `/${key}`, query, headers }, 'us-east-1')(signer.signature())
  })
  fc.assert(property, { numRuns: 300, examples: [['key', { a: '1', 'a-b': '2', 'a=b': '3' }]] })
})

t.test("AWS's published example of a form", async (t) => {
  const policy =
    'eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9'
  const claim = {
    accessKey: 'AKIAIOSFODNN7EXAMPLE',
    sessionToken: undefined,
    date: '20151229T000000Z',
    signedAt: Date.UTC(2015, 11, 29),
    region: 'us-east-1',
    signature: '8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e',
  }
  t.ok(isFormSignedWith(SECRET, policy, claim))
  t.notOk(isFormSignedWith(SECRET, policy, { ...claim, region: 'us-east-2' }))
})

t.test('the sandbox checks signatures without the library that signs for the service', async (t) => {
  const users: string[] = []
  for (const file of await readdir('sandbox', { recursive: true })) {
    if (file.endsWith('.ts') && /['"]aws4['"]/u.test(await readFile(join('sandbox', file), 'utf8'))) users.push(file)
  }
  t.strictSame(users, [])
})
