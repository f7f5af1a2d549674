import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import t from 'tap'
import { sendRaw } from '../../helpers/raw.ts'
import { BUCKET, type Call, OWNER, outcome, startOss } from './harness.ts'

const hash = (algorithm: string, body: string) => createHash(algorithm).update(body).digest('base64')

t.test('a body must match its MD5', async (t) => {
  const rows: readonly { name: string; headers: Record<string, string>; want: readonly [number, string?] }[] = [
    { name: 'its MD5', headers: { 'content-md5': hash('md5', 'good') }, want: [200] },
    { name: 'another MD5', headers: { 'content-md5': hash('md5', 'evil') }, want: [400, 'BadDigest'] },
    { name: 'half an MD5', headers: { 'content-md5': 'AAAA' }, want: [400, 'InvalidDigest'] },
    { name: 'an MD5 in hexadecimal', headers: { 'content-md5': 'f'.repeat(32) }, want: [400, 'InvalidDigest'] },
  ]
  for (const { name, headers, want } of rows) {
    t.test(name, async (t) => {
      const oss = await startOss(t)
      const { status, code } = await oss.call({ method: 'PUT', body: 'good', headers })
      t.strictSame([status, code], [want[0], want[1]])
      t.equal(oss.bucket.keys().length, want[0] === 200 ? 1 : 0)
    })
  }
})

t.test('bodies that JD Cloud refuses', async (t) => {
  const chunked = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'
  const body = { method: 'PUT', body: 'x' }
  const rows: readonly { name: string; input: Call; want: readonly [number, string] }[] = [
    { name: 'signed chunks', input: { ...body, payloadHash: chunked }, want: [501, 'NotImplemented'] },
    {
      name: 'chunks with a trailer',
      input: { ...body, payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' },
      want: [501, 'NotImplemented'],
    },
    {
      name: 'aws-chunked by encoding',
      input: { ...body, headers: { 'content-encoding': 'gzip, AWS-chunked' } },
      want: [501, 'NotImplemented'],
    },
    {
      name: 'a decoded length',
      input: { ...body, headers: { 'x-amz-decoded-content-length': '1' } },
      want: [501, 'NotImplemented'],
    },
    {
      name: 'a trailer',
      input: { ...body, headers: { 'x-amz-trailer': 'x-amz-checksum-crc32' } },
      want: [501, 'NotImplemented'],
    },
    {
      name: 'a stream without a length',
      input: { ...body, unsigned: { 'transfer-encoding': 'chunked' } },
      want: [411, 'MissingContentLength'],
    },
    {
      name: 'a stream without a length, for operations without a check of their own',
      input: { ...body, method: 'POST', query: { uploads: '' }, unsigned: { 'transfer-encoding': 'chunked' } },
      want: [411, 'MissingContentLength'],
    },
    {
      name: 'aws-chunked by a stranger',
      input: { ...body, payloadHash: chunked, keys: { accessKey: 'x', secretKey: 'x' } },
      want: [403, 'InvalidAccessKeyId'],
    },
  ]
  for (const { name, input, want } of rows) {
    t.test(name, async (t) => {
      const oss = await startOss(t)
      const { status, code } = await oss.call(input)
      t.strictSame([status, code], want)
      t.strictSame(oss.bucket.keys(), [])
    })
  }
})

t.test("the SDK's streams", async (t) => {
  const oss = await startOss(t)
  const put = (ContentLength: number | undefined) => {
    const input = { Bucket: BUCKET, Key: 'key', Body: Readable.from([Buffer.from('hello')]) }
    return new PutObjectCommand({ ...input, ...(ContentLength !== undefined && { ContentLength }) })
  }
  const plain = oss.client(OWNER)
  const checksums = oss.client(OWNER, { requestChecksumCalculation: 'WHEN_SUPPORTED' })
  t.equal(await outcome(plain.send(put(5))), 'ok')
  t.equal(oss.bucket.get('key')?.body.toString(), 'hello')
  t.equal(await outcome(plain.send(put(undefined))), '411 MissingContentLength')
  t.equal(await outcome(checksums.send(put(5))), '501 NotImplemented', 'so clients must set WHEN_REQUIRED')
})

t.test('a too long body is refused before the client sends it', async (t) => {
  const oss = await startOss(t)
  const announce = async (length: number) => {
    const wire = oss.sign({ method: 'PUT', payloadHash: 'UNSIGNED-PAYLOAD' })
    const headers = Object.entries({ ...wire.headers, 'content-length': length, connection: 'close' })
    const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    return sendRaw(oss.url, `PUT ${wire.path} HTTP/1.1\r\n${head}\r\n`)
  }
  t.match(await announce(64 * 1024 * 1024 + 1), /^HTTP\/1\.1 400 .*<Code>EntityTooLarge<\/Code>/su)
  t.strictSame(oss.bucket.keys(), [])
})

t.test('a body without a length is refused', async (t) => {
  const oss = await startOss(t)
  const { path, headers } = oss.sign({ method: 'PUT' })
  const head = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`)
  t.match(
    await sendRaw(oss.url, `PUT ${path} HTTP/1.1\r\n${head.join('')}\r\n`),
    /^HTTP\/1\.1 411 .*MissingContentLength/su,
  )
})

t.test('a client that disconnects during the body stores nothing', async (t) => {
  const oss = await startOss(t)
  const { path, headers } = oss.sign({ method: 'PUT', payloadHash: 'UNSIGNED-PAYLOAD' })
  const head = Object.entries({ ...headers, 'content-length': '10' }).map(([name, value]) => `${name}: ${value}\r\n`)
  const socket = connect(Number(new URL(oss.url).port), '127.0.0.1')
  socket.end(`PUT ${path} HTTP/1.1\r\n${head.join('')}\r\nhalf`)
  await once(socket.resume(), 'close')
  t.equal((await oss.call({ method: 'PUT', body: 'whole' })).status, 200, 'the server still answers')
  t.equal(oss.bucket.get('key')?.body.toString(), 'whole')
})

t.test('a form without a length is not read', async (t) => {
  const oss = await startOss(t)
  const head = 'host: localhost\r\ncontent-type: multipart/form-data; boundary=b\r\ntransfer-encoding: chunked\r\n'
  const answer = await sendRaw(oss.url, `POST /${BUCKET} HTTP/1.1\r\n${head}connection: close\r\n\r\n0\r\n\r\n`)
  t.match(answer, /^HTTP\/1\.1 411 .*MissingContentLength/su)
})
