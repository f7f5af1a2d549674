import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { startSandbox } from '../../../sandbox/index.ts'
import { allow, BUCKET, type Call, type Oss, startOss } from './harness.ts'

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

/** A client that sends the head of a request and then waits. */
async function start(t: Test, url: string, line: string, headers: Readonly<Record<string, string>>) {
  const socket: Socket = connect(Number(new URL(url).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  let answer = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    answer += chunk
  })
  const closed = once(socket, 'close')
  const head = Object.entries({ expect: '100-continue', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`${line} HTTP/1.1\r\n${head.join('')}\r\n`)
  await once(socket, 'data')
  return {
    socket,
    answer: () => answer,
    /** All that the server sends until it closes the connection. */
    async whole() {
      await closed
      return answer
    },
  }
}

async function listen(t: Test, { handler }: Oss): Promise<string> {
  const server = createServer(handler).on('checkContinue', handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => void server.close().closeAllConnections())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  return `http://127.0.0.1:${address.port}`
}

const keysOf = (oss: Oss) => oss.session(allow(['oss:PutObject'], 'users/alice/*'))
const target = `/${BUCKET}/users/alice/a.txt`

t.test('an authorised client may send its body', async (t) => {
  const oss = await startOss(t)
  const wire = oss.sign({ method: 'PUT', path: target, keys: keysOf(oss), body: 'hello' })
  const client = await start(t, await listen(t, oss), `PUT ${target}`, { ...wire.headers, 'content-length': '5' })
  t.equal(client.answer(), CONTINUE)
  t.strictSame(oss.bucket.keys(), [])
  client.socket.end('hello')
  t.match(await client.whole(), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/u)
  t.equal(oss.bucket.get('users/alice/a.txt')?.body.toString(), 'hello')
})

t.test('a refused client never sends its body', async (t) => {
  type Row = Readonly<{ name: string; call?: Call; headers?: Record<string, string>; later?: number; want: RegExp }>
  const flip = (text = '') => text.replace(/.$/u, (c) => (c === '0' ? '1' : '0'))
  const rows: readonly Row[] = [
    { name: "another user's folder", call: { path: `/${BUCKET}/users/bob/a.txt` }, want: /403.*AccessDenied/su },
    {
      name: 'a wrong signature',
      call: {
        tamper: (wire) => ({ ...wire, headers: { ...wire.headers, authorization: flip(wire.headers.authorization) } }),
      },
      want: /403.*SignatureDoesNotMatch/su,
    },
    { name: 'an expired session', later: 3_600_000, want: /400.*ExpiredToken/su },
    { name: 'a bucket that does not exist', call: { path: '/nowhere/a' }, want: /404.*NoSuchBucket/su },
    { name: 'chunks', call: { payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' }, want: /501.*NotImplemented/su },
    { name: 'encryption', call: { headers: { 'x-amz-server-side-encryption': 'AES256' } }, want: /501/u },
    { name: 'a malformed checksum', call: { headers: { 'x-amz-checksum-crc32': 'x' } }, want: /400.*InvalidRequest/su },
    { name: 'a malformed MD5', call: { headers: { 'content-md5': 'x' } }, want: /400.*InvalidDigest/su },
    { name: 'too many bytes', headers: { 'content-length': String(2 ** 40) }, want: /400.*EntityTooLarge/su },
    {
      name: 'a part of an upload that does not exist',
      call: { query: { partNumber: '1', uploadId: 'x' } },
      want: /404.*NoSuchUpload/su,
    },
  ]
  for (const { name, call, headers, later = 0, want } of rows) {
    t.test(name, async (t) => {
      const oss = await startOss(t)
      const wire = oss.sign({ method: 'PUT', path: target, keys: keysOf(oss), body: 'hello', ...call })
      oss.time.now += later
      const url = `${wire.path}${wire.query && `?${wire.query}`}`
      const head = { ...wire.headers, 'content-length': '5', ...headers }
      const answer = await (await start(t, await listen(t, oss), `PUT ${url}`, head)).whole()
      t.match(answer, want)
      t.notMatch(answer, 'HTTP/1.1 100')
      t.match(answer, /connection: close/iu, 'for nobody knows whether the body follows')
    })
  }
})

t.test('a form must be read first, because its signature is inside', async (t) => {
  const oss = await startOss(t)
  const headers = { host: 'a', 'content-type': 'multipart/form-data; boundary=b', 'content-length': '5' }
  const client = await start(t, await listen(t, oss), `POST /${BUCKET}`, headers)
  t.equal(client.answer(), CONTINUE)
})

t.test('the sandbox is such a server', async (t) => {
  const sandbox = await startSandbox()
  t.teardown(sandbox.close)
  const client = await start(t, sandbox.oss.url, `PUT ${target}`, { host: 'a', 'content-length': '5' })
  t.match(await client.whole(), /^HTTP\/1\.1 403 /u)
})
