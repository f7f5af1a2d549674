import t, { type Test } from 'tap'
import { build } from '../helpers/build.ts'
import { configFaults } from '../helpers/config-faults.ts'

/** The app that lets each client ask once a minute, behind these proxies. */
async function behind(t: Test, trust: string) {
  let time = 1_000_000
  const { app, logs } = await build(t, {
    env: { RATE_LIMIT_ADDRESS_PER_MINUTE: '1', TRUST_PROXY: trust },
    dependencies: { now: () => time },
  })
  const from = async (forwarded: string | string[] | undefined, peer = '10.0.0.1') => {
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
    return (await app.inject({ url: '/nope', headers, remoteAddress: peer })).statusCode
  }
  const warnings = () => logs.lines().filter(({ level }) => level === 40)
  return { app, from, warnings, nextMinute: () => (time += 60_000) }
}

/** The same client twice, and another that must not be taken for it, as a proxy may write them. */
const written = [
  { name: 'IPv4', one: '192.0.2.1', again: '192.0.2.1', other: '192.0.2.2' },
  { name: 'IPv4 with port', one: '192.0.2.1:4711', again: '192.0.2.1:4712', other: '192.0.2.2:4711' },
  { name: 'IPv4 with leading zeros', one: '192.000.002.001', again: '192.0.2.1', other: '192.000.002.002' },
  { name: 'IPv4-mapped', one: '::ffff:192.0.2.1', again: '192.0.2.1', other: '::ffff:192.0.2.2' },
  { name: 'IPv4-mapped in hex', one: '::ffff:c000:201', again: '192.0.2.1', other: '::ffff:c000:202' },
  { name: 'IPv4-mapped with port', one: '[::ffff:c000:201]:1', again: '192.0.2.1:2', other: '[::ffff:c000:202]:1' },
  { name: 'IPv6', one: '2001:db8::1', again: '2001:db8::2', other: '2001:db8:0:1::1' },
  { name: 'IPv6 in brackets', one: '[2001:db8::1]', again: '2001:db8::1', other: '[2001:db8:0:1::1]' },
  { name: 'IPv6 with port', one: '[2001:db8::1]:4711', again: '[2001:db8::1]:4712', other: '[2001:db8:0:1::1]:4711' },
  { name: 'IPv6 in upper case', one: '2001:DB8:A::1', again: '2001:db8:a::1', other: '2001:DB8:B::1' },
  {
    name: 'IPv6 with leading zeros',
    one: '2001:0db8:0000::0001',
    again: '2001:db8::1',
    other: '2001:0db8:0000:0001::',
  },
  { name: 'IPv6 with a zone', one: 'fe80:0:0:1::1%eth0', again: 'fe80:0:0:1::1%eth1.7', other: 'fe80:0:0:2::1%eth0' },
  { name: 'spaces around', one: ' \t192.0.2.1  ', again: '192.0.2.1', other: '  192.0.2.2 ' },
  { name: 'empty entries', one: ', ,192.0.2.1', again: '192.0.2.1', other: ', ,192.0.2.2' },
  { name: 'empty entries behind', one: '192.0.2.1, ,', again: '192.0.2.1', other: '192.0.2.2, ,' },
  { name: 'what a stranger says before', one: '6.6.6.6, 192.0.2.1', again: '7.7.7.7,192.0.2.1', other: '192.0.2.2' },
]

t.test('each client is one client, however its proxy writes its address', async (t) => {
  for (const trust of ['1', '10.0.0.0/8']) {
    const { from, nextMinute } = await behind(t, trust)
    for (const peer of ['10.0.0.1', '::ffff:10.0.0.1', '::ffff:a00:1']) {
      for (const { name, one, again, other } of written) {
        t.test(`${name}, by ${peer} and TRUST_PROXY=${trust}`, async (t) => {
          nextMinute()
          t.equal(await from(one, peer), 404)
          t.equal(await from(again, peer), 429, 'it is the same')
          t.equal(await from(other, peer), 404, 'and another is not')
        })
      }
    }
  }
})

t.test('a proxy in the middle is found, however the next one writes its address', async (t) => {
  const middles = ['10.0.0.2', '10.0.0.2:4711', '::ffff:10.0.0.2', '[::ffff:a00:2]:4711', '[fd00::2]:4711', 'FD00::2']
  for (const trust of ['2', '10.0.0.0/8, fd00::/8']) {
    const { from, nextMinute } = await behind(t, trust)
    for (const middle of middles) {
      t.test(`${middle}, TRUST_PROXY=${trust}`, async (t) => {
        nextMinute()
        t.equal(await from(`192.0.2.1, ${middle}`), 404)
        t.equal(await from(`6.6.6.6, 192.0.2.1, ${middle}`), 429, 'what stands before is not believed')
        t.equal(await from(`192.0.2.2, ${middle}`), 404)
      })
    }
  }
})

t.test('clients whose address is hidden are not one client everywhere', async (t) => {
  for (const trust of ['1', '10.0.0.0/8']) {
    const { from, nextMinute } = await behind(t, trust)
    for (const hidden of ['unknown', '_hidden', '"192.0.2.1', 'x'.repeat(5000), '1'.repeat(5000), '999.0.2.1', '::g']) {
      t.test(`${hidden.slice(0, 20)}, TRUST_PROXY=${trust}`, async (t) => {
        nextMinute()
        t.equal(await from(hidden, '10.0.0.1'), 404)
        t.equal(await from(`_other-${hidden}`, '10.0.0.1'), 429, 'those of one proxy are')
        t.equal(await from(hidden, '10.0.0.2'), 404, 'those of another are not')
        t.equal(await from('192.0.2.1', '10.0.0.1'), 404, 'and one that is known is itself')
      })
    }
  }
})

t.test('a stranger cannot speak for a proxy', async (t) => {
  const { from } = await behind(t, '10.0.0.0/8')
  const stranger = '203.0.113.9'
  t.equal(await from('192.0.2.1', stranger), 404)
  for (const claim of ['192.0.2.2', '10.0.0.1', '192.0.2.3, 10.0.0.1', '[::ffff:10.0.0.1]:1', 'unknown']) {
    t.equal(await from(claim, stranger), 429, claim)
  }
})

t.test('TRUST_PROXY that is everybody, or a slip, is refused', async (t) => {
  const refused = [
    '0.0.0.0/0',
    '::/0',
    '0.0.0.0/1,128.0.0.0/1',
    '128.0.0.0/1',
    '0.0.0.0/2, 64.0.0.0/2, 128.0.0.0/2, 192.0.0.0/2',
    Array.from({ length: 256 }, (_, i) => `${i}.0.0.0/8`).join(),
    '::/1,8000::/1',
    '::/1, ::1',
    '2000::/3',
    '2000::/4, 3000::/4',
    '2400::/6',
    '2400::/7',
    '2600::/7',
    '2400::/12',
    '2400::/16',
    '2002::/16',
    '2400::/17, 2600::/17',
    `10.0.0.0/8, ${Array.from({ length: 16 }, (_, i) => `2a0${i.toString(16)}::/20`).join()}`,
    '::ffff:0:0/96',
    '::ffff:0.0.0.0/96',
    '::ffff:0:0/97, ::ffff:8000:0/97',
    '::ffff:0:0/95',
    '10.0.0.7/8',
    '10.0.0.1/31',
    '2001:db8::1/64',
    '::ffff:10.0.0.7/104',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/',
    '10.0.0.0/255.0.0.0',
    '10.0.0.0/-1',
    '2001:db8::/129',
    '010.0.0.1',
    '10.1',
    '167772161',
    '0x0a000001',
    '10.0.0.1:80',
    '[2001:db8::1]',
    'fe80::1%eth0',
    'fe80::%eth0/64',
    'loopback',
    'unknown',
    '*',
    '10.0.0.1, unknown',
    '٣',
  ]
  for (const value of refused) {
    const [fault] = configFaults({ TRUST_PROXY: value })
    t.equal(fault?.variable, 'TRUST_PROXY', value.slice(0, 40))
  }
  const accepted = [
    '10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16',
    '10.0.0.0/8, 10.0.0.0/8, 10.0.0.0/9, 10.1.0.0/16, ::ffff:10.0.0.0/104, 10.0.0.0/8',
    'fc00::/7, fe80::/10, ::1',
    '2400:cb00::/32, 2606:4700::/32, 2803:f800::/32, 2a06:98c0::/29, 2600:1900::/28, 2600:9000::/28',
    '2400::/17, fc00::/7',
    '2001:DB8::/32, 2001:db8:0000::',
    '10.0.0.7/32',
    '::ffff:10.0.0.7',
    '::192.0.2.1/128',
  ]
  for (const value of accepted) t.strictSame(configFaults({ TRUST_PROXY: value }), [], value)
})

t.test('proxies that TRUST_PROXY does not fit are told of, once', async (t) => {
  const rows: readonly {
    name: string
    trust: string
    headers: Readonly<Record<string, string>>
    url?: string
    want?: Readonly<Record<string, unknown>>
  }[] = [
    { name: 'no proxy, none expected', trust: '', headers: {} },
    ...['x-forwarded-for', 'forwarded', 'x-real-ip'].map((header) => ({
      name: `${header}, none expected`,
      trust: '',
      headers: { [header]: 'for=192.0.2.1' },
      want: { header, address: '10.0.0.1', msg: /TRUST_PROXY does not name/u },
    })),
    { name: 'the one expected', trust: '10.0.0.1', headers: { 'x-forwarded-for': '192.0.2.1' } },
    { name: 'as many as expected', trust: '1', headers: { 'x-forwarded-for': '192.0.2.1', 'x-real-ip': '192.0.2.1' } },
    {
      name: 'another than expected',
      trust: '10.0.0.2',
      headers: { 'x-forwarded-for': '192.0.2.1' },
      want: { header: 'x-forwarded-for', address: '10.0.0.1', msg: /TRUST_PROXY does not name/u },
    },
    { name: 'a stranger beside the one expected', trust: '10.0.0.2', headers: {} },
    ...['10.0.0.1', '1'].map((trust) => ({
      name: `no header, TRUST_PROXY=${trust}`,
      trust,
      headers: {},
      want: { address: '10.0.0.1', msg: /TRUST_PROXY names sends no X-Forwarded-For/u },
    })),
    {
      name: 'a header that is not read',
      trust: '10.0.0.1',
      headers: { 'x-real-ip': '192.0.2.1' },
      want: { header: 'x-real-ip', msg: /sends no X-Forwarded-For/u },
    },
    { name: 'a probe of the proxy', trust: '10.0.0.1', headers: {}, url: '/readyz' },
  ]
  for (const { name, trust, headers, url = '/nope', want } of rows) {
    t.test(name, async (t) => {
      const { app, warnings } = await behind(t, trust)
      for (let i = 0; i < 3; i++) await app.inject({ url, headers, remoteAddress: '10.0.0.1' })
      t.equal(warnings().length, want ? 1 : 0)
      if (want) t.match(warnings()[0], want)
    })
  }
})

t.test('two clients behind a proxy that nobody trusts share a limit, and the log says why', async (t) => {
  const { from, warnings } = await behind(t, '')
  t.equal(await from('192.0.2.1'), 404)
  t.equal(await from('192.0.2.2'), 429)
  t.equal(warnings().length, 1, 'also when the request is refused')
})
