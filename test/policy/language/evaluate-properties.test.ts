import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { type Allowance, coversAllowance, coversPattern } from '../../../src/policy/language/containment.ts'
import type { Policy } from '../../../src/policy/language/document.ts'
import { evaluate } from '../../../src/policy/language/evaluate.ts'

/** What a wildcard means, by trying every length that a `*` can have: exponential, and obviously right. */
function takes(pattern: string, text: string): boolean {
  if (pattern === '') return text === ''
  if (pattern.startsWith('*')) {
    for (let length = 0; length <= text.length; length++) if (takes(pattern.slice(1), text.slice(length))) return true
    return false
  }
  return text !== '' && pattern.charAt(0) === text.charAt(0) && takes(pattern.slice(1), text.slice(1))
}

/** The five parts of a JRN, of which the last may have colons; none for anything else. */
function split(text: string): string[] {
  const [scheme, service, region, account, ...resource] = text.split(':')
  if (scheme !== 'jrn' || service === undefined || region === undefined || account === undefined) return []
  return resource.join(':') === '' ? [] : [service, region, account, resource.join(':')]
}

/** What a statement means, by the book: an action that fits, and a resource that fits part by part. */
function allows(action: string, resource: string, request: { action: string; resource: string }): boolean {
  if (!takes(action, request.action)) return false
  if (resource === '*') return true
  const [pattern, text] = [split(resource), split(request.resource)]
  if (pattern.length === 0 || text.length === 0 || pattern[0] !== text[0]) return false
  const whole = (part: number) => pattern[part] === '*' || pattern[part] === text[part]
  return whole(1) && whole(2) && takes(pattern[3] ?? '', text[3] ?? '')
}

const over = (alphabet: string, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: 0, maxLength })
const action = fc.tuple(fc.constantFrom('oss:', 'o', ''), over('ab*', 3)).map((parts) => parts.join(''))
const concreteAction = fc.tuple(fc.constantFrom('oss:', 'o'), over('ab', 3)).map((parts) => parts.join(''))
const jrn = (characters: string) =>
  fc
    .tuple(
      fc.constantFrom('oss', 'oss', 'oss', 'vm', ''),
      over(characters.replace(/[:/]/gu, ''), 2),
      over(characters.replace(/[:/]/gu, ''), 2),
      over(characters, 7),
    )
    .map((parts) => `jrn:${parts.join(':')}`)
const pattern = fc.oneof(
  { weight: 8, arbitrary: jrn('ab*/:') },
  { weight: 1, arbitrary: fc.constantFrom('*', '**', 'jrn:*', 'jrn:oss:*', 'jrn:oss:*:*:*', 'jrn:oss:*:*', '') },
  { weight: 1, arbitrary: over('jrn:*/a', 8) },
)
const concrete = fc.oneof({ weight: 8, arbitrary: jrn('ab/:') }, { weight: 1, arbitrary: over('jrn:/a', 8) })

t.test('the brute force is right on simple cases', async (t) => {
  const rows = [
    { pattern: 'a*b', text: 'ab', want: true },
    { pattern: 'a*b', text: 'a/b/b', want: true },
    { pattern: 'a*b', text: 'abc', want: false },
    { pattern: '*', text: '', want: true },
    { pattern: '', text: 'a', want: false },
  ]
  for (const { pattern, text, want } of rows) t.equal(takes(pattern, text), want, `${pattern} on ${text}`)
  t.strictSame(split('jrn:oss:r:a:b/c:d'), ['oss', 'r', 'a', 'b/c:d'])
  t.strictSame(split('jrn:oss:r:a:'), [])
})

t.test('evaluate agrees with a brute force on random policies, actions and keys', async (t) => {
  const statement = fc.record({
    Effect: fc.constantFrom('Allow' as const, 'Allow' as const, 'Deny' as const),
    Action: fc.array(action, { minLength: 1, maxLength: 2 }),
    Resource: fc.array(pattern, { minLength: 1, maxLength: 2 }),
  })
  const seen = { allowed: 0, denied: 0, refused: 0 }
  // Two thirds of the requests come out of a pattern of the policy, so that they come near it.
  const scene = fc.array(statement, { maxLength: 4 }).chain((statements) => {
    const any = fc.record({ action: concreteAction, resource: concrete })
    if (statements.length === 0) return fc.tuple(fc.constant(statements), any)
    const near = fc
      .tuple(fc.constantFrom(...statements), over('ab', 2), over('ab/:', 2))
      .map(([{ Action, Resource }, inAction, inResource]) => ({
        action: (Action[0] ?? '').replaceAll('*', inAction),
        resource: (Resource.at(-1) ?? '').replaceAll('*', inResource),
      }))
    return fc.tuple(fc.constant(statements), fc.oneof(any, near, near))
  })
  const property = fc.property(scene, ([Statement, request]) => {
    const policy: Policy = { Version: '3', Statement }
    const matching = Statement.map(({ Action, Resource }) =>
      Action.some((one) => Resource.some((pattern) => allows(one, pattern, request))),
    )
    const first = (effect: string) => Statement.findIndex((one, index) => one.Effect === effect && matching[index])
    const [allow, deny] = [first('Allow'), first('Deny')]
    const ignoring = allow < 0 ? { allowed: false } : { allowed: true, statement: allow }
    const honouring = deny < 0 ? ignoring : { allowed: false, statement: deny }
    if (deny >= 0) seen.denied++
    else if (allow >= 0) seen.allowed++
    else seen.refused++
    return (
      isDeepStrictEqual(evaluate(policy, request, 'honoured'), honouring) &&
      isDeepStrictEqual(evaluate(policy, request, 'ignored'), ignoring)
    )
  })
  fc.assert(property, { numRuns: 4000 })
  for (const [what, count] of Object.entries(seen)) t.ok(count > 200, `${count} ${what}`)
})

t.test('a covered allowance allows nothing more', async (t) => {
  const allowance: fc.Arbitrary<Allowance> = fc.record({ action, resource: pattern })
  // The narrow one is made out of the wide one, or two of any kind would hardly ever cover each other.
  const pair = fc.oneof(
    fc.tuple(allowance, allowance),
    fc.tuple(allowance, over('ab*/', 2), fc.boolean()).map(([wide, filler, sameAction]): [Allowance, Allowance] => [
      wide,
      {
        action: sameAction ? wide.action : wide.action.replace('*', filler.replace('/', '')),
        resource: wide.resource.replace('*', filler),
      },
    ]),
  )
  const seen = { covered: 0, allowed: 0 }
  const property = fc.property(
    pair,
    fc.array(over('ab/:', 2), { minLength: 6, maxLength: 6 }),
    concrete,
    ([wide, narrow], fillers, other) => {
      if (!coversAllowance(wide, narrow)) return true
      seen.covered++
      let next = 0
      const fill = (text: string) => text.replaceAll('*', () => fillers[next++ % fillers.length] ?? '')
      for (const resource of [fill(narrow.resource), fill(narrow.resource), other]) {
        const request = { action: fill(narrow.action), resource }
        if (!allows(narrow.action, narrow.resource, request)) continue
        seen.allowed++
        if (!allows(wide.action, wide.resource, request)) return false
      }
      return true
    },
  )
  fc.assert(property, { numRuns: 6000 })
  t.ok(seen.covered > 1000, `${seen.covered} covered`)
  t.ok(seen.allowed > 1000, `${seen.allowed} requests`)
})

/** Every text over an alphabet up to a length. */
function texts(alphabet: string, most: number): string[] {
  const longer = (list: string[]) => list.flatMap((text) => [...alphabet].map((character) => text + character))
  let list = ['']
  const all = [...list]
  for (let length = 0; length < most; length++) {
    list = longer(list)
    all.push(...list)
  }
  return all
}

t.test('containment of patterns agrees with every text up to a length', async (t) => {
  // One letter more than the patterns have: without it, what a * takes could be taken by the letters one by one.
  const all = texts('ab/', 5)
  const patterns = texts('a/*', 3).filter((pattern) => !pattern.includes('**'))
  const taken = new Map(patterns.map((pattern) => [pattern, new Set(all.filter((text) => takes(pattern, text)))]))
  let contained = 0
  let wrong = 0
  for (const [wide, texts] of taken) {
    for (const [narrow, others] of taken) {
      const want = [...others].every((text) => texts.has(text))
      if (want && wide !== narrow) contained++
      if (coversPattern(wide, narrow) !== want) {
        wrong++
        t.fail(`${wide} ${want ? 'covers' : 'does not cover'} ${narrow}`)
      }
    }
  }
  t.equal(wrong, 0)
  t.ok(contained > 50, `${contained} pairs of ${patterns.length ** 2}`)
})

t.test('containment of allowances agrees with every request up to a length', async (t) => {
  const parts = ['', 'a', '*']
  const keys = ['b', '*', 'b/*', 'b/a', '*/a']
  const resources = [
    '*',
    ...parts.flatMap((part) => keys.flatMap((key) => [`jrn:oss:${part}:*:${key}`, `jrn:oss:a:${part}:${key}`])),
  ]
  const requests = texts('a', 2).flatMap((part) =>
    texts('ab/', 3)
      .filter((key) => key !== '')
      .flatMap((key) => [
        `jrn:oss:${part}x:y:${key}`,
        `jrn:oss:a:${part}x:${key}`,
        `jrn:oss:${part}:a:${key}`,
        `jrn:oss:a:${part}:${key}`,
      ]),
  )
  // A resource of another service is taken by nothing but *.
  requests.push('jrn:vm:a:a:b', 'anything')
  const taken = new Map(
    [...new Set(resources)].map((resource) => [
      resource,
      new Set(requests.filter((request) => allows('x', resource, { action: 'x', resource: request }))),
    ]),
  )
  let contained = 0
  for (const [wide, texts] of taken) {
    for (const [narrow, others] of taken) {
      const want = [...others].every((text) => texts.has(text))
      if (want && wide !== narrow) contained++
      const found = coversAllowance({ action: 'x', resource: wide }, { action: 'x', resource: narrow })
      if (found !== want) t.fail(`${wide} ${want ? 'covers' : 'does not cover'} ${narrow}`)
    }
  }
  t.ok(contained > 100, `${contained} of ${taken.size ** 2}`)
  const covers = (wide: string, narrow: string) =>
    coversAllowance({ action: 'x', resource: `jrn:oss:${wide}:b` }, { action: 'x', resource: `jrn:oss:${narrow}:b` })
  t.notOk(covers('a*:a', 'ab:a'), 'a part of a region covers nothing')
  t.notOk(covers('a:a*', 'a:ab'), 'nor does a part of an account')
})
