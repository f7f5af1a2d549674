import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { createSigner, type SignableRequest, signingDate, signJdcloud2 } from '../../src/sts/signer.ts'
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
      const { body = '', date, nonce, ...kind }: SignableRequest = request
      t.equal(createSigner(kind, keys)({ body: String(body), date, nonce }).authorization, authorization)
    })
  }
})

t.test('a signer of one kind of request signs each as if it were the only one', async (t) => {
  const visible = fc.string({ minLength: 1, unit: fc.constantFrom(...'aZ09-_.:;=,/+') })
  const value = fc.oneof(visible, fc.constantFrom(' a  b ', 'x-jdcloud-date:1', 'x-jdcloud-nonce:1;host', 'ä'))
  const name = fc.constantFrom(
    'content-type',
    'range',
    'x-a',
    'x-jdcloud-e',
    'x-jdcloud-z',
    'user-agent',
    'authorization',
  )
  const path = fc.constantFrom(
    '/',
    '/v1/sessionToken%3AassumeRole',
    '/a//b?x=1&a=%20',
    '/x-jdcloud-date:1',
    '/?x-jdcloud-date:=1',
  )
  const token = fc.option(visible, { nil: undefined })
  const calls = fc.array(
    fc.record({
      date: fc
        .date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31') })
        .map((at) => signingDate(+at)),
      nonce: visible,
      body: fc.string({ unit: 'binary' }),
    }),
    { minLength: 1 },
  )
  fc.assert(
    fc.property(fc.dictionary(name, value), path, visible, token, calls, (headers, path, host, sessionToken, calls) => {
      const kind = { method: 'POST', host, path, headers, service: 'sts', region: 'jdcloud-api' }
      const keys = { accessKey: 'ak', secretKey: 'sk', ...(sessionToken !== undefined && { sessionToken }) }
      const sign = createSigner(kind, keys)
      for (const call of calls) t.strictSame(sign(call), signJdcloud2({ ...kind, ...call }, keys))
    }),
  )
})

t.test('what canonicalisation would change cannot be signed as date or nonce', async (t) => {
  const { keys, request } = vectors[1]
  const sign = createSigner(request, keys)
  for (const nonce of ['', 'a b', 'a\nhost:b', 'ä']) {
    t.throws(() => sign({ body: '', date: request.date, nonce }), TypeError, JSON.stringify(nonce))
    t.throws(() => sign({ body: '', date: nonce, nonce: 'a' }), TypeError, JSON.stringify(nonce))
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
  t.strictSame(users, ['src/sts/signer.ts'])
})
