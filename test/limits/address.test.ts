import t from 'tap'
import { addressKey } from '../../src/limits/address.ts'

t.test('what an address is counted as', async (t) => {
  const rows = [
    { ip: '203.0.113.9', want: '203.0.113.9' },
    { ip: '203.0.113.9:52012', want: '203.0.113.9' },
    { ip: '::ffff:203.0.113.9', want: '203.0.113.9' },
    { ip: '::FFFF:cb00:7109', want: '203.0.113.9' },
    { ip: '2001:db8:1:2::1', want: '2001:db8:1:2::' },
    { ip: '2001:DB8:1:2:ffff:ffff:ffff:ffff', want: '2001:db8:1:2::' },
    { ip: '2001:db8:1:3::1', want: '2001:db8:1:3::' },
    { ip: '::1', want: '::' },
    { ip: 'fe80::1%eth0', want: 'fe80::' },
    { ip: 'fe80::2%eth1', want: 'fe80::' },
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
