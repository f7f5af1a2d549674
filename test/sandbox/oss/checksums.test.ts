import { createHash } from 'node:crypto'
import { CompleteMultipartUploadCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import t from 'tap'
import { crc32c, crc64nvme } from '../../../sandbox/oss/crc.ts'
import { BUCKET, type Oss, OWNER, outcome, startOss } from './harness.ts'
import { post } from './post.ts'

/** The checksums of `123456789`, by which each algorithm is known, and of `evil`. */
const NINE = '123456789'
const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64')
const hash = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('base64')
const ALGORITHMS = [
  { name: 'crc32', nine: base64('cbf43926') },
  { name: 'crc32c', nine: base64('e3069283') },
  { name: 'crc64nvme', nine: base64('ae8b14860a799888') },
  { name: 'sha1', nine: base64('f7c3bc1d808e04732adf679965ccc34ca7ae3441') },
  { name: 'sha256', nine: base64('15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225') },
]

t.test('the published values of both CRCs', async (t) => {
  t.equal(crc32c(Buffer.from(NINE)).toString('hex'), 'e3069283')
  t.equal(crc32c(Buffer.alloc(32)).toString('hex'), '8a9136aa', 'RFC 3720, 32 bytes of zeroes')
  t.equal(crc32c(Buffer.alloc(32, 0xff)).toString('hex'), '62a8ab43', 'RFC 3720, 32 bytes of ones')
  t.equal(crc64nvme(Buffer.from(NINE)).toString('hex'), 'ae8b14860a799888')
  t.equal(crc64nvme(Buffer.alloc(4096)).toString('hex'), '6482d367eb22b64e', "NVMe's own, 4096 bytes of zeroes")
})

/** The three ways in which a body is sent. Each returns the status and code. */
const WAYS = {
  async object(oss: Oss, headers: Record<string, string>) {
    const { status, code } = await oss.call({ method: 'PUT', body: NINE, headers })
    return [status, code]
  },
  async part(oss: Oss, headers: Record<string, string>) {
    const query = { partNumber: '1', uploadId: oss.bucket.uploads.create('key', new Map()).id }
    const { status, code } = await oss.call({ method: 'PUT', body: NINE, headers, query })
    return [status, code]
  },
  async form(oss: Oss, fields: Record<string, string>) {
    const { status, code } = await post(oss, { file: NINE, fields })
    return [status === 204 ? 200 : status, code]
  },
}

for (const [way, send] of Object.entries(WAYS)) {
  t.test(`a checksum of an uploaded ${way}`, async (t) => {
    const [good] = ALGORITHMS
    const rows: { name: string; headers: Record<string, string>; want: readonly [number, string?] }[] = [
      ...ALGORITHMS.flatMap(({ name, nine }) => {
        const header = `x-amz-checksum-${name}`
        const wrong = Buffer.from(nine, 'base64').fill(1).toString('base64')
        return [
          { name: `${name}, right`, headers: { [header]: nine }, want: [200] as const },
          { name: `${name}, wrong`, headers: { [header]: wrong }, want: [400, 'BadDigest'] as const },
          { name: `${name}, too short`, headers: { [header]: 'AAA=' }, want: [400, 'InvalidRequest'] as const },
          { name: `${name}, empty`, headers: { [header]: '' }, want: [400, 'InvalidRequest'] as const },
          { name: `${name}, no base64`, headers: { [header]: `${nine}?` }, want: [400, 'InvalidRequest'] as const },
          { name: `${name}, for parts`, headers: { [header]: `${nine}-1` }, want: [400, 'BadDigest'] as const },
        ]
      }),
      {
        name: 'two, both right',
        headers: Object.fromEntries(ALGORITHMS.slice(0, 2).map(({ name, nine }) => [`x-amz-checksum-${name}`, nine])),
        want: [400, 'InvalidRequest'],
      },
      {
        name: 'one that is not known, and so would not be compared',
        headers: { 'x-amz-checksum-xxhash64': 'AAAAAAAAAAA=' },
        want: [501, 'NotImplemented'],
      },
      {
        name: 'with the names of algorithm and type',
        headers: {
          'x-amz-sdk-checksum-algorithm': 'CRC32',
          'x-amz-checksum-type': 'FULL_OBJECT',
          'x-amz-checksum-crc32': good?.nine ?? '',
        },
        want: [200],
      },
    ]
    for (const { name, headers, want } of rows) {
      t.test(name, async (t) => {
        const oss = await startOss(t)
        t.strictSame(await send(oss, headers), [want[0], want[1]])
        const stored = oss.bucket.keys().length + oss.bucket.uploads.list().reduce((n, { parts }) => n + parts.size, 0)
        t.equal(stored, want[0] === 200 ? 1 : 0)
      })
    }
  })
}

t.test('a stored checksum is returned to clients that ask for it, with the whole object alone', async (t) => {
  const oss = await startOss(t)
  for (const { name, nine } of ALGORITHMS) {
    const header = `x-amz-checksum-${name}`
    const put = await oss.call({ method: 'PUT', body: NINE, headers: { [header]: nine } })
    t.equal(put.headers[header], nine)
    const asking = { 'x-amz-checksum-mode': 'ENABLED' }
    for (const method of ['GET', 'HEAD']) {
      t.equal((await oss.call({ method, headers: asking })).headers[header], nine)
      t.equal((await oss.call({ method })).headers[header], undefined)
    }
    t.equal((await oss.call({ headers: { ...asking, range: 'bytes=0-1' } })).headers[header], undefined)
  }
})

t.test('the SDK compares them by default, in both directions', async (t) => {
  const oss = await startOss(t)
  const s3 = oss.client(OWNER, { requestChecksumCalculation: 'WHEN_SUPPORTED' })
  const where = { Bucket: BUCKET, Key: 'key' }
  for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const) {
    t.equal(await outcome(s3.send(new PutObjectCommand({ ...where, Body: NINE, ChecksumAlgorithm }))), 'ok')
    const got = await s3.send(new GetObjectCommand({ ...where, ChecksumMode: 'ENABLED' }))
    t.equal(await got.Body?.transformToString(), NINE)
  }
  const { checksum } = oss.bucket.get('key') ?? {}
  oss.bucket.put('key', Buffer.from('evil'), new Map(), { checksum })
  await t.rejects(
    s3.send(new GetObjectCommand({ ...where, ChecksumMode: 'ENABLED' })).then(({ Body }) => Body?.transformToString()),
    /Checksum mismatch/u,
  )
})

t.test("a completion's checksum is the object's, not the document's", async (t) => {
  const MIB = 1024 * 1024
  const parts = ['a', 'b'].map((text) => Buffer.alloc(5 * MIB, text))
  const whole = Buffer.concat(parts)
  const sha = (data: Buffer) => createHash('sha256').update(data).digest()
  const ofParts = sha(Buffer.concat(parts.map(sha))).toString('base64')
  const rows: readonly { name: string; checksum: object; want: string }[] = [
    { name: 'of the whole', checksum: { ChecksumCRC64NVME: crc64nvme(whole).toString('base64') }, want: 'ok' },
    { name: 'of another whole', checksum: { ChecksumCRC64NVME: 'AAAAAAAAAAA=' }, want: '400 BadDigest' },
    { name: 'of the parts', checksum: { ChecksumSHA256: `${ofParts}-2` }, want: 'ok' },
    { name: 'of three parts', checksum: { ChecksumSHA256: `${ofParts}-3` }, want: '400 BadDigest' },
    { name: 'of the parts, as if of the whole', checksum: { ChecksumSHA256: ofParts }, want: '400 BadDigest' },
    { name: 'malformed', checksum: { ChecksumSHA256: 'x' }, want: '400 InvalidRequest' },
  ]
  for (const { name, checksum, want } of rows) {
    t.test(name, async (t) => {
      const oss = await startOss(t)
      const { id: UploadId } = oss.bucket.uploads.create('key', new Map())
      const Parts: { PartNumber: number; ETag: string }[] = []
      for (const [index, body] of parts.entries()) {
        const query = { partNumber: String(index + 1), uploadId: UploadId }
        const { headers } = await oss.call({ method: 'PUT', query, body })
        Parts.push({ PartNumber: index + 1, ETag: headers.etag ?? '' })
      }
      const input = { Bucket: BUCKET, Key: 'key', UploadId, MultipartUpload: { Parts }, ...checksum }
      t.equal(await outcome(oss.client(OWNER).send(new CompleteMultipartUploadCommand(input))), want)
      t.strictSame(oss.bucket.keys(), want === 'ok' ? ['key'] : [])
    })
  }
})

t.test('each of them protects a document that deletes', async (t) => {
  const body = '<Delete><Object><Key>key</Key></Object></Delete>'
  const rows = [
    ['x-amz-checksum-sha1', hash('sha1', body), [200, undefined]],
    ['x-amz-checksum-sha1', hash('sha1', 'evil'), [400, 'BadDigest']],
    ['x-amz-checksum-type', 'FULL_OBJECT', [400, 'InvalidRequest']],
  ] as const
  for (const [name, value, want] of rows) {
    const oss = await startOss(t)
    const call = { method: 'POST', path: `/${BUCKET}`, query: { delete: '' }, body }
    const { status, code } = await oss.call({ ...call, headers: { [name]: value } })
    t.strictSame([status, code], want)
  }
})
