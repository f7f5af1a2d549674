import t from 'tap'
import { BUCKET, startOss } from './harness.ts'

t.test('keys are literal', async (t) => {
  const oss = await startOss(t)
  const rows: readonly { name: string; path: string; signedPath?: string; want: string }[] = [
    { name: 'dot dot', path: 'users/alice/../bob/x', want: 'users/alice/../bob/x' },
    {
      name: 'encoded dot dot',
      path: 'users/alice/%2e%2e/bob',
      signedPath: 'users/alice/../bob',
      want: 'users/alice/../bob',
    },
    { name: 'empty segments', path: '/a//b/', want: '/a//b/' },
    { name: 'a dot', path: './a', want: './a' },
    { name: 'a plus', path: 'a+b', signedPath: 'a%2Bb', want: 'a+b' },
    { name: 'an encoded percent is decoded once', path: 'a%252Fb', want: 'a%2Fb' },
    { name: 'an encoded slash is a slash', path: 'a%2Fb', signedPath: 'a/b', want: 'a/b' },
    { name: 'beyond U+FFFF', path: '%F0%9F%98%80', want: '😀' },
    { name: 'a name from Object.prototype', path: '__proto__', want: '__proto__' },
    { name: 'control characters', path: 'a%00%0D%0A', want: 'a\0\r\n' },
    {
      name: 'raw characters that should have been encoded',
      path: 'a|b"c{}',
      signedPath: 'a%7Cb%22c%7B%7D',
      want: 'a|b"c{}',
    },
    { name: '1024 bytes', path: '%C3%A4'.repeat(512), want: 'ä'.repeat(512) },
  ]
  for (const { name, path, signedPath = path, want } of rows) {
    t.test(name, async (t) => {
      const call = { path: `/${BUCKET}/${path}`, signedPath: `/${BUCKET}/${signedPath}` }
      t.equal((await oss.call({ ...call, method: 'PUT', body: name })).status, 200)
      t.strictSame(oss.bucket.keys(), [want])
      t.equal((await oss.call(call)).text, name)
      t.equal((await oss.call({ ...call, method: 'DELETE' })).status, 204)
      t.strictSame(oss.bucket.keys(), [])
    })
  }
})

t.test('paths that are not keys', async (t) => {
  const oss = await startOss(t)
  const rows: readonly { name: string; path: string; want: readonly [number, string] }[] = [
    { name: '1025 bytes', path: `/${BUCKET}/${'a'.repeat(1025)}`, want: [400, 'KeyTooLongError'] },
    { name: 'a percent sign alone', path: `/${BUCKET}/100%`, want: [400, 'InvalidURI'] },
    { name: 'no UTF-8', path: `/${BUCKET}/%FF`, want: [400, 'InvalidURI'] },
    { name: 'an overlong slash', path: `/${BUCKET}/%C0%AF`, want: [400, 'InvalidURI'] },
    { name: 'half a surrogate pair', path: `/${BUCKET}/%ED%A0%80`, want: [400, 'InvalidURI'] },
    { name: 'an absolute URL', path: `http://elsewhere.example/${BUCKET}/a`, want: [400, 'InvalidURI'] },
    { name: 'a missing bucket', path: '/nobody/a', want: [404, 'NoSuchBucket'] },
    { name: 'a bucket without a name', path: '//a', want: [404, 'NoSuchBucket'] },
  ]
  for (const { name, path, want } of rows) {
    t.test(name, async (t) => {
      const { status, code } = await oss.call({ method: 'PUT', path, body: 'x' })
      t.strictSame([status, code], want)
      t.strictSame(oss.bucket.keys(), [])
    })
  }
})
