import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { signingDate, signJdcloud2 } from '../../src/lib/signature-v4.ts'
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
