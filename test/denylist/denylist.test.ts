import t from 'tap'
import type { Denial } from '../../src/config/deny-file.ts'
import { createDenylist, type Known } from '../../src/denylist/denylist.ts'

const subject: Denial = { by: 'subject', issuer: 'app', name: 'alice' }
const issuer: Denial = { by: 'issuer', issuer: 'app', name: '' }
const token: Denial = { by: 'token', issuer: 'app', name: 'id-1' }

/** A list at date 10000 and monotonic 500. */
function listOf(file: readonly Known[], redis: readonly Known[] = [], time = { now: 10_000, monotonic: 500 }) {
  const list = createDenylist({ now: () => time.now, monotonic: () => time.monotonic })
  list.replace('file', file)
  list.replace('redis', redis)
  return list
}
const callerOf = ({ issuer = 'app', subject = 'alice', ...claims }: Record<string, unknown> = {}) => ({
  issuer: String(issuer),
  subject: String(subject),
  claims,
})

t.test('each entry refuses its own callers, and no others', async (t) => {
  const known = (denial: Denial, more: Partial<Denial> = {}): Known => ({ denial: { ...denial, ...more } })
  const rows = [
    { name: 'nobody, by an empty list', file: [], caller: callerOf(), want: undefined },
    { name: 'the subject', file: [known(subject)], caller: callerOf(), want: 'subject file' },
    { name: 'another subject', file: [known(subject)], caller: callerOf({ subject: 'bob' }), want: undefined },
    {
      name: 'the same subject in capitals',
      file: [known(subject)],
      caller: callerOf({ subject: 'Alice' }),
      want: undefined,
    },
    {
      name: 'the same subject of another issuer',
      file: [known(subject)],
      caller: callerOf({ issuer: 'b' }),
      want: undefined,
    },
    {
      name: 'every subject of an issuer',
      file: [known(issuer)],
      caller: callerOf({ subject: 'x' }),
      want: 'issuer file',
    },
    { name: 'none of another issuer', file: [known(issuer)], caller: callerOf({ issuer: 'b' }), want: undefined },
    { name: 'the token', file: [known(token)], caller: callerOf({ jti: 'id-1' }), want: 'token file' },
    { name: 'a token without an id', file: [known(token)], caller: callerOf(), want: undefined },
    { name: 'another token', file: [known(token)], caller: callerOf({ jti: 'id-2' }), want: undefined },
    {
      name: 'the token of another issuer',
      file: [known(token)],
      caller: callerOf({ jti: 'id-1', issuer: 'b' }),
      want: undefined,
    },
    {
      name: 'a token whose id is a number',
      file: [known(token, { name: '7' })],
      caller: callerOf({ jti: 7 }),
      want: 'token file',
    },
    { name: 'a token whose id is a list', file: [known(token)], caller: callerOf({ jti: ['id-1'] }), want: undefined },
    {
      name: 'the id of a token as a subject',
      file: [known(token)],
      caller: callerOf({ subject: 'id-1' }),
      want: undefined,
    },
    {
      name: 'the subject before the token',
      file: [known(token), known(subject)],
      caller: callerOf({ jti: 'id-1' }),
      want: 'subject file',
    },
    { name: 'until the end', file: [known(subject, { until: 10_001 })], caller: callerOf(), want: 'subject file' },
    { name: 'not after it', file: [known(subject, { until: 10_000 })], caller: callerOf(), want: undefined },
    { name: 'by Redis', file: [], redis: [known(subject)], caller: callerOf(), want: 'subject redis' },
    {
      name: 'lifted in Redis',
      file: [],
      redis: [{ denial: subject, liftedAt: 400 }],
      caller: callerOf(),
      want: undefined,
    },
    {
      name: 'by the file, whatever Redis has lifted',
      file: [known(subject)],
      redis: [{ denial: subject, liftedAt: 400 }],
      caller: callerOf(),
      want: 'subject file',
    },
    {
      name: 'by the entry that ends later, when the other has ended',
      file: [known(subject, { until: 9_000 })],
      redis: [known(subject, { until: 11_000 })],
      caller: callerOf(),
      want: 'subject redis',
    },
    {
      name: 'by one without an end, before or after one with an end',
      file: [known(subject), known(subject, { until: 9_000 })],
      caller: callerOf(),
      want: 'subject file',
    },
    {
      name: 'not for ever by a name like an object has',
      file: [known(subject)],
      caller: callerOf({ subject: '__proto__' }),
      want: undefined,
    },
  ]
  for (const { name, file, redis = [], caller, want } of rows) {
    t.test(name, async (t) => {
      const found = listOf(file, redis).find(caller)
      t.equal(found && `${found.denial.by} ${found.source}`, want)
    })
  }
})

t.test('the instant at which a caller was let in again is known', async (t) => {
  const rows: { name: string; known: Known[]; want: number }[] = [
    { name: 'always', known: [], want: Number.NEGATIVE_INFINITY },
    { name: 'lifted', known: [{ denial: subject, liftedAt: 400 }], want: 400 },
    {
      name: 'another one was lifted',
      known: [{ denial: { ...subject, name: 'bob' }, liftedAt: 400 }],
      want: Number.NEGATIVE_INFINITY,
    },
    {
      name: 'its issuer was lifted later',
      known: [
        { denial: subject, liftedAt: 300 },
        { denial: issuer, liftedAt: 400 },
      ],
      want: 400,
    },
    {
      name: 'twice',
      known: [
        { denial: subject, liftedAt: 400 },
        { denial: subject, liftedAt: 300 },
      ],
      want: 400,
    },
    {
      name: 'another source lifted it after its entry here had ended',
      known: [{ denial: { ...subject, until: 9_900 } }, { denial: subject, liftedAt: 450 }],
      want: 450,
    },
    {
      name: 'another source lifted it before its entry here ended',
      known: [{ denial: subject, liftedAt: 350 }, { denial: { ...subject, until: 9_900 } }],
      want: 400,
    },
    { name: 'the entry ended by its date', known: [{ denial: { ...subject, until: 9_900 } }], want: 400 },
    {
      name: 'a token of its own was lifted',
      known: [{ denial: token, liftedAt: 400 }],
      want: Number.NEGATIVE_INFINITY,
    },
  ]
  for (const { name, known, want } of rows) {
    t.test(name, async (t) => t.equal(listOf(known).liftedAt(callerOf()), want))
  }
})

t.test('entries in force are counted for each source', async (t) => {
  const ended = { denial: { ...token, until: 1 } }
  const list = listOf([{ denial: subject }, ended], [{ denial: issuer }, { denial: subject, liftedAt: 1 }])
  t.strictSame([list.size('file'), list.size('redis')], [1, 1])
  list.replace('file', [])
  t.strictSame([list.size('file'), list.size('redis')], [0, 1])
})
