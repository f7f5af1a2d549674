import t from 'tap'
import { createNonceMemory } from '../../../sandbox/sts/nonces.ts'

t.test('a nonce is remembered as long as a replay could be accepted', async (t) => {
  let now = 1000
  const nonces = createNonceMemory(() => now)
  t.equal(nonces.use('key', 'nonce', 2000), true)
  now = 2000
  t.equal(nonces.use('key', 'nonce', 3000), false)
  now = 2001
  t.equal(nonces.use('key', 'nonce', 3000), true)
  t.equal(nonces.use('key', 'nonce', 3000), false)
})

t.test('a nonce that is forgotten late is still not a replay', async (t) => {
  let now = 1000
  const nonces = createNonceMemory(() => now)
  nonces.use('key', 'from the future', 5000)
  nonces.use('key', 'nonce', 2000)
  now = 2001
  t.equal(nonces.use('key', 'nonce', 3000), true)
})

t.test('key and nonce stay separate', async (t) => {
  const nonces = createNonceMemory(() => 0)
  t.equal(nonces.use('a', 'bc', 1), true)
  t.equal(nonces.use('ab', 'c', 1), true)
})

t.test('a nonce is forgotten after its window', async (t) => {
  let now = 0
  const nonces = createNonceMemory(() => now)
  for (; now < 10_000; now++) nonces.use('key', `nonce-${now}`, now + 100)
  t.equal(nonces.size, 101)
})
