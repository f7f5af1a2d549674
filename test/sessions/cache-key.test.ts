import fc from 'fast-check'
import t from 'tap'
import type { Grant } from '../../src/policy/grant/grant.ts'
import { cacheKey } from '../../src/sessions/cache-key.ts'

// Few characters, those among them by which parts are joined, so that different grants come close to each other.
const text = fc.string({ unit: fc.constantFrom('a', 'b', ',', '"', '[', ']', '\\', '\0', '\ud800', 'é'), maxLength: 4 })
const grant: fc.Arbitrary<Grant> = fc.record({
  template: text,
  target: text,
  roleSessionName: text,
  policy: text,
  durationSeconds: fc.integer({ min: 3600, max: 3603 }),
  actions: fc.array(text, { maxLength: 2 }),
  resources: fc.array(text, { maxLength: 2 }),
  prefixes: fc.array(text, { maxLength: 2 }),
})

/** Whether two values differ, by comparing them member by member and not by any encoding. */
function differ(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return a !== b
  const [ours, theirs] = [Object.entries(a), new Map(Object.entries(b))]
  return ours.length !== theirs.size || ours.some(([name, value]) => differ(value, theirs.get(name)))
}

/** The property itself, so that it can be shown to fail for a worse key. */
const neverShared = (keyOf: (scope: string, grant: Grant) => string) =>
  fc.check(
    fc.property(text, grant, text, grant, (scopeA, a, scopeB, b) => {
      const different = scopeA !== scopeB || differ(a, b)
      return (keyOf(scopeA, a) !== keyOf(scopeB, b)) === different
    }),
    { numRuns: 20_000 },
  )

/** One part changed, moved to the next or swapped with it: what random pairs meet too seldom. */
const oneChange = (keyOf: (scope: string, grant: Grant) => string) =>
  fc.check(
    fc.property(grant, text, fc.constantFrom('template', 'target', 'roleSessionName', 'policy'), (one, moved, part) => {
      const next = {
        template: 'roleSessionName',
        target: 'template',
        roleSessionName: 'policy',
        policy: 'target',
      } as const
      const a = { ...one, [part]: `${one[part]}${moved}` }
      const b = { ...one, [next[part]]: `${moved}${one[next[part]]}` }
      const lists = [
        { ...one, actions: [...one.actions, moved] },
        { ...one, resources: [moved, ...one.resources] },
        { ...one, prefixes: [moved, ...one.prefixes] },
        { ...one, durationSeconds: one.durationSeconds + 1 },
        one,
        a,
        b,
      ]
      return lists.every((x) => lists.every((y) => (keyOf('s', x) === keyOf('s', y)) === !differ(x, y)))
    }),
    { numRuns: 5000 },
  )

t.test('two grants never share a key, and one grant always has the same', async (t) => {
  for (const { failed, counterexample } of [neverShared(cacheKey), oneChange(cacheKey)]) {
    t.notOk(failed, JSON.stringify(counterexample))
  }
})

t.test('the properties find keys whose parts run together, or that leave one out', async (t) => {
  const weak: Record<string, (scope: string, grant: Grant) => string> = {
    joined: (scope, one) => [scope, ...Object.values(one)].join(),
    'without session name': (scope, one) => cacheKey(scope, { ...one, roleSessionName: '' }),
    'without policy': (scope, one) => cacheKey(scope, { ...one, policy: '' }),
    'without duration': (scope, one) => cacheKey(scope, { ...one, durationSeconds: 0 }),
    'without prefixes': (scope, one) => cacheKey(scope, { ...one, prefixes: [] }),
  }
  for (const [name, keyOf] of Object.entries(weak)) t.ok(oneChange(keyOf).failed, name)
})

t.test('a key is short, and fit for the name of anything', async (t) => {
  const [one] = fc.sample(grant, { numRuns: 1, seed: 1 })
  if (one) t.match(cacheKey('scope', one), /^[\w-]{43}$/u)
})
