import t from 'tap'
import { readConfig } from '../../src/config/config.ts'
import { environment } from '../helpers/build.ts'
import { createAuthority } from '../helpers/certificates.ts'
import { configError, faultLines, onlyTargetIn } from '../helpers/config-faults.ts'

const [one, two] = [await createAuthority('one'), await createAuthority('two')]
const outboundOf = (env: Record<string, string>) => readConfig({ ...environment, ...env }).outbound
const PROXY = 'must be the http:// or https:// address of a proxy, without a path'

t.test('the proxy of the service', async (t) => {
  const rows: { name: string; env: Record<string, string>; want?: string }[] = [
    { name: 'none', env: {} },
    { name: 'HTTPS_PROXY', env: { HTTPS_PROXY: 'http://a.test:1' }, want: 'http://a.test:1' },
    { name: 'HTTP_PROXY alone', env: { HTTP_PROXY: 'http://b.test:1' }, want: 'http://b.test:1' },
    { name: 'both', env: { HTTP_PROXY: 'http://b.test:1', HTTPS_PROXY: 'http://a.test:1' }, want: 'http://a.test:1' },
    { name: 'in lower case', env: { https_proxy: 'http://a.test:1' }, want: 'http://a.test:1' },
    { name: 'http_proxy', env: { http_proxy: 'http://b.test:1' }, want: 'http://b.test:1' },
    {
      name: 'in both cases',
      env: { https_proxy: 'http://b.test:1', HTTPS_PROXY: 'http://a.test:1' },
      want: 'http://a.test:1',
    },
    { name: 'that of other protocols', env: { ALL_PROXY: 'http://a.test:1', FTP_PROXY: 'http://a.test:1' } },
  ]
  for (const { name, env, want } of rows) t.equal(outboundOf(env).proxy?.origin, want, name)
  t.equal(outboundOf({ no_proxy: 'a.test' }).noProxy, 'a.test')
  t.equal(outboundOf({}).noProxy, '')
})

t.test('the proxy can stand in a file', async (t) => {
  const dir = t.testdir({ proxy: 'http://me:word@a.test:1\n' })
  t.strictSame(outboundOf({ HTTPS_PROXY_FILE: `${dir}/proxy` }).proxy, {
    origin: 'http://a.test:1',
    authorization: 'Basic bWU6d29yZA==',
  })
  const both = { HTTPS_PROXY_FILE: `${dir}/proxy`, https_proxy: 'http://a.test:1' }
  t.strictSame(faultLines(both), ['HTTPS_PROXY: must not be set beside HTTPS_PROXY_FILE'])
})

t.test('an address that is not one of a proxy is a fault, which does not quote it', async (t) => {
  for (const name of ['HTTPS_PROXY', 'HTTP_PROXY']) {
    for (const value of [
      'SENTINEL.test:3128',
      'socks5://SENTINEL.test',
      'http://me:SENTINEL/@a.test',
      'http://a.test/SENTINEL',
    ]) {
      const error = configError({ [name]: value })
      t.strictSame(
        error?.faults.map(({ variable, rule }) => `${variable}: ${rule}`),
        [`${name}: ${PROXY}`],
      )
      t.notMatch(error?.message, /SENTINEL/u)
    }
  }
  t.strictSame(faultLines({ https_proxy: 'a.test:3128' }), [`HTTPS_PROXY: ${PROXY}`], 'in lower case too')
})

t.test('variables of other programs are no typing errors', async (t) => {
  const names = ['http', 'https', 'ftp', 'ftps', 'all', 'no', 'npm', 'ws', 'wss', 'rsync', 'socks', 'grpc']
  const env = Object.fromEntries(
    names.flatMap((name) => [`${name}_proxy`, `${name}_proxy`.toUpperCase()].map((one) => [one, 'http://a.test:1'])),
  )
  t.strictSame(faultLines(env), [])
  for (const name of ['HTPPS_PROXY', 'HTTPSPROXY', 'TRUTS_PROXY', 'EXTRA_CA']) {
    t.match(faultLines({ [name]: 'x' }), [`${name}: is not a variable of this service`], name)
  }
})

t.test('EXTRA_CA_FILE', async (t) => {
  const dir = t.testdir({
    one: one.pem,
    two: `# our authorities\n${one.pem}\nand\r\n${two.pem.replaceAll('\n', '\r\n')}`,
    node: two.pem,
    empty: '\n',
    text: 'not a certificate',
    half: one.pem.slice(0, -40),
    broken: `${one.pem}${two.pem.replace(/\n.{20}/u, '\n')}`,
    other: `${one.pem}-----BEGIN TRUSTED CERTIFICATE-----\nMII=\n-----END TRUSTED CERTIFICATE-----\n`,
    key: (await one.certify('a.test')).key,
  })
  const count = (env: Record<string, string>) => outboundOf(env).authorities.length
  t.equal(count({}), 0)
  t.equal(count({ EXTRA_CA_FILE: `${dir}/one` }), 1)
  t.equal(count({ EXTRA_CA_FILE: `${dir}/two` }), 2)
  t.equal(count({ EXTRA_CA_FILE: `${dir}/one`, NODE_EXTRA_CA_CERTS: `${dir}/node` }), 2, 'it adds to those of Node')
  t.equal(count({ NODE_EXTRA_CA_CERTS: `${dir}/node` }), 0, 'which Node reads alone')
  t.equal(count({ EXTRA_CA_FILE: `${dir}/one`, NODE_EXTRA_CA_CERTS: `${dir}/none` }), 1, 'and of which it only warns')
  const notPem = ['EXTRA_CA_FILE: must name a file of one or more certificates in PEM']
  for (const name of ['empty', 'text', 'half', 'broken', 'other', 'key']) {
    t.strictSame(faultLines({ EXTRA_CA_FILE: `${dir}/${name}` }), notPem, name)
  }
  for (const name of ['none', '']) {
    t.strictSame(faultLines({ EXTRA_CA_FILE: `${dir}/${name}` }), ['EXTRA_CA_FILE: must name a readable file'])
  }
})

t.test('JDCLOUD_STS_SIGN_HOST', async (t) => {
  const hostOf = (value: string) => {
    const { sts } = onlyTargetIn(readConfig({ ...environment, JDCLOUD_STS_SIGN_HOST: value }))
    return sts.kind === 'jdcloud' ? sts.signHost : t.fail('another source')
  }
  t.equal(hostOf(''), undefined)
  t.equal(hostOf('STS.jdcloud-api.com'), 'sts.jdcloud-api.com')
  t.equal(hostOf('sts.test:8443'), 'sts.test:8443')
  for (const bad of ['https://sts.test', 'sts.test/', 'sts.test:', 'a b', 'me@sts.test', '-a', 'a\r\nb']) {
    t.strictSame(faultLines({ JDCLOUD_STS_SIGN_HOST: bad }), [
      'JDCLOUD_STS_SIGN_HOST: must be the host that STS sees in the Host header, without a scheme or a path',
    ])
  }
})
