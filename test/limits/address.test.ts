import { normalizeIP } from '@fastify/rate-limit'
import fc from 'fast-check'
import t from 'tap'
import { addressKey } from '../../src/limits/address.ts'

t.test('what an address is counted as', async (t) => {
  const rows = [
    { ip: '203.0.113.9', want: '203.0.113.9' },
    { ip: '203.0.113.9:52012', want: '203.0.113.9' },
    { ip: '::ffff:203.0.113.9', want: '203.0.113.9' },
    { ip: '::FFFF:cb00:7109', want: '203.0.113.9' },
    { ip: '2001:db8:1:2::1', want: '2001:db8:1:2::/64' },
    { ip: '2001:DB8:1:2:ffff:ffff:ffff:ffff', want: '2001:db8:1:2::/64' },
    { ip: '2001:db8:1:3::1', want: '2001:db8:1:3::/64' },
    { ip: '::1', want: '0:0:0:0::/64' },
    { ip: 'fe80::1%eth0', want: 'fe80:0:0:0::/64' },
    { ip: 'fe80::2%eth1', want: 'fe80:0:0:0::/64' },
    { ip: '2001:DB8:0:0::', want: '2001:db8:0:0::/64' },
    { ip: '2001:0db8::192.0.2.1', want: '2001:db8:0:0::/64' },
    { ip: '::', want: '0:0:0:0::/64' },
    { ip: 'unknown', want: 'unknown' },
    { ip: '_hidden', want: 'unknown' },
    { ip: '999.1.1.1:80', want: 'unknown' },
    { ip: '203.0.113.9, 10.0.0.1', want: 'unknown' },
    { ip: 'x'.repeat(10_000), want: 'unknown' },
    { ip: '', want: 'unknown' },
    { ip: undefined, want: 'unknown' },
  ]
  for (const { ip, want } of rows) t.equal(addressKey(ip), want, String(ip).slice(0, 50))
})

t.test('for all addresses, two are one exactly when @fastify/rate-limit takes them for one', async (t) => {
  // Few values, so that many pairs are alike.
  const group = fc.constantFrom('0', '0000', '1', '0001', 'ffff', 'FFFF', 'a')
  const groups = fc.array(group, { minLength: 8, maxLength: 8 })
  const full = groups.map((all) => all.join(':'))
  const short = fc.tuple(groups, fc.nat(7), fc.nat(7)).map(([all, a, b]) => {
    const [from, to] = [Math.min(a, b), Math.max(a, b) + 1]
    return `${all.slice(0, from).join(':')}::${all.slice(to).join(':')}`
  })
  const mapped = fc.ipV4().chain((ip) => fc.constantFrom(ip, `::ffff:${ip}`, `0:0:0:0:0:FFFF:${ip}`, `64:ff9b::${ip}`))
  const address = fc.oneof(full, short, mapped, fc.ipV6())
  fc.assert(
    fc.property(address, address, (one, other) => {
      return (addressKey(one) === addressKey(other)) === (normalizeIP(one, 64) === normalizeIP(other, 64))
    }),
    { numRuns: 2000 },
  )
  const known = fc.sample(address, 1000).map(addressKey)
  t.notOk(known.includes('unknown'), 'and none is taken for something else')
})
