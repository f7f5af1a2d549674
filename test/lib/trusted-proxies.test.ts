import t from 'tap'
import { readRanges, trustProxyOf } from '../../src/lib/trusted-proxies.ts'

t.test('addresses that TRUST_PROXY trusts', async (t) => {
  const rows = [
    { ranges: '10.0.0.0/8', from: '10.255.0.1', want: true },
    { ranges: '10.0.0.0/8', from: '11.0.0.1', want: false },
    { ranges: '10.0.0.0/8', from: '::ffff:10.0.0.1', want: true },
    { ranges: '10.0.0.0/8', from: '::ffff:a00:1', want: true },
    { ranges: '10.0.0.0/8', from: '10.0.0.1:4711', want: true },
    { ranges: '10.0.0.0/8', from: '[::ffff:10.0.0.1]:4711', want: true },
    { ranges: '::ffff:10.0.0.0/104', from: '10.0.0.1', want: true },
    { ranges: '::ffff:a00:1', from: '10.0.0.1', want: true },
    { ranges: '10.0.0.1', from: '10.0.0.2', want: false },
    { ranges: '0.0.0.0/7', from: '::1', want: false },
    { ranges: '::/7', from: '127.0.0.1', want: false },
    { ranges: '::192.0.2.1', from: '192.0.2.1', want: false },
    { ranges: '2001:db8::/32', from: '2001:DB8:ffff::1', want: true },
    { ranges: '2001:db8::/32', from: '[2001:db8::1]:4711', want: true },
    { ranges: '2001:db8::/32', from: '2001:db9::1', want: false },
    { ranges: 'fe80::1', from: 'fe80::1%eth0', want: true },
    { ranges: '10.0.0.0/8, 192.0.2.7', from: '192.0.2.7', want: true },
    { ranges: '10.0.0.0/8', from: 'unknown', want: false },
    { ranges: '10.0.0.0/8', from: '', want: false },
    { ranges: '10.0.0.0/8', from: undefined, want: false },
  ]
  for (const { ranges, from, want } of rows) {
    const trust = trustProxyOf(readRanges(ranges.split(', ')) ?? false)
    t.equal(trust !== false && trust(from, 0), want, `${from} by ${ranges}`)
  }
  t.equal(trustProxyOf(false), false)
  const hops = trustProxyOf(2)
  t.strictSame(
    hops !== false && [0, 1, 2].map((hop) => hops('unknown', hop)),
    [true, true, false],
    'a number counts, unseen',
  )
})
