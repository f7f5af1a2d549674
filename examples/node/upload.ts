/** Uploads to JD Cloud OSS with credentials from oss-vend. Run it by `npx tsx upload.ts`. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { GetObjectCommand, PutObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { fromOssVend } from './from-oss-vend.ts'

const tokenFile = env('OSS_VEND_TOKEN_FILE')
const [Bucket, folder, foreign] = [env('OSS_BUCKET'), env('OSS_FOLDER'), env('OSS_FOREIGN_FOLDER')]

const s3 = new S3Client({
  endpoint: env('AWS_ENDPOINT_URL_S3'),
  region: env('AWS_REGION'),
  forcePathStyle: true,
  requestChecksumCalculation: 'WHEN_REQUIRED',
  credentials: fromOssVend({
    url: env('OSS_VEND_URL'),
    policy: env('OSS_VEND_POLICY'),
    token: async () => (await readFile(tokenFile, 'utf8')).trim(),
  }),
})

async function put(Key: string, Body: string) {
  await s3.send(new PutObjectCommand({ Bucket, Key, Body }))
  console.log('uploaded', Key)
}

async function main() {
  await put(`${folder}hello.txt`, 'hello')

  const film = randomBytes(12 << 20)
  const Key = `${folder}film.bin`
  await new Upload({ client: s3, params: { Bucket, Key, Body: film }, partSize: 5 << 20 }).done()
  console.log('uploaded', Key, 'in parts')

  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
  const downloaded = await Body?.transformToByteArray()
  if (!downloaded || !film.equals(downloaded)) throw new Error(`${Key} has changed on its way`)
  console.log('downloaded', Key)

  const refusal = await put(`${foreign}hello.txt`, 'hello').catch((error: unknown) => error)
  if (!(refusal instanceof S3ServiceException)) throw new Error(`${foreign}hello.txt should have been refused`)
  console.log(`refused ${foreign}hello.txt: ${refusal.name}, ${refusal.message}`)

  console.log('press Enter to upload again, an hour later if you like')
  await once(process.stdin, 'data')
  process.stdin.pause()
  await put(`${folder}again.txt`, 'hello again')
}

function env(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set`)
  return value
}

/** `fetch` fails with one message for all reasons, and puts the reason into `cause`: ECONNREFUSED, ENOTFOUND. */
function reasonOf({ cause }: Error): string {
  return cause instanceof Error && 'code' in cause ? `: ${cause.code}` : ''
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? `${error.message}${reasonOf(error)}` : error)
  process.exitCode = 1
})
