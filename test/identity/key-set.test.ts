import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { createKeySet, type KeyFetch, KeysUnavailableError } from '../../src/identity/key-set.ts'
import { jwk } from '../helpers/key-servers.ts'
import { keys, pem } from '../helpers/tokens.ts'

const RSA = pem(keys.rsa.publicKey).trim()
const EC = pem(keys.p256.publicKey).trim()
const SECOND = 1000
const MINUTE = 60 * SECOND
const MAX_AGE = 24 * 60 * MINUTE

/** A key set on a clock, and a key server whose every answer is given by hand. */
function harness({ maxAgeMs = MAX_AGE } = {}) {
  let now = 1_000_000
  const waiting: { resolve: (document: unknown) => void; reject: (error: Error) => void }[] = []
  const told: KeyFetch[] = []
  let fetches = 0
  const keySet = createKeySet({
    fetchKeys: () => {
      fetches++
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
    },
    maxAgeMs,
    onFetch: (fetch) => told.push(fetch),
    now: () => now,
  })
  const next = () => {
    const one = waiting.shift()
    if (!one) throw new Error('nobody is waiting for keys')
    return one
  }
  const answer = async (...list: unknown[]) => {
    next().resolve({ keys: list })
    await turn()
  }
  return {
    keySet,
    told,
    fetches: () => fetches,
    waiting: () => waiting.length,
    wait: (ms: number) => {
      now += ms
    },
    answer,
    answerWith: (document: unknown) => next().resolve(document),
    fail: async () => {
      next().reject(new Error('no keys today'))
      await turn()
    },
    /** One fetch with this answer. */
    async load(...list: unknown[]) {
      const loaded = keySet.refresh()
      await turn()
      await answer(...list)
      await loaded
    },
    /** The key, or why there is none. */
    find: (kid: string, alg = 'RS256') =>
      keySet.find({ alg, kid }).catch((error: unknown) => {
        if (error instanceof KeysUnavailableError) return `retry after ${error.retryAfterSeconds}`
        throw error
      }),
  }
}

type Harness = ReturnType<typeof harness>

/** Uses the whole budget of fetches up; the last answer is as old as nothing afterwards. */
async function exhaust(one: Harness, ...list: unknown[]) {
  for (let n = 0; n < 4; n++) {
    const found = one.find(`exhausting-${n}`)
    await turn()
    await one.answer(...list)
    await found
  }
}

t.test('a known key never waits for the key server', async (t) => {
  const endings = {
    'which hangs': () => {},
    'which fails': (one: Harness) => one.fail(),
    'which answers garbage': (one: Harness) => one.answerWith('<html>'),
    'which answers null': (one: Harness) => one.answerWith(null),
    'which answers a list': (one: Harness) => one.answerWith([jwk('b')]),
    'which answers more keys than anybody has': (one: Harness) =>
      one.answer(...Array.from({ length: 257 }, (_, n) => jwk(String(n)))),
  }
  for (const [name, end] of Object.entries(endings)) {
    t.test(name, async (t) => {
      const one = harness()
      await one.load(jwk('a'))
      one.wait(10 * MINUTE)
      one.keySet.tend()
      t.equal(await one.find('a'), RSA, 'served while it is asked')
      t.equal(one.fetches(), 2)
      await end(one)
      await turn()
      one.wait(60 * MINUTE)
      t.equal(await one.find('a'), RSA, 'and served after it')
      t.equal(one.told.filter(({ result }) => result !== 'ok').length, name === 'which hangs' ? 0 : 1)
      t.ok(one.keySet.usable())
    })
  }
})

t.test('keys are fetched again in the background after ten minutes, once', async (t) => {
  const one = harness()
  await one.load(jwk('a'))
  const { tend } = one.keySet
  one.wait(10 * MINUTE - 1)
  tend()
  t.equal(one.fetches(), 1, 'not yet')
  one.wait(1)
  for (let n = 0; n < 100; n++) tend()
  t.equal(one.fetches(), 2, 'one flight for all')
  await one.answer(jwk('b'))
  t.equal(await one.find('b'), RSA, 'the new key')
  one.wait(10 * MINUTE)
  tend()
  t.equal(one.fetches(), 3, 'and so on')
  await one.fail()
  one.wait(10 * SECOND - 1)
  tend()
  t.equal(one.fetches(), 3, 'after a failure, not at once')
  one.wait(1)
  tend()
  t.equal(one.fetches(), 4)
})

t.test('a set is fetched twice within its maximum age, however short that is', async (t) => {
  const one = harness({ maxAgeMs: MINUTE })
  await one.load(jwk('a'))
  one.wait(30 * SECOND)
  one.keySet.tend()
  t.equal(one.fetches(), 2)
})

t.test('a set that is too old verifies nothing', async (t) => {
  const one = harness()
  await one.load(jwk('a'))
  one.wait(MAX_AGE)
  t.equal(await one.find('a'), RSA, 'it is good to its last millisecond')
  t.ok(one.keySet.usable())
  t.equal(one.keySet.ageSeconds(), 86_400)
  one.wait(1)
  t.notOk(one.keySet.usable())
  const late = one.find('a')
  await turn()
  await one.fail()
  t.equal(await late, 'retry after 2')
  t.match(one.told.at(-1), { result: 'unexpected', usable: false })
  t.equal(await one.find('a'), 'retry after 2', 'the key server is not asked more than once a second')
  t.equal(one.fetches(), 2)
  one.wait(SECOND)
  one.keySet.tend()
  await one.answer(jwk('a'))
  t.equal(await one.find('a'), RSA, 'and all is well again')
  t.equal(one.keySet.ageSeconds(), 0)
})

t.test('the age counts from when the fetch began', async (t) => {
  const one = harness({ maxAgeMs: MINUTE })
  const loaded = one.keySet.refresh()
  await turn()
  one.wait(2 * SECOND)
  await one.answer(jwk('a'))
  await loaded
  t.equal(one.keySet.ageSeconds(), 2)
})

t.test('keys that are too old are not revived by an answer that lacks them', async (t) => {
  const b = jwk('b', keys.p256.publicKey)
  const rows = [
    { name: 'an empty set', list: [], want: 'retry after 2' },
    { name: 'a set without the key', list: [b], want: undefined },
  ]
  for (const { name, list, want } of rows) {
    t.test(name, async (t) => {
      const one = harness()
      await one.load(jwk('a'), b)
      one.wait(MAX_AGE + 1)
      await one.load(...list)
      const found = one.find('a')
      await turn()
      if (one.waiting() > 0) await one.answer(...list)
      t.equal(await found, want)
    })
  }
})

t.test('a key in doubt is no younger for it', async (t) => {
  const one = harness()
  const b = jwk('b', keys.p256.publicKey)
  await one.load(jwk('a'), b)
  one.wait(MAX_AGE)
  await one.load(b)
  t.equal(await one.find('a'), RSA)
  t.equal(one.keySet.ageSeconds(), 86_400)
  one.wait(1)
  t.equal(await one.find('a'), 'retry after 2')
})

t.test('a set that lost keys is obeyed when the next one agrees', async (t) => {
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((kid) => jwk(kid, keys.rsa.publicKey, { alg: 'RS256' }))
  const rows: { name: string; answers: unknown[][]; want: string[]; soon?: true }[] = [
    { name: 'a key lost once stays', answers: [[a, b], [a]], want: ['a', 'b'], soon: true },
    { name: 'a key lost twice is gone', answers: [[a, b], [a], [a]], want: ['a'] },
    { name: 'an odd answer changes nothing', answers: [[a, b], [a], [a, b]], want: ['a', 'b'] },
    { name: 'an empty set, once', answers: [[a, b], []], want: ['a', 'b'], soon: true },
    { name: 'an empty set, twice', answers: [[a, b], [], []], want: [] },
    { name: 'an empty set, twice, is left by one with keys', answers: [[a], [], [], [b]], want: ['b'] },
    { name: 'unusable entries alone are an empty set', answers: [[a], [null]], want: ['a'], soon: true },
    { name: 'each key counts by itself', answers: [[a, b, c], [a, b], [a]], want: ['a', 'b'], soon: true },
    { name: 'two servers that differ', answers: [[a, b], [a], [a, b], [a]], want: ['a', 'b'], soon: true },
    { name: 'a set that grew', answers: [[a], [a, b]], want: ['a', 'b'] },
    { name: 'a set that was replaced', answers: [[a, b], [c]], want: ['c'] },
    {
      name: 'a rotation',
      answers: [
        [a, b],
        [b, c],
      ],
      want: ['b', 'c'],
    },
    { name: 'a replacement of what is in doubt', answers: [[a, b], [a], [a, d]], want: ['a', 'd'] },
  ]
  for (const { name, answers, want, soon } of rows) {
    t.test(name, async (t) => {
      const one = harness()
      for (const list of answers) await one.load(...list)
      const before = one.fetches()
      one.wait(5 * SECOND - 1)
      one.keySet.tend()
      t.equal(one.fetches(), before)
      one.wait(1)
      one.keySet.tend()
      t.equal(one.fetches(), before + (soon ? 1 : 0), soon ? 'the next fetch is soon' : 'the next fetch is not soon')
      const found = []
      for (const kid of ['a', 'b', 'c', 'd']) {
        const key = one.find(kid)
        await turn()
        if (one.waiting() > 0) await one.fail()
        if ((await key) === RSA) found.push(kid)
      }
      t.strictSame(found, want)
      t.equal(one.keySet.usable(), want.length > 0)
    })
  }
})

t.test('a first set that is empty says nothing until the next one agrees', async (t) => {
  const one = harness()
  await one.load()
  t.equal(await one.find('a'), 'retry after 2')
  t.equal(one.keySet.ageSeconds(), undefined)
  one.wait(SECOND)
  one.keySet.tend()
  await one.answer()
  t.notOk(one.keySet.usable())
  const found = one.find('a')
  await turn()
  await one.answer()
  t.equal(await found, undefined, 'now it is known that there is no key')
})

t.test('an empty set is asked for again soon', async (t) => {
  const one = harness()
  for (const list of [[jwk('a')], [], []]) await one.load(...list)
  one.wait(10 * SECOND)
  one.keySet.tend()
  await one.answer(jwk('a'))
  t.ok(one.keySet.usable())
})

t.test('an unknown key is looked for at once, by one fetch for all', async (t) => {
  const one = harness()
  await one.load(jwk('a'))
  const waiting = [one.find('b'), one.find('b'), one.find('c')]
  await turn()
  t.equal(one.fetches(), 2)
  t.equal(await one.find('a'), RSA, 'a known one does not wait with them')
  await one.answer(jwk('a'), jwk('b'))
  t.strictSame(await Promise.all(waiting), [RSA, RSA, undefined])
  t.equal(one.fetches(), 2)
})

t.test('an answer that was asked for before the token came proves nothing', async (t) => {
  const one = harness()
  await one.load(jwk('a'))
  one.wait(10 * MINUTE)
  one.keySet.tend()
  one.wait(SECOND + 1)
  const late = one.find('b')
  await one.answer(jwk('a'))
  t.equal(one.fetches(), 3, 'it is asked for again')
  await one.answer(jwk('a'), jwk('b'))
  t.equal(await late, RSA)
})

t.test('invented keys cost the key server the budget alone', async (t) => {
  const one = harness()
  await one.load(jwk('a'))
  await exhaust(one, jwk('a'))
  t.equal(one.fetches(), 5)
  const flood = (from: number) => Promise.all(Array.from({ length: 500 }, (_, n) => one.find(`invented-${from + n}`)))
  t.strictSame([...new Set(await flood(0))], ['retry after 10'], 'an answer of this second is older than they are')
  one.wait(SECOND + 1)
  t.strictSame([...new Set(await flood(500))], ['retry after 9'])
  t.equal(await one.find('a'), RSA)
  t.equal(one.fetches(), 5)
  one.wait(9 * SECOND)
  const genuine = one.find('b')
  const others = flood(1000)
  await turn()
  t.equal(one.fetches(), 6, 'one more when the budget allows')
  await one.answer(jwk('a'), jwk('b'))
  t.equal(await genuine, RSA, 'a new key is found within ten seconds')
  t.strictSame([...new Set(await others)], [undefined])
  let fetches = one.fetches()
  for (let second = 0; second < 60; second++) {
    one.wait(SECOND)
    void one.find(`minute-${second}`)
    await turn()
    if (one.waiting() > 0) await one.answer(jwk('a'))
  }
  fetches = one.fetches() - fetches
  t.equal(fetches, 6, 'and six a minute')
})

t.test('a key that the issuer withdrew is refused without a fetch', async (t) => {
  const one = harness()
  await one.load(jwk('a'))
  await one.load(jwk('b'))
  await exhaust(one, jwk('b'))
  one.wait(2 * SECOND)
  t.equal(await one.find('a'), undefined)
  t.equal(await one.find('never-seen'), 'retry after 8')
  await one.load(jwk('a'), jwk('b'))
  t.equal(await one.find('a'), RSA, 'until it is there again')
})

t.test('a fetch that fails says nothing about a key', async (t) => {
  const one = harness()
  await one.load(jwk('a'))
  const found = one.find('b')
  await turn()
  await one.fail()
  t.equal(await found, 'retry after 2')
  t.equal(await one.find('a'), RSA)
})

t.test('whether keys have changed is asked within the same budget', async (t) => {
  const one = harness()
  await one.load(jwk('a'))
  const { keySet } = one
  const before = keySet.revision()
  const changedSince = (revision: number) =>
    keySet.changedSince(revision).catch((error: unknown) => {
      if (error instanceof KeysUnavailableError) return 'unknown'
      throw error
    })
  const asked = async (...list: unknown[]) => {
    const changed = changedSince(before)
    await turn()
    if (one.waiting() > 0) await one.answer(...list)
    return changed
  }
  t.equal(await asked(jwk('a')), false)
  t.equal(await asked(jwk('a', keys.p256.publicKey)), true)
  t.equal(await one.find('a', 'ES256'), EC)
  t.equal(await asked(), true, 'and then without a fetch')
  t.equal(one.fetches(), 3)
  const now = keySet.revision()
  for (let n = 0; n < 10; n++) {
    const changed = changedSince(now)
    await turn()
    if (one.waiting() > 0) await one.fail()
    t.equal(await changed, 'unknown', 'after a failure, whether the budget allows a fetch or not')
  }
  t.equal(one.fetches(), 5)
  await one.load(jwk('a', keys.p256.publicKey))
  t.equal(await changedSince(now), false, 'known again, though the budget is used up')
  t.equal(one.fetches(), 6)
})

t.test('without any key nothing can be said, until there are some', async (t) => {
  const one = harness()
  const first = [one.find('a'), one.find('a')]
  await turn()
  t.equal(one.fetches(), 1)
  t.notOk(one.keySet.usable())
  await one.fail()
  t.strictSame(await Promise.all(first), ['retry after 2', 'retry after 2'])
  one.wait(999)
  t.equal(await one.find('a'), 'retry after 2')
  one.keySet.tend()
  t.equal(one.fetches(), 1, 'not asked again within a second')
  one.wait(1)
  const second = one.find('a')
  await turn()
  await one.answer(jwk('a'))
  t.equal(await second, RSA)
  t.ok(one.keySet.usable())
})

t.test('a refresh does not trust a fetch that began before it, and never rejects', async (t) => {
  const one = harness()
  await one.load(jwk('a'))
  one.wait(10 * MINUTE)
  one.keySet.tend()
  const both = [one.keySet.refresh(), one.keySet.refresh()]
  await one.answer(jwk('a'))
  t.equal(one.fetches(), 3, 'one more for both')
  await one.fail()
  t.strictSame(await Promise.all(both), [undefined, undefined])
})
