import t from 'tap'
import { withTokenCacheOnAndOff } from '../helpers/build.ts'
import { jwk } from '../helpers/key-servers.ts'
import { keys } from '../helpers/tokens.ts'
import { other, present, set, short, token, withKeyServer } from './key-server.ts'

const test = withTokenCacheOnAndOff(t)

test('a flood of tokens that no key fits costs the key server a few fetches, and good callers nothing', async (t) => {
  const FLOODED = [401, '503 after 10', '503 after 9']
  const rows: { name: string; input: (n: number) => string; want: (number | string)[] }[] = [
    { name: 'invented kids', input: (n) => token(`invented-${n}`), want: FLOODED },
    { name: 'one kid, that is wrong', input: () => token('b'), want: FLOODED },
    {
      name: 'another algorithm of the set',
      input: () => token('a', keys.p256.privateKey, 'ES256'),
      want: FLOODED,
    },
    {
      name: 'bad signatures under a good kid',
      input: (n) => token('a', n % 2 ? other.privateKey : short.privateKey),
      want: [401],
    },
    {
      name: 'both',
      input: (n) => (n % 2 ? token('a', other.privateKey) : token(`invented-${n}`)),
      want: FLOODED,
    },
  ]
  for (const { name, input, want } of rows) {
    t.test(name, async (t) => {
      const { app, server, clock } = await withKeyServer(t)
      t.equal(await present(app, token('a')), 200)
      const seen = new Set<number | string>()
      for (let round = 0; round < 8; round++) {
        const flood = await Promise.all(Array.from({ length: 20 }, (_, n) => present(app, input(20 * round + n))))
        for (const status of flood) seen.add(status)
        t.equal(await present(app, token('a')), 200, 'good tokens are good')
        if (round === 6) clock.now += 1001
      }
      t.strictSame([...seen].toSorted(), want)
      t.equal(server.asked, 5, 'the first fetch, and the budget')
      server.answer = set(jwk('a'), jwk('new', other.publicKey))
      clock.now += 9000
      t.strictSame(
        await Promise.all([present(app, input(0)), present(app, token('new', other.privateKey))]),
        [401, 200],
      )
      t.equal(server.asked, 6, 'a new key is found by the next fetch')
    })
  }
})

test('tokens with invented keys count as failures of their address, and page nobody', async (t) => {
  const { app, logs } = await withKeyServer(t, set(jwk('a')), { RATE_LIMIT_FAILED_AUTH_PER_MINUTE: '20' })
  const statuses: (number | string)[] = []
  for (let n = 0; n < 40; n++) statuses.push(await present(app, token(`invented-${n}`)))
  t.strictSame([...new Set(statuses.slice(20))], [429])
  t.equal(await present(app, token('a')), 200, 'a good token of the same address passes')
  t.strictSame(
    logs.lines().filter(({ level }) => Number(level) >= 50),
    [],
  )
})
