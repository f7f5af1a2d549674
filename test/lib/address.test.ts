import { normalizeIP } from '@fastify/rate-limit'
import fc from 'fast-check'
import t from 'tap'
import { addressKey, clientKey } from '../../src/lib/address.ts'

t.test('the key of an address', async (t) => {
  const rows = [
    { ip: '203.0.113.9', want: '203.0.113.9' },
    { ip: '203.0.113.9:52012', want: '203.0.113.9' },
    { ip: '203.000.113.009', want: '203.0.113.9' },
    { ip: '010.0.0.8', want: '10.0.0.8' },
    { ip: '::ffff:203.0.113.9', want: '203.0.113.9' },
    { ip: '::ffff:203.0.113.9:52012', want: '203.0.113.9' },
    { ip: '[::ffff:203.0.113.9]:52012', want: '203.0.113.9' },
    { ip: '::FFFF:cb00:7109', want: '203.0.113.9' },
    { ip: '::ffff:c000:201', want: '192.0.2.1' },
    { ip: '0000:0000:0000:0000:0000:ffff:c000:0201', want: '192.0.2.1' },
    { ip: '2001:db8:1:2::1', want: '2001:db8:1:2::/64' },
    { ip: '[2001:db8:1:2::1]', want: '2001:db8:1:2::/64' },
    { ip: '[2001:db8:1:2::1]:4711', want: '2001:db8:1:2::/64' },
    { ip: '[2001:DB8:1:2::1%25eth0.7]:4711', want: '2001:db8:1:2::/64' },
    { ip: '2001:DB8:1:2:ffff:ffff:ffff:ffff', want: '2001:db8:1:2::/64' },
    { ip: '2001:db8:1:3::1', want: '2001:db8:1:3::/64' },
    { ip: '::1', want: '0:0:0:0::/64' },
    { ip: '::192.0.2.1', want: '0:0:0:0::/64' },
    { ip: 'fe80::1%eth0', want: 'fe80:0:0:0::/64' },
    { ip: 'fe80::2%en-0', want: 'fe80:0:0:0::/64' },
    { ip: '2001:DB8:0:0::', want: '2001:db8:0:0::/64' },
    { ip: '2001:0db8::192.0.2.1', want: '2001:db8:0:0::/64' },
    { ip: '::', want: '0:0:0:0::/64' },
    { ip: 'unknown', want: undefined },
    { ip: '_hidden', want: undefined },
    { ip: '999.1.1.1:80', want: undefined },
    { ip: '3232235777', want: undefined },
    { ip: '0x7f.1', want: undefined },
    { ip: '[]:80', want: undefined },
    { ip: '203.0.113.9, 10.0.0.1', want: undefined },
    { ip: '0'.repeat(10_000), want: undefined },
    { ip: '', want: undefined },
    { ip: undefined, want: undefined },
  ]
  for (const { ip, want } of rows) t.equal(addressKey(ip), want, String(ip).slice(0, 50))
})

t.test('text of any length is read at once', async (t) => {
  for (const text of [`${'0'.repeat(10_000)}g`, `${'1.'.repeat(5_000)}:`, `[${':'.repeat(10_000)}`]) {
    const started = performance.now()
    t.equal(addressKey(text), undefined)
    t.ok(performance.now() - started < 1000, text.slice(0, 10))
  }
})

t.test('a client without an address has the key of the nearest proxy that has one', async (t) => {
  const rows = [
    { ips: ['10.0.0.1', 'unknown'], want: '10.0.0.1' },
    { ips: ['10.0.0.1', '10.0.0.2', '_hidden'], want: '10.0.0.2' },
    { ips: ['10.0.0.1', '_b', '_a'], want: '10.0.0.1' },
    { ips: ['10.0.0.1', '10.0.0.2', '[2001:db8::1]:80'], want: '2001:db8:0:0::/64' },
    { ips: ['unknown'], want: 'unknown' },
  ]
  for (const { ips, want } of rows) t.equal(clientKey({ ip: ips.at(-1) ?? '', ips }), want, ips.join())
  t.equal(clientKey({ ip: 'unknown' }), 'unknown', 'a connection that is closed has no address')
})

const group = fc.integer({ min: 0, max: 0xffff })
const ports = fc.integer({ min: 1, max: 65_535 })

/** Ways to write eight groups. */
const formsOfIpv6 = (groups: readonly number[]) => {
  const hex = groups.map((one) => one.toString(16))
  const full = hex.join(':')
  const padded = hex.map((one) => one.padStart(4, '0')).join(':')
  const [high = 0, low = 0] = groups.slice(6)
  const dotted = `${hex.slice(0, 6).join(':')}:${[high >> 8, high & 255, low >> 8, low & 255].join('.')}`
  const zeros = /(?:^|:)0(?::0)*(?:$|:)/u
  const short = full.replace(zeros, '::')
  const plain = [full, padded, dotted, short, dotted.replace(zeros, '::')]
  return plain.flatMap((form) => [form, form.toUpperCase(), `${form}%eth0`, `[${form}]`])
}

t.test('for all addresses, every way to write one gives one key', async () => {
  const sparse = fc.array(fc.oneof(fc.constant(0), group), { minLength: 8, maxLength: 8 })
  fc.assert(
    fc.property(sparse, ports, (groups, port) => {
      const forms = formsOfIpv6(groups).flatMap((form) => (form.startsWith('[') ? [form, `${form}:${port}`] : [form]))
      return new Set(forms.map(addressKey)).size === 1 && addressKey(forms[0]) !== undefined
    }),
    { numRuns: 2000 },
  )
  fc.assert(
    fc.property(fc.ipV4(), ports, (ip, port) => {
      const mapped = ip.split('.').map(Number)
      const [a = 0, b = 0, c = 0, d = 0] = mapped
      const padded = mapped.map((part) => String(part).padStart(3, '0')).join('.')
      const plain = [ip, padded, `${ip}:${port}`, `${padded}:${port}`]
      const inIpv6 = formsOfIpv6([0, 0, 0, 0, 0, 0xffff, a * 256 + b, c * 256 + d])
      return [...plain, ...inIpv6].every((form) => addressKey(form) === ip)
    }),
    { numRuns: 1000 },
  )
})

t.test('for all pairs of /64 networks, two never share a key', async () => {
  // Few values, so that many pairs differ in one place alone.
  const few = fc.constantFrom(0, 1, 0x10, 0x100, 0xffff)
  const network = fc.array(few, { minLength: 4, maxLength: 4 })
  const host = fc.array(group, { minLength: 4, maxLength: 4 })
  fc.assert(
    fc.property(network, network, host, host, (one, other, a, b) => {
      const write = (groups: number[]) => groups.map((part) => part.toString(16)).join(':')
      // An IPv4 address is a client of its own.
      fc.pre(
        [
          [...one, ...a],
          [...other, ...b],
        ].every((all) => all.slice(0, 6).join() !== '0,0,0,0,0,65535'),
      )
      const alike = one.join() === other.join()
      return (addressKey(write([...one, ...a])) === addressKey(write([...other, ...b]))) === alike
    }),
    { numRuns: 2000 },
  )
})

t.test('for all addresses, two are one exactly when @fastify/rate-limit takes them for one', async (t) => {
  // Few values, so that many pairs are alike.
  const part = fc.constantFrom('0', '0000', '1', '0001', 'ffff', 'FFFF', 'a')
  const groups = fc.array(part, { minLength: 8, maxLength: 8 })
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
  t.notOk(known.includes(undefined), 'and none is taken for something else')
})
