import { readFileSync } from 'node:fs'
import t from 'tap'
import { z } from 'zod'
import { claims, mint } from '../helpers/tokens.ts'
import { startSigning } from '../presigned/harness.ts'

const page = readFileSync('docs/presigned.md', 'utf8')
const code = [...page.matchAll(/^```js\n(.*?)^```$/gmsu)].map(([, block = '']) => block).join('\n')

type Upload = (token: string, ...rest: unknown[]) => Promise<void>
const isUpload = (value: unknown): value is Upload => typeof value === 'function'
const moduleSchema = z.object({
  upload: z.custom<Upload>(isUpload),
  uploadLarge: z.custom<Upload>(isUpload),
  uploadForm: z.custom<Upload>(isUpload),
})

t.test('the code of the page uploads', async (t) => {
  const { app, bucket } = await startSigning(t)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const local = code.replace('https://vend.example.com', url).replace('16 * 1024 * 1024', '5 * 1024 * 1024')
  t.not(local, code)
  const loaded: unknown = await import(`data:text/javascript,${encodeURIComponent(local)}`)
  const { upload, uploadLarge, uploadForm } = moduleSchema.parse(loaded)
  const token = mint(claims())

  await upload(token, 'users/alice/photo.jpg', new Blob(['jpeg'], { type: 'image/jpeg' }))
  t.equal(bucket.get('users/alice/photo.jpg')?.body.toString(), 'jpeg')
  t.equal(bucket.get('users/alice/photo.jpg')?.metadata.get('content-type'), 'image/jpeg')
  await t.rejects(upload(token, 'users/bob/photo.jpg', new Blob(['x'])), { message: 'key_not_allowed' })

  const film = Buffer.alloc(11 * 1024 * 1024, 'film')
  const progress: number[] = []
  await uploadLarge(token, 'users/alice/film.mp4', new Blob([film]), (part: number) => progress.push(part))
  t.ok(bucket.get('users/alice/film.mp4')?.body.equals(film))
  t.strictSame(progress, [1 / 3, 2 / 3, 1])

  await uploadForm(token, new File(['png'], 'a.png', { type: 'image/png' }))
  t.equal(bucket.get('users/alice/a.png')?.body.toString(), 'png')
  await t.rejects(uploadForm(token, new File([Buffer.alloc(11 * 1024 * 1024)], 'b.png', { type: 'image/png' })), {
    message: 'OSS answered 400',
  })
})
