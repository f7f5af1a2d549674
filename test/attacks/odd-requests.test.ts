import { connect } from 'node:net'
import t from 'tap'
import { build } from '../helpers/build.ts'
import { sendRaw } from '../helpers/raw.ts'
import { claims, mint } from '../helpers/tokens.ts'

const authorization = `Bearer ${mint(claims({ scope: 'oss.upload oss.files' }))}`
const CREDENTIALS = '/v1/credentials'
const CONTAINER = '/v1/aws/container-credentials'

type Row = Readonly<{
  name: string
  method?: string
  path?: string
  body?: string | Buffer
  headers?: string
  want: string
}>

/** The bytes of a request with a good token, and what its path and its body say. */
function bytesOf({ method = 'POST', path = CREDENTIALS, body = '', headers = '' }: Row): Buffer {
  const bytes = Buffer.from(body)
  const length = bytes.length > 0 ? `content-type: application/json\r\ncontent-length: ${bytes.length}\r\n` : ''
  const head = `${method} ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n${headers}${length}connection: close\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes])
}

t.test('no odd text, number, encoding or path has a second meaning', async (t) => {
  const { app, asked, logs } = await build(t)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const sign = { path: '/v1/presigned-urls' }
  const rows: readonly Row[] = [
    { name: 'half a surrogate pair in a name', body: '{"policy":"\\ud800"}', want: '400 /policy' },
    { name: 'in a parameter', body: '{"policy":"album-upload","params":{"album":"\\ud800"}}', want: '422' },
    {
      name: 'in the name of a parameter',
      body: '{"policy":"album-upload","params":{"\\udfff":"x"}}',
      want: '400 /params/\udfff',
    },
    { name: 'in the name of a field', body: '{"policy":"user-upload","\\ud800":1}', want: '400 /\ud800' },
    {
      name: 'in a prefix',
      body: '{"policy":"user-upload","restrictTo":{"prefix":"\\ud800"}}',
      want: '400 /restrictTo/prefix',
    },
    {
      name: 'in a key',
      ...sign,
      body: '{"policy":"user-upload","operation":"PutObject","key":"users/alice/\\ud800"}',
      want: '400 /key',
    },
    {
      name: 'in a key to explain',
      path: '/v1/policies/user-upload/explain',
      body: '{"operation":"PutObject","key":"users/alice/\\ud800"}',
      want: '400 /key',
    },
    { name: 'a null byte in a name', body: '{"policy":"user-upload\\u0000"}', want: '400 /policy' },
    {
      name: 'in a key, escaped',
      ...sign,
      body: '{"policy":"user-upload","operation":"PutObject","key":"users/alice/\\u0000"}',
      want: '400 /key',
    },
    { name: 'in the JSON', body: '{"policy":"user-upload\0"}', want: '400' },
    { name: 'in a query', method: 'GET', path: `${CONTAINER}/album-upload?album=%00`, want: '422' },
    { name: 'in a path', method: 'GET', path: `${CONTAINER}/user-upload%00`, want: '400 /policy' },
    {
      name: 'bytes that are not UTF-8, in a text',
      ...sign,
      body: Buffer.from('{"policy":"user-upload","operation":"PutObject","key":"users/alice/\xff"}', 'latin1'),
      want: '400',
    },
    { name: 'UTF-16', body: Buffer.from('{"policy":"user-upload"}', 'utf16le'), want: '400' },
    {
      name: 'a number beyond all numbers',
      body: '{"policy":"user-upload","durationSeconds":1e400}',
      want: '400 /durationSeconds',
    },
    {
      name: 'a number that is rounded',
      body: '{"policy":"album-upload","params":{"album":9007199254740993}}',
      want: '400 /params/album',
    },
    {
      name: 'a number of 5,000 digits',
      body: `{"policy":"album-upload","params":{"album":${'9'.repeat(5000)}}}`,
      want: '400 /params/album',
    },
    { name: 'hexadecimal', body: '{"policy":"user-upload","durationSeconds":0xe10}', want: '400' },
    { name: 'a parameter twice', method: 'GET', path: `${CONTAINER}/album-upload?album=a&album=a`, want: '400' },
    {
      name: 'twice, once in disguise',
      method: 'GET',
      path: `${CONTAINER}/album-upload?album=a&%61lbum=b`,
      want: '400',
    },
    {
      name: 'half a surrogate pair in a query',
      method: 'GET',
      path: `${CONTAINER}/album-upload?album=%ED%A0%80`,
      want: '400',
    },
    { name: 'a slash in two bytes', method: 'GET', path: `${CONTAINER}/album-upload?album=a%C0%AFb`, want: '400' },
    { name: 'a slash in a path, encoded', method: 'GET', path: `${CONTAINER}/user%2Fupload`, want: '400 /policy' },
    { name: 'a parameter of a path segment', method: 'GET', path: `${CONTAINER}/user-upload;x=1`, want: '400 /policy' },
    { name: 'two slashes', method: 'GET', path: '//v1/policies', want: '404' },
    { name: 'a backslash', method: 'GET', path: '/v1\\policies', want: '404' },
    { name: 'dots', method: 'GET', path: '/v1/../v1/policies', want: '404' },
    { name: 'the whole server', method: 'OPTIONS', path: '*', want: '404' },
    { name: 'a method in a header', path: '/v1/policies', headers: 'x-http-method-override: GET\r\n', want: '405' },
  ]
  for (const row of rows) {
    t.test(row.name, async (t) => {
      const [status = '', body = ''] = (await send(url, bytesOf(row)))
        .split(/^HTTP\/1\.1 (\d+)[\s\S]*?\r\n\r\n/u)
        .slice(1)
      const { errors = [], ...told } = JSON.parse(body)
      t.equal([status, ...errors.slice(0, 1).map(({ pointer }: { pointer: string }) => pointer)].join(' '), row.want)
      t.equal(String(told.status), status)
    })
  }
  t.strictSame(asked, [], 'STS was never asked')
  t.strictSame(
    logs.lines().filter(({ msg }) => msg === 'unexpected error'),
    [],
  )
})

t.test('TRACE gives nothing of a request back', async (t) => {
  const { app } = await build(t)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const answer = await sendRaw(
    url,
    `TRACE /v1/policies HTTP/1.1\r\nhost: x\r\nx-planted: planted\r\nconnection: close\r\n\r\n`,
  )
  t.match(answer, /^HTTP\/1\.1 405 /u)
  t.notMatch(answer, 'planted')
})

t.test('CONNECT opens no tunnel', async (t) => {
  const { app } = await build(t)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.equal(await sendRaw(url, 'CONNECT 127.0.0.1:1 HTTP/1.1\r\nhost: 127.0.0.1:1\r\n\r\n'), '')
})

function send(url: string, bytes: Buffer): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(bytes))
    const parts: Buffer[] = []
    socket.on('data', (part) => parts.push(part))
    socket.on('close', () => resolve(Buffer.concat(parts).toString()))
    socket.on('error', reject)
  })
}
