import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import t from 'tap'
import { build } from './helpers/build.ts'
import { claims, mint } from './helpers/tokens.ts'

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ family }) => family === 'IPv6'),
)

/** The status of an answer to a client with this address, which connects to loopback. */
const statusFor = (client: string, port: string, header = '') =>
  new Promise<string>((resolve, reject) => {
    let answer = ''
    const host = client === '::1' ? '::1' : '127.0.0.1'
    const socket = connect({ port: Number(port), host, localAddress: client }, () => {
      socket.write(`GET /nope HTTP/1.1\r\nhost: a\r\n${header}connection: close\r\n\r\n`)
    })
    socket.on('data', (chunk) => (answer += chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(answer.slice(9, 12)))
  })

t.test(
  'HOST=:: serves IPv4 and IPv6, each address with limits of its own',
  { skip: !hasIpv6 && 'no IPv6 here' },
  async (t) => {
    // The clock stands still, so no window ends.
    const { app } = await build(t, {
      env: { HOST: '::', RATE_LIMIT_ADDRESS_PER_MINUTE: '2' },
      dependencies: { now: () => 1_000_000 },
    })
    const { port } = new URL(await app.listen({ host: '::', port: 0 }))
    const both = async (host: string) => [await statusFor(host, port), await statusFor(host, port)]
    t.strictSame(await both('127.0.0.1'), ['404', '404'])
    t.equal(await statusFor('127.0.0.1', port), '429', 'the limit of IPv4')
    t.equal(await statusFor('127.0.0.2', port), '404', 'is not that of another IPv4 address')
    t.strictSame(await both('::1'), ['404', '404'], 'nor that of IPv6')
    t.equal(await statusFor('::1', port), '429')
  },
)

t.test('a load balancer on IPv4 is known on ::', { skip: !hasIpv6 && 'no IPv6 here' }, async (t) => {
  const { app } = await build(t, {
    env: { HOST: '::', TRUST_PROXY: '127.0.0.1', RATE_LIMIT_ADDRESS_PER_MINUTE: '1' },
    dependencies: { now: () => 1_000_000 },
  })
  const { port } = new URL(await app.listen({ host: '::', port: 0 }))
  const from = (address: string, by = '127.0.0.1') => statusFor(by, port, `x-forwarded-for: ${address}\r\n`)
  t.strictSame([await from('192.0.2.1'), await from('192.0.2.2')], ['404', '404'])
  t.equal(await from('192.0.2.1'), '429')
  t.strictSame([await from('192.0.2.3', '::1'), await from('192.0.2.4', '::1')], ['404', '429'], 'a stranger is not')
})

t.test('a token is good on either', { skip: !hasIpv6 && 'no IPv6 here' }, async (t) => {
  const { app } = await build(t)
  const { port } = new URL(await app.listen({ host: '::', port: 0 }))
  for (const host of ['127.0.0.1', '[::1]']) {
    const response = await fetch(`http://${host}:${port}/v1/policies`, {
      headers: { authorization: `Bearer ${mint(claims())}` },
    })
    t.equal(response.status, 200, host)
    await response.body?.cancel()
  }
})
