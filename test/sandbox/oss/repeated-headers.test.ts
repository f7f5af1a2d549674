import t from 'tap'
import { startSandbox } from '../../../sandbox/index.ts'
import { sendRaw } from '../../helpers/raw.ts'
import { allow, BUCKET, startOss } from './harness.ts'

const target = `/${BUCKET}/users/alice/a.txt`
const codeOf = (answer: string) => [/^HTTP\/1\.1 (\d+)/u.exec(answer)?.[1], /<Code>(\w+)<\/Code>/u.exec(answer)?.[1]]

t.test('of two values, one could be checked and the other used', async (t) => {
  const rows: readonly { name: string; more: readonly string[]; want: readonly (string | undefined)[] }[] = [
    { name: 'nothing twice', more: [], want: ['200', undefined] },
    { name: 'another host', more: ['host: example.com'], want: ['403', 'SignatureDoesNotMatch'] },
    {
      name: 'the authorization of a stranger',
      more: ['authorization: x'],
      want: ['400', 'AuthorizationHeaderMalformed'],
    },
    { name: 'another date', more: ['x-amz-date: 20260101T000000Z'], want: ['400', 'AuthorizationHeaderMalformed'] },
    { name: 'another token', more: ['x-amz-security-token: x'], want: ['400', 'InvalidToken'] },
    { name: 'another hash', more: ['x-amz-content-sha256: UNSIGNED-PAYLOAD'], want: ['400', 'InvalidArgument'] },
    { name: 'another length', more: ['content-length: 4'], want: ['400', undefined] },
    {
      name: 'a length and chunks',
      more: ['transfer-encoding: chunked'],
      want: ['400', undefined],
    },
    { name: 'a line that continues another', more: [' folded: x'], want: ['400', undefined] },
  ]
  for (const { name, more, want } of rows) {
    t.test(name, async (t) => {
      const oss = await startOss(t)
      const keys = oss.session(allow(['oss:PutObject'], 'users/alice/*'))
      const { headers } = oss.sign({ method: 'PUT', path: target, keys, body: 'hello' })
      const lines = Object.entries({ ...headers, 'content-length': '5' }).map(([one, value]) => `${one}: ${value}`)
      const head = [`PUT ${target} HTTP/1.1`, 'connection: close', ...lines, ...more].join('\r\n')
      t.strictSame(codeOf(await sendRaw(oss.url, `${head}\r\n\r\nhello`)), want)
      t.equal(oss.bucket.keys().length, want[0] === '200' ? 1 : 0)
    })
  }
})

t.test('headers that are too large end the connection, and the servers go on', async (t) => {
  const sandbox = await startSandbox()
  t.teardown(sandbox.close)
  for (const { url } of [sandbox.sts, sandbox.oss]) {
    for (const line of [`x-amz-meta-a: ${'a'.repeat(17_000)}`, 'name: value\r\n'.repeat(5000).trim()]) {
      t.match(await sendRaw(url, `GET / HTTP/1.1\r\nhost: a\r\n${line}\r\n\r\n`), /^HTTP\/1\.1 431 /u)
    }
    t.ok((await fetch(url)).status < 500)
  }
})
